#include "store/set.h"

#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "cmd/scan.h"
#include "cmd/set_value.h"

/* Sets: single members, whole sets and walking through them. */

void rg_set_reply(struct rg_cmd_ctx *ctx, const struct rg_entry *entry)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_set_iter iter;
    struct rg_bytes member;

    rg_reply_set(ctx->reply, (int64_t)rg_set_len(entry));
    rg_set_iter_init(&iter, entry);
    while (rg_set_iter_next(&iter, scratch, &member))
        rg_reply_bulk(ctx->reply, member);
}

bool rg_set_delete_empty(struct rg_cmd_ctx *ctx, struct rg_bytes key, const struct rg_entry *entry)
{
    if (rg_set_len(entry) > 0)
        return false;
    rg_db_delete(ctx->db, key);
    rg_cmd_note(ctx, key, RG_NOTE_GENERIC, "del");
    return true;
}

/* ---- Single members ---- */

void rg_cmd_run_sadd(struct rg_cmd_ctx *ctx)
{
    struct rg_bytes key = ctx->argv[1];
    struct rg_entry *entry = NULL;
    int64_t added = 0;

    if (rg_lookup_write_type(ctx, key, RG_TYPE_SET, &entry) < 0)
        return;
    if (entry == NULL) {
        entry = rg_db_put_set(ctx->db, key);
        rg_lookup_touch(ctx, entry);
        rg_cmd_note_new(ctx, ctx->db_index, key);
    }
    for (int i = 2; i < ctx->argc; i++)
        added += rg_set_add(ctx->db, &entry, ctx->argv[i]);
    if (added > 0)
        rg_cmd_note(ctx, key, RG_NOTE_SET, "sadd");
    ctx->dirty += (uint64_t)added;
    rg_reply_i64(ctx->reply, added);
}

void rg_cmd_run_srem(struct rg_cmd_ctx *ctx)
{
    struct rg_bytes key = ctx->argv[1];
    struct rg_entry *entry = NULL;
    int64_t removed = 0;

    if (rg_lookup_write_type(ctx, key, RG_TYPE_SET, &entry) < 0)
        return;
    for (int i = 2; i < ctx->argc && entry != NULL && rg_set_len(entry) > 0; i++)
        removed += rg_set_remove(ctx->db, &entry, ctx->argv[i]);
    if (removed > 0) {
        rg_cmd_note(ctx, key, RG_NOTE_SET, "srem");
        rg_set_delete_empty(ctx, key, entry);
    }
    ctx->dirty += (uint64_t)removed;
    rg_reply_i64(ctx->reply, removed);
}

/* Both keys are of sets, or there is no destination yet. */
static void set_move(struct rg_cmd_ctx *ctx, struct rg_entry *source, struct rg_entry *target)
{
    struct rg_bytes key = ctx->argv[1];
    struct rg_bytes target_key = ctx->argv[2];
    struct rg_bytes member = ctx->argv[3];

    if (!rg_set_remove(ctx->db, &source, member)) {
        rg_reply_i64(ctx->reply, 0);
        return;
    }
    rg_cmd_note(ctx, key, RG_NOTE_SET, "srem");
    ctx->dirty++;
    rg_set_delete_empty(ctx, key, source);
    if (target == NULL) {
        target = rg_db_put_set(ctx->db, target_key);
        rg_lookup_touch(ctx, target);
        rg_cmd_note_new(ctx, ctx->db_index, target_key);
    }
    if (rg_set_add(ctx->db, &target, member)) {
        rg_cmd_note(ctx, target_key, RG_NOTE_SET, "sadd");
        ctx->dirty++;
    }
    rg_reply_i64(ctx->reply, 1);
}

void rg_cmd_run_smove(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *source = rg_lookup_write(ctx, ctx->argv[1]);
    struct rg_entry *target = rg_lookup_write(ctx, ctx->argv[2]);

    if (source == NULL) {
        rg_reply_i64(ctx->reply, 0);
        return;
    }
    if (rg_entry_type(source) != RG_TYPE_SET ||
        (target != NULL && rg_entry_type(target) != RG_TYPE_SET)) {
        rg_cmd_reply_wrong_type(ctx);
        return;
    }
    if (source == target)
        rg_reply_i64(ctx->reply, rg_set_has(source, ctx->argv[3]));
    else
        set_move(ctx, source, target);
}

/* ---- Reading ---- */

void rg_cmd_run_sismember(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_SET, &entry) == 0)
        rg_reply_i64(ctx->reply, entry != NULL && rg_set_has(entry, ctx->argv[2]));
}

void rg_cmd_run_smismember(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_SET, &entry) < 0)
        return;
    rg_reply_array(ctx->reply, ctx->argc - 2);
    for (int i = 2; i < ctx->argc; i++)
        rg_reply_i64(ctx->reply, entry != NULL && rg_set_has(entry, ctx->argv[i]));
}

void rg_cmd_run_scard(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_SET, &entry) == 0)
        rg_reply_i64(ctx->reply, entry != NULL ? (int64_t)rg_set_len(entry) : 0);
}

void rg_cmd_run_smembers(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_SET, &entry) < 0)
        return;
    if (entry != NULL)
        rg_set_reply(ctx, entry);
    else
        rg_reply_set(ctx->reply, 0);
}

struct set_scan {
    struct rg_scan_options options;
    struct rg_scan_found found;
};

static void set_scan_visit(void *arg, struct rg_bytes member)
{
    struct set_scan *scan = arg;

    if (rg_scan_matches(&scan->options, member))
        rg_scan_add_copy(&scan->found, member);
}

void rg_cmd_run_sscan(struct rg_cmd_ctx *ctx)
{
    struct set_scan scan = {0};
    struct rg_entry *entry = NULL;
    uint64_t cursor = 0;

    if (!rg_scan_begin(ctx, RG_TYPE_SET, &cursor, &scan.options, &entry))
        return;
    cursor = rg_set_scan(entry, cursor, (uint64_t)scan.options.count, set_scan_visit, &scan);
    rg_scan_reply(ctx, cursor, &scan.found);
    rg_scan_found_fini(&scan.found);
}
