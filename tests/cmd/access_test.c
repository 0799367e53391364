#include "base/time.h"
#include "cmd/access.h"
#include "tests/harness.h"

static const int64_t minute_us = 60 * RG_S_US;

RG_TEST(a_second_word_tells_the_idle_time_also_when_it_wraps)
{
    struct rg_access access = {0};
    int64_t wrap_us = ((int64_t)1 << 24) * RG_S_US;
    uint32_t word = rg_access_use(&access, 0, wrap_us - 5 * RG_S_US, NULL);

    RG_CHECK(rg_access_idle_s(word, wrap_us - 5 * RG_S_US) == 0);
    RG_CHECK(rg_access_idle_s(word, wrap_us + 7 * RG_S_US) == 12);
    RG_CHECK(rg_access_idle_s(rg_access_of_idle(100, 3 * RG_S_US), 4 * RG_S_US) == 101);
    RG_CHECK(rg_access_idle_s(rg_access_of_idle(-1, 3 * RG_S_US), 3 * RG_S_US) == 0);
}

RG_TEST(a_new_key_has_a_frequency_that_saves_it_from_the_first_eviction)
{
    struct rg_access access = {.lfu = true, .lfu_log_factor = 10, .lfu_decay_minutes = 1};
    uint32_t word = rg_access_use(&access, 0, 10 * minute_us, NULL);

    RG_CHECK(rg_access_frequency(&access, word, 10 * minute_us) == 5);
    RG_CHECK(rg_access_frequency(&access, word, 12 * minute_us) == 3);
    RG_CHECK(rg_access_frequency(&access, word, 100 * minute_us) == 0);
    access.lfu_decay_minutes = 0;
    RG_CHECK(rg_access_frequency(&access, word, 100 * minute_us) == 5);
}

static unsigned frequency_after(const struct rg_access *access, unsigned uses)
{
    struct rg_rand rand;
    uint32_t word = 0;

    rg_rand_init(&rand, 7);
    for (unsigned i = 0; i < uses; i++)
        word = rg_access_use(access, word, minute_us, &rand);
    return rg_access_frequency(access, word, minute_us);
}

RG_TEST(the_counter_grows_with_the_logarithm_of_uses)
{
    /* The table in Redis' documentation of lfu-log-factor: hits against counters. */
    struct rg_access access = {.lfu = true, .lfu_log_factor = 10, .lfu_decay_minutes = 1};

    unsigned hundred = frequency_after(&access, 100);
    unsigned thousand = frequency_after(&access, 1000);
    unsigned many = frequency_after(&access, 1000000);
    RG_CHECK(hundred >= 7 && hundred <= 14);
    RG_CHECK(thousand >= 13 && thousand <= 24);
    RG_CHECK(many > 120 && many <= 255);
    access.lfu_log_factor = 0;
    RG_CHECK(frequency_after(&access, 300) == 255);
}

RG_TEST(staleness_orders_by_the_policy)
{
    struct rg_access lru = {0};
    struct rg_access lfu = {.lfu = true, .lfu_log_factor = 10, .lfu_decay_minutes = 1};
    uint32_t early = rg_access_use(&lru, 0, 10 * RG_S_US, NULL);
    uint32_t late = rg_access_use(&lru, 0, 20 * RG_S_US, NULL);

    RG_CHECK(rg_access_staleness(&lru, early, 30 * RG_S_US) >
             rg_access_staleness(&lru, late, 30 * RG_S_US));
    RG_CHECK(rg_access_staleness(&lfu, rg_access_of_frequency(3, minute_us), minute_us) >
             rg_access_staleness(&lfu, rg_access_of_frequency(200, minute_us), minute_us));
}
