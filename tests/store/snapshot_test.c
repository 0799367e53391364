#include <stdio.h>

#include "base/alloc.h"
#include "base/rand.h"
#include "store/list.h"
#include "store/set.h"
#include "store/store.h"
#include "store/zset.h"
#include "tests/harness.h"

/*
 * A snapshot is copied into a second store as it is shown, whole or in pieces. Whatever happened to
 * the first one meanwhile, the copy must have the digest that the first had at begin, and nothing
 * may be shown twice.
 */
enum { DBS = 3, KEYS = 400, MEMBERS = 150 };

struct copy {
    struct rg_store *store;
    uint64_t shown;
    uint64_t in_pieces;
    uint64_t between; /* pieces that came while another value's were not over */
    uint64_t open;
    struct part *parts; /* all there were */
};

/* A value that comes in pieces. */
struct part {
    struct rg_db *db;
    struct rg_entry *made;
    uint64_t left;
    struct part *next;
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

static void copy_entry(void *arg, unsigned db_index, const struct rg_entry *entry)
{
    struct copy *copy = arg;
    struct rg_db *db = rg_store_db(copy->store, db_index);

    copy->shown++;
    RG_CHECK(rg_db_find(db, rg_entry_key(entry)) == NULL);
    struct rg_entry *made = copy_value(db, entry);
    rg_entry_set_expire_ms(db, &made, rg_entry_expire_ms(entry));
}

static void *part_begin(void *arg, unsigned db_index, const struct rg_entry *entry, uint64_t pieces)
{
    struct copy *copy = arg;
    struct part *part = RG_NEW(struct part);

    part->db = rg_store_db(copy->store, db_index);
    part->left = pieces;
    part->next = copy->parts;
    copy->parts = part;
    copy->in_pieces++;
    copy->between += copy->open++ > 0;
    RG_CHECK(rg_db_find(part->db, rg_entry_key(entry)) == NULL);
    RG_CHECK(pieces > 0);
    switch (rg_entry_type(entry)) {
    case RG_TYPE_HASH:
        part->made = rg_db_put_hash(part->db, rg_entry_key(entry));
        break;
    case RG_TYPE_LIST:
        part->made = rg_db_put_list(part->db, rg_entry_key(entry));
        break;
    case RG_TYPE_SET:
        part->made = rg_db_put_set(part->db, rg_entry_key(entry));
        break;
    default:
        part->made = rg_db_put_zset(part->db, rg_entry_key(entry));
        break;
    }
    rg_entry_set_expire_ms(part->db, &part->made, rg_entry_expire_ms(entry));
    return part;
}

static void part_piece(void *arg, void *part_arg, const struct rg_snapshot_piece *piece)
{
    struct part *part = part_arg;

    (void)arg;
    RG_CHECK(part->left-- > 0);
    switch (rg_entry_type(part->made)) {
    case RG_TYPE_HASH:
        RG_CHECK(rg_hash_set(part->db, &part->made, piece->element, piece->value));
        break;
    case RG_TYPE_LIST:
        rg_list_append_run(part->db, &part->made, piece->element, piece->count);
        break;
    case RG_TYPE_SET:
        RG_CHECK(rg_set_add(part->db, &part->made, piece->element));
        break;
    default:
        RG_CHECK(rg_zset_set(part->db, &part->made, piece->element, piece->score));
        break;
    }
}

static void part_end(void *arg, void *part_arg)
{
    struct copy *copy = arg;
    struct part *part = part_arg;

    RG_CHECK_INT(part->left, 0);
    copy->shown++;
    copy->open--;
}

static void copy_fini(struct copy *copy)
{
    while (copy->parts != NULL) {
        struct part *part = copy->parts;
        copy->parts = part->next;
        rg_free(part);
    }
    rg_store_free(copy->store);
}

static const struct rg_snapshot_visitor whole = {
    .whole_bytes = UINT64_MAX, .entry = copy_entry, .begin = part_begin};
static const struct rg_snapshot_visitor pieces = {.whole_bytes = 200,
                                                  .entry = copy_entry,
                                                  .begin = part_begin,
                                                  .piece = part_piece,
                                                  .end = part_end};

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
        (void)rg_hash_set(db, &entry, random_text(rand, field, "field", MEMBERS),
                          random_text(rand, value, "v", 100));
    else
        (void)rg_hash_delete(db, &entry, random_text(rand, field, "field", MEMBERS));
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
    struct rg_bytes member = random_text(rand, text, rg_rand_below(rand, 9) ? "" : "m", MEMBERS);

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
    struct rg_bytes member = random_text(rand, text, "m", MEMBERS);
    uint64_t len = rg_zset_len(entry);

