#ifndef RG_NODE_PUBSUB_H
#define RG_NODE_PUBSUB_H

#include "node/node_impl.h"

/* Publish and subscribe. */

struct rg_pubsub *pubsub_new(void);
void pubsub_free(struct rg_pubsub *pubsub);
/* Returns how many clients got it. */
uint64_t pubsub_publish(struct rg_node *node, struct rg_bytes channel, struct rg_bytes message);
void pubsub_client_gone(struct rg_node *node, struct rg_conn *conn);

/* What a subscription is to. Shard channels have names of their own, and no patterns. */
enum pubsub_kind { PUBSUB_CHANNEL, PUBSUB_PATTERN, PUBSUB_SHARD, PUBSUB_KINDS };

/* False where the client had it already. */
bool pubsub_subscribe(struct rg_node *node, struct rg_conn *conn, enum pubsub_kind kind,
                      struct rg_bytes name);
/* False where it had not. */
bool pubsub_unsubscribe(struct rg_node *node, struct rg_conn *conn, enum pubsub_kind kind,
                        struct rg_bytes name);
/* The name of the client's oldest subscription of that kind; false where it has none. */
bool pubsub_any_of(const struct rg_conn *conn, enum pubsub_kind kind, struct rg_buf *ret_name);
/* How many topics of that kind have subscribers. */
uint64_t pubsub_count(const struct rg_node *node, enum pubsub_kind kind);
uint64_t pubsub_subscribers(const struct rg_node *node, enum pubsub_kind kind,
                            struct rg_bytes channel);
/* To a shard channel. Returns how many clients got it. */
uint64_t pubsub_publish_shard(struct rg_node *node, struct rg_bytes channel,
                              struct rg_bytes message);
/* Channels of that kind that match (all, where pattern.data is NULL); visit may be NULL. Returns
 * their number. */
uint64_t pubsub_each_channel(const struct rg_node *node, enum pubsub_kind kind,
                             struct rg_bytes pattern,
                             void (*visit)(void *arg, struct rg_bytes channel), void *arg);

#endif
