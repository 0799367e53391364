#include <stdlib.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "cmd/scan.h"
#include "cmd/set_value.h"
#include "store/set.h"

/* Intersections, unions and differences of sets, replied, counted or stored. */

/* ---- The sets to be combined ---- */

struct set_source {
    const struct rg_entry *set; /* NULL: there is none under that key */
};

struct set_sources {
    struct set_source *sets; /* few, or owned */
    int count;
    int missing;
    struct set_source few[16];
};

static void sources_fini(struct set_sources *sources)
{
    if (sources->sets != sources->few)
        rg_free(sources->sets);
}

/* Errors: RG_ETYPE (replied); there is nothing to be freed then. */
static int sources_find(struct rg_cmd_ctx *ctx, int first, int count, struct set_sources *sources)
{
    enum { FEW = sizeof(sources->few) / sizeof(sources->few[0]) };
    struct rg_entry *entry = NULL;

    RG_ASSERT(count > 0);
    sources->count = count;
    sources->missing = 0;
    sources->sets = count <= FEW ? sources->few : rg_alloc((size_t)count * sizeof(*sources->sets));
    for (int i = 0; i < count; i++) {
        if (rg_lookup_read_type(ctx, ctx->argv[first + i], RG_TYPE_SET, &entry) < 0) {
            sources_fini(sources);
            return RG_ETYPE;
        }
        sources->sets[i].set = entry;
        sources->missing += entry == NULL;
    }
    return 0;
}

static uint64_t set_len(const struct rg_entry *set)
{
    return set != NULL ? rg_set_len(set) : 0;
}

static int compare_smaller_first(const void *a, const void *b)
{
    uint64_t x = set_len(((const struct set_source *)a)->set);
    uint64_t y = set_len(((const struct set_source *)b)->set);

    return (x > y) - (x < y);
}

static int compare_larger_first(const void *a, const void *b)
{
    return compare_smaller_first(b, a);
}

/* ---- Where a result goes, member by member ---- */

struct set_result {
    struct rg_cmd_ctx *ctx;
    struct rg_entry *draft; /* where not NULL; otherwise found, or only the count */
    bool counts_only;
    uint64_t count;
    uint64_t limit; /* of counting */
    struct rg_scan_found found;
};

/* False where no more is wanted. */
static bool result_add(struct set_result *result, struct rg_bytes member, const char *scratch)
{
    result->count++;
    if (result->counts_only)
        return result->count < result->limit;
    if (result->draft != NULL)
        rg_set_add(result->ctx->db, &result->draft, member);
    else if (member.data == scratch)
        rg_scan_add_copy(&result->found, member);
    else
        rg_scan_add(&result->found, member);
    return true;
}

static void result_reply(struct set_result *result)
{
    if (result->draft != NULL)
        rg_set_reply(result->ctx, result->draft);
    else
        rg_scan_reply_set(result->ctx, &result->found);
    rg_set_draft_free(result->ctx->db, result->draft);
    rg_scan_found_fini(&result->found);
}

/* The draft takes the place of what is under its key; an empty one leaves nothing there. */
static void result_store(struct set_result *result, struct rg_bytes key, const char *event)
{
    struct rg_cmd_ctx *ctx = result->ctx;
    int64_t len = (int64_t)rg_set_len(result->draft);

    if (len > 0) {
        bool found = rg_lookup_write(ctx, key) != NULL;
        rg_lookup_touch(ctx, result->draft);
        rg_set_draft_put(ctx->db, result->draft);
        if (!found)
            rg_cmd_note_new(ctx, ctx->db_index, key);
        rg_cmd_note(ctx, key, RG_NOTE_SET, event);
        ctx->dirty++;
    } else {
        rg_set_draft_free(ctx->db, result->draft);
        if (rg_db_delete(ctx->db, key)) {
            rg_cmd_note(ctx, key, RG_NOTE_GENERIC, "del");
            ctx->dirty++;
        }
    }
    rg_reply_i64(ctx->reply, len);
}

