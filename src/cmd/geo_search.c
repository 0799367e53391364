#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cmd/geo_arg.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "cmd/zset_result.h"
#include "cmd/zset_value.h"

/* GEOSEARCH, GEORADIUS and their like: the members within a shape. */

enum search_order { ORDER_NONE, ORDER_NEAREST, ORDER_FARTHEST };

struct search {
    bool named;      /* GEOSEARCH: the shape is given by options */
    bool may_store;  /* GEORADIUS: STORE and STOREDIST are options */
    bool store_dist; /* the scores are distances */
    bool has_center;
    bool has_shape;
    bool from_member;
    bool with_dist;
    bool with_hash;
    bool with_coord;
    bool any;
    enum search_order order;
    int64_t count;          /* 0: all */
    int store;              /* index of the target in argv; 0: none */
    struct rg_entry *entry; /* NULL: nothing is there */
    struct rg_geo_shape shape;
};

struct search_item {
    struct rg_bytes member; /* in the entry, or, without data, in scratch */
    char scratch[RG_STRING_SCRATCH];
    struct rg_geo_point point;
    double score;
    double distance;
    size_t order;
};

static struct rg_bytes item_member(const struct search_item *item)
{
    return item->member.data != NULL ? item->member : rg_bytes(item->scratch, item->member.len);
}

struct search_found {
    struct search_item *items; /* owned */
    size_t count;
    size_t cap;
};

/* ---- Words ---- */

/* Errors: RG_EINVAL, RG_ERANGE (replied). */
static int search_radius(struct rg_cmd_ctx *ctx, int index, struct rg_geo_shape *shape)
{
    if (rg_cmd_arg_double(ctx, index, "ERR need numeric radius", &shape->radius) < 0)
        return RG_EINVAL;
    if (shape->radius < 0) {
        rg_reply_error(ctx->reply, "ERR radius cannot be negative");
        return RG_ERANGE;
    }
    shape->box = false;
    return rg_geo_arg_unit(ctx, index + 1, &shape->unit_m);
}

/* Errors: RG_EINVAL, RG_ERANGE (replied). */
static int search_box(struct rg_cmd_ctx *ctx, int index, struct rg_geo_shape *shape)
{
    if (rg_cmd_arg_double(ctx, index, "ERR need numeric width", &shape->width) < 0 ||
        rg_cmd_arg_double(ctx, index + 1, "ERR need numeric height", &shape->height) < 0)
        return RG_EINVAL;
    if (shape->width < 0 || shape->height < 0) {
        rg_reply_error(ctx->reply, "ERR height or width cannot be negative");
        return RG_ERANGE;
    }
    shape->box = true;
    return rg_geo_arg_unit(ctx, index + 2, &shape->unit_m);
}

/* Where there is no set the member is not looked for. Errors: RG_ENOENT (replied). */
static int search_member(struct rg_cmd_ctx *ctx, int index, struct search *search)
{
    double score = 0;

    if (search->entry == NULL)
        return 0;
    if (!rg_zset_score(search->entry, ctx->argv[index], &score)) {
        rg_reply_error(ctx->reply, "ERR could not decode requested zset member");
        return RG_ENOENT;
    }
    search->shape.center = rg_geo_decode(score);
    return 0;
}

/* The option at index where it is one without an argument. */
static bool search_flag(struct rg_cmd_ctx *ctx, int index, struct search *search)
{
    if (rg_cmd_arg_is(ctx, index, "WITHDIST"))
        search->with_dist = true;
    else if (rg_cmd_arg_is(ctx, index, "WITHHASH"))
        search->with_hash = true;
    else if (rg_cmd_arg_is(ctx, index, "WITHCOORD"))
        search->with_coord = true;
    else if (rg_cmd_arg_is(ctx, index, "ANY"))
        search->any = true;
    else if (rg_cmd_arg_is(ctx, index, "ASC"))
        search->order = ORDER_NEAREST;
    else if (rg_cmd_arg_is(ctx, index, "DESC"))
        search->order = ORDER_FARTHEST;
    else if (search->named && search->store > 0 && rg_cmd_arg_is(ctx, index, "STOREDIST"))
        search->store_dist = true;
    else
        return false;
    return true;
}

/* Errors: RG_EINVAL, RG_ERANGE (replied). */
static int search_count(struct rg_cmd_ctx *ctx, int index, struct search *search)
{
    if (rg_cmd_arg_i64(ctx, index, &search->count) < 0)
        return RG_EINVAL;
    if (search->count > 0)
        return 0;
    rg_reply_error(ctx->reply, "ERR COUNT must be > 0");
    return RG_ERANGE;
}

/*
 * An option with arguments, `behind` words being behind it: returns how many it takes, 0 where it
 * is none, or a negative error (replied).
 */
