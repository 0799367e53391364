#ifndef RG_SIM_CHECK_LIVENESS_H
#define RG_SIM_CHECK_LIVENESS_H

#include "sim/machine.h"

/*
 * Once faults stopped (docs/failover.md, invariant 6): one primary, all others follow it, all logs
 * end at the same place, all keyspaces are equal. On false ret_why says what is missing.
 */
bool sim_check_converged(struct sim_machine *machines, unsigned count, char *ret_why, size_t size);
/* Too many forgot, so that the group rightly waits for an operator. */
bool sim_check_stuck(struct sim_machine *machines, unsigned count, unsigned promises);

#endif
