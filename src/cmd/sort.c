#include "base/panic.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "cmd/sort_items.h"
#include "store/counted.h"
#include "store/list.h"

/* SORT and SORT_RO: the options, and what becomes of the sorted elements. */

struct sort_options {
    struct rg_sort_order order;
    bool as_it_is; /* BY a pattern without '*': nothing is sorted */
    int64_t start;
    int64_t count;         /* negative: all */
    int gets;              /* GET options; their patterns are found in argv again */
    struct rg_bytes store; /* data NULL: the elements are replied */
};

/* Returns how many arguments the option takes. Errors: RG_EINVAL (replied). */
static int sort_parse_option(struct rg_cmd_ctx *ctx, int index, bool read_only,
                             struct sort_options *options)
{
    int left = ctx->argc - index - 1;

    if (rg_cmd_arg_is(ctx, index, "ASC")) {
        options->order.descending = false;
        return 0;
    }
    if (rg_cmd_arg_is(ctx, index, "DESC")) {
        options->order.descending = true;
        return 0;
    }
    if (rg_cmd_arg_is(ctx, index, "ALPHA")) {
        options->order.alpha = true;
        return 0;
    }
    if (left >= 2 && rg_cmd_arg_is(ctx, index, "LIMIT")) {
        if (rg_cmd_arg_i64(ctx, index + 1, &options->start) < 0 ||
            rg_cmd_arg_i64(ctx, index + 2, &options->count) < 0)
            return RG_EINVAL;
        return 2;
    }
    if (left >= 1 && !read_only && rg_cmd_arg_is(ctx, index, "STORE")) {
        options->store = ctx->argv[index + 1];
        return 1;
    }
    if (left >= 1 && rg_cmd_arg_is(ctx, index, "BY")) {
        struct rg_bytes by = ctx->argv[index + 1];
        options->order.by = by;
        options->as_it_is = by.len == 0 || memchr(by.data, '*', by.len) == NULL;
        return 1;
    }
    if (left >= 1 && rg_cmd_arg_is(ctx, index, "GET")) {
        options->gets++;
        return 1;
    }
    rg_cmd_reply_syntax(ctx);
    return RG_EINVAL;
}

/* Where the next GET's pattern stands behind argv[index], the options being right. */
static int sort_next_get(const struct rg_cmd_ctx *ctx, int index)
{
    for (index++;; index++) {
        RG_ASSERT(index < ctx->argc);
        if (rg_cmd_arg_is(ctx, index, "GET"))
            return index + 1;
        if (rg_cmd_arg_is(ctx, index, "LIMIT"))
            index += 2;
        else if (rg_cmd_arg_is(ctx, index, "BY") || rg_cmd_arg_is(ctx, index, "STORE"))
            index++;
    }
}

/* The part of len elements that LIMIT means. */
static struct rg_sort_part sort_limit(const struct sort_options *options, uint64_t len)
{
    struct rg_sort_part part = {.start = options->start > 0 ? (uint64_t)options->start : 0};

    if (part.start >= len)
        return (struct rg_sort_part){0};
    part.count = len - part.start;
    if (options->count >= 0 && (uint64_t)options->count < part.count)
        part.count = (uint64_t)options->count;
    return part;
}

/* ---- Results ---- */

/* Calls one for every value of the result, in order: an element, or what each GET finds for it. */
static void sort_each(struct rg_cmd_ctx *ctx, const struct sort_options *options,
                      const struct rg_sort_items *items, const struct rg_sort_part *part,
                      void (*one)(void *arg, bool found, struct rg_bytes value), void *arg)
{
    char scratch[RG_STRING_SCRATCH];

    for (uint64_t i = part->start; i < part->start + part->count; i++) {
        struct rg_bytes element = items->items[i].element;
        int index = 1;
        if (options->gets == 0)
            one(arg, true, element);
        for (int get = 0; get < options->gets; get++) {
            struct rg_bytes value = {0};
            index = sort_next_get(ctx, index);
            bool found = rg_sort_lookup(ctx, ctx->argv[index], element, scratch, &value);
            one(arg, found, value);
        }
    }
}

static void sort_reply_one(void *arg, bool found, struct rg_bytes value)
{
    struct rg_cmd_ctx *ctx = arg;

    if (found)
        rg_reply_bulk(ctx->reply, value);
    else
        rg_reply_null(ctx->reply);
}

/* Values on their way into a list, one after the other as counted bytes. */
struct sort_stored {
    struct rg_buf bytes;
    bool too_long;
};

static void sort_store_one(void *arg, bool found, struct rg_bytes value)
{
    struct sort_stored *stored = arg;
    struct rg_bytes element = found ? value : RG_BYTES("");

    if (element.len > RG_LIST_ELEMENT_MAX) {
        stored->too_long = true;
        return;
    }
    size_t size = rg_counted_size(element.len);
    rg_counted_write(rg_buf_reserve(&stored->bytes, size), element);
    rg_buf_commit(&stored->bytes, size);
}

