#include <stdio.h>

#include "base/number.h"
#include "node/handlers.h"
#include "node/info.h"

static bool group_here(struct rg_call *call, struct rg_group_view *ret_view)
{
    if (member_view(call->node, ret_view))
        return true;
    rg_reply_error(&call->reply, "ERR This node is in no group (group-name is not set)");
    return false;
}

void cmd_group_status(struct rg_call *call)
{
    struct rg_group_view view;
    struct rg_buf text = {0};

    if (!group_here(call, &view))
        return;
    info_group(call->node, &text);
    rg_reply_verbatim(&call->reply, "txt", rg_buf_view(&text));
    rg_buf_fini(&text);
}

/* The index of host:port among the members, or -1. */
static int group_member_named(const struct rg_node *node, struct rg_bytes host, int64_t port)
{
    for (unsigned i = 0; i < node->members.count; i++) {
        if (rg_bytes_is_nocase(host, node->members.peers[i].host) &&
            node->members.peers[i].port == port)
            return (int)i;
    }
    return -1;
}

/* GROUP FAILOVER [TO host port] [TIMEOUT ms] */
void cmd_group_failover(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct rg_group_view view;
    int target = -1;
    int64_t timeout_ms = 5000;
    int64_t port = 0;
    int i = 2;

    if (!group_here(call, &view))
        return;
    while (i < call->argc) {
        if (rg_bytes_is_nocase(call->argv[i], "to") && i + 2 < call->argc) {
            if (!cmd_arg_i64(call, i + 2, &port))
                return;
            target = group_member_named(node, call->argv[i + 1], port);
            if (target < 0) {
                rg_reply_error(&call->reply, "ERR TO names no member of the group");
                return;
            }
            i += 3;
        } else if (rg_bytes_is_nocase(call->argv[i], "timeout") && i + 1 < call->argc) {
            if (!cmd_arg_i64(call, i + 1, &timeout_ms))
                return;
            i += 2;
        } else {
            rg_reply_error(&call->reply, "ERR syntax error");
            return;
        }
    }
    if (timeout_ms <= 0 || timeout_ms > 3600000) {
        rg_reply_error(&call->reply, "ERR FAILOVER timeout must be between 1 and 3600000");
        return;
    }
    int result = member_hand_over(node, target, timeout_ms * RG_MS_US);
    if (result == RG_EEXIST)
        rg_reply_error(&call->reply, "ERR A hand-over is under way already");
    else if (result < 0 && view.role != RG_ROLE_PRIMARY)
        rg_reply_error(&call->reply, "READONLY This node is not the group's primary");
    else if (result < 0)
        rg_reply_error(&call->reply, "ERR No member can take over: it must be connected, healthy, "
                                     "and of a priority above 0");
    else {
        /* Answered at its end, and what the client sent behind it after that. */
        node->members.failover_client = call->conn->id;
        conn_block(node, call->conn, RG_BLOCK_HAND_OVER, RG_NEVER);
    }
    member_drain(node);
}

void cmd_group_recover(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct rg_group_view view;

    if (!group_here(call, &view))
        return;
    if (member_recover(node) < 0) {
        rg_reply_error(&call->reply, "ERR Nothing to recover: a primary is known, or this node has "
                                     "forgotten nothing");
        return;
    }
    node_say(node, RG_LOG_WARNING,
             "GROUP RECOVER: by an operator's word (client %s) the data of "
             "this node counts as all there was",
             call->conn->peer);
    rg_reply_simple(&call->reply, "OK");
    member_drain(node);
}
