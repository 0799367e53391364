#include "base/number.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "cmd/zset_value.h"

/* Taking members from either end: ZPOPMIN, ZPOPMAX, ZMPOP, and those that wait for one. */

struct pop {
    bool max;
    int first_key; /* in argv */
    int keys;
    int64_t count;    /* -1: one, without saying so */
    bool with_key;    /* the reply names it */
    bool nested;      /* each member and its score are an array */
    bool log_counted; /* the log gets a ZPOPMIN or ZPOPMAX with the count */
    bool log_single;  /* or one without */
};

/* The first key that holds a sorted set. Errors: RG_ETYPE (replied). */
static int pop_find(struct rg_cmd_ctx *ctx, const struct pop *pop, int *ret_key,
                    struct rg_entry **ret_entry)
{
    *ret_entry = NULL;
    for (int i = pop->first_key; i < pop->first_key + pop->keys; i++) {
        struct rg_entry *entry = rg_lookup_write(ctx, ctx->argv[i]);
        if (entry == NULL)
            continue;
        if (rg_entry_type(entry) == RG_TYPE_ZSET) {
            *ret_key = i;
            *ret_entry = entry;
            return 0;
        }
        /* Who waits is not interested in what else came to be there. */
        if (ctx->resumed)
            continue;
        rg_cmd_reply_wrong_type(ctx);
        return RG_ETYPE;
    }
    return 0;
}

static void pop_reply_head(struct rg_cmd_ctx *ctx, const struct pop *pop, struct rg_bytes key,
                           uint64_t count)
{
    int64_t members = (int64_t)(pop->nested ? count : count * 2);

    if (pop->with_key && pop->nested) {
        rg_reply_array(ctx->reply, 2);
        rg_reply_bulk(ctx->reply, key);
        rg_reply_array(ctx->reply, members);
    } else if (pop->with_key) {
        rg_reply_array(ctx->reply, members + 1);
        rg_reply_bulk(ctx->reply, key);
    } else {
        rg_reply_array(ctx->reply, members);
    }
}

static void pop_log(struct rg_cmd_ctx *ctx, const struct pop *pop, struct rg_bytes key,
                    uint64_t count)
{
    char digits[RG_I64_CHARS];
    struct rg_bytes words[] = {pop->max ? RG_BYTES("ZPOPMAX") : RG_BYTES("ZPOPMIN"), key,
                               rg_bytes(digits, rg_format_u64(digits, count))};

    if (pop->log_counted)
        rg_cmd_log_instead(ctx, words, 3);
    else if (pop->log_single)
        rg_cmd_log_instead(ctx, words, 2);
}

static void pop_members(struct rg_cmd_ctx *ctx, const struct pop *pop, struct rg_bytes key,
                        struct rg_entry *entry)
{
    uint64_t len = rg_zset_len(entry);
    uint64_t count = pop->count == -1 ? 1 : (uint64_t)pop->count;
    struct rg_zset_iter iter;
    struct rg_bytes member;
    double score = 0;

    count = count < len ? count : len;
    pop_reply_head(ctx, pop, key, count);
    rg_zset_iter_init(&iter, entry, pop->max ? len - 1 : 0, pop->max);
    for (uint64_t i = 0; i < count && rg_zset_iter_next(&iter, &member, &score); i++) {
        if (pop->nested)
            rg_reply_array(ctx->reply, 2);
        rg_reply_bulk(ctx->reply, member);
        rg_reply_double(ctx->reply, score);
    }
    rg_zset_remove_ranks(ctx->db, &entry, pop->max ? len - count : 0, count);
    rg_cmd_note(ctx, key, RG_NOTE_ZSET, pop->max ? "zpopmax" : "zpopmin");
    rg_zset_drop_empty(ctx, key, entry);
    ctx->dirty += count;
    pop_log(ctx, pop, key, count);
}

/* ---- ZPOPMIN, ZPOPMAX ---- */

static void pop_plain(struct rg_cmd_ctx *ctx, bool max)
{
    struct pop pop = {.max = max, .first_key = 1, .keys = 1, .count = -1};
    struct rg_entry *entry = NULL;
    int key = 0;

    if (ctx->argc > 3) {
        rg_cmd_reply_syntax(ctx);
        return;
    }
    if (ctx->argc == 3 &&
        rg_cmd_arg_i64_in(ctx, 2, 0, INT64_MAX, "ERR value is out of range, must be positive",
                          &pop.count) < 0)
        return;
    pop.nested = pop.count != -1 && ctx->reply->proto == 3;
    if (pop_find(ctx, &pop, &key, &entry) < 0)
        return;
    if (entry == NULL || pop.count == 0)
        rg_reply_array(ctx->reply, 0);
    else
        pop_members(ctx, &pop, ctx->argv[key], entry);
}

