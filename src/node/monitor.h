#ifndef RG_NODE_MONITOR_H
#define RG_NODE_MONITOR_H

#include "node/node_impl.h"

/* MONITOR: connections that are sent every command that is run. */

/* Nobody looks on: nothing is to be done. */
static inline bool monitor_on(const struct rg_node *node)
{
    return !rg_list_empty(&node->monitors);
}
static inline bool monitor_is(const struct rg_conn *conn)
{
    return !rg_list_empty(&conn->monitor_link);
}
/* A command of this connection was run; db is the one that it has selected by now. */
void monitor_feed(struct rg_node *node, const struct rg_conn *conn, unsigned db,
                  const struct rg_command *command, const struct rg_bytes *argv, int argc);

#endif
