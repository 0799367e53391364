#include "sim/history.h"

#include "base/alloc.h"
#include "base/panic.h"

void sim_history_fini(struct sim_history *history)
{
    if (history != NULL)
        rg_free(history->ops);
}

size_t sim_history_begin(struct sim_history *history, const struct sim_op *op, int64_t now_us)
{
    if (history->count == history->cap) {
        history->cap = history->cap ? history->cap * 2 : 256;
        history->ops = rg_realloc(history->ops, history->cap * sizeof(struct sim_op));
    }
    struct sim_op *added = &history->ops[history->count];
    *added = *op;
    added->outcome = SIM_PENDING;
    added->began = ++history->moment;
    added->began_us = now_us;
    added->ended = UINT64_MAX;
    return history->count++;
}

void sim_history_end(struct sim_history *history, size_t number, enum sim_outcome outcome,
                     int64_t value, int64_t now_us)
{
    RG_ASSERT(number < history->count && history->ops[number].outcome == SIM_PENDING);
    struct sim_op *op = &history->ops[number];
    bool writes = op->kind == SIM_OP_WRITE || op->kind == SIM_OP_INCR;

    op->outcome = outcome;
    if (op->kind != SIM_OP_WRITE)
        op->value = value;
    if (outcome == SIM_OK)
        op->ended = ++history->moment;
    history->unknown += outcome == SIM_UNKNOWN;
    history->reads += outcome == SIM_OK && !writes;
    if (writes && outcome == SIM_OK) {
        history->acked_writes++;
        history->last_write_us = now_us;
    }
}
