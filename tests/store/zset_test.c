#include "store/zset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/harness.h"

static const struct rg_store_limits limits = {.zset_max_listpack_entries = 128,
                                              .zset_max_listpack_value = 64};
static const struct rg_bytes key = {"zset", 4};

enum { MEMBERS = 400 };

struct member {
    char name[200];
    size_t len;
    double score;
    bool in;
    unsigned seen;
};

struct world {
    struct rg_store *store;
    struct rg_db *db;
    struct rg_entry *entry;
    struct member members[MEMBERS];
    struct member *order[MEMBERS]; /* those that are in */
    unsigned count;
    unsigned scores; /* how many different ones */
    struct rg_rand rand;
};

static struct rg_bytes name_of(const struct member *member)
{
    return rg_bytes(member->name, member->len);
}

static void world_init(struct world *world, const struct rg_store_limits *store_limits,
                       uint64_t seed, unsigned scores)
{
    *world = (struct world){.store = rg_store_new(1, 6, store_limits), .scores = scores};
    world->db = rg_store_db(world->store, 0);
    world->entry = rg_db_put_zset(world->db, key);
    rg_rand_init(&world->rand, seed);
    rg_test_note("seed %llu, %u scores", (unsigned long long)seed, scores);
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct member *member = &world->members[i];
        /* Some are long, so that their length takes two digits. */
        int width = i % 10 == 0 ? 150 : 1;
        /* Others are integers, or look like one. */
        const char *before = i % 10 == 1 ? "0" : i % 10 == 2 ? "-" : i % 10 == 3 ? "m" : "";
        const char *after = i % 10 == 4 ? "0000000" : i % 10 == 5 ? ".0" : "";
        member->len = (size_t)snprintf(member->name, sizeof(member->name), "%s%0*u%s", before,
                                       width, i, after);
    }
}

static int compare_members(const void *a, const void *b)
{
    struct member *const *x = a;
    struct member *const *y = b;
    if ((*x)->score != (*y)->score)
        return (*x)->score < (*y)->score ? -1 : 1;
    return rg_bytes_compare(name_of(*x), name_of(*y));
}

static void world_sort(struct world *world)
{
    world->count = 0;
    for (unsigned i = 0; i < MEMBERS; i++) {
        if (world->members[i].in)
            world->order[world->count++] = &world->members[i];
    }
    qsort(world->order, world->count, sizeof(void *), compare_members);
}

static void world_set(struct world *world, unsigned i, double score)
{
    struct member *member = &world->members[i];
    bool is_new = rg_zset_set(world->db, &world->entry, name_of(member), score);
    RG_CHECK(is_new == !member->in);
    member->in = true;
    member->score = score;
}

static void world_remove(struct world *world, unsigned i)
{
    struct member *member = &world->members[i];
    RG_CHECK(rg_zset_remove(world->db, &world->entry, name_of(member)) == member->in);
    member->in = false;
}

static double random_score(struct world *world)
{
    return (double)rg_rand_below(&world->rand, world->scores) / 4 - 5;
}

static void check_walks(struct world *world)
{
    struct rg_zset_iter iter;
    struct rg_bytes name;
    double score = 0;
    unsigned from = (unsigned)rg_rand_below(&world->rand, world->count);
    rg_zset_iter_init(&iter, world->entry, from, false);
    for (unsigned i = from; i < world->count; i++) {
        RG_CHECK(rg_zset_iter_next(&iter, &name, &score));
        RG_CHECK(rg_bytes_equal(name, name_of(world->order[i])));
        RG_CHECK(score == world->order[i]->score);
    }
    RG_CHECK(!rg_zset_iter_next(&iter, &name, &score));
    rg_zset_iter_init(&iter, world->entry, from, true);
    for (unsigned i = from + 1; i-- > 0;) {
        RG_CHECK(rg_zset_iter_next(&iter, &name, &score));
        RG_CHECK(rg_bytes_equal(name, name_of(world->order[i])));
        RG_CHECK(score == world->order[i]->score);
    }
    RG_CHECK(!rg_zset_iter_next(&iter, &name, &score));
}

