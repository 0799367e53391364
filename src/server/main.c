#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/serve.h"
#include "tool/tool.h"

static void main_help(FILE *out)
{
    (void)fputs(
        "Regent " RG_VERSION ", a Redis-compatible in-memory data store\n"
        "\n"
        "Usage:\n"
        "  regent server [CONF] [--directive value ...]  run a server\n"
        "  regent sentinel CONF [--directive value ...]  watch primaries, and replace what dies\n"
        "  regent status HOST:PORT [--watch] [--json]    show a group's members\n"
        "  regent failover HOST:PORT [TO]                hand the primary's role over\n"
        "  regent check-rdb FILE                         say whether a snapshot is whole\n"
        "  regent check-aof [--fix] MANIFEST|FILE        the same of the AOF; or mend it\n"
        "  regent simulate election FILE [--json]         say which node of a list is master\n"
        "  regent --version                              print the version\n"
        "  regent help                                   print this\n"
        "\n"
        "Called by the name redis-server, redis-sentinel, redis-check-rdb or redis-check-aof, it\n"
        "behaves as 'regent server', 'regent sentinel' and so on.\n",
        out);
}

static const char *main_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static bool main_is(const char *arg, const char *a, const char *b)
{
    return strcmp(arg, a) == 0 || strcmp(arg, b) == 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 0 ? main_base_name(argv[0]) : "regent";

    if (strcmp(name, "redis-server") == 0)
        return rg_serve(argc - 1, argv + 1, argv[0], false);
    if (strcmp(name, "redis-sentinel") == 0)
        return rg_serve(argc - 1, argv + 1, argv[0], true);
    if (strcmp(name, "redis-check-rdb") == 0)
        return rg_tool_check_rdb(argc, argv);
    if (strcmp(name, "redis-check-aof") == 0)
        return rg_tool_check_aof(argc, argv);
    if (argc < 2) {
        main_help(stderr);
        return EXIT_FAILURE;
    }
    if (strcmp(argv[1], "server") == 0)
        return rg_serve(argc - 2, argv + 2, argv[0], false);
    if (strcmp(argv[1], "sentinel") == 0)
        return rg_serve(argc - 2, argv + 2, argv[0], true);
    if (strcmp(argv[1], "status") == 0)
        return rg_tool_status(argc - 1, argv + 1);
    if (strcmp(argv[1], "failover") == 0)
        return rg_tool_failover(argc - 1, argv + 1);
    if (strcmp(argv[1], "check-rdb") == 0)
        return rg_tool_check_rdb(argc - 1, argv + 1);
    if (strcmp(argv[1], "check-aof") == 0)
        return rg_tool_check_aof(argc - 1, argv + 1);
    if (strcmp(argv[1], "simulate") == 0)
        return rg_tool_simulate(argc - 1, argv + 1);
    if (main_is(argv[1], "--version", "-v")) {
        (void)puts("Regent " RG_VERSION " (compatible with Redis 7.0.15)");
        return EXIT_SUCCESS;
    }
    if (main_is(argv[1], "help", "--help") || strcmp(argv[1], "-h") == 0) {
        main_help(stdout);
        return EXIT_SUCCESS;
    }
    (void)fprintf(stderr, "regent: unknown command '%s'\n\n", argv[1]);
    main_help(stderr);
    return EXIT_FAILURE;
}
