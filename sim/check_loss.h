#ifndef RG_SIM_CHECK_LOSS_H
#define RG_SIM_CHECK_LOSS_H

#include "core/mode.h"
#include "sim/log_tree.h"

/*
 * Nothing that a client was shown is ever undone (docs/failover.md, invariants 2 and 3): neither a
 * write that was acknowledged to it, nor a value that it read, be it from a replica. Judged at the
 * moment of the reply, and again whenever a term begins (sim/log_tree.c).
 */
/* A reply to `client` showed value, at the latest in the mode's sense. */
void sim_check_shown(struct sim_log_tree *tree, unsigned nodes, enum rg_mode mode, unsigned client,
                     int64_t value, bool write);

#endif
