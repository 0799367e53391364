#include <math.h>

#include "base/number.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/* Hashes: everything but the random and the stepwise reading of fields. */

/* Errors: RG_ETYPE (replied). */
static int hash_find_or_create(struct rg_cmd_ctx *ctx, struct rg_entry **ret_entry)
{
    struct rg_entry *entry = NULL;

    if (rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_HASH, &entry) < 0)
        return RG_ETYPE;
    if (entry == NULL) {
        entry = rg_db_put_hash(ctx->db, ctx->argv[1]);
        rg_lookup_touch(ctx, entry);
        rg_cmd_note_new(ctx, ctx->db_index, ctx->argv[1]);
    }
    *ret_entry = entry;
    return 0;
}

/* False where the command is answered already or there is nothing to read; then entry is NULL. */
static bool hash_read(struct rg_cmd_ctx *ctx, struct rg_entry **ret_entry)
{
    return rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_HASH, ret_entry) == 0;
}

static bool hash_field(const struct rg_entry *entry, struct rg_bytes field,
                       char scratch[RG_STRING_SCRATCH], struct rg_bytes *ret_value)
{
    return entry != NULL && rg_hash_get(entry, field, scratch, ret_value);
}

static void hash_reply_field(struct rg_cmd_ctx *ctx, const struct rg_entry *entry,
                             struct rg_bytes field)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_bytes value;

    if (hash_field(entry, field, scratch, &value))
        rg_reply_bulk(ctx->reply, value);
    else
        rg_reply_null(ctx->reply);
}

/* Returns how many fields were new, or a negative error (replied). */
static int64_t hash_set_pairs(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    int64_t created = 0;

    if (ctx->argc % 2 == 1) {
        rg_cmd_reply_arity(ctx);
        return RG_EINVAL;
    }
    if (hash_find_or_create(ctx, &entry) < 0)
        return RG_ETYPE;
    for (int i = 2; i < ctx->argc; i += 2) {
        created += rg_hash_set(ctx->db, &entry, ctx->argv[i], ctx->argv[i + 1]);
        ctx->dirty++;
    }
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_HASH, "hset");
    return created;
}

void rg_cmd_run_hset(struct rg_cmd_ctx *ctx)
{
    int64_t created = hash_set_pairs(ctx);

    if (created >= 0)
        rg_reply_i64(ctx->reply, created);
}

void rg_cmd_run_hmset(struct rg_cmd_ctx *ctx)
{
    if (hash_set_pairs(ctx) >= 0)
        rg_cmd_reply_ok(ctx);
}

void rg_cmd_run_hsetnx(struct rg_cmd_ctx *ctx)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_entry *entry = NULL;
    struct rg_bytes value;

    if (hash_find_or_create(ctx, &entry) < 0)
        return;
    if (rg_hash_get(entry, ctx->argv[2], scratch, &value)) {
        rg_reply_i64(ctx->reply, 0);
        return;
    }
    rg_hash_set(ctx->db, &entry, ctx->argv[2], ctx->argv[3]);
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_HASH, "hset");
    rg_reply_i64(ctx->reply, 1);
    ctx->dirty++;
}

void rg_cmd_run_hget(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    if (hash_read(ctx, &entry))
        hash_reply_field(ctx, entry, ctx->argv[2]);
}

void rg_cmd_run_hmget(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    if (!hash_read(ctx, &entry))
        return;
    rg_reply_array(ctx->reply, ctx->argc - 2);
    for (int i = 2; i < ctx->argc; i++)
        hash_reply_field(ctx, entry, ctx->argv[i]);
}

void rg_cmd_run_hexists(struct rg_cmd_ctx *ctx)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_entry *entry = NULL;
    struct rg_bytes value;

    if (hash_read(ctx, &entry))
        rg_reply_i64(ctx->reply, hash_field(entry, ctx->argv[2], scratch, &value));
}

void rg_cmd_run_hlen(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    if (hash_read(ctx, &entry))
        rg_reply_i64(ctx->reply, entry != NULL ? (int64_t)rg_hash_len(entry) : 0);
}

void rg_cmd_run_hstrlen(struct rg_cmd_ctx *ctx)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_entry *entry = NULL;
    struct rg_bytes value = {0};

    if (hash_read(ctx, &entry))
        rg_reply_i64(ctx->reply,
                     hash_field(entry, ctx->argv[2], scratch, &value) ? (int64_t)value.len : 0);
}

