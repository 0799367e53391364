#include <stdio.h>

#include "store/list.h"
#include "store/set.h"
#include "store/store.h"
#include "store/zset.h"
#include "tests/harness.h"

static const struct rg_store_limits limits = {.hash_max_listpack_entries = 8,
                                              .hash_max_listpack_value = 64,
                                              .list_max_listpack_size = -2,
                                              .set_max_intset_entries = 16,
                                              .zset_max_listpack_entries = 16,
                                              .zset_max_listpack_value = 64};

static struct rg_bytes name_of(char name[32], const char *prefix, uint64_t i)
{
    return rg_bytes(name, (size_t)snprintf(name, 32, "%s:%llu", prefix, (unsigned long long)i));
}

static void put_large_hash(struct rg_db *db, struct rg_bytes key, uint64_t fields)
{
    char name[32];
    struct rg_entry *entry = rg_db_put_hash(db, key);
    for (uint64_t i = 0; i < fields; i++)
        rg_hash_set(db, &entry, name_of(name, "field", i), RG_BYTES("value"));
}

static void put_large(struct rg_db *db, struct rg_bytes key, enum rg_type type, uint64_t elements)
{
    char name[32];
    struct rg_entry *entry = NULL;
    if (type == RG_TYPE_HASH) {
        put_large_hash(db, key, elements);
        return;
    }
    entry = type == RG_TYPE_LIST  ? rg_db_put_list(db, key)
            : type == RG_TYPE_SET ? rg_db_put_set(db, key)
                                  : rg_db_put_zset(db, key);
    for (uint64_t i = 0; i < elements; i++) {
        struct rg_bytes element = name_of(name, "element", i);
        if (type == RG_TYPE_LIST)
            rg_list_push(db, &entry, RG_LIST_TAIL, element);
        else if (type == RG_TYPE_SET)
            rg_set_add(db, &entry, element);
        else
            rg_zset_set(db, &entry, element, (double)i);
    }
}

static uint64_t pending_of(struct rg_store *store)
{
    uint64_t pending = 0;
    uint64_t freed = 0;
    rg_store_count_doomed(store, &pending, &freed);
    return pending;
}

static uint64_t steps_to_free(struct rg_store *store, uint64_t budget)
{
    uint64_t steps = 1;
    while (rg_store_free_step(store, budget))
        steps++;
    RG_CHECK(!rg_store_has_doomed(store));
    RG_CHECK_INT(pending_of(store), 0);
    return steps;
}

RG_TEST(a_large_value_of_any_type_stops_counting_at_once_and_goes_in_steps)
{
    static const enum rg_type types[] = {RG_TYPE_HASH, RG_TYPE_LIST, RG_TYPE_SET, RG_TYPE_ZSET};
    for (unsigned t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        struct rg_store *store = rg_store_new(1, 1, &limits);
        struct rg_db *db = rg_store_db(store, 0);
        rg_test_note("%s", rg_type_name(types[t]));
        rg_db_put_string(db, RG_BYTES("other"), RG_BYTES("stays"));
        uint64_t memory = rg_store_memory(store);
        put_large(db, RG_BYTES("k"), types[t], 100000);
        RG_CHECK(rg_store_memory(store) > memory + 500000);
        RG_CHECK(rg_db_delete(db, RG_BYTES("k")));
        RG_CHECK_INT(rg_store_memory(store), memory);
        RG_CHECK_INT(pending_of(store), 1);
        /* A list's steps count chunks, of some hundreds of elements. */
        RG_CHECK(steps_to_free(store, 10) >= 10);
        RG_CHECK_INT(rg_store_memory(store), memory);
        rg_store_free(store);
    }
}

RG_TEST(a_value_that_is_replaced_or_moved_over_goes_in_steps_as_well)
{
    struct rg_store *store = rg_store_new(2, 1, &limits);
    struct rg_db *db = rg_store_db(store, 0);
    put_large_hash(db, RG_BYTES("a"), 1000);
    rg_db_put_string(db, RG_BYTES("a"), RG_BYTES("x"));
    RG_CHECK_INT(pending_of(store), 1);
    put_large_hash(db, RG_BYTES("b"), 1000);
    RG_CHECK_INT(rg_db_move(db, RG_BYTES("a"), db, RG_BYTES("b")), 0);
    RG_CHECK_INT(pending_of(store), 2);
    RG_CHECK(steps_to_free(store, 100) >= 20);
    uint64_t pending = 0;
    uint64_t freed = 0;
    rg_store_count_doomed(store, &pending, &freed);
    RG_CHECK_INT(freed, 2);
    rg_store_free(store);
}

