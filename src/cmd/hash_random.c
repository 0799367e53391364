#include "base/number.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "store/set.h"

/* HRANDFIELD. */

static void hash_random_pair(struct rg_cmd_ctx *ctx, bool with_values, struct rg_bytes field,
                             struct rg_bytes value)
{
    if (with_values && ctx->reply->proto == 3)
        rg_reply_array(ctx->reply, 2);
    rg_reply_bulk(ctx->reply, field);
    if (with_values)
        rg_reply_bulk(ctx->reply, value);
}

static void hash_random_head(struct rg_cmd_ctx *ctx, bool with_values, int64_t count)
{
    rg_reply_array(ctx->reply, with_values && ctx->reply->proto == 2 ? count * 2 : count);
}

static void hash_random_repeating(struct rg_cmd_ctx *ctx, const struct rg_entry *entry,
                                  int64_t count, bool with_values)
{
    struct rg_cmd_repeats repeats;
    struct rg_hash_scratch scratch;
    struct rg_bytes field;
    struct rg_bytes value;

    if (!rg_cmd_repeats_begin(&repeats, ctx, (uint64_t)count))
        return;
    hash_random_head(ctx, with_values, count);
    for (int64_t i = 0; i < count && rg_cmd_repeats_go_on(&repeats, ctx); i++) {
        rg_hash_random(entry, ctx->rand, &scratch, &field, &value);
        hash_random_pair(ctx, with_values, field, value);
    }
}

/* A few of many are drawn until they are enough different ones. */
static void hash_random_few(struct rg_cmd_ctx *ctx, const struct rg_entry *entry, int64_t count,
                            bool with_values)
{
    struct rg_entry *drawn = rg_set_draft(ctx->db, ctx->argv[1]);
    struct rg_hash_scratch scratch;
    struct rg_bytes field;
    struct rg_bytes value;

    hash_random_head(ctx, with_values, count);
    while (count > 0) {
        rg_hash_random(entry, ctx->rand, &scratch, &field, &value);
        if (!rg_set_add(ctx->db, &drawn, field))
            continue;
        hash_random_pair(ctx, with_values, field, value);
        count--;
    }
    rg_set_draft_free(ctx->db, drawn);
}

/*
 * Selection sampling (Knuth, volume 2, 3.4.2, algorithm S): each field is taken with the chance of
 * what is still wanted over what is still to come.
 */
static void hash_random_distinct(struct rg_cmd_ctx *ctx, const struct rg_entry *entry,
                                 int64_t count, bool with_values)
{
    enum { FEW = 16 };
    struct rg_hash_iter iter;
    struct rg_bytes field;
    struct rg_bytes value;
    int64_t left = (int64_t)rg_hash_len(entry);
    int64_t wanted = count < left ? count : left;

    if (wanted <= left / FEW) {
        hash_random_few(ctx, entry, wanted, with_values);
        return;
    }
    hash_random_head(ctx, with_values, wanted);
    rg_hash_iter_init(&iter, entry);
    while (wanted > 0 && rg_hash_iter_next(&iter, &field, &value)) {
        if ((int64_t)rg_rand_below(ctx->rand, (uint64_t)left) < wanted) {
            hash_random_pair(ctx, with_values, field, value);
            wanted--;
        }
        left--;
    }
}

static void hash_random_one(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    struct rg_hash_scratch scratch;
    struct rg_bytes field;
    struct rg_bytes value;

    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_HASH, &entry) < 0)
        return;
    if (entry == NULL) {
        rg_reply_null(ctx->reply);
        return;
    }
    rg_hash_random(entry, ctx->rand, &scratch, &field, &value);
    rg_reply_bulk(ctx->reply, field);
}

void rg_cmd_run_hrandfield(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    int64_t count = 0;
    bool with_values = ctx->argc == 4;

    if (ctx->argc == 2) {
        hash_random_one(ctx);
        return;
    }
    if (rg_cmd_arg_i64(ctx, 2, &count) < 0)
        return;
    if (count == INT64_MIN) {
        rg_reply_errorf(ctx->reply, "ERR value is out of range, value must between %lld and %lld",
                        (long long)-INT64_MAX, (long long)INT64_MAX);
        return;
    }
    if (ctx->argc > 4 || (with_values && !rg_cmd_arg_is(ctx, 3, "WITHVALUES"))) {
        rg_cmd_reply_syntax(ctx);
        return;
    }
    if (with_values && (count < -INT64_MAX / 2 || count > INT64_MAX / 2)) {
        rg_reply_error(ctx->reply, "ERR value is out of range");
        return;
    }
    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_HASH, &entry) < 0)
        return;
    if (entry == NULL || count == 0)
        rg_reply_array(ctx->reply, 0);
    else if (count < 0)
        hash_random_repeating(ctx, entry, -count, with_values);
    else
        hash_random_distinct(ctx, entry, count, with_values);
}
