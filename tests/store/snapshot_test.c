#include <stdio.h>

#include "base/rand.h"
#include "store/list.h"
#include "store/set.h"
#include "store/store.h"
#include "store/zset.h"
#include "tests/harness.h"

/*
 * A snapshot is copied into a second store as it is shown. Whatever happened to the first one
 * meanwhile, the copy must have the digest that the first had at begin, and nothing may be shown
 * twice.
 */
enum { DBS = 3, KEYS = 400 };

struct copy {
    struct rg_store *store;
    uint64_t shown;
};

static const struct rg_store_limits limits = {.hash_max_listpack_entries = 8,
                                              .hash_max_listpack_value = 64,
                                              .list_max_listpack_size = 4,
                                              .set_max_intset_entries = 4,
                                              .zset_max_listpack_entries = 4,
                                              .zset_max_listpack_value = 64};

static struct rg_entry *copy_hash(struct rg_db *db, const struct rg_entry *entry)
{
    struct rg_entry *made = rg_db_put_hash(db, rg_entry_key(entry));
    struct rg_hash_iter iter;
    struct rg_bytes field;
    struct rg_bytes value;

    rg_hash_iter_init(&iter, entry);
    while (rg_hash_iter_next(&iter, &field, &value))
        RG_CHECK(rg_hash_set(db, &made, field, value));
    return made;
}

static struct rg_entry *copy_list(struct rg_db *db, const struct rg_entry *entry)
{
    struct rg_entry *made = rg_db_put_list(db, rg_entry_key(entry));
    struct rg_list_iter iter;
    struct rg_bytes element;

    rg_list_iter_init(&iter, entry, 0, false);
    while (rg_list_iter_next(&iter, &element))
        rg_list_push(db, &made, RG_LIST_TAIL, element);
    return made;
}

static struct rg_entry *copy_set(struct rg_db *db, const struct rg_entry *entry)
{
    struct rg_entry *made = rg_db_put_set(db, rg_entry_key(entry));
    char scratch[RG_STRING_SCRATCH];
    struct rg_set_iter iter;
    struct rg_bytes member;

    rg_set_iter_init(&iter, entry);
    while (rg_set_iter_next(&iter, scratch, &member))
        RG_CHECK(rg_set_add(db, &made, member));
    return made;
}

static struct rg_entry *copy_zset(struct rg_db *db, const struct rg_entry *entry)
{
    struct rg_entry *made = rg_db_put_zset(db, rg_entry_key(entry));
    struct rg_zset_iter iter;
    struct rg_bytes member;
    double score = 0;

    rg_zset_iter_init(&iter, entry, 0, false);
    while (rg_zset_iter_next(&iter, &member, &score))
        RG_CHECK(rg_zset_set(db, &made, member, score));
    return made;
}

static struct rg_entry *copy_value(struct rg_db *db, const struct rg_entry *entry)
{
    char scratch[RG_STRING_SCRATCH];

    switch (rg_entry_type(entry)) {
    case RG_TYPE_HASH:
        return copy_hash(db, entry);
    case RG_TYPE_LIST:
        return copy_list(db, entry);
    case RG_TYPE_SET:
        return copy_set(db, entry);
    case RG_TYPE_ZSET:
        return copy_zset(db, entry);
    default:
        return rg_db_put_string(db, rg_entry_key(entry), rg_string_get(entry, scratch));
    }
}

static void copy_entry(void *arg, unsigned db_index, struct rg_entry *entry)
{
    struct copy *copy = arg;
    struct rg_db *db = rg_store_db(copy->store, db_index);

    copy->shown++;
    RG_CHECK(rg_db_find(db, rg_entry_key(entry)) == NULL);
    struct rg_entry *made = copy_value(db, entry);
    rg_entry_set_expire_ms(db, &made, rg_entry_expire_ms(entry));
}

static struct rg_bytes random_text(struct rg_rand *rand, char out[64], const char *prefix,
                                   uint64_t bound)
{
    int len = snprintf(out, 64, "%s%llu", prefix, (unsigned long long)rg_rand_below(rand, bound));

    return rg_bytes(out, (size_t)len);
}

