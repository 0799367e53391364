#ifndef RG_STORE_DB_H
#define RG_STORE_DB_H

#include "store/entry.h"
#include "store/expiry.h"
#include "store/table.h"

/* A database owns its entries; they lie in the table, those that expire in the index as well. */
struct rg_db {
    struct rg_table table;
    struct rg_expiry expiry;
    struct rg_store *store;

    /* Of a snapshot under way. They go with the contents when databases are swapped. */
    unsigned snapshot_index;  /* number of the database when it began */
    uint64_t snapshot_cursor; /* of the walk */
    bool snapshot_done;
};

struct rg_store {
    struct rg_db *dbs;
    unsigned databases;
    uint64_t seed;
    struct rg_store_limits limits;
    struct rg_pool *pool; /* all that the databases hold comes from it, and so it counts it */
    struct rg_bytes expected_key; /* of this hash; SIZE_MAX long where there is none */
    uint64_t expected_hash;
    struct rg_string_draft **offered; /* borrowed; NULL: none */

    /* doomed.c */
    struct rg_doomed *doomed;     /* owned */
    struct rg_store *buried;      /* owned: stores whose contents are doomed */
    struct rg_store *next_buried; /* of one that is */
    uint64_t doomed_memory;       /* of what the pool holds */
    uint64_t doomed_objects;
    uint64_t freed_objects;
    uint64_t contents_dropped; /* of databases, so far */
    uint64_t contents_counted; /* those among the first of these are in doomed_memory */
    unsigned doomed_to_show;   /* contents that the snapshot under way has to see */

    /* snapshot.c */
    unsigned mark; /* 0 or 1: entries with the other one have not been seen yet */
    bool snapshot_on;
    const struct rg_snapshot_visitor *snapshot_visitor; /* borrowed; NULL: cancelled */
    void *snapshot_arg;
    struct rg_capture *captures; /* owned: large values under way (capture.h) */
};

static inline struct rg_pool *rg_db_pool(const struct rg_db *db)
{
    return db->store->pool;
}

/* Shows the entry, as it is now, to the snapshot, as one of the database that had this number. */
void rg_store_capture(struct rg_store *store, unsigned snapshot_index, struct rg_entry *entry);
/* Every change of an entry that is in the database, and its end, begins with this. */
static inline void rg_db_before_change(struct rg_db *db, struct rg_entry *entry)
{
    if (__builtin_expect(entry->mark != db->store->mark, 0))
        rg_store_capture(db->store, db->snapshot_index, entry);
}
/* The key's hash, from what is expected or computed. */
static inline uint64_t rg_db_hash(const struct rg_db *db, struct rg_bytes key)
{
    const struct rg_store *store = db->store;

    if (key.data == store->expected_key.data && key.len == store->expected_key.len)
        return store->expected_hash;
    return rg_table_hash(&db->table, key);
}

/*
 * Puts fresh, which is given, in the place of *entry, which is of the same key and database, and
 * frees that one's shell only: its value has been taken over or freed. An expiry that both have is
 * the same; one that only one has enters or leaves the index.
 */
void rg_db_swap_entry(struct rg_db *db, struct rg_entry **entry, struct rg_entry *fresh);
/* Gives the database the entry, which replaces what is under its key. */
void rg_db_put_entry(struct rg_db *db, struct rg_entry *entry);

#endif