    if (rg_rand_below(rand, 3) > 0 || len < 2)
        (void)rg_zset_set(db, &entry, member, (double)rg_rand_below(rand, 10));
    else if (rg_rand_below(rand, 3) > 0)
        (void)rg_zset_remove(db, &entry, member);
    else
        rg_zset_remove_ranks(db, &entry, 1, rg_rand_below(rand, len - 1) + 1);
}

static void change_value(struct rg_db *db, struct rg_entry *entry, struct rg_rand *rand);

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
    /* Some are large from the start. */
    if (rg_rand_below(rand, 4) > 0)
        return;
    for (uint64_t left = rg_rand_below(rand, 200); left > 0; left--) {
        change_value(db, entry, rand);
        entry = rg_db_find(db, key);
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

/* Returns how many values came in pieces while others did. */
static uint64_t one_snapshot(struct rg_store *store, struct rg_rand *rand,
                             const struct rg_snapshot_visitor *visitor)
{
    struct copy copy = {.store = rg_store_new(DBS, 99, &limits)};
    uint64_t count = rg_store_count(store);
    char before[41];
    char shown[41];

    rg_store_digest(store, before);
    RG_CHECK_INT(rg_store_snapshot_begin(store, visitor, &copy), 0);
    RG_CHECK_INT(rg_store_snapshot_begin(store, visitor, &copy), RG_EEXIST);
    uint64_t pace = 1 + rg_rand_below(rand, 40);
    do {
        for (uint64_t i = rg_rand_below(rand, 30); i > 0; i--)
            change(store, rand);
        if (rg_rand_below(rand, 8) == 0)
            (void)rg_store_free_step(store, rg_rand_below(rand, 100));
    } while (!rg_store_snapshot_step(store, pace));
    rg_store_digest(copy.store, shown);
    RG_CHECK_INT(copy.shown, count);
    RG_CHECK_INT(copy.open, 0);
    RG_CHECK_STR(shown, before);
    copy_fini(&copy);
    return copy.between;
}

RG_TEST(a_snapshot_shows_what_was_there_at_its_begin_once)
{
    uint64_t between = 0;

    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct rg_store *store = rg_store_new(DBS, seed, &limits);
        struct rg_rand rand;

        rg_test_note("seed %llu", (unsigned long long)seed);
        rg_rand_init(&rand, seed);
        for (int i = 0; i < 600; i++)
            change(store, &rand);
        for (int i = 0; i < 5; i++) {
            one_snapshot(store, &rand, &whole);
            between += one_snapshot(store, &rand, &pieces);
        }
        rg_store_free(store);
    }
    RG_CHECK(between > 1000);
}

RG_TEST(one_that_is_cancelled_shows_nothing_more_and_the_next_one_all)
{
    struct rg_store *store = rg_store_new(DBS, 1, &limits);
    struct copy dropped = {.store = rg_store_new(DBS, 99, &limits)};
    struct rg_rand rand;

    rg_rand_init(&rand, 5);
    for (int i = 0; i < 600; i++)
        change(store, &rand);
    RG_CHECK_INT(rg_store_snapshot_begin(store, &pieces, &dropped), 0);
    while (dropped.shown < 10 || dropped.open == 0)
        RG_CHECK(!rg_store_snapshot_step(store, 3));
    uint64_t shown = dropped.shown;
    rg_store_snapshot_cancel(store);
    for (int i = 0; i < 100; i++)
        change(store, &rand);
    RG_CHECK_INT(dropped.shown, shown);
    one_snapshot(store, &rand, &pieces);
    copy_fini(&dropped);
    rg_store_free(store);
}

/* ---- One large value ---- */

/* With grow of 100, where it mostly grows; towards 0 it mostly shrinks. */
static void change_large(struct rg_db *db, enum rg_type type, uint64_t bound, uint64_t grow,
                         struct rg_rand *rand)
{
    struct rg_entry *entry = rg_db_find_for_write(db, RG_BYTES("large"));
    char text[64];
    struct rg_bytes member = random_text(rand, text, "m", bound);
    bool adds = rg_rand_below(rand, 100) < grow;
    uint64_t len = 0;

    switch (type) {
    case RG_TYPE_HASH:
        if (adds || rg_hash_len(entry) < 2)
            (void)rg_hash_set(db, &entry, member, RG_BYTES("changed"));
        else
            (void)rg_hash_delete(db, &entry, member);
        return;
    case RG_TYPE_SET:
        if (adds || rg_set_len(entry) < 2)
            (void)rg_set_add(db, &entry, member);
        else
            (void)rg_set_remove(db, &entry, member);
        return;
    case RG_TYPE_ZSET:
        len = rg_zset_len(entry);
        if (adds || len < 2)
            (void)rg_zset_set(db, &entry, member, (double)rg_rand_below(rand, bound));
        else if (rg_rand_below(rand, 20) > 0)
            (void)rg_zset_remove(db, &entry, member);
        else
            rg_zset_remove_ranks(db, &entry, len / 2, rg_rand_below(rand, len / 2) / 4 + 1);
        return;
    default:
        len = rg_list_len(entry);
        if (!adds && len > 10)
            rg_list_delete(db, &entry, rg_rand_below(rand, len - 4), rg_rand_below(rand, 4) + 1);
        else
            change_list(db, entry, rand);
        return;
    }
}

