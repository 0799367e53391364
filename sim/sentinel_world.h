#ifndef RG_SIM_SENTINEL_WORLD_H
#define RG_SIM_SENTINEL_WORLD_H

#include <stdio.h>

#include "sim/machine.h"

/*
 * A world of sentinels: several primaries with replicas, watched by three or five sentinels, under
 * faults from one seed; after the heal all must agree. What docs/sentinel.md promises (S1, S2, S4)
 * is checked after every turn of a sentinel, and at the end.
 */
struct sim_sentinel_config {
    uint64_t seed;
    unsigned planted; /* enum rg_sentinel_planted */
    FILE *text;       /* NULL: no trace lines */
};

struct sim_sentinel_result {
    bool failed;
    char failure[512];
    uint64_t hash; /* of the trace */
    int64_t simulated_us;
    uint64_t faults;
    uint64_t leaders; /* elected */
    uint64_t promotions;
    int64_t settle_us; /* from the heal until all agreed */
};

void sim_sentinel_world_run(const struct sim_sentinel_config *config,
                            struct sim_sentinel_result *ret_result);

#endif
