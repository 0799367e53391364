#include "cmd/scan.h"

#include "base/alloc.h"
#include "base/glob.h"
#include "base/number.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/* ---- Cursor and options ---- */

int rg_scan_parse_cursor(struct rg_cmd_ctx *ctx, int index, uint64_t *ret_cursor)
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

int rg_scan_parse_options(struct rg_cmd_ctx *ctx, int index, bool with_type,
                          struct rg_scan_options *options)
{
    enum { DEFAULT_COUNT = 10 };

    *options = (struct rg_scan_options){.count = DEFAULT_COUNT};
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

bool rg_scan_matches(const struct rg_scan_options *options, struct rg_bytes text)
{
    return options->pattern.data == NULL || rg_glob_match(options->pattern, text, false);
}

static void scan_reply_cursor(struct rg_cmd_ctx *ctx, uint64_t cursor)
{
    char digits[RG_I64_CHARS];
    size_t len = rg_format_u64(digits, cursor);

    rg_reply_array(ctx->reply, 2);
    rg_reply_bulk(ctx->reply, rg_bytes(digits, len));
}

bool rg_scan_begin(struct rg_cmd_ctx *ctx, enum rg_type type, uint64_t *ret_cursor,
                   struct rg_scan_options *ret_options, struct rg_entry **ret_entry)
{
    if (rg_scan_parse_cursor(ctx, 2, ret_cursor) < 0 ||
        rg_lookup_read_type(ctx, ctx->argv[1], type, ret_entry) < 0)
        return false;
    if (*ret_entry == NULL) {
        scan_reply_cursor(ctx, 0);
        rg_reply_array(ctx->reply, 0);
        return false;
    }
    return rg_scan_parse_options(ctx, 3, false, ret_options) == 0;
}

/* ---- What was found ---- */

void rg_scan_found_fini(struct rg_scan_found *found)
{
    rg_free(found->items);
    rg_buf_fini(&found->copies);
}

void rg_scan_add(struct rg_scan_found *found, struct rg_bytes bytes)
{
    enum { FIRST_CAP = 16 };

    if (found->count == found->cap) {
        found->cap = found->cap > 0 ? found->cap * 2 : FIRST_CAP;
        found->items = rg_realloc(found->items, found->cap * sizeof(*found->items));
    }
    found->items[found->count++] = bytes;
}

void rg_scan_add_copy(struct rg_scan_found *found, struct rg_bytes bytes)
{
    rg_buf_append_bytes(&found->copies, bytes);
    rg_scan_add(found, rg_bytes(NULL, bytes.len));
}

static void scan_reply_items(struct rg_cmd_ctx *ctx, struct rg_scan_found *found)
{
    for (size_t i = 0; i < found->count; i++) {
        struct rg_bytes item = found->items[i];
        if (item.data != NULL) {
            rg_reply_bulk(ctx->reply, item);
        } else {
            rg_reply_bulk(ctx->reply, rg_bytes(rg_buf_view(&found->copies).data, item.len));
            rg_buf_consume(&found->copies, item.len);
        }
    }
    found->count = 0;
}

void rg_scan_reply_found(struct rg_cmd_ctx *ctx, struct rg_scan_found *found)
{
    rg_reply_array(ctx->reply, (int64_t)found->count);
    scan_reply_items(ctx, found);
}

void rg_scan_reply_set(struct rg_cmd_ctx *ctx, struct rg_scan_found *found)
{
    rg_reply_set(ctx->reply, (int64_t)found->count);
    scan_reply_items(ctx, found);
}

void rg_scan_reply(struct rg_cmd_ctx *ctx, uint64_t cursor, struct rg_scan_found *found)
{
    scan_reply_cursor(ctx, cursor);
    rg_scan_reply_found(ctx, found);
}
