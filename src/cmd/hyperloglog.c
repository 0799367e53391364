#include "cmd/hyperloglog.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/* PFADD, PFCOUNT and PFMERGE. */

void rg_hll_reply_corrupted(struct rg_cmd_ctx *ctx)
{
    rg_reply_error(ctx->reply, "INVALIDOBJ Corrupted HLL object detected");
}

int rg_hll_check(struct rg_cmd_ctx *ctx, const struct rg_entry *entry, struct rg_bytes *ret_bytes)
{
    char scratch[RG_STRING_SCRATCH];

    if (rg_entry_type(entry) != RG_TYPE_STRING) {
        rg_cmd_reply_wrong_type(ctx);
        return RG_ETYPE;
    }
    struct rg_bytes bytes = rg_string_get(entry, scratch);
    /* An integer lies in the scratch, and is none. */
    if (!rg_hll_is_valid(bytes)) {
        rg_reply_error(ctx->reply, "WRONGTYPE Key is not a valid HyperLogLog string value.");
        return RG_EINVAL;
    }
    *ret_bytes = bytes;
    return 0;
}

int rg_hll_open(struct rg_cmd_ctx *ctx, struct rg_entry **entry, struct rg_bytes *ret_bytes)
{
    char scratch[RG_STRING_SCRATCH];
    int result = rg_hll_check(ctx, *entry, ret_bytes);

    if (result < 0 || strcmp(rg_entry_encoding(*entry), "embstr") != 0)
        return result;
    rg_string_rewrite(ctx->db, entry, *ret_bytes);
    *ret_bytes = rg_string_get(*entry, scratch);
    return 0;
}

static struct rg_entry *hll_create(struct rg_cmd_ctx *ctx, struct rg_bytes key)
{
    char empty[RG_HLL_EMPTY_BYTES];

    rg_hll_empty_write(empty);
    struct rg_entry *entry = rg_db_put_string(ctx->db, key, RG_BYTES(""));
    rg_string_rewrite(ctx->db, &entry, rg_bytes(empty, sizeof(empty)));
    rg_lookup_touch(ctx, entry);
    rg_cmd_note_new(ctx, ctx->db_index, key);
    return entry;
}

/* ---- PFADD ---- */

/* A byte or two of a dense one change in place. */
static bool dense_add(struct rg_cmd_ctx *ctx, struct rg_entry **entry, struct rg_bytes element)
{
    char copy[RG_HLL_DENSE_BYTES];
    char scratch[RG_STRING_SCRATCH];
    unsigned index = 0;
    unsigned value = 0;
    struct rg_bytes bytes = rg_string_get(*entry, scratch);

    rg_hll_place(element, &index, &value);
    if (rg_hll_dense_get(bytes.data, index) >= value)
        return false;
    size_t at = RG_HLL_HEADER_BYTES + index * RG_HLL_BITS / 8;
    size_t len = at + 1 < bytes.len ? 2 : 1;
    memcpy(copy + at, bytes.data + at, len);
    rg_hll_dense_set(copy, index, value);
    int result = rg_string_write_at(ctx->db, entry, at, rg_bytes(copy + at, len));
    return result == 0; /* it is as long as it was: nothing can fail */
}

static int64_t dense_add_all(struct rg_cmd_ctx *ctx, struct rg_entry **entry)
{
    int64_t changed = 0;

    for (int i = 2; i < ctx->argc; i++)
        changed += dense_add(ctx, entry, ctx->argv[i]);
    return changed;
}

/*
 * Returns how many registers changed; *ret_taken: how many words of the command were gone through
 * before runs were found that are not what they should be, or argc.
 */
static int64_t sparse_add_all(struct rg_cmd_ctx *ctx, struct rg_entry **entry,
                              struct rg_bytes bytes, int *ret_taken)
{
    struct rg_hll_work work;
    int64_t changed = 0;
    int i = 2;

