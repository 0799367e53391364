#include <stdio.h>

#include "store/store.h"
#include "tests/harness.h"

static const struct rg_store_limits limits = {.hash_max_listpack_entries = 8,
                                              .hash_max_listpack_value = 64};

static struct rg_bytes key_name(char name[24], uint64_t i)
{
    return rg_bytes(name, (size_t)snprintf(name, 24, "key:%llu", (unsigned long long)i));
}

static struct rg_bytes get(struct rg_db *db, const char *key)
{
    static char scratch[RG_STRING_SCRATCH];
    struct rg_entry *entry = rg_db_find(db, rg_bytes_str(key));
    RG_CHECK(entry != NULL);
    return rg_string_get(entry, scratch);
}

/* An entry of each form; with an expiry where at_ms is one. */
static void fill(struct rg_db *db, uint64_t i, int64_t at_ms)
{
    static char text[300];
    char name[24];
    struct rg_bytes key = key_name(name, i);
    struct rg_entry *entry = NULL;
    memset(text, 'l', sizeof(text));
    if (i % 5 < 3) {
        static const char *const values[] = {"12345", "small"};
        entry = rg_db_put_string(
            db, key, i % 5 < 2 ? rg_bytes_str(values[i % 5]) : rg_bytes(text, sizeof(text)));
    } else {
        rg_db_delete(db, key);
        entry = rg_db_put_hash(db, key);
        for (uint64_t n = 0; n < (i % 5 == 3 ? 3 : 20); n++)
            rg_hash_set(db, &entry, key_name(name, n), RG_BYTES("value"));
    }
    rg_entry_set_expire_ms(db, &entry, at_ms);
}

RG_TEST(moving_keeps_value_and_expiry_and_replaces_the_target)
{
    struct rg_store *store = rg_store_new(2, 1, &limits);
    struct rg_db *a = rg_store_db(store, 0);
    struct rg_db *b = rg_store_db(store, 1);
    uint64_t memory = rg_store_memory(store);
    RG_CHECK_INT(rg_db_move(a, RG_BYTES("none"), b, RG_BYTES("x")), RG_ENOENT);
    struct rg_entry *entry = rg_db_put_string(a, RG_BYTES("x"), RG_BYTES("moved"));
    rg_entry_set_expire_ms(a, &entry, 70);
    entry = rg_db_put_string(b, RG_BYTES("y"), RG_BYTES("old"));
    rg_entry_set_expire_ms(b, &entry, 30);
    RG_CHECK_INT(rg_db_move(a, RG_BYTES("x"), b, rg_entry_key(entry)), 0);
    RG_CHECK(rg_db_find(a, RG_BYTES("x")) == NULL);
    RG_CHECK_INT(rg_db_count_expiring(a), 0);
    RG_CHECK_INT(rg_db_next_expire_ms(b), 70);
    RG_CHECK_BYTES(get(b, "y"), "moved");
    RG_CHECK_INT(rg_db_move(b, RG_BYTES("y"), b, RG_BYTES("y")), 0);
    RG_CHECK_INT(rg_db_move(b, RG_BYTES("y"), b, RG_BYTES("a much longer name than before")), 0);
    RG_CHECK_BYTES(get(b, "a much longer name than before"), "moved");
    RG_CHECK_INT(rg_store_count(store), 1);
    RG_CHECK(rg_db_delete(b, RG_BYTES("a much longer name than before")));
    RG_CHECK_INT(rg_store_memory(store), memory);
    rg_store_free(store);
}

RG_TEST(a_copy_is_equal_and_independent_in_every_form)
{
    struct rg_store *store = rg_store_new(2, 1, &limits);
    struct rg_db *a = rg_store_db(store, 0);
    struct rg_db *b = rg_store_db(store, 1);
    uint64_t memory = rg_store_memory(store);
    char name[24];
    char before[41];
    char after[41];
    for (uint64_t i = 0; i < 50; i++) {
        fill(a, i, i % 2 ? (int64_t)i : RG_NO_EXPIRY);
        struct rg_bytes key = key_name(name, i);
        RG_CHECK_INT(rg_db_copy(a, key, b, key), 0);
        RG_CHECK_STR(rg_entry_encoding(rg_db_find(b, key)), rg_entry_encoding(rg_db_find(a, key)));
        RG_CHECK_INT(rg_entry_memory(rg_db_find(b, key), 0),
                     rg_entry_memory(rg_db_find(a, key), 0));
    }
    RG_CHECK_INT(rg_db_copy(a, RG_BYTES("none"), b, RG_BYTES("x")), RG_ENOENT);
    rg_store_digest(store, before);
    rg_store_swap_dbs(store, 0, 1);
    rg_store_digest(store, after);
    RG_CHECK_STR(after, before);
    RG_CHECK_INT(rg_db_flush(a), 50);
    RG_CHECK_INT(rg_db_count(b), 50);
    for (uint64_t i = 0; i < 50; i++)
        RG_CHECK(rg_db_delete(b, key_name(name, i)));
    RG_CHECK_INT(rg_store_memory(store), memory);
    rg_store_free(store);
}

