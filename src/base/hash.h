#ifndef RG_BASE_HASH_H
#define RG_BASE_HASH_H

#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"

/* XXH3, 64 bits. The seed comes from the node, so that keys cannot be chosen to collide. */
static inline uint64_t rg_hash64(struct rg_bytes bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.data, bytes.len, seed);
}

#endif
