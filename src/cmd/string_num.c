#include <math.h>

#include "base/number.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "cmd/string_value.h"

/* Strings as numbers: INCR, DECR, INCRBY, DECRBY, INCRBYFLOAT. */

static void string_add(struct rg_cmd_ctx *ctx, int64_t increment)
{
    struct rg_entry *entry = NULL;
    int64_t value = 0;

    if (rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_STRING, &entry) < 0)
        return;
    if (entry != NULL && rg_string_get_i64(entry, &value) < 0) {
        rg_cmd_reply_not_integer(ctx);
        return;
    }
    if (__builtin_add_overflow(value, increment, &value)) {
        rg_reply_error(ctx->reply, "ERR increment or decrement would overflow");
        return;
    }
    if (entry != NULL) {
        rg_string_replace_i64(ctx->db, &entry, value);
    } else {
        rg_lookup_touch(ctx, rg_db_put_i64(ctx->db, ctx->argv[1], value));
        rg_cmd_note_new(ctx, ctx->db_index, ctx->argv[1]);
    }
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_STRING, "incrby");
    rg_reply_i64(ctx->reply, value);
    ctx->dirty++;
}

void rg_cmd_run_incr(struct rg_cmd_ctx *ctx)
{
    string_add(ctx, 1);
}

void rg_cmd_run_decr(struct rg_cmd_ctx *ctx)
{
    string_add(ctx, -1);
}

void rg_cmd_run_incrby(struct rg_cmd_ctx *ctx)
{
    int64_t increment = 0;

    if (rg_cmd_arg_i64(ctx, 2, &increment) == 0)
        string_add(ctx, increment);
}

void rg_cmd_run_decrby(struct rg_cmd_ctx *ctx)
{
    int64_t decrement = 0;

    if (rg_cmd_arg_i64(ctx, 2, &decrement) < 0)
        return;
    if (decrement == INT64_MIN) {
        rg_reply_error(ctx->reply, "ERR decrement would overflow");
        return;
    }
    string_add(ctx, -decrement);
}

/* Floating point differs from machine to machine, so the log gets the result. */
static void string_log_float(struct rg_cmd_ctx *ctx, struct rg_bytes text)
{
    struct rg_bytes words[] = {RG_BYTES("SET"), ctx->argv[1], text, RG_BYTES("KEEPTTL")};

    rg_cmd_log_instead(ctx, words, 4);
}

void rg_cmd_run_incrbyfloat(struct rg_cmd_ctx *ctx)
{
    char scratch[RG_STRING_SCRATCH];
    char digits[RG_LONG_DOUBLE_CHARS];
    struct rg_entry *entry = NULL;
    long double value = 0;
    long double increment = 0;

    if (rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_STRING, &entry) < 0)
        return;
    if (entry != NULL && rg_parse_long_double(rg_string_get(entry, scratch), &value) < 0) {
        rg_cmd_reply_not_float(ctx);
        return;
    }
    if (rg_cmd_arg_long_double(ctx, 2, &increment) < 0)
        return;
    value += increment;
    if (isnan(value) || isinf(value)) {
        rg_reply_error(ctx->reply, "ERR increment would produce NaN or Infinity");
        return;
    }
    struct rg_bytes text = rg_bytes(digits, rg_format_long_double(digits, value));
    if (entry != NULL) {
        rg_string_replace(ctx->db, &entry, text);
    } else {
        rg_lookup_touch(ctx, rg_db_put_string(ctx->db, ctx->argv[1], text));
        rg_cmd_note_new(ctx, ctx->db_index, ctx->argv[1]);
    }
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_STRING, "incrbyfloat");
    rg_reply_bulk(ctx->reply, text);
    string_log_float(ctx, text);
    ctx->dirty++;
}
