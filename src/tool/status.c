#include <stdio.h>

#include "tool/options.h"
#include "tool/status_print.h"
#include "tool/tool.h"
#include "tool/topology.h"

static const char status_usage[] =
    "regent status HOST:PORT [--watch [SECONDS]] [--json] [--user U] [--pass P] [--timeout MS]";

/* One look; returns the exit status. */
static int status_show(const struct rg_tool_options *options)
{
    struct rg_topology topology;
    struct rg_buf error = {0};
    struct rg_buf text = {0};
    int status = RG_TOOL_OK;
    int result = rg_topology_fetch(&options->target, &options->login, options->timeout_ms,
                                   &topology, &error);

    if (options->watch && !options->json)
        rg_buf_append_str(&text, "\033[H\033[2J");
    if (result < 0) {
        fprintf(stderr, "regent status: %.*s\n", (int)rg_buf_len(&error), rg_buf_view(&error).data);
        status = RG_TOOL_FAILED;
    } else if (options->json) {
        rg_status_print_json(&text, &topology);
    } else {
        rg_status_print_table(&text, &topology);
    }
    if (result == 0 && topology.primary < 0)
        status = RG_TOOL_NO_PRIMARY;
    struct rg_bytes view = rg_buf_view(&text);
    if (view.len > 0 && (fwrite(view.data, 1, view.len, stdout) != view.len || fflush(stdout) != 0))
        status = RG_TOOL_FAILED;
    rg_buf_fini(&error);
    rg_buf_fini(&text);
    return status;
}

int rg_tool_status(int argc, char **argv)
{
    struct rg_tool_options options;

    if (rg_tool_options_parse(argc, argv, RG_TOOL_TAKES_WATCH | RG_TOOL_TAKES_JSON, status_usage,
                              &options) < 0)
        return RG_TOOL_USAGE;
    for (;;) {
        int status = status_show(&options);
        /* Watching goes on while a server is away, and ends when nobody reads any more. */
        if (!options.watch || ferror(stdout))
            return status;
        rg_tool_sleep_ms(options.watch_s * 1000);
    }
}