    rg_hll_work_init(&work, bytes, (size_t)ctx->argc, ctx->hll_sparse_max_bytes);
    for (; i < ctx->argc; i++) {
        unsigned index = 0;
        unsigned value = 0;
        rg_hll_place(ctx->argv[i], &index, &value);
        int result = rg_hll_work_raise(&work, index, value);
        if (result < 0)
            break;
        changed += result;
    }
    if (changed > 0)
        rg_string_rewrite(ctx->db, entry, rg_bytes(work.bytes, work.len));
    rg_hll_work_fini(&work);
    *ret_taken = i;
    return changed;
}

static void hll_make_stale(struct rg_cmd_ctx *ctx, struct rg_entry **entry)
{
    char scratch[RG_STRING_SCRATCH];
    size_t at = RG_HLL_CACHE_AT + RG_HLL_CACHE_BYTES - 1;
    char highest = rg_hll_stale_byte(rg_string_get(*entry, scratch).data[at]);
    int result = rg_string_write_at(ctx->db, entry, at, rg_bytes(&highest, 1));

    (void)result; /* within what is there */
}

/*
 * What went in before the corruption was found stays, as in Redis; unlike there, replicas get as
 * much of the command.
 */
static void pfadd_corrupted(struct rg_cmd_ctx *ctx, int64_t changed, int taken)
{
    if (changed > 0)
        rg_cmd_log_instead(ctx, ctx->argv, taken);
    rg_hll_reply_corrupted(ctx);
}

void rg_cmd_run_pfadd(struct rg_cmd_ctx *ctx)
{
    struct rg_bytes key = ctx->argv[1];
    struct rg_entry *entry = rg_lookup_write(ctx, key);
    char scratch[RG_STRING_SCRATCH];
    struct rg_bytes bytes;
    int64_t changed = 0;
    int taken = ctx->argc;

    if (entry == NULL) {
        entry = hll_create(ctx, key);
        bytes = rg_string_get(entry, scratch);
        changed = 1;
    } else if (rg_hll_open(ctx, &entry, &bytes) < 0) {
        return;
    }
    changed += rg_hll_is_sparse(bytes) ? sparse_add_all(ctx, &entry, bytes, &taken)
                                       : dense_add_all(ctx, &entry);
    if (taken < ctx->argc) {
        pfadd_corrupted(ctx, changed, taken);
        return;
    }
    if (changed > 0) {
        hll_make_stale(ctx, &entry);
        rg_cmd_note(ctx, key, RG_NOTE_STRING, "pfadd");
    }
    ctx->dirty += (uint64_t)changed;
    rg_reply_i64(ctx->reply, changed > 0);
}

/* ---- PFCOUNT ---- */

static void count_union(struct rg_cmd_ctx *ctx)
{
    uint8_t max[RG_HLL_REGISTERS] = {0};
    unsigned counts[RG_HLL_VALUES] = {0};
    struct rg_bytes bytes;

    for (int i = 1; i < ctx->argc; i++) {
        struct rg_entry *entry = rg_lookup_read(ctx, ctx->argv[i]);
        if (entry == NULL)
            continue;
        if (rg_hll_check(ctx, entry, &bytes) < 0)
            return;
        if (rg_hll_merge(bytes, max) < 0) {
            rg_hll_reply_corrupted(ctx);
            return;
        }
    }
    rg_hll_count(max, counts);
    rg_reply_i64(ctx->reply, (int64_t)rg_hll_estimate(counts));
}

/*
 * The value keeps its cardinality, and so it travels to replicas, as in Redis. A replica's clients
 * do not change its data.
 */
