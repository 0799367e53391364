#include "io/ticks.h"

#include "io/clock.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <stdbool.h>
#include <x86intrin.h>

enum {
    TICKS_MEASURE_US = 10 * 1000, /* of the first rate */
    TICKS_HOLD_US = 100 * 1000,
    TICKS_TRIES = 4,
    TICKS_APART = 100 * 1000, /* between two readings: some tens of microseconds */
    TICKS_FRACTION = 32,      /* bits of the rate behind the point */
    TICKS_SLACK = 100, /* a rate that changed by more than a hundredth is another machine's */
};

/* The counter neither stops nor changes its pace. */
static bool ticks_even(void)
{
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;

    return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d & 1U << 8) != 0;
}

static void ticks_begin(struct rg_ticks *ticks, uint64_t now, int64_t now_us)
{
    ticks->first_ticks = now;
    ticks->first_us = now_us;
    ticks->valid_ticks = 0;
}

static void ticks_measure(struct rg_ticks *ticks, uint64_t now, int64_t now_us)
{
    int64_t elapsed_us = now_us - ticks->first_us;

    if (ticks->first_ticks == 0 || now <= ticks->first_ticks || elapsed_us < 0) {
        ticks_begin(ticks, now, now_us);
        return;
    }
    if (elapsed_us < TICKS_MEASURE_US)
        return;
    uint64_t rate =
        (uint64_t)(((unsigned __int128)elapsed_us << TICKS_FRACTION) / (now - ticks->first_ticks));
    uint64_t change = rate > ticks->rate ? rate - ticks->rate : ticks->rate - rate;
    bool same = ticks->valid_ticks == 0 || change <= ticks->rate / TICKS_SLACK;
    ticks->rate = rate;
    if (!same || rate == 0) {
        ticks_begin(ticks, now, now_us);
        return;
    }
    ticks->valid_ticks = ((uint64_t)TICKS_HOLD_US << TICKS_FRACTION) / rate;
}

/* Both at one moment: false where the processor was taken away between the two readings. */
static bool ticks_read_both(uint64_t *ret_now, int64_t *ret_now_us)
{
    for (int tries = 0; tries < TICKS_TRIES; tries++) {
        *ret_now = __rdtsc();
        *ret_now_us = rg_clock_mono_us();
        if (__rdtsc() - *ret_now < TICKS_APART)
            return true;
    }
    return false;
}

static int64_t ticks_anchor(struct rg_ticks *ticks)
{
    uint64_t now;
    int64_t now_us;
    int64_t last_us = ticks->anchor_us;
    bool together = ticks_read_both(&now, &now_us);

    if (ticks->valid_ticks > 0)
        last_us += (int64_t)(ticks->valid_ticks * ticks->rate >> TICKS_FRACTION);
    if (!together)
        ticks->valid_ticks = 0;
    else if (ticks->first_ticks != 0 || ticks_even())
        ticks_measure(ticks, now, now_us);
    ticks->anchor_ticks = now;
    ticks->anchor_us = now_us;
    if (last_us > now_us) {
        /* The estimate ran ahead, nearly always by a hair: it waits for the clock. */
        ticks->anchor_us = last_us;
        ticks->valid_ticks = 0;
    }
    return ticks->anchor_us;
}

int64_t rg_ticks_us(struct rg_ticks *ticks)
{
    uint64_t now = __rdtsc();
    uint64_t since = now - ticks->anchor_ticks;

    if (since < ticks->valid_ticks)
        return ticks->anchor_us + (int64_t)(since * ticks->rate >> TICKS_FRACTION);
    return ticks_anchor(ticks);
}

#else

int64_t rg_ticks_us(struct rg_ticks *ticks)
{
    (void)ticks;
    return rg_clock_mono_us();
}

#endif
