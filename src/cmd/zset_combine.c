#include <math.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "cmd/zset_result.h"
#include "cmd/zset_value.h"
#include "store/set.h"

#include <stdlib.h>

/* Union, intersection and difference of sorted sets and sets, whose members all score 1. */

enum combine_op { COMBINE_UNION, COMBINE_INTER, COMBINE_DIFF };
enum combine_aggregate { AGGREGATE_SUM, AGGREGATE_MIN, AGGREGATE_MAX };

struct combine_input {
    const struct rg_entry *entry; /* NULL: empty */
    double weight;
    uint64_t len;
    int order; /* in argv */
};

struct combine {
    enum combine_op op;
    enum combine_aggregate aggregate;
    bool store;
    bool with_scores;
    bool count_only;
    uint64_t limit;               /* of count_only; 0: none */
    struct combine_input *inputs; /* owned */
    int count;
};

/* ---- Inputs ---- */

static uint64_t input_len(const struct rg_entry *entry)
{
    if (entry == NULL)
        return 0;
    return rg_entry_type(entry) == RG_TYPE_SET ? rg_set_len(entry) : rg_zset_len(entry);
}

static bool input_score(const struct combine_input *input, struct rg_bytes member,
                        double *ret_score)
{
    *ret_score = 1;
    if (input->entry == NULL)
        return false;
    if (rg_entry_type(input->entry) == RG_TYPE_SET)
        return rg_set_has(input->entry, member);
    return rg_zset_score(input->entry, member, ret_score);
}

struct input_walk {
    bool is_set;
    struct rg_set_iter set;
    struct rg_zset_iter zset;
    char scratch[RG_STRING_SCRATCH];
};

/* The input is not empty. */
static void walk_init(struct input_walk *walk, const struct combine_input *input)
{
    walk->is_set = rg_entry_type(input->entry) == RG_TYPE_SET;
    if (walk->is_set)
        rg_set_iter_init(&walk->set, input->entry);
    else
        rg_zset_iter_init(&walk->zset, input->entry, 0, false);
}

static bool walk_next(struct input_walk *walk, struct rg_bytes *ret_member, double *ret_score)
{
    if (!walk->is_set)
        return rg_zset_iter_next(&walk->zset, ret_member, ret_score);
    *ret_score = 1;
    return rg_set_iter_next(&walk->set, walk->scratch, ret_member);
}

/* A member in the scratch of the walk is gone with its next step. */
static void walk_add(const struct input_walk *walk, struct rg_zset_result *result,
                     struct rg_bytes member, double score)
{
    if (walk->is_set || member.data == walk->zset.scratch)
        rg_zset_result_add_copy(result, member, score);
    else
        rg_zset_result_add(result, member, score);
}

/* ---- Scores ---- */

static double combine_scores(const struct combine *combine, double a, double b)
{
    switch (combine->aggregate) {
    case AGGREGATE_SUM:
        return isnan(a + b) ? 0 : a + b;
    case AGGREGATE_MIN:
        return b < a ? b : a;
    case AGGREGATE_MAX:
        return b > a ? b : a;
    }
    return a;
}

static double weighted(const struct combine_input *input, double score)
{
    double product = input->weight * score;

    return isnan(product) ? 0 : product;
}

/* ---- Operations ---- */

/*
 * Where a union's members are in the result: half of a hash above the place and 1; 0: nothing is
 * there. So it takes as much memory as there are different members, however often they come.
 */
struct union_index {
    uint64_t *slots; /* owned */
    uint64_t count;  /* a power of two, more than twice the members; 0 at first */
};

static void index_grow(struct union_index *index)
{
    enum { FIRST = 64 };
    uint64_t count = index->count > 0 ? index->count * 2 : FIRST;
    uint64_t *slots = rg_alloc_zero(count * sizeof(*slots));

    for (uint64_t i = 0; i < index->count; i++) {
        uint64_t at = index->slots[i] >> 32 & (count - 1);
        if (index->slots[i] == 0)
            continue;
        while (slots[at] != 0)
            at = (at + 1) & (count - 1);
        slots[at] = index->slots[i];
    }
    rg_free(index->slots);
    *index = (struct union_index){slots, count};
}

/* The slot of the member, or the empty one for it. */
static uint64_t *index_find(const struct union_index *index, const struct rg_zset_result *result,
                            struct rg_bytes member, uint64_t half)
{
    for (uint64_t at = half & (index->count - 1);; at = (at + 1) & (index->count - 1)) {
        uint64_t slot = index->slots[at];
        if (slot == 0 ||
            (slot >> 32 == half &&
             rg_bytes_equal(rg_zset_result_member(result, (uint32_t)slot - 1), member)))
            return &index->slots[at];
    }
}

static void combine_union(struct rg_cmd_ctx *ctx, const struct combine *combine,
                          struct rg_zset_result *result)
{
    struct union_index index = {0};
    struct input_walk walk;
    struct rg_bytes member;
    double score = 0;

