#ifndef RG_SIM_TRACE_H
#define RG_SIM_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"

/*
 * What happened in a simulated world: a running hash of every event, by which two runs of one seed
 * are compared, and, where asked for, lines that a person can read.
 */
struct sim_trace {
    uint64_t hash;
    uint64_t events;
    FILE *text; /* borrowed; NULL: no lines */
};

/* One event: when, what kind, and two words of detail. */
static inline void sim_trace_mix(struct sim_trace *trace, int64_t now_us, uint64_t kind, uint64_t a,
                                 uint64_t b)
{
    uint64_t h = trace->hash;

    h = (h ^ (uint64_t)now_us) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ (h >> 29) ^ kind) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 32) ^ a) * UINT64_C(0x94d049bb133111eb);
    h = (h ^ (h >> 31) ^ b) * UINT64_C(0xd6e8feb86659fd93);
    trace->hash = h ^ (h >> 32);
    trace->events++;
}

void sim_trace_bytes(struct sim_trace *trace, int64_t now_us, uint64_t kind, struct rg_bytes bytes);
/* A line, where lines are wanted. */
void sim_trace_line(struct sim_trace *trace, int64_t now_us, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
