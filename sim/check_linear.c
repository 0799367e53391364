#include "sim/check_linear.h"

#include <stdlib.h>

#include "base/alloc.h"

/* All operations on one value of a register. */
struct linear_cluster {
    int64_t value;
    uint64_t write_began;
    uint64_t first_end;  /* least end of any of them */
    uint64_t last_began; /* greatest beginning */
    bool written;
    bool read;
    bool certain;
};

struct linear_interval {
    uint64_t low;
    uint64_t high;
    int64_t value;
};

/* ---- Registers ---- */

static int linear_by_value(const void *a, const void *b)
{
    int64_t x = ((const struct linear_cluster *)a)->value;
    int64_t y = ((const struct linear_cluster *)b)->value;

    return (x > y) - (x < y);
}

static int linear_by_low(const void *a, const void *b)
{
    uint64_t x = ((const struct linear_interval *)a)->low;
    uint64_t y = ((const struct linear_interval *)b)->low;

    return (x > y) - (x < y);
}

static struct linear_cluster *linear_find(struct linear_cluster *clusters, size_t count,
                                          int64_t value)
{
    struct linear_cluster key = {.value = value};

    return bsearch(&key, clusters, count, sizeof(*clusters), linear_by_value);
}

static size_t linear_writes(const struct sim_history *history, unsigned target,
                            struct linear_cluster *clusters)
{
    size_t count = 0;

    /* The value before all: nothing. */
    clusters[count++] = (struct linear_cluster){
        .value = SIM_NO_VALUE, .last_began = 0, .first_end = 0, .written = true, .certain = true};
    for (size_t i = 0; i < history->count; i++) {
        const struct sim_op *op = &history->ops[i];
        if (op->kind != SIM_OP_WRITE || op->target != target || op->outcome == SIM_REFUSED)
            continue;
        clusters[count++] = (struct linear_cluster){
            .value = op->value,
            .write_began = op->began,
            .first_end = op->outcome == SIM_OK ? op->ended : UINT64_MAX,
            .last_began = op->began,
            .written = true,
            .certain = op->outcome == SIM_OK,
        };
    }
    qsort(clusters, count, sizeof(*clusters), linear_by_value);
    return count;
}

static bool linear_reads(struct sim_loop *loop, const struct sim_history *history, unsigned target,
                         struct linear_cluster *clusters, size_t count)
{
    for (size_t i = 0; i < history->count; i++) {
        const struct sim_op *op = &history->ops[i];
        if (op->kind != SIM_OP_READ || op->target != target || op->outcome != SIM_OK)
            continue;
        struct linear_cluster *cluster = linear_find(clusters, count, op->value);
        if (cluster == NULL || op->ended < cluster->write_began) {
            sim_fail(loop,
                     "linearizability: client %u read v%lld from register %u, which nobody had "
                     "written",
                     op->client, (long long)op->value, target);
            return false;
        }
        cluster->read = true;
        if (op->ended < cluster->first_end)
            cluster->first_end = op->ended;
        if (op->began > cluster->last_began)
            cluster->last_began = op->began;
    }
    return true;
}

/*
 * A value whose every operation ended before another of its operations began was surely the
 * register's all the while between (forward); any other value was it for a moment somewhere between
 * (backward). No two forward intervals may overlap, and no backward one lie inside a forward one.
 */
static void linear_judge(struct sim_loop *loop, unsigned target,
                         const struct linear_cluster *clusters, size_t count,
                         struct linear_interval *forward)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if ((clusters[i].certain || clusters[i].read) &&
            clusters[i].first_end < clusters[i].last_began)
            forward[n++] = (struct linear_interval){clusters[i].first_end, clusters[i].last_began,
                                                    clusters[i].value};
    }
    qsort(forward, n, sizeof(*forward), linear_by_low);
    for (size_t i = 1; i < n; i++) {
        if (forward[i].low < forward[i - 1].high) {
            sim_fail(loop,
                     "linearizability: register %u held both v%lld and v%lld between moments %llu "
                     "and %llu",
                     target, (long long)forward[i - 1].value, (long long)forward[i].value,
                     (unsigned long long)forward[i].low, (unsigned long long)forward[i - 1].high);
            return;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const struct linear_cluster *cluster = &clusters[i];
        if (!(cluster->certain || cluster->read) || cluster->first_end < cluster->last_began)
            continue;
        for (size_t k = 0; k < n; k++) {
            if (forward[k].low < cluster->last_began && cluster->first_end < forward[k].high) {
                sim_fail(loop,
                         "linearizability: register %u: v%lld was written and read between moments "
                         "%llu and %llu, while it held v%lld",
                         target, (long long)cluster->value, (unsigned long long)cluster->last_began,
                         (unsigned long long)cluster->first_end, (long long)forward[k].value);
                return;
            }
        }
    }
}

static void linear_register(struct sim_loop *loop, const struct sim_history *history,
                            unsigned target)
{
    struct linear_cluster *clusters = RG_NEW_ARRAY(struct linear_cluster, history->count + 1);
    struct linear_interval *forward = RG_NEW_ARRAY(struct linear_interval, history->count + 1);
    size_t count = linear_writes(history, target, clusters);

    if (linear_reads(loop, history, target, clusters, count))
        linear_judge(loop, target, clusters, count, forward);
    rg_free(clusters);
    rg_free(forward);
}

/* ---- Counters: each increment returns a number of its own, and numbers grow with time. ---- */

static int linear_by_result(const void *a, const void *b)
{
    int64_t x = (*(const struct sim_op *const *)a)->value;
    int64_t y = (*(const struct sim_op *const *)b)->value;

    return (x > y) - (x < y);
}

static void linear_counter(struct sim_loop *loop, const struct sim_history *history,
                           unsigned target)
{
    const struct sim_op **ops = RG_NEW_ARRAY(const struct sim_op *, history->count + 1);
    size_t count = 0;
    int64_t tried = 0;
    uint64_t last_began = 0;

    for (size_t i = 0; i < history->count; i++) {
        const struct sim_op *op = &history->ops[i];
        if (op->kind != SIM_OP_INCR || op->target != target || op->outcome == SIM_REFUSED)
            continue;
        tried++;
        if (op->outcome == SIM_OK)
            ops[count++] = op;
    }
    qsort(ops, count, sizeof(const struct sim_op *), linear_by_result);
    for (size_t i = 0; i < count; i++) {
        if (ops[i]->value > tried || ops[i]->value < 1)
            sim_fail(loop, "linearizability: counter %u says %lld after %lld increments", target,
                     (long long)ops[i]->value, (long long)tried);
        if (i > 0 && ops[i]->value == ops[i - 1]->value)
            sim_fail(loop, "linearizability: counter %u gave %lld twice: an increment was lost",
                     target, (long long)ops[i]->value);
        if (ops[i]->ended < last_began)
            sim_fail(loop, "linearizability: counter %u gave %lld before a smaller number", target,
                     (long long)ops[i]->value);
        last_began = ops[i]->began > last_began ? ops[i]->began : last_began;
    }
    rg_free(ops);
}

void sim_check_linear(struct sim_loop *loop, const struct sim_history *history)
{
    for (unsigned target = 0; target < SIM_REGISTERS; target++)
        linear_register(loop, history, target);
    for (unsigned target = 0; target < SIM_COUNTERS; target++)
        linear_counter(loop, history, target);
}