static void count_keep(struct rg_cmd_ctx *ctx, uint64_t count)
{
    char cache[RG_HLL_CACHE_BYTES];

    if (ctx->expiry == RG_EXPIRY_HIDE)
        return;
    struct rg_entry *entry = rg_db_find_for_write(ctx->db, ctx->argv[1]);
    rg_hll_cache_write(cache, count);
    if (rg_string_write_at(ctx->db, &entry, RG_HLL_CACHE_AT, rg_bytes(cache, sizeof(cache))) < 0)
        return;
    rg_cmd_note_change(ctx, ctx->db_index, ctx->argv[1]);
    ctx->dirty++;
}

void rg_cmd_run_pfcount(struct rg_cmd_ctx *ctx)
{
    unsigned counts[RG_HLL_VALUES];
    struct rg_bytes bytes;
    uint64_t count = 0;

    if (ctx->argc > 2) {
        count_union(ctx);
        return;
    }
    struct rg_entry *entry = rg_lookup_read(ctx, ctx->argv[1]);
    if (entry == NULL) {
        rg_reply_i64(ctx->reply, 0);
        return;
    }
    if (ctx->expiry == RG_EXPIRY_HIDE ? rg_hll_check(ctx, entry, &bytes) < 0
                                      : rg_hll_open(ctx, &entry, &bytes) < 0)
        return;
    if (!rg_hll_cached(bytes, &count)) {
        if (rg_hll_histogram(bytes, counts) < 0) {
            rg_hll_reply_corrupted(ctx);
            return;
        }
        count = rg_hll_estimate(counts);
        count_keep(ctx, count);
    }
    rg_reply_i64(ctx->reply, (int64_t)count);
}

/* ---- PFMERGE ---- */

/* Errors: RG_EINVAL, RG_ETYPE, RG_EPROTO (replied). */
static int merge_sources(struct rg_cmd_ctx *ctx, uint8_t max[RG_HLL_REGISTERS], bool *ret_dense)
{
    struct rg_bytes bytes;

    *ret_dense = false;
    for (int i = 1; i < ctx->argc; i++) {
        struct rg_entry *entry = rg_lookup_read(ctx, ctx->argv[i]);
        if (entry == NULL)
            continue;
        int result = rg_hll_check(ctx, entry, &bytes);
        if (result < 0)
            return result;
        *ret_dense |= !rg_hll_is_sparse(bytes);
        if (rg_hll_merge(bytes, max) < 0) {
            rg_hll_reply_corrupted(ctx);
            return RG_EPROTO;
        }
    }
    return 0;
}

/* Errors: RG_EPROTO. */
static int merge_into(struct rg_hll_work *work, const uint8_t max[RG_HLL_REGISTERS], bool dense)
{
    int result = dense ? rg_hll_work_to_dense(work) : 0;

    for (unsigned i = 0; i < RG_HLL_REGISTERS && result >= 0; i++) {
        if (max[i] > 0)
            result = rg_hll_work_raise(work, i, max[i]);
    }
    rg_hll_work_make_stale(work);
    return result;
}

void rg_cmd_run_pfmerge(struct rg_cmd_ctx *ctx)
{
    uint8_t max[RG_HLL_REGISTERS] = {0};
    char scratch[RG_STRING_SCRATCH];
    struct rg_hll_work work;
    bool dense = false;

    if (merge_sources(ctx, max, &dense) < 0)
        return;
    struct rg_entry *entry = rg_lookup_write(ctx, ctx->argv[1]);
    if (entry == NULL)
        entry = hll_create(ctx, ctx->argv[1]);
    /* It stays as short as it may be sparse, or becomes dense. */
    rg_hll_work_init(&work, rg_string_get(entry, scratch), RG_HLL_REGISTERS,
                     ctx->hll_sparse_max_bytes);
    int result = merge_into(&work, max, dense);
    if (result >= 0)
        rg_string_rewrite(ctx->db, &entry, rg_bytes(work.bytes, work.len));
    rg_hll_work_fini(&work);
    if (result < 0) {
        rg_hll_reply_corrupted(ctx);
        return;
    }
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_STRING, "pfadd");
    ctx->dirty++;
    rg_cmd_reply_ok(ctx);
}
