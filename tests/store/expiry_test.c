#include "store/store.h"

#include <stdio.h>

#include "tests/harness.h"

static const struct rg_store_limits limits = {.hash_max_listpack_entries = 128,
                                              .hash_max_listpack_value = 64};
enum { KEYS = 500 };

static struct rg_bytes key_name(char name[16], unsigned i)
{
    return rg_bytes(name, (size_t)snprintf(name, 16, "key:%u", i));
}

static int64_t model_next(const int64_t *model)
{
    int64_t least = RG_NO_EXPIRY;
    for (unsigned i = 0; i < KEYS; i++) {
        if (model[i] >= 0 && (least < 0 || model[i] < least))
            least = model[i];
    }
    return least;
}

static void random_step(struct rg_db *db, struct rg_rand *rand, int64_t *model)
{
    char name[16];
    unsigned i = (unsigned)rg_rand_below(rand, KEYS);
    struct rg_bytes key = key_name(name, i);
    struct rg_entry *entry = rg_db_find_for_write(db, key);
    if (entry != NULL)
        RG_CHECK_INT(rg_entry_expire_ms(entry), model[i]);
    switch (rg_rand_below(rand, 5)) {
    case 0:
        rg_db_put_string(db, key, RG_BYTES("fresh"));
        model[i] = RG_NO_EXPIRY;
        break;
    case 1:
        rg_db_delete(db, key);
        model[i] = RG_NO_EXPIRY;
        break;
    case 2:
        if (entry != NULL)
            rg_string_replace(db, &entry, RG_BYTES("a longer value that moves the entry"));
        break;
    case 3:
        if (entry != NULL)
            rg_entry_set_expire_ms(db, &entry, model[i] = RG_NO_EXPIRY);
        break;
    default:
        if (entry == NULL)
            entry = rg_db_put_string(db, key, RG_BYTES("12"));
        model[i] = (int64_t)rg_rand_below(rand, 1000);
        rg_entry_set_expire_ms(db, &entry, model[i]);
    }
}

RG_TEST(the_earliest_is_found_whatever_happens_to_the_entries)
{
    struct rg_store *store = rg_store_new(1, 3, &limits);
    struct rg_db *db = rg_store_db(store, 0);
    struct rg_rand rand;
    int64_t model[KEYS];
    rg_rand_init(&rand, 8);
    rg_test_note("seed 8");
    for (unsigned i = 0; i < KEYS; i++)
        model[i] = RG_NO_EXPIRY;
    for (unsigned step = 0; step < 20000; step++) {
        random_step(db, &rand, model);
        RG_CHECK_INT(rg_db_next_expire_ms(db), model_next(model));
    }
    int64_t last = 0;
    struct rg_entry *entry = NULL;
    while ((entry = rg_db_due(db, 600)) != NULL) {
        RG_CHECK(rg_entry_expire_ms(entry) >= last && rg_entry_expire_ms(entry) <= 600);
        last = rg_entry_expire_ms(entry);
        RG_CHECK(rg_db_delete(db, rg_entry_key(entry)));
    }
    RG_CHECK(rg_db_next_expire_ms(db) == RG_NO_EXPIRY || rg_db_next_expire_ms(db) > 600);
    rg_store_free(store);
}

RG_TEST(many_due_entries_come_out_in_order_and_leave_no_memory)
{
    struct rg_store *store = rg_store_new(1, 3, &limits);
    struct rg_db *db = rg_store_db(store, 0);
    uint64_t memory = rg_store_memory(store);
    struct rg_rand rand;
    char name[16];
    rg_rand_init(&rand, 1);
    for (unsigned i = 0; i < 20000; i++) {
        struct rg_entry *entry = rg_db_put_string(db, key_name(name, i), RG_BYTES("v"));
        rg_entry_set_expire_ms(db, &entry, (int64_t)rg_rand_below(&rand, 1 << 20));
    }
    RG_CHECK_INT(rg_db_count_expiring(db), 20000);
    RG_CHECK(rg_db_mean_ttl_ms(db, 0) > 1 << 18);
    int64_t last = 0;
    struct rg_entry *entry = NULL;
    while ((entry = rg_db_due(db, 1 << 20)) != NULL) {
        RG_CHECK(rg_entry_expire_ms(entry) >= last);
        last = rg_entry_expire_ms(entry);
        rg_db_delete(db, rg_entry_key(entry));
    }
    RG_CHECK_INT(rg_db_count(db), 0);
    RG_CHECK_INT(rg_db_mean_ttl_ms(db, 0), 0);
    RG_CHECK_INT(rg_store_memory(store), memory);
    rg_store_free(store);
}