static void check_counts(struct world *world)
{
    for (unsigned n = 0; n < 10; n++) {
        double score = random_score(world);
        struct rg_bytes name = name_of(&world->members[rg_rand_below(&world->rand, MEMBERS)]);
        unsigned counts[4] = {0};
        for (unsigned i = 0; i < world->count; i++) {
            int order = rg_bytes_compare(name_of(world->order[i]), name);
            counts[0] += world->order[i]->score < score;
            counts[1] += world->order[i]->score <= score;
            counts[2] += order < 0;
            counts[3] += order <= 0;
        }
        for (unsigned through = 0; through < 2; through++) {
            RG_CHECK_INT(rg_zset_count_below(world->entry, score, through), counts[through]);
            if (world->scores == 1)
                RG_CHECK_INT(rg_zset_count_before(world->entry, name, through),
                             counts[2 + through]);
        }
    }
}

static void see(void *arg, struct rg_bytes name, double score)
{
    struct world *world = arg;
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct member *member = &world->members[i];
        if (rg_bytes_equal(name, name_of(member))) {
            RG_CHECK(member->in && member->score == score);
            member->seen++;
            return;
        }
    }
    RG_CHECK(false);
}

static void check_whole(struct world *world)
{
    world_sort(world);
    RG_CHECK_INT(rg_zset_len(world->entry), world->count);
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct member *member = &world->members[i];
        uint64_t rank = 0;
        double score = 0;
        RG_CHECK(rg_zset_rank(world->entry, name_of(member), &rank) == member->in);
        RG_CHECK(rg_zset_score(world->entry, name_of(member), &score) == member->in);
        if (member->in)
            RG_CHECK(world->order[rank] == member && score == member->score);
        member->seen = 0;
    }
    uint64_t cursor = 0;
    do {
        cursor = rg_zset_scan(world->entry, cursor, 10, see, world);
    } while (cursor != 0);
    for (unsigned i = 0; i < MEMBERS; i++)
        RG_CHECK_INT(world->members[i].seen, world->members[i].in);
    check_counts(world);
    if (world->count > 0)
        check_walks(world);
}

static void remove_ranks(struct world *world)
{
    if (world->count == 0)
        return;
    uint64_t rank = rg_rand_below(&world->rand, world->count);
    uint64_t count = rg_rand_below(&world->rand, world->count - rank + 1);
    count = count < 50 ? count : 50;
    rg_zset_remove_ranks(world->db, &world->entry, rank, count);
    for (uint64_t i = rank; i < rank + count; i++)
        world->order[i]->in = false;
}

static void world_fini(struct world *world, const struct rg_store_limits *store_limits)
{
    rg_db_delete(world->db, key);
    struct rg_store *empty = rg_store_new(1, 6, store_limits);
    RG_CHECK_INT(rg_store_memory(world->store), rg_store_memory(empty));
    rg_store_free(empty);
    rg_store_free(world->store);
}

static void run_model(const struct rg_store_limits *store_limits, uint64_t seed, unsigned scores)
{
    static struct world world;
    world_init(&world, store_limits, seed, scores);
    for (unsigned round = 0; round < 60; round++) {
        uint64_t adds = rg_rand_below(&world.rand, 10);
        for (unsigned step = 0; step < 200; step++) {
            unsigned i = (unsigned)rg_rand_below(&world.rand, MEMBERS);
            if (rg_rand_below(&world.rand, 10) < adds)
                world_set(&world, i, random_score(&world));
            else
                world_remove(&world, i);
        }
        check_whole(&world);
        remove_ranks(&world);
        check_whole(&world);
    }
    world_fini(&world, store_limits);
}

RG_TEST(random_changes_match_a_model)
{
    run_model(&limits, 1, 1000);
    run_model(&limits, 2, 3);
}

RG_TEST(random_changes_of_a_packed_set_match_a_model)
{
    static const struct rg_store_limits packed = {.zset_max_listpack_entries = 1000,
                                                  .zset_max_listpack_value = 640};
    run_model(&packed, 3, 1000);
    run_model(&packed, 4, 1);
}

