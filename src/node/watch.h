#ifndef RG_NODE_WATCH_H
#define RG_NODE_WATCH_H

#include "node/node_impl.h"

/* Watched keys; whether a watch has failed stays with its connection until watch_drop. */
struct wanted_key;

/* In the connection's database. */
void watch_add(struct rg_node *node, struct rg_conn *conn, struct rg_bytes key);
/* A watched key changed, or is past its expiry now. */
bool watch_failed(const struct rg_node *node, const struct rg_conn *conn);
/* The key was changed by a command. */
void watch_touch(struct rg_node *node, struct wanted_key *key);
/* Whole databases are about to be emptied or exchanged, */
void watch_mark_existing(struct rg_node *node);
/* and the key's was. */
void watch_replaced(struct rg_node *node, struct wanted_key *key);

#endif
