#ifndef RG_BASE_HEAP_H
#define RG_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A binary min-heap of intrusive items ordered by (key, order of insertion). For timers and events:
 * equal keys come out first in, first out, so that a simulation is the same every time.
 */
struct rg_heap_item {
    int64_t key;
    uint64_t seq; /* set by the heap */
    size_t index; /* set by the heap; RG_HEAP_OUT where it is in none */
};

#define RG_HEAP_OUT ((size_t)-1)

struct rg_heap {
    struct rg_heap_item **items; /* owned array of borrowed items */
    size_t len;
    size_t cap;
    uint64_t next_seq;
};

void rg_heap_fini(struct rg_heap *heap);
void rg_heap_item_init(struct rg_heap_item *item);
static inline bool rg_heap_item_in(const struct rg_heap_item *item)
{
    return item->index != RG_HEAP_OUT;
}
/* Adds the item, or moves it where it is in already. */
void rg_heap_set(struct rg_heap *heap, struct rg_heap_item *item, int64_t key);
/* Does nothing where the item is in no heap. */
void rg_heap_remove(struct rg_heap *heap, struct rg_heap_item *item);
/* The least item, or NULL. */
struct rg_heap_item *rg_heap_min(const struct rg_heap *heap);

#endif