    for (int i = 0; i < combine->count; i++) {
        if (combine->inputs[i].len == 0)
            continue;
        walk_init(&walk, &combine->inputs[i]);
        while (walk_next(&walk, &member, &score)) {
            uint64_t half = rg_store_hash(ctx->store, member) >> 32;
            if (2 * (result->count + 1) > index.count)
                index_grow(&index);
            uint64_t *slot = index_find(&index, result, member, half);
            score = weighted(&combine->inputs[i], score);
            if (*slot != 0) {
                struct rg_zset_result_item *item = rg_zset_result_item(result, (uint32_t)*slot - 1);
                item->score = combine_scores(combine, item->score, score);
                continue;
            }
            walk_add(&walk, result, member, score);
            RG_ASSERT(result->count < UINT32_MAX);
            *slot = half << 32 | result->count;
        }
    }
    rg_free(index.slots);
}

/* Whether all the others have it; its score then. */
static bool inter_score(const struct combine *combine, struct rg_bytes member, double score,
                        double *ret_score)
{
    double total = weighted(&combine->inputs[0], score);

    for (int i = 1; i < combine->count; i++) {
        const struct combine_input *input = &combine->inputs[i];
        double other = score;
        /* Nothing need be looked up in the first one itself. */
        if (input->entry != combine->inputs[0].entry && !input_score(input, member, &other))
            return false;
        total = combine_scores(combine, total, other * input->weight);
    }
    *ret_score = total;
    return true;
}

static bool diff_keeps(const struct combine *combine, struct rg_bytes member)
{
    for (int i = 1; i < combine->count; i++) {
        double other = 0;
        if (input_score(&combine->inputs[i], member, &other))
            return false;
    }
    return true;
}

/* Intersection and difference walk through the first and look into the others. */
static void combine_first(const struct combine *combine, struct rg_zset_result *result)
{
    struct input_walk walk;
    struct rg_bytes member;
    double score = 0;

    if (combine->inputs[0].len == 0)
        return;
    walk_init(&walk, &combine->inputs[0]);
    while (walk_next(&walk, &member, &score)) {
        if (combine->op == COMBINE_INTER ? inter_score(combine, member, score, &score)
                                         : diff_keeps(combine, member))
            walk_add(&walk, result, member, score);
        if (combine->limit > 0 && result->count >= combine->limit)
            break;
    }
}

static int compare_lens(const void *a, const void *b)
{
    const struct combine_input *x = a;
    const struct combine_input *y = b;

    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return x->order - y->order;
}

/* ---- Words ---- */

/*
 * Looks the keys up. Entries are found once more at the end: looking for a key may delete another
 * that is past its expiry. Errors: RG_ETYPE (replied).
 */
static int combine_find(struct rg_cmd_ctx *ctx, struct combine *combine, int first)
{
    for (int i = 0; i < combine->count; i++) {
        const struct rg_entry *entry = rg_lookup_read(ctx, ctx->argv[first + i]);
        combine->inputs[i] =
            (struct combine_input){.weight = 1, .len = input_len(NULL), .order = i};
        if (entry == NULL)
            continue;
        if (rg_entry_type(entry) != RG_TYPE_ZSET && rg_entry_type(entry) != RG_TYPE_SET) {
            rg_cmd_reply_wrong_type(ctx);
            return RG_ETYPE;
        }
        combine->inputs[i].len = input_len(entry);
    }
    for (int i = 0; i < combine->count; i++) {
        if (combine->inputs[i].len > 0)
            combine->inputs[i].entry = rg_db_find(ctx->db, ctx->argv[first + i]);
    }
    return 0;
}

/* Errors: RG_EINVAL (replied). */
static int combine_parse_weights(struct rg_cmd_ctx *ctx, struct combine *combine, int first)
{
    for (int i = 0; i < combine->count; i++) {
        if (rg_cmd_arg_double(ctx, first + i, "ERR weight value is not a float",
                              &combine->inputs[i].weight) < 0)
            return RG_EINVAL;
    }
    return 0;
}

/* Errors: RG_EINVAL. */
static int combine_parse_aggregate(const struct rg_cmd_ctx *ctx, struct combine *combine, int index)
{
    if (rg_cmd_arg_is(ctx, index, "SUM"))
        combine->aggregate = AGGREGATE_SUM;
    else if (rg_cmd_arg_is(ctx, index, "MIN"))
        combine->aggregate = AGGREGATE_MIN;
    else if (rg_cmd_arg_is(ctx, index, "MAX"))
        combine->aggregate = AGGREGATE_MAX;
    else
        return RG_EINVAL;
    return 0;
}

