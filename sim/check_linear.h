#ifndef RG_SIM_CHECK_LINEAR_H
#define RG_SIM_CHECK_LINEAR_H

#include "sim/history.h"
#include "sim/loop.h"

/*
 * Was what clients saw on each register and counter possible for a store that does one operation at
 * a time, each between its beginning and its end? Values are unique, so each read names its write,
 * and the question has an exact answer in O(n log n): P. Gibbons and E. Korach, "Testing Shared
 * Memories" (SIAM J. Comput. 26, 1997), read-mapped registers. A write without an answer has no end
 * where somebody read it, and is left out where nobody did.
 */
void sim_check_linear(struct sim_loop *loop, const struct sim_history *history);

#endif
