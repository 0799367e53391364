#ifndef RG_SIM_CHECK_PROMISES_H
#define RG_SIM_CHECK_PROMISES_H

#include "sim/machine.h"

/*
 * Listens to what members say to each other: no term and no vote leaves a machine that is not on
 * its disk (docs/failover.md, invariant 1).
 */
struct sim_check_promises {
    struct sim_loop *loop;
    struct sim_network *network;
    struct sim_machine *machines; /* borrowed */
    unsigned count;
};

/* Becomes the network's tap. */
void sim_check_promises_init(struct sim_check_promises *check, struct sim_network *network,
                             struct sim_machine *machines, unsigned count);

#endif
