#include "store/set.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/harness.h"

static const struct rg_store_limits limits = {.set_max_intset_entries = 512};
static const struct rg_bytes key = {"set", 3};

enum { MEMBERS = 1200 };

/* How the model's members are written. */
enum naming { INTEGERS, SHORT_NAMES, LONG_NAMES, MIXED_NAMES };

struct world {
    struct rg_store *store;
    struct rg_db *db;
    struct rg_entry *entry;
    enum naming naming;
    bool there[MEMBERS];
    unsigned count;
    unsigned seen[MEMBERS];
};

static struct rg_bytes member_name(const struct world *world, char name[160], unsigned i)
{
    enum naming naming = world->naming;
    if (naming == MIXED_NAMES)
        naming = i % 50 == 49 ? LONG_NAMES : i % 10 == 9 ? SHORT_NAMES : INTEGERS;
    int len = 0;
    if (naming == INTEGERS)
        len = snprintf(name, 160, "%u", i);
    else if (naming == SHORT_NAMES)
        len = snprintf(name, 160, "m%u", i);
    else
        len = snprintf(name, 160, "m%0140u", i);
    return rg_bytes(name, (size_t)len);
}

static unsigned member_number(struct rg_bytes member)
{
    char name[160] = {0};
    RG_CHECK(member.len > 0 && member.len < sizeof(name));
    memcpy(name, member.data, member.len);
    unsigned long i = strtoul(name[0] == 'm' ? name + 1 : name, NULL, 10);
    RG_CHECK(i < MEMBERS);
    return (unsigned)i;
}

static void world_init(struct world *world, enum naming naming)
{
    *world = (struct world){.store = rg_store_new(1, 6, &limits), .naming = naming};
    world->db = rg_store_db(world->store, 0);
    world->entry = rg_db_put_set(world->db, key);
}

static void world_add(struct world *world, unsigned i)
{
    char name[160];
    RG_CHECK(rg_set_add(world->db, &world->entry, member_name(world, name, i)) != world->there[i]);
    world->count += world->there[i] ? 0 : 1;
    world->there[i] = true;
}

static void world_remove(struct world *world, unsigned i)
{
    char name[160];
    RG_CHECK(rg_set_remove(world->db, &world->entry, member_name(world, name, i)) ==
             world->there[i]);
    world->count -= world->there[i] ? 1 : 0;
    world->there[i] = false;
}

static void world_see(void *arg, struct rg_bytes member)
{
    struct world *world = arg;
    char name[160];
    unsigned i = member_number(member);
    RG_CHECK(rg_bytes_equal(member, member_name(world, name, i)));
    world->seen[i]++;
}

static void check_whole(struct world *world, const struct rg_entry *entry)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_set_iter iter;
    struct rg_bytes member;
    memset(world->seen, 0, sizeof(world->seen));
    rg_set_iter_init(&iter, entry);
    while (rg_set_iter_next(&iter, scratch, &member))
        world_see(world, member);
    uint64_t cursor = 0;
    do {
        cursor = rg_set_scan(entry, cursor, 10, world_see, world);
    } while (cursor != 0);
    for (unsigned i = 0; i < MEMBERS; i++) {
        char name[160];
        RG_CHECK_INT(world->seen[i], world->there[i] ? 2 : 0);
        RG_CHECK(rg_set_has(entry, member_name(world, name, i)) == world->there[i]);
    }
    RG_CHECK_INT(rg_set_len(entry), world->count);
    if (world->count > 0) {
        struct rg_rand rand;
        rg_rand_init(&rand, world->count);
        RG_CHECK(world->there[member_number(rg_set_random(entry, &rand, scratch))]);
    }
}

static void run_model(enum naming naming, unsigned members, uint64_t seed)
{
    static struct world world;
    struct rg_rand rand;
    rg_rand_init(&rand, seed);
    rg_test_note("seed %llu", (unsigned long long)seed);
    world_init(&world, naming);
    for (unsigned round = 0; round < 40; round++) {
        unsigned adds = (unsigned)rg_rand_below(&rand, 10);
        for (unsigned step = 0; step < 400; step++) {
            unsigned i = (unsigned)rg_rand_below(&rand, members);
            if (rg_rand_below(&rand, 10) < adds)
                world_add(&world, i);
            else
                world_remove(&world, i);
        }
        check_whole(&world, world.entry);
    }
    RG_CHECK_INT(rg_db_copy(world.db, key, world.db, RG_BYTES("copy")), 0);
    rg_db_delete(world.db, key);
    check_whole(&world, rg_db_find(world.db, RG_BYTES("copy")));
    rg_db_delete(world.db, RG_BYTES("copy"));
    struct rg_store *empty = rg_store_new(1, 6, &limits);
    RG_CHECK_INT(rg_store_memory(world.store), rg_store_memory(empty));
    rg_store_free(empty);
    rg_store_free(world.store);
}

