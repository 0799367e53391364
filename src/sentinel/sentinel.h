#ifndef RG_SENTINEL_SENTINEL_H
#define RG_SENTINEL_SENTINEL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "proto/resp.h"

/*
 * A sentinel: it watches primaries, their replicas and the other sentinels, agrees with those that
 * a primary is down, and makes one of the replicas the primary (docs/sentinel.md). Its messages,
 * replies, events and configuration file are the ones of Redis Sentinel 7.0.
 *
 * It is a state machine without I/O. In: the time, links that opened, closed or brought bytes,
 * files that became durable, scripts that ended, commands of clients. Out, pulled in order:
 * effects.
 */
struct rg_sentinel;

/* A connection that the sentinel asked for. Its word belongs to whoever carries it; NULL at first.
 */
struct rg_sentinel_link;

struct rg_sentinel_init {
    uint64_t seed; /* of everything random, of the id too where the configuration has none */
    struct rg_time now;
    uint16_t port;           /* its own, as others are told */
    const char *requirepass; /* its own; it logs in to other sentinels with it; copied */
    unsigned planted;        /* enum rg_sentinel_planted; 0 but in one test */
};

/* Faults for the simulator's own test; they exist only where RG_PLANTED_FAULTS is defined. */
enum rg_sentinel_planted {
    RG_SENTINEL_PLANTED_VOTE_TWICE = 1, /* a vote is given to everybody who asks */
};

struct rg_sentinel *rg_sentinel_new(const struct rg_sentinel_init *init);
void rg_sentinel_free(struct rg_sentinel *sentinel);

/* ---- The configuration ---- */

/*
 * The lines of a configuration file that begin with "sentinel", each without that word and already
 * split; in any order among the lines of one pass: rg_sentinel_pass says which of the passes 0, 1
 * and 2 a line belongs to. Errors: RG_EINVAL with the text that redis-server prints.
 */
int rg_sentinel_pass(struct rg_bytes option);
RG_MUST_USE int rg_sentinel_directive(struct rg_sentinel *sentinel, const struct rg_bytes *argv,
                                      int argc, const char **ret_error);
/* Everything was read: events, and the first state to be written. */
void rg_sentinel_start(struct rg_sentinel *sentinel, struct rg_time now);
/* All of the configuration and the state, a line each, beginning with "sentinel ". */
void rg_sentinel_write(const struct rg_sentinel *sentinel, struct rg_buf *out);

/* ---- Inputs ---- */

/* The host's word for a link. */
void rg_sentinel_link_set_user(struct rg_sentinel_link *link, void *user);
void *rg_sentinel_link_user(const struct rg_sentinel_link *link);

/* peer and local: numeric addresses of both ends; copied. */
void rg_sentinel_opened(struct rg_sentinel *sentinel, struct rg_sentinel_link *link,
                        const char *peer, const char *local, struct rg_time now);
/* What came in so far and was not taken yet; returns how much is taken. Errors: RG_EPROTO: the link
 * is of no use any more. */
RG_MUST_USE int64_t rg_sentinel_received(struct rg_sentinel *sentinel,
                                         struct rg_sentinel_link *link, struct rg_bytes bytes,
                                         struct rg_time now);
/* The link is gone, whoever ended it. refused: nobody listens there. The link is dead from here on.
 */
void rg_sentinel_closed(struct rg_sentinel *sentinel, struct rg_sentinel_link *link, bool refused,
                        struct rg_time now);
/* What was to be made durable is (0), or is not. */
void rg_sentinel_persisted(struct rg_sentinel *sentinel, uint64_t seq, int result,
                           struct rg_time now);
/* A script ended by itself, or by a signal (> 0). */
void rg_sentinel_script_ended(struct rg_sentinel *sentinel, uint64_t id, int status, int signal,
                              struct rg_time now);
