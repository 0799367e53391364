#include "cmd/cmd.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "cmd/lookup.h"

void rg_propagation_fini(struct rg_propagation *propagation)
{
    if (propagation == NULL)
        return;
    rg_buf_fini(&propagation->bytes);
    rg_free(propagation->items);
    *propagation = (struct rg_propagation){0};
}

void rg_propagation_reset(struct rg_propagation *propagation)
{
    enum { KEEP_BYTES = 64 * 1024 };

    rg_buf_reset(&propagation->bytes, KEEP_BYTES);
    propagation->count = 0;
    propagation->replaced = false;
}

void rg_propagation_add(struct rg_propagation *propagation, unsigned db,
                        const struct rg_bytes *argv, int argc)
{
    enum { FIRST_CAP = 4 };
    size_t before = rg_buf_len(&propagation->bytes);

    if (propagation->count == propagation->cap) {
        propagation->cap = propagation->cap > 0 ? propagation->cap * 2 : FIRST_CAP;
        propagation->items =
            rg_realloc(propagation->items, propagation->cap * sizeof(*propagation->items));
    }
    rg_request_write(&propagation->bytes, argv, argc);
    propagation->items[propagation->count++] =
        (struct rg_propagated){db, rg_buf_len(&propagation->bytes) - before};
}

void rg_propagation_truncate(struct rg_propagation *propagation, size_t count)
{
    size_t len = rg_buf_len(&propagation->bytes);

    while (propagation->count > count)
        len -= propagation->items[--propagation->count].len;
    rg_buf_truncate(&propagation->bytes, len);
}

void rg_cmd_run(struct rg_cmd_ctx *ctx)
{
    RG_ASSERT(ctx->command->run != NULL);
    RG_ASSERT(rg_cmd_arity_ok(ctx->command, ctx->argc));
    ctx->db = rg_store_db(ctx->store, ctx->db_index);
    ctx->dirty = 0;
    ctx->command->run(ctx);
}

void rg_cmd_expire(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key)
{
    rg_lookup_delete_expired(ctx, db, key);
}

unsigned rg_cmd_expire_due(struct rg_cmd_ctx *ctx, unsigned max)
{
    unsigned deleted = 0;
    unsigned databases = rg_store_databases(ctx->store);

    for (unsigned db = 0; db < databases && deleted < max; db++) {
        while (deleted < max) {
            /* An entry is past its expiry once the millisecond it names is over. */
            struct rg_entry *entry = rg_db_due(rg_store_db(ctx->store, db), rg_cmd_now_ms(ctx) - 1);
            if (entry == NULL)
                break;
            rg_lookup_delete_expired(ctx, db, rg_entry_key(entry));
            deleted++;
        }
    }
    return deleted;
}
