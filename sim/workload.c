#include "sim/workload.h"

#include <stdio.h>

#include "base/number.h"
#include "sim/forms.h"

/* ---- Registers and counters ---- */

static bool workload_in_hash(unsigned target)
{
    return target >= SIM_REGISTERS - SIM_HASH_REGISTERS;
}

static bool workload_is_paired(unsigned target)
{
    return !workload_in_hash(target) &&
           target >= SIM_REGISTERS - SIM_HASH_REGISTERS - SIM_PAIRED_REGISTERS;
}

static bool workload_is_pair_read(const struct sim_op *op)
{
    return (op->kind == SIM_OP_READ || op->kind == SIM_OP_REPLICA_READ) &&
           workload_is_paired(op->target);
}

void sim_workload_read(struct sim_workload *load, unsigned target, struct sim_op *op,
                       struct rg_buf *request)
{
    char name[16];
    char twin[16];

    (void)load;
    op->kind = SIM_OP_READ;
    op->target = target;
    op->value = SIM_NO_VALUE;
    (void)snprintf(name, sizeof(name), "r%u", target);
    (void)snprintf(twin, sizeof(twin), "twin%u", target);
    if (workload_is_paired(target))
        rg_request_write_strs(request, "MGET", name, twin, NULL);
    else if (workload_in_hash(target))
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

/* The twin's value is another text: a value occurs once in a log. */
static void workload_write_pair(struct sim_op *op, const char *name, const char *value,
                                struct rg_buf *request)
{
    char twin[16];
    char twin_value[24];

    (void)snprintf(twin, sizeof(twin), "twin%u", op->target);
    (void)snprintf(twin_value, sizeof(twin_value), "w%lld", (long long)op->value);
    rg_request_write_strs(request, "MULTI", NULL);
    rg_request_write_strs(request, "SET", name, value, NULL);
    rg_request_write_strs(request, "SET", twin, twin_value, NULL);
    rg_request_write_strs(request, "EXEC", NULL);
    op->before = 3;
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
    if (workload_is_paired(op->target))
        workload_write_pair(op, name, value, request);
    else if (workload_in_hash(op->target))
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
    enum { MOST_QUEUED = 4 };

    op->kind = SIM_OP_OTHER;
    if (!sim_chance(load->loop, 0.1)) {
        sim_form_draw(load->loop, request);
        return;
    }
    rg_request_write_strs(request, "MULTI", NULL);
    op->before = 2 + (unsigned)rg_rand_below(&load->loop->rand, MOST_QUEUED);
    for (unsigned i = 1; i < op->before; i++)
        sim_form_draw(load->loop, request);
    rg_request_write_strs(request, "EXEC", NULL);
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

int sim_workload_answer(struct rg_bytes input, size_t *ret_used, struct sim_answer *ret_answer)
{
    struct rg_frame frame;
    size_t total = 0;
    size_t used = 0;
    int frames = 0;

    for (int64_t left = 1; left > 0; left--) {
        int result = rg_frame_parse(rg_bytes(input.data + total, input.len - total), &used, &frame);
        if (result < 0)
            return result;
        if (frames == 0)
            ret_answer->head = frame;
        else if (frames <= 2)
            ret_answer->items[frames - 1] = frame;
        frames++;
        total += used;
        if (frame.type == RG_FRAME_ARRAY)
            left += frame.len;
    }
    *ret_used = total;
    return 0;
}

/* "v17" or "w17" as 17, nothing as SIM_NO_VALUE. */
static bool workload_number(const struct rg_frame *frame, int64_t *ret_value)
{
    *ret_value = SIM_NO_VALUE;
    if (frame->type == RG_FRAME_NULL)
        return true;
    return frame->type == RG_FRAME_BULK && frame->bytes.len > 1 &&
           rg_parse_i64(rg_bytes(frame->bytes.data + 1, frame->bytes.len - 1), ret_value) == 0;
}

bool sim_workload_torn(const struct sim_op *op, const struct sim_answer *answer)
{
    int64_t one = 0;
    int64_t other = 0;

    return workload_is_pair_read(op) && answer->head.type == RG_FRAME_ARRAY &&
           workload_number(&answer->items[0], &one) && workload_number(&answer->items[1], &other) &&
           one != other;
}

bool sim_workload_value(const struct sim_op *op, const struct sim_answer *answer,
                        int64_t *ret_value)
{
    const struct rg_frame *frame = &answer->head;
    bool two = frame->type == RG_FRAME_ARRAY && frame->len == 2;

    *ret_value = op->value;
    switch (op->kind) {
    case SIM_OP_WRITE:
        if (workload_is_paired(op->target))
            return two && answer->items[0].type == RG_FRAME_SIMPLE &&
                   answer->items[1].type == RG_FRAME_SIMPLE;
        return frame->type == RG_FRAME_SIMPLE || frame->type == RG_FRAME_INTEGER;
    case SIM_OP_INCR:
        *ret_value = frame->integer;
        return frame->type == RG_FRAME_INTEGER;
    case SIM_OP_READ:
    case SIM_OP_REPLICA_READ:
        if (workload_is_pair_read(op))
            return two && workload_number(&answer->items[0], ret_value);
        return workload_number(frame, ret_value);
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
           rg_bytes_starts_with(error, RG_BYTES("MISCONF")) ||
           rg_bytes_starts_with(error, RG_BYTES("EXECABORT")) ||
           rg_bytes_starts_with(error, RG_BYTES("LOADING"));
}
