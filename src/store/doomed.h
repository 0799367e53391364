#ifndef RG_STORE_DOOMED_H
#define RG_STORE_DOOMED_H

#include "store/db.h"

struct rg_doomed;

/*
 * What was dropped but would take long to free: values of many elements, the contents of whole
 * databases, and whole stores. They are freed in bounded steps by rg_store_free_step. They are
 * gone for everybody else, but for a snapshot that still has to see what a database held.
 */

/*
 * Takes over an entry that is in no table and no index any more, and frees it now or later. NULL is
 * allowed.
 */
void rg_doomed_entry(struct rg_store *store, struct rg_entry *entry);
/* The same of a value that no entry has any more. */
void rg_doomed_value(struct rg_store *store, enum rg_form form, void *value);
/* Takes over all that the database holds, which is empty then. */
void rg_doomed_database(struct rg_db *db);
/* A value that was dropped while a snapshot had still to see it is to be freed now. */
void rg_doomed_push(struct rg_store *store, struct rg_doomed *doomed);
/* The snapshot under way does not want to see anything any more. */
void rg_doomed_forget_snapshot(struct rg_store *store);
/* Frees all of it at once. */
void rg_doomed_fini(struct rg_store *store);

#endif
