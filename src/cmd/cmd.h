#ifndef RG_CMD_CMD_H
#define RG_CMD_CMD_H

#include <stdint.h>

#include "base/rand.h"
#include "base/time.h"
#include "cmd/access.h"
#include "cmd/notes.h"
#include "cmd/table.h"
#include "proto/resp.h"
#include "store/store.h"

/*
 * What a data command sees of the server. Handlers read argv, change the store, write exactly one
 * reply, and say what the log must carry: nothing, their own words, or other words in their place.
 */

/* What a lookup does with an entry past its expiry. */
enum rg_expiry {
    RG_EXPIRY_DELETE, /* a primary: deletes it, and the log gets a DEL */
    RG_EXPIRY_HIDE,   /* a replica serving clients: as if it were not there; the DEL will come */
    RG_EXPIRY_IGNORE, /* applying the primary's stream: an entry like any other */
};

/* Commands for the log, in order, each with its database. */
struct rg_propagation {
    struct rg_buf bytes; /* RESP requests, one after the other */
    struct rg_propagated {
        unsigned db;
        size_t len;
    } * items; /* owned */
    size_t count;
    size_t cap;
    bool replaced; /* the command's own words are not to be added */
};

void rg_propagation_fini(struct rg_propagation *propagation);
void rg_propagation_reset(struct rg_propagation *propagation);
void rg_propagation_add(struct rg_propagation *propagation, unsigned db,
                        const struct rg_bytes *argv, int argc);

/* Takes the last ones back, so that `count` remain. */
void rg_propagation_truncate(struct rg_propagation *propagation, size_t count);

struct rg_cmd_counters {
    uint64_t keyspace_hits;
    uint64_t keyspace_misses;
    uint64_t expired_keys;
    uint64_t evicted_keys;
};

/*
 * A command that found nothing and wants to be run again, with the same words, when one of its keys
 * changed (BLPOP and its like). Its keys stand in a row in argv. It has written no reply.
 */
struct rg_cmd_wait {
    bool wanted;
    int first_key;
    int keys;
    int64_t timeout_us; /* 0: for ever */
};

/* How values are serialized for DUMP and RESTORE, which a layer above knows. */
struct rg_cmd_codec {
    /* Puts the payload at the end of out. */
    void (*dump)(const void *arg, const struct rg_entry *entry, struct rg_buf *out);
    /*
     * Puts the value under a key of the database that is free, or leaves it free. Errors: RG_EPROTO
     * (not a payload of a version that is known, with its checksum), others (it holds no valid
     * value).
     */
    int (*restore)(const void *arg, struct rg_store *store, unsigned db, struct rg_bytes key,
                   struct rg_bytes payload);
    const void *arg;
};

struct rg_cmd_ctx {
    struct rg_store *store;
    unsigned db_index;
    struct rg_db *db;
    struct rg_time now;
    struct rg_rand *rand;
    struct rg_reply *reply;
    const struct rg_command *command;
    const struct rg_bytes *argv;
    int argc;
    enum rg_expiry expiry;
    bool no_touch;                 /* CLIENT NO-TOUCH and OBJECT: leave access data alone */
    uint64_t max_bulk_len;         /* proto-max-bulk-len: strings grow no longer */
    uint64_t hll_sparse_max_bytes; /* hll-sparse-max-bytes */
    const struct rg_access *access;
    const struct rg_cmd_codec *codec;
    struct rg_cmd_counters *counters;
    struct rg_propagation *propagation;
    struct rg_notes *notes;
    bool may_wait; /* false in a transaction and in a stream: what would wait replies null */
    bool resumed;  /* run again for a client that waits: a key of another type is no error */
    struct rg_cmd_wait wait;
    uint64_t dirty; /* changes made; above 0 the command goes to the log */
};

/*
 * Runs a data command (command->run). Afterwards the log gets: propagation's items, then, where
 * dirty > 0 and not replaced, argv itself in db_index.
 */
void rg_cmd_run(struct rg_cmd_ctx *ctx);

/*
 * Deletes up to max entries past their expiry, with a DEL in the propagation each; returns how
 * many. For the active cycle of a primary.
 */
unsigned rg_cmd_expire_due(struct rg_cmd_ctx *ctx, unsigned max);
/* Deletes a key of any database whose time has come, likewise. */
void rg_cmd_expire(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key);
/* Deletes a key of any database to make room, with a DEL in the propagation. */
void rg_cmd_evict(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key);

#endif
