#include "cmd/lookup.h"

#include "base/alloc.h"
#include "cmd/reply.h"

void rg_lookup_touch(struct rg_cmd_ctx *ctx, struct rg_entry *entry)
{
    rg_entry_set_access(
        entry, rg_access_use(ctx->access, rg_entry_access(entry), ctx->now.mono_us, ctx->rand));
}

static bool lookup_is_past(const struct rg_cmd_ctx *ctx, const struct rg_entry *entry)
{
    int64_t expire_ms = rg_entry_expire_ms(entry);

    return expire_ms != RG_NO_EXPIRY && expire_ms < rg_cmd_now_ms(ctx);
}

bool rg_lookup_is_expired(const struct rg_cmd_ctx *ctx, const struct rg_entry *entry)
{
    return ctx->expiry != RG_EXPIRY_IGNORE && lookup_is_past(ctx, entry);
}

/* A deletion that no command asked for; the key lies outside the store. */
static bool lookup_delete(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key)
{
    struct rg_bytes words[] = {RG_BYTES("DEL"), key};

    if (!rg_db_delete(rg_store_db(ctx->store, db), key))
        return false;
    rg_propagation_add(ctx->propagation, db, words, 2);
    return true;
}

void rg_lookup_delete_expired(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key)
{
    /* The caller's key may lie in the entry that goes. */
    char *copy = rg_alloc_copy(key.data, key.len);
    struct rg_bytes owned = rg_bytes(copy, key.len);

    if (lookup_delete(ctx, db, owned)) {
        ctx->counters->expired_keys++;
        rg_cmd_note_in(ctx, db, owned, RG_NOTE_EXPIRED, "expired");
    }
    rg_free(copy);
}

void rg_cmd_evict(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key)
{
    char *copy = rg_alloc_copy(key.data, key.len);
    struct rg_bytes owned = rg_bytes(copy, key.len);

    if (lookup_delete(ctx, db, owned)) {
        ctx->counters->evicted_keys++;
        rg_cmd_note_in(ctx, db, owned, RG_NOTE_EVICTED, "evicted");
    }
    rg_free(copy);
}

struct rg_entry *rg_lookup_read_in(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key,
                                   unsigned flags)
{
    struct rg_entry *entry = rg_db_find(rg_store_db(ctx->store, db), key);

    if (entry != NULL && rg_lookup_is_expired(ctx, entry)) {
        if (ctx->expiry == RG_EXPIRY_DELETE)
            rg_lookup_delete_expired(ctx, db, key);
        entry = NULL;
    }
    if (entry == NULL) {
        if (!(flags & RG_LOOKUP_NO_NOTE))
            rg_cmd_note_event(ctx, db, key, RG_NOTE_MISS, "keymiss");
        ctx->counters->keyspace_misses += !(flags & RG_LOOKUP_NO_STATS);
        return NULL;
    }
    ctx->counters->keyspace_hits += !(flags & RG_LOOKUP_NO_STATS);
    if (!ctx->no_touch && !(flags & RG_LOOKUP_NO_TOUCH))
        rg_lookup_touch(ctx, entry);
    return entry;
}

struct rg_entry *rg_lookup_read(struct rg_cmd_ctx *ctx, struct rg_bytes key)
{
    return rg_lookup_read_in(ctx, ctx->db_index, key, 0);
}

struct rg_entry *rg_lookup_write_in(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key)
{
    struct rg_entry *entry = rg_db_find_for_write(rg_store_db(ctx->store, db), key);

    if (entry == NULL)
        return NULL;
    if (rg_lookup_is_expired(ctx, entry)) {
        rg_lookup_delete_expired(ctx, db, key);
        return NULL;
    }
    if (!ctx->no_touch)
        rg_lookup_touch(ctx, entry);
    return entry;
}

struct rg_entry *rg_lookup_write(struct rg_cmd_ctx *ctx, struct rg_bytes key)
{
    return rg_lookup_write_in(ctx, ctx->db_index, key);
}

static int lookup_check_type(struct rg_cmd_ctx *ctx, struct rg_entry *entry, enum rg_type type,
                             struct rg_entry **ret_entry)
{
    if (entry != NULL && rg_entry_type(entry) != type) {
        rg_cmd_reply_wrong_type(ctx);
        return RG_ETYPE;
    }
    *ret_entry = entry;
    return 0;
}

int rg_lookup_read_type(struct rg_cmd_ctx *ctx, struct rg_bytes key, enum rg_type type,
                        struct rg_entry **ret_entry)
{
    return lookup_check_type(ctx, rg_lookup_read(ctx, key), type, ret_entry);
}

int rg_lookup_write_type(struct rg_cmd_ctx *ctx, struct rg_bytes key, enum rg_type type,
                         struct rg_entry **ret_entry)
{
    return lookup_check_type(ctx, rg_lookup_write(ctx, key), type, ret_entry);
}
