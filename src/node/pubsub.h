#ifndef RG_NODE_PUBSUB_H
#define RG_NODE_PUBSUB_H

#include "node/node_impl.h"

/* Publish and subscribe; pubsub_publish and pubsub_client_gone stand in node_impl.h. */

/* False where the client had it already. */
bool pubsub_subscribe(struct rg_node *node, struct rg_conn *conn, bool pattern,
                      struct rg_bytes name);
/* False where it had not. */
bool pubsub_unsubscribe(struct rg_node *node, struct rg_conn *conn, bool pattern,
                        struct rg_bytes name);
/* The name of the client's oldest subscription of that kind; false where it has none. */
bool pubsub_any_of(const struct rg_conn *conn, bool pattern, struct rg_buf *ret_name);
uint64_t pubsub_count(const struct rg_node *node, bool patterns);
uint64_t pubsub_subscribers(const struct rg_node *node, struct rg_bytes channel);
/* Channels that match (all, where pattern.data is NULL); visit may be NULL. Returns their number.
 */
uint64_t pubsub_each_channel(const struct rg_node *node, struct rg_bytes pattern,
                             void (*visit)(void *arg, struct rg_bytes channel), void *arg);

#endif
