#ifndef RG_NODE_SENTINEL_H
#define RG_NODE_SENTINEL_H

#include "node/node_impl.h"
#include "sentinel/sentinel.h"

/* A node in sentinel mode: the glue of src/sentinel. All do nothing, or are not called, elsewhere.
 */

void sentinel_new(struct rg_node *node);
void sentinel_fini(struct rg_node *node);
void sentinel_run(struct rg_node *node);
int64_t sentinel_deadline(const struct rg_node *node);
void sentinel_input(struct rg_node *node, struct rg_conn *conn);
void sentinel_connected(struct rg_node *node, struct rg_conn *conn,
                        const struct rg_conn_info *info);
void sentinel_closed(struct rg_node *node, struct rg_conn *conn, enum rg_close_reason reason);
void sentinel_file_done(struct rg_node *node, uint64_t seq, int result);
/* What a sentinel offers of the command table. */
bool sentinel_offers(const struct rg_command *command);
void sentinel_call(struct rg_call *call);
void sentinel_publish(struct rg_call *call);

#endif
