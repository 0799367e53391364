#include "io/clock.h"

#include <time.h>

#include "base/panic.h"

static int64_t clock_read_us(clockid_t clock)
{
    struct timespec ts;

    RG_ASSERT(clock_gettime(clock, &ts) == 0);
    return (int64_t)ts.tv_sec * RG_S_US + ts.tv_nsec / 1000;
}

int64_t rg_clock_mono_us(void)
{
    /* CLOCK_BOOTTIME counts through a suspend, so that a lease cannot outlive one. */
    return clock_read_us(CLOCK_BOOTTIME);
}

struct rg_time rg_clock_now(void)
{
    return (struct rg_time){.mono_us = rg_clock_mono_us(),
                            .wall_us = clock_read_us(CLOCK_REALTIME)};
}
