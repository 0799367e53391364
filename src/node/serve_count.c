#include "node/serve_count.h"
#include "node/aof.h"

/* How many replicas hold how much of the log. */

static bool serve_online(const struct rg_conn *conn)
{
    return conn->kind == RG_CONN_REPLICA && !conn->closing && conn->serve->state == RG_SERVE_ONLINE;
}

bool serve_wants_disk(const struct rg_node *node)
{
    return node->config->replication_durability == RG_DURABILITY_DISK;
}

uint64_t serve_held(const struct rg_node *node, const struct rg_serve *serve)
{
    return serve_wants_disk(node) ? serve->synced : serve->acked;
}

unsigned serve_count_acked(const struct rg_node *node, uint64_t offset)
{
    unsigned count = 0;

    if (node->replicas == 0)
        return 0;
    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        count += serve_online(conn) && conn->serve->acked >= offset;
    }
    return count;
}

unsigned serve_count_synced(const struct rg_node *node, uint64_t offset)
{
    unsigned count = 0;

    if (node->replicas == 0)
        return 0;
    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        count += serve_online(conn) && conn->serve->synced >= offset;
    }
    return count;
}

unsigned serve_count_lagging(const struct rg_node *node)
{
    unsigned count = 0;

    if (node->replicas == 0)
        return 0;
    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        count += serve_online(conn) && conn->serve->acked < node_log_end(node);
    }
    return count;
}

unsigned serve_count_good(const struct rg_node *node)
{
    unsigned count = 0;
    int64_t max_us = node->config->min_replicas_max_lag * RG_S_US;

    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        count += serve_online(conn) && node->now.mono_us - conn->serve->last_ack_us <= max_us;
    }
    return count;
}

uint64_t serve_released(const struct rg_node *node, enum rg_mode mode)
{
    enum { MAX_ENDS = 256 };
    uint64_t ends[MAX_ENDS] = {aof_held(node)};
    unsigned n = 1;
    unsigned copies = 0;

    /* A plain replica's readers see what it has; only its primary knows more. */
    if (mode == RG_MODE_ASYNC || !node_is_primary(node))
        return UINT64_MAX;
    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (n < MAX_ENDS && serve_online(conn))
            ends[n++] = serve_held(node, conn->serve);
    }
    /* Without a replica there is nobody to confirm: never a silent fall-back to async. */
    copies = rg_mode_copies(mode, n < 2 ? 2 : n);
    return rg_commit_offset(ends, n, copies);
}
