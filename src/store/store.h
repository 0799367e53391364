#ifndef RG_STORE_STORE_H
#define RG_STORE_STORE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/rand.h"

/*
 * The keyspace: numbered databases of entries. No caller knows how an entry lies in memory; a
 * change may move it, so every changing function takes and updates the caller's entry pointer.
 * An entry pointer holds until that entry changes or goes. Keys are shorter than 4 GiB.
 *
 * The store knows nothing of time: an entry past its expiry is an entry like any other. Who may see
 * or remove it is decided above (cmd/lookup).
 */
struct rg_store;
struct rg_db;
struct rg_entry;

enum rg_type {
    RG_TYPE_STRING,
    RG_TYPE_HASH,
    RG_TYPE_LIST, /* store/list.h */
    RG_TYPE_SET,  /* store/set.h */
    RG_TYPE_ZSET, /* store/zset.h */
    RG_TYPES
};

/* Where a collection leaves its packed form; the directives of the same names. */
struct rg_store_limits {
    uint64_t hash_max_listpack_entries;
    uint64_t hash_max_listpack_value;
    int64_t list_max_listpack_size; /* elements, or -1 … -5: 4 to 64 KiB */
    uint64_t set_max_intset_entries;
    uint64_t zset_max_listpack_entries;
    uint64_t zset_max_listpack_value;
};

enum { RG_NO_EXPIRY = -1 };

/* seed: of the key hashes. The limits are copied. */
struct rg_store *rg_store_new(unsigned databases, uint64_t seed,
                              const struct rg_store_limits *limits);
void rg_store_free(struct rg_store *store);
/* Gives store what is no longer wanted of an old one, to free with its own. NULL is allowed. */
void rg_store_bury(struct rg_store *store, struct rg_store *old);
/*
 * Values of many elements that were deleted or replaced, and flushed databases, are not freed where
 * that happens but here, in steps of about `budget` elements. They count as memory no more. True:
 * something is left.
 */
bool rg_store_free_step(struct rg_store *store, uint64_t budget);
bool rg_store_has_doomed(const struct rg_store *store);
/* How many objects wait to be freed, and how many were that had waited. */
void rg_store_count_doomed(const struct rg_store *store, uint64_t *ret_pending,
                           uint64_t *ret_freed);
void rg_store_set_limits(struct rg_store *store, const struct rg_store_limits *limits);
unsigned rg_store_databases(const struct rg_store *store);
/* index is below rg_store_databases. */
struct rg_db *rg_store_db(struct rg_store *store, unsigned index);
void rg_store_swap_dbs(struct rg_store *store, unsigned a, unsigned b);
uint64_t rg_store_count(const struct rg_store *store);
/* Bytes of all entries and tables, computed, so that it is the same wherever the commands ran. */
uint64_t rg_store_memory(const struct rg_store *store);
/*
 * The part of the store's memory that is not the allocator's: what its slabs take of the system,
 * and of that what no item uses at the moment.
 */
void rg_store_slabs(const struct rg_store *store, uint64_t *ret_taken, uint64_t *ret_spare);
/* Gives empty slabs that are kept for new items back to the system. */
void rg_store_trim(struct rg_store *store);
/* Of rg_store_memory, what a database's table and its index of expiries take. */
void rg_db_overhead(const struct rg_db *db, uint64_t *ret_table, uint64_t *ret_expiry);
/*
 * A digest of everything that two equal keyspaces share: database, key, type, value and expiry,
 * whatever their order, layout and history. 40 hexadecimal digits and a zero byte.
 */
void rg_store_digest(struct rg_store *store, char ret_hex[41]);
/* The same of one entry's type and value. */
void rg_entry_digest(const struct rg_entry *entry, char ret_hex[41]);

uint64_t rg_db_count(const struct rg_db *db);
uint64_t rg_db_count_expiring(const struct rg_db *db);
/* Mean time to live of the entries that expire, from a sample, in milliseconds; 0 for none. */
int64_t rg_db_mean_ttl_ms(const struct rg_db *db, int64_t now_ms);
/* Removes everything, in no time, and returns how many entries that were. */
uint64_t rg_db_flush(struct rg_db *db);