RG_TEST(swapped_databases_keep_their_numbers)
{
    struct rg_store *store = rg_store_new(3, 1, &limits);
    struct rg_db *a = rg_store_db(store, 0);
    rg_db_put_string(a, RG_BYTES("k"), RG_BYTES("a"));
    rg_db_put_string(rg_store_db(store, 2), RG_BYTES("k"), RG_BYTES("c"));
    rg_store_swap_dbs(store, 0, 2);
    rg_store_swap_dbs(store, 1, 1);
    RG_CHECK_BYTES(get(a, "k"), "c");
    RG_CHECK_BYTES(get(rg_store_db(store, 2), "k"), "a");
    rg_store_free(store);
}

RG_TEST(memory_returns_to_the_start_after_many_random_changes)
{
    struct rg_store *store = rg_store_new(1, 1, &limits);
    struct rg_db *db = rg_store_db(store, 0);
    struct rg_rand rand;
    char name[24];
    uint64_t memory = rg_store_memory(store);
    rg_rand_init(&rand, 12);
    rg_test_note("seed 12");
    for (unsigned step = 0; step < 40000; step++) {
        uint64_t i = rg_rand_below(&rand, 3000);
        if (rg_rand_below(&rand, 3) == 0)
            rg_db_delete(db, key_name(name, i));
        else
            fill(db, i, rg_rand_below(&rand, 2) ? (int64_t)step : RG_NO_EXPIRY);
    }
    uint64_t count = 0;
    uint64_t sum = 0;
    struct rg_db_iter iter;
    rg_db_iter_init(&iter, db);
    for (struct rg_entry *e = NULL; (e = rg_db_iter_next(&iter)) != NULL; count++)
        sum += rg_entry_memory(e, 0);
    RG_CHECK_INT(count, rg_db_count(db));
    RG_CHECK(rg_store_memory(store) > memory + sum);
    RG_CHECK(rg_store_memory(store) < memory + sum + count * 80 + 4096);
    while (rg_db_count(db) > 0)
        RG_CHECK(rg_db_delete(db, rg_entry_key(rg_db_random(db, &rand))));
    RG_CHECK(rg_db_random(db, &rand) == NULL);
    RG_CHECK_INT(rg_store_memory(store), memory);
    rg_store_free(store);
}

RG_TEST(the_same_seed_and_operations_give_the_same_order)
{
    struct rg_store *stores[2];
    struct rg_rand rands[2];
    for (unsigned s = 0; s < 2; s++) {
        stores[s] = rg_store_new(1, 99, &limits);
        rg_rand_init(&rands[s], 5);
        for (uint64_t i = 0; i < 500; i++)
            fill(rg_store_db(stores[s], 0), i, RG_NO_EXPIRY);
    }
    struct rg_db_iter iters[2];
    for (unsigned s = 0; s < 2; s++)
        rg_db_iter_init(&iters[s], rg_store_db(stores[s], 0));
    for (unsigned i = 0; i < 500; i++) {
        RG_CHECK(rg_bytes_equal(rg_entry_key(rg_db_iter_next(&iters[0])),
                                rg_entry_key(rg_db_iter_next(&iters[1]))));
        RG_CHECK(rg_bytes_equal(rg_entry_key(rg_db_random(rg_store_db(stores[0], 0), &rands[0])),
                                rg_entry_key(rg_db_random(rg_store_db(stores[1], 0), &rands[1]))));
    }
    rg_store_free(stores[0]);
    rg_store_free(stores[1]);
}

RG_TEST(the_access_word_is_kept_by_moves_and_has_24_bits)
{
    struct rg_store *store = rg_store_new(1, 1, &limits);
    struct rg_db *db = rg_store_db(store, 0);
    struct rg_entry *entry = rg_db_put_string(db, RG_BYTES("k"), RG_BYTES("v"));
    rg_entry_set_access(entry, 0xffabcdef);
    RG_CHECK_INT(rg_entry_access(entry), 0xabcdef);
    rg_entry_set_expire_ms(db, &entry, 5);
    rg_string_replace(db, &entry, RG_BYTES("a value that is long enough to need another entry"));
    RG_CHECK_INT(rg_entry_access(entry), 0xabcdef);
    RG_CHECK_STR(rg_type_name(rg_entry_type(entry)), "string");
    rg_store_free(store);
}

RG_TEST(a_key_that_is_expected_is_found_by_the_hash_given)
{
    struct rg_store *store = rg_store_new(2, 1, &limits);
    struct rg_db *db = rg_store_db(store, 1);
    char name[24];
    struct rg_bytes key = key_name(name, 7);
    uint64_t hash = rg_store_hash(store, key);
    rg_db_prefetch_bucket(db, hash);
    rg_db_prefetch_entry(db, hash);
    rg_store_expect_key(store, key, hash);
    rg_db_put_string(db, key, RG_BYTES("seven"));
    rg_db_prefetch_bucket(db, hash);
    rg_db_prefetch_entry(db, hash);
    RG_CHECK_BYTES(get(db, "key:7"), "seven");
    /* A wrong hash shows that it is used, and for these bytes only. */
    rg_store_expect_key(store, key, ~hash);
    RG_CHECK(rg_db_find(db, key) == NULL);
    RG_CHECK(rg_db_find(db, RG_BYTES("key:7")) != NULL);
    rg_store_forget_key(store);
    RG_CHECK(rg_db_find(db, key) != NULL);
    RG_CHECK(rg_db_find(db, rg_bytes(name, 0)) == NULL);
    rg_store_free(store);
}
