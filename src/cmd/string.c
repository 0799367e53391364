#include "cmd/string_value.h"

#include "base/number.h"
#include "cmd/expiry.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

void rg_string_reply(struct rg_cmd_ctx *ctx, const struct rg_entry *entry)
{
    char scratch[RG_STRING_SCRATCH];

    if (entry == NULL)
        rg_reply_null(ctx->reply);
    else
        /* What is large lies in the store, not in the scratch. */
        rg_reply_bulk_lent(ctx->reply, rg_string_get(entry, scratch));
}

void rg_string_store(struct rg_cmd_ctx *ctx, struct rg_bytes key, struct rg_bytes value,
                     bool keep_expiry)
{
    struct rg_entry *entry = keep_expiry ? rg_db_find_for_write(ctx->db, key) : NULL;
    int64_t expire_ms = entry != NULL ? rg_entry_expire_ms(entry) : RG_NO_EXPIRY;

    entry = rg_db_put_string(ctx->db, key, value);
    if (expire_ms != RG_NO_EXPIRY)
        rg_entry_set_expire_ms(ctx->db, &entry, expire_ms);
    rg_lookup_touch(ctx, entry);
}

int rg_string_check_len(struct rg_cmd_ctx *ctx, uint64_t len, uint64_t more)
{
    uint64_t total = 0;

    /* What the primary wrote is written here too, whatever this node's own limit. */
    if (ctx->expiry == RG_EXPIRY_IGNORE)
        return 0;
    if (!__builtin_add_overflow(len, more, &total) && total <= ctx->max_bulk_len)
        return 0;
    rg_reply_error(ctx->reply, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    return RG_ELIMIT;
}

/* Replies the string of argv[1]. Errors: RG_ETYPE (replied). */
static int string_reply_key(struct rg_cmd_ctx *ctx, struct rg_entry **ret_entry)
{
    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_STRING, ret_entry) < 0)
        return RG_ETYPE;
    rg_string_reply(ctx, *ret_entry);
    return 0;
}

void rg_cmd_run_get(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    (void)!string_reply_key(ctx, &entry);
}

/* ---- SET and its older forms ---- */

struct string_set {
    struct rg_bytes key;
    struct rg_bytes value;
    bool nx;
    bool xx;
    bool get;
    struct rg_expiry_option expiry;
};

static void string_log_set_at(struct rg_cmd_ctx *ctx, const struct string_set *set, int64_t at_ms)
{
    char digits[RG_I64_CHARS];
    size_t len = rg_format_i64(digits, at_ms);
    struct rg_bytes words[] = {RG_BYTES("SET"), set->key, set->value, RG_BYTES("PXAT"),
                               rg_bytes(digits, len)};

    rg_cmd_log_instead(ctx, words, 5);
}

/* The log needs no GET: nobody reads the reply there. */
static void string_log_without_get(struct rg_cmd_ctx *ctx, const struct string_set *set)
{
    enum { MAX_WORDS = 5 };
    struct rg_bytes words[MAX_WORDS] = {RG_BYTES("SET"), set->key, set->value};
    int count = 3;

    if (set->nx || set->xx)
        words[count++] = set->nx ? RG_BYTES("NX") : RG_BYTES("XX");
    if (set->expiry.keep)
        words[count++] = RG_BYTES("KEEPTTL");
    rg_cmd_log_instead(ctx, words, count);
}

/*
 * Returns whether the value was set. The reply is written where an argument is wrong (then
 * *ret_replied is true) or where the old value was asked for.
 */
static bool string_set(struct rg_cmd_ctx *ctx, const struct string_set *set, bool *ret_replied)
{
    struct rg_entry *old = NULL;
    int64_t at_ms = RG_NO_EXPIRY;

    *ret_replied = true;
    if (set->expiry.given && rg_expiry_option_resolve(ctx, &set->expiry, &at_ms) < 0)
        return false;
    if (set->get && string_reply_key(ctx, &old) < 0)
        return false;
    *ret_replied = set->get;
    bool found = rg_lookup_write(ctx, set->key) != NULL;
    if ((set->nx && found) || (set->xx && !found))
        return false;
    rg_string_store(ctx, set->key, set->value, set->expiry.keep);
    if (!found)
        rg_cmd_note_new(ctx, ctx->db_index, set->key);
    rg_cmd_note(ctx, set->key, RG_NOTE_STRING, "set");
    ctx->dirty++;
    if (at_ms != RG_NO_EXPIRY) {
        struct rg_entry *entry = rg_db_find_for_write(ctx->db, set->key);
        rg_entry_set_expire_ms(ctx->db, &entry, at_ms);
        rg_cmd_note_event(ctx, ctx->db_index, set->key, RG_NOTE_GENERIC, "expire");
        string_log_set_at(ctx, set, at_ms);
    } else if (set->get) {
        string_log_without_get(ctx, set);
    }
    return true;
}

void rg_cmd_run_set(struct rg_cmd_ctx *ctx)
{
    struct string_set set = {.key = ctx->argv[1], .value = ctx->argv[2]};
    bool replied = false;

    for (int i = 3; i < ctx->argc; i++) {
        if (rg_cmd_arg_is(ctx, i, "NX") && !set.xx) {
            set.nx = true;
        } else if (rg_cmd_arg_is(ctx, i, "XX") && !set.nx) {
            set.xx = true;
        } else if (rg_cmd_arg_is(ctx, i, "GET")) {
            set.get = true;
        } else if (rg_expiry_option_parse(ctx, &i, &set.expiry) < 0 || set.expiry.persist) {
            rg_cmd_reply_syntax(ctx);
            return;
        }
    }
    bool done = string_set(ctx, &set, &replied);
    if (replied)
        return;
    if (done)
        rg_cmd_reply_ok(ctx);
    else
        rg_reply_null(ctx->reply);
}