static int search_option(struct rg_cmd_ctx *ctx, int index, int behind, struct search *search)
{
    int result = 0;

    if (behind >= 1 && rg_cmd_arg_is(ctx, index, "COUNT"))
        return (result = search_count(ctx, index + 1, search)) < 0 ? result : 1;
    if (search->may_store && behind >= 1 &&
        (rg_cmd_arg_is(ctx, index, "STORE") || rg_cmd_arg_is(ctx, index, "STOREDIST"))) {
        search->store = index + 1;
        search->store_dist = rg_cmd_arg_is(ctx, index, "STOREDIST");
        return 1;
    }
    if (!search->named)
        return 0;
    bool from_point = search->has_center && !search->from_member;
    if (behind >= 1 && !from_point && rg_cmd_arg_is(ctx, index, "FROMMEMBER")) {
        search->has_center = search->from_member = true;
        return (result = search_member(ctx, index + 1, search)) < 0 ? result : 1;
    }
    if (behind >= 2 && !search->from_member && rg_cmd_arg_is(ctx, index, "FROMLONLAT")) {
        search->has_center = true;
        return (result = rg_geo_arg_point(ctx, index + 1, &search->shape.center)) < 0 ? result : 2;
    }
    bool is_box = search->has_shape && search->shape.box;
    if (behind >= 2 && !is_box && rg_cmd_arg_is(ctx, index, "BYRADIUS")) {
        search->has_shape = true;
        return (result = search_radius(ctx, index + 1, &search->shape)) < 0 ? result : 2;
    }
    bool is_circle = search->has_shape && !search->shape.box;
    if (behind >= 3 && !is_circle && rg_cmd_arg_is(ctx, index, "BYBOX")) {
        search->has_shape = true;
        return (result = search_box(ctx, index + 1, &search->shape)) < 0 ? result : 3;
    }
    return 0;
}

/* Errors: RG_EINVAL, RG_ERANGE, RG_ENOENT (replied). */
static int search_options(struct rg_cmd_ctx *ctx, int index, struct search *search)
{
    for (; index < ctx->argc; index++) {
        if (search_flag(ctx, index, search))
            continue;
        int taken = search_option(ctx, index, ctx->argc - index - 1, search);
        if (taken < 0)
            return taken;
        if (taken == 0) {
            rg_cmd_reply_syntax(ctx);
            return RG_EINVAL;
        }
        index += taken;
    }
    return 0;
}