RG_TEST(few_integers_match_a_model)
{
    run_model(INTEGERS, 400, 41);
}

RG_TEST(integers_that_become_too_many_match_a_model)
{
    run_model(INTEGERS, MEMBERS, 42);
}

RG_TEST(few_names_match_a_model)
{
    run_model(SHORT_NAMES, 60, 43);
}

RG_TEST(many_names_match_a_model)
{
    run_model(SHORT_NAMES, MEMBERS, 44);
}

RG_TEST(long_names_match_a_model)
{
    run_model(LONG_NAMES, 100, 45);
}

RG_TEST(names_and_integers_match_a_model)
{
    run_model(MIXED_NAMES, MEMBERS, 46);
}

RG_TEST(a_set_leaves_the_integers_for_good)
{
    static struct world world;
    world_init(&world, INTEGERS);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "intset");
    for (unsigned i = 0; i < 512; i++)
        world_add(&world, i);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "intset");
    world_add(&world, 0);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "intset");
    world_add(&world, 512);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "hashtable");
    check_whole(&world, world.entry);
    for (unsigned i = 1; i <= 512; i++)
        world_remove(&world, i);
    RG_CHECK_STR(rg_entry_encoding(world.entry), "hashtable");
    rg_db_delete(world.db, key);
    world.entry = rg_db_put_set(world.db, key);
    rg_set_add(world.db, &world.entry, RG_BYTES("17"));
    rg_set_add(world.db, &world.entry, RG_BYTES("017"));
    RG_CHECK_STR(rg_entry_encoding(world.entry), "hashtable");
    RG_CHECK(rg_set_has(world.entry, RG_BYTES("17")));
    RG_CHECK(!rg_set_has(world.entry, RG_BYTES("")));
    rg_store_free(world.store);
}

RG_TEST(integers_come_in_ascending_order)
{
    static struct world world;
    char scratch[RG_STRING_SCRATCH];
    struct rg_set_iter iter;
    struct rg_bytes member;
    world_init(&world, INTEGERS);
    for (unsigned i = 0; i < 100; i++)
        world_add(&world, i * 37 % 100);
    rg_set_iter_init(&iter, world.entry);
    for (unsigned i = 0; i < 100; i++) {
        RG_CHECK(rg_set_iter_next(&iter, scratch, &member));
        RG_CHECK_INT(member_number(member), i);
    }
    RG_CHECK(!rg_set_iter_next(&iter, scratch, &member));
    rg_store_free(world.store);
}

/* Pearson's test on the draws: members that come too often or too rarely would stand out. */
static void check_uniform(enum naming naming, unsigned members)
{
    static struct world world;
    char scratch[RG_STRING_SCRATCH];
    unsigned draws = members * 200;
    struct rg_rand rand;
    double sum = 0;
    rg_rand_init(&rand, 9);
    world_init(&world, naming);
    for (unsigned i = 0; i < members; i++)
        world_add(&world, i);
    for (unsigned i = 0; i < draws; i++)
        world.seen[member_number(rg_set_random(world.entry, &rand, scratch))]++;
    for (unsigned i = 0; i < members; i++)
        sum += (world.seen[i] - 200.0) * (world.seen[i] - 200.0) / 200.0;
    /* The sum has the mean `members` and a variance of twice that; six deviations are never seen.
     */
    RG_CHECK((sum - members) * (sum - members) < 36.0 * 2.0 * members);
    rg_store_free(world.store);
}

RG_TEST(every_member_is_drawn_equally_often)
{
    check_uniform(INTEGERS, 300);
    check_uniform(SHORT_NAMES, 50);
    check_uniform(SHORT_NAMES, 1000);
}

RG_TEST(a_draft_replaces_its_key_and_an_exchange_keeps_the_expiry)
{
    static struct world world;
    world_init(&world, SHORT_NAMES);
    world_add(&world, 1);
    struct rg_entry *draft = rg_set_draft(world.db, key);
    rg_set_add(world.db, &draft, RG_BYTES("x"));
    rg_set_draft_put(world.db, draft);
    world.entry = rg_db_find(world.db, key);
    RG_CHECK_INT(rg_set_len(world.entry), 1);
    RG_CHECK(rg_set_has(world.entry, RG_BYTES("x")));
    rg_entry_set_expire_ms(world.db, &world.entry, 1000);
    draft = rg_set_draft(world.db, key);
    rg_set_add(world.db, &draft, RG_BYTES("1"));
    rg_set_exchange(world.db, &world.entry, draft);
    RG_CHECK(rg_set_has(world.entry, RG_BYTES("1")));
    RG_CHECK_STR(rg_entry_encoding(world.entry), "intset");
    RG_CHECK_INT(rg_entry_expire_ms(world.entry), 1000);
    RG_CHECK(rg_set_has(draft, RG_BYTES("x")));
    rg_set_draft_free(world.db, draft);
    rg_set_draft_free(world.db, NULL);
    rg_store_free(world.store);
}