void rg_cmd_run_hdel(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    int64_t deleted = 0;
    bool emptied = false;

    if (rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_HASH, &entry) < 0)
        return;
    for (int i = 2; i < ctx->argc && entry != NULL && !emptied; i++) {
        deleted += rg_hash_delete(ctx->db, &entry, ctx->argv[i]);
        emptied = rg_hash_len(entry) == 0;
    }
    if (emptied)
        rg_db_delete(ctx->db, ctx->argv[1]);
    if (deleted > 0)
        rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_HASH, "hdel");
    if (emptied)
        rg_cmd_note_event(ctx, ctx->db_index, ctx->argv[1], RG_NOTE_GENERIC, "del");
    rg_reply_i64(ctx->reply, deleted);
    ctx->dirty += (uint64_t)deleted;
}

/* ---- The whole hash ---- */

static void hash_reply_all(struct rg_cmd_ctx *ctx, bool fields, bool values)
{
    struct rg_entry *entry = NULL;
    struct rg_hash_iter iter;
    struct rg_bytes field;
    struct rg_bytes value;

    if (!hash_read(ctx, &entry))
        return;
    int64_t len = entry != NULL ? (int64_t)rg_hash_len(entry) : 0;
    if (fields && values)
        rg_reply_map(ctx->reply, len);
    else
        rg_reply_array(ctx->reply, len);
    if (entry == NULL)
        return;
    rg_hash_iter_init(&iter, entry);
    while (rg_hash_iter_next(&iter, &field, &value)) {
        if (fields)
            rg_reply_bulk(ctx->reply, field);
        if (values)
            rg_reply_bulk(ctx->reply, value);
    }
}

void rg_cmd_run_hgetall(struct rg_cmd_ctx *ctx)
{
    hash_reply_all(ctx, true, true);
}

void rg_cmd_run_hkeys(struct rg_cmd_ctx *ctx)
{
    hash_reply_all(ctx, true, false);
}

void rg_cmd_run_hvals(struct rg_cmd_ctx *ctx)
{
    hash_reply_all(ctx, false, true);
}

/* ---- Fields as numbers ---- */

void rg_cmd_run_hincrby(struct rg_cmd_ctx *ctx)
{
    char scratch[RG_STRING_SCRATCH];
    char digits[RG_I64_CHARS];
    struct rg_entry *entry = NULL;
    struct rg_bytes text;
    int64_t increment = 0;
    int64_t value = 0;

    if (rg_cmd_arg_i64(ctx, 3, &increment) < 0 || hash_find_or_create(ctx, &entry) < 0)
        return;
    if (rg_hash_get(entry, ctx->argv[2], scratch, &text) && rg_parse_i64(text, &value) < 0) {
        rg_reply_error(ctx->reply, "ERR hash value is not an integer");
        return;
    }
    if (__builtin_add_overflow(value, increment, &value)) {
        rg_reply_error(ctx->reply, "ERR increment or decrement would overflow");
        return;
    }
    rg_hash_set(ctx->db, &entry, ctx->argv[2], rg_bytes(digits, rg_format_i64(digits, value)));
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_HASH, "hincrby");
    rg_reply_i64(ctx->reply, value);
    ctx->dirty++;
}

void rg_cmd_run_hincrbyfloat(struct rg_cmd_ctx *ctx)
{
    char scratch[RG_STRING_SCRATCH];
    char digits[RG_LONG_DOUBLE_CHARS];
    struct rg_entry *entry = NULL;
    struct rg_bytes text;
    long double increment = 0;
    long double value = 0;

    if (rg_cmd_arg_long_double(ctx, 3, &increment) < 0)
        return;
    if (isnan(increment) || isinf(increment)) {
        rg_reply_error(ctx->reply, "ERR value is NaN or Infinity");
        return;
    }
    if (hash_find_or_create(ctx, &entry) < 0)
        return;
    if (rg_hash_get(entry, ctx->argv[2], scratch, &text) &&
        rg_parse_long_double(text, &value) < 0) {
        rg_reply_error(ctx->reply, "ERR hash value is not a float");
        return;
    }
    value += increment;
    if (isnan(value) || isinf(value)) {
        rg_reply_error(ctx->reply, "ERR increment would produce NaN or Infinity");
        return;
    }
    text = rg_bytes(digits, rg_format_long_double(digits, value));
    rg_hash_set(ctx->db, &entry, ctx->argv[2], text);
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_HASH, "hincrbyfloat");
    rg_reply_bulk(ctx->reply, text);
    /* Floating point differs from machine to machine, so the log gets the result. */
    struct rg_bytes words[] = {RG_BYTES("HSET"), ctx->argv[1], ctx->argv[2], text};
    rg_cmd_log_instead(ctx, words, 4);
    ctx->dirty++;
}
