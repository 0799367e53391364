#ifndef RG_STORE_ZSET_PACKED_H
#define RG_STORE_ZSET_PACKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/element.h"
#include "store/pool.h"

/*
 * A small sorted set: pairs in order, one behind the other in one item of the pool. A pair is the
 * score and the member as elements (base/element.h), and the size of both written to be read from
 * behind (counted.h), for walks that go down. A score that is a 64-bit integer is one here as well.
 * There is no -0: it is kept as 0, as Redis does.
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

/* At most what a pair takes. */
static inline size_t rg_zset_pair_size_max(struct rg_bytes member)
{
    return member.len + 3 * (size_t)RG_ELEMENT_HEAD_MAX;
}

struct rg_zset_packed *rg_zset_packed_new(struct rg_pool *pool);
struct rg_zset_packed *rg_zset_packed_copy(struct rg_pool *pool,
                                           const struct rg_zset_packed *packed);
/* NULL is allowed. */
void rg_zset_packed_free(struct rg_pool *pool, struct rg_zset_packed *packed);
size_t rg_zset_packed_memory(const struct rg_zset_packed *packed);

/* Reads the pair at an offset below len; returns the offset behind it. The member is a view of the
 * set, or of scratch. */
uint32_t rg_zset_packed_next(const struct rg_zset_packed *packed, uint32_t offset,
                             char scratch[RG_I64_CHARS], struct rg_zset_pair *ret_pair);
/* Reads the pair before an offset above 0; returns its offset. */
uint32_t rg_zset_packed_prev(const struct rg_zset_packed *packed, uint32_t offset,
                             char scratch[RG_I64_CHARS], struct rg_zset_pair *ret_pair);
/* The same without reading; _score reads that much. */
uint32_t rg_zset_packed_skip(const struct rg_zset_packed *packed, uint32_t offset);
double rg_zset_packed_score(const struct rg_zset_packed *packed, uint32_t offset);
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
struct rg_zset_packed *rg_zset_packed_rescore(struct rg_pool *pool, struct rg_zset_packed *packed,
                                              uint32_t offset, double score,
                                              struct rg_bytes member);

/*
 * One out of a run of `count` pairs of exact elements with their back sizes, member and then score,
 * as RDB files have them. Every member comes once and RG_ZSET_PACKED_MAX is kept. NULL where a
 * score is not a number, or the pairs are not in order.
 */
struct rg_zset_packed *rg_zset_packed_of_run(struct rg_pool *pool, struct rg_bytes run,
                                             uint32_t count);
/* The score that an element stands for, as in RDB files. False where it is none. */
bool rg_zset_score_of_element(const char *at, double *ret_score);

#endif
