#include "base/heap.h"

#include "base/rand.h"
#include "tests/harness.h"

enum { ITEMS = 200 };

static int64_t model_min(const struct rg_heap_item *items)
{
    int64_t least = INT64_MAX;

    for (int i = 0; i < ITEMS; i++) {
        if (rg_heap_item_in(&items[i]) && items[i].key < least)
            least = items[i].key;
    }
    return least;
}

RG_TEST(the_least_comes_first_whatever_is_moved_or_removed)
{
    struct rg_heap heap = {0};
    struct rg_heap_item items[ITEMS];
    struct rg_rand rand;

    rg_rand_init(&rand, 2);
    for (int i = 0; i < ITEMS; i++)
        rg_heap_item_init(&items[i]);
    for (int i = 0; i < 20000; i++) {
        struct rg_heap_item *item = &items[rg_rand_below(&rand, ITEMS)];
        if (rg_rand_below(&rand, 3) > 0)
            rg_heap_set(&heap, item, (int64_t)rg_rand_below(&rand, 1000));
        else
            rg_heap_remove(&heap, item);
        RG_CHECK_INT(rg_heap_min(&heap) ? rg_heap_min(&heap)->key : INT64_MAX, model_min(items));
    }
    rg_heap_fini(&heap);
}

RG_TEST(equal_keys_come_out_in_the_order_they_went_in)
{
    struct rg_heap heap = {0};
    struct rg_heap_item items[10];

    for (int i = 0; i < 10; i++) {
        rg_heap_item_init(&items[i]);
        rg_heap_set(&heap, &items[i], 5);
    }
    for (int i = 0; i < 10; i++) {
        RG_CHECK(rg_heap_min(&heap) == &items[i]);
        rg_heap_remove(&heap, &items[i]);
    }
    rg_heap_fini(&heap);
}
