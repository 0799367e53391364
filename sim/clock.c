#include "sim/clock.h"

enum { CLOCK_PPM = 1000000 };

static int64_t clock_mono(const struct sim_clock *clock, int64_t true_us)
{
    return clock->mono_base_us + true_us + true_us * clock->drift_ppm / CLOCK_PPM;
}

struct rg_time sim_clock_read(const struct sim_clock *clock, int64_t true_us)
{
    int64_t mono_us = clock_mono(clock, true_us);

    return (struct rg_time){.mono_us = mono_us, .wall_us = mono_us + clock->wall_off_us};
}

int64_t sim_clock_when(const struct sim_clock *clock, int64_t mono_us)
{
    if (mono_us == RG_NEVER)
        return RG_NEVER;
    int64_t passed_us = mono_us - clock->mono_base_us;
    int64_t true_us = (int64_t)((__int128)passed_us * CLOCK_PPM / (CLOCK_PPM + clock->drift_ppm));

    while (clock_mono(clock, true_us) < mono_us)
        true_us++;
    return true_us;
}
