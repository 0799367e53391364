#include "base/number.h"
#include "cmd/handlers.h"
#include "cmd/reply.h"

/* Whole databases: DBSIZE, FLUSHDB, FLUSHALL, SWAPDB. */

void rg_cmd_run_dbsize(struct rg_cmd_ctx *ctx)
{
    rg_reply_i64(ctx->reply, (int64_t)rg_db_count(ctx->db));
}

/* ASYNC and SYNC are the same here. Errors: RG_EINVAL (replied). */
static int database_parse_flush(struct rg_cmd_ctx *ctx)
{
    if (ctx->argc == 1 ||
        (ctx->argc == 2 && (rg_cmd_arg_is(ctx, 1, "ASYNC") || rg_cmd_arg_is(ctx, 1, "SYNC"))))
        return 0;
    rg_cmd_reply_syntax(ctx);
    return RG_EINVAL;
}

void rg_cmd_run_flushdb(struct rg_cmd_ctx *ctx)
{
    if (database_parse_flush(ctx) < 0)
        return;
    /* Logged also where nothing was there: a replica may differ. */
    ctx->dirty += rg_db_flush(ctx->db) + 1;
    rg_cmd_reply_ok(ctx);
}

void rg_cmd_run_flushall(struct rg_cmd_ctx *ctx)
{
    unsigned databases = rg_store_databases(ctx->store);

    if (database_parse_flush(ctx) < 0)
        return;
    for (unsigned db = 0; db < databases; db++)
        ctx->dirty += rg_db_flush(rg_store_db(ctx->store, db));
    ctx->dirty++;
    rg_cmd_reply_ok(ctx);
}

/* Errors: RG_EINVAL (replied as text). */
static int database_parse_index(struct rg_cmd_ctx *ctx, int index, const char *text,
                                int64_t *ret_number)
{
    int64_t number = 0;

    if (rg_parse_i64(ctx->argv[index], &number) < 0 || number < INT32_MIN || number > INT32_MAX) {
        rg_reply_error(ctx->reply, text);
        return RG_EINVAL;
    }
    *ret_number = number;
    return 0;
}

void rg_cmd_run_swapdb(struct rg_cmd_ctx *ctx)
{
    int64_t databases = rg_store_databases(ctx->store);
    int64_t a = 0;
    int64_t b = 0;

    if (database_parse_index(ctx, 1, "ERR invalid first DB index", &a) < 0 ||
        database_parse_index(ctx, 2, "ERR invalid second DB index", &b) < 0)
        return;
    if (a < 0 || a >= databases || b < 0 || b >= databases) {
        rg_reply_error(ctx->reply, "ERR DB index is out of range");
        return;
    }
    if (a != b)
        rg_store_swap_dbs(ctx->store, (unsigned)a, (unsigned)b);
    ctx->dirty++;
    rg_cmd_reply_ok(ctx);
}
