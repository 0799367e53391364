#include "base/alloc.h"
#include "base/glob.h"
#include "base/number.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/* SCAN, HSCAN and KEYS: walking through keys and fields. */

struct scan_options {
    int64_t count;
    struct rg_bytes pattern; /* data NULL: everything */
    struct rg_bytes type;    /* data NULL: every type */
};

/*
 * What a walk found: views into the database, and copies of the past-due keys, which can only be
 * deleted once the walk and its reply are over.
 */
struct scan_walk {
    struct rg_cmd_ctx *ctx;
    const struct scan_options *options;
    bool deletes;           /* past-due keys, where this node may */
    struct rg_bytes *found; /* owned */
    size_t found_count;
    size_t found_cap;
    struct rg_buf expired; /* keys one after the other */
    size_t *expired_lens;  /* owned */
    size_t expired_count;
    size_t expired_cap;
};

static void scan_walk_fini(struct scan_walk *walk)
{
    rg_free(walk->found);
    rg_buf_fini(&walk->expired);
    rg_free(walk->expired_lens);
}

static void scan_add(struct scan_walk *walk, struct rg_bytes bytes)
{
    enum { FIRST_CAP = 16 };

    if (walk->found_count == walk->found_cap) {
        walk->found_cap = walk->found_cap > 0 ? walk->found_cap * 2 : FIRST_CAP;
        walk->found = rg_realloc(walk->found, walk->found_cap * sizeof(*walk->found));
    }
    walk->found[walk->found_count++] = bytes;
}

static void scan_add_expired(struct scan_walk *walk, struct rg_bytes key)
{
    enum { FIRST_CAP = 16 };

    if (walk->expired_count == walk->expired_cap) {
        walk->expired_cap = walk->expired_cap > 0 ? walk->expired_cap * 2 : FIRST_CAP;
        walk->expired_lens =
            rg_realloc(walk->expired_lens, walk->expired_cap * sizeof(*walk->expired_lens));
    }
    rg_buf_append_bytes(&walk->expired, key);
    walk->expired_lens[walk->expired_count++] = key.len;
}

static void scan_delete_expired(struct scan_walk *walk)
{
    for (size_t i = 0; i < walk->expired_count; i++) {
        struct rg_bytes key = {rg_buf_view(&walk->expired).data, walk->expired_lens[i]};
        rg_lookup_delete_expired(walk->ctx, walk->ctx->db_index, key);
        rg_buf_consume(&walk->expired, key.len);
    }
}

static bool scan_matches(const struct scan_options *options, struct rg_bytes text)
{
    return options->pattern.data == NULL || rg_glob_match(options->pattern, text, false);
}

static void scan_visit_entry(void *arg, struct rg_entry *entry)
{
    struct scan_walk *walk = arg;
    const struct scan_options *options = walk->options;
    struct rg_bytes key = rg_entry_key(entry);

    if (!scan_matches(options, key))
        return;
    if (options->type.data != NULL &&
        !rg_bytes_is_nocase(options->type, rg_type_name(rg_entry_type(entry))))
        return;
    if (!rg_lookup_is_expired(walk->ctx, entry))
        scan_add(walk, key);
    else if (walk->deletes && walk->ctx->expiry == RG_EXPIRY_DELETE)
        scan_add_expired(walk, key);
}

static void scan_visit_field(void *arg, struct rg_bytes field, struct rg_bytes value)
{
    struct scan_walk *walk = arg;

    if (!scan_matches(walk->options, field))
        return;
    scan_add(walk, field);
    scan_add(walk, value);
}

static void scan_reply_found(const struct scan_walk *walk)
{
    rg_reply_array(walk->ctx->reply, (int64_t)walk->found_count);
    for (size_t i = 0; i < walk->found_count; i++)
        rg_reply_bulk(walk->ctx->reply, walk->found[i]);
}

static void scan_reply_cursor(struct rg_cmd_ctx *ctx, uint64_t cursor)
{
    char digits[RG_I64_CHARS];
    size_t len = rg_format_u64(digits, cursor);

    rg_reply_array(ctx->reply, 2);
    rg_reply_bulk(ctx->reply, rg_bytes(digits, len));
}

