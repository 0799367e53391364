#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "cmd/zset_range.h"
#include "cmd/zset_result.h"
#include "cmd/zset_value.h"

/* ZRANGE with its older names, ZRANGESTORE, and what counts or removes a range. */

struct query {
    enum rg_zset_range_kind kind;
    bool kind_fixed; /* by the command's name */
    bool backward;
    bool direction_fixed;
    bool store;
    bool with_scores;
    int64_t offset;
    int64_t limit; /* negative: all */
    int key;       /* index of the source in argv; the range stands behind it */
};

/* Errors: RG_EINVAL (replied). */
static int query_parse_options(struct rg_cmd_ctx *ctx, struct query *query)
{
    for (int i = query->key + 3; i < ctx->argc; i++) {
        if (!query->store && rg_cmd_arg_is(ctx, i, "WITHSCORES")) {
            query->with_scores = true;
        } else if (rg_cmd_arg_is(ctx, i, "LIMIT") && i + 2 < ctx->argc) {
            if (rg_cmd_arg_i64(ctx, i + 1, &query->offset) < 0 ||
                rg_cmd_arg_i64(ctx, i + 2, &query->limit) < 0)
                return RG_EINVAL;
            i += 2;
        } else if (!query->direction_fixed && rg_cmd_arg_is(ctx, i, "REV")) {
            query->backward = true;
            query->direction_fixed = true;
        } else if (!query->kind_fixed && rg_cmd_arg_is(ctx, i, "BYLEX")) {
            query->kind = RG_ZSET_BY_LEX;
            query->kind_fixed = true;
        } else if (!query->kind_fixed && rg_cmd_arg_is(ctx, i, "BYSCORE")) {
            query->kind = RG_ZSET_BY_SCORE;
            query->kind_fixed = true;
        } else {
            rg_cmd_reply_syntax(ctx);
            return RG_EINVAL;
        }
    }
    return 0;
}

/* Errors: RG_EINVAL (replied). */
static int query_parse(struct rg_cmd_ctx *ctx, struct query *query, struct rg_zset_range *ret_range)
{
    query->limit = -1;
    if (query_parse_options(ctx, query) < 0)
        return RG_EINVAL;
    if (query->limit != -1 && query->kind == RG_ZSET_BY_RANK) {
        rg_reply_error(ctx->reply, "ERR syntax error, LIMIT is only supported in combination with "
                                   "either BYSCORE or BYLEX");
        return RG_EINVAL;
    }
    if (query->with_scores && query->kind == RG_ZSET_BY_LEX) {
        rg_reply_error(ctx->reply, "ERR syntax error, WITHSCORES not supported in combination with "
                                   "BYLEX");
        return RG_EINVAL;
    }
    /* Backward, scores and bytes are given from the greatest down. */
    bool swapped = query->backward && query->kind != RG_ZSET_BY_RANK;
    return rg_zset_range_parse(ctx, query->kind, query->key + (swapped ? 2 : 1),
                               query->key + (swapped ? 1 : 2), ret_range);
}

/* A negative offset is beyond every end. */
static struct rg_zset_span query_limit(const struct query *query, struct rg_zset_span span)
{
    if (query->kind == RG_ZSET_BY_RANK)
        return span;
    if (query->offset < 0 || (uint64_t)query->offset >= span.count)
        return (struct rg_zset_span){0};
    uint64_t count = span.count - (uint64_t)query->offset;
    if (query->limit >= 0 && (uint64_t)query->limit < count)
        count = (uint64_t)query->limit;
    if (query->backward)
        span.first = span.first + span.count - (uint64_t)query->offset - count;
    else
        span.first += (uint64_t)query->offset;
    span.count = count;
    return span;
}

static struct rg_zset_iter query_walk(const struct query *query, const struct rg_entry *entry,
                                      struct rg_zset_span span)
{
    struct rg_zset_iter iter = {0};

    if (span.count > 0)
        rg_zset_iter_init(&iter, entry, query->backward ? span.first + span.count - 1 : span.first,
                          query->backward);
    return iter;
}

static void query_reply(struct rg_cmd_ctx *ctx, const struct query *query,
                        const struct rg_entry *entry, struct rg_zset_span span)
{
    struct rg_zset_iter iter = query_walk(query, entry, span);
    struct rg_bytes member;
    double score = 0;

    rg_zset_reply_head(ctx, span.count, query->with_scores);
    for (; span.count > 0 && rg_zset_iter_next(&iter, &member, &score); span.count--)
        rg_zset_reply_member(ctx, member, score, query->with_scores);
}

