#include "cmd/expiry.h"

#include "base/number.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

int rg_expiry_resolve(struct rg_cmd_ctx *ctx, int64_t value, enum rg_expiry_unit unit,
                      int64_t base_ms, int64_t *ret_at_ms)
{
    int64_t at_ms = value;

    if ((unit == RG_EXPIRY_SECONDS && __builtin_mul_overflow(at_ms, 1000, &at_ms)) ||
        __builtin_add_overflow(at_ms, base_ms, &at_ms)) {
        rg_cmd_reply_bad_expire(ctx);
        return RG_EOVERFLOW;
    }
    *ret_at_ms = at_ms;
    return 0;
}

int rg_expiry_option_parse(const struct rg_cmd_ctx *ctx, int *index,
                           struct rg_expiry_option *option)
{
    static const struct {
        const char *word;
        bool absolute;
        enum rg_expiry_unit unit;
    } times[] = {
        {"EX", false, RG_EXPIRY_SECONDS},
        {"PX", false, RG_EXPIRY_MILLISECONDS},
        {"EXAT", true, RG_EXPIRY_SECONDS},
        {"PXAT", true, RG_EXPIRY_MILLISECONDS},
    };

    /* The same word may be repeated where it takes no argument. */
    if (rg_cmd_arg_is(ctx, *index, "KEEPTTL") && !option->given && !option->persist) {
        option->keep = true;
        return 0;
    }
    if (rg_cmd_arg_is(ctx, *index, "PERSIST") && !option->given && !option->keep) {
        option->persist = true;
        return 0;
    }
    if (option->given || option->keep || option->persist || *index + 1 >= ctx->argc)
        return RG_ENOENT;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (!rg_cmd_arg_is(ctx, *index, times[i].word))
            continue;
        option->given = true;
        option->absolute = times[i].absolute;
        option->unit = times[i].unit;
        option->arg = ++*index;
        return 0;
    }
    return RG_ENOENT;
}

int rg_expiry_option_resolve(struct rg_cmd_ctx *ctx, const struct rg_expiry_option *option,
                             int64_t *ret_at_ms)
{
    int64_t value = 0;

    if (rg_cmd_arg_i64(ctx, option->arg, &value) < 0)
        return RG_EINVAL;
    if (value <= 0) {
        rg_cmd_reply_bad_expire(ctx);
        return RG_ERANGE;
    }
    int64_t base_ms = option->absolute ? 0 : rg_cmd_now_ms(ctx);
    return rg_expiry_resolve(ctx, value, option->unit, base_ms, ret_at_ms) < 0 ? RG_ERANGE : 0;
}

bool rg_expiry_is_past(const struct rg_cmd_ctx *ctx, int64_t at_ms)
{
    return ctx->expiry == RG_EXPIRY_DELETE && at_ms <= rg_cmd_now_ms(ctx);
}

void rg_expiry_log(struct rg_cmd_ctx *ctx, struct rg_bytes key, int64_t at_ms)
{
    char digits[RG_I64_CHARS];
    size_t len = rg_format_i64(digits, at_ms);
    struct rg_bytes words[] = {RG_BYTES("PEXPIREAT"), key, rg_bytes(digits, len)};

    rg_cmd_log_instead(ctx, words, 3);
}

void rg_expiry_delete(struct rg_cmd_ctx *ctx, struct rg_bytes key)
{
    struct rg_bytes words[] = {RG_BYTES("DEL"), key};

    rg_db_delete(ctx->db, key);
    rg_cmd_note(ctx, key, RG_NOTE_GENERIC, "del");
    rg_cmd_log_instead(ctx, words, 2);
    ctx->dirty++;
}