/*
 * The cursor at argv[index], as C's strtoul reads a whole text: a sign may stand before the digits,
 * and an empty text is 0. Errors: RG_EINVAL (replied).
 */
static int scan_parse_cursor(struct rg_cmd_ctx *ctx, int index, uint64_t *ret_cursor)
{
    struct rg_bytes text = ctx->argv[index];
    uint64_t value = 0;
    size_t i = 0;
    bool negative = text.len > 1 && text.data[0] == '-';

    if (negative || (text.len > 1 && text.data[0] == '+'))
        i++;
    for (; i < text.len; i++) {
        unsigned digit = (unsigned)(unsigned char)text.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            rg_reply_error(ctx->reply, "ERR invalid cursor");
            return RG_EINVAL;
        }
    }
    *ret_cursor = negative ? 0 - value : value;
    return 0;
}

/* Errors: RG_EINVAL (replied). */
static int scan_parse_options(struct rg_cmd_ctx *ctx, int index, bool with_type,
                              struct scan_options *options)
{
    enum { DEFAULT_COUNT = 10 };

    options->count = DEFAULT_COUNT;
    for (; index < ctx->argc; index += 2) {
        bool has_arg = index + 1 < ctx->argc;
        if (has_arg && rg_cmd_arg_is(ctx, index, "COUNT")) {
            if (rg_cmd_arg_i64(ctx, index + 1, &options->count) < 0)
                return RG_EINVAL;
            if (options->count >= 1)
                continue;
        } else if (has_arg && rg_cmd_arg_is(ctx, index, "MATCH")) {
            struct rg_bytes pattern = ctx->argv[index + 1];
            options->pattern = rg_bytes_is(pattern, "*") ? (struct rg_bytes){0} : pattern;
            continue;
        } else if (has_arg && with_type && rg_cmd_arg_is(ctx, index, "TYPE")) {
            options->type = ctx->argv[index + 1];
            continue;
        }
        rg_cmd_reply_syntax(ctx);
        return RG_EINVAL;
    }
    return 0;
}

void rg_cmd_run_scan(struct rg_cmd_ctx *ctx)
{
    struct scan_options options = {0};
    struct scan_walk walk = {.ctx = ctx, .options = &options, .deletes = true};
    uint64_t cursor = 0;

    if (scan_parse_cursor(ctx, 1, &cursor) < 0 || scan_parse_options(ctx, 2, true, &options) < 0)
        return;
    cursor = rg_db_scan(ctx->db, cursor, (uint64_t)options.count, scan_visit_entry, &walk);
    scan_reply_cursor(ctx, cursor);
    scan_reply_found(&walk);
    scan_delete_expired(&walk);
    scan_walk_fini(&walk);
}

void rg_cmd_run_hscan(struct rg_cmd_ctx *ctx)
{
    struct scan_options options = {0};
    struct scan_walk walk = {.ctx = ctx, .options = &options};
    struct rg_entry *entry = NULL;
    uint64_t cursor = 0;

    if (scan_parse_cursor(ctx, 2, &cursor) < 0 ||
        rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_HASH, &entry) < 0)
        return;
    if (entry == NULL) {
        scan_reply_cursor(ctx, 0);
        rg_reply_array(ctx->reply, 0);
        return;
    }
    if (scan_parse_options(ctx, 3, false, &options) < 0)
        return;
    cursor = rg_hash_scan(entry, cursor, (uint64_t)options.count, scan_visit_field, &walk);
    scan_reply_cursor(ctx, cursor);
    scan_reply_found(&walk);
    scan_walk_fini(&walk);
}

void rg_cmd_run_keys(struct rg_cmd_ctx *ctx)
{
    struct scan_options options = {.pattern = ctx->argv[1]};
    struct scan_walk walk = {.ctx = ctx, .options = &options};
    struct rg_db_iter iter;

    if (rg_bytes_is(options.pattern, "*"))
        options.pattern = (struct rg_bytes){0};
    rg_db_iter_init(&iter, ctx->db);
    for (struct rg_entry *entry = rg_db_iter_next(&iter); entry != NULL;
         entry = rg_db_iter_next(&iter))
        scan_visit_entry(&walk, entry);
    scan_reply_found(&walk);
    scan_walk_fini(&walk);
}