/* ---- Intersection ---- */

static bool in_all_others(const struct set_sources *sources, struct rg_bytes member)
{
    for (int i = 1; i < sources->count; i++) {
        if (sources->sets[i].set != sources->sets[0].set &&
            !rg_set_has(sources->sets[i].set, member))
            return false;
    }
    return true;
}

static void set_intersect(struct set_sources *sources, struct set_result *result)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_set_iter iter;
    struct rg_bytes member;

    if (sources->missing > 0)
        return;
    /* The members of the smallest are looked for in the others, the next smallest first. */
    qsort(sources->sets, (size_t)sources->count, sizeof(*sources->sets), compare_smaller_first);
    rg_set_iter_init(&iter, sources->sets[0].set);
    while (rg_set_iter_next(&iter, scratch, &member)) {
        if (in_all_others(sources, member) && !result_add(result, member, scratch))
            return;
    }
}

void rg_cmd_run_sinter(struct rg_cmd_ctx *ctx)
{
    struct set_result result = {.ctx = ctx};
    struct set_sources sources;

    if (sources_find(ctx, 1, ctx->argc - 1, &sources) < 0)
        return;
    set_intersect(&sources, &result);
    result_reply(&result);
    sources_fini(&sources);
}

void rg_cmd_run_sinterstore(struct rg_cmd_ctx *ctx)
{
    struct set_result result = {.ctx = ctx};
    struct set_sources sources;

    if (sources_find(ctx, 2, ctx->argc - 2, &sources) < 0)
        return;
    result.draft = rg_set_draft(ctx->db, ctx->argv[1]);
    set_intersect(&sources, &result);
    result_store(&result, ctx->argv[1], "sinterstore");
    sources_fini(&sources);
}

/* Errors: RG_EINVAL (replied). */
static int sintercard_limit(struct rg_cmd_ctx *ctx, int index, int64_t *ret_limit)
{
    for (; index < ctx->argc; index += 2) {
        if (!rg_cmd_arg_is(ctx, index, "LIMIT") || index + 1 == ctx->argc) {
            rg_cmd_reply_syntax(ctx);
            return RG_EINVAL;
        }
        if (rg_cmd_arg_i64_in(ctx, index + 1, 0, INT64_MAX, "ERR LIMIT can't be negative",
                              ret_limit) < 0)
            return RG_EINVAL;
    }
    return 0;
}

void rg_cmd_run_sintercard(struct rg_cmd_ctx *ctx)
{
    struct set_result result = {.ctx = ctx, .counts_only = true, .limit = UINT64_MAX};
    struct set_sources sources;
    int64_t keys = 0;
    int64_t limit = 0;

    if (rg_cmd_arg_i64_in(ctx, 1, 1, INT64_MAX, "ERR numkeys should be greater than 0", &keys) < 0)
        return;
    if (keys > ctx->argc - 2) {
        rg_reply_error(ctx->reply, "ERR Number of keys can't be greater than number of args");
        return;
    }
    if (sintercard_limit(ctx, 2 + (int)keys, &limit) < 0 ||
        sources_find(ctx, 2, (int)keys, &sources) < 0)
        return;
    if (limit > 0)
        result.limit = (uint64_t)limit;
    set_intersect(&sources, &result);
    rg_reply_i64(ctx->reply, (int64_t)result.count);
    sources_fini(&sources);
}

/* ---- Union and difference ---- */

static void set_unite(const struct set_sources *sources, struct set_result *result)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_set_iter iter;
    struct rg_bytes member;

    for (int i = 0; i < sources->count; i++) {
        if (sources->sets[i].set == NULL)
            continue;
        rg_set_iter_init(&iter, sources->sets[i].set);
        while (rg_set_iter_next(&iter, scratch, &member))
            result_add(result, member, scratch);
    }
}

static bool in_any_other(const struct set_sources *sources, struct rg_bytes member)
{
    for (int i = 1; i < sources->count && sources->sets[i].set != NULL; i++) {
        if (rg_set_has(sources->sets[i].set, member))
            return true;
    }
    return false;
}

