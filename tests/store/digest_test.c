#include <stdio.h>

#include "store/list.h"
#include "store/set.h"
#include "store/store.h"
#include "store/zset.h"
#include "tests/harness.h"

static const struct rg_store_limits packed_limits = {.hash_max_listpack_entries = 128,
                                                     .hash_max_listpack_value = 64,
                                                     .list_max_listpack_size = -2,
                                                     .set_max_intset_entries = 512,
                                                     .zset_max_listpack_entries = 128,
                                                     .zset_max_listpack_value = 64};
static const struct rg_store_limits table_limits = {.list_max_listpack_size = 2};

enum { KEYS = 300 };

static struct rg_bytes key_name(char name[16], unsigned i)
{
    return rg_bytes(name, (size_t)snprintf(name, 16, "k%u", i));
}

/* A list, a set or a sorted set of numbers; the detours lead to the same one. */
static struct rg_entry *collection(struct rg_db *db, struct rg_bytes key, unsigned type,
                                   bool detours)
{
    enum { MEMBERS = 10 };
    char digits[16];
    struct rg_entry *entry = type == 0   ? rg_db_put_list(db, key)
                             : type == 1 ? rg_db_put_set(db, key)
                                         : rg_db_put_zset(db, key);
    for (unsigned n = 0; n < MEMBERS; n++) {
        unsigned i = detours ? MEMBERS - 1 - n : n;
        struct rg_bytes text = rg_bytes(digits, (size_t)snprintf(digits, sizeof(digits), "%u", i));
        if (type == 0) {
            rg_list_push(db, &entry, detours ? RG_LIST_HEAD : RG_LIST_TAIL, text);
        } else if (type == 1) {
            rg_set_add(db, &entry, text);
        } else {
            rg_zset_set(db, &entry, text, detours ? 77 : i / 2.0);
            rg_zset_set(db, &entry, text, i == 0 && detours ? -0.0 : i / 2.0);
        }
    }
    return entry;
}

/* The same keys and values by another way: other order, detours, encodings. */
static void fill(struct rg_store *store, bool detours)
{
    char name[16];
    char field[16];
    for (unsigned n = 0; n < KEYS; n++) {
        unsigned i = detours ? KEYS - 1 - n : n;
        struct rg_db *db = rg_store_db(store, i % 2);
        struct rg_bytes key = key_name(name, i);
        struct rg_entry *entry = NULL;
        if (i % 5 == 0) {
            entry = collection(db, key, i / 5 % 3, detours);
        } else if (i % 3 == 0) {
            entry = rg_db_put_hash(db, key);
            for (unsigned f = 0; f < 10; f++)
                rg_hash_set(db, &entry, key_name(field, detours ? 9 - f : f), RG_BYTES("v"));
        } else if (detours) {
            entry = rg_db_put_string(db, key, RG_BYTES("12"));
            RG_CHECK_INT(rg_string_append(db, &entry, RG_BYTES("34")), 0);
            rg_entry_set_expire_ms(db, &entry, 5);
        } else {
            entry = rg_db_put_string(db, key, RG_BYTES("1234"));
        }
        rg_entry_set_expire_ms(db, &entry, i % 4 == 0 ? (int64_t)i : RG_NO_EXPIRY);
    }
    for (unsigned i = KEYS; detours && i < KEYS * 10; i++)
        rg_db_put_string(rg_store_db(store, 0), key_name(name, i), RG_BYTES("gone"));
    for (unsigned i = KEYS; detours && i < KEYS * 10; i++)
        rg_db_delete(rg_store_db(store, 0), key_name(name, i));
}

RG_TEST(equal_keyspaces_have_one_digest_whatever_their_history)
{
    char a[41];
    char b[41];
    struct rg_store *straight = rg_store_new(2, 1, &packed_limits);
    struct rg_store *around = rg_store_new(4, 2, &table_limits);
    rg_store_digest(straight, a);
    RG_CHECK_STR(a, "0000000000000000000000000000000000000000");
    fill(straight, false);
    fill(around, true);
    rg_store_digest(straight, a);
    rg_store_digest(around, b);
    RG_CHECK_INT(strlen(a), 40);
    RG_CHECK_STR(b, a);
    rg_store_free(straight);
    rg_store_free(around);
}