/* Errors: RG_EINVAL (replied). */
static int search_check(struct rg_cmd_ctx *ctx, const struct search *search)
{
    struct rg_bytes name = ctx->argv[0];

    if (search->store > 0 && (search->with_dist || search->with_hash || search->with_coord))
        rg_reply_errorf(ctx->reply,
                        "ERR %s is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
                        search->named ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS");
    else if (search->named && !search->has_center)
        rg_reply_errorf(ctx->reply,
                        "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %.*s",
                        (int)name.len, name.data);
    else if (search->named && !search->has_shape)
        rg_reply_errorf(ctx->reply,
                        "ERR exactly one of BYRADIUS and BYBOX can be specified for %.*s",
                        (int)name.len, name.data);
    else if (search->any && search->count == 0)
        rg_reply_error(ctx->reply, "ERR the ANY argument requires COUNT argument");
    else
        return 0;
    return RG_EINVAL;
}

/* ---- Finding ---- */

static void found_add(struct search_found *found, struct search_item item)
{
    enum { FIRST_CAP = 16 };

    if (found->count == found->cap) {
        found->cap = found->cap > 0 ? found->cap * 2 : FIRST_CAP;
        found->items = rg_realloc(found->items, found->cap * sizeof(*found->items));
    }
    item.order = found->count;
    found->items[found->count++] = item;
}

/* The members of one cell that are in the shape; max 0: all of them. */
static void search_cell(const struct search *search, struct rg_geo_hash cell, size_t max,
                        struct search_found *found)
{
    struct search_item item = {0};
    struct rg_zset_iter iter;
    double min = 0;
    double end = 0;

    rg_geo_cell_scores(cell, &min, &end);
    uint64_t first = rg_zset_count_below(search->entry, min, false);
    if (first == rg_zset_len(search->entry))
        return;
    rg_zset_iter_init(&iter, search->entry, first, false);
    while (rg_zset_iter_next(&iter, &item.member, &item.score) && item.score < end) {
        item.point = rg_geo_decode(item.score);
        if (!rg_geo_within(&search->shape, item.point, &item.distance))
            continue;
        if (item.member.data == iter.scratch) {
            memcpy(item.scratch, iter.scratch, sizeof(item.scratch));
            item.member.data = NULL;
        }
        found_add(found, item);
        if (max > 0 && found->count >= max)
            return;
    }
}

static void search_find(const struct search *search, struct search_found *found)
{
    struct rg_geo_hash cells[RG_GEO_CELLS];
    size_t max = search->any ? (size_t)search->count : 0;
    unsigned last = 0;

    rg_geo_cover(&search->shape, cells);
    for (unsigned i = 0; i < RG_GEO_CELLS; i++) {
        if (cells[i].step == 0)
            continue;
        /* Where cells are huge those on either side are the same. */
        if (last > 0 && cells[i].bits == cells[last].bits && cells[i].step == cells[last].step)
            continue;
        if (max > 0 && found->count >= max)
            return;
        search_cell(search, cells[i], max, found);
        last = i;
    }
}

static int compare_nearest(const void *a, const void *b)
{
    const struct search_item *x = a;
    const struct search_item *y = b;

    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static int compare_farthest(const void *a, const void *b)
{
    const struct search_item *x = a;
    const struct search_item *y = b;

    if (x->distance != y->distance)
        return x->distance > y->distance ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* In order, and no more than are wanted. */
static void search_select(const struct search *search, struct search_found *found)
{
    enum search_order order = search->order;

    if (search->count > 0 && order == ORDER_NONE && !search->any)
        order = ORDER_NEAREST;
    if (order != ORDER_NONE && found->count > 1)
        qsort(found->items, found->count, sizeof(found->items[0]),
              order == ORDER_NEAREST ? compare_nearest : compare_farthest);
    if (search->count > 0 && found->count > (uint64_t)search->count)
        found->count = (size_t)search->count;
}

/* ---- Replies ---- */

static void search_reply(struct rg_cmd_ctx *ctx, const struct search *search,
                         const struct search_found *found)
{
    int options = search->with_dist + search->with_hash + search->with_coord;

    rg_reply_array(ctx->reply, (int64_t)found->count);
    for (size_t i = 0; i < found->count; i++) {
        const struct search_item *item = &found->items[i];
        if (options > 0)
            rg_reply_array(ctx->reply, options + 1);
        rg_reply_bulk(ctx->reply, item_member(item));
        if (search->with_dist)
            rg_geo_reply_distance(ctx, item->distance / search->shape.unit_m);
        if (search->with_hash)
            rg_reply_i64(ctx->reply, (int64_t)item->score);
        if (search->with_coord)
            rg_geo_reply_point(ctx, item->point);
    }
}

static void search_store(struct rg_cmd_ctx *ctx, const struct search *search,
                         const struct search_found *found)
{
    struct rg_zset_result result = {0};

    for (size_t i = 0; i < found->count; i++) {
        const struct search_item *item = &found->items[i];
        rg_zset_result_add(&result, item_member(item),
                           search->store_dist ? item->distance / search->shape.unit_m
                                              : item->score);
    }
    rg_zset_result_store(ctx, &result, ctx->argv[search->store], RG_ZSET_STORE_WHOLE,
                         search->named ? "geosearchstore" : "georadiusstore");
    rg_zset_result_fini(&result);
}

/* Options stand from argv[index] on. */
static void search_run(struct rg_cmd_ctx *ctx, struct search *search, int index)
{
    struct search_found found = {0};

    if (search_options(ctx, index, search) < 0 || search_check(ctx, search) < 0)
        return;
    if (search->entry != NULL) {
        search_find(search, &found);
        search_select(search, &found);
    }
    if (search->store > 0)
        search_store(ctx, search, &found);
    else
        search_reply(ctx, search, &found);
    rg_free(found.items);
}

static void search_by_name(struct rg_cmd_ctx *ctx, int store, int source)
{
    struct search search = {.named = true, .store = store};

    if (rg_lookup_read_type(ctx, ctx->argv[source], RG_TYPE_ZSET, &search.entry) == 0)
        search_run(ctx, &search, source + 1);
}

void rg_cmd_run_geosearch(struct rg_cmd_ctx *ctx)
{
    search_by_name(ctx, 0, 1);
}

void rg_cmd_run_geosearchstore(struct rg_cmd_ctx *ctx)
{
    search_by_name(ctx, 1, 2);
}

/* GEORADIUS: key longitude latitude radius unit … */
static void search_around_point(struct rg_cmd_ctx *ctx, bool may_store)
{
    struct search search = {.may_store = may_store};

    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_ZSET, &search.entry) == 0 &&
        rg_geo_arg_point(ctx, 2, &search.shape.center) == 0 &&
        search_radius(ctx, 4, &search.shape) == 0)
        search_run(ctx, &search, 6);
}

/* GEORADIUSBYMEMBER: key member radius unit …; without a set only the options matter. */
static void search_around_member(struct rg_cmd_ctx *ctx, bool may_store)
{
    struct search search = {.may_store = may_store};

    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_ZSET, &search.entry) < 0)
        return;
    if (search.entry == NULL ||
        (search_member(ctx, 2, &search) == 0 && search_radius(ctx, 3, &search.shape) == 0))
        search_run(ctx, &search, 5);
}

void rg_cmd_run_georadius(struct rg_cmd_ctx *ctx)
{
    search_around_point(ctx, true);
}

void rg_cmd_run_georadius_ro(struct rg_cmd_ctx *ctx)
{
    search_around_point(ctx, false);
}

void rg_cmd_run_georadiusbymember(struct rg_cmd_ctx *ctx)
{
    search_around_member(ctx, true);
}

void rg_cmd_run_georadiusbymember_ro(struct rg_cmd_ctx *ctx)
{
    search_around_member(ctx, false);
}
