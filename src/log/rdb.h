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

enum { RG_RDB_VERSION = 10 };

/* ---- Writing: everything goes to the end of a buffer that the caller may consume as it likes. */

struct rg_rdb_writer {
    struct rg_buf *out; /* borrowed */
    bool compress;      /* rdbcompression: LZF for strings over 20 bytes */
    bool checksum;      /* rdbchecksum */
    uint64_t crc;
};

void rg_rdb_write_begin(struct rg_rdb_writer *writer, struct rg_buf *out, bool compress,
                        bool checksum);
void rg_rdb_write_aux(struct rg_rdb_writer *writer, struct rg_bytes name, struct rg_bytes value);
void rg_rdb_write_aux_i64(struct rg_rdb_writer *writer, const char *name, int64_t value);
void rg_rdb_write_db(struct rg_rdb_writer *writer, unsigned db, uint64_t keys, uint64_t expiring);
/* expire_ms: Unix time, or -1. */
void rg_rdb_write_string(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                         struct rg_bytes value);
/* As many calls of _hash_field follow as it has fields (at least one). */
void rg_rdb_write_hash(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                       uint64_t fields);
void rg_rdb_write_hash_field(struct rg_rdb_writer *writer, struct rg_bytes field,
                             struct rg_bytes value);
/* The end mark and the checksum. */
void rg_rdb_write_end(struct rg_rdb_writer *writer);

/* ---- Reading: fed in pieces as they arrive; one event at a time. ---- */

enum rg_rdb_event_type {
    RG_RDB_AUX,        /* key is its name, value its value */
    RG_RDB_DB,         /* db is the number that the following keys are in */
    RG_RDB_STRING,     /* key, expire_ms, value */
    RG_RDB_HASH,       /* key, expire_ms, count: fields that follow, never 0 */
    RG_RDB_HASH_FIELD, /* key is the field, value its value */
    RG_RDB_FUNCTION,   /* value is the source of a library of functions */
    RG_RDB_END,        /* the checksum held, or there was none */
};

struct rg_rdb_event {
    enum rg_rdb_event_type type;
    struct rg_bytes key;   /* borrowed until the next call */
    struct rg_bytes value; /* borrowed until the next call */
    int64_t expire_ms;     /* Unix time, or -1 */
    uint64_t count;
    unsigned db;
};

struct rg_rdb_reader;

struct rg_rdb_reader *rg_rdb_reader_new(void);
void rg_rdb_reader_free(struct rg_rdb_reader *reader);
/*
 * Copies the next piece. Memory grows with the bytes that came, never with what a length claims.
 * Where there is none for the piece, the next call of _next says so.
 */
void rg_rdb_reader_feed(struct rg_rdb_reader *reader, struct rg_bytes piece);
/*
 * Errors: RG_EAGAIN (feed more), RG_ECORRUPT, RG_ETYPE (a kind of value that this version does not
 * hold), RG_ENOMEM; rg_rdb_reader_error says what and at which offset.
 */
RG_MUST_USE int rg_rdb_reader_next(struct rg_rdb_reader *reader, struct rg_rdb_event *ret_event);
const char *rg_rdb_reader_error(const struct rg_rdb_reader *reader);
/* Bytes fed that lie behind the end mark (after RG_RDB_END): the stream goes on with them. */
struct rg_bytes rg_rdb_reader_rest(const struct rg_rdb_reader *reader);
/* Bytes of the file taken so far. */
uint64_t rg_rdb_reader_offset(const struct rg_rdb_reader *reader);

#endif