/* The elements were copied, since the list that goes may be the one that they are from. */
static void sort_replace(struct rg_cmd_ctx *ctx, struct rg_bytes key, struct rg_bytes elements)
{
    struct rg_bytes element;

    bool was_there = rg_db_delete(ctx->db, key);
    struct rg_entry *entry = rg_db_put_list(ctx->db, key);
    rg_lookup_touch(ctx, entry);
    if (!was_there)
        rg_cmd_note_new(ctx, ctx->db_index, key);
    while (elements.len > 0) {
        const char *end = rg_counted_read(elements.data, &element);
        elements = rg_bytes(end, elements.len - (size_t)(end - elements.data));
        rg_list_push(ctx->db, &entry, RG_LIST_TAIL, element);
    }
    rg_cmd_note(ctx, key, RG_NOTE_LIST, "sortstore");
}

static void sort_store(struct rg_cmd_ctx *ctx, const struct sort_options *options,
                       const struct rg_sort_items *items, const struct rg_sort_part *part,
                       uint64_t count)
{
    struct sort_stored stored = {0};

    sort_each(ctx, options, items, part, sort_store_one, &stored);
    if (stored.too_long) {
        rg_cmd_reply_out_of_memory(ctx);
    } else if (count > 0) {
        sort_replace(ctx, options->store, rg_buf_view(&stored.bytes));
        ctx->dirty += count;
        rg_reply_i64(ctx->reply, (int64_t)count);
    } else {
        if (rg_db_delete(ctx->db, options->store)) {
            rg_cmd_note(ctx, options->store, RG_NOTE_GENERIC, "del");
            ctx->dirty++;
        }
        rg_reply_i64(ctx->reply, 0);
    }
    rg_buf_fini(&stored.bytes);
}

static void sort_finish(struct rg_cmd_ctx *ctx, const struct sort_options *options,
                        const struct rg_sort_items *items, const struct rg_sort_part *part)
{
    uint64_t count = part->count * (options->gets > 0 ? (uint64_t)options->gets : 1);

    if (options->store.data != NULL) {
        sort_store(ctx, options, items, part, count);
        return;
    }
    rg_reply_array(ctx->reply, (int64_t)count);
    sort_each(ctx, options, items, part, sort_reply_one, ctx);
}

/* ---- The command ---- */

static bool sort_is_sortable(const struct rg_entry *entry)
{
    enum rg_type type = rg_entry_type(entry);
    return type == RG_TYPE_LIST || type == RG_TYPE_SET || type == RG_TYPE_ZSET;
}

/* Errors: RG_EINVAL, RG_ENOMEM (replied). */
static int sort_run(struct rg_cmd_ctx *ctx, const struct rg_entry *entry,
                    const struct sort_options *options, struct rg_sort_items *items,
                    struct rg_sort_part *part)
{
    uint64_t len = entry != NULL ? rg_sort_len(entry) : 0;
    struct rg_sort_part all = {.count = len};
    int result = 0;

    *part = sort_limit(options, len);
    if (options->as_it_is) {
        /* A set has no direction. */
        part->backward = options->order.descending && !options->order.unordered;
        result = rg_sort_load(items, entry, part);
        part->start = 0;
    } else {
        result = rg_sort_load(items, entry, &all);
        if (result == 0)
            result = rg_sort_items(ctx, items, &options->order);
    }
    if (result == RG_EINVAL)
        rg_reply_error(ctx->reply, "ERR One or more scores can't be converted into double");
    else if (result < 0)
        rg_cmd_reply_out_of_memory(ctx);
    return result;
}

static void sort(struct rg_cmd_ctx *ctx, bool read_only)
{
    struct sort_options options = {.count = -1};
    struct rg_sort_items items = {0};
    struct rg_sort_part part = {0};

    for (int i = 2; i < ctx->argc; i++) {
        int used = sort_parse_option(ctx, i, read_only, &options);
        if (used < 0)
            return;
        i += used;
    }
    const struct rg_entry *entry = rg_lookup_read(ctx, ctx->argv[1]);
    if (entry != NULL && !sort_is_sortable(entry)) {
        rg_cmd_reply_wrong_type(ctx);
        return;
    }
    options.order.unordered = entry != NULL && rg_entry_type(entry) == RG_TYPE_SET;
    /* What is stored must not depend on the order of a set, which differs from node to node. */
    if (options.as_it_is && options.order.unordered && options.store.data != NULL) {
        options.as_it_is = false;
        options.order.alpha = true;
        options.order.by = (struct rg_bytes){0};
    }
    if (sort_run(ctx, entry, &options, &items, &part) == 0)
        sort_finish(ctx, &options, &items, &part);
    rg_sort_items_fini(&items);
}

void rg_cmd_run_sort(struct rg_cmd_ctx *ctx)
{
    sort(ctx, false);
}

void rg_cmd_run_sort_ro(struct rg_cmd_ctx *ctx)
{
    sort(ctx, true);
}
