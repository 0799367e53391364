#include "base/alloc.h"
#include "base/number.h"
#include "base/panic.h"
#include "cmd/expiry.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/*
 * DUMP and RESTORE. How a value is serialized is the file format's business, which this layer does
 * not know: ctx->codec does it.
 */

enum { RESTORE_TTL = 2, RESTORE_PAYLOAD = 3, RESTORE_OPTIONS = 4, RESTORE_FREQ_MAX = 255 };

void rg_cmd_run_dump(struct rg_cmd_ctx *ctx)
{
    const struct rg_entry *entry = rg_lookup_read(ctx, ctx->argv[1]);
    struct rg_buf payload = {0};

    if (entry == NULL) {
        rg_reply_null(ctx->reply);
        return;
    }
    ctx->codec->dump(ctx->codec->arg, entry, &payload);
    rg_reply_bulk(ctx->reply, rg_buf_view(&payload));
    rg_buf_fini(&payload);
}

struct restore {
    struct rg_bytes key;
    bool replace;
    bool absolute;
    int64_t idle_s; /* -1: not given */
    int64_t freq;   /* -1: not given */
    int64_t at_ms;  /* RG_NO_EXPIRY: it does not expire */
};

/* An argument in [0, max], or the error that `refusal` says. */
static bool restore_number(struct rg_cmd_ctx *ctx, int index, int64_t max, const char *refusal,
                           int64_t *ret_value)
{
    int64_t value = 0;

    if (rg_cmd_arg_i64(ctx, index, &value) < 0)
        return false;
    if (value < 0 || value > max) {
        rg_reply_error(ctx->reply, refusal);
        return false;
    }
    *ret_value = value;
    return true;
}

/* Replies where the options are wrong. */
static bool restore_options(struct rg_cmd_ctx *ctx, struct restore *restore)
{
    for (int i = RESTORE_OPTIONS; i < ctx->argc; i++) {
        bool more = i + 1 < ctx->argc;
        if (rg_cmd_arg_is(ctx, i, "replace")) {
            restore->replace = true;
        } else if (rg_cmd_arg_is(ctx, i, "absttl")) {
            restore->absolute = true;
        } else if (rg_cmd_arg_is(ctx, i, "idletime") && more && restore->freq == -1) {
            if (!restore_number(ctx, ++i, INT64_MAX, "ERR Invalid IDLETIME value, must be >= 0",
                                &restore->idle_s))
                return false;
        } else if (rg_cmd_arg_is(ctx, i, "freq") && more && restore->idle_s == -1) {
            if (!restore_number(ctx, ++i, RESTORE_FREQ_MAX,
                                "ERR Invalid FREQ value, must be >= 0 and <= 255", &restore->freq))
                return false;
        } else {
            rg_cmd_reply_syntax(ctx);
            return false;
        }
    }
    return true;
}

static bool restore_expiry(struct rg_cmd_ctx *ctx, struct restore *restore)
{
    int64_t ttl = 0;

    if (!restore_number(ctx, RESTORE_TTL, INT64_MAX, "ERR Invalid TTL value, must be >= 0", &ttl))
        return false;
    /* A sum beyond all time wraps, as in Redis, and is then long past. */
    restore->at_ms = ttl == 0            ? RG_NO_EXPIRY
                     : restore->absolute ? ttl
                                         : (int64_t)((uint64_t)ttl + (uint64_t)rg_cmd_now_ms(ctx));
    return true;
}

/* A key that is not there, for a value that has to be whole before it takes another one's place. */
static struct rg_bytes restore_free_key(const struct rg_cmd_ctx *ctx, char room[RG_I64_CHARS])
{
    int64_t number = 0;
    struct rg_bytes key;

    do
        key = rg_bytes(room, rg_format_i64(room, --number));
    while (rg_db_find(ctx->db, key) != NULL);
    return key;
}

