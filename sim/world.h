#ifndef RG_SIM_WORLD_H
#define RG_SIM_WORLD_H

#include "sim/check_invariants.h"
#include "sim/check_promises.h"
#include "sim/faults.h"

/*
 * One simulated world: nodes, clients, faults and checkers, all from one seed. It lives through
 * trouble, is healed, and must then come to rest with nothing lost.
 */
enum { SIM_MAX_CLIENTS = 10, SIM_ANY_MODE = -1 };

struct sim_world_config {
    uint64_t seed;
    unsigned nodes; /* 0: the seed draws 3 or 5 */
    int mode;       /* enum rg_mode, or SIM_ANY_MODE: the seed draws */
    unsigned planted;
    FILE *text; /* NULL: no trace lines */
};

struct sim_world_result {
    bool failed;
    char failure[512];
    uint64_t hash; /* of the trace */
    uint64_t events;
    int64_t simulated_us;
    unsigned nodes;
    enum rg_mode mode;
    uint64_t injected[SIM_FAULTS];
    uint64_t acked_writes;
    uint64_t reads;
    uint64_t unknown;
    uint64_t terms;
    uint64_t digests_compared;
    bool stuck;        /* too many forgot: liveness was not demanded */
    int64_t settle_us; /* from the heal until all was equal */
};

void sim_world_run(const struct sim_world_config *config, struct sim_world_result *ret_result);

#endif
