#ifndef RG_STORE_SET_H
#define RG_STORE_SET_H

#include "store/store.h"

/*
 * Sets of byte strings. A set of integers only is kept as numbers up to set-max-intset-entries, so
 * a member may have to be written out first, into the caller's scratch. An empty set does not stay:
 * the caller deletes the entry. Views are valid until the entry, or the scratch, changes.
 */

/* Creates an empty one under a key that is free. */
struct rg_entry *rg_db_put_set(struct rg_db *db, struct rg_bytes key);
uint64_t rg_set_len(const struct rg_entry *entry);
/* True where it was new. member lies outside the set. */
bool rg_set_add(struct rg_db *db, struct rg_entry **entry, struct rg_bytes member);
/*
 * Adds all members of an empty one at once: count integers of 2, 4 or 8 bytes, the lowest first,
 * in ascending order.
 */
void rg_set_take_ints(struct rg_db *db, struct rg_entry **entry, struct rg_bytes numbers,
                      uint64_t count);
bool rg_set_has(const struct rg_entry *entry, struct rg_bytes member);
/* member may be a view into the set. */
bool rg_set_remove(struct rg_db *db, struct rg_entry **entry, struct rg_bytes member);

/*
 * A draft is a set that is in no database yet, for results whose sources the key may be one of. The
 * functions that take an entry take it too. It is put into the database, in the place of what is
 * under its key, or freed.
 */
struct rg_entry *rg_set_draft(struct rg_db *db, struct rg_bytes key);
void rg_set_draft_put(struct rg_db *db, struct rg_entry *draft);
/* NULL is allowed. */
void rg_set_draft_free(struct rg_db *db, struct rg_entry *draft);
/* The set gets the draft's members, and the draft the set's. */
void rg_set_exchange(struct rg_db *db, struct rg_entry **entry, struct rg_entry *draft);

struct rg_set_iter {
    const struct rg_entry *entry;
    uint64_t position[4]; /* the set's own */
};
/* Integers in ascending order, as Redis. */
void rg_set_iter_init(struct rg_set_iter *iter, const struct rg_entry *entry);
bool rg_set_iter_next(struct rg_set_iter *iter, char scratch[RG_STRING_SCRATCH],
                      struct rg_bytes *ret_member);
/* One member, each equally likely. The set is not empty. */
struct rg_bytes rg_set_random(const struct rg_entry *entry, struct rg_rand *rand,
                              char scratch[RG_STRING_SCRATCH]);
/* SSCAN: as rg_db_scan; a small set is visited whole. A member is valid during the visit only. */
uint64_t rg_set_scan(const struct rg_entry *entry, uint64_t cursor, uint64_t count,
                     void (*visit)(void *arg, struct rg_bytes member), void *arg);

#endif