/*
 * Looking ahead over the keys of commands to come: their hashes are taken first, then the memory of
 * their look-ups is fetched, bucket and then entry, while others are worked on. The hash is the
 * same in every database of the store.
 */
uint64_t rg_store_hash(const struct rg_store *store, struct rg_bytes key);
void rg_db_prefetch_bucket(const struct rg_db *db, uint64_t hash);
void rg_db_prefetch_entry(const struct rg_db *db, uint64_t hash);
/*
 * Look-ups of these very bytes (the same address and length) need not hash them again, until
 * rg_store_forget_key, which is called before the bytes may change.
 */
void rg_store_expect_key(struct rg_store *store, struct rg_bytes key, uint64_t hash);
void rg_store_forget_key(struct rg_store *store);

/*
 * Memory that may become a large string without a copy: a command is given bytes that lie at its
 * beginning, and a string made of just these takes it over, while it is offered. *draft is NULL
 * then.
 */
struct rg_string_draft;
/* NULL: no memory. cap is above RG_STRING_DRAFT_MIN. */
struct rg_string_draft *rg_string_draft_new(size_t cap);
void rg_string_draft_free(struct rg_string_draft *draft);
char *rg_string_draft_room(struct rg_string_draft *draft);
/* NULL: it is offered no more. */
void rg_store_offer_draft(struct rg_store *store, struct rg_string_draft **draft);
enum { RG_STRING_DRAFT_MIN = 4096 };

/* Makes room in the table for as many keys, before they come. */
void rg_db_expect(struct rg_db *db, uint64_t keys);
/* For reading: nothing but the access word may be changed. NULL where there is none. */
struct rg_entry *rg_db_find(struct rg_db *db, struct rg_bytes key);
/* For every access that will change the entry or its value in place. */
struct rg_entry *rg_db_find_for_write(struct rg_db *db, struct rg_bytes key);
bool rg_db_delete(struct rg_db *db, struct rg_bytes key);
/*
 * Moves the entry of key, with its expiry, to new_key of target (which may be db itself), replacing
 * what is there. Errors: RG_ENOENT.
 */
RG_MUST_USE int rg_db_move(struct rg_db *db, struct rg_bytes key, struct rg_db *target,
                           struct rg_bytes new_key);
/* Copies it instead, with its expiry. Errors: RG_ENOENT. */
RG_MUST_USE int rg_db_copy(struct rg_db *db, struct rg_bytes key, struct rg_db *target,
                           struct rg_bytes new_key);
/* A random entry, each about equally likely; NULL in an empty database. */
struct rg_entry *rg_db_random(struct rg_db *db, struct rg_rand *rand);
/* The same among those that expire. */
struct rg_entry *rg_db_random_expiring(struct rg_db *db, struct rg_rand *rand);

/*
 * SCAN: calls visit for about `count` buckets' worth of entries from cursor (0 begins) and returns
 * the next cursor (0: done). What is there from the first call to the last is visited at least
 * once, while the table grows and shrinks. visit must not change the database.
 */
uint64_t rg_db_scan(struct rg_db *db, uint64_t cursor, uint64_t count,
                    void (*visit)(void *arg, struct rg_entry *entry), void *arg);

/* Visits everything once; the database must not change between next calls. */
struct rg_db_iter {
    struct rg_db *db;
    uint64_t position[4]; /* the table's own */
};
void rg_db_iter_init(struct rg_db_iter *iter, struct rg_db *db);
struct rg_entry *rg_db_iter_next(struct rg_db_iter *iter);

