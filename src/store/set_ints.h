#ifndef RG_STORE_SET_INTS_H
#define RG_STORE_SET_INTS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/pool.h"

/*
 * A small set of integers: one item of the pool that holds them in ascending order, all as wide as
 * the widest one needs: 2, 4 or 8 bytes. Functions that change it may move it and return where it
 * is then.
 */
struct rg_set_ints {
    uint32_t count;
    uint32_t width; /* bytes of a number */
    char data[];
};

/* No set of integers grows beyond this, whatever the limits. */
enum { RG_SET_INTS_MAX = 1 << 30 };

struct rg_set_ints *rg_set_ints_new(struct rg_pool *pool);
/* Of count numbers of that width, the lowest byte first, in ascending order. */
struct rg_set_ints *rg_set_ints_of(struct rg_pool *pool, const char *numbers, uint32_t width,
                                   uint32_t count);
struct rg_set_ints *rg_set_ints_copy(struct rg_pool *pool, const struct rg_set_ints *ints);
/* NULL is allowed. */
void rg_set_ints_free(struct rg_pool *pool, struct rg_set_ints *ints);
/* index is below the count. */
int64_t rg_set_ints_at(const struct rg_set_ints *ints, uint32_t index);
/* *ret_index: where the number is, or where it would have to be inserted. */
bool rg_set_ints_find(const struct rg_set_ints *ints, int64_t number, uint32_t *ret_index);
/* index as rg_set_ints_find found it; the number is not there and RG_SET_INTS_MAX is kept. */
struct rg_set_ints *rg_set_ints_insert(struct rg_pool *pool, struct rg_set_ints *ints,
                                       uint32_t index, int64_t number);
/* The width stays, as in Redis. */
struct rg_set_ints *rg_set_ints_remove(struct rg_pool *pool, struct rg_set_ints *ints,
                                       uint32_t index);
size_t rg_set_ints_memory(const struct rg_set_ints *ints);

#endif
