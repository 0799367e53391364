#include "cmd/sort_items.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/panic.h"
#include "store/list.h"
#include "store/set.h"
#include "store/zset.h"

/* ---- Scraps ---- */

static void scraps_fini(struct rg_sort_scraps *scraps)
{
    for (size_t i = 0; i < scraps->count; i++)
        rg_free(scraps->blocks[i]);
    rg_free(scraps->blocks);
}

/* A copy of something that fits a scratch. */
static struct rg_bytes scraps_keep(struct rg_sort_scraps *scraps, struct rg_bytes bytes)
{
    enum { BLOCK = 4096 };
    RG_ASSERT(bytes.len <= RG_STRING_SCRATCH);
    if (scraps->count == 0 || scraps->used + bytes.len > BLOCK) {
        if (scraps->count == scraps->cap) {
            scraps->cap = scraps->cap > 0 ? scraps->cap * 2 : 8;
            scraps->blocks = rg_realloc(scraps->blocks, scraps->cap * sizeof(*scraps->blocks));
        }
        scraps->blocks[scraps->count++] = rg_alloc(BLOCK);
        scraps->used = 0;
    }
    char *at = scraps->blocks[scraps->count - 1] + scraps->used;
    if (bytes.len > 0)
        memcpy(at, bytes.data, bytes.len);
    scraps->used += bytes.len;
    return rg_bytes(at, bytes.len);
}

/* ---- Loading ---- */

void rg_sort_items_fini(struct rg_sort_items *items)
{
    rg_free(items->items);
    scraps_fini(&items->scraps);
}

uint64_t rg_sort_len(const struct rg_entry *entry)
{
    if (rg_entry_type(entry) == RG_TYPE_LIST)
        return rg_list_len(entry);
    return rg_entry_type(entry) == RG_TYPE_SET ? rg_set_len(entry) : rg_zset_len(entry);
}

/* An integer that was written out is gone with the next one. */
static struct rg_bytes item_keep(struct rg_sort_items *items, struct rg_bytes element,
                                 const char scratch[RG_STRING_SCRATCH])
{
    return element.data == scratch ? scraps_keep(&items->scraps, element) : element;
}

static void load_list(struct rg_sort_items *items, const struct rg_entry *entry, uint64_t first,
                      const struct rg_sort_part *part)
{
    struct rg_list_iter iter;
    struct rg_bytes element;

    rg_list_iter_init(&iter, entry, first, part->backward);
    while (items->count < part->count && rg_list_iter_next(&iter, &element))
        items->items[items->count++].element = item_keep(items, element, iter.scratch);
}

static void load_zset(struct rg_sort_items *items, const struct rg_entry *entry, uint64_t first,
                      const struct rg_sort_part *part)
{
    struct rg_zset_iter iter;
    struct rg_bytes member;
    double score = 0;

    rg_zset_iter_init(&iter, entry, first, part->backward);
    while (items->count < part->count && rg_zset_iter_next(&iter, &member, &score))
        items->items[items->count++].element = item_keep(items, member, iter.scratch);
}

static void load_set(struct rg_sort_items *items, const struct rg_entry *entry,
                     const struct rg_sort_part *part)
{
    struct rg_set_iter iter;
    char scratch[RG_STRING_SCRATCH];
    struct rg_bytes member;
    uint64_t skip = part->start;

    rg_set_iter_init(&iter, entry);
    while (items->count < part->count && rg_set_iter_next(&iter, scratch, &member)) {
        if (skip > 0) {
            skip--;
            continue;
        }
        items->items[items->count++].element = item_keep(items, member, scratch);
    }
}

int rg_sort_load(struct rg_sort_items *items, const struct rg_entry *entry,
                 const struct rg_sort_part *part)
{
    *items = (struct rg_sort_items){0};
    if (part->count == 0)
        return 0;
    items->items = rg_try_alloc(part->count * sizeof(*items->items));
    if (items->items == NULL)
        return RG_ENOMEM;
    uint64_t first = part->backward ? rg_sort_len(entry) - 1 - part->start : part->start;
    if (rg_entry_type(entry) == RG_TYPE_LIST)
        load_list(items, entry, first, part);
    else if (rg_entry_type(entry) == RG_TYPE_ZSET)
        load_zset(items, entry, first, part);
    else
        load_set(items, entry, part);
    RG_ASSERT(items->count == part->count);
    return 0;
}

/* ---- Numbers and texts to sort by ---- */

