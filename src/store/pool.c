#include "store/pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "store/chunks.h"

/*
 * Under a sanitizer every item is an allocation of its own, so that it sees a use after the free
 * and a free with another's pointer; what is counted is the same. A test of the slabs says 0.
 */
#ifndef POOL_PASSES_THROUGH
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define POOL_PASSES_THROUGH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
    __has_feature(thread_sanitizer)
#define POOL_PASSES_THROUGH 1
#endif
#endif
#endif
#ifndef POOL_PASSES_THROUGH
#define POOL_PASSES_THROUGH 0
#endif

enum {
    LINE = 64,
    SLAB_HEADER = LINE, /* so that items of whole cache lines are aligned to them */
    SLAB_ROOM = RG_CHUNK_BYTES - SLAB_HEADER,
    STEP = 4,
    FINE_MAX = 256, /* classes are STEP apart up to here, and then an eighth of a power of two */
    FINE_MAX_LOG = 8,
    FINE_CLASSES = FINE_MAX / STEP,
    ITEM_MAX_LOG = 11, /* larger ones come from the allocator */
    ITEM_MAX = 1 << ITEM_MAX_LOG,
    CLASSES = FINE_CLASSES + (ITEM_MAX_LOG - FINE_MAX_LOG) * 8,
    BINS = 8, /* by how full a slab is, so that the fullest is filled first */
};

/* A slab that has both used and free items is in a list of its class and bin. */
struct slab {
    struct slab *prev;
    struct slab *next;
    struct rg_arena *arena;
    uint32_t item_size;
    uint32_t free;  /* offset of the first item that was given back, 0 for none; it holds the next
                       one's */
    uint32_t fresh; /* offset of the first item that was never handed out */
    uint16_t used;  /* items */
    uint16_t capacity;
    uint8_t class_index;
    uint8_t bin_shift;
};
_Static_assert(sizeof(struct slab) <= SLAB_HEADER, "items begin behind the header");

struct class_lists {
    struct slab *bins[BINS];
};

struct rg_pool {
    uint64_t used;       /* costs of all items */
    uint64_t small_used; /* of those in slabs */
    struct rg_chunks chunks;
    uint8_t filled[CLASSES]; /* a bit per bin that holds a slab */
    struct class_lists lists[CLASSES];
};

/* ---- Size classes ---- */

static unsigned class_of(size_t size)
{
    if (size <= FINE_MAX)
        return (unsigned)((size + STEP - 1) / STEP) - 1;
    unsigned log = 63 - (unsigned)__builtin_clzll(size - 1);
    unsigned eighth = (unsigned)((size - 1) >> (log - 3)) - 8;
    return FINE_CLASSES + (log - FINE_MAX_LOG) * 8 + eighth;
}

static uint32_t class_size(unsigned class_index)
{
    if (class_index < FINE_CLASSES)
        return (class_index + 1) * STEP;
    unsigned log = (class_index - FINE_CLASSES) / 8 + FINE_MAX_LOG;
    unsigned eighth = (class_index - FINE_CLASSES) % 8;
    return (eighth + 9) << (log - 3);
}

/* What an allocator takes for a large item: a quarter of a power of two, and whole pages. */
static size_t large_cost(size_t size)
{
    unsigned log = 63 - (unsigned)__builtin_clzll(size - 1);
    size_t spacing = (size_t)1 << (log - 2);
    return (size + spacing - 1) & ~(spacing - 1);
}

size_t rg_pool_cost(size_t size)
{
    return size <= ITEM_MAX ? class_size(class_of(size)) : large_cost(size);
}

/* ---- Lists of slabs ---- */

static unsigned slab_bin(const struct slab *slab)
{
    return (unsigned)slab->used >> slab->bin_shift;
}