void rg_cmd_run_setnx(struct rg_cmd_ctx *ctx)
{
    struct string_set set = {.key = ctx->argv[1], .value = ctx->argv[2], .nx = true};
    bool replied = false;

    rg_reply_i64(ctx->reply, string_set(ctx, &set, &replied));
}

static void string_setex(struct rg_cmd_ctx *ctx, enum rg_expiry_unit unit)
{
    struct string_set set = {.key = ctx->argv[1], .value = ctx->argv[3]};
    bool replied = false;

    set.expiry = (struct rg_expiry_option){.given = true, .unit = unit, .arg = 2};
    if (string_set(ctx, &set, &replied))
        rg_cmd_reply_ok(ctx);
}

void rg_cmd_run_setex(struct rg_cmd_ctx *ctx)
{
    string_setex(ctx, RG_EXPIRY_SECONDS);
}

void rg_cmd_run_psetex(struct rg_cmd_ctx *ctx)
{
    string_setex(ctx, RG_EXPIRY_MILLISECONDS);
}

void rg_cmd_run_getset(struct rg_cmd_ctx *ctx)
{
    struct string_set set = {.key = ctx->argv[1], .value = ctx->argv[2], .get = true};
    bool replied = false;

    (void)string_set(ctx, &set, &replied);
}

/* ---- Reading with a change of the key ---- */

void rg_cmd_run_getdel(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    if (string_reply_key(ctx, &entry) == 0 && entry != NULL)
        rg_expiry_delete(ctx, ctx->argv[1]);
}

static void string_persist(struct rg_cmd_ctx *ctx, struct rg_entry *entry)
{
    struct rg_bytes words[] = {RG_BYTES("PERSIST"), ctx->argv[1]};

    if (rg_entry_expire_ms(entry) == RG_NO_EXPIRY)
        return;
    rg_entry_set_expire_ms(ctx->db, &entry, RG_NO_EXPIRY);
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_GENERIC, "persist");
    rg_cmd_log_instead(ctx, words, 2);
    ctx->dirty++;
}

void rg_cmd_run_getex(struct rg_cmd_ctx *ctx)
{
    struct rg_expiry_option option = {0};
    struct rg_entry *entry = NULL;
    int64_t at_ms = RG_NO_EXPIRY;

    for (int i = 2; i < ctx->argc; i++) {
        if (rg_expiry_option_parse(ctx, &i, &option) < 0 || option.keep) {
            rg_cmd_reply_syntax(ctx);
            return;
        }
    }
    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_STRING, &entry) < 0)
        return;
    if (entry == NULL) {
        rg_reply_null(ctx->reply);
        return;
    }
    if (option.given && rg_expiry_option_resolve(ctx, &option, &at_ms) < 0)
        return;
    rg_string_reply(ctx, entry);
    if (!option.given && !option.persist)
        return;
    if (option.given && rg_expiry_is_past(ctx, at_ms)) {
        rg_expiry_delete(ctx, ctx->argv[1]);
        return;
    }
    entry = rg_db_find_for_write(ctx->db, ctx->argv[1]);
    if (option.persist) {
        string_persist(ctx, entry);
        return;
    }
    rg_entry_set_expire_ms(ctx->db, &entry, at_ms);
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_GENERIC, "expire");
    rg_expiry_log(ctx, ctx->argv[1], at_ms);
    ctx->dirty++;
}

/* ---- Several keys ---- */

void rg_cmd_run_mget(struct rg_cmd_ctx *ctx)
{
    rg_reply_array(ctx->reply, ctx->argc - 1);
    for (int i = 1; i < ctx->argc; i++) {
        struct rg_entry *entry = rg_lookup_read(ctx, ctx->argv[i]);
        if (entry != NULL && rg_entry_type(entry) != RG_TYPE_STRING)
            entry = NULL;
        rg_string_reply(ctx, entry);
    }
}

static void string_mset(struct rg_cmd_ctx *ctx)
{
    for (int i = 1; i < ctx->argc; i += 2) {
        bool found = rg_lookup_write(ctx, ctx->argv[i]) != NULL; /* past due: logged as deleted */
        rg_string_store(ctx, ctx->argv[i], ctx->argv[i + 1], false);
        if (!found)
            rg_cmd_note_new(ctx, ctx->db_index, ctx->argv[i]);
        rg_cmd_note(ctx, ctx->argv[i], RG_NOTE_STRING, "set");
        ctx->dirty++;
    }
}

void rg_cmd_run_mset(struct rg_cmd_ctx *ctx)
{
    if (ctx->argc % 2 == 0) {
        rg_cmd_reply_arity(ctx);
        return;
    }
    string_mset(ctx);
    rg_cmd_reply_ok(ctx);
}

void rg_cmd_run_msetnx(struct rg_cmd_ctx *ctx)
{
    if (ctx->argc % 2 == 0) {
        rg_cmd_reply_arity(ctx);
        return;
    }
    for (int i = 1; i < ctx->argc; i += 2) {
        if (rg_lookup_write(ctx, ctx->argv[i]) != NULL) {
            rg_reply_i64(ctx->reply, 0);
            return;
        }
    }
    string_mset(ctx);
    rg_reply_i64(ctx->reply, 1);
}
