#include <math.h>

#include "base/number.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "cmd/scan.h"
#include "cmd/zset_value.h"

/* Sorted sets: single members, and ZSCAN. */

bool rg_zset_drop_empty(struct rg_cmd_ctx *ctx, struct rg_bytes key, const struct rg_entry *entry)
{
    if (rg_zset_len(entry) > 0)
        return false;
    rg_db_delete(ctx->db, key);
    rg_cmd_note(ctx, key, RG_NOTE_GENERIC, "del");
    return true;
}

void rg_zset_reply_head(struct rg_cmd_ctx *ctx, uint64_t count, bool with_scores)
{
    rg_reply_array(ctx->reply,
                   (int64_t)(with_scores && ctx->reply->proto == 2 ? count * 2 : count));
}

void rg_zset_reply_member(struct rg_cmd_ctx *ctx, struct rg_bytes member, double score,
                          bool with_scores)
{
    if (with_scores && ctx->reply->proto == 3)
        rg_reply_array(ctx->reply, 2);
    rg_reply_bulk(ctx->reply, member);
    if (with_scores)
        rg_reply_double(ctx->reply, score);
}

/* False where the command is answered already. */
static bool zset_read(struct rg_cmd_ctx *ctx, struct rg_entry **ret_entry)
{
    return rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_ZSET, ret_entry) == 0;
}

void rg_cmd_run_zcard(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    if (zset_read(ctx, &entry))
        rg_reply_i64(ctx->reply, entry != NULL ? (int64_t)rg_zset_len(entry) : 0);
}

static void zset_reply_score(struct rg_cmd_ctx *ctx, const struct rg_entry *entry,
                             struct rg_bytes member)
{
    double score = 0;

    if (entry != NULL && rg_zset_score(entry, member, &score))
        rg_reply_double(ctx->reply, score);
    else
        rg_reply_null(ctx->reply);
}

void rg_cmd_run_zscore(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    if (zset_read(ctx, &entry))
        zset_reply_score(ctx, entry, ctx->argv[2]);
}

void rg_cmd_run_zmscore(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    if (!zset_read(ctx, &entry))
        return;
    rg_reply_array(ctx->reply, ctx->argc - 2);
    for (int i = 2; i < ctx->argc; i++)
        zset_reply_score(ctx, entry, ctx->argv[i]);
}

static void zset_reply_rank(struct rg_cmd_ctx *ctx, bool backward)
{
    struct rg_entry *entry = NULL;
    uint64_t rank = 0;

    if (!zset_read(ctx, &entry))
        return;
    if (entry == NULL || !rg_zset_rank(entry, ctx->argv[2], &rank))
        rg_reply_null(ctx->reply);
    else
        rg_reply_i64(ctx->reply, (int64_t)(backward ? rg_zset_len(entry) - 1 - rank : rank));
}

void rg_cmd_run_zrank(struct rg_cmd_ctx *ctx)
{
    zset_reply_rank(ctx, false);
}

void rg_cmd_run_zrevrank(struct rg_cmd_ctx *ctx)
{
    zset_reply_rank(ctx, true);
}

void rg_cmd_run_zrem(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    int64_t removed = 0;

    if (rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_ZSET, &entry) < 0)
        return;
    for (int i = 2; i < ctx->argc && entry != NULL && rg_zset_len(entry) > 0; i++)
        removed += rg_zset_remove(ctx->db, &entry, ctx->argv[i]);
    if (removed > 0) {
        rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_ZSET, "zrem");
        rg_zset_drop_empty(ctx, ctx->argv[1], entry);
    }
    ctx->dirty += (uint64_t)removed;
    rg_reply_i64(ctx->reply, removed);
}

/* ---- ZSCAN ---- */

struct zset_scan {
    bool small;
    struct rg_scan_options options;
    struct rg_scan_found found;
};

static void zset_scan_visit(void *arg, struct rg_bytes member, double score)
{
    struct zset_scan *scan = arg;
    char text[RG_DOUBLE_CHARS];

    if (!rg_scan_matches(&scan->options, member))
        return;
    rg_scan_add_shown(&scan->found, member);
    /* Redis' small sets hold integers as such, and show them without an exponent here. */
    bool integer = scan->small && fabs(score) < 0x1p62 && score == (double)(int64_t)score;
    size_t len = integer ? rg_format_i64(text, (int64_t)score) : rg_format_double(text, score);
    rg_scan_add_copy(&scan->found, rg_bytes(text, len));
}

void rg_cmd_run_zscan(struct rg_cmd_ctx *ctx)
{
    struct zset_scan scan = {0};
    struct rg_entry *entry = NULL;
    uint64_t cursor = 0;

    if (!rg_scan_begin(ctx, RG_TYPE_ZSET, &cursor, &scan.options, &entry))
        return;
    scan.small = strcmp(rg_entry_encoding(entry), "listpack") == 0;
    cursor = rg_zset_scan(entry, cursor, (uint64_t)scan.options.count, zset_scan_visit, &scan);
    rg_scan_reply(ctx, cursor, &scan.found);
    rg_scan_found_fini(&scan.found);
}
