#include <stdio.h>

#include "store/store.h"
#include "tests/harness.h"

static const struct rg_store_limits limits = {.hash_max_listpack_entries = 128,
                                              .hash_max_listpack_value = 64};
static const struct rg_bytes key = {"hash", 4};

enum { FIELDS = 400 };

struct world {
    struct rg_store *store;
    struct rg_db *db;
    struct rg_entry *entry;
    int values[FIELDS]; /* -1: not there */
    unsigned count;
    unsigned seen[FIELDS];
};

static struct rg_bytes field_name(char name[16], unsigned i)
{
    /* Integers, what looks like one, and other text. */
    static const char *const before[] = {"f", "", "0", "-", "+", "", ""};
    static const char *const after[] = {"", "", "", "", "", "00000", ".0"};
    return rg_bytes(name, (size_t)snprintf(name, 16, "%s%u%s", before[i % 7], i + 1, after[i % 7]));
}

static struct rg_bytes value_text(char text[16], int value)
{
    return rg_bytes(text, (size_t)snprintf(text, 16, "%d", value));
}

static void world_init(struct world *world, const struct rg_store_limits *store_limits)
{
    world->store = rg_store_new(1, 6, store_limits);
    world->db = rg_store_db(world->store, 0);
    world->entry = rg_db_put_hash(world->db, key);
    world->count = 0;
    for (unsigned i = 0; i < FIELDS; i++)
        world->values[i] = -1;
}

static void world_set(struct world *world, unsigned i, int value)
{
    char name[16];
    char text[16];
    bool is_new =
        rg_hash_set(world->db, &world->entry, field_name(name, i), value_text(text, value));
    RG_CHECK(is_new == (world->values[i] < 0));
    world->count += is_new ? 1 : 0;
    world->values[i] = value;
}

static void world_delete(struct world *world, unsigned i)
{
    char name[16];
    bool deleted = rg_hash_delete(world->db, &world->entry, field_name(name, i));
    RG_CHECK(deleted == (world->values[i] >= 0));
    world->count -= deleted ? 1 : 0;
    world->values[i] = -1;
}

static void world_see(void *arg, struct rg_bytes field, struct rg_bytes value)
{
    struct world *world = arg;
    char name[16];
    char text[16];
    unsigned i = 0;
    while (i < FIELDS && !rg_bytes_equal(field, field_name(name, i)))
        i++;
    RG_CHECK(i < FIELDS);
    RG_CHECK(rg_bytes_equal(value, value_text(text, world->values[i])));
    world->seen[i]++;
}

static void check_whole(struct world *world)
{
    struct rg_hash_iter iter;
    struct rg_bytes field;
    struct rg_bytes value;
    memset(world->seen, 0, sizeof(world->seen));
    rg_hash_iter_init(&iter, world->entry);
    while (rg_hash_iter_next(&iter, &field, &value))
        world_see(world, field, value);
    uint64_t cursor = 0;
    do {
        cursor = rg_hash_scan(world->entry, cursor, 10, world_see, world);
    } while (cursor != 0);
    for (unsigned i = 0; i < FIELDS; i++)
        RG_CHECK_INT(world->seen[i], world->values[i] >= 0 ? 2 : 0);
    RG_CHECK_INT(rg_hash_len(world->entry), world->count);
    if (world->count > 0) {
        struct rg_rand rand;
        rg_rand_init(&rand, world->count);
        struct rg_hash_scratch scratch;
        rg_hash_random(world->entry, &rand, &scratch, &field, &value);
        world_see(world, field, value);
    }
}

static void run_model(const struct rg_store_limits *store_limits, uint64_t seed)
{
    static struct world world;
    struct rg_rand rand;
    char name[16];
    rg_rand_init(&rand, seed);
    rg_test_note("seed %llu", (unsigned long long)seed);
    world_init(&world, store_limits);
    for (unsigned round = 0; round < 60; round++) {
        unsigned adds = (unsigned)rg_rand_below(&rand, 10);
        for (unsigned step = 0; step < 200; step++) {
            unsigned i = (unsigned)rg_rand_below(&rand, FIELDS);
            if (rg_rand_below(&rand, 10) < adds)
                world_set(&world, i, (int)rg_rand_below(&rand, 1000000));
            else
                world_delete(&world, i);
            struct rg_bytes value;
            char scratch[RG_STRING_SCRATCH];
            unsigned j = (unsigned)rg_rand_below(&rand, FIELDS);
            RG_CHECK(rg_hash_get(world.entry, field_name(name, j), scratch, &value) ==
                     (world.values[j] >= 0));
        }
        check_whole(&world);
    }
    rg_db_delete(world.db, key);
    struct rg_store *empty = rg_store_new(1, 6, store_limits);
    RG_CHECK_INT(rg_store_memory(world.store), rg_store_memory(empty));
    rg_store_free(empty);
    rg_store_free(world.store);
}

RG_TEST(random_changes_match_a_model)
{
    run_model(&limits, 31);
}

RG_TEST(random_changes_of_a_packed_hash_match_a_model)
{
    static const struct rg_store_limits packed = {.hash_max_listpack_entries = 1000,
                                                  .hash_max_listpack_value = 64};
    run_model(&packed, 32);
}

RG_TEST(random_changes_of_a_table_match_a_model)
{
    static const struct rg_store_limits table = {.hash_max_listpack_value = 64};
    run_model(&table, 33);
}

RG_TEST(a_hash_leaves_the_packed_form_at_the_limits_and_for_good)
{
    static struct world world;
    static char text[65];
    memset(text, 'z', sizeof(text));
    world_init(&world, &limits);
    for (unsigned i = 0; i < 128; i++)
        world_set(&world, i, 1);
    world_set(&world, 0, 2);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "listpack");
    world_set(&world, 128, 1);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "hashtable");
    for (unsigned i = 1; i < 129; i++)
        world_delete(&world, i);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "hashtable");
    check_whole(&world);
    rg_db_delete(world.db, key);
    world.entry = rg_db_put_hash(world.db, key);
    rg_hash_set(world.db, &world.entry, rg_bytes(text, 64), rg_bytes(text, 64));
    RG_CHECK_STR(rg_entry_encoding(world.entry), "listpack");
    rg_hash_set(world.db, &world.entry, RG_BYTES("f"), rg_bytes(text, 65));
    RG_CHECK_STR(rg_entry_encoding(world.entry), "hashtable");
    rg_store_free(world.store);
}

RG_TEST(a_packed_hash_keeps_the_order_of_insertion)
{
    static struct world world;
    char name[16];
    struct rg_hash_iter iter;
    struct rg_bytes field;
    struct rg_bytes value;
    world_init(&world, &limits);
    for (unsigned i = 100; i > 0; i--)
        world_set(&world, i, (int)i);
    world_set(&world, 50, 123456);
    rg_hash_iter_init(&iter, world.entry);
    for (unsigned i = 100; i > 0; i--) {
        RG_CHECK(rg_hash_iter_next(&iter, &field, &value));
        RG_CHECK(rg_bytes_equal(field, field_name(name, i)));
    }
    RG_CHECK(!rg_hash_iter_next(&iter, &field, &value));
    rg_store_free(world.store);
}
