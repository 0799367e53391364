#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "tool/node_table.h"
#include "tool/tool.h"

enum { SIMULATE_PIECE_BYTES = 1 << 16, SIMULATE_MAX_BYTES = 64 << 20 };

static int simulate_usage(void)
{
    (void)fputs("usage: regent simulate election FILE.json [--json]\n", stderr);
    return RG_TOOL_USAGE;
}

/* All of the file; "-" is standard input. Errors: RG_EIO, and it was said. */
static int simulate_read(const char *name, struct rg_buf *out)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    size_t n = file == NULL ? 0 : 1;

    while (n > 0 && rg_buf_len(out) <= SIMULATE_MAX_BYTES) {
        n = fread(rg_buf_reserve(out, SIMULATE_PIECE_BYTES), 1, SIMULATE_PIECE_BYTES, file);
        rg_buf_commit(out, n);
    }
    bool failed = file == NULL || ferror(file) != 0;
    if (failed)
        (void)fprintf(stderr, "simulate: cannot read %s: %s\n", name, strerrordesc_np(errno));
    else if (n > 0)
        (void)fprintf(stderr, "simulate: %s is larger than %d bytes\n", name, SIMULATE_MAX_BYTES);
    if (file != NULL && file != stdin)
        (void)fclose(file);
    return failed || n > 0 ? RG_EIO : 0;
}

static void simulate_say(struct rg_buf *out, enum rg_election_outcome outcome,
                         const struct rg_table_node *master)
{
    long long id = (long long)master->id;

    if (outcome == RG_ELECTION_KEPT)
        rg_buf_printf(out, "node %lld is the only master and stays it\n", id);
    else if (outcome == RG_ELECTION_CHOSEN)
        rg_buf_printf(out, "no node is a master: %lld has the lowest id and becomes it\n", id);
    else
        rg_buf_printf(out,
                      "several nodes are masters: %lld has the lowest id of them and stays it, the "
                      "others become its slaves\n",
                      id);
}

static void simulate_print(struct rg_node_table *table, bool json)
{
    struct rg_buf out = {0};
    size_t master;

    enum rg_election_outcome outcome = rg_node_table_elect(table, &master);
    if (json) {
        rg_node_table_json(&out, table);
    } else {
        simulate_say(&out, outcome, &table->nodes[master]);
        rg_node_table_print(&out, table);
    }
    (void)fwrite(rg_buf_view(&out).data, 1, rg_buf_len(&out), stdout);
    rg_buf_fini(&out);
}

static int simulate_election(const char *name, bool json)
{
    struct rg_buf text = {0};
    struct rg_buf error = {0};
    struct rg_node_table table = {0};

    int result = simulate_read(name, &text);
    if (result == 0) {
        result = rg_node_table_parse(rg_buf_view(&text).data, rg_buf_len(&text), &table, &error);
        if (result < 0)
            (void)fprintf(stderr, "simulate: %s: %.*s\n", name, (int)rg_buf_len(&error),
                          rg_buf_view(&error).data);
    }
    if (result == 0)
        simulate_print(&table, json);
    rg_node_table_fini(&table);
    rg_buf_fini(&error);
    rg_buf_fini(&text);
    return result == 0 ? RG_TOOL_OK : RG_TOOL_FAILED;
}

int rg_tool_simulate(int argc, char **argv)
{
    const char *file = NULL;
    bool json = false;

    if (argc < 2 || strcmp(argv[1], "election") != 0)
        return simulate_usage();
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (file == NULL && (argv[i][0] != '-' || argv[i][1] == '\0'))
            file = argv[i];
        else
            return simulate_usage();
    }
    return file == NULL ? simulate_usage() : simulate_election(file, json);
}
