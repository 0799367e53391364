#ifndef RG_STORE_RUN_H
#define RG_STORE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/element.h"
#include "base/error.h"

/*
 * Runs of pairs out of a file, on their way to become a packed hash or sorted set: elements with
 * their back sizes, each with the only code for its text. A pair is a name and what belongs to it.
 */

/*
 * Whether every name comes once, and no element (only names are asked where names_only) is longer
 * than `longest` as text. *ret_len: bytes of the elements without back sizes. seed: so that nobody
 * can choose names that collide. Errors: RG_EEXIST, RG_EINVAL (one is longer).
 */
RG_MUST_USE int rg_run_judge(struct rg_bytes run, uint64_t pairs, uint64_t longest, bool names_only,
                             uint64_t seed, size_t *ret_len);

#endif