RG_TEST(random_changes_of_a_tree_match_a_model)
{
    static const struct rg_store_limits tree = {.zset_max_listpack_value = 64};
    run_model(&tree, 5, 1000);
    run_model(&tree, 6, 1);
}

RG_TEST(a_set_leaves_the_packed_form_at_the_limits_and_for_good)
{
    static struct world world;
    static char text[65];
    memset(text, 'z', sizeof(text));
    world_init(&world, &limits, 7, 1);
    for (unsigned i = 1; world.count < 128; i++) {
        if (i % 10 != 0)
            world_set(&world, i, i);
        world_sort(&world);
    }
    world_set(&world, 1, 1000);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "listpack");
    world_set(&world, 399, 0);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "skiplist");
    for (unsigned i = 1; i < 399; i++)
        world_remove(&world, i);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "skiplist");
    check_whole(&world);
    rg_db_delete(world.db, key);
    world.entry = rg_db_put_zset(world.db, key);
    rg_zset_set(world.db, &world.entry, rg_bytes(text, 64), 1);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "listpack");
    rg_zset_set(world.db, &world.entry, rg_bytes(text, 65), 1);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "skiplist");
    rg_store_free(world.store);
}

RG_TEST(only_a_tree_has_a_negative_zero)
{
    static struct world world;
    double score = 1;
    world_init(&world, &limits, 8, 1);
    world_set(&world, 1, -0.0);
    RG_CHECK(rg_zset_score(world.entry, name_of(&world.members[1]), &score) && !signbit(score));
    rg_db_delete(world.db, key);
    world.entry = rg_db_put_zset(world.db, key);
    rg_zset_expect(world.db, &world.entry, 128, 64);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "listpack");
    rg_zset_expect(world.db, &world.entry, 128, 65);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "skiplist");
    rg_zset_set(world.db, &world.entry, name_of(&world.members[1]), -0.0);
    RG_CHECK(rg_zset_score(world.entry, name_of(&world.members[1]), &score) && signbit(score));
    rg_store_free(world.store);
}

RG_TEST(a_copy_stands_for_itself)
{
    static struct world world;
    for (unsigned members = 20; members <= 300; members += 280) {
        world_init(&world, &limits, members, 50);
        for (unsigned i = 0; i < members; i++)
            world_set(&world, i, random_score(&world));
        RG_CHECK_INT(rg_db_copy(world.db, key, world.db, RG_BYTES("copy")), 0);
        struct rg_entry *original = rg_db_find_for_write(world.db, key);
        rg_zset_remove_ranks(world.db, &original, 0, members);
        rg_db_delete(world.db, key);
        world.entry = rg_db_find(world.db, RG_BYTES("copy"));
        check_whole(&world);
        rg_db_delete(world.db, RG_BYTES("copy"));
        world_fini(&world, &limits);
    }
}

RG_TEST(members_are_drawn_evenly)
{
    enum { DRAWS = 30000 };
    static struct world world;
    for (unsigned members = 30; members <= 300; members += 270) {
        world_init(&world, &limits, members, 50);
        for (unsigned i = 0; i < members; i++)
            world_set(&world, i, random_score(&world));
        for (unsigned i = 0; i < DRAWS; i++) {
            char scratch[RG_STRING_SCRATCH];
            struct rg_bytes name;
            double score = 0;
            rg_zset_random(world.entry, &world.rand, scratch, &name, &score);
            see(&world, name, score);
        }
        /* The square deviations from the mean, over the mean: about one for each member. */
        double chi = 0;
        double mean = (double)DRAWS / members;
        for (unsigned i = 0; i < members; i++)
            chi += (world.members[i].seen - mean) * (world.members[i].seen - mean) / mean;
        rg_test_note("chi square %.1f of %u members", chi, members);
        RG_CHECK(chi < members * 1.7 && chi > members * 0.4);
        world_fini(&world, &limits);
    }
}
