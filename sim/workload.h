#ifndef RG_SIM_WORKLOAD_H
#define RG_SIM_WORKLOAD_H

#include "proto/resp.h"
#include "sim/client.h"

/*
 * The commands that clients say, and what their answers mean. Writes to registers carry values that
 * occur once ("v17"); the other commands only stir the keyspace, so that the digests have something
 * to compare.
 */
/* A read, a write, an increment, or something else; op and request are filled. */
void sim_workload_draw(struct sim_workload *load, struct sim_op *op, struct rg_buf *request);
void sim_workload_read(struct sim_workload *load, unsigned target, struct sim_op *op,
                       struct rg_buf *request);
void sim_workload_replica_read(struct sim_workload *load, struct sim_op *op,
                               struct rg_buf *request);
/* False: an answer that op cannot have. */
bool sim_workload_value(const struct sim_op *op, const struct rg_frame *frame, int64_t *ret_value);
/* An error that says: ask another node. */
bool sim_workload_is_refusal(struct rg_bytes error);

#endif
