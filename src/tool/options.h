#ifndef RG_TOOL_OPTIONS_H
#define RG_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "tool/target.h"

/* The command lines of the tools. */
struct rg_tool_options {
    struct rg_target target;
    bool has_to;
    struct rg_target to;
    struct rg_login login; /* borrowed from argv, or from REGENT_PASS in the environment */
    bool watch;
    int64_t watch_s;
    bool json;
    int64_t timeout_ms;
};

/* Which of them a tool takes. */
enum { RG_TOOL_TAKES_WATCH = 1, RG_TOOL_TAKES_JSON = 2, RG_TOOL_TAKES_TO = 4 };

/* argv[0] is the subcommand's name, for what it prints on standard error. Errors: RG_EINVAL. */
RG_MUST_USE int rg_tool_options_parse(int argc, char **argv, unsigned takes, const char *usage,
                                      struct rg_tool_options *ret_options);

/* Waits between two looks. */
void rg_tool_sleep_ms(int64_t ms);

#endif
