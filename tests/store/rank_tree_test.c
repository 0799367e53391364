#include "store/rank_tree.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"
#include "tests/harness.h"

enum { ITEMS = 5000 };

/* The model: every member with its score, and those that are in, in order. */
struct world {
    struct rg_pool *pool;
    struct rg_rank_tree tree;
    struct rg_zset_item *items[ITEMS];
    bool in[ITEMS];
    struct rg_zset_item *order[ITEMS];
    uint64_t count;
    unsigned scores; /* how many different ones */
    struct rg_rand rand;
};

static int compare(const struct rg_zset_item *a, const struct rg_zset_item *b)
{
    return rg_zset_compare(rg_zset_item_score(a), rg_zset_item_member(a), rg_zset_item_score(b),
                           rg_zset_item_member(b));
}

static int compare_places(const void *a, const void *b)
{
    struct rg_zset_item *const *x = a;
    struct rg_zset_item *const *y = b;
    return compare(*x, *y);
}

static double random_score(struct world *world)
{
    return (double)rg_rand_below(&world->rand, world->scores) - 3;
}

static void world_init(struct world *world, uint64_t seed, unsigned scores)
{
    *world = (struct world){.pool = rg_pool_new(), .scores = scores};
    rg_test_note("seed %llu, %u scores", (unsigned long long)seed, scores);
    rg_rand_init(&world->rand, seed);
    for (unsigned i = 0; i < ITEMS; i++) {
        char name[16];
        struct rg_bytes member = {name, (size_t)snprintf(name, sizeof(name), "%u", i)};
        world->items[i] = rg_pool_alloc(world->pool, rg_zset_item_size(member));
        rg_zset_item_write(world->items[i], random_score(world), member);
    }
}

static void world_fini(struct world *world)
{
    rg_rank_tree_fini(world->pool, &world->tree);
    RG_CHECK_INT(world->tree.nodes_cost, 0);
    for (unsigned i = 0; i < ITEMS; i++)
        rg_pool_free(world->pool, world->items[i],
                     rg_zset_item_size(rg_zset_item_member(world->items[i])));
    RG_CHECK_INT(rg_pool_used(world->pool), 0);
    rg_pool_delete(world->pool);
}

static void world_flip(struct world *world, unsigned i)
{
    struct rg_zset_item *item = world->items[i];
    if (world->in[i]) {
        rg_rank_tree_remove(world->pool, &world->tree, item);
    } else {
        rg_zset_item_set_score(item, random_score(world));
        rg_rank_tree_insert(world->pool, &world->tree, item);
    }
    world->in[i] = !world->in[i];
}

/* Half of the scores change so little that the item may keep its place. */
static void world_rescore(struct world *world, unsigned i)
{
    double score = random_score(world);
    if (world->scores > 1 && rg_rand_below(&world->rand, 2))
        score = rg_zset_item_score(world->items[i]) + 0.25;
    rg_rank_tree_rescore(world->pool, &world->tree, world->items[i], score);
}

static void check_order(struct world *world)
{
    struct rg_rank_cursor cursor;
    rg_rank_tree_check(&world->tree);
    world->count = 0;
    for (unsigned i = 0; i < ITEMS; i++) {
        if (world->in[i])
            world->order[world->count++] = world->items[i];
    }
    qsort(world->order, world->count, sizeof(void *), compare_places);
    RG_CHECK_INT(world->tree.count, world->count);
    if (world->count == 0)
        return;
    rg_rank_cursor_init(&cursor, &world->tree, 0);
    for (uint64_t i = 0; i < world->count; i++)
        RG_CHECK(rg_rank_cursor_next(&cursor, false) == world->order[i]);
    RG_CHECK(rg_rank_cursor_next(&cursor, false) == NULL);
    uint64_t from = rg_rand_below(&world->rand, world->count);
    rg_rank_cursor_init(&cursor, &world->tree, from);
    for (uint64_t i = from + 1; i-- > 0;)
        RG_CHECK(rg_rank_cursor_next(&cursor, true) == world->order[i]);
    RG_CHECK(rg_rank_cursor_next(&cursor, true) == NULL);
}

