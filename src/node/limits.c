#include "node/limits.h"

#include "node/monitor.h"
#include "node/node_impl.h"

static bool limits_over(struct rg_node *node, struct rg_conn *conn)
{
    enum rg_client_class class = conn->subscriptions > 0 ? RG_CLASS_PUBSUB : RG_CLASS_NORMAL;
    const struct rg_config_limit *limit = &node->config->output_limit[class];
    uint64_t used = rg_buf_len(&conn->out) + lend_bytes(conn);

    if (limit->hard_bytes > 0 && used > limit->hard_bytes)
        return true;
    if (limit->soft_bytes == 0 || used <= limit->soft_bytes) {
        conn->over_soft_since_us = 0;
        return false;
    }
    if (conn->over_soft_since_us == 0)
        conn->over_soft_since_us = node->now.mono_us;
    return node->now.mono_us - conn->over_soft_since_us > limit->soft_seconds * RG_S_US;
}

static bool limits_enforce(struct rg_node *node, struct rg_conn *conn)
{
    if (conn->kind != RG_CONN_CLIENT || conn->closing || !limits_over(node, conn))
        return false;
    node_say(node, RG_LOG_WARNING,
             "Client id=%llu addr=%s scheduled to be closed ASAP for overcoming of output buffer "
             "limits.",
             (unsigned long long)conn->id, conn->peer);
    conn_close(node, conn, false);
    return true;
}

void limits_run(struct rg_node *node)
{
    RG_LIST_EACH(link, &node->with_output)
    {
        (void)limits_enforce(node, RG_CONTAINER_OF(link, struct rg_conn, output_link));
    }
}

void limits_cron(struct rg_node *node)
{
    int64_t timeout_us = node->config->timeout * RG_S_US;

    RG_LIST_EACH(link, &node->conns)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, link);
        if (conn->kind != RG_CONN_CLIENT || conn->closing)
            continue;
        if (limits_enforce(node, conn))
            continue;
        if (timeout_us > 0 && conn->subscriptions == 0 && !monitor_is(conn) &&
            conn->block == RG_BLOCK_NONE && node->now.mono_us - conn->active_us > timeout_us) {
            node_say(node, RG_LOG_VERBOSE, "Closing idle client");
            conn_close(node, conn, false);
        }
    }
}
