#ifndef RG_NODE_SPOOL_H
#define RG_NODE_SPOOL_H

#include "node/node_impl.h"

/*
 * Replicas that take a snapshot behind its length only, which is not known before its end: it goes
 * to a file of its own on disk, and from there to them. Private to serve.c, snapshot.c and node.c.
 */

/* The replica, which has a share of a snapshot at its beginning, takes it that way from here on. */
void spool_join(struct rg_node *node, struct rg_conn *conn);
/* Writes, asks for what is to be sent, and removes what nobody wants any more. */
void spool_run(struct rg_node *node);
/* When to go on with it. */
int64_t spool_deadline(const struct rg_node *node);
void spool_file_done(struct rg_node *node, uint64_t attempt, int result);
void spool_file_read(struct rg_node *node, uint64_t client, int result, struct rg_bytes bytes);
/* What can be sent to it. Lent until the next call. */
struct rg_bytes spool_output(const struct rg_conn *conn);
/* True: it has all of it. */
bool spool_sent(struct rg_conn *conn, size_t n);
/* The node goes; so do the files, but only where effects are still carried out. */
void spool_free_all(struct rg_node *node);

#endif
