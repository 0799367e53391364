#include "cmd/scan.h"

#include "base/alloc.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"

/* SCAN, HSCAN and KEYS: walking through keys and fields. */

/*
 * What a walk found, and copies of the past-due keys, which can only be deleted once the walk and
 * its reply are over.
 */
struct scan_walk {
    struct rg_cmd_ctx *ctx;
    struct rg_scan_options options;
    bool deletes; /* past-due keys, where this node may */
    struct rg_scan_found found;
    struct rg_buf expired; /* keys one after the other */
    size_t *expired_lens;  /* owned */
    size_t expired_count;
    size_t expired_cap;
};

static void scan_walk_fini(struct scan_walk *walk)
{
    rg_scan_found_fini(&walk->found);
    rg_buf_fini(&walk->expired);
    rg_free(walk->expired_lens);
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

static void scan_visit_entry(void *arg, struct rg_entry *entry)
{
    struct scan_walk *walk = arg;
    const struct rg_scan_options *options = &walk->options;
    struct rg_bytes key = rg_entry_key(entry);

    if (!rg_scan_matches(options, key))
        return;
    if (options->type.data != NULL &&
        !rg_bytes_is_nocase(options->type, rg_type_name(rg_entry_type(entry))))
        return;
    if (!rg_lookup_is_expired(walk->ctx, entry))
        rg_scan_add(&walk->found, key);
    else if (walk->deletes && walk->ctx->expiry == RG_EXPIRY_DELETE)
        scan_add_expired(walk, key);
}

static void scan_visit_field(void *arg, struct rg_bytes field, struct rg_bytes value)
{
    struct scan_walk *walk = arg;

    if (!rg_scan_matches(&walk->options, field))
        return;
    rg_scan_add_shown(&walk->found, field);
    rg_scan_add_shown(&walk->found, value);
}

void rg_cmd_run_scan(struct rg_cmd_ctx *ctx)
{
    struct scan_walk walk = {.ctx = ctx, .deletes = true};
    uint64_t cursor = 0;

    if (rg_scan_parse_cursor(ctx, 1, &cursor) < 0 ||
        rg_scan_parse_options(ctx, 2, true, &walk.options) < 0)
        return;
    cursor = rg_db_scan(ctx->db, cursor, (uint64_t)walk.options.count, scan_visit_entry, &walk);
    rg_scan_reply(ctx, cursor, &walk.found);
    scan_delete_expired(&walk);
    scan_walk_fini(&walk);
}

void rg_cmd_run_hscan(struct rg_cmd_ctx *ctx)
{
    struct scan_walk walk = {.ctx = ctx};
    struct rg_entry *entry = NULL;
    uint64_t cursor = 0;

    if (!rg_scan_begin(ctx, RG_TYPE_HASH, &cursor, &walk.options, &entry))
        return;
    cursor = rg_hash_scan(entry, cursor, (uint64_t)walk.options.count, scan_visit_field, &walk);
    rg_scan_reply(ctx, cursor, &walk.found);
    scan_walk_fini(&walk);
}

void rg_cmd_run_keys(struct rg_cmd_ctx *ctx)
{
    struct scan_walk walk = {.ctx = ctx, .options = {.pattern = ctx->argv[1]}};
    struct rg_db_iter iter;

    if (rg_bytes_is(walk.options.pattern, "*"))
        walk.options.pattern = (struct rg_bytes){0};
    rg_db_iter_init(&iter, ctx->db);
    for (struct rg_entry *entry = rg_db_iter_next(&iter); entry != NULL;
         entry = rg_db_iter_next(&iter))
        scan_visit_entry(&walk, entry);
    rg_scan_reply_found(ctx, &walk.found);
    scan_walk_fini(&walk);
}
