#ifndef RG_STORE_SET_PACKED_H
#define RG_STORE_SET_PACKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "store/pool.h"

/*
 * A small set: one item of the pool that holds its members as counted bytes (counted.h) in order of
 * insertion. It is a matter of this store only: to clients it is a hash table. Functions that
 * change it may move it and return where it is then.
 */
struct rg_set_packed {
    uint16_t count;
    uint16_t len; /* bytes of data */
    char data[];
};

/* What stays small enough to be looked through from one end to the other. */
enum { RG_SET_PACKED_MEMBERS = 64, RG_SET_PACKED_MEMBER_BYTES = 64 };

struct rg_set_packed *rg_set_packed_new(struct rg_pool *pool);
struct rg_set_packed *rg_set_packed_copy(struct rg_pool *pool, const struct rg_set_packed *packed);
/* NULL is allowed. */
void rg_set_packed_free(struct rg_pool *pool, struct rg_set_packed *packed);
/* Where the member is in data, or NULL. */
const char *rg_set_packed_find(const struct rg_set_packed *packed, struct rg_bytes member);
/* The count and the member's length allow one more such. */
bool rg_set_packed_may_hold(const struct rg_set_packed *packed, struct rg_bytes member);
/* Behind the last one; the member is not there and may be held. */
struct rg_set_packed *rg_set_packed_append(struct rg_pool *pool, struct rg_set_packed *packed,
                                           struct rg_bytes member);
/* at: as rg_set_packed_find found it. */
struct rg_set_packed *rg_set_packed_remove(struct rg_pool *pool, struct rg_set_packed *packed,
                                           const char *at);
/* The member that begins at offset, which is below len; returns the next one's offset. */
size_t rg_set_packed_read(const struct rg_set_packed *packed, size_t offset,
                          struct rg_bytes *ret_member);
size_t rg_set_packed_memory(const struct rg_set_packed *packed);

#endif
