#ifndef RG_TESTS_HARNESS_H
#define RG_TESTS_HARNESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * RG_TEST(name) { … } registers a case; the program runs all of them, or those whose names contain
 * its first argument, and prints TAP. A failed check ends its case.
 */
struct rg_test_case {
    const char *name;
    void (*run)(void);
    struct rg_test_case *next;
};

void rg_test_register(struct rg_test_case *test);
/* Leaves the running case; format says what failed. */
_Noreturn void rg_test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A line of output that belongs to the case: a seed, a figure. */
void rg_test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define RG_TEST(id)                                                                                \
    static void test_##id(void);                                                                   \
    __attribute__((constructor)) static void register_##id(void)                                   \
    {                                                                                              \
        static struct rg_test_case test = {#id, test_##id, 0};                                     \
        rg_test_register(&test);                                                                   \
    }                                                                                              \
    static void test_##id(void)

#define RG_CHECK(cond)                                                                             \
    do {                                                                                           \
        if (!(cond))                                                                               \
            rg_test_fail(__FILE__, __LINE__, "%s", #cond);                                         \
    } while (0)

#define RG_CHECK_INT(actual, expected)                                                             \
    do {                                                                                           \
        int64_t actual_ = (int64_t)(actual);                                                       \
        int64_t expected_ = (int64_t)(expected);                                                   \
        if (actual_ != expected_)                                                                  \
            rg_test_fail(__FILE__, __LINE__, "%s is %lld, expected %lld", #actual,                 \
                         (long long)actual_, (long long)expected_);                                \
    } while (0)

/* Compares bytes with a C string. */
#define RG_CHECK_BYTES(actual, expected)                                                           \
    do {                                                                                           \
        struct rg_bytes actual_ = (actual);                                                        \
        struct rg_bytes expected_ = rg_bytes_str(expected);                                        \
        if (!rg_bytes_equal(actual_, expected_))                                                   \
            rg_test_fail(__FILE__, __LINE__, "%s is \"%.*s\", expected \"%.*s\"", #actual,         \
                         (int)actual_.len, actual_.data, (int)expected_.len, expected_.data);      \
    } while (0)

#define RG_CHECK_STR(actual, expected) RG_CHECK_BYTES(rg_bytes_str(actual), expected)

#endif
