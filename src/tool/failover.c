#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "io/clock.h"
#include "tool/options.h"
#include "tool/tool.h"
#include "tool/topology.h"

static const char failover_usage[] =
    "regent failover HOST:PORT [TO_HOST:PORT] [--timeout MS] [--user U] [--pass P]";

enum { FAILOVER_POLL_MS = 2, FAILOVER_ASK_MS = 500 };

struct failover {
    struct rg_tool_options options;
    struct rg_topology before;
    int64_t start_us;
    int64_t end_us; /* the deadline */
    struct rg_buf error;
};

static int failover_fail(const char *why, struct rg_buf *error)
{
    struct rg_bytes text = rg_buf_view(error);

    fprintf(stderr, "regent failover: %s%.*s\n", why, (int)text.len, text.data);
    return RG_TOOL_FAILED;
}

static int failover_find_primary(struct failover *failover)
{
    struct rg_topology *before = &failover->before;

    if (rg_topology_fetch(&failover->options.target, &failover->options.login,
                          failover->options.timeout_ms, before, &failover->error) < 0)
        return failover_fail("", &failover->error);
    if (!before->group)
        return failover_fail("that server is in no group; use REPLICAOF to rearrange replicas",
                             &failover->error);
    if (before->primary < 0)
        return failover_fail("the group has no primary to hand over from", &failover->error);
    if (failover->options.has_to) {
        const struct rg_target *primary = &before->nodes[before->primary].target;
        if (strcmp(failover->options.to.host, primary->host) == 0 &&
            failover->options.to.port == primary->port)
            return failover_fail("that node is the primary already", &failover->error);
    }
    return RG_TOOL_OK;
}

static int failover_command(struct failover *failover)
{
    const struct rg_target *primary = &failover->before.nodes[failover->before.primary].target;
    struct rg_client client;
    struct rg_bytes argv[7] = {RG_BYTES("GROUP"), RG_BYTES("FAILOVER")};
    char to_port[RG_I64_CHARS];
    char timeout[RG_I64_CHARS];
    int argc = 2;
    int result =
        rg_client_open(&client, primary, &failover->options.login, failover->options.timeout_ms);

    if (failover->options.has_to) {
        argv[argc++] = RG_BYTES("TO");
        argv[argc++] = rg_bytes_str(failover->options.to.host);
        argv[argc++] = rg_bytes(to_port, rg_format_u64(to_port, failover->options.to.port));
    }
    argv[argc++] = RG_BYTES("TIMEOUT");
    argv[argc++] = rg_bytes(timeout, rg_format_i64(timeout, failover->options.timeout_ms));
    failover->start_us = rg_clock_now().mono_us;
    failover->end_us = failover->start_us + failover->options.timeout_ms * RG_MS_US;
    if (result == 0)
        result = rg_client_call(&client, argv, argc);
    if (result < 0) {
        char address[RG_TARGET_CHARS];
        rg_target_format(primary, address);
        rg_buf_printf(&failover->error, "%s: %s", address, client.error);
    }
    rg_client_close(&client);
    return result < 0 ? failover_fail("", &failover->error) : RG_TOOL_OK;
}

/* True when the node at index says that it is primary, in a later term. */
static bool failover_took_over(struct failover *failover, struct rg_client *client,
                               int64_t *ret_term)
{
    struct rg_bytes role;

    if (client->fd < 0 || RG_CLIENT_CALL(client, RG_BYTES("INFO"), RG_BYTES("group")) < 0)
        return false;
    struct rg_bytes info = client->frames[0].bytes;
    int64_t term = rg_info_number(info, "group_term", -1);
    if (!rg_info_find(info, "group_role", &role) || !rg_bytes_is(role, "primary") ||
        term <= failover->before.term)
        return false;
    *ret_term = term;
    return true;
}

/* Asks all members but the old primary in turn, until one took over. */
static int failover_wait(struct failover *failover)
{
    struct rg_client clients[RG_TOPOLOGY_MAX];
    int count = failover->before.count;
    int winner = -1;
    int64_t term = 0;

    for (int i = 0; i < count; i++) {
        clients[i] = (struct rg_client){.fd = -1};
        if (i != failover->before.primary)
            (void)!rg_client_open(&clients[i], &failover->before.nodes[i].target,
                                  &failover->options.login, FAILOVER_ASK_MS);
    }
    while (winner < 0 && rg_clock_now().mono_us < failover->end_us) {
        for (int i = 0; i < count && winner < 0; i++) {
            if (failover_took_over(failover, &clients[i], &term))
                winner = i;
        }
        if (winner < 0)
            rg_tool_sleep_ms(FAILOVER_POLL_MS);
    }
    int64_t took_us = rg_clock_now().mono_us - failover->start_us;
    for (int i = 0; i < count; i++)
        rg_client_close(&clients[i]);
    if (winner < 0) {
        fprintf(stderr,
                "regent failover: no new primary was seen within %lld ms; regent status shows "
                "what became of it\n",
                (long long)failover->options.timeout_ms);
        return RG_TOOL_TIMEOUT;
    }
    char from[RG_TARGET_CHARS];
    char to[RG_TARGET_CHARS];
    rg_target_format(&failover->before.nodes[failover->before.primary].target, from);
    rg_target_format(&failover->before.nodes[winner].target, to);
    printf("%s handed over to %s in %lld.%lld ms (term %lld)\n", from, to,
           (long long)(took_us / 1000), (long long)(took_us % 1000 / 100), (long long)term);
    return RG_TOOL_OK;
}

int rg_tool_failover(int argc, char **argv)
{
    struct failover failover = {0};

    if (rg_tool_options_parse(argc, argv, RG_TOOL_TAKES_TO, failover_usage, &failover.options) < 0)
        return RG_TOOL_USAGE;
    int status = failover_find_primary(&failover);
    if (status == RG_TOOL_OK)
        status = failover_command(&failover);
    if (status == RG_TOOL_OK)
        status = failover_wait(&failover);
    rg_buf_fini(&failover.error);
    return status;
}
