#ifndef RG_TOOL_TOOL_H
#define RG_TOOL_TOOL_H

/*
 * The subcommands of `regent` that look at or steer a running server from outside. argv begins with
 * the subcommand's own name. They print for a person and return the process' exit status.
 */

enum rg_tool_exit {
    RG_TOOL_OK = 0,
    RG_TOOL_FAILED = 1,     /* could not be reached, or refused; standard error says why */
    RG_TOOL_USAGE = 2,      /* the command line is wrong */
    RG_TOOL_NO_PRIMARY = 3, /* status: it answered, but nobody is primary */
    RG_TOOL_TIMEOUT = 4,    /* failover: no new primary was seen in time; the outcome is open */
};

/* regent status HOST:PORT [--watch [SECONDS]] [--json] [--user U] [--pass P] */
int rg_tool_status(int argc, char **argv);
/* regent failover HOST:PORT [TO_HOST:PORT] [--timeout MS] [--user U] [--pass P] */
int rg_tool_failover(int argc, char **argv);
/* regent check-rdb FILE; also called by the name redis-check-rdb. Exit statuses are 0 and 1. */
int rg_tool_check_rdb(int argc, char **argv);
/* regent check-aof [--fix | --truncate-to-timestamp SECONDS] FILE|MANIFEST; also called by the name
 * redis-check-aof. Exit statuses are 0 and 1. */
int rg_tool_check_aof(int argc, char **argv);
/* regent simulate election FILE.json [--json]: what the rule makes of a list of nodes. */
int rg_tool_simulate(int argc, char **argv);

#endif