/*
 * A snapshot without a pause: everything as it is at begin is shown to a visitor once, in slices,
 * while the store goes on changing. An entry that is about to change, or to go, is shown just
 * before (those of a flushed database are shown bit by bit, too); one that came later is not shown.
 * db is the number that its database had at begin. The visitor must not change the store.
 *
 * A value of many elements is shown in pieces: _begin, as many calls of _piece as it said, and
 * _end. In between others may be shown, whole or in pieces, because commands change them. Pieces
 * of a list come in its order, others in any (a sorted set's mostly from its greatest down).
 */
struct rg_snapshot_piece {
    struct rg_bytes
        element;           /* field or member; of a list a run (base/element.h, with back sizes) */
    struct rg_bytes value; /* of a hash's field */
    double score;          /* of a sorted set's member */
    uint32_t count;        /* elements of a list's run */
};
struct rg_snapshot_visitor {
    uint64_t whole_bytes; /* larger values, of forms that can be, are shown in pieces */
    void (*entry)(void *arg, unsigned db, const struct rg_entry *entry);
    /* Returns what stands for it in the calls that follow. The entry is lent for this one only. */
    void *(*begin)(void *arg, unsigned db, const struct rg_entry *entry, uint64_t pieces);
    void (*piece)(void *arg, void *part, const struct rg_snapshot_piece *piece);
    void (*end)(void *arg, void *part);
};
/* visitor is borrowed, until the snapshot is over. Errors: RG_EEXIST (one is under way). */
RG_MUST_USE int rg_store_snapshot_begin(struct rg_store *store,
                                        const struct rg_snapshot_visitor *visitor, void *arg);
/* Walks on over about `count` entries or elements. True: everything was shown, the snapshot is
 * over. */
bool rg_store_snapshot_step(struct rg_store *store, uint64_t count);
/* The visitor is not called any more, for what was begun neither. Does nothing where none is under
 * way. */
void rg_store_snapshot_cancel(struct rg_store *store);
/* One is under way, or was cancelled and is still to be walked to its end, which the next one has
 * to wait for: where the caller does not, _begin takes that time. */
bool rg_store_snapshot_pending(const struct rg_store *store);

/* ---- Entries ---- */

struct rg_bytes rg_entry_key(const struct rg_entry *entry);
enum rg_type rg_entry_type(const struct rg_entry *entry);
/* "string", "hash": as TYPE replies. */
const char *rg_type_name(enum rg_type type);
/* As OBJECT ENCODING replies: int, embstr (up to 44 bytes), raw, listpack, hashtable. */
const char *rg_entry_encoding(const struct rg_entry *entry);
/* Bytes held by the entry, for MEMORY USAGE. samples: collection elements to look at; 0 for all. */
uint64_t rg_entry_memory(const struct rg_entry *entry, uint64_t samples);

/* Unix time in milliseconds, or RG_NO_EXPIRY. */
int64_t rg_entry_expire_ms(const struct rg_entry *entry);
/* at_ms RG_NO_EXPIRY removes it. */
void rg_entry_set_expire_ms(struct rg_db *db, struct rg_entry **entry, int64_t at_ms);
/* An entry whose expiry is at or before now_ms, the earliest first; NULL for none. */
struct rg_entry *rg_db_due(struct rg_db *db, int64_t now_ms);
/* The earliest expiry in the database, or RG_NO_EXPIRY. */
int64_t rg_db_next_expire_ms(const struct rg_db *db);

/*
 * Access data for OBJECT IDLETIME/FREQ: a 24-bit word that the layer above sets and reads (LRU
 * seconds, or LFU minutes and counter). Setting it is not a change: pointers stay.
 */
uint32_t rg_entry_access(const struct rg_entry *entry);
void rg_entry_set_access(struct rg_entry *entry, uint32_t access);

/* ---- Strings. An entry of this type is either a 64-bit integer or bytes. ---- */

/* Creates or replaces (any type); keeps no expiry. Values of integer form become integers. */
struct rg_entry *rg_db_put_string(struct rg_db *db, struct rg_bytes key, struct rg_bytes value);
struct rg_entry *rg_db_put_i64(struct rg_db *db, struct rg_bytes key, int64_t value);
/* Replaces the value and keeps the expiry. */
void rg_string_replace(struct rg_db *db, struct rg_entry **entry, struct rg_bytes value);
/* The same by bytes that were changed in place: they stay bytes, and raw, as in Redis. */
void rg_string_rewrite(struct rg_db *db, struct rg_entry **entry, struct rg_bytes value);
void rg_string_replace_i64(struct rg_db *db, struct rg_entry **entry, int64_t value);