static void slab_link(struct rg_pool *pool, struct slab *slab, unsigned bin)
{
    struct slab **head = &pool->lists[slab->class_index].bins[bin];
    slab->prev = NULL;
    slab->next = *head;
    if (slab->next != NULL)
        slab->next->prev = slab;
    *head = slab;
    pool->filled[slab->class_index] |= (uint8_t)(1U << bin);
}

static void slab_unlink(struct rg_pool *pool, struct slab *slab, unsigned bin)
{
    struct slab **head = &pool->lists[slab->class_index].bins[bin];
    *(slab->prev != NULL ? &slab->prev->next : head) = slab->next;
    if (slab->next != NULL)
        slab->next->prev = slab->prev;
    if (*head == NULL)
        pool->filled[slab->class_index] &= (uint8_t) ~(1U << bin);
}

static struct slab *slab_new(struct rg_pool *pool, unsigned class_index)
{
    struct rg_arena *arena = NULL;
    struct slab *slab = rg_chunks_take(&pool->chunks, &arena);
    if (slab == NULL)
        return NULL;
    *slab = (struct slab){.arena = arena,
                          .item_size = class_size(class_index),
                          .fresh = SLAB_HEADER,
                          .class_index = (uint8_t)class_index};
    slab->capacity = (uint16_t)(SLAB_ROOM / slab->item_size);
    while (slab->capacity >> slab->bin_shift >= BINS)
        slab->bin_shift++;
    slab_link(pool, slab, 0);
    return slab;
}

/* ---- Items in slabs ---- */

static void *slab_take(struct rg_pool *pool, struct slab *slab)
{
    uint32_t offset = slab->free;
    unsigned bin = slab_bin(slab);
    if (offset != 0) {
        memcpy(&slab->free, (char *)slab + offset, sizeof(slab->free));
    } else {
        offset = slab->fresh;
        slab->fresh += slab->item_size;
        RG_ASSERT(slab->fresh <= RG_CHUNK_BYTES);
    }
    slab->used++;
    if (slab->used == slab->capacity) {
        slab_unlink(pool, slab, bin);
    } else if (slab_bin(slab) != bin) {
        slab_unlink(pool, slab, bin);
        slab_link(pool, slab, slab_bin(slab));
    }
    return (char *)slab + offset;
}

static void *small_alloc(struct rg_pool *pool, size_t size)
{
    unsigned class_index = class_of(size);
    unsigned filled = pool->filled[class_index];
    struct slab *slab = NULL;
    if (__builtin_expect(filled != 0, 1))
        slab = pool->lists[class_index].bins[31 - __builtin_clz(filled)];
    else
        slab = slab_new(pool, class_index);
    if (slab == NULL)
        return NULL;
    pool->used += slab->item_size;
    pool->small_used += slab->item_size;
    return slab_take(pool, slab);
}

static void small_free(struct rg_pool *pool, void *ptr, size_t size)
{
    uint32_t offset = (uint32_t)((uintptr_t)ptr & (RG_CHUNK_BYTES - 1));
    struct slab *slab = (struct slab *)(void *)((char *)ptr - offset);
    RG_ASSERT(slab->class_index == class_of(size) && offset >= SLAB_HEADER && slab->used > 0);
    unsigned bin = slab_bin(slab);
    bool was_full = slab->used == slab->capacity;
    pool->used -= slab->item_size;
    pool->small_used -= slab->item_size;
    memcpy(ptr, &slab->free, sizeof(slab->free));
    slab->free = offset;
    slab->used--;
    if (slab->used == 0) {
        if (!was_full)
            slab_unlink(pool, slab, bin);
        rg_chunks_give(&pool->chunks, slab, slab->arena);
    } else if (was_full || slab_bin(slab) != bin) {
        if (!was_full)
            slab_unlink(pool, slab, bin);
        slab_link(pool, slab, slab_bin(slab));
    }
}

/* ---- Any size ---- */

static bool is_small(size_t size)
{
    return size <= ITEM_MAX && !POOL_PASSES_THROUGH;
}