/* One difference from what fill makes; false where there are no more. */
static bool differ(struct rg_store *store, unsigned which)
{
    struct rg_db *db = rg_store_db(store, 1);
    struct rg_entry *string = rg_db_find_for_write(db, RG_BYTES("k1"));
    struct rg_entry *hash = rg_db_find_for_write(db, RG_BYTES("k3"));
    switch (which) {
    case 0:
        rg_string_replace(db, &string, RG_BYTES("1235"));
        return true;
    case 1:
        rg_entry_set_expire_ms(db, &string, 1);
        return true;
    case 2:
        return rg_db_delete(db, RG_BYTES("k1"));
    case 3:
        return rg_db_move(db, RG_BYTES("k1"), rg_store_db(store, 0), RG_BYTES("k1")) == 0;
    case 4:
        return rg_db_move(db, RG_BYTES("k1"), db, RG_BYTES("K1")) == 0;
    case 5:
        return rg_hash_delete(db, &hash, RG_BYTES("k5"));
    case 6:
        rg_hash_set(db, &hash, RG_BYTES("k5"), RG_BYTES("w"));
        return true;
    case 7:
        return rg_hash_set(db, &hash, RG_BYTES("k5v"), RG_BYTES(""));
    case 8:
        rg_db_put_hash(db, RG_BYTES("k1"));
        return true;
    case 9:
        rg_store_swap_dbs(store, 0, 1);
        return true;
    case 10:
        return rg_db_copy(db, RG_BYTES("k1"), db, RG_BYTES("another")) == 0;
    case 11:
        rg_hash_set(db, &hash, RG_BYTES("k5"), RG_BYTES("w"));
        hash = rg_db_find_for_write(rg_store_db(store, 0), RG_BYTES("k6"));
        rg_hash_set(rg_store_db(store, 0), &hash, RG_BYTES("k5"), RG_BYTES("w"));
        return true;
    default:
        return false;
    }
}

RG_TEST(any_single_difference_changes_the_digest)
{
    char digests[16][41];
    unsigned count = 0;
    for (bool more = true; more; count++) {
        struct rg_store *store = rg_store_new(2, 1, &packed_limits);
        fill(store, false);
        more = differ(store, count);
        rg_store_digest(store, digests[count]);
        rg_store_free(store);
        for (unsigned i = 0; i < count; i++)
            RG_CHECK(memcmp(digests[i], digests[count], 40) != 0);
    }
    RG_CHECK_INT(count, 13);
}

static void check_digests(struct rg_entry *one, struct rg_entry *other, bool equal)
{
    char a[41];
    char b[41];
    rg_entry_digest(one, a);
    rg_entry_digest(other, b);
    RG_CHECK_INT(strcmp(a, b) == 0, equal);
}

RG_TEST(a_value_has_a_digest_of_its_own)
{
    struct rg_store *store = rg_store_new(1, 1, &packed_limits);
    struct rg_db *db = rg_store_db(store, 0);
    for (unsigned type = 0; type < 3; type++) {
        struct rg_entry *one = collection(db, RG_BYTES("a"), type, false);
        struct rg_entry *other = collection(db, RG_BYTES("b"), type, true);
        check_digests(one, other, true);
        check_digests(one, collection(db, RG_BYTES("c"), (type + 1) % 3, false), false);
        rg_db_flush(db);
    }
    /* The order of a list counts, the score of a member, and which element is whose. */
    struct rg_entry *list = rg_db_put_list(db, RG_BYTES("list"));
    struct rg_entry *turned = rg_db_put_list(db, RG_BYTES("turned"));
    rg_list_push(db, &list, RG_LIST_TAIL, RG_BYTES("x"));
    rg_list_push(db, &list, RG_LIST_TAIL, RG_BYTES("y"));
    rg_list_push(db, &turned, RG_LIST_HEAD, RG_BYTES("x"));
    rg_list_push(db, &turned, RG_LIST_HEAD, RG_BYTES("y"));
    check_digests(list, turned, false);
    struct rg_entry *zset = rg_db_put_zset(db, RG_BYTES("zset"));
    struct rg_entry *moved = rg_db_put_zset(db, RG_BYTES("moved"));
    rg_zset_set(db, &zset, RG_BYTES("m"), 1);
    rg_zset_set(db, &moved, RG_BYTES("m"), 2);
    check_digests(zset, moved, false);
    rg_store_free(store);
}