enum { RG_STRING_SCRATCH = 24 };
/* The bytes; an integer is written to scratch first. Valid until the entry changes. */
struct rg_bytes rg_string_get(const struct rg_entry *entry, char scratch[RG_STRING_SCRATCH]);
/* Errors: RG_EINVAL (not of integer form). */
RG_MUST_USE int rg_string_get_i64(const struct rg_entry *entry, int64_t *ret_value);
size_t rg_string_len(const struct rg_entry *entry);
/* The value ends up raw, as in Redis. tail lies outside the store. Errors: RG_ENOMEM. */
RG_MUST_USE int rg_string_append(struct rg_db *db, struct rg_entry **entry, struct rg_bytes tail);
/* Writes at offset, zero bytes up to there. bytes lie outside the store. Errors: RG_ENOMEM. */
RG_MUST_USE int rg_string_write_at(struct rg_db *db, struct rg_entry **entry, size_t offset,
                                   struct rg_bytes bytes);

/*
 * ---- Hashes. An empty hash does not stay: the caller deletes the entry. ----
 *
 * A packed one keeps integers as numbers, so that a field or value may have to be written out
 * first: into the caller's scratch, or the walk's own. Views are valid until the entry, or that
 * scratch, changes: what a walk shows is gone with its next step.
 */

/* Creates an empty one under a key that is free. */
struct rg_entry *rg_db_put_hash(struct rg_db *db, struct rg_bytes key);
/*
 * Creates one of all its fields at once, at least one: a run of pairs of elements with their back
 * sizes, each with the only code for its text (base/element.h). Errors: RG_EEXIST (a field comes
 * twice; nothing was created).
 */
RG_MUST_USE int rg_db_put_hash_run(struct rg_db *db, struct rg_bytes key, struct rg_bytes run,
                                   uint64_t pairs, struct rg_entry **ret_entry);
uint64_t rg_hash_len(const struct rg_entry *entry);
/* True where the field was new. Both lie outside the hash. */
bool rg_hash_set(struct rg_db *db, struct rg_entry **entry, struct rg_bytes field,
                 struct rg_bytes value);
/* False where there is none. */
bool rg_hash_get(const struct rg_entry *entry, struct rg_bytes field,
                 char scratch[RG_STRING_SCRATCH], struct rg_bytes *ret_value);
bool rg_hash_delete(struct rg_db *db, struct rg_entry **entry, struct rg_bytes field);
/* Where both of a pair are written out. */
struct rg_hash_scratch {
    char field[RG_STRING_SCRATCH];
    char value[RG_STRING_SCRATCH];
};
struct rg_hash_iter {
    const struct rg_entry *entry;
    uint64_t position[4];
    struct rg_hash_scratch scratch;
};
/* In insertion order while packed, as Redis. */
void rg_hash_iter_init(struct rg_hash_iter *iter, const struct rg_entry *entry);
bool rg_hash_iter_next(struct rg_hash_iter *iter, struct rg_bytes *ret_field,
                       struct rg_bytes *ret_value);
/* One field, each equally likely. The hash is not empty. */
void rg_hash_random(const struct rg_entry *entry, struct rg_rand *rand,
                    struct rg_hash_scratch *scratch, struct rg_bytes *ret_field,
                    struct rg_bytes *ret_value);
/* HSCAN: as rg_db_scan; a packed hash is visited whole. A pair is valid during the visit only. */
uint64_t rg_hash_scan(const struct rg_entry *entry, uint64_t cursor, uint64_t count,
                      void (*visit)(void *arg, struct rg_bytes field, struct rg_bytes value),
                      void *arg);

#endif
