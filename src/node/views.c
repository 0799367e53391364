#include "node/node_impl.h"

/* What the simulator, tests and tools are shown of a node. */

/* A member that loads its files does not know its log's name yet. */
static const char *node_any_replid(const struct rg_node *node)
{
    return node->history.count > 0 ? feed_replid(node) : "";
}

void rg_node_view(const struct rg_node *node, struct rg_time now, struct rg_node_view *ret_view)
{
    const struct rg_history_term *at = rg_history_at(&node->history, node_log_end(node));

    (void)now;
    *ret_view = (struct rg_node_view){
        .primary = node_is_primary(node),
        .in_group = node->members.group != NULL,
        .log_end = node_log_end(node),
        .log_term = at != NULL ? at->term : 0,
        .log_start = rg_backlog_start(node->backlog),
        .replid = at != NULL ? at->replid : node_any_replid(node),
    };
}

bool rg_node_group_view(const struct rg_node *node, struct rg_time now,
                        struct rg_group_view *ret_view)
{
    if (node->members.group == NULL)
        return false;
    rg_group_view(node->members.group, now.mono_us, ret_view);
    return true;
}

void rg_node_digest(struct rg_node *node, char ret_hex[41])
{
    rg_store_digest(node->store, ret_hex);
}

struct rg_bytes rg_node_log_read(const struct rg_node *node, uint64_t offset)
{
    if (offset < rg_backlog_start(node->backlog) || offset > node_log_end(node))
        return rg_bytes("", 0);
    return rg_backlog_read(node->backlog, offset);
}
