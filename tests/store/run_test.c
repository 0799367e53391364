#include <stdio.h>

#include "base/buf.h"
#include "base/element.h"
#include "store/list.h"
#include "store/set.h"
#include "store/zset.h"
#include "tests/harness.h"

/* Values that come as runs are the same as those that were made element by element. */

static const struct rg_store_limits limits = {.hash_max_listpack_entries = 20,
                                              .hash_max_listpack_value = 64,
                                              .list_max_listpack_size = -2,
                                              .set_max_intset_entries = 16,
                                              .zset_max_listpack_entries = 20,
                                              .zset_max_listpack_value = 64};

static const struct rg_bytes whole = {"whole", 5};
static const struct rg_bytes single = {"single", 6};

static void run_add(struct rg_buf *run, struct rg_bytes text)
{
    struct rg_element element;
    char code[600];
    rg_element_of_text(&element, text);
    size_t size = rg_element_size(&element);
    RG_CHECK(size + 8 < sizeof(code));
    char *end = rg_element_back_write(rg_element_write(code, &element), size);
    rg_buf_append(run, code, (size_t)(end - code));
}

/* Texts of all kinds: integers, what looks like one, short and long ones; all different. */
static struct rg_bytes text_of(char text[600], unsigned i, size_t longest)
{
    static const char *const before[] = {"t", "", "0", "-", "+", "", "x"};
    static const char *const after[] = {"", "", "", "", "", "000000", ".5"};
    size_t len = (size_t)snprintf(text, 600, "%s%u%s", before[i % 7], i + 1, after[i % 7]);
    while (i % 7 == 0 && len < longest)
        text[len++] = 'x';
    return rg_bytes(text, len);
}

static void check_same(struct rg_entry *a, struct rg_entry *b)
{
    char digest_a[41];
    char digest_b[41];
    rg_entry_digest(a, digest_a);
    rg_entry_digest(b, digest_b);
    RG_CHECK_STR(digest_a, digest_b);
    RG_CHECK_STR(rg_entry_encoding(a), rg_entry_encoding(b));
}

static void check_hash(unsigned pairs, size_t longest)
{
    struct rg_store *store = rg_store_new(1, 7, &limits);
    struct rg_db *db = rg_store_db(store, 0);
    struct rg_entry *a = NULL;
    struct rg_entry *b = rg_db_put_hash(db, single);
    struct rg_buf run = {0};
    char text[600];
    for (unsigned i = 0; i < pairs; i++) {
        char other[600];
        struct rg_bytes field = text_of(text, i, longest);
        struct rg_bytes value = text_of(other, i * 3, 10);
        run_add(&run, field);
        run_add(&run, value);
        rg_hash_set(db, &b, field, value);
    }
    RG_CHECK_INT(rg_db_put_hash_run(db, whole, rg_buf_view(&run), pairs, &a), 0);
    check_same(a, b);
    /* A field that comes twice, the last one. */
    run_add(&run, text_of(text, pairs / 2, longest));
    run_add(&run, RG_BYTES(""));
    rg_db_delete(db, whole);
    RG_CHECK_INT(rg_db_put_hash_run(db, whole, rg_buf_view(&run), pairs + 1, &a), RG_EEXIST);
    RG_CHECK(rg_db_find(db, whole) == NULL);
    rg_buf_fini(&run);
    rg_store_free(store);
}

RG_TEST(hashes)
{
    for (unsigned pairs = 1; pairs < 60; pairs++) {
        check_hash(pairs, 10);
        check_hash(pairs, 64);
        check_hash(pairs, 65);
        check_hash(pairs, 500);
    }
}

/* order: 0: as they lie in a sorted set, 1: from the last to the first. */
static void check_zset(unsigned pairs, size_t longest, int order, double unit)
{
    struct rg_store *store = rg_store_new(1, 7, &limits);
    struct rg_db *db = rg_store_db(store, 0);
    struct rg_entry *a = NULL;
    struct rg_entry *b = rg_db_put_zset(db, single);
    struct rg_buf run = {0};
    char text[600];
    char score_text[RG_DOUBLE_CHARS];
    for (unsigned k = 0; k < pairs; k++) {
        unsigned i = order == 0 ? k : pairs - 1 - k;
        double score = ((double)i - 10) * unit;
        struct rg_bytes member = text_of(text, i, longest);
        run_add(&run, member);
        run_add(&run, rg_bytes(score_text, rg_format_double(score_text, score)));
        rg_zset_set(db, &b, member, score);
    }
    RG_CHECK_INT(rg_db_put_zset_run(db, whole, rg_buf_view(&run), pairs, &a), 0);
    check_same(a, b);
    run_add(&run, text_of(text, pairs / 2, longest));
    run_add(&run, RG_BYTES("inf"));
    rg_db_delete(db, whole);
    RG_CHECK_INT(rg_db_put_zset_run(db, whole, rg_buf_view(&run), pairs + 1, &a), RG_EEXIST);
    RG_CHECK(rg_db_find(db, whole) == NULL);
    rg_buf_fini(&run);
    rg_store_free(store);
}

