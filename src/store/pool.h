#ifndef RG_STORE_POOL_H
#define RG_STORE_POOL_H

#include <stddef.h>
#include <stdint.h>

/*
 * Memory of one store's entries and values. Small items come from slabs: runs of 64 KiB, aligned to
 * their size, that hold items of one size class each. Classes are 4 bytes apart at first, so that
 * an entry of 52 bytes costs 52, and then about an eighth. There is no word in front of an item:
 * who frees one says how large it was. Larger items come from the allocator.
 *
 * An item is aligned to 4 bytes, and to 8 where its size, as asked for, is a multiple of 8.
 *
 * What a pool has handed out is counted exactly, by class, so that it is the same in every process
 * that ran the same commands.
 */
struct rg_pool;

/* No item is larger; above any address space that a process gets here. */
#define RG_POOL_ITEM_MAX ((size_t)1 << 40)

struct rg_pool *rg_pool_new(void);
/* Everything that came from it is gone as well, except large items, which must be freed before. */
void rg_pool_delete(struct rg_pool *pool);

/* Never NULL: a failed small allocation ends the process with a clear line. size is not 0. */
void *rg_pool_alloc(struct rg_pool *pool, size_t size)
    __attribute__((malloc, returns_nonnull, alloc_size(2)));
/* The same, but NULL where there is no memory: for sizes that a client or a file asks for. */
void *rg_pool_try_alloc(struct rg_pool *pool, size_t size) __attribute__((malloc, alloc_size(2)));
/* size is a multiple of 64 and a power of two, or not above 256; the item is aligned to 64. */
void *rg_pool_alloc_lines(struct rg_pool *pool, size_t size)
    __attribute__((malloc, returns_nonnull, alloc_size(2)));
/* Moves it where its class changes. ptr NULL: as rg_pool_alloc. */
void *rg_pool_realloc(struct rg_pool *pool, void *ptr, size_t old_size, size_t new_size)
    __attribute__((returns_nonnull, alloc_size(4)));
/* NULL where there is no memory; ptr is then as it was. */
void *rg_pool_try_realloc(struct rg_pool *pool, void *ptr, size_t old_size, size_t new_size)
    __attribute__((alloc_size(4)));
/* size: any that is of the same class as what was asked for. NULL is allowed. */
/* Counts memory from the allocator (of rg_pool_cost(size) bytes) as the pool's, which frees it. */
void rg_pool_adopt(struct rg_pool *pool, size_t size);
void rg_pool_free(struct rg_pool *pool, void *ptr, size_t size);

/* What an item of this size costs: its class, or what the allocator takes for a large one. size is
 * not 0. */
size_t rg_pool_cost(size_t size);
/* The bytes that can be used of an item of this size at the same cost: its room. */
static inline size_t rg_pool_room(size_t size)
{
    return rg_pool_cost(size);
}

/* Costs of all items there are. */
uint64_t rg_pool_used(const struct rg_pool *pool);
/* What slabs take, and of that what no item uses at the moment. */
uint64_t rg_pool_slabs(const struct rg_pool *pool);
uint64_t rg_pool_spare(const struct rg_pool *pool);
/* How many slabs went back to the system so far: each takes it as long as some tens of items. */
uint64_t rg_pool_released(const struct rg_pool *pool);
/* Gives the empty slabs that are kept for the next item back to the system. */
void rg_pool_trim(struct rg_pool *pool);

#endif
