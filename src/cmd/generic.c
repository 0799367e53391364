#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/* Keys whatever they hold: deleting, counting, renaming, copying, moving. */

static void generic_delete(struct rg_cmd_ctx *ctx)
{
    int64_t deleted = 0;

    for (int i = 1; i < ctx->argc; i++) {
        if (rg_lookup_write(ctx, ctx->argv[i]) == NULL)
            continue;
        deleted += rg_db_delete(ctx->db, ctx->argv[i]);
        rg_cmd_note(ctx, ctx->argv[i], RG_NOTE_GENERIC, "del");
    }
    rg_reply_i64(ctx->reply, deleted);
    ctx->dirty += (uint64_t)deleted;
}

void rg_cmd_run_del(struct rg_cmd_ctx *ctx)
{
    generic_delete(ctx);
}

void rg_cmd_run_unlink(struct rg_cmd_ctx *ctx)
{
    generic_delete(ctx);
}

static void generic_count(struct rg_cmd_ctx *ctx, unsigned flags)
{
    int64_t count = 0;

    for (int i = 1; i < ctx->argc; i++)
        count += rg_lookup_read_in(ctx, ctx->db_index, ctx->argv[i], flags) != NULL;
    rg_reply_i64(ctx->reply, count);
}

void rg_cmd_run_exists(struct rg_cmd_ctx *ctx)
{
    generic_count(ctx, RG_LOOKUP_NO_TOUCH);
}

void rg_cmd_run_touch(struct rg_cmd_ctx *ctx)
{
    generic_count(ctx, 0);
}

void rg_cmd_run_type(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry =
        rg_lookup_read_in(ctx, ctx->db_index, ctx->argv[1], RG_LOOKUP_NO_TOUCH);

    rg_reply_simple(ctx->reply, entry != NULL ? rg_type_name(rg_entry_type(entry)) : "none");
}

void rg_cmd_run_randomkey(struct rg_cmd_ctx *ctx)
{
    enum { MAX_TRIES = 100 };
    struct rg_entry *entry = rg_db_random(ctx->db, ctx->rand);

    /*
     * On a replica the past-due ones stay: where there seems to be nothing else, one of them is
     * the answer.
     */
    for (int tries = 1; entry != NULL && rg_lookup_is_expired(ctx, entry); tries++) {
        if (ctx->expiry == RG_EXPIRY_DELETE)
            rg_lookup_delete_expired(ctx, ctx->db_index, rg_entry_key(entry));
        else if (tries >= MAX_TRIES)
            break;
        entry = rg_db_random(ctx->db, ctx->rand);
    }
    if (entry != NULL)
        rg_reply_bulk(ctx->reply, rg_entry_key(entry));
    else
        rg_reply_null(ctx->reply);
}

/* ---- Renaming, copying, moving ---- */

static void generic_same_objects(struct rg_cmd_ctx *ctx)
{
    rg_reply_error(ctx->reply, "ERR source and destination objects are the same");
}

static void generic_done(struct rg_cmd_ctx *ctx, int64_t reply)
{
    rg_reply_i64(ctx->reply, reply);
    ctx->dirty++;
}

/* argv[1] is now the key `to` of db. */
static void generic_note_move(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes to,
                              const char *from_event, const char *to_event)
{
    rg_cmd_note_new(ctx, db, to);
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_GENERIC, from_event);
    rg_cmd_note_in(ctx, db, to, RG_NOTE_GENERIC, to_event);
}

/* Renames argv[1] to argv[2]. Errors: RG_ENOENT, RG_EEXIST (only with if_free). */
static int generic_rename(struct rg_cmd_ctx *ctx, bool if_free)
{
    if (rg_lookup_write(ctx, ctx->argv[1]) == NULL)
        return RG_ENOENT;
    if (rg_bytes_equal(ctx->argv[1], ctx->argv[2]))
        return if_free ? RG_EEXIST : 0;
    if (rg_lookup_write(ctx, ctx->argv[2]) != NULL && if_free)
        return RG_EEXIST;
    int result = rg_db_move(ctx->db, ctx->argv[1], ctx->db, ctx->argv[2]);
    if (result < 0)
        return result;
    generic_note_move(ctx, ctx->db_index, ctx->argv[2], "rename_from", "rename_to");
    ctx->dirty++;
    return 0;
}

void rg_cmd_run_rename(struct rg_cmd_ctx *ctx)
{
    if (generic_rename(ctx, false) == RG_ENOENT)
        rg_reply_error(ctx->reply, "ERR no such key");
    else
        rg_cmd_reply_ok(ctx);
}

void rg_cmd_run_renamenx(struct rg_cmd_ctx *ctx)
{
    int result = generic_rename(ctx, true);

    if (result == RG_ENOENT)
        rg_reply_error(ctx->reply, "ERR no such key");
    else
        rg_reply_i64(ctx->reply, result == 0);
}

void rg_cmd_run_copy(struct rg_cmd_ctx *ctx)
{
    unsigned db = ctx->db_index;
    bool replace = false;

    for (int i = 3; i < ctx->argc; i++) {
        if (rg_cmd_arg_is(ctx, i, "REPLACE")) {
            replace = true;
        } else if (rg_cmd_arg_is(ctx, i, "DB") && i + 1 < ctx->argc) {
            if (rg_cmd_arg_db(ctx, ++i, &db) < 0)
                return;
        } else {
            rg_cmd_reply_syntax(ctx);
            return;
        }
    }
    if (db == ctx->db_index && rg_bytes_equal(ctx->argv[1], ctx->argv[2])) {
        generic_same_objects(ctx);
        return;
    }
    if (rg_lookup_read(ctx, ctx->argv[1]) == NULL ||
        (rg_lookup_write_in(ctx, db, ctx->argv[2]) != NULL && !replace)) {
        rg_reply_i64(ctx->reply, 0);
        return;
    }
    struct rg_db *target = rg_store_db(ctx->store, db);
    if (rg_db_copy(ctx->db, ctx->argv[1], target, ctx->argv[2]) < 0) {
        rg_reply_i64(ctx->reply, 0);
        return;
    }
    rg_lookup_touch(ctx, rg_db_find(target, ctx->argv[2]));
    rg_cmd_note_new(ctx, db, ctx->argv[2]);
    rg_cmd_note_in(ctx, db, ctx->argv[2], RG_NOTE_GENERIC, "copy_to");
    generic_done(ctx, 1);
}

void rg_cmd_run_move(struct rg_cmd_ctx *ctx)
{
    unsigned db = 0;

    if (rg_cmd_arg_db(ctx, 2, &db) < 0)
        return;
    if (db == ctx->db_index) {
        generic_same_objects(ctx);
        return;
    }
    if (rg_lookup_write(ctx, ctx->argv[1]) == NULL ||
        rg_lookup_write_in(ctx, db, ctx->argv[1]) != NULL ||
        rg_db_move(ctx->db, ctx->argv[1], rg_store_db(ctx->store, db), ctx->argv[1]) < 0) {
        rg_reply_i64(ctx->reply, 0);
        return;
    }
    generic_note_move(ctx, db, ctx->argv[1], "move_from", "move_to");
    generic_done(ctx, 1);
}