/* What is due at this time. */
void rg_sentinel_step(struct rg_sentinel *sentinel, struct rg_time now);
int64_t rg_sentinel_deadline(const struct rg_sentinel *sentinel);

/* ---- Clients ---- */

/*
 * SENTINEL … ; argv[0] is that word. Returns 0 where the reply can go out now, else the number of
 * the state that has to be durable before (rg_sentinel_is_durable). Errors: RG_ENOENT: there is no
 * such subcommand, nothing was replied; RG_EINVAL: the same for the number of arguments.
 */
RG_MUST_USE int64_t rg_sentinel_command(struct rg_sentinel *sentinel, const struct rg_bytes *argv,
                                        int argc, struct rg_reply *reply, struct rg_time now);
bool rg_sentinel_is_durable(const struct rg_sentinel *sentinel, uint64_t seq);
/* Writing a state failed since, and none was written: who waits for one is told so. */
bool rg_sentinel_disk_failed(const struct rg_sentinel *sentinel);
/* A message to the channel of the sentinels came from a client or a link. */
#define RG_SENTINEL_CHANNEL "__sentinel__:hello"
void rg_sentinel_hello(struct rg_sentinel *sentinel, struct rg_bytes message, struct rg_time now);
/* The lines of INFO sentinel, without the title. */
void rg_sentinel_info(const struct rg_sentinel *sentinel, struct rg_buf *out);
/* ROLE. */
void rg_sentinel_role(const struct rg_sentinel *sentinel, struct rg_reply *reply);
const char *rg_sentinel_id(const struct rg_sentinel *sentinel);

/* ---- Effects ---- */

enum rg_sentinel_effect_type {
    RG_SENTINEL_CONNECT, /* dial host:port for link; then opened or closed */
    RG_SENTINEL_CLOSE,   /* close link; closed follows */
    RG_SENTINEL_SEND,    /* bytes on link */
    RG_SENTINEL_PUBLISH, /* text to the clients that listen to channel */
    RG_SENTINEL_SAY,     /* text for the log, at level */
    RG_SENTINEL_PERSIST, /* rg_sentinel_write's text of this moment; then persisted(seq) */
    RG_SENTINEL_SCRIPT,  /* run argv (ended by NULL); then script_ended(id) */
    RG_SENTINEL_SCRIPT_KILL,
    RG_SENTINEL_EXIT, /* a simulated crash */
};
enum rg_sentinel_level {
    RG_SENTINEL_DEBUG,
    RG_SENTINEL_VERBOSE,
    RG_SENTINEL_NOTICE,
    RG_SENTINEL_WARNING
};
enum { RG_SENTINEL_SCRIPT_ARGS = 16 };

/* Pointers in it hold until the next call. */
struct rg_sentinel_effect {
    enum rg_sentinel_effect_type type;
    struct rg_sentinel_link *link;
    const char *host;
    uint16_t port;
    struct rg_bytes bytes; /* SEND, PUBLISH, SAY */
    const char *channel;
    enum rg_sentinel_level level;
    uint64_t seq; /* PERSIST */
    uint64_t id;  /* of a script */
    const char *argv[RG_SENTINEL_SCRIPT_ARGS + 1];
};
bool rg_sentinel_next_effect(struct rg_sentinel *sentinel, struct rg_sentinel_effect *ret_effect);

/* ---- For the simulator and tests ---- */

struct rg_sentinel_view {
    const char *name; /* of the primary; borrowed */
    const char *host; /* as clients are told */
    uint16_t port;
    uint64_t config_epoch;
    uint64_t current_epoch;
    bool leads; /* it was elected in failover_epoch and acts */
    uint64_t failover_epoch;
    bool promotes;        /* … and has told `promoted` to take writes */
    const char *promoted; /* "host:port"; NULL */
};
/* False past the last primary. */
bool rg_sentinel_view(const struct rg_sentinel *sentinel, unsigned index,
                      struct rg_sentinel_view *ret_view);

#endif
