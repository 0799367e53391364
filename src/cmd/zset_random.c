#include "base/alloc.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "cmd/zset_value.h"

/* ZRANDMEMBER. */

static void random_repeating(struct rg_cmd_ctx *ctx, const struct rg_entry *entry, int64_t count,
                             bool with_scores)
{
    struct rg_cmd_repeats repeats;
    char scratch[RG_STRING_SCRATCH];
    struct rg_bytes member;
    double score = 0;

    if (!rg_cmd_repeats_begin(&repeats, ctx, (uint64_t)count))
        return;
    rg_zset_reply_head(ctx, (uint64_t)count, with_scores);
    for (int64_t i = 0; i < count && rg_cmd_repeats_go_on(&repeats, ctx); i++) {
        rg_zset_random(entry, ctx->rand, scratch, &member, &score);
        rg_zset_reply_member(ctx, member, score, with_scores);
    }
}

/* A few of many: ranks are drawn until they are ones that were not drawn before. */
static void random_few(struct rg_cmd_ctx *ctx, const struct rg_entry *entry, uint64_t count,
                       bool with_scores)
{
    uint64_t len = rg_zset_len(entry);
    uint8_t *drawn = rg_alloc_zero(len / 8 + 1);
    struct rg_zset_iter iter;
    struct rg_bytes member;
    double score = 0;

    rg_zset_reply_head(ctx, count, with_scores);
    while (count > 0) {
        uint64_t rank = rg_rand_below(ctx->rand, len);
        if (drawn[rank / 8] & 1U << rank % 8)
            continue;
        drawn[rank / 8] |= (uint8_t)(1U << rank % 8);
        rg_zset_iter_init(&iter, entry, rank, false);
        rg_zset_iter_next(&iter, &member, &score);
        rg_zset_reply_member(ctx, member, score, with_scores);
        count--;
    }
    rg_free(drawn);
}

/*
 * Selection sampling (Knuth, volume 2, 3.4.2, algorithm S): each member is taken with the chance of
 * what is still wanted over what is still to come.
 */
static void random_distinct(struct rg_cmd_ctx *ctx, const struct rg_entry *entry, uint64_t count,
                            bool with_scores)
{
    enum { FEW = 8 };
    struct rg_zset_iter iter;
    struct rg_bytes member;
    double score = 0;
    uint64_t left = rg_zset_len(entry);
    uint64_t wanted = count < left ? count : left;

    if (wanted <= left / FEW) {
        random_few(ctx, entry, wanted, with_scores);
        return;
    }
    rg_zset_reply_head(ctx, wanted, with_scores);
    rg_zset_iter_init(&iter, entry, 0, false);
    for (; wanted > 0 && rg_zset_iter_next(&iter, &member, &score); left--) {
        if (rg_rand_below(ctx->rand, left) < wanted) {
            rg_zset_reply_member(ctx, member, score, with_scores);
            wanted--;
        }
    }
}

static void random_one(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    char scratch[RG_STRING_SCRATCH];
    struct rg_bytes member;
    double score = 0;

    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_ZSET, &entry) < 0)
        return;
    if (entry == NULL) {
        rg_reply_null(ctx->reply);
        return;
    }
    rg_zset_random(entry, ctx->rand, scratch, &member, &score);
    rg_reply_bulk(ctx->reply, member);
}

void rg_cmd_run_zrandmember(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    int64_t count = 0;
    bool with_scores = ctx->argc == 4;

    if (ctx->argc == 2) {
        random_one(ctx);
        return;
    }
    if (rg_cmd_arg_i64_in(ctx, 2, -INT64_MAX, INT64_MAX, NULL, &count) < 0)
        return;
    if (ctx->argc > 4 || (with_scores && !rg_cmd_arg_is(ctx, 3, "WITHSCORES"))) {
        rg_cmd_reply_syntax(ctx);
        return;
    }
    if (with_scores && (count < -INT64_MAX / 2 || count > INT64_MAX / 2)) {
        rg_reply_error(ctx->reply, "ERR value is out of range");
        return;
    }
    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_ZSET, &entry) < 0)
        return;
    if (entry == NULL || count == 0)
        rg_reply_array(ctx->reply, 0);
    else if (count < 0)
        random_repeating(ctx, entry, -count, with_scores);
    else
        random_distinct(ctx, entry, (uint64_t)count, with_scores);
}
