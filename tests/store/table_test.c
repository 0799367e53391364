#include "store/table.h"

#include <stdio.h>

#include "base/rand.h"
#include "tests/harness.h"

enum { KEYS = 6000 };

/* Items are numbers in an array; the model is whether each is in the table. */
struct item {
    char key[16];
    size_t len;
    bool in;
    unsigned seen;
    bool stayed; /* during the scan under way */
};

struct world {
    struct rg_pool *pool; /* kept from one case to the next */
    struct rg_table table;
    struct item items[KEYS];
    unsigned count;
};

static struct rg_bytes key_of(const void *item)
{
    const struct item *it = item;
    return rg_bytes(it->key, it->len);
}

static void world_init(struct world *world, uint64_t seed)
{
    if (world->pool == NULL)
        world->pool = rg_pool_new();
    rg_table_init(&world->table, world->pool, seed, key_of);
    world->count = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        struct item *item = &world->items[i];
        *item = (struct item){0};
        item->len = (size_t)snprintf(item->key, sizeof(item->key), "k%u", i);
    }
}

static void world_flip(struct world *world, unsigned i)
{
    struct item *item = &world->items[i];
    struct rg_bytes key = key_of(item);
    uint64_t hash = rg_table_hash(&world->table, key);
    uint64_t moved = world->table.moved;
    RG_CHECK(rg_table_find(&world->table, key, hash) == (item->in ? item : NULL));
    if (item->in) {
        RG_CHECK(rg_table_remove(&world->table, key, hash) == item);
        world->count--;
    } else {
        rg_table_insert(&world->table, item, hash);
        world->count++;
    }
    item->in = !item->in;
    item->stayed = false;
    RG_CHECK_INT(world->table.count, world->count);
    /* One bucket at most is split or merged: a bounded step. */
    RG_CHECK(world->table.moved - moved <= 9 * world->table.deepest + 9);
}

static void seen(void *arg, void *item)
{
    (void)arg;
    ((struct item *)item)->seen++;
}

static void check_iteration(struct world *world)
{
    uint64_t position[4] = {0};
    struct item *item = NULL;
    for (unsigned i = 0; i < KEYS; i++)
        world->items[i].seen = 0;
    while ((item = rg_table_next(&world->table, position)) != NULL)
        item->seen++;
    for (unsigned i = 0; i < KEYS; i++)
        RG_CHECK_INT(world->items[i].seen, world->items[i].in);
}

RG_TEST(random_growth_and_shrinking_match_a_model)
{
    static struct world world;
    struct rg_rand rand;
    rg_rand_init(&rand, 11);
    world_init(&world, 77);
    rg_test_note("seed 11");
    for (unsigned round = 0; round < 12; round++) {
        unsigned target = (unsigned)rg_rand_below(&rand, KEYS);
        for (unsigned step = 0; step < 6000; step++) {
            unsigned i = (unsigned)rg_rand_below(&rand, KEYS);
            if (world.items[i].in != (i < target))
                world_flip(&world, i);
        }
        check_iteration(&world);
        RG_CHECK(world.table.deepest <= 6);
        RG_CHECK(world.table.bucket_count <= world.table.count);
    }
    for (unsigned i = 0; i < KEYS; i++) {
        if (world.items[i].in)
            world_flip(&world, i);
    }
    RG_CHECK_INT(rg_table_memory(&world.table), 0);
}

static void scan_round(struct world *world, struct rg_rand *rand)
{
    uint64_t cursor = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        world->items[i].seen = 0;
        world->items[i].stayed = world->items[i].in;
    }
    /* A direction that changes, so that the table grows and shrinks while it is scanned. */
    bool grow = rg_rand_below(rand, 2) != 0;
    do {
        cursor = rg_table_scan(&world->table, cursor, 1 + rg_rand_below(rand, 30), seen, NULL);
        if (rg_rand_below(rand, 12) == 0)
            grow = !grow;
        for (uint64_t n = rg_rand_below(rand, 150); n > 0; n--) {
            unsigned i = (unsigned)rg_rand_below(rand, KEYS);
            if (world->items[i].in != grow)
                world_flip(world, i);
        }
    } while (cursor != 0);
    for (unsigned i = 0; i < KEYS; i++)
        RG_CHECK(!world->items[i].stayed || world->items[i].seen > 0);
}

