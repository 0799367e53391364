#ifndef RG_NODE_VALUE_H
#define RG_NODE_VALUE_H

#include "base/time.h"
#include "cmd/access.h"
#include "log/rdb.h"
#include "store/store.h"

/* Between the keyspace and the RDB codec: entries of any type to events, and back. */

/* Writes the entry with its expiry, in the form that redis-server would have it in. */
void value_save(struct rg_rdb_writer *writer, const struct rg_entry *entry);
/* Writes how it was used, which stands in front of the entry, as the eviction policy counts it. */
void value_save_access(struct rg_rdb_writer *writer, const struct rg_access *access,
                       int64_t mono_us, const struct rg_entry *entry);

/* Where the elements of a value on its way in belong. */
struct value_load {
    const struct rg_access *access; /* borrowed */
    const struct rg_time *now;      /* borrowed */
    struct rg_db *db;
    struct rg_entry *entry; /* the collection that is open; NULL where it is passed over */
};

/* Whether the event is of an entry, so that value_load_event takes it. */
bool value_is_key(enum rg_rdb_event_type type);
bool value_is_element(enum rg_rdb_event_type type);
/*
 * A key with its value, or with a collection that is still empty, under `key`.
 * Errors: RG_EEXIST (the key is there; nothing changed).
 */
RG_MUST_USE int value_load_key(struct value_load *load, struct rg_bytes key,
                               const struct rg_rdb_event *event);
/* Errors: RG_ECORRUPT (a member or field comes twice, or an element is too long). */
RG_MUST_USE int value_load_element(struct value_load *load, const struct rg_rdb_event *event);

#endif
