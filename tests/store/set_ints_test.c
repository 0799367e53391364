#include "store/set_ints.h"

#include "base/rand.h"
#include "tests/harness.h"

RG_TEST(numbers_at_the_borders_of_each_width_come_back_in_order)
{
    static const int64_t numbers[] = {
        INT64_MIN, (int64_t)INT32_MIN - 1, INT32_MIN, INT16_MIN - 1,          INT16_MIN, -1, 0,
        INT16_MAX, INT16_MAX + 1,          INT32_MAX, (int64_t)INT32_MAX + 1, INT64_MAX};
    enum { COUNT = sizeof(numbers) / sizeof(numbers[0]) };
    struct rg_pool *pool = rg_pool_new();
    struct rg_set_ints *ints = rg_set_ints_new(pool);
    for (unsigned i = 0; i < COUNT; i++) {
        uint32_t index = 0;
        int64_t number = numbers[i * 5 % COUNT];
        RG_CHECK(!rg_set_ints_find(ints, number, &index));
        ints = rg_set_ints_insert(pool, ints, index, number);
        RG_CHECK(rg_set_ints_find(ints, number, &index));
    }
    RG_CHECK_INT(ints->count, COUNT);
    for (unsigned i = 0; i < COUNT; i++)
        RG_CHECK_INT(rg_set_ints_at(ints, i), numbers[i]);
    rg_set_ints_free(pool, ints);
    RG_CHECK_INT(rg_pool_used(pool), 0);
    rg_pool_delete(pool);
}

RG_TEST(the_width_grows_with_the_numbers_and_stays)
{
    struct rg_pool *pool = rg_pool_new();
    struct rg_set_ints *ints = rg_set_ints_new(pool);
    ints = rg_set_ints_insert(pool, ints, 0, 7);
    RG_CHECK_INT(ints->width, 2);
    ints = rg_set_ints_insert(pool, ints, 1, 40000);
    RG_CHECK_INT(ints->width, 4);
    ints = rg_set_ints_insert(pool, ints, 0, INT64_MIN);
    RG_CHECK_INT(ints->width, 8);
    ints = rg_set_ints_remove(pool, ints, 0);
    RG_CHECK_INT(ints->width, 8);
    RG_CHECK_INT(rg_set_ints_at(ints, 0), 7);
    RG_CHECK_INT(rg_set_ints_at(ints, 1), 40000);
    rg_set_ints_free(pool, ints);
    rg_pool_delete(pool);
}

RG_TEST(random_changes_match_a_model)
{
    enum { NUMBERS = 700, SEED = 5 };
    static bool there[NUMBERS];
    struct rg_pool *pool = rg_pool_new();
    struct rg_set_ints *ints = rg_set_ints_new(pool);
    struct rg_rand rand;
    rg_rand_init(&rand, SEED);
    rg_test_note("seed %d", SEED);
    uint32_t count = 0;
    for (int step = 0; step < 50000; step++) {
        uint32_t index = 0;
        unsigned i = (unsigned)rg_rand_below(&rand, NUMBERS);
        int64_t number = ((int64_t)i - NUMBERS / 2) * 1000;
        RG_CHECK(rg_set_ints_find(ints, number, &index) == there[i]);
        if (there[i])
            ints = rg_set_ints_remove(pool, ints, index);
        else
            ints = rg_set_ints_insert(pool, ints, index, number);
        there[i] = !there[i];
        count += there[i] ? 1 : UINT32_MAX;
        RG_CHECK_INT(ints->count, count);
        RG_CHECK_INT(rg_pool_used(pool), rg_set_ints_memory(ints));
    }
    struct rg_set_ints *copy = rg_set_ints_copy(pool, ints);
    rg_set_ints_free(pool, ints);
    for (uint32_t i = 0, index = 0; i < NUMBERS; i++) {
        if (there[i])
            RG_CHECK_INT(rg_set_ints_at(copy, index++), ((int64_t)i - NUMBERS / 2) * 1000);
    }
    rg_set_ints_free(pool, copy);
    RG_CHECK_INT(rg_pool_used(pool), 0);
    rg_pool_delete(pool);
}