static void check_ranks(struct world *world)
{
    for (uint64_t i = 0; i < world->count; i += 1 + rg_rand_below(&world->rand, 20))
        RG_CHECK_INT(rg_rank_tree_rank(&world->tree, world->order[i]), i);
    for (unsigned n = 0; n < 40; n++) {
        double score = random_score(world) + (n % 2 ? 0.5 : 0);
        uint64_t below = 0;
        uint64_t through = 0;
        for (uint64_t i = 0; i < world->count; i++) {
            below += rg_zset_item_score(world->order[i]) < score;
            through += rg_zset_item_score(world->order[i]) <= score;
        }
        RG_CHECK_INT(rg_rank_tree_count_below(&world->tree, score, false), below);
        RG_CHECK_INT(rg_rank_tree_count_below(&world->tree, score, true), through);
    }
    if (world->scores != 1)
        return;
    for (unsigned n = 0; n < 40; n++) {
        struct rg_bytes member =
            rg_zset_item_member(world->items[rg_rand_below(&world->rand, ITEMS)]);
        uint64_t before = 0;
        uint64_t through = 0;
        for (uint64_t i = 0; i < world->count; i++) {
            int order = rg_bytes_compare(rg_zset_item_member(world->order[i]), member);
            before += order < 0;
            through += order <= 0;
        }
        RG_CHECK_INT(rg_rank_tree_count_before(&world->tree, member, false), before);
        RG_CHECK_INT(rg_rank_tree_count_before(&world->tree, member, true), through);
    }
}

static void take_some(struct world *world)
{
    struct rg_zset_item *taken[RG_RANK_TREE_TAKE_MAX];
    if (world->count == 0)
        return;
    uint64_t rank = rg_rand_below(&world->rand, world->count);
    uint64_t max = 1 + rg_rand_below(&world->rand, 60);
    unsigned count = rg_rank_tree_take(world->pool, &world->tree, rank, max, taken);
    RG_CHECK(count > 0 && count <= max && rank + count <= world->count);
    for (unsigned n = 0; n < count; n++) {
        RG_CHECK(taken[n] == world->order[rank + n]);
        for (unsigned i = 0; i < ITEMS; i++) {
            if (world->items[i] == taken[n])
                world->in[i] = false;
        }
    }
}

static void run_model(uint64_t seed, unsigned scores)
{
    static struct world world;
    world_init(&world, seed, scores);
    for (unsigned round = 0; round < 60; round++) {
        uint64_t target = rg_rand_below(&world.rand, 3) == 0 ? rg_rand_below(&world.rand, 40)
                                                             : rg_rand_below(&world.rand, ITEMS);
        for (unsigned step = 0; step < 2 * ITEMS; step++) {
            unsigned i = (unsigned)rg_rand_below(&world.rand, ITEMS);
            if (world.in[i] != (i < target))
                world_flip(&world, i);
            else if (world.in[i])
                world_rescore(&world, i);
        }
        check_order(&world);
        check_ranks(&world);
        take_some(&world);
        check_order(&world);
    }
    world_fini(&world);
}

RG_TEST(random_changes_match_a_sorted_array)
{
    for (uint64_t seed = 1; seed <= 3; seed++)
        run_model(seed, 1000000);
}

RG_TEST(equal_scores_are_ordered_by_the_members)
{
    run_model(11, 1);
    run_model(12, 5);
}

RG_TEST(insertion_in_order_fills_the_leaves)
{
    static struct world world;
    for (unsigned backward = 0; backward < 2; backward++) {
        world_init(&world, 5, 1);
        for (unsigned i = 0; i < ITEMS; i++) {
            rg_zset_item_set_score(world.items[i], backward ? -(double)i : i);
            rg_rank_tree_insert(world.pool, &world.tree, world.items[i]);
            world.in[i] = true;
        }
        check_order(&world);
        /* 29 items to four cache lines, and a few bytes of what is above them. */
        RG_CHECK(world.tree.nodes_cost / ITEMS <= 11);
        /* And removal from one end leaves no low nodes behind. */
        for (unsigned i = 0; i < ITEMS - 100; i++)
            world_flip(&world, i);
        check_order(&world);
        RG_CHECK(world.tree.height <= 1);
        RG_CHECK(world.tree.nodes_cost <= 5000);
        world_fini(&world);
    }
}