/* Each member of the first is looked for in the others, the largest first. */
static void set_subtract_looking(struct set_sources *sources, struct set_result *result)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_set_iter iter;
    struct rg_bytes member;

    qsort(sources->sets + 1, (size_t)sources->count - 1, sizeof(*sources->sets),
          compare_larger_first);
    rg_set_iter_init(&iter, sources->sets[0].set);
    while (rg_set_iter_next(&iter, scratch, &member)) {
        if (!in_any_other(sources, member))
            result_add(result, member, scratch);
    }
}

/* The members of the others are taken out of a copy of the first. */
static void set_subtract_removing(const struct set_sources *sources, struct set_result *result)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_set_iter iter;
    struct rg_bytes member;

    if (result->draft == NULL)
        result->draft = rg_set_draft(result->ctx->db, RG_BYTES(""));
    rg_set_iter_init(&iter, sources->sets[0].set);
    while (rg_set_iter_next(&iter, scratch, &member))
        rg_set_add(result->ctx->db, &result->draft, member);
    for (int i = 1; i < sources->count && rg_set_len(result->draft) > 0; i++) {
        if (sources->sets[i].set == NULL)
            continue;
        rg_set_iter_init(&iter, sources->sets[i].set);
        while (rg_set_iter_next(&iter, scratch, &member))
            rg_set_remove(result->ctx->db, &result->draft, member);
    }
}

static void set_subtract(struct set_sources *sources, struct set_result *result)
{
    uint64_t looking = 0;
    uint64_t removing = 0;

    if (sources->sets[0].set == NULL)
        return;
    for (int i = 0; i < sources->count; i++) {
        if (sources->sets[i].set == NULL)
            continue;
        looking += set_len(sources->sets[0].set);
        removing += set_len(sources->sets[i].set);
        /* A set less itself is empty. */
        if (i > 0 && sources->sets[i].set == sources->sets[0].set)
            return;
    }
    /* A look-up is cheaper than an insertion and a removal, and often the first ones decide. */
    if (looking / 2 <= removing)
        set_subtract_looking(sources, result);
    else
        set_subtract_removing(sources, result);
}

void rg_cmd_run_sunion(struct rg_cmd_ctx *ctx)
{
    struct set_result result = {.ctx = ctx};
    struct set_sources sources;

    if (sources_find(ctx, 1, ctx->argc - 1, &sources) < 0)
        return;
    /* A single set holds no member twice. */
    if (sources.count - sources.missing > 1)
        result.draft = rg_set_draft(ctx->db, RG_BYTES(""));
    set_unite(&sources, &result);
    result_reply(&result);
    sources_fini(&sources);
}

void rg_cmd_run_sunionstore(struct rg_cmd_ctx *ctx)
{
    struct set_result result = {.ctx = ctx};
    struct set_sources sources;

    if (sources_find(ctx, 2, ctx->argc - 2, &sources) < 0)
        return;
    result.draft = rg_set_draft(ctx->db, ctx->argv[1]);
    set_unite(&sources, &result);
    result_store(&result, ctx->argv[1], "sunionstore");
    sources_fini(&sources);
}

void rg_cmd_run_sdiff(struct rg_cmd_ctx *ctx)
{
    struct set_result result = {.ctx = ctx};
    struct set_sources sources;

    if (sources_find(ctx, 1, ctx->argc - 1, &sources) < 0)
        return;
    set_subtract(&sources, &result);
    result_reply(&result);
    sources_fini(&sources);
}

void rg_cmd_run_sdiffstore(struct rg_cmd_ctx *ctx)
{
    struct set_result result = {.ctx = ctx};
    struct set_sources sources;

    if (sources_find(ctx, 2, ctx->argc - 2, &sources) < 0)
        return;
    result.draft = rg_set_draft(ctx->db, ctx->argv[1]);
    set_subtract(&sources, &result);
    result_store(&result, ctx->argv[1], "sdiffstore");
    sources_fini(&sources);
}
