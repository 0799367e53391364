#ifndef RG_STORE_DB_H
#define RG_STORE_DB_H

#include "store/entry.h"
#include "store/expiry.h"
#include "store/table.h"

/* A database owns its entries; they lie in the table, those that expire in the index as well. */
struct rg_db {
    struct rg_table table;
    struct rg_expiry expiry;
    uint64_t memory; /* of all entries with their values */
    struct rg_store *store;
};

struct rg_store {
    struct rg_db *dbs;
    unsigned databases;
    uint64_t seed;
    struct rg_store_limits limits;
};

/*
 * Puts fresh, which is given, in the place of *entry, which is of the same key and database, and
 * frees that one's shell only: its value has been taken over or freed. An expiry that both have is
 * the same; one that only one has enters or leaves the index.
 */
void rg_db_swap_entry(struct rg_db *db, struct rg_entry **entry, struct rg_entry *fresh);
/* Gives the database the entry, which replaces and frees what is under its key. */
void rg_db_put_entry(struct rg_db *db, struct rg_entry *entry);
/* What the value of an entry holds changed since it was measured at memory_before. */
void rg_db_account(struct rg_db *db, uint64_t memory_before, const struct rg_entry *entry);

#endif