RG_TEST(sorted_sets)
{
    static const double units[] = {1, 0.1, 1e5, 1e300, 3e15, 0};
    for (unsigned pairs = 1; pairs < 40; pairs++) {
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            check_zset(pairs, 10, 0, units[i]);
            check_zset(pairs, 65, 0, units[i]);
            check_zset(pairs, 10, 1, units[i]);
        }
    }
}

RG_TEST(a_score_that_is_none_is_refused)
{
    static const char *const scores[] = {"nan", "x", "", "1.5x"};
    for (size_t i = 0; i < sizeof(scores) / sizeof(scores[0]); i++) {
        struct rg_store *store = rg_store_new(1, 7, &limits);
        struct rg_db *db = rg_store_db(store, 0);
        struct rg_entry *a = NULL;
        struct rg_buf run = {0};
        run_add(&run, RG_BYTES("m"));
        run_add(&run, rg_bytes_str(scores[i]));
        RG_CHECK_INT(rg_db_put_zset_run(db, whole, rg_buf_view(&run), 1, &a), RG_EINVAL);
        RG_CHECK(rg_db_find(db, whole) == NULL);
        rg_buf_fini(&run);
        rg_store_free(store);
    }
}

static void check_list(unsigned runs, unsigned each, int64_t directive)
{
    struct rg_store_limits own = limits;
    own.list_max_listpack_size = directive;
    struct rg_store *store = rg_store_new(1, 7, &own);
    struct rg_db *db = rg_store_db(store, 0);
    struct rg_entry *a = rg_db_put_list(db, whole);
    struct rg_entry *b = rg_db_put_list(db, single);
    struct rg_buf run = {0};
    for (unsigned i = 0; i < runs; i++) {
        char text[600];
        rg_buf_reset(&run, SIZE_MAX);
        for (unsigned k = 0; k < each; k++) {
            struct rg_bytes element = text_of(text, i * each + k, k % 10 == 0 ? 580 : 10);
            run_add(&run, element);
            rg_list_push(db, &b, RG_LIST_TAIL, element);
        }
        rg_list_append_run(db, &a, rg_buf_view(&run), each);
        rg_list_check(a);
    }
    check_same(a, b);
    for (unsigned i = 0; i < 50; i++) {
        rg_list_push(db, &a, i % 2 == 0 ? RG_LIST_HEAD : RG_LIST_TAIL, RG_BYTES("42"));
        rg_list_push(db, &b, i % 2 == 0 ? RG_LIST_HEAD : RG_LIST_TAIL, RG_BYTES("42"));
    }
    rg_list_check(a);
    check_same(a, b);
    rg_buf_fini(&run);
    rg_store_free(store);
}

RG_TEST(lists)
{
    static const int64_t directives[] = {-2, -1, -5, 1, 7, 128};
    for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
        check_list(1, 10, directives[i]);
        check_list(3, 100, directives[i]);
        check_list(30, 300, directives[i]);
    }
}

RG_TEST(sets_of_integers)
{
    for (unsigned count = 1; count < 100; count++) {
        struct rg_store *store = rg_store_new(1, 7, &limits);
        struct rg_db *db = rg_store_db(store, 0);
        struct rg_entry *a = rg_db_put_set(db, whole);
        struct rg_entry *b = rg_db_put_set(db, single);
        int32_t numbers[100];
        char digits[RG_I64_CHARS];
        for (unsigned i = 0; i < count; i++) {
            numbers[i] = ((int32_t)i - 20) * 70000;
            rg_set_add(db, &b, rg_bytes(digits, rg_format_i64(digits, numbers[i])));
        }
        rg_set_take_ints(db, &a, rg_bytes(numbers, count * sizeof(*numbers)), count);
        check_same(a, b);
        rg_store_free(store);
    }
}
