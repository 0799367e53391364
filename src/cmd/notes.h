#ifndef RG_CMD_NOTES_H
#define RG_CMD_NOTES_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

/*
 * What a command did to keys, in order. The node makes three things of it: a transaction that
 * watches a changed key fails, a client that waits for it is served, and subscribers of keyspace
 * events are told. While nobody is interested nothing is kept.
 */

/* The letters of notify-keyspace-events, without K and E. */
enum rg_note_class {
    RG_NOTE_GENERIC = 1 << 0, /* g */
    RG_NOTE_STRING = 1 << 1,  /* $ */
    RG_NOTE_LIST = 1 << 2,    /* l */
    RG_NOTE_SET = 1 << 3,     /* s */
    RG_NOTE_HASH = 1 << 4,    /* h */
    RG_NOTE_ZSET = 1 << 5,    /* z */
    RG_NOTE_EXPIRED = 1 << 6, /* x */
    RG_NOTE_EVICTED = 1 << 7, /* e */
    RG_NOTE_STREAM = 1 << 8,  /* t */
    RG_NOTE_MISS = 1 << 9,    /* m: not part of A */
    RG_NOTE_MODULE = 1 << 10, /* d */
    RG_NOTE_NEW = 1 << 11,    /* n: not part of A */
};

struct rg_note {
    unsigned db;
    unsigned class;    /* one of enum rg_note_class; 0: no event, a change only */
    const char *event; /* "lpush"; lives for ever; NULL: a change only */
    bool changed;      /* false: an event that is no change (a miss) */
    size_t key_at;     /* in keys */
    size_t key_len;
};

struct rg_notes {
    unsigned wanted;     /* classes of events that are listened to */
    bool changes_wanted; /* somebody watches or waits for keys */
    struct rg_note *items;
    size_t count;
    size_t cap;
    struct rg_buf keys;
};

void rg_notes_fini(struct rg_notes *notes);
/* Forgets the notes, not what is wanted. */
void rg_notes_reset(struct rg_notes *notes);
struct rg_bytes rg_note_key(const struct rg_notes *notes, const struct rg_note *note);

struct rg_cmd_ctx;
/* The key changed, and subscribers of the class are told of the event: what nearly all need. */
void rg_cmd_note(struct rg_cmd_ctx *ctx, struct rg_bytes key, enum rg_note_class class,
                 const char *event);
void rg_cmd_note_in(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key,
                    enum rg_note_class class, const char *event);
/* A change without an event, and an event without a change. */
void rg_cmd_note_change(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key);
void rg_cmd_note_event(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key,
                       enum rg_note_class class, const char *event);
/* A key that was not there is: told before the event of the command that made it. */
void rg_cmd_note_new(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key);

#endif
