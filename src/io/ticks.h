#ifndef RG_IO_TICKS_H
#define RG_IO_TICKS_H

#include <stdint.h>

/*
 * A cheap reading of the monotonic clock, for durations in statistics: the processor's own counter,
 * where it runs evenly, measured against the clock ten times a second. It never goes back; between
 * two measurements it may be off by what the counter drifts meanwhile, which is far below a
 * microsecond. Zeroed is ready.
 */
struct rg_ticks {
    uint64_t first_ticks; /* where the measuring of the rate began; 0: not yet */
    int64_t first_us;
    uint64_t anchor_ticks; /* the last measurement */
    int64_t anchor_us;
    uint64_t valid_ticks; /* how long it holds; 0: there is no rate yet */
    uint64_t rate;        /* microseconds per tick, times 2^32 */
};

int64_t rg_ticks_us(struct rg_ticks *ticks);

#endif
