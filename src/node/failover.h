#ifndef RG_NODE_FAILOVER_H
#define RG_NODE_FAILOVER_H

#include "node/node_impl.h"

/*
 * FAILOVER outside groups: a primary and one of its replicas change places, with Redis' protocol
 * for it (PSYNC … FAILOVER), so that either may be a redis-server. In a group GROUP FAILOVER does
 * it.
 */
struct rg_failover;
void failover_free(struct rg_failover *failover);
/* Goes on when the replica has all, or the time is up. */
void failover_run(struct rg_node *node);
int64_t failover_deadline(const struct rg_node *node);
/* This node follows the chosen one already, and asks it to take over. */
bool failover_turning(const struct rg_node *node);
/* The answer to that: it leads now, or it refused, and this node is the primary again. */
void failover_taken(struct rg_node *node);
void failover_refused(struct rg_node *node);
/* As INFO names where it stands. */
const char *failover_state_name(const struct rg_node *node);

/* The role outside groups (cmd_replication.c). */
/* A replica becomes a primary; fellow replicas can go on from here by partial resync. */
void replication_promote(struct rg_node *node, const char *why);
/* The node becomes a replica, or one of another primary. */
void replication_follow(struct rg_node *node, const char *host, uint16_t port);

#endif
