#ifndef RG_STORE_FOOTPRINT_H
#define RG_STORE_FOOTPRINT_H

#include <stddef.h>

/*
 * What an allocation costs: its size and the allocator's word, in units of 16 bytes. Computed
 * rather than asked of the allocator, so that the memory of a keyspace, and what eviction makes of
 * it, is the same in every process that ran the same commands.
 */
static inline size_t rg_footprint(size_t size)
{
    return size <= 24 ? 32 : (size + 8 + 15) & ~(size_t)15;
}

/* The bytes that can be used of an allocation of this size at the same cost. */
static inline size_t rg_footprint_room(size_t size)
{
    return rg_footprint(size) - 8;
}

#endif
