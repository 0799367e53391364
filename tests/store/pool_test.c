#include "store/pool.h"

#include <string.h>

#include "base/rand.h"
#include "tests/harness.h"

enum { ITEMS = 4000 };

/* The model: what each item should hold, and how large it was asked for. */
struct item {
    unsigned char *at;
    size_t size;
    unsigned char fill;
};

static void item_check(const struct item *item, size_t len)
{
    for (size_t i = 0; i < len; i++)
        RG_CHECK_INT(item->at[i], item->fill);
}

static void item_fill(struct item *item, struct rg_rand *rand)
{
    item->fill = (unsigned char)rg_rand_below(rand, 256);
    memset(item->at, item->fill, item->size);
    RG_CHECK_INT((uintptr_t)item->at % 4, 0);
    if (item->size % 8 == 0)
        RG_CHECK_INT((uintptr_t)item->at % 8, 0);
}

static size_t random_size(struct rg_rand *rand)
{
    static const size_t below[] = {16, 64, 300, 2100, 70000};
    return 1 + rg_rand_below(rand, below[rg_rand_below(rand, 5)]);
}

static void item_step(struct rg_pool *pool, struct item *item, struct rg_rand *rand, uint64_t *used)
{
    size_t size = random_size(rand);
    if (item->at == NULL) {
        item->at = rg_pool_alloc(pool, size);
        *used += rg_pool_cost(size);
    } else if (rg_rand_below(rand, 3) == 0) {
        item->at = rg_pool_realloc(pool, item->at, item->size, size);
        item_check(item, item->size < size ? item->size : size);
        *used += rg_pool_cost(size) - rg_pool_cost(item->size);
    } else {
        item_check(item, item->size);
        rg_pool_free(pool, item->at, item->size);
        *used -= rg_pool_cost(item->size);
        item->at = NULL;
        return;
    }
    item->size = size;
    item_fill(item, rand);
}

RG_TEST(random_operations_keep_every_item_and_the_accounts)
{
    static struct item items[ITEMS];
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct rg_rand rand;
        struct rg_pool *pool = rg_pool_new();
        uint64_t used = 0;
        rg_rand_init(&rand, seed);
        rg_test_note("seed %llu", (unsigned long long)seed);
        memset(items, 0, sizeof(items));
        for (unsigned step = 0; step < 60000; step++) {
            /* A window that wanders, so that many items at a time come and go. */
            uint64_t window = rg_rand_below(&rand, 1 + step % ITEMS);
            item_step(pool, &items[window], &rand, &used);
            RG_CHECK_INT(rg_pool_used(pool), used);
        }
        for (unsigned i = 0; i < ITEMS; i++) {
            if (items[i].at != NULL)
                item_check(&items[i], items[i].size);
            rg_pool_free(pool, items[i].at, items[i].size);
        }
        RG_CHECK_INT(rg_pool_used(pool), 0);
        RG_CHECK_INT(rg_pool_spare(pool), 0);
        rg_pool_delete(pool);
    }
}

RG_TEST(a_cost_holds_its_size_and_is_its_own_class)
{
    RG_CHECK_INT(rg_pool_cost(1), 4);
    RG_CHECK_INT(rg_pool_cost(52), 52);
    RG_CHECK_INT(rg_pool_cost(256), 256);
    RG_CHECK_INT(rg_pool_cost(257), 288);
    size_t last = 0;
    for (size_t size = 1; size <= 300000; size++) {
        size_t cost = rg_pool_cost(size);
        RG_CHECK(cost >= size && cost >= last);
        RG_CHECK_INT(rg_pool_cost(cost), cost);
        RG_CHECK(size <= 256 ? cost < size + 4 : cost - size <= size / (size <= 2048 ? 8 : 4));
        last = cost;
    }
}

RG_TEST(lines_are_aligned_to_cache_lines)
{
    static const size_t sizes[] = {64, 128, 192, 256, 512, 1024, 2048, 4096, 65536};
    struct rg_pool *pool = rg_pool_new();
    void *lines[sizeof(sizes) / sizeof(sizes[0])][20];
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (unsigned n = 0; n < 20; n++) {
            lines[i][n] = rg_pool_alloc_lines(pool, sizes[i]);
            RG_CHECK_INT((uintptr_t)lines[i][n] % 64, 0);
            memset(lines[i][n], 1, sizes[i]);
        }
    }
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (unsigned n = 0; n < 20; n++)
            rg_pool_free(pool, lines[i][n], sizes[i]);
    }
    RG_CHECK_INT(rg_pool_used(pool), 0);
    rg_pool_delete(pool);
}

RG_TEST(thinned_out_slabs_are_filled_again_before_new_ones)
{
    enum { COUNT = 200000, SIZE = 52 };
    static void *items[COUNT];
    struct rg_pool *pool = rg_pool_new();
    for (unsigned i = 0; i < COUNT; i++)
        items[i] = rg_pool_alloc(pool, SIZE);
    uint64_t taken = rg_pool_used(pool) + rg_pool_spare(pool);
    for (unsigned i = 0; i < COUNT; i++) {
        if (i % 8 != 0)
            rg_pool_free(pool, items[i], SIZE);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        if (i % 8 != 0)
            items[i] = rg_pool_alloc(pool, SIZE);
    }
    RG_CHECK_INT(rg_pool_used(pool) + rg_pool_spare(pool), taken);
    for (unsigned i = 0; i < COUNT; i++)
        rg_pool_free(pool, items[i], SIZE);
    RG_CHECK_INT(rg_pool_used(pool) + rg_pool_spare(pool), 0);
    rg_pool_trim(pool);
    rg_pool_delete(pool);
}

RG_TEST(a_size_that_no_memory_could_hold_is_refused)
{
    struct rg_pool *pool = rg_pool_new();
    RG_CHECK(rg_pool_try_alloc(pool, RG_POOL_ITEM_MAX * 2) == NULL);
    char *item = rg_pool_alloc(pool, 5000);
    RG_CHECK(rg_pool_try_realloc(pool, item, 5000, RG_POOL_ITEM_MAX * 2) == NULL);
    memset(item, 1, 5000);
    rg_pool_free(pool, item, 5000);
    rg_pool_delete(pool);
}
