#ifndef RG_SIM_CLOCK_H
#define RG_SIM_CLOCK_H

#include "base/time.h"

/*
 * A machine's clocks, seen from true time: the monotonic one runs a little too fast or too slow,
 * the wall clock is off and jumps.
 */
struct sim_clock {
    int64_t mono_base_us; /* at true time 0 */
    int64_t drift_ppm;
    int64_t wall_off_us; /* wall clock minus the monotonic one */
};

struct rg_time sim_clock_read(const struct sim_clock *clock, int64_t true_us);
/* The first true moment at which the monotonic clock shows mono_us or more. */
int64_t sim_clock_when(const struct sim_clock *clock, int64_t mono_us);

#endif
