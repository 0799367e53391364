#ifndef RG_STORE_ZSET_H
#define RG_STORE_ZSET_H

#include "store/store.h"

/*
 * Sorted sets: members, each with a score that is not NaN, in the order of score and then of the
 * member's bytes. Ranks count from 0. An empty one does not stay: the caller deletes the entry.
 *
 * A small one keeps integers as numbers, so that a member may have to be written out first: into
 * the caller's scratch, or the walk's own. Views are valid until the entry, or that scratch,
 * changes: what a walk shows is gone with its next step.
 */

/* Creates an empty one under a key that is free. */
struct rg_entry *rg_db_put_zset(struct rg_db *db, struct rg_bytes key);
/*
 * Creates one of all its members at once, at least one: a run of members, each followed by its
 * score, elements with their back sizes, each with the only code for its text (base/element.h).
 * Errors: RG_EEXIST (a member comes twice), RG_EINVAL (a score is not a number); nothing was
 * created then.
 */
RG_MUST_USE int rg_db_put_zset_run(struct rg_db *db, struct rg_bytes key, struct rg_bytes run,
                                   uint64_t pairs, struct rg_entry **ret_entry);
/* An empty one will hold so many, the longest of so many bytes: it takes the form for that now. */
void rg_zset_expect(struct rg_db *db, struct rg_entry **entry, uint64_t members, size_t longest);
uint64_t rg_zset_len(const struct rg_entry *entry);
/* Adds the member or changes its score. True where it was new. member lies outside the set. */
bool rg_zset_set(struct rg_db *db, struct rg_entry **entry, struct rg_bytes member, double score);
/* False where there is none. */
bool rg_zset_score(const struct rg_entry *entry, struct rg_bytes member, double *ret_score);
bool rg_zset_rank(const struct rg_entry *entry, struct rg_bytes member, uint64_t *ret_rank);
bool rg_zset_remove(struct rg_db *db, struct rg_entry **entry, struct rg_bytes member);
/* Removes count members from rank on; both lie within the set. */
void rg_zset_remove_ranks(struct rg_db *db, struct rg_entry **entry, uint64_t rank, uint64_t count);

/* How many members have a score below `score`, or, with through, at most that: in O(log n). */
uint64_t rg_zset_count_below(const struct rg_entry *entry, double score, bool through);
/* The same by the bytes of members, for sets whose scores are all equal. */
uint64_t rg_zset_count_before(const struct rg_entry *entry, struct rg_bytes member, bool through);

/* Walks from a rank (in [0, len)) upwards, or downwards. */
struct rg_zset_iter {
    const struct rg_entry *entry;
    bool backward;
    uint64_t position[4]; /* the set's own */
    char scratch[RG_STRING_SCRATCH];
};
void rg_zset_iter_init(struct rg_zset_iter *iter, const struct rg_entry *entry, uint64_t rank,
                       bool backward);
bool rg_zset_iter_next(struct rg_zset_iter *iter, struct rg_bytes *ret_member, double *ret_score);
/* One member, each equally likely. The set is not empty. */
void rg_zset_random(const struct rg_entry *entry, struct rg_rand *rand,
                    char scratch[RG_STRING_SCRATCH], struct rg_bytes *ret_member,
                    double *ret_score);
/* ZSCAN: as rg_db_scan; a small one is visited whole. A member is valid during the visit only. */
uint64_t rg_zset_scan(const struct rg_entry *entry, uint64_t cursor, uint64_t count,
                      void (*visit)(void *arg, struct rg_bytes member, double score), void *arg);

#endif
