#ifndef RG_LOG_RDB_H
#define RG_LOG_RDB_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/error.h"

/*
 * RDB files, as Redis 7.0 writes them (version 10) and as Redis 2.6 and later wrote them. The codec
 * knows the format only: it turns keys and values into events and back, and holds no keyspace.
 * Format: "Redis RDB Dump File Format" (rdb.fnordig.de) and the files of a running redis-server.
 */

enum {
    RG_RDB_VERSION = 10,         /* that is written */
    RG_RDB_VERSION_READ_MAX = 11 /* Redis 7.2's, but for its new forms of streams */
};

/* ---- Writing: everything goes to the end of a buffer that the caller may consume as it likes. */

struct rg_rdb_writer {
    struct rg_buf *out; /* borrowed */
    bool compress;      /* rdbcompression: LZF for strings over 20 bytes */
    bool checksum;      /* rdbchecksum */
    bool bare;          /* a payload: values stand without key and expiry */
    uint64_t crc;
    /* Of the collection whose elements are being given. */
    unsigned form;
    uint64_t left;       /* elements to come, where their number was said before */
    uint64_t items;      /* in pack */
    uint64_t nodes;      /* in list */
    struct rg_buf pack;  /* elements of a packed form */
    struct rg_buf list;  /* finished nodes of a list */
    struct rg_buf spare; /* what is compressed */
};

void rg_rdb_write_begin(struct rg_rdb_writer *writer, struct rg_buf *out, bool compress,
                        bool checksum);
/* Its memory; the buffer is the caller's. Any number of times. */
void rg_rdb_writer_fini(struct rg_rdb_writer *writer);
void rg_rdb_write_aux(struct rg_rdb_writer *writer, struct rg_bytes name, struct rg_bytes value);
void rg_rdb_write_aux_i64(struct rg_rdb_writer *writer, const char *name, int64_t value);
void rg_rdb_write_db(struct rg_rdb_writer *writer, unsigned db, uint64_t keys, uint64_t expiring);
/* Of the key that follows: seconds since it was used, or its counter of uses. */
void rg_rdb_write_idle(struct rg_rdb_writer *writer, uint64_t idle_s);
void rg_rdb_write_freq(struct rg_rdb_writer *writer, uint8_t freq);
/* expire_ms: Unix time, or -1. */
void rg_rdb_write_string(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                         struct rg_bytes value);
/* Any number of calls of _list_element follow, then one of _list_end. */
void rg_rdb_write_list(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms);
void rg_rdb_write_list_element(struct rg_rdb_writer *writer, struct rg_bytes element);
void rg_rdb_write_list_end(struct rg_rdb_writer *writer);
/*
 * The same where the runs that the list lies in are known: as many calls of _list_node follow, each
 * with the elements of one, each exact and with its back size (base/element.h).
 */
void rg_rdb_write_list_nodes(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                             uint64_t nodes);
void rg_rdb_write_list_node(struct rg_rdb_writer *writer, struct rg_bytes run, uint64_t elements);
/*
 * As many calls for an element follow as were said (at least one). packed: redis-server loads it
 * into its form for small ones: a set into an intset (all members are integers then, in ascending
 * order), the others into a listpack (a sorted set's members come in its order).
 */
void rg_rdb_write_set(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                      uint64_t members, bool packed);
void rg_rdb_write_set_member(struct rg_rdb_writer *writer, struct rg_bytes member);
void rg_rdb_write_zset(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                       uint64_t members, bool packed);
void rg_rdb_write_zset_member(struct rg_rdb_writer *writer, struct rg_bytes member, double score);
void rg_rdb_write_hash(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                       uint64_t fields, bool packed);
void rg_rdb_write_hash_field(struct rg_rdb_writer *writer, struct rg_bytes field,
                             struct rg_bytes value);
/*
 * Parts of a file may be written aside, by writers of their own without a checksum that begin with
 * _write_aside. Their bytes go to the file by _write_raw; a collection that is not at its end is
 * gone on with in the file itself after _write_resume.
 */
void rg_rdb_write_aside(struct rg_rdb_writer *writer, struct rg_buf *out, bool compress);
void rg_rdb_write_raw(struct rg_rdb_writer *writer, struct rg_bytes bytes);
/* The collection in `aside` is none of the forms that are loaded as they stand. */
void rg_rdb_write_resume(struct rg_rdb_writer *writer, const struct rg_rdb_writer *aside);
/* The end mark and the checksum; then rg_rdb_writer_fini. */
void rg_rdb_write_end(struct rg_rdb_writer *writer);

/*
 * In place of a file the payload of DUMP: one value, written as above (its key and expiry are left
 * out), then the version and the checksum of all of it.
 */