/* Puts the value under the key, which is free. Replies where the payload is wrong. */
static bool restore_value(struct rg_cmd_ctx *ctx, struct rg_bytes key)
{
    struct rg_bytes payload = ctx->argv[RESTORE_PAYLOAD];
    int result = ctx->codec->restore(ctx->codec->arg, ctx->store, ctx->db_index, key, payload);

    if (result == RG_EPROTO)
        rg_reply_error(ctx->reply, "ERR DUMP payload version or checksum are wrong");
    else if (result < 0)
        rg_reply_error(ctx->reply, "ERR Bad data format");
    return result == 0;
}

static void restore_access(struct rg_cmd_ctx *ctx, const struct restore *restore,
                           struct rg_entry *entry)
{
    if (ctx->access->lfu && restore->freq >= 0)
        rg_entry_set_access(entry,
                            rg_access_of_frequency((unsigned)restore->freq, ctx->now.mono_us));
    else if (!ctx->access->lfu && restore->idle_s >= 0)
        rg_entry_set_access(entry, rg_access_of_idle(restore->idle_s, ctx->now.mono_us));
}

/* The expiry stands in the log as the moment that it is here. */
static void restore_log(struct rg_cmd_ctx *ctx, const struct restore *restore)
{
    char digits[RG_I64_CHARS];

    if (restore->at_ms == RG_NO_EXPIRY || restore->absolute)
        return;
    struct rg_bytes *words = RG_NEW_ARRAY(struct rg_bytes, (size_t)ctx->argc + 1);
    memcpy(words, ctx->argv, (size_t)ctx->argc * sizeof(*words));
    words[RESTORE_TTL] = rg_bytes(digits, rg_format_i64(digits, restore->at_ms));
    words[ctx->argc] = RG_BYTES("ABSTTL");
    rg_cmd_log_instead(ctx, words, ctx->argc + 1);
    rg_free(words);
}

/* The time is over already: nothing is left under the key. */
static void restore_past(struct rg_cmd_ctx *ctx, const struct restore *restore,
                         struct rg_bytes under, bool replaces)
{
    rg_db_delete(ctx->db, under);
    if (replaces)
        rg_expiry_delete(ctx, restore->key);
    rg_cmd_reply_ok(ctx);
}

void rg_cmd_run_restore(struct rg_cmd_ctx *ctx)
{
    struct restore restore = {.key = ctx->argv[1], .idle_s = -1, .freq = -1};
    char room[RG_I64_CHARS];

    if (!restore_options(ctx, &restore))
        return;
    if (!restore.replace && rg_lookup_write(ctx, restore.key) != NULL) {
        rg_reply_error(ctx->reply, "BUSYKEY Target key name already exists.");
        return;
    }
    if (!restore_expiry(ctx, &restore))
        return;
    bool replaces = rg_db_find(ctx->db, restore.key) != NULL;
    struct rg_bytes under = replaces ? restore_free_key(ctx, room) : restore.key;
    if (!restore_value(ctx, under))
        return;
    if (restore.at_ms != RG_NO_EXPIRY && rg_expiry_is_past(ctx, restore.at_ms)) {
        restore_past(ctx, &restore, under, replaces);
        return;
    }
    if (replaces) {
        int result = rg_db_move(ctx->db, under, ctx->db, restore.key);
        RG_ASSERT(result == 0);
    }
    struct rg_entry *entry = rg_db_find_for_write(ctx->db, restore.key);
    restore_access(ctx, &restore, entry);
    if (restore.at_ms != RG_NO_EXPIRY)
        rg_entry_set_expire_ms(ctx->db, &entry, restore.at_ms);
    rg_cmd_note_new(ctx, ctx->db_index, restore.key);
    rg_cmd_note(ctx, restore.key, RG_NOTE_GENERIC, "restore");
    restore_log(ctx, &restore);
    rg_cmd_reply_ok(ctx);
    ctx->dirty++;
}
