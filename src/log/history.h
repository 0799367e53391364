#ifndef RG_LOG_HISTORY_H
#define RG_LOG_HISTORY_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/error.h"

/*
 * The history of a log: which term wrote it from which offset on, each under a replication id of
 * its own (Redis' PSYNC2, with a memory longer than two). Offsets count the bytes of the log: the
 * byte at offset o is the o+1st; `end` offsets are one past the last byte, so an empty log ends at
 * 0. On the wire PSYNC names the next byte wanted, counted from 1: end + 1.
 *
 * Two logs that hold the same replication id agree up to the smaller of the offsets at which either
 * stops having it (docs/failover.md, invariant 4).
 */
enum { RG_REPLID_LEN = 40, RG_HISTORY_MAX = 256 };

struct rg_history_term {
    uint64_t term;  /* 0 outside groups */
    uint64_t start; /* offset at which it began */
    char replid[RG_REPLID_LEN + 1];
};

struct rg_history {
    struct rg_history_term terms[RG_HISTORY_MAX]; /* oldest first; the oldest fall off */
    unsigned count;
};

void rg_history_reset(struct rg_history *history);
/*
 * start is not before the last term's; a term of the same start replaces an empty one. At 0 both
 * are kept: there the data may come from a snapshot that holds no byte of the log, and whoever took
 * it knows it by the older id only.
 */
void rg_history_push(struct rg_history *history, uint64_t term, const char *replid, uint64_t start);
/* The term that holds the byte before end; NULL for an empty history. Terms that begin at or after
 * end do not count. */
const struct rg_history_term *rg_history_at(const struct rg_history *history, uint64_t end);
/*
 * How far a log that ends at `end` in replid agrees with this one, which ends at own_end: the
 * smaller of end and the offset where this log left replid. Errors: RG_ENOENT (replid unknown, or
 * end lies before its start).
 */
RG_MUST_USE int rg_history_agrees(const struct rg_history *history, uint64_t own_end,
                                  struct rg_bytes replid, uint64_t end, uint64_t *ret_agreed);
/* One line "term:replid:start,…", and back. Errors of parse: RG_EINVAL. */
void rg_history_format(const struct rg_history *history, struct rg_buf *out);
RG_MUST_USE int rg_history_parse(struct rg_bytes text, struct rg_history *ret_history);

#endif