static void query_store(struct rg_cmd_ctx *ctx, const struct query *query,
                        const struct rg_entry *entry, struct rg_zset_span span)
{
    struct rg_zset_iter iter = query_walk(query, entry, span);
    struct rg_zset_result result = {0};
    struct rg_bytes member;
    double score = 0;

    for (; span.count > 0 && rg_zset_iter_next(&iter, &member, &score); span.count--)
        if (member.data == iter.scratch)
            rg_zset_result_add_copy(&result, member, score);
        else
            rg_zset_result_add(&result, member, score);
    rg_zset_result_store(ctx, &result, ctx->argv[1],
                         query->kind == RG_ZSET_BY_RANK ? RG_ZSET_STORE_COUNTED
                                                        : RG_ZSET_STORE_GROWING,
                         "zrangestore");
    rg_zset_result_fini(&result);
}

static void query_run(struct rg_cmd_ctx *ctx, struct query query)
{
    struct rg_entry *entry = NULL;
    struct rg_zset_range range;
    struct rg_zset_span span = {0};

    if (query_parse(ctx, &query, &range) < 0 ||
        rg_lookup_read_type(ctx, ctx->argv[query.key], RG_TYPE_ZSET, &entry) < 0)
        return;
    if (entry != NULL)
        span = query_limit(&query, rg_zset_range_span(&range, entry, query.backward));
    if (query.store)
        query_store(ctx, &query, entry, span);
    else
        query_reply(ctx, &query, entry, span);
}

void rg_cmd_run_zrange(struct rg_cmd_ctx *ctx)
{
    query_run(ctx, (struct query){.key = 1});
}

void rg_cmd_run_zrangestore(struct rg_cmd_ctx *ctx)
{
    query_run(ctx, (struct query){.key = 2, .store = true});
}

static struct query query_fixed(enum rg_zset_range_kind kind, bool backward)
{
    return (struct query){
        .key = 1, .kind = kind, .kind_fixed = true, .backward = backward, .direction_fixed = true};
}

void rg_cmd_run_zrevrange(struct rg_cmd_ctx *ctx)
{
    query_run(ctx, query_fixed(RG_ZSET_BY_RANK, true));
}

void rg_cmd_run_zrangebyscore(struct rg_cmd_ctx *ctx)
{
    query_run(ctx, query_fixed(RG_ZSET_BY_SCORE, false));
}

void rg_cmd_run_zrevrangebyscore(struct rg_cmd_ctx *ctx)
{
    query_run(ctx, query_fixed(RG_ZSET_BY_SCORE, true));
}

void rg_cmd_run_zrangebylex(struct rg_cmd_ctx *ctx)
{
    query_run(ctx, query_fixed(RG_ZSET_BY_LEX, false));
}

void rg_cmd_run_zrevrangebylex(struct rg_cmd_ctx *ctx)
{
    query_run(ctx, query_fixed(RG_ZSET_BY_LEX, true));
}

/* ---- Counting and removing ---- */

static void range_count(struct rg_cmd_ctx *ctx, enum rg_zset_range_kind kind)
{
    struct rg_entry *entry = NULL;
    struct rg_zset_range range;

    if (rg_zset_range_parse(ctx, kind, 2, 3, &range) < 0 ||
        rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_ZSET, &entry) < 0)
        return;
    rg_reply_i64(ctx->reply,
                 entry != NULL ? (int64_t)rg_zset_range_span(&range, entry, false).count : 0);
}

void rg_cmd_run_zcount(struct rg_cmd_ctx *ctx)
{
    range_count(ctx, RG_ZSET_BY_SCORE);
}

void rg_cmd_run_zlexcount(struct rg_cmd_ctx *ctx)
{
    range_count(ctx, RG_ZSET_BY_LEX);
}

static void range_remove(struct rg_cmd_ctx *ctx, enum rg_zset_range_kind kind, const char *event)
{
    struct rg_entry *entry = NULL;
    struct rg_zset_range range;
    struct rg_zset_span span = {0};

    if (rg_zset_range_parse(ctx, kind, 2, 3, &range) < 0 ||
        rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_ZSET, &entry) < 0)
        return;
    if (entry != NULL)
        span = rg_zset_range_span(&range, entry, false);
    if (span.count > 0) {
        rg_zset_remove_ranks(ctx->db, &entry, span.first, span.count);
        rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_ZSET, event);
        rg_zset_drop_empty(ctx, ctx->argv[1], entry);
    }
    ctx->dirty += span.count;
    rg_reply_i64(ctx->reply, (int64_t)span.count);
}

void rg_cmd_run_zremrangebyrank(struct rg_cmd_ctx *ctx)
{
    range_remove(ctx, RG_ZSET_BY_RANK, "zremrangebyrank");
}

void rg_cmd_run_zremrangebyscore(struct rg_cmd_ctx *ctx)
{
    range_remove(ctx, RG_ZSET_BY_SCORE, "zremrangebyscore");
}

void rg_cmd_run_zremrangebylex(struct rg_cmd_ctx *ctx)
{
    range_remove(ctx, RG_ZSET_BY_LEX, "zremrangebylex");
}