RG_TEST(a_table_that_expects_items_moves_none_of_them)
{
    static struct world world;
    world_init(&world, 5);
    rg_table_expect(&world.table, KEYS);
    for (unsigned i = 0; i < KEYS; i++)
        world_flip(&world, i);
    RG_CHECK_INT(world.table.moved, 0);
    rg_table_expect(&world.table, 10); /* fewer than there are */
    RG_CHECK_INT(world.table.moved, 0);
    rg_table_expect(&world.table, KEYS * 4);
    RG_CHECK(world.table.moved > 0);
    for (unsigned i = 0; i < KEYS; i++)
        world_flip(&world, i);
    RG_CHECK_INT(world.table.count, 0);
    rg_table_fini(&world.table);
}

RG_TEST(a_scan_sees_whatever_stays_while_the_table_changes_its_size)
{
    static struct world world;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct rg_rand rand;
        rg_rand_init(&rand, seed);
        rg_test_note("seed %llu", (unsigned long long)seed);
        world_init(&world, seed);
        for (unsigned i = 0; i < KEYS; i++) {
            if (rg_rand_below(&rand, 40) < seed)
                world_flip(&world, i);
        }
        scan_round(&world, &rand);
        rg_table_fini(&world.table);
    }
}

RG_TEST(a_scan_of_a_table_at_rest_sees_everything_once)
{
    static struct world world;
    world_init(&world, 5);
    for (unsigned i = 0; i < KEYS; i++) {
        world_flip(&world, i);
        if (i % 397 != 0)
            continue;
        uint64_t cursor = 0;
        for (unsigned j = 0; j <= i; j++)
            world.items[j].seen = 0;
        do {
            cursor = rg_table_scan(&world.table, cursor, 10, seen, NULL);
        } while (cursor != 0);
        for (unsigned j = 0; j <= i; j++)
            RG_CHECK_INT(world.items[j].seen, 1);
    }
    rg_table_fini(&world.table);
}

RG_TEST(items_of_one_hash_are_chained_and_told_apart)
{
    static struct world world;
    world_init(&world, 5);
    for (unsigned i = 0; i < 100; i++)
        rg_table_insert(&world.table, &world.items[i], UINT64_C(0xab00000000000000));
    for (unsigned i = 0; i < 100; i++) {
        /* A split finds the true hash again, so that only what was not split is under this one. */
        struct rg_bytes key = key_of(&world.items[i]);
        const void *found = rg_table_find(&world.table, key, UINT64_C(0xab00000000000000));
        RG_CHECK(found == NULL || found == &world.items[i]);
        world.items[i].in = true;
    }
    check_iteration(&world);
    rg_table_fini(&world.table);
    RG_CHECK_INT(rg_table_memory(&world.table), 0);
}

RG_TEST(random_items_are_about_equally_likely)
{
    static struct world world;
    enum { ITEMS = 300, DRAWS = 60000 };
    struct rg_rand rand;
    rg_rand_init(&rand, 3);
    world_init(&world, 9);
    RG_CHECK(rg_table_random(&world.table, &rand) == NULL);
    for (unsigned i = 0; i < ITEMS; i++)
        world_flip(&world, i);
    for (unsigned i = 0; i < DRAWS; i++)
        ((struct item *)rg_table_random(&world.table, &rand))->seen++;
    for (unsigned i = 0; i < ITEMS; i++)
        RG_CHECK(world.items[i].seen > 130 && world.items[i].seen < 280);
    rg_table_fini(&world.table);
}
