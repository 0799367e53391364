#include "store/segments.h"

#include <string.h>

#include "base/panic.h"

enum { LINE_BYTES = 64 };

static size_t segment_items(const struct rg_segments *segments)
{
    return (size_t)1 << (RG_SEGMENT_SHIFT - segments->item_shift);
}

void rg_segments_init(struct rg_segments *segments, struct rg_pool *pool, unsigned item_shift)
{
    RG_ASSERT(item_shift <= RG_SEGMENT_SHIFT);
    *segments = (struct rg_segments){.pool = pool, .item_shift = item_shift};
}

static size_t segment_count(const struct rg_segments *segments)
{
    size_t per = segment_items(segments);
    return (segments->cap + per - 1) / per;
}

static void segment_free(struct rg_segments *segments, size_t index)
{
    /* Only the first one may be smaller than a segment. */
    size_t size = segments->cap << segments->item_shift;
    if (size > (size_t)1 << RG_SEGMENT_SHIFT)
        size = (size_t)1 << RG_SEGMENT_SHIFT;
    rg_pool_free(segments->pool, segments->dir[index], size);
}

void rg_segments_fini(struct rg_segments *segments)
{
    for (size_t i = 0; i < segment_count(segments); i++)
        segment_free(segments, i);
    if (segments->dir_cap > 0)
        rg_pool_free(segments->pool, segments->dir, segments->dir_cap * sizeof(*segments->dir));
    rg_segments_init(segments, segments->pool, segments->item_shift);
}

/* The array fits into one segment and is given room for exactly cap items there. */
static void first_resize(struct rg_segments *segments, size_t cap)
{
    char *lines = rg_pool_alloc_lines(segments->pool, cap << segments->item_shift);
    if (segments->dir_cap == 0) {
        segments->dir = rg_pool_alloc(segments->pool, sizeof(*segments->dir));
        segments->dir_cap = 1;
    }
    if (segments->cap > 0) {
        size_t keep = segments->cap < cap ? segments->cap : cap;
        memcpy(lines, segments->dir[0], keep << segments->item_shift);
        segment_free(segments, 0);
    }
    segments->dir[0] = lines;
    segments->cap = cap;
}

/* Items for count and a quarter more, as many as the pool has room for at that cost. */
static size_t first_cap(const struct rg_segments *segments, size_t count)
{
    size_t want = (count + count / 4) << segments->item_shift;
    size_t bytes = rg_pool_room((want + LINE_BYTES - 1) & ~(size_t)(LINE_BYTES - 1));
    size_t cap = bytes >> segments->item_shift;
    return cap < segment_items(segments) ? cap : segment_items(segments);
}

void rg_segments_grow(struct rg_segments *segments, size_t count)
{
    size_t per = segment_items(segments);
    if (segments->cap < count && segments->cap < per)
        first_resize(segments, first_cap(segments, count));
    while (segments->cap < count) {
        size_t used = segment_count(segments);
        if (used == segments->dir_cap) {
            size_t size = segments->dir_cap * sizeof(*segments->dir);
            segments->dir = rg_pool_realloc(segments->pool, segments->dir, size, size * 2);
            segments->dir_cap *= 2;
        }
        segments->dir[used] = rg_pool_alloc_lines(segments->pool, (size_t)1 << RG_SEGMENT_SHIFT);
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
        segment_free(segments, segment_count(segments) - 1);
        segments->cap -= per;
    }
    if (segments->cap > per && count <= per / 4) {
        segment_free(segments, 1);
        segments->cap = per;
    }
    if (segments->cap <= per && segments->cap > first_cap(segments, 1) &&
        count <= segments->cap / 2)
        first_resize(segments, first_cap(segments, count));
}

size_t rg_segments_memory(const struct rg_segments *segments)
{
    size_t memory = segments->cap << segments->item_shift;
    if (segments->dir_cap > 0)
        memory += rg_pool_cost(segments->dir_cap * sizeof(*segments->dir));
    return memory;
}
