#ifndef RG_STORE_ZSET_PACKED_H
#define RG_STORE_ZSET_PACKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "store/pool.h"

/*
 * A small sorted set: pairs in order, one behind the other in one item of the pool. A pair is the
 * score, the member's counted bytes, and its number of bytes so far written to be read from behind,
 * for walks that go down. There is no -0: it is kept as 0, as Redis does.
 *
 * Functions that change it may move it and return where it is then.
 */
struct rg_zset_packed {
    uint32_t count; /* pairs */
    uint32_t len;   /* bytes of data */
    uint32_t cap;
    char data[];
};

struct rg_zset_pair {
    double score;
    struct rg_bytes member;
};

/* None grows beyond this, whatever the limits. */
enum { RG_ZSET_PACKED_MAX = 1 << 30 };

size_t rg_zset_pair_size(struct rg_bytes member);

struct rg_zset_packed *rg_zset_packed_new(struct rg_pool *pool);
struct rg_zset_packed *rg_zset_packed_copy(struct rg_pool *pool,
                                           const struct rg_zset_packed *packed);
/* NULL is allowed. */
void rg_zset_packed_free(struct rg_pool *pool, struct rg_zset_packed *packed);
size_t rg_zset_packed_memory(const struct rg_zset_packed *packed);

/* Reads the pair at an offset below len; returns the offset behind it. */
uint32_t rg_zset_packed_next(const struct rg_zset_packed *packed, uint32_t offset,
                             struct rg_zset_pair *ret_pair);
/* Reads the pair before an offset above 0; returns its offset. */
uint32_t rg_zset_packed_prev(const struct rg_zset_packed *packed, uint32_t offset,
                             struct rg_zset_pair *ret_pair);
/* The offset of a rank; of rank count, len. */
uint32_t rg_zset_packed_seek(const struct rg_zset_packed *packed, uint64_t rank);

/* False where there is none. The outputs that are NULL are left out. */
bool rg_zset_packed_find(const struct rg_zset_packed *packed, struct rg_bytes member,
                         uint32_t *ret_offset, uint64_t *ret_rank, double *ret_score);
/* At its place; it is not there and RG_ZSET_PACKED_MAX is kept. member lies outside. */
struct rg_zset_packed *rg_zset_packed_insert(struct rg_pool *pool, struct rg_zset_packed *packed,
                                             double score, struct rg_bytes member);
/* Removes `count` pairs, which lie between the offsets. */
struct rg_zset_packed *rg_zset_packed_erase(struct rg_pool *pool, struct rg_zset_packed *packed,
                                            uint32_t from, uint32_t to, uint64_t count);
/* Gives the pair at an offset another score, and its place. member is equal to its own. */
void rg_zset_packed_rescore(struct rg_zset_packed *packed, uint32_t offset, double score,
                            struct rg_bytes member);

#endif
