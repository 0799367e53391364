#include <math.h>

#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "cmd/zset_value.h"

/* ZADD and ZINCRBY. */

/* What was done to the members of one command. */
struct add_result {
    int64_t added;
    int64_t updated;
    bool processed; /* a condition did not hold the last one back */
    double score;   /* of the last one */
};

/* Errors: RG_EINVAL (replied). */
static int add_check_options(struct rg_cmd_ctx *ctx, const struct rg_zset_pairs *pairs)
{
    const struct rg_zset_add_options *options = &pairs->options;
    const char *error = NULL;

    if (options->nx && options->xx)
        error = "ERR XX and NX options at the same time are not compatible";
    else if ((options->gt && options->nx) || (options->lt && options->nx) ||
             (options->gt && options->lt))
        error = "ERR GT, LT, and/or NX options at the same time are not compatible";
    else if (options->incr && pairs->pairs > 1)
        error = "ERR INCR option supports a single increment-element pair";
    if (error == NULL)
        return 0;
    rg_reply_error(ctx->reply, error);
    return RG_EINVAL;
}

/* Errors: RG_ENAN. */
static int add_one(struct rg_cmd_ctx *ctx, struct rg_entry **entry,
                   const struct rg_zset_add_options *options, struct rg_bytes member, double score,
                   struct add_result *result)
{
    double old = 0;

    result->processed = false;
    if (!rg_zset_score(*entry, member, &old)) {
        if (options->xx)
            return 0;
        rg_zset_set(ctx->db, entry, member, score);
        result->added++;
    } else {
        if (options->nx)
            return 0;
        if (options->incr)
            score += old;
        if (isnan(score))
            return RG_ENAN;
        if ((options->lt && score >= old) || (options->gt && score <= old))
            return 0;
        if (score != old) {
            rg_zset_set(ctx->db, entry, member, score);
            result->updated++;
        }
    }
    result->processed = true;
    result->score = score;
    return 0;
}

/* Errors: RG_ENAN (replied). */
static int add_all(struct rg_cmd_ctx *ctx, struct rg_entry **entry,
                   const struct rg_zset_pairs *pairs, struct add_result *result)
{
    for (uint64_t i = 0; i < pairs->pairs; i++) {
        struct rg_bytes member;
        double score = 0;
        if (pairs->get(ctx, pairs, i, &member, &score) < 0)
            return RG_ENAN;
        if (add_one(ctx, entry, &pairs->options, member, score, result) < 0) {
            rg_reply_error(ctx->reply, "ERR resulting score is not a number (NaN)");
            return RG_ENAN;
        }
    }
    return 0;
}

static void add_reply(struct rg_cmd_ctx *ctx, const struct rg_zset_add_options *options,
                      const struct add_result *result)
{
    if (!options->incr)
        rg_reply_i64(ctx->reply, options->ch ? result->added + result->updated : result->added);
    else if (result->processed)
        rg_reply_double(ctx->reply, result->score);
    else
        rg_reply_null(ctx->reply);
}

void rg_zset_add(struct rg_cmd_ctx *ctx, const struct rg_zset_pairs *pairs)
{
    const struct rg_zset_add_options *options = &pairs->options;
    struct add_result result = {0};
    struct rg_entry *entry = NULL;
    struct rg_bytes member;
    double score = 0;

    if (add_check_options(ctx, pairs) < 0)
        return;
    for (uint64_t i = 0; i < pairs->pairs; i++) {
        if (pairs->get(ctx, pairs, i, &member, &score) < 0)
            return;
    }
    if (rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_ZSET, &entry) < 0)
        return;
    if (entry == NULL && !options->xx) {
        entry = rg_db_put_zset(ctx->db, ctx->argv[1]);
        rg_lookup_touch(ctx, entry);
        rg_cmd_note_new(ctx, ctx->db_index, ctx->argv[1]);
    }
    if (entry == NULL || add_all(ctx, &entry, pairs, &result) == 0)
        add_reply(ctx, options, &result);
    ctx->dirty += (uint64_t)(result.added + result.updated);
    if (result.added + result.updated > 0)
        rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_ZSET, options->incr ? "zincr" : "zadd");
}

static int add_get_words(struct rg_cmd_ctx *ctx, const struct rg_zset_pairs *pairs, uint64_t index,
                         struct rg_bytes *ret_member, double *ret_score)
{
    int at = pairs->first + (int)index * 2;

    *ret_member = ctx->argv[at + 1];
    return rg_cmd_arg_double(ctx, at, NULL, ret_score);
}

/* The options from argv[2] on; returns where the scores begin. */
static int add_parse_options(const struct rg_cmd_ctx *ctx, struct rg_zset_add_options *options)
{
    int i = 2;

    for (; i < ctx->argc; i++) {
        if (rg_cmd_arg_is(ctx, i, "NX"))
            options->nx = true;
        else if (rg_cmd_arg_is(ctx, i, "XX"))
            options->xx = true;
        else if (rg_cmd_arg_is(ctx, i, "CH"))
            options->ch = true;
        else if (rg_cmd_arg_is(ctx, i, "INCR"))
            options->incr = true;
        else if (rg_cmd_arg_is(ctx, i, "GT"))
            options->gt = true;
        else if (rg_cmd_arg_is(ctx, i, "LT"))
            options->lt = true;
        else
            break;
    }
    return i;
}

void rg_cmd_run_zadd(struct rg_cmd_ctx *ctx)
{
    struct rg_zset_pairs pairs = {.get = add_get_words};

    pairs.first = add_parse_options(ctx, &pairs.options);
    pairs.pairs = (uint64_t)(ctx->argc - pairs.first) / 2;
    if ((ctx->argc - pairs.first) % 2 != 0 || pairs.pairs == 0) {
        rg_cmd_reply_syntax(ctx);
        return;
    }
    rg_zset_add(ctx, &pairs);
}

void rg_cmd_run_zincrby(struct rg_cmd_ctx *ctx)
{
    struct rg_zset_pairs pairs = {
        .options = {.incr = true}, .pairs = 1, .get = add_get_words, .first = 2};

    rg_zset_add(ctx, &pairs);
}