/* As C reads a number, over the whole text up to a zero byte; no text is 0. Errors: RG_EINVAL. */
static int sort_score(struct rg_bytes text, double *ret_score)
{
    enum { SHORT_BYTES = 128 };
    char copy_short[SHORT_BYTES];
    int64_t integer = 0;

    if (rg_parse_i64(text, &integer) == 0) {
        *ret_score = (double)integer;
        return 0;
    }
    char *copy = text.len >= sizeof(copy_short) ? rg_alloc_copy(text.data, text.len) : NULL;
    char *start = copy != NULL ? copy : copy_short;
    if (copy == NULL) {
        if (text.len > 0)
            memcpy(start, text.data, text.len);
        start[text.len] = '\0';
    }
    char *end = NULL;
    errno = 0;
    double score = strtod(start, &end);
    bool whole = *end == '\0' && errno != ERANGE && !isnan(score);
    rg_free(copy);
    if (!whole)
        return RG_EINVAL;
    *ret_score = score;
    return 0;
}

/* Errors: RG_EINVAL. */
static int sort_weigh(struct rg_cmd_ctx *ctx, struct rg_sort_items *items,
                      struct rg_sort_item *item, const struct rg_sort_order *order)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_bytes value = item->element;
    bool found =
        order->by.data == NULL || rg_sort_lookup(ctx, order->by, item->element, scratch, &value);

    if (!order->alpha) {
        item->score = 0;
        return found ? sort_score(value, &item->score) : 0;
    }
    if (found && value.data >= scratch && value.data < scratch + sizeof(scratch))
        value = scraps_keep(&items->scraps, value);
    item->text = found ? value : (struct rg_bytes){0};
    return 0;
}

/* ---- Sorting ---- */

static int compare_scores(const struct rg_sort_item *a, const struct rg_sort_item *b)
{
    if (a->score != b->score)
        return a->score < b->score ? -1 : 1;
    /* Without a pattern too: "1" and "1.0" have to come in some order. */
    return rg_bytes_compare(a->element, b->element);
}

static int compare_texts(const struct rg_sort_item *a, const struct rg_sort_item *b,
                         const struct rg_sort_order *order)
{
    int result = 0;

    if (a->text.data == NULL || b->text.data == NULL)
        result = (a->text.data != NULL) - (b->text.data != NULL);
    else
        result = rg_bytes_compare(a->text, b->text);
    if (result == 0 && order->unordered)
        result = rg_bytes_compare(a->element, b->element);
    return result;
}

static bool goes_before(const struct rg_sort_item *a, const struct rg_sort_item *b,
                        const struct rg_sort_order *order)
{
    int result = order->alpha ? compare_texts(a, b, order) : compare_scores(a, b);
    return order->descending ? result > 0 : result < 0;
}

/* Two neighbouring runs of from become one of to; of equals the left one comes first. */
static void merge_runs(const struct rg_sort_item *from, struct rg_sort_item *to, uint64_t left,
                       uint64_t middle, uint64_t end, const struct rg_sort_order *order)
{
    uint64_t right = middle;
    for (uint64_t at = left; at < end; at++) {
        if (left < middle && (right >= end || !goes_before(&from[right], &from[left], order)))
            to[at] = from[left++];
        else
            to[at] = from[right++];
    }
}

static void insertion_sort(struct rg_sort_item *items, uint64_t count,
                           const struct rg_sort_order *order)
{
    for (uint64_t i = 1; i < count; i++) {
        struct rg_sort_item item = items[i];
        uint64_t at = i;
        for (; at > 0 && goes_before(&item, &items[at - 1], order); at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

/*
 * A stable merge sort of our own: what is stored is sorted anew by every replica, and must come out
 * the same whatever the C library does with equals.
 */
static int merge_sort(struct rg_sort_items *items, const struct rg_sort_order *order)
{
    enum { RUN = 16 };
    uint64_t count = items->count;
    struct rg_sort_item *from = items->items;

    for (uint64_t at = 0; at < count; at += RUN)
        insertion_sort(from + at, count - at < RUN ? count - at : RUN, order);
    if (count <= RUN)
        return 0;
    struct rg_sort_item *to = rg_try_alloc(count * sizeof(*to));
    if (to == NULL)
        return RG_ENOMEM;
    for (uint64_t run = RUN; run < count; run *= 2) {
        for (uint64_t at = 0; at < count; at += 2 * run) {
            uint64_t middle = count - at < run ? count : at + run;
            uint64_t end = count - at < 2 * run ? count : at + 2 * run;
            merge_runs(from, to, at, middle, end, order);
        }
        struct rg_sort_item *sorted = to;
        to = from;
        from = sorted;
    }
    items->items = from;
    rg_free(to);
    return 0;
}

int rg_sort_items(struct rg_cmd_ctx *ctx, struct rg_sort_items *items,
                  const struct rg_sort_order *order)
{
    int result = 0;

    for (uint64_t i = 0; i < items->count; i++) {
        if (sort_weigh(ctx, items, &items->items[i], order) < 0)
            result = RG_EINVAL;
    }
    return result < 0 ? result : merge_sort(items, order);
}