static void change_string(struct rg_db *db, struct rg_entry *entry, struct rg_rand *rand)
{
    char text[64];

    switch (rg_rand_below(rand, 4)) {
    case 0:
        rg_string_replace(db, &entry, random_text(rand, text, "value", 1000));
        break;
    case 1:
        rg_string_replace_i64(db, &entry, (int64_t)rg_rand_below(rand, 1000));
        break;
    case 2:
        RG_CHECK_INT(rg_string_append(db, &entry, random_text(rand, text, "more", 1000)), 0);
        break;
    default:
        rg_entry_set_expire_ms(db, &entry,
                               rg_rand_below(rand, 2) ? (int64_t)rg_rand_below(rand, 1000) + 1
                                                      : RG_NO_EXPIRY);
        break;
    }
}

static void change_hash(struct rg_db *db, struct rg_entry *entry, struct rg_rand *rand)
{
    char field[64];
    char value[64];

    if (rg_rand_below(rand, 3) > 0 || rg_hash_len(entry) < 2)
        (void)rg_hash_set(db, &entry, random_text(rand, field, "field", 20),
                          random_text(rand, value, "v", 100));
    else
        (void)rg_hash_delete(db, &entry, random_text(rand, field, "field", 20));
}

static void change_list(struct rg_db *db, struct rg_entry *entry, struct rg_rand *rand)
{
    char text[64];
    struct rg_bytes element = random_text(rand, text, "e", 10);
    uint64_t len = rg_list_len(entry);
    uint64_t index = rg_rand_below(rand, len);

    switch (rg_rand_below(rand, 6)) {
    case 0:
        RG_CHECK(rg_list_set(db, &entry, (int64_t)index, element));
        break;
    case 1:
        rg_list_insert(db, &entry, index, element);
        break;
    case 2:
        if (len > 1)
            rg_list_delete(db, &entry, index,
                           index == 0 ? 1 : rg_rand_below(rand, len - index) + 1);
        break;
    case 3:
        rg_list_push(db, &entry, RG_LIST_TAIL, RG_BYTES("stays"));
        (void)rg_list_delete_equal(db, &entry, element, RG_LIST_HEAD, 2);
        break;
    default:
        rg_list_push(db, &entry, rg_rand_below(rand, 2) ? RG_LIST_HEAD : RG_LIST_TAIL, element);
        break;
    }
}

static void change_set(struct rg_db *db, struct rg_entry *entry, struct rg_rand *rand)
{
    char text[64];
    struct rg_bytes member = random_text(rand, text, rg_rand_below(rand, 9) ? "" : "m", 30);

    if (rg_rand_below(rand, 20) == 0) {
        struct rg_entry *draft = rg_set_draft(db, rg_entry_key(entry));
        (void)rg_set_add(db, &draft, member);
        if (rg_rand_below(rand, 2)) {
            rg_set_exchange(db, &entry, draft);
            rg_set_draft_free(db, draft);
        } else {
            rg_set_draft_put(db, draft);
        }
    } else if (rg_rand_below(rand, 3) > 0 || rg_set_len(entry) < 2) {
        (void)rg_set_add(db, &entry, member);
    } else {
        (void)rg_set_remove(db, &entry, member);
    }
}

static void change_zset(struct rg_db *db, struct rg_entry *entry, struct rg_rand *rand)
{
    char text[64];
    struct rg_bytes member = random_text(rand, text, "m", 30);
    uint64_t len = rg_zset_len(entry);

    if (rg_rand_below(rand, 3) > 0 || len < 2)
        (void)rg_zset_set(db, &entry, member, (double)rg_rand_below(rand, 10));
    else if (rg_rand_below(rand, 3) > 0)
        (void)rg_zset_remove(db, &entry, member);
    else
        rg_zset_remove_ranks(db, &entry, 1, rg_rand_below(rand, len - 1) + 1);
}

/* A key that is free gets a collection of some type. */
static void put_collection(struct rg_db *db, struct rg_bytes key, struct rg_rand *rand)
{
    struct rg_entry *entry = NULL;

    switch (rg_rand_below(rand, 4)) {
    case 0:
        entry = rg_db_put_hash(db, key);
        (void)rg_hash_set(db, &entry, RG_BYTES("field0"), RG_BYTES("0"));
        break;
    case 1:
        entry = rg_db_put_list(db, key);
        rg_list_push(db, &entry, RG_LIST_TAIL, RG_BYTES("e"));
        break;
    case 2:
        entry = rg_db_put_set(db, key);
        (void)rg_set_add(db, &entry, RG_BYTES("0"));
        break;
    default:
        entry = rg_db_put_zset(db, key);
        (void)rg_zset_set(db, &entry, RG_BYTES("m"), 0);
        break;
    }
}