/* Errors: RG_EINVAL, RG_ERANGE (replied). */
static int combine_parse_options(struct rg_cmd_ctx *ctx, struct combine *combine, int index)
{
    bool scored = combine->op != COMBINE_DIFF && !combine->count_only;

    while (index < ctx->argc) {
        int behind = ctx->argc - index - 1;
        if (scored && behind >= combine->count && rg_cmd_arg_is(ctx, index, "WEIGHTS")) {
            if (combine_parse_weights(ctx, combine, index + 1) < 0)
                return RG_EINVAL;
            index += 1 + combine->count;
            continue;
        }
        if (scored && behind >= 1 && rg_cmd_arg_is(ctx, index, "AGGREGATE") &&
            combine_parse_aggregate(ctx, combine, index + 1) == 0) {
            index += 2;
            continue;
        }
        if (!combine->store && !combine->count_only && rg_cmd_arg_is(ctx, index, "WITHSCORES")) {
            combine->with_scores = true;
            index++;
            continue;
        }
        if (combine->count_only && behind >= 1 && rg_cmd_arg_is(ctx, index, "LIMIT")) {
            int64_t limit = 0;
            if (rg_cmd_arg_i64_in(ctx, index + 1, 0, INT64_MAX, "ERR LIMIT can't be negative",
                                  &limit) < 0)
                return RG_ERANGE;
            combine->limit = (uint64_t)limit;
            index += 2;
            continue;
        }
        rg_cmd_reply_syntax(ctx);
        return RG_EINVAL;
    }
    return 0;
}

/* numkeys key… options from argv[index] on. Errors: RG_EINVAL, RG_ERANGE, RG_ETYPE (replied). */
static int combine_parse(struct rg_cmd_ctx *ctx, struct combine *combine, int index)
{
    int64_t keys = 0;

    if (rg_cmd_arg_i64(ctx, index, &keys) < 0)
        return RG_EINVAL;
    if (keys < 1) {
        rg_reply_errorf(ctx->reply, "ERR at least 1 input key is needed for '%s' command",
                        rg_cmd_shown_name(ctx));
        return RG_EINVAL;
    }
    if (keys > ctx->argc - index - 1) {
        rg_cmd_reply_syntax(ctx);
        return RG_EINVAL;
    }
    combine->count = (int)keys;
    combine->inputs = RG_NEW_ARRAY(struct combine_input, (size_t)keys);
    if (combine_find(ctx, combine, index + 1) < 0)
        return RG_ETYPE;
    return combine_parse_options(ctx, combine, index + 1 + combine->count);
}

static void combine_finish(struct rg_cmd_ctx *ctx, const struct combine *combine,
                           struct rg_zset_result *result)
{
    static const char *const events[] = {"zunionstore", "zinterstore", "zdiffstore"};

    if (combine->count_only) {
        rg_reply_i64(ctx->reply, (int64_t)result->count);
        return;
    }
    rg_zset_result_sort(result);
    if (combine->store)
        rg_zset_result_store(ctx, result, ctx->argv[1], RG_ZSET_STORE_WHOLE, events[combine->op]);
    else
        rg_zset_result_reply(ctx, result, combine->with_scores);
}

static void combine_run(struct rg_cmd_ctx *ctx, struct combine combine)
{
    struct rg_zset_result result = {0};

    if (combine_parse(ctx, &combine, combine.store ? 2 : 1) == 0) {
        /* The smallest first; floating point sums depend on the order. */
        if (combine.op != COMBINE_DIFF)
            qsort(combine.inputs, (size_t)combine.count, sizeof(combine.inputs[0]), compare_lens);
        if (combine.op == COMBINE_UNION)
            combine_union(ctx, &combine, &result);
        else
            combine_first(&combine, &result);
        combine_finish(ctx, &combine, &result);
    }
    rg_zset_result_fini(&result);
    rg_free(combine.inputs);
}

void rg_cmd_run_zunion(struct rg_cmd_ctx *ctx)
{
    combine_run(ctx, (struct combine){.op = COMBINE_UNION});
}

void rg_cmd_run_zunionstore(struct rg_cmd_ctx *ctx)
{
    combine_run(ctx, (struct combine){.op = COMBINE_UNION, .store = true});
}

void rg_cmd_run_zinter(struct rg_cmd_ctx *ctx)
{
    combine_run(ctx, (struct combine){.op = COMBINE_INTER});
}

void rg_cmd_run_zinterstore(struct rg_cmd_ctx *ctx)
{
    combine_run(ctx, (struct combine){.op = COMBINE_INTER, .store = true});
}

void rg_cmd_run_zintercard(struct rg_cmd_ctx *ctx)
{
    combine_run(ctx, (struct combine){.op = COMBINE_INTER, .count_only = true});
}

void rg_cmd_run_zdiff(struct rg_cmd_ctx *ctx)
{
    combine_run(ctx, (struct combine){.op = COMBINE_DIFF});
}

void rg_cmd_run_zdiffstore(struct rg_cmd_ctx *ctx)
{
    combine_run(ctx, (struct combine){.op = COMBINE_DIFF, .store = true});
}
