#include "store/segments.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "store/footprint.h"

enum { LINE_BYTES = 64 };

static char *lines_alloc(size_t size)
{
    RG_ASSERT(size % LINE_BYTES == 0);
    char *lines = aligned_alloc(LINE_BYTES, size);
    if (lines == NULL)
        rg_panic(__FILE__, __LINE__, "out of memory");
    memset(lines, 0, size);
    return lines;
}

static size_t segment_items(const struct rg_segments *segments)
{
    return (size_t)1 << (RG_SEGMENT_SHIFT - segments->item_shift);
}

/* As many as one cache line holds. */
static size_t least_items(const struct rg_segments *segments)
{
    size_t items = (size_t)LINE_BYTES >> segments->item_shift;
    return items > 0 ? items : 1;
}

void rg_segments_init(struct rg_segments *segments, unsigned item_shift)
{
    RG_ASSERT(item_shift <= RG_SEGMENT_SHIFT);
    *segments = (struct rg_segments){.item_shift = item_shift};
}

static size_t segment_count(const struct rg_segments *segments)
{
    size_t per = segment_items(segments);
    return (segments->cap + per - 1) / per;
}

void rg_segments_fini(struct rg_segments *segments)
{
    for (size_t i = 0; i < segment_count(segments); i++)
        rg_free(segments->dir[i]);
    rg_free(segments->dir);
    rg_segments_init(segments, segments->item_shift);
}

/* The array fits into one segment and is given room for exactly cap items there. */
static void first_resize(struct rg_segments *segments, size_t cap)
{
    char *lines = lines_alloc(cap << segments->item_shift);
    if (segments->dir_cap == 0) {
        segments->dir = rg_alloc(sizeof(*segments->dir));
        segments->dir_cap = 1;
    }
    if (segments->cap > 0) {
        size_t keep = segments->cap < cap ? segments->cap : cap;
        memcpy(lines, segments->dir[0], keep << segments->item_shift);
        rg_free(segments->dir[0]);
    }
    segments->dir[0] = lines;
    segments->cap = cap;
}

void rg_segments_grow(struct rg_segments *segments, size_t count)
{
    size_t per = segment_items(segments);
    if (segments->cap < count && segments->cap < per) {
        size_t cap = segments->cap > 0 ? segments->cap : least_items(segments);
        while (cap < count && cap < per)
            cap *= 2;
        first_resize(segments, cap);
    }
    while (segments->cap < count) {
        size_t used = segment_count(segments);
        if (used == segments->dir_cap) {
            segments->dir_cap *= 2;
            segments->dir = rg_realloc(segments->dir, segments->dir_cap * sizeof(*segments->dir));
        }
        segments->dir[used] = lines_alloc((size_t)1 << RG_SEGMENT_SHIFT);
        segments->cap += per;
    }
}

void rg_segments_shrink(struct rg_segments *segments, size_t count)
{
    size_t per = segment_items(segments);
    if (count == 0) {
        rg_segments_fini(segments);
        return;
    }
    /* One spare segment stays, so that a size that swings around a border costs nothing. */
    while (segments->cap > per && count + 2 * per <= segments->cap) {
        rg_free(segments->dir[segment_count(segments) - 1]);
        segments->cap -= per;
    }
    if (segments->cap > per && count <= per / 4) {
        rg_free(segments->dir[1]);
        segments->cap = per;
    }
    if (segments->cap <= per && segments->cap > least_items(segments) && count <= segments->cap / 4)
        first_resize(segments, segments->cap / 2);
}

size_t rg_segments_memory(const struct rg_segments *segments)
{
    size_t memory = segments->cap << segments->item_shift;
    if (segments->dir_cap > 0)
        memory += rg_footprint(segments->dir_cap * sizeof(*segments->dir));
    return memory;
}