void rg_rdb_write_payload_begin(struct rg_rdb_writer *writer, struct rg_buf *out, bool compress);
void rg_rdb_write_payload_end(struct rg_rdb_writer *writer);

/* ---- Reading: fed in pieces as they arrive; one event at a time. ---- */

enum rg_rdb_event_type {
    RG_RDB_AUX,    /* key is its name, value its value */
    RG_RDB_DB,     /* db is the number that the following keys are in */
    RG_RDB_SIZE,   /* count: about as many keys will follow in this database */
    RG_RDB_STRING, /* a key with its value */
    RG_RDB_LIST,   /* a key; elements follow, at least one, as long as there are such events */
    RG_RDB_LIST_ELEMENT, /* value; they come from head to tail */
    RG_RDB_LIST_RUN,     /* value: a run of count of them; only for who takes runs */
    RG_RDB_SET,          /* a key, count: members that follow, never 0 */
    RG_RDB_SET_MEMBER,   /* key is the member */
    RG_RDB_ZSET,         /* a key, count: members that follow, never 0 */
    RG_RDB_ZSET_MEMBER,  /* key is the member; score; they come in any order */
    RG_RDB_HASH,         /* a key, count: fields that follow, never 0 */
    RG_RDB_HASH_FIELD,   /* key is the field, value its value */
    RG_RDB_FUNCTION,     /* value is the source of a library of functions */
    RG_RDB_END,          /* the checksum held, or there was none */
};

/*
 * The structure of packed forms is checked before their first element is shown. That members and
 * fields are different is left to whoever stores them: the codec holds no collection.
 */
struct rg_rdb_event {
    enum rg_rdb_event_type type;
    struct rg_bytes key;   /* borrowed until the next call */
    struct rg_bytes value; /* borrowed until the next call */
    double score;          /* not NaN */
    uint64_t count;
    unsigned db;
    int64_t expire_ms; /* of a key: Unix time, or -1 */
    int64_t idle_s;    /* of a key: seconds since it was used, or -1 */
    int freq;          /* of a key: its counter of uses, or -1 */
};

struct rg_rdb_reader;

struct rg_rdb_reader *rg_rdb_reader_new(void);
/*
 * For the payload of DUMP in place of a file: events of one value under an empty key, or none for a
 * collection without elements, then RG_RDB_END. The payload is copied. Errors: RG_ECORRUPT (its
 * version is too new, or the checksum does not hold), RG_ENOMEM.
 */
RG_MUST_USE int rg_rdb_reader_new_payload(struct rg_bytes payload,
                                          struct rg_rdb_reader **ret_reader);
void rg_rdb_reader_free(struct rg_rdb_reader *reader);
/*
 * From now on elements are shown together where they lie together in the file in a form that can be
 * taken as it is: those of a node of a list by RG_RDB_LIST_RUN, all of a small hash or sorted set,
 * or of a set of integers, by the value of the key's event, behind which no elements follow. (The
 * value is empty where they do.) A run is elements with their back sizes, each with the only code
 * for its text (base/element.h), a hash's fields and a sorted set's members each followed by their
 * value, or score. A set of integers comes as these, all as wide, in ascending order.
 */
void rg_rdb_reader_take_runs(struct rg_rdb_reader *reader);
/*
 * Copies the next piece. Memory grows with the bytes that came, never with what a length claims.
 * Where there is none for the piece, the next call of _next says so.
 */
void rg_rdb_reader_feed(struct rg_rdb_reader *reader, struct rg_bytes piece);
/*
 * Errors: RG_EAGAIN (feed more; never of a payload), RG_ECORRUPT, RG_ETYPE (a kind of value that
 * this version does not hold), RG_ENOMEM; rg_rdb_reader_error says what and at which offset.
 */
RG_MUST_USE int rg_rdb_reader_next(struct rg_rdb_reader *reader, struct rg_rdb_event *ret_event);
/*
 * Shows keys that lie ahead in the bytes fed, each one once and a few at a time, so that whoever
 * stores them can prepare. A key has the address that its event will show. False: none for now.
 */
bool rg_rdb_reader_ahead(struct rg_rdb_reader *reader, struct rg_bytes *ret_key);
const char *rg_rdb_reader_error(const struct rg_rdb_reader *reader);
/* Bytes fed that lie behind the end mark (after RG_RDB_END): the stream goes on with them. */
struct rg_bytes rg_rdb_reader_rest(const struct rg_rdb_reader *reader);
/* Bytes of the file taken so far. */
uint64_t rg_rdb_reader_offset(const struct rg_rdb_reader *reader);

#endif