struct rg_pool *rg_pool_new(void)
{
    struct rg_pool *pool = RG_NEW(struct rg_pool);
    rg_chunks_init(&pool->chunks);
    return pool;
}

void rg_pool_delete(struct rg_pool *pool)
{
    if (pool == NULL)
        return;
    rg_chunks_fini(&pool->chunks);
    rg_free(pool);
}

void *rg_pool_try_alloc(struct rg_pool *pool, size_t size)
{
    RG_ASSERT(size > 0);
    if (is_small(size))
        return small_alloc(pool, size);
    if (size > RG_POOL_ITEM_MAX)
        return NULL;
    void *item = rg_try_alloc(rg_pool_cost(size));
    if (item != NULL)
        pool->used += rg_pool_cost(size);
    return item;
}

static void *item_or_panic(void *item)
{
    if (__builtin_expect(item == NULL, 0))
        rg_panic(__FILE__, __LINE__, "out of memory");
    return item;
}

void *rg_pool_alloc(struct rg_pool *pool, size_t size)
{
    return item_or_panic(rg_pool_try_alloc(pool, size));
}

void *rg_pool_alloc_lines(struct rg_pool *pool, size_t size)
{
    RG_ASSERT(size > 0 && size % LINE == 0 && rg_pool_cost(size) % LINE == 0);
    if (is_small(size))
        return item_or_panic(small_alloc(pool, size));
    void *item = item_or_panic(aligned_alloc(LINE, rg_pool_cost(size)));
    pool->used += rg_pool_cost(size);
    return item;
}

void *rg_pool_try_realloc(struct rg_pool *pool, void *ptr, size_t old_size, size_t new_size)
{
    if (ptr == NULL)
        return rg_pool_try_alloc(pool, new_size);
    RG_ASSERT(old_size > 0 && new_size > 0);
    size_t old_cost = rg_pool_cost(old_size);
    size_t new_cost = new_size > RG_POOL_ITEM_MAX ? 0 : rg_pool_cost(new_size);
    if (new_cost == old_cost)
        return ptr;
    if (new_cost == 0)
        return NULL;
    if (!is_small(old_size) && !is_small(new_size)) {
        void *item = rg_try_realloc(ptr, new_cost);
        if (item != NULL)
            pool->used += new_cost - old_cost;
        return item;
    }
    void *item = rg_pool_try_alloc(pool, new_size);
    if (item == NULL)
        return NULL;
    memcpy(item, ptr, old_cost < new_cost ? old_cost : new_cost);
    rg_pool_free(pool, ptr, old_size);
    return item;
}

void *rg_pool_realloc(struct rg_pool *pool, void *ptr, size_t old_size, size_t new_size)
{
    return item_or_panic(rg_pool_try_realloc(pool, ptr, old_size, new_size));
}

void rg_pool_adopt(struct rg_pool *pool, size_t size)
{
    RG_ASSERT(size > ITEM_MAX && size <= RG_POOL_ITEM_MAX);
    pool->used += rg_pool_cost(size);
}

void rg_pool_free(struct rg_pool *pool, void *ptr, size_t size)
{
    if (ptr == NULL)
        return;
    if (is_small(size)) {
        small_free(pool, ptr, size);
        return;
    }
    RG_ASSERT(pool->used >= rg_pool_cost(size));
    pool->used -= rg_pool_cost(size);
    rg_free(ptr);
}

void rg_pool_trim(struct rg_pool *pool)
{
    rg_chunks_trim(&pool->chunks);
}

uint64_t rg_pool_used(const struct rg_pool *pool)
{
    return pool->used;
}

uint64_t rg_pool_released(const struct rg_pool *pool)
{
    return pool->chunks.released;
}

uint64_t rg_pool_slabs(const struct rg_pool *pool)
{
    return pool->chunks.used * RG_CHUNK_BYTES;
}

uint64_t rg_pool_spare(const struct rg_pool *pool)
{
    return rg_pool_slabs(pool) - pool->small_used;
}
