#include "cmd/access.h"

#include "base/time.h"

enum {
    WORD_MASK = 0xffffff,
    COUNTER_MAX = 0xff,
    COUNTER_NEW = 5, /* a new key is given time to be used before it is thought useless */
    COUNTER_BITS = 8,
    MINUTE_MASK = 0xffff,
    SECONDS_A_MINUTE = 60,
};

static uint32_t clock_s(int64_t mono_us)
{
    return (uint32_t)((uint64_t)(mono_us / RG_S_US) & WORD_MASK);
}

static uint32_t clock_minute(int64_t mono_us)
{
    return (uint32_t)((uint64_t)(mono_us / (RG_S_US * SECONDS_A_MINUTE)) & MINUTE_MASK);
}

unsigned rg_access_frequency(const struct rg_access *access, uint32_t word, int64_t mono_us)
{
    uint32_t minute = word >> COUNTER_BITS;
    uint32_t counter = word & COUNTER_MAX;

    if (access->lfu_decay_minutes <= 0)
        return counter;
    uint32_t passed = (clock_minute(mono_us) - minute) & MINUTE_MASK;
    int64_t steps = passed / access->lfu_decay_minutes;
    return steps >= counter ? 0 : counter - (unsigned)steps;
}

/* Counts with a probability that falls as the counter grows. */
static unsigned counter_count(const struct rg_access *access, unsigned counter,
                              struct rg_rand *rand)
{
    if (counter == COUNTER_MAX)
        return counter;
    double above = counter > COUNTER_NEW ? (double)(counter - COUNTER_NEW) : 0;
    double chance = 1 / (above * (double)access->lfu_log_factor + 1);
    return rg_rand_unit(rand) < chance ? counter + 1 : counter;
}

uint32_t rg_access_of_frequency(unsigned frequency, int64_t mono_us)
{
    return clock_minute(mono_us) << COUNTER_BITS |
           (frequency < COUNTER_MAX ? frequency : COUNTER_MAX);
}

uint32_t rg_access_of_idle(int64_t idle_s, int64_t mono_us)
{
    uint32_t idle = idle_s <= 0 ? 0 : idle_s < WORD_MASK ? (uint32_t)idle_s : WORD_MASK;

    return (clock_s(mono_us) - idle) & WORD_MASK;
}

uint32_t rg_access_use(const struct rg_access *access, uint32_t word, int64_t mono_us,
                       struct rg_rand *rand)
{
    if (!access->lfu)
        return clock_s(mono_us);
    if (word == 0)
        return rg_access_of_frequency(COUNTER_NEW, mono_us);
    unsigned counter = rg_access_frequency(access, word, mono_us);
    return rg_access_of_frequency(counter_count(access, counter, rand), mono_us);
}

int64_t rg_access_idle_s(uint32_t word, int64_t mono_us)
{
    return (clock_s(mono_us) - word) & WORD_MASK;
}

uint64_t rg_access_staleness(const struct rg_access *access, uint32_t word, int64_t mono_us)
{
    if (access->lfu)
        return COUNTER_MAX - rg_access_frequency(access, word, mono_us);
    return (uint64_t)rg_access_idle_s(word, mono_us);
}