RG_TEST(a_small_value_is_freed_at_once)
{
    struct rg_store *store = rg_store_new(1, 1, &limits);
    struct rg_db *db = rg_store_db(store, 0);
    put_large_hash(db, RG_BYTES("a"), 20);
    RG_CHECK(rg_db_delete(db, RG_BYTES("a")));
    RG_CHECK(!rg_store_has_doomed(store));
    rg_store_free(store);
}

/* What is large takes its time however few elements it is. */
RG_TEST(bytes_count_as_elements_do)
{
    enum { BUDGET = 500, HUGE_BYTES = 40 << 20, LARGE_BYTES = 200000, LARGES = 200 };
    static char large[LARGE_BYTES];
    const uint64_t least = 20; /* of a megabyte at most each */
    struct rg_store *store = rg_store_new(1, 1, &limits);
    struct rg_db *db = rg_store_db(store, 0);
    uint64_t empty = rg_store_memory(store);
    char name[32];
    struct rg_entry *entry = rg_db_put_string(db, RG_BYTES("huge"), RG_BYTES("x"));
    RG_CHECK_INT(rg_string_write_at(db, &entry, HUGE_BYTES, RG_BYTES("end")), 0);
    RG_CHECK(rg_db_delete(db, RG_BYTES("huge")));
    RG_CHECK_INT(rg_store_memory(store), empty);
    RG_CHECK(steps_to_free(store, BUDGET) >= least);
    /* One that another value replaces. */
    entry = rg_db_put_string(db, RG_BYTES("huge"), RG_BYTES("x"));
    RG_CHECK_INT(rg_string_write_at(db, &entry, HUGE_BYTES, RG_BYTES("end")), 0);
    rg_string_replace(db, &entry, RG_BYTES("small"));
    RG_CHECK(steps_to_free(store, BUDGET) >= least);
    rg_db_delete(db, RG_BYTES("huge"));
    /* A hash, a list and a database of large ones. */
    struct rg_entry *hash = rg_db_put_hash(db, RG_BYTES("hash"));
    struct rg_entry *list = rg_db_put_list(db, RG_BYTES("list"));
    for (uint64_t i = 0; i < LARGES; i++) {
        rg_hash_set(db, &hash, name_of(name, "field", i), rg_bytes(large, LARGE_BYTES));
        rg_list_push(db, &list, RG_LIST_TAIL, rg_bytes(large, LARGE_BYTES));
    }
    rg_db_delete(db, RG_BYTES("hash"));
    RG_CHECK(steps_to_free(store, BUDGET) >= least);
    rg_db_delete(db, RG_BYTES("list"));
    RG_CHECK(steps_to_free(store, BUDGET) >= least);
    for (uint64_t i = 0; i < LARGES; i++)
        rg_db_put_string(db, name_of(name, "key", i), rg_bytes(large, LARGE_BYTES));
    rg_db_flush(db);
    RG_CHECK(steps_to_free(store, BUDGET) >= least);
    RG_CHECK_INT(rg_store_memory(store), empty);
    rg_store_free(store);
}

static void fill(struct rg_db *db, unsigned count)
{
    char name[32];
    for (unsigned i = 0; i < count; i++) {
        struct rg_bytes key = name_of(name, "key", i);
        struct rg_entry *entry = rg_db_put_string(db, key, RG_BYTES("some value"));
        if (i % 3 == 0)
            rg_entry_set_expire_ms(db, &entry, 1000 + i);
        if (i % 100 == 7) {
            rg_db_delete(db, key);
            put_large_hash(db, key, 200);
        }
    }
}

RG_TEST(flushed_databases_are_empty_at_once_and_freed_in_steps)
{
    struct rg_store *store = rg_store_new(3, 1, &limits);
    uint64_t memory = rg_store_memory(store);
    fill(rg_store_db(store, 0), 5000);
    fill(rg_store_db(store, 2), 3000);
    RG_CHECK_INT(rg_db_flush(rg_store_db(store, 0)), 5000);
    RG_CHECK_INT(rg_db_flush(rg_store_db(store, 2)), 3000);
    RG_CHECK_INT(rg_store_memory(store), memory);
    RG_CHECK_INT(rg_store_count(store), 0);
    RG_CHECK_INT(rg_db_count_expiring(rg_store_db(store, 0)), 0);
    RG_CHECK_INT(pending_of(store), 8000);
    /* Life goes on meanwhile. */
    rg_db_put_string(rg_store_db(store, 0), RG_BYTES("key:1"), RG_BYTES("new"));
    uint64_t with_key = rg_store_memory(store);
    RG_CHECK(with_key > memory);
    for (unsigned i = 0; i < 5; i++) {
        RG_CHECK(rg_store_free_step(store, 100));
        RG_CHECK_INT(rg_store_memory(store), with_key);
    }
    RG_CHECK(steps_to_free(store, 100) > 150);
    RG_CHECK_INT(rg_store_memory(store), with_key);
    RG_CHECK(rg_db_delete(rg_store_db(store, 0), RG_BYTES("key:1")));
    RG_CHECK_INT(rg_store_memory(store), memory);
    rg_store_free(store);
}

