#ifndef RG_CMD_ACCESS_H
#define RG_CMD_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rand.h"

/*
 * What an entry's 24-bit access word says of its use. For the LRU policies it is the second of its
 * last use. For the LFU policies it is the minute of its last decay, in 16 bits, and a counter in 8
 * that grows with the logarithm of its uses (Morris, "Counting large numbers of events in small
 * registers"), in the way the directives lfu-log-factor and lfu-decay-time describe.
 *
 * Both are measured on the monotonic clock: a jump of the wall clock must not make every key look
 * unused. A word of 0 is one that was never used.
 */
struct rg_access {
    bool lfu;
    int64_t lfu_log_factor;
    int64_t lfu_decay_minutes; /* per step of the counter; 0: it never decays */
};

/* The word after a use. */
uint32_t rg_access_use(const struct rg_access *access, uint32_t word, int64_t mono_us,
                       struct rg_rand *rand);
/* Seconds since the last use; the word is of an LRU policy. */
int64_t rg_access_idle_s(uint32_t word, int64_t mono_us);
/* The counter as decay leaves it by now, up to 255; the word is of an LFU policy. */
unsigned rg_access_frequency(const struct rg_access *access, uint32_t word, int64_t mono_us);
/* The greater, the better an entry is to be evicted. */
uint64_t rg_access_staleness(const struct rg_access *access, uint32_t word, int64_t mono_us);
/* Words that say this: of RESTORE and RDB files. idle_s below 0 counts as 0. */
uint32_t rg_access_of_idle(int64_t idle_s, int64_t mono_us);
uint32_t rg_access_of_frequency(unsigned frequency, int64_t mono_us);

#endif
