#ifndef RG_NODE_NOTIFY_H
#define RG_NODE_NOTIFY_H

#include "node/node_impl.h"

/* What becomes of a command's notes (cmd/notes.h). */

/* notify-keyspace-events was set. */
void notify_configure(struct rg_node *node);
/* A command begins: forgets the notes of the last one, and says what is wanted of this one. */
void notify_begin(struct rg_node *node, const struct rg_command *command);
/*
 * It ran, for this client (NULL: none) in this database, and changed something: watches fail,
 * subscribers are told, and keys that somebody waits for become ready (blocked.c).
 */
void notify_end(struct rg_node *node, const struct rg_conn *by, const struct rg_command *command,
                unsigned db, const struct rg_bytes *argv, bool changed);
/* The notes alone, without a command: keys expired. */
void notify_deliver(struct rg_node *node, const struct rg_conn *by);
/* The whole data set is about to be replaced, and was. */
void notify_replace(struct rg_node *node);
void notify_replaced(struct rg_node *node);

#endif
