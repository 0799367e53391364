#include "sim/workload.h"

#include <stdio.h>

#include "base/number.h"
#include "sim/forms.h"

/* ---- Registers and counters ---- */

static bool workload_in_hash(unsigned target)
{
    return target >= SIM_REGISTERS - SIM_HASH_REGISTERS;
}

void sim_workload_read(struct sim_workload *load, unsigned target, struct sim_op *op,
                       struct rg_buf *request)
{
    char name[16];

    (void)load;
    op->kind = SIM_OP_READ;
    op->target = target;
    op->value = SIM_NO_VALUE;
    (void)snprintf(name, sizeof(name), "r%u", target);
    if (workload_in_hash(target))
        rg_request_write_strs(request, "HGET", "registers", name, NULL);
    else
        rg_request_write_strs(request, "GET", name, NULL);
}

static unsigned workload_register(struct sim_workload *load)
{
    return (unsigned)rg_rand_below(&load->loop->rand, load->registers);
}

void sim_workload_primary_read(struct sim_workload *load, struct sim_op *op, struct rg_buf *request)
{
    sim_workload_read(load, workload_register(load), op, request);
}

void sim_workload_replica_read(struct sim_workload *load, struct sim_op *op, struct rg_buf *request)
{
    sim_workload_read(load, workload_register(load), op, request);
    op->kind = SIM_OP_REPLICA_READ;
}

static void workload_write(struct sim_workload *load, struct sim_op *op, struct rg_buf *request)
{
    char name[16];
    char value[24];

    op->kind = SIM_OP_WRITE;
    op->target = workload_register(load);
    op->value = load->history.next_value++;
    (void)snprintf(name, sizeof(name), "r%u", op->target);
    (void)snprintf(value, sizeof(value), "v%lld", (long long)op->value);
    if (workload_in_hash(op->target))
        rg_request_write_strs(request, "HSET", "registers", name, value, NULL);
    else
        rg_request_write_strs(request, "SET", name, value, NULL);
}

static void workload_incr(struct sim_workload *load, struct sim_op *op, struct rg_buf *request)
{
    char name[16];

    op->kind = SIM_OP_INCR;
    op->target = (unsigned)rg_rand_below(&load->loop->rand, SIM_COUNTERS);
    (void)snprintf(name, sizeof(name), "counter%u", op->target);
    rg_request_write_strs(request, "INCR", name, NULL);
}

static void workload_other(struct sim_workload *load, struct sim_op *op, struct rg_buf *request)
{
    op->kind = SIM_OP_OTHER;
    sim_form_draw(load->loop, request);
}

void sim_workload_draw(struct sim_workload *load, struct sim_op *op, struct rg_buf *request)
{
    if (sim_chance(load->loop, load->others))
        workload_other(load, op, request);
    else if (sim_chance(load->loop, load->reads))
        sim_workload_read(load, workload_register(load), op, request);
    else if (sim_chance(load->loop, 0.15))
        workload_incr(load, op, request);
    else
        workload_write(load, op, request);
}

/* ---- Answers ---- */

bool sim_workload_value(const struct sim_op *op, const struct rg_frame *frame, int64_t *ret_value)
{
    *ret_value = op->value;
    switch (op->kind) {
    case SIM_OP_WRITE:
        return frame->type == RG_FRAME_SIMPLE || frame->type == RG_FRAME_INTEGER;
    case SIM_OP_INCR:
        *ret_value = frame->integer;
        return frame->type == RG_FRAME_INTEGER;
    case SIM_OP_READ:
    case SIM_OP_REPLICA_READ:
        *ret_value = SIM_NO_VALUE;
        if (frame->type == RG_FRAME_NULL)
            return true;
        return frame->type == RG_FRAME_BULK && frame->bytes.len > 1 &&
               rg_parse_i64(rg_bytes(frame->bytes.data + 1, frame->bytes.len - 1), ret_value) == 0;
    case SIM_OP_OTHER:
        return true;
    }
    return false;
}

bool sim_workload_is_refusal(struct rg_bytes error)
{
    return rg_bytes_starts_with(error, RG_BYTES("READONLY")) ||
           rg_bytes_starts_with(error, RG_BYTES("MASTERDOWN")) ||
           rg_bytes_starts_with(error, RG_BYTES("NOREPLICAS")) ||
           rg_bytes_starts_with(error, RG_BYTES("UNCERTAIN")) ||
           rg_bytes_starts_with(error, RG_BYTES("LOADING"));
}
