#ifndef RG_STORE_SEGMENTS_H
#define RG_STORE_SEGMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "store/pool.h"

/*
 * An array of small items in segments of 64 KiB, aligned to cache lines. It grows and shrinks at
 * its end a segment at a time, so that a large array never moves; only while it fits into one
 * segment does that grow by a quarter and move, as a vector would. New items hold anything, so that
 * no step has a segment to fill.
 */
struct rg_segments {
    struct rg_pool *pool;
    char **dir;          /* owned segments */
    size_t dir_cap;      /* room in dir */
    size_t cap;          /* items there are */
    unsigned item_shift; /* log2 of the bytes of an item */
};

enum { RG_SEGMENT_SHIFT = 16 };

void rg_segments_init(struct rg_segments *segments, struct rg_pool *pool, unsigned item_shift);
/* Frees everything; the array is empty and ready. */
void rg_segments_fini(struct rg_segments *segments);
/* Makes items [0, count) exist. */
void rg_segments_grow(struct rg_segments *segments, size_t count);
/* Gives back what lies well beyond [0, count). */
void rg_segments_shrink(struct rg_segments *segments, size_t count);
size_t rg_segments_memory(const struct rg_segments *segments);

static inline void *rg_segments_at(const struct rg_segments *segments, size_t index)
{
    unsigned shift = RG_SEGMENT_SHIFT - segments->item_shift;
    size_t within = index & (((size_t)1 << shift) - 1);
    return segments->dir[index >> shift] + (within << segments->item_shift);
}

#endif