static void change_value(struct rg_db *db, struct rg_entry *entry, struct rg_rand *rand)
{
    switch (rg_entry_type(entry)) {
    case RG_TYPE_HASH:
        change_hash(db, entry, rand);
        break;
    case RG_TYPE_LIST:
        change_list(db, entry, rand);
        break;
    case RG_TYPE_SET:
        change_set(db, entry, rand);
        break;
    case RG_TYPE_ZSET:
        change_zset(db, entry, rand);
        break;
    default:
        change_string(db, entry, rand);
        break;
    }
}

static void change(struct rg_store *store, struct rg_rand *rand)
{
    struct rg_db *db = rg_store_db(store, (unsigned)rg_rand_below(rand, DBS));
    struct rg_db *other = rg_store_db(store, (unsigned)rg_rand_below(rand, DBS));
    char key_text[64];
    char text[64];
    struct rg_bytes key = random_text(rand, key_text, "key", KEYS);
    struct rg_entry *entry = rg_db_find(db, key);
    uint64_t what = rg_rand_below(rand, 1000);

    if (what < 150) {
        (void)rg_db_put_string(db, key, random_text(rand, text, "new", 1000));
    } else if (what < 350) {
        (void)rg_db_delete(db, key);
        put_collection(db, key, rand);
    } else if (what < 480) {
        (void)rg_db_delete(db, key);
    } else if (what < 600) {
        if (rg_db_move(db, key, other, random_text(rand, text, "key", KEYS)) < 0)
            return;
    } else if (what < 650) {
        if (rg_db_copy(db, key, other, random_text(rand, text, "key", KEYS)) < 0)
            return;
    } else if (what < 653) {
        (void)rg_db_flush(db);
    } else if (what < 660) {
        rg_store_swap_dbs(store, (unsigned)rg_rand_below(rand, DBS),
                          (unsigned)rg_rand_below(rand, DBS));
    } else if (entry != NULL) {
        change_value(db, entry, rand);
    }
}

static void one_snapshot(struct rg_store *store, struct rg_rand *rand)
{
    struct copy copy = {.store = rg_store_new(DBS, 99, &limits)};
    uint64_t count = rg_store_count(store);
    char before[41];
    char shown[41];

    rg_store_digest(store, before);
    RG_CHECK_INT(rg_store_snapshot_begin(store, copy_entry, &copy), 0);
    RG_CHECK_INT(rg_store_snapshot_begin(store, copy_entry, &copy), RG_EEXIST);
    uint64_t pace = 1 + rg_rand_below(rand, 40);
    do {
        for (uint64_t i = rg_rand_below(rand, 30); i > 0; i--)
            change(store, rand);
    } while (!rg_store_snapshot_step(store, pace));
    rg_store_digest(copy.store, shown);
    RG_CHECK_INT(copy.shown, count);
    RG_CHECK_STR(shown, before);
    rg_store_free(copy.store);
}

RG_TEST(a_snapshot_shows_what_was_there_at_its_begin_once)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct rg_store *store = rg_store_new(DBS, seed, &limits);
        struct rg_rand rand;

        rg_test_note("seed %llu", (unsigned long long)seed);
        rg_rand_init(&rand, seed);
        for (int i = 0; i < 600; i++)
            change(store, &rand);
        for (int i = 0; i < 5; i++)
            one_snapshot(store, &rand);
        rg_store_free(store);
    }
}

RG_TEST(one_that_is_cancelled_shows_nothing_more_and_the_next_one_all)
{
    struct rg_store *store = rg_store_new(DBS, 1, &limits);
    struct copy dropped = {.store = rg_store_new(DBS, 99, &limits)};
    struct rg_rand rand;

    rg_rand_init(&rand, 5);
    for (int i = 0; i < 600; i++)
        change(store, &rand);
    RG_CHECK_INT(rg_store_snapshot_begin(store, copy_entry, &dropped), 0);
    (void)rg_store_snapshot_step(store, 10);
    uint64_t shown = dropped.shown;
    rg_store_snapshot_cancel(store);
    for (int i = 0; i < 100; i++)
        change(store, &rand);
    RG_CHECK_INT(dropped.shown, shown);
    one_snapshot(store, &rand);
    rg_store_free(dropped.store);
    rg_store_free(store);
}
