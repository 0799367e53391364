#ifndef RG_NODE_BLOCKED_H
#define RG_NODE_BLOCKED_H

#include "node/node_impl.h"

/* Clients that wait for keys: BLPOP and its like. */
struct wanted_key;

/* The command of the call found nothing and waits. */
void blocked_begin(struct rg_call *call, const struct rg_cmd_wait *wait);
/* The key changed: its clients are tried at the next blocked_serve. */
void blocked_ready(struct rg_node *node, struct wanted_key *key);
/* After a command or a transaction, never in its middle. */
void blocked_serve(struct rg_node *node);
/* Ends waits whose time is over. */
void blocked_time(struct rg_node *node);
int64_t blocked_deadline(const struct rg_node *node);
/* The client is answered as if its time were over, or with an error; it goes on. */
void blocked_release(struct rg_node *node, struct rg_conn *conn, const char *error);
/* Forgets what the connection waits for; it gets no answer. */
void blocked_drop(struct rg_node *node, struct rg_conn *conn);
/* When its wait ends; RG_NEVER. */
int64_t blocked_until(const struct rg_conn *conn);
/* Bytes that its wait keeps. */
size_t blocked_memory(const struct rg_conn *conn);

#endif