RG_TEST(one_database_among_others_counts_until_it_is_freed)
{
    struct rg_store *store = rg_store_new(2, 1, &limits);
    fill(rg_store_db(store, 0), 1000);
    uint64_t memory = rg_store_memory(store);
    fill(rg_store_db(store, 1), 5000);
    uint64_t both = rg_store_memory(store);
    rg_db_flush(rg_store_db(store, 1));
    RG_CHECK(rg_store_memory(store) <= both + 512); /* what notes it down */
    steps_to_free(store, 1000);
    RG_CHECK_INT(rg_store_memory(store), memory);
    rg_store_free(store);
}

RG_TEST(a_store_that_another_one_replaced_is_freed_with_its_things)
{
    struct rg_store *oldest = rg_store_new(2, 1, &limits);
    struct rg_store *old = rg_store_new(2, 1, &limits);
    struct rg_store *store = rg_store_new(2, 2, &limits);
    uint64_t memory = rg_store_memory(store);
    fill(rg_store_db(oldest, 1), 1000);
    fill(rg_store_db(old, 0), 2000);
    rg_store_bury(old, oldest);
    rg_store_bury(store, old);
    rg_store_bury(store, NULL);
    RG_CHECK_INT(pending_of(store), 3000);
    RG_CHECK_INT(rg_store_memory(store), memory);
    RG_CHECK(steps_to_free(store, 50) > 60);
    uint64_t pending = 0;
    uint64_t freed = 0;
    rg_store_count_doomed(store, &pending, &freed);
    RG_CHECK_INT(freed, 3000);
    rg_store_free(store);

    /* And without a step. */
    old = rg_store_new(2, 1, &limits);
    store = rg_store_new(2, 2, &limits);
    fill(rg_store_db(old, 0), 2000);
    rg_store_bury(store, old);
    rg_store_free(store);
}

static void count_entry(void *arg, unsigned db, const struct rg_entry *entry)
{
    unsigned *seen = arg;
    RG_CHECK(rg_entry_key(entry).len > 0);
    seen[db]++;
}

static const struct rg_snapshot_visitor counter = {.whole_bytes = UINT64_MAX, .entry = count_entry};

RG_TEST(a_snapshot_sees_what_was_flushed_after_it_began)
{
    struct rg_store *store = rg_store_new(2, 1, &limits);
    unsigned seen[2] = {0};
    fill(rg_store_db(store, 0), 2000);
    fill(rg_store_db(store, 1), 1000);
    RG_CHECK_INT(rg_store_snapshot_begin(store, &counter, seen), 0);
    RG_CHECK(!rg_store_snapshot_step(store, 300));
    rg_db_flush(rg_store_db(store, 0));
    rg_store_swap_dbs(store, 0, 1);
    rg_store_free_step(store, 50);
    rg_db_flush(rg_store_db(store, 0));
    rg_db_put_string(rg_store_db(store, 0), RG_BYTES("late"), RG_BYTES("unseen"));
    unsigned steps = 1;
    while (!rg_store_snapshot_step(store, 300))
        steps++;
    RG_CHECK(steps > 5);
    RG_CHECK_INT(seen[0], 2000);
    RG_CHECK_INT(seen[1], 1000);

    /* One that is cancelled is shown nothing more, and the next one none of the old things. */
    fill(rg_store_db(store, 1), 500);
    seen[0] = seen[1] = 0;
    RG_CHECK_INT(rg_store_snapshot_begin(store, &counter, seen), 0);
    rg_db_flush(rg_store_db(store, 1));
    rg_store_snapshot_cancel(store);
    RG_CHECK_INT(rg_store_snapshot_begin(store, &counter, seen), 0);
    while (!rg_store_snapshot_step(store, 300))
        continue;
    steps_to_free(store, 1000);
    RG_CHECK_INT(seen[0], 1);
    RG_CHECK_INT(seen[1], 0);
    rg_store_free(store);
}
