#include "cmd/docs.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/* OBJECT: how values are held. Looking does not count as use. */

static struct rg_entry *object_find(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry =
        rg_lookup_read_in(ctx, ctx->db_index, ctx->argv[2], RG_LOOKUP_NO_TOUCH | RG_LOOKUP_NO_NOTE);

    if (entry == NULL)
        rg_reply_null(ctx->reply);
    return entry;
}

void rg_cmd_run_object_encoding(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = object_find(ctx);

    if (entry != NULL)
        rg_reply_bulk_str(ctx->reply, rg_entry_encoding(entry));
}

#define OBJECT_ADJUST                                                                              \
    "Please note that when switching between policies at runtime LRU and LFU data will take some " \
    "time to adjust."

void rg_cmd_run_object_idletime(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = object_find(ctx);

    if (entry == NULL)
        return;
    if (ctx->access->lfu)
        rg_reply_error(ctx->reply, "ERR An LFU maxmemory policy is selected, idle time not "
                                   "tracked. " OBJECT_ADJUST);
    else
        rg_reply_i64(ctx->reply, rg_access_idle_s(rg_entry_access(entry), ctx->now.mono_us));
}

void rg_cmd_run_object_freq(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = object_find(ctx);

    if (entry == NULL)
        return;
    if (!ctx->access->lfu)
        rg_reply_error(ctx->reply, "ERR An LFU maxmemory policy is not selected, access frequency "
                                   "not tracked. " OBJECT_ADJUST);
    else
        rg_reply_i64(ctx->reply,
                     rg_access_frequency(ctx->access, rg_entry_access(entry), ctx->now.mono_us));
}

void rg_cmd_run_object_refcount(struct rg_cmd_ctx *ctx)
{
    enum { SHARED_INTEGERS = 10000 };
    struct rg_entry *entry = object_find(ctx);
    int64_t value = 0;

    if (entry == NULL)
        return;
    /* Clients that look expect Redis' answer for the small integers that it shares. */
    bool shared = rg_entry_type(entry) == RG_TYPE_STRING &&
                  strcmp(rg_entry_encoding(entry), "int") == 0 &&
                  rg_string_get_i64(entry, &value) == 0 && value >= 0 && value < SHARED_INTEGERS;
    rg_reply_i64(ctx->reply, shared ? INT32_MAX : 1);
}

void rg_cmd_run_object_help(struct rg_cmd_ctx *ctx)
{
    rg_cmd_reply_help(ctx->reply, ctx->command->parent);
}
