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
/* Of any register. */
void sim_workload_primary_read(struct sim_workload *load, struct sim_op *op,
                               struct rg_buf *request);
void sim_workload_replica_read(struct sim_workload *load, struct sim_op *op,
                               struct rg_buf *request);
/* A whole answer: its first frame, and the next two of an answer that holds answers. */
struct sim_answer {
    struct rg_frame head;
    struct rg_frame items[2];
};
/* Errors: RG_EAGAIN, RG_EPROTO. */
RG_MUST_USE int sim_workload_answer(struct rg_bytes input, size_t *ret_used,
                                    struct sim_answer *ret_answer);
/* False: an answer that op cannot have. */
bool sim_workload_value(const struct sim_op *op, const struct sim_answer *answer,
                        int64_t *ret_value);
/* The answer shows one of two keys that are only changed together as the other one is not. */
bool sim_workload_torn(const struct sim_op *op, const struct sim_answer *answer);
/* An error that says: ask another node. */
bool sim_workload_is_refusal(struct rg_bytes error);

#endif
