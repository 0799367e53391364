#ifndef RG_BASE_TIME_H
#define RG_BASE_TIME_H

#include <stdint.h>

/*
 * The time as an input. Nothing below src/io reads a clock.
 *
 * The host reads both clocks AFTER it received the bytes that it hands over with them: a lease
 * (docs/failover.md, invariant 2) is judged by a time that is not older than the request.
 */
struct rg_time {
    int64_t mono_us; /* monotonic, microseconds since any fixed moment; timers run on it */
    int64_t wall_us; /* Unix time in microseconds; only expiry and what users are shown use it */
};

#define RG_MS_US INT64_C(1000)
#define RG_S_US  INT64_C(1000000)

/* A moment that never comes, for deadlines. */
#define RG_NEVER INT64_MAX

#endif