static struct rg_entry *large_put(struct rg_db *db, enum rg_type type)
{
    struct rg_entry *entry = NULL;

    switch (type) {
    case RG_TYPE_HASH:
        entry = rg_db_put_hash(db, RG_BYTES("large"));
        (void)rg_hash_set(db, &entry, RG_BYTES("m0"), RG_BYTES("0"));
        break;
    case RG_TYPE_SET:
        entry = rg_db_put_set(db, RG_BYTES("large"));
        (void)rg_set_add(db, &entry, RG_BYTES("m0"));
        break;
    case RG_TYPE_ZSET:
        entry = rg_db_put_zset(db, RG_BYTES("large"));
        (void)rg_zset_set(db, &entry, RG_BYTES("m0"), 0);
        break;
    default:
        entry = rg_db_put_list(db, RG_BYTES("large"));
        rg_list_push(db, &entry, RG_LIST_TAIL, RG_BYTES("e"));
        break;
    }
    return entry;
}

/* Returns the steps that it took. */
static uint64_t large_snapshot(enum rg_type type, uint64_t seed)
{
    struct rg_store *store = rg_store_new(DBS, seed, &limits);
    struct copy copy = {.store = rg_store_new(DBS, 99, &limits)};
    struct rg_db *db = rg_store_db(store, 0);
    struct rg_rand rand;
    char before[41];
    char shown[41];

    rg_rand_init(&rand, seed);
    uint64_t bound = rg_rand_below(&rand, 1500) + 50;
    (void)large_put(db, type);
    for (uint64_t i = 0; i < bound; i++)
        change_large(db, type, bound, 95, &rand);
    rg_store_digest(store, before);
    RG_CHECK_INT(rg_store_snapshot_begin(store, &pieces, &copy), 0);
    uint64_t pace = 1 + rg_rand_below(&rand, 30);
    uint64_t changes = rg_rand_below(&rand, 100);
    uint64_t grow = rg_rand_below(&rand, 100);
    uint64_t steps = 0;
    for (; !rg_store_snapshot_step(store, pace); steps++) {
        for (uint64_t i = rg_rand_below(&rand, changes + 1); i > 0; i--)
            change_large(db, type, bound, grow, &rand);
        if (rg_rand_below(&rand, 10) == 0)
            grow = rg_rand_below(&rand, 100);
    }
    rg_store_digest(copy.store, shown);
    RG_CHECK_STR(shown, before);
    copy_fini(&copy);
    rg_store_free(store);
    return steps;
}

RG_TEST(a_large_value_is_shown_as_it_was_while_it_grows_and_shrinks)
{
    static const enum rg_type types[] = {RG_TYPE_HASH, RG_TYPE_LIST, RG_TYPE_SET, RG_TYPE_ZSET};

    uint64_t steps = 0;

    for (uint64_t seed = 1; seed <= 160; seed++) {
        rg_test_note("seed %llu", (unsigned long long)seed);
        steps += large_snapshot(types[seed % 4], seed);
    }
    RG_CHECK(steps > 1000);
}

/* What a snapshot keeps of a value that changes is no memory of the store, and goes with it. */
RG_TEST(what_is_kept_of_a_list_does_not_count)
{
    struct rg_store *store = rg_store_new(DBS, 1, &limits);
    struct copy copy = {.store = rg_store_new(DBS, 99, &limits)};
    struct rg_db *db = rg_store_db(store, 0);

    struct rg_entry *entry = large_put(db, RG_TYPE_LIST);
    for (int i = 0; i < 1000; i++)
        rg_list_push(db, &entry, RG_LIST_TAIL, RG_BYTES("element"));
    RG_CHECK_INT(rg_store_snapshot_begin(store, &pieces, &copy), 0);
    RG_CHECK(!rg_store_snapshot_step(store, 10));
    uint64_t memory = rg_store_memory(store);
    for (int i = 100; i < 900; i += 20)
        RG_CHECK(rg_list_set(db, &entry, i, RG_BYTES("changed")));
    RG_CHECK_INT(rg_store_memory(store), memory);
    RG_CHECK(rg_db_delete(db, RG_BYTES("large")));
    RG_CHECK(rg_store_memory(store) < memory / 2);
    while (!rg_store_snapshot_step(store, 10))
        continue;
    RG_CHECK(rg_store_has_doomed(store));
    while (rg_store_free_step(store, 100))
        continue;
    copy_fini(&copy);
    rg_store_free(store);
}
