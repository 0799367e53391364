#ifndef RG_NODE_VALUE_H
#define RG_NODE_VALUE_H

#include "base/time.h"
#include "cmd/access.h"
#include "log/rdb.h"
#include "store/store.h"

/* Between the keyspace and the RDB codec: entries of any type to events, and back. */

/* Writes the entry with its expiry, in the form that redis-server would have it in. */
void value_save(struct rg_rdb_writer *writer, const struct rg_entry *entry);
/* The same in pieces, as a snapshot shows them (store.h): as many calls of _piece follow. */
void value_save_begin(struct rg_rdb_writer *writer, const struct rg_entry *entry, uint64_t pieces);
void value_save_piece(struct rg_rdb_writer *writer, enum rg_type type,
                      const struct rg_snapshot_piece *piece);
/* Writes how it was used, which stands in front of the entry, as the eviction policy counts it. */
void value_save_access(struct rg_rdb_writer *writer, const struct rg_access *access,
                       int64_t mono_us, const struct rg_entry *entry);

enum { VALUE_AHEAD_MAX = 8 };

/* Keys that lie ahead, whose hashes are known and whose buckets are being fetched. */
struct value_ahead {
    struct {
        const char *key; /* its address, borrowed from the reader */
        uint64_t hash;
    } keys[VALUE_AHEAD_MAX];
    unsigned first;
    unsigned count;
};

/* Where values on their way in belong. */
struct value_load {
    const struct rg_access *access; /* borrowed, as the others */
    const struct rg_time *now;
    struct rg_store *store;
    struct rg_db *db;
    struct rg_entry *entry; /* the collection that is open; NULL where it is passed over */
    uint64_t promised;      /* keys, by what the file says of the database */
    uint64_t room;          /* for so many of them the table is large enough */
    struct value_ahead ahead;
};

/* The keys that follow are of this database. */
void value_load_db(struct value_load *load, unsigned index);
/* As many keys of it are promised. */
void value_load_size(struct value_load *load, uint64_t keys);
/* Looks at what the reader shows of later keys. */
void value_load_ahead(struct value_load *load, struct rg_rdb_reader *reader);
/* The reader is about to be fed: addresses of later keys do not hold any more. */
static inline void value_load_moved(struct value_load *load)
{
    load->ahead.count = 0;
}
/* Whether the event is of an entry, so that value_load_event takes it. */
bool value_is_key(enum rg_rdb_event_type type);
bool value_is_element(enum rg_rdb_event_type type);
/*
 * A key with its value, or with a collection that is still empty, under `key`.
 * Errors: RG_EEXIST (the key is there; nothing changed), RG_ECORRUPT (a member or field comes
 * twice, or a score is not a number).
 */
RG_MUST_USE int value_load_key(struct value_load *load, struct rg_bytes key,
                               const struct rg_rdb_event *event);
/* Errors: RG_ECORRUPT (a member or field comes twice, or an element is too long). */
RG_MUST_USE int value_load_element(struct value_load *load, const struct rg_rdb_event *event);

#endif
