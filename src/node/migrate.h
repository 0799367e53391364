#ifndef RG_NODE_MIGRATE_H
#define RG_NODE_MIGRATE_H

#include "node/node_impl.h"

/*
 * MIGRATE: keys go to another server. The node goes on meanwhile, but for changes: they wait, as in
 * CLIENT PAUSE, so that what arrived there is what is deleted here. One at a time.
 */
struct rg_migrate;
void migrate_free(struct rg_migrate *migrate);
/* The link to the other server (RG_CONN_MIGRATE). */
void migrate_connected(struct rg_node *node, struct rg_conn *conn);
void migrate_input(struct rg_node *node, struct rg_conn *conn);
void migrate_closed(struct rg_node *node, struct rg_conn *conn);
/* Ends what took too long, or is over. */
void migrate_run(struct rg_node *node);
int64_t migrate_deadline(const struct rg_node *node);
/* Commands that add to the log wait, for this or for what node_holds_writes says; the node itself
 * may add to it. */
bool migrate_delays_writes(const struct rg_node *node);
/* This node is no primary any more: what was sent stays there and here. */
void migrate_abort(struct rg_node *node);

#endif
