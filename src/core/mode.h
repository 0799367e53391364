#ifndef RG_CORE_MODE_H
#define RG_CORE_MODE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/*
 * When a write counts as acknowledged (docs/failover.md, "Modes").
 */
enum rg_mode {
    RG_MODE_ASYNC,     /* the primary alone holds it */
    RG_MODE_SEMI_SYNC, /* one more node holds it */
    RG_MODE_SYNC,      /* every node holds it */
    RG_MODE_QUORUM,    /* a majority holds it */
    RG_MODES
};

const char *rg_mode_name(enum rg_mode mode);
/* Errors: RG_EINVAL. */
RG_MUST_USE int rg_mode_of_name(struct rg_bytes name, enum rg_mode *ret_mode);

/* Copies a write needs, the primary's own among them, in a group of `members`. */
unsigned rg_mode_copies(enum rg_mode mode, unsigned members);
/*
 * Promises an election needs, the candidate's own among them: a majority, so that a term has one
 * primary, and at least members - copies + 1, so that one of them holds every acknowledged write.
 */
unsigned rg_mode_promises(enum rg_mode mode, unsigned members);
/* The offset that at least `copies` of the n ends have reached; 0 where n < copies. */
uint64_t rg_commit_offset(const uint64_t *ends, unsigned n, unsigned copies);

#endif
