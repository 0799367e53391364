#include "base/heap.h"

#include "base/alloc.h"
#include "base/panic.h"

static bool heap_before(const struct rg_heap_item *a, const struct rg_heap_item *b)
{
    return a->key != b->key ? a->key < b->key : a->seq < b->seq;
}

static void heap_place(struct rg_heap *heap, size_t index, struct rg_heap_item *item)
{
    heap->items[index] = item;
    item->index = index;
}

static void heap_up(struct rg_heap *heap, struct rg_heap_item *item)
{
    size_t i = item->index;

    while (i > 0 && heap_before(item, heap->items[(i - 1) / 2])) {
        heap_place(heap, i, heap->items[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_place(heap, i, item);
}

static void heap_down(struct rg_heap *heap, struct rg_heap_item *item)
{
    size_t i = item->index;

    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= heap->len)
            break;
        if (child + 1 < heap->len && heap_before(heap->items[child + 1], heap->items[child]))
            child++;
        if (!heap_before(heap->items[child], item))
            break;
        heap_place(heap, i, heap->items[child]);
        i = child;
    }
    heap_place(heap, i, item);
}

void rg_heap_fini(struct rg_heap *heap)
{
    if (heap == NULL)
        return;
    for (size_t i = 0; i < heap->len; i++)
        heap->items[i]->index = RG_HEAP_OUT;
    rg_free(heap->items);
    *heap = (struct rg_heap){0};
}

void rg_heap_item_init(struct rg_heap_item *item)
{
    *item = (struct rg_heap_item){.index = RG_HEAP_OUT};
}

void rg_heap_set(struct rg_heap *heap, struct rg_heap_item *item, int64_t key)
{
    if (!rg_heap_item_in(item)) {
        if (heap->len == heap->cap) {
            heap->cap = heap->cap ? heap->cap * 2 : 16;
            heap->items = rg_realloc(heap->items, heap->cap * sizeof(struct rg_heap_item *));
        }
        item->index = heap->len++;
        heap->items[item->index] = item;
    }
    RG_ASSERT(heap->items[item->index] == item);
    item->key = key;
    item->seq = heap->next_seq++;
    heap_up(heap, item);
    heap_down(heap, item);
}

void rg_heap_remove(struct rg_heap *heap, struct rg_heap_item *item)
{
    if (!rg_heap_item_in(item))
        return;
    RG_ASSERT(heap->len > 0 && heap->items[item->index] == item);
    size_t index = item->index;
    struct rg_heap_item *last = heap->items[--heap->len];
    item->index = RG_HEAP_OUT;
    if (last == item)
        return;
    heap_place(heap, index, last);
    heap_up(heap, last);
    heap_down(heap, last);
}

struct rg_heap_item *rg_heap_min(const struct rg_heap *heap)
{
    return heap->len > 0 ? heap->items[0] : NULL;
}
