#ifndef RG_STORE_EXPIRY_H
#define RG_STORE_EXPIRY_H

#include "store/segments.h"
#include "store/store.h"

/*
 * The entries of a database that expire, the earliest first: a heap of four branches whose items
 * hold the moment beside the entry, so that ordering reads no entry, and whose array never moves as
 * a whole. An entry knows its index. Entries are borrowed.
 */
struct rg_expiry {
    struct rg_segments items;
    uint64_t count;
};

void rg_expiry_init(struct rg_expiry *expiry, struct rg_pool *pool);
/* Forgets everything. */
void rg_expiry_fini(struct rg_expiry *expiry);
/* Forgets some, about *budget times a thousand, which it counts down; true: nothing is left. */
bool rg_expiry_drain(struct rg_expiry *expiry, uint64_t *budget);
/* The entry has room for an expiry, with its moment set. */
void rg_expiry_add(struct rg_expiry *expiry, struct rg_entry *entry);
void rg_expiry_remove(struct rg_expiry *expiry, const struct rg_entry *entry);
/* The moment of an entry that is in the index was changed. */
void rg_expiry_update(struct rg_expiry *expiry, struct rg_entry *entry);
/* entry takes the place of another one, whose moment and index it has. */
void rg_expiry_replace(struct rg_expiry *expiry, struct rg_entry *entry);
/* The earliest, or NULL. */
struct rg_entry *rg_expiry_first(const struct rg_expiry *expiry);
/* The entry at index, which is below count: the index in no particular order. */
struct rg_entry *rg_expiry_at(const struct rg_expiry *expiry, uint64_t index);
/* The moment of the entry at index, which is below count: the index in no particular order. */
int64_t rg_expiry_moment(const struct rg_expiry *expiry, uint64_t index);
size_t rg_expiry_memory(const struct rg_expiry *expiry);

#endif