void rg_cmd_run_zpopmin(struct rg_cmd_ctx *ctx)
{
    pop_plain(ctx, false);
}

void rg_cmd_run_zpopmax(struct rg_cmd_ctx *ctx)
{
    pop_plain(ctx, true);
}

/* ---- ZMPOP ---- */

/* numkeys key… MIN|MAX [COUNT count] from argv[index] on. Errors: RG_EINVAL, RG_ERANGE (replied).
 */
static int pop_parse(struct rg_cmd_ctx *ctx, int index, struct pop *ret_pop)
{
    struct pop pop = {
        .first_key = index + 1, .count = -1, .with_key = true, .nested = true, .log_counted = true};
    int64_t keys = 0;

    if (rg_cmd_arg_i64_in(ctx, index, 1, INT64_MAX, "ERR numkeys should be greater than 0", &keys) <
        0)
        return RG_EINVAL;
    if (keys >= ctx->argc - index - 1) {
        rg_cmd_reply_syntax(ctx);
        return RG_EINVAL;
    }
    pop.keys = (int)keys;
    int where = index + 1 + pop.keys;
    pop.max = rg_cmd_arg_is(ctx, where, "MAX");
    if (!pop.max && !rg_cmd_arg_is(ctx, where, "MIN")) {
        rg_cmd_reply_syntax(ctx);
        return RG_EINVAL;
    }
    for (int i = where + 1; i < ctx->argc; i += 2) {
        if (pop.count != -1 || i + 1 == ctx->argc || !rg_cmd_arg_is(ctx, i, "COUNT")) {
            rg_cmd_reply_syntax(ctx);
            return RG_EINVAL;
        }
        if (rg_cmd_arg_i64_in(ctx, i + 1, 1, INT64_MAX, "ERR count should be greater than 0",
                              &pop.count) < 0)
            return RG_ERANGE;
    }
    if (pop.count == -1)
        pop.count = 1;
    *ret_pop = pop;
    return 0;
}

void rg_cmd_run_zmpop(struct rg_cmd_ctx *ctx)
{
    struct pop pop;
    struct rg_entry *entry = NULL;
    int key = 0;

    if (pop_parse(ctx, 1, &pop) < 0 || pop_find(ctx, &pop, &key, &entry) < 0)
        return;
    if (entry == NULL)
        rg_reply_null_array(ctx->reply);
    else
        pop_members(ctx, &pop, ctx->argv[key], entry);
}

/* ---- Waiting ---- */

static void pop_or_wait(struct rg_cmd_ctx *ctx, const struct pop *pop, int timeout_at)
{
    struct rg_entry *entry = NULL;
    int64_t timeout_us = 0;
    int key = 0;

    if (rg_cmd_arg_timeout(ctx, timeout_at, &timeout_us) < 0 ||
        pop_find(ctx, pop, &key, &entry) < 0)
        return;
    if (entry != NULL)
        pop_members(ctx, pop, ctx->argv[key], entry);
    else if (ctx->may_wait)
        ctx->wait = (struct rg_cmd_wait){true, pop->first_key, pop->keys, timeout_us};
    else
        rg_reply_null_array(ctx->reply);
}

void rg_cmd_run_bzpopmin(struct rg_cmd_ctx *ctx)
{
    struct pop pop = {
        .first_key = 1, .keys = ctx->argc - 2, .count = -1, .with_key = true, .log_single = true};

    pop_or_wait(ctx, &pop, ctx->argc - 1);
}

void rg_cmd_run_bzpopmax(struct rg_cmd_ctx *ctx)
{
    struct pop pop = {.max = true,
                      .first_key = 1,
                      .keys = ctx->argc - 2,
                      .count = -1,
                      .with_key = true,
                      .log_single = true};

    pop_or_wait(ctx, &pop, ctx->argc - 1);
}

void rg_cmd_run_bzmpop(struct rg_cmd_ctx *ctx)
{
    struct pop pop;

    if (pop_parse(ctx, 2, &pop) == 0)
        pop_or_wait(ctx, &pop, 1);
}
