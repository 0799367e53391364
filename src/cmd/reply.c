#include "cmd/reply.h"

#include <math.h>

#include "base/number.h"

void rg_cmd_reply_ok(struct rg_cmd_ctx *ctx)
{
    rg_reply_simple(ctx->reply, "OK");
}

void rg_cmd_reply_wrong_type(struct rg_cmd_ctx *ctx)
{
    rg_reply_error(ctx->reply, "WRONGTYPE Operation against a key holding the wrong kind of value");
}

void rg_cmd_reply_syntax(struct rg_cmd_ctx *ctx)
{
    rg_reply_error(ctx->reply, "ERR syntax error");
}

void rg_cmd_reply_not_integer(struct rg_cmd_ctx *ctx)
{
    rg_reply_error(ctx->reply, "ERR value is not an integer or out of range");
}

void rg_cmd_reply_not_float(struct rg_cmd_ctx *ctx)
{
    rg_reply_error(ctx->reply, "ERR value is not a valid float");
}

const char *rg_cmd_shown_name(const struct rg_cmd_ctx *ctx)
{
    return ctx->command->name;
}

void rg_cmd_reply_arity(struct rg_cmd_ctx *ctx)
{
    rg_reply_errorf(ctx->reply, "ERR wrong number of arguments for '%s' command",
                    rg_cmd_shown_name(ctx));
}

void rg_cmd_reply_bad_expire(struct rg_cmd_ctx *ctx)
{
    rg_reply_errorf(ctx->reply, "ERR invalid expire time in '%s' command", rg_cmd_shown_name(ctx));
}

void rg_cmd_reply_out_of_memory(struct rg_cmd_ctx *ctx)
{
    rg_reply_error(ctx->reply, "ERR Insufficient memory, failed allocating transient memory");
}

#define REPEATS_MAX_BYTES ((size_t)1 << 31)

bool rg_cmd_repeats_begin(struct rg_cmd_repeats *repeats, struct rg_cmd_ctx *ctx, uint64_t count)
{
    const size_t least = sizeof("$0\r\n\r\n") - 1; /* of one of them */

    repeats->start = rg_buf_len(ctx->reply->out);
    if (count <= REPEATS_MAX_BYTES / least)
        return true;
    rg_cmd_reply_out_of_memory(ctx);
    return false;
}

bool rg_cmd_repeats_go_on(const struct rg_cmd_repeats *repeats, struct rg_cmd_ctx *ctx)
{
    if (rg_buf_len(ctx->reply->out) - repeats->start <= REPEATS_MAX_BYTES)
        return true;
    rg_buf_truncate(ctx->reply->out, repeats->start);
    rg_cmd_reply_out_of_memory(ctx);
    return false;
}

int rg_cmd_arg_i64(struct rg_cmd_ctx *ctx, int index, int64_t *ret_value)
{
    int result = rg_parse_i64(ctx->argv[index], ret_value);

    if (result < 0)
        rg_cmd_reply_not_integer(ctx);
    return result;
}

int rg_cmd_arg_i64_in(struct rg_cmd_ctx *ctx, int index, int64_t min, int64_t max,
                      const char *error, int64_t *ret_value)
{
    int64_t value = 0;
    int result = rg_parse_i64(ctx->argv[index], &value);

    if (result == 0 && value >= min && value <= max) {
        *ret_value = value;
        return 0;
    }
    if (error != NULL)
        rg_reply_error(ctx->reply, error);
    else if (result < 0)
        rg_cmd_reply_not_integer(ctx);
    else
        rg_reply_errorf(ctx->reply, "ERR value is out of range, value must between %lld and %lld",
                        (long long)min, (long long)max);
    return result < 0 ? result : RG_ERANGE;
}

int rg_cmd_arg_long_double(struct rg_cmd_ctx *ctx, int index, long double *ret_value)
{
    int result = rg_parse_long_double(ctx->argv[index], ret_value);

    if (result < 0)
        rg_cmd_reply_not_float(ctx);
    return result;
}

int rg_cmd_arg_double(struct rg_cmd_ctx *ctx, int index, const char *error, double *ret_value)
{
    int result = rg_parse_double(ctx->argv[index], ret_value);

    if (result < 0 && error != NULL)
        rg_reply_error(ctx->reply, error);
    else if (result < 0)
        rg_cmd_reply_not_float(ctx);
    return result;
}

int rg_cmd_arg_timeout(struct rg_cmd_ctx *ctx, int index, int64_t *ret_timeout_us)
{
    long double seconds = 0;

    if (rg_parse_long_double(ctx->argv[index], &seconds) < 0) {
        rg_reply_error(ctx->reply, "ERR timeout is not a float or out of range");
        return RG_EINVAL;
    }
    long double ms = ceill(seconds * 1000);
    /* What milliseconds cannot count is negative to Redis as well. */
    if (ms < 0 || ms > (long double)INT64_MAX) {
        rg_reply_error(ctx->reply, "ERR timeout is negative");
        return RG_ERANGE;
    }
    *ret_timeout_us = ms > (long double)(INT64_MAX / RG_MS_US) ? INT64_MAX : (int64_t)ms * RG_MS_US;
    return 0;
}

int rg_cmd_arg_db(struct rg_cmd_ctx *ctx, int index, unsigned *ret_db)
{
    int64_t number = 0;
    int result = rg_cmd_arg_i64_in(ctx, index, INT32_MIN, INT32_MAX, NULL, &number);

    if (result < 0)
        return result;
    if (number < 0 || number >= (int64_t)rg_store_databases(ctx->store)) {
        rg_reply_error(ctx->reply, "ERR DB index is out of range");
        return RG_ERANGE;
    }
    *ret_db = (unsigned)number;
    return 0;
}

bool rg_cmd_arg_is(const struct rg_cmd_ctx *ctx, int index, const char *word)
{
    return rg_bytes_is_nocase(ctx->argv[index], word);
}

void rg_cmd_log_replaced(struct rg_cmd_ctx *ctx)
{
    ctx->propagation->replaced = true;
}

void rg_cmd_log_instead(struct rg_cmd_ctx *ctx, const struct rg_bytes *argv, int argc)
{
    rg_propagation_add(ctx->propagation, ctx->db_index, argv, argc);
    rg_cmd_log_replaced(ctx);
}
