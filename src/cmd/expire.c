#include "cmd/expiry.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/* The EXPIRE and TTL families, and PERSIST. */

struct expire_conditions {
    bool nx;
    bool xx;
    bool gt;
    bool lt;
};

/* Errors: RG_EINVAL (replied). */
static int expire_parse(struct rg_cmd_ctx *ctx, struct expire_conditions *conditions)
{
    for (int i = 3; i < ctx->argc; i++) {
        if (rg_cmd_arg_is(ctx, i, "NX")) {
            conditions->nx = true;
        } else if (rg_cmd_arg_is(ctx, i, "XX")) {
            conditions->xx = true;
        } else if (rg_cmd_arg_is(ctx, i, "GT")) {
            conditions->gt = true;
        } else if (rg_cmd_arg_is(ctx, i, "LT")) {
            conditions->lt = true;
        } else {
            rg_reply_errorf(ctx->reply, "ERR Unsupported option %.*s", (int)ctx->argv[i].len,
                            ctx->argv[i].data);
            return RG_EINVAL;
        }
    }
    if (conditions->nx && (conditions->xx || conditions->gt || conditions->lt)) {
        rg_reply_error(ctx->reply,
                       "ERR NX and XX, GT or LT options at the same time are not compatible");
        return RG_EINVAL;
    }
    if (conditions->gt && conditions->lt) {
        rg_reply_error(ctx->reply, "ERR GT and LT options at the same time are not compatible");
        return RG_EINVAL;
    }
    return 0;
}

/* A key without an expiry counts as one that lives for ever. */
static bool expire_holds(const struct expire_conditions *conditions, int64_t current_ms,
                         int64_t at_ms)
{
    bool expires = current_ms != RG_NO_EXPIRY;

    if (conditions->nx && expires)
        return false;
    if (conditions->xx && !expires)
        return false;
    if (conditions->gt && (!expires || at_ms <= current_ms))
        return false;
    return !conditions->lt || !expires || at_ms < current_ms;
}

static void expire_set(struct rg_cmd_ctx *ctx, enum rg_expiry_unit unit, int64_t base_ms)
{
    struct expire_conditions conditions = {0};
    int64_t value = 0;
    int64_t at_ms = 0;

    if (expire_parse(ctx, &conditions) < 0 || rg_cmd_arg_i64(ctx, 2, &value) < 0 ||
        rg_expiry_resolve(ctx, value, unit, base_ms, &at_ms) < 0)
        return;
    struct rg_entry *entry = rg_lookup_write(ctx, ctx->argv[1]);
    if (entry == NULL || !expire_holds(&conditions, rg_entry_expire_ms(entry), at_ms)) {
        rg_reply_i64(ctx->reply, 0);
        return;
    }
    rg_reply_i64(ctx->reply, 1);
    /* A moment before 1970 cannot be kept apart from "none"; both are long past. */
    if (at_ms < 0)
        at_ms = 0;
    if (rg_expiry_is_past(ctx, at_ms)) {
        rg_expiry_delete(ctx, ctx->argv[1]);
        return;
    }
    rg_entry_set_expire_ms(ctx->db, &entry, at_ms);
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_GENERIC, "expire");
    rg_expiry_log(ctx, ctx->argv[1], at_ms);
    ctx->dirty++;
}

void rg_cmd_run_expire(struct rg_cmd_ctx *ctx)
{
    expire_set(ctx, RG_EXPIRY_SECONDS, rg_cmd_now_ms(ctx));
}

void rg_cmd_run_pexpire(struct rg_cmd_ctx *ctx)
{
    expire_set(ctx, RG_EXPIRY_MILLISECONDS, rg_cmd_now_ms(ctx));
}

void rg_cmd_run_expireat(struct rg_cmd_ctx *ctx)
{
    expire_set(ctx, RG_EXPIRY_SECONDS, 0);
}

void rg_cmd_run_pexpireat(struct rg_cmd_ctx *ctx)
{
    expire_set(ctx, RG_EXPIRY_MILLISECONDS, 0);
}

/* ---- Asking ---- */

enum { EXPIRE_REPLY_NO_KEY = -2, EXPIRE_REPLY_NEVER = -1 };

static int64_t expire_round_to_s(int64_t ms)
{
    return ms / 1000 + (ms % 1000 >= 500);
}

static void expire_reply(struct rg_cmd_ctx *ctx, enum rg_expiry_unit unit, bool absolute)
{
    struct rg_entry *entry =
        rg_lookup_read_in(ctx, ctx->db_index, ctx->argv[1], RG_LOOKUP_NO_TOUCH);

    if (entry == NULL) {
        rg_reply_i64(ctx->reply, EXPIRE_REPLY_NO_KEY);
        return;
    }
    int64_t at_ms = rg_entry_expire_ms(entry);
    if (at_ms == RG_NO_EXPIRY) {
        rg_reply_i64(ctx->reply, EXPIRE_REPLY_NEVER);
        return;
    }
    int64_t ms = absolute ? at_ms : at_ms - rg_cmd_now_ms(ctx);
    if (ms < 0)
        ms = 0;
    rg_reply_i64(ctx->reply, unit == RG_EXPIRY_SECONDS ? expire_round_to_s(ms) : ms);
}

void rg_cmd_run_ttl(struct rg_cmd_ctx *ctx)
{
    expire_reply(ctx, RG_EXPIRY_SECONDS, false);
}

void rg_cmd_run_pttl(struct rg_cmd_ctx *ctx)
{
    expire_reply(ctx, RG_EXPIRY_MILLISECONDS, false);
}

void rg_cmd_run_expiretime(struct rg_cmd_ctx *ctx)
{
    expire_reply(ctx, RG_EXPIRY_SECONDS, true);
}

void rg_cmd_run_pexpiretime(struct rg_cmd_ctx *ctx)
{
    expire_reply(ctx, RG_EXPIRY_MILLISECONDS, true);
}

void rg_cmd_run_persist(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = rg_lookup_write(ctx, ctx->argv[1]);

    if (entry == NULL || rg_entry_expire_ms(entry) == RG_NO_EXPIRY) {
        rg_reply_i64(ctx->reply, 0);
        return;
    }
    rg_entry_set_expire_ms(ctx->db, &entry, RG_NO_EXPIRY);
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_GENERIC, "persist");
    rg_reply_i64(ctx->reply, 1);
    ctx->dirty++;
}
