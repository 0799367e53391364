#ifndef RG_NODE_MULTI_H
#define RG_NODE_MULTI_H

#include "node/node_impl.h"

/* Transactions: what MULTI queues and EXEC runs. conn->multi is not NULL between the two. */

/* Whether the call is one that a transaction of its connection queues. */
bool multi_queues(const struct rg_call *call);
/* Queues it, and replies. */
void multi_queue(struct rg_call *call);
/* A command was refused: EXEC will run nothing. */
void multi_spoil(struct rg_conn *conn);
/* Forgets the transaction and the watched keys. */
void multi_discard(struct rg_node *node, struct rg_conn *conn);
/* Flags of the call's command as the checks see them: EXEC is all that it will run. */
uint32_t multi_flags(const struct rg_call *call);
/* Whether it, or what EXEC runs, may reach the log though its flags do not say so. */
bool multi_logs(const struct rg_call *call);
/* Commands queued; -1 outside a transaction. */
int64_t multi_count(const struct rg_conn *conn);
size_t multi_memory(const struct rg_conn *conn);
void multi_free(struct rg_multi *multi);

#endif
