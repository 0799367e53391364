#include <stdio.h>

#include "base/alloc.h"
#include "base/number.h"
#include "node/failover.h"
#include "node/handlers.h"
#include "node/own_keys.h"
#include "node/sentinel.h"
#include "node/serve_count.h"

void replication_promote(struct rg_node *node, const char *why)
{
    rg_free(node->config->replicaof_host);
    node->config->replicaof_host = rg_alloc_copy("", 0);
    if (!node->follow.active)
        return;
    follow_stop(node);
    own_keys_forget(node);
    /* The log goes on under a name of its own; what was before stays known, so that the
     * fellow replicas can go on from here without the RDB. */
    feed_new_replid(node, 0);
    serve_drop_all(node, "this node is a primary now, with a replication id of its own");
    node_say(node, RG_LOG_NOTICE, "MASTER MODE enabled (%s)", why);
}

void replication_follow(struct rg_node *node, const char *host, uint16_t port)
{
    struct rg_config *config = node->config;
    char *copy = rg_alloc_copy(host, strlen(host)); /* host may be the one that is freed */

    rg_free(config->replicaof_host);
    config->replicaof_host = copy;
    config->replicaof_port = port;
    gate_fail_all(node);
    session_unblock_all(node);
    follow_start(node, copy, port, -1, 0);
}

void cmd_replicaof(struct rg_call *call)
{
    struct rg_node *node = call->node;
    char why[CONN_ADDRESS_CHARS + 32];
    int64_t port = 0;

    if (node->members.group != NULL) {
        rg_reply_error(&call->reply, "ERR REPLICAOF not allowed in a group: the group elects its "
                                     "primary. Use GROUP FAILOVER");
        return;
    }
    if (node->failover != NULL) {
        rg_reply_error(&call->reply, "ERR REPLICAOF not allowed while failing over.");
        return;
    }
    if (rg_bytes_is_nocase(call->argv[1], "no") && rg_bytes_is_nocase(call->argv[2], "one")) {
        (void)snprintf(why, sizeof(why), "user request from '%s'", call->conn->peer);
        replication_promote(node, why);
        rg_reply_simple(&call->reply, "OK");
        return;
    }
    if (rg_parse_i64(call->argv[2], &port) < 0 || port < 0 || port > 65535) {
        rg_reply_error(&call->reply, "ERR Invalid master port");
        return;
    }
    if (node->follow.active && rg_bytes_is_nocase(call->argv[1], node->follow.host) &&
        node->follow.port == port) {
        rg_reply_simple(&call->reply, "OK Already connected to specified master");
        return;
    }
    feed_unit(node); /* what a transaction wrote before belongs to the log of this primary */
    char *host = rg_alloc_copy(call->argv[1].data, call->argv[1].len);
    serve_drop_all(node, "this node follows another primary now");
    node_say(node, RG_LOG_NOTICE, "REPLICAOF %s:%lld enabled (user request from '%s')", host,
             (long long)port, call->conn->peer);
    replication_follow(node, host, (uint16_t)port);
    rg_free(host);
    rg_reply_simple(&call->reply, "OK");
}

static void replication_role_primary(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct rg_reply *reply = &call->reply;
    unsigned online = serve_count_acked(node, 0);
    char text[32];

    rg_reply_array(reply, 3);
    rg_reply_bulk_str(reply, "master");
    rg_reply_i64(reply, (int64_t)node_log_end(node));
    rg_reply_array(reply, online);
    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (conn->kind != RG_CONN_REPLICA || conn->closing || conn->serve->state != RG_SERVE_ONLINE)
            continue;
        rg_reply_array(reply, 3);
        rg_reply_bulk_str(reply, conn->serve->ip ? conn->serve->ip : conn->peer_host);
        (void)snprintf(text, sizeof(text), "%lld", (long long)conn->serve->listening_port);
        rg_reply_bulk_str(reply, text);
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)conn->serve->acked);
        rg_reply_bulk_str(reply, text);
    }
}

static const char *replication_state_name(const struct rg_node *node)
{
    switch (node->follow.state) {
    case RG_FOLLOW_IDLE:
        return "connect";
    case RG_FOLLOW_CONNECTING:
        return "connecting";
    case RG_FOLLOW_HANDSHAKE:
    case RG_FOLLOW_ANSWER:
        return "handshake";
    case RG_FOLLOW_TRANSFER:
    case RG_FOLLOW_SAVING:
        return "sync";
    case RG_FOLLOW_STREAM:
        return "connected";
    }
    return "none";
}

void cmd_role(struct rg_call *call)
{
    const struct rg_node *node = call->node;
    struct rg_reply *reply = &call->reply;

    if (node->sentinel != NULL) {
        rg_sentinel_role(node->sentinel, reply);
        return;
    }
    if (node_is_primary(node)) {
        replication_role_primary(call);
        return;
    }
    rg_reply_array(reply, 5);
    rg_reply_bulk_str(reply, "slave");
    rg_reply_bulk_str(reply, node->follow.host ? node->follow.host : "");
    rg_reply_i64(reply, node->follow.active ? node->follow.port : 0);
    rg_reply_bulk_str(reply, node->follow.active ? replication_state_name(node) : "none");
    rg_reply_i64(reply, follow_link_up(node) ? (int64_t)node_log_end(node) : -1);
}
