#ifndef RG_CORE_GROUP_H
#define RG_CORE_GROUP_H

#include <stdint.h>

#include "base/buf.h"
#include "base/rand.h"
#include "base/time.h"
#include "core/mode.h"
#include "proto/group_wire.h"

/*
 * A group of nodes that elects its own primary: terms, votes, promises, the detector, the lease,
 * amnesia, hand-over. A pure state machine: events go in with their time, effects come out in
 * order, a deadline says when to call again. It holds no log; the node tells it where its log ends.
 * docs/failover.md is the protocol; its numbered invariants are cited in the code.
 *
 * A call may put effects into the queue; the caller drains it (rg_group_next_effect) after every
 * call, before the next, and carries each out at once.
 */
struct rg_group;

struct rg_group_config {
    unsigned members;                        /* 1 to RG_GROUP_MAX_MEMBERS */
    unsigned self;                           /* index in the sorted list of members */
    const char *names[RG_GROUP_MAX_MEMBERS]; /* "host:port", for narration; copied */
    int64_t node_timeout_us;                 /* silence after which a primary counts as dead */
    int64_t heartbeat_us;
    int64_t lease_us;  /* less than node_timeout_us, more than two heartbeats */
    enum rg_mode mode; /* used where the log names none yet, and when elected */
    uint32_t priority; /* replica-priority */
    uint64_t seed;
    unsigned planted; /* enum rg_planted; 0 */
};

struct rg_group_position {
    uint64_t term;   /* of the last byte; 0 for an empty log */
    uint64_t offset; /* end of the log */
};

/* What survives a crash: the state file (invariants 1 and 5). */
struct rg_group_durable {
    uint64_t term;
    int voted_for; /* member index; -1: nobody in this term */
    bool formed;   /* the group had a primary once, and this node followed it or was it */
    /* Term of the election that gave the group its first primary; 0: not known here. Every formed
     * node knows it, unless its file is of the version that did not hold it. */
    uint64_t founded;
    enum rg_mode founded_mode; /* with which it began; meaningless where founded is 0 */
    /* Term of the first promise in a first election that was given since this file began; 0: none.
     * Not above founded: the file is older than the first primary (docs/failover.md, "Forgetting").
     */
    uint64_t first_promise;
    /* All that this node ever acknowledged is in its log on disk (docs/failover.md, "Durability"),
     * which ended no earlier than at `disk` when this file was written. */
    bool on_disk;
    struct rg_group_position disk; /* {0, 0} where on_disk is false */
    uint64_t incarnation;
    /* After a clean stop: the log was saved whole up to here. Cleared at the next start. */
    bool clean;
    uint64_t clean_offset;
    char clean_replid[41];
};

/* The state file: a few lines of text with a checksum. Errors of parse: RG_ECORRUPT. */
void rg_group_durable_format(const struct rg_group_durable *durable, struct rg_buf *out);
RG_MUST_USE int rg_group_durable_parse(struct rg_bytes text, struct rg_group_durable *ret_durable);

enum rg_group_effect_type {
    RG_GROUP_SEND,      /* msg to peer; lost where the link is down */
    RG_GROUP_PERSIST,   /* write durable, then call rg_group_persisted(seq) */
    RG_GROUP_LEAD,      /* be primary of term: new replication id, append the term's record, then
                           rg_group_led() */
    RG_GROUP_STEP_DOWN, /* no longer primary; open replies fail, replica links close */
    RG_GROUP_FOLLOW,    /* replicate from peer in term (again, if already) */
    RG_GROUP_UNFOLLOW,  /* close the replication stream; from now on acknowledge nothing of it */
    RG_GROUP_HOLD,      /* hold back clients' writes: a hand-over is on its way */
    RG_GROUP_RESUME,    /* hand-over over; ok says whether it succeeded (STEP_DOWN came before) */
    RG_GROUP_SWITCHED,  /* the group's primary is now peer (for +switch-master and clients) */
    RG_GROUP_SAY,       /* text: one line of narration for the log */
};

struct rg_group_effect {
    enum rg_group_effect_type type;
    unsigned peer;
    uint64_t term;
    uint64_t seq;
    bool ok;
    bool warn; /* SAY: at warning level */
    struct rg_group_msg msg;
    struct rg_group_durable durable;
    char text[256];
};

/* durable: what the state file held, NULL where there was none. log_complete: the log that the node
 * starts with is all it ever acknowledged (after a clean stop, or rg_group_disk_complete); false
 * after any other restart. */
struct rg_group *rg_group_new(const struct rg_group_config *config,
                              const struct rg_group_durable *durable, bool log_complete,
                              struct rg_group_position position, int64_t now_us);
void rg_group_free(struct rg_group *group);

bool rg_group_next_effect(struct rg_group *group, struct rg_group_effect *ret_effect);
/* When to call rg_group_tick next; RG_NEVER is possible only for a group of one. */
int64_t rg_group_deadline(const struct rg_group *group);

/* ---- Events. All times are rg_time.mono_us. ---- */

void rg_group_tick(struct rg_group *group, int64_t now_us);
/*
 * The end of the own log moved. Call before any other event of the same moment. When the log is
 * dropped to be loaded anew, call with {0, 0} first: a log that moves backwards counts as forgotten
 * until RG_STREAM_SYNCED. Never backwards on a primary.
 */
void rg_group_log_at(struct rg_group *group, struct rg_group_position position);
/*
 * The log was replaced as a whole by the followed primary's (its snapshot), adopted in one step:
 * what it held before, modes' records too, says nothing any more. The snapshot's mode and
 * RG_STREAM_SYNCED follow at once. Not on a primary.
 */
void rg_group_log_loaded(struct rg_group *group, struct rg_group_position position);
/* A term's or mode's record in the log was appended or applied: the mode in force from it on. In
 * order of the log; also for each record known in the log that the node starts with or loads. */
void rg_group_log_mode(struct rg_group *group, enum rg_mode mode, uint64_t record_end);
/*
 * The records that count at the end of the log, as a line of text that goes with a snapshot, and
 * back: a log that was loaded from one knows as much of its modes as its source did. Loading comes
 * behind the rg_group_log_at of the loaded log. Errors: RG_EINVAL (nothing changed).
 */
void rg_group_modes_format(const struct rg_group *group, struct rg_buf *out);
RG_MUST_USE int rg_group_modes_load(struct rg_group *group, struct rg_bytes text);
/*
 * How far the log is durable on this node's disk, to be called behind rg_group_log_at where it
 * changed, and once before the first event. wanted: only what is durable counts as held from now
 * on (replication-durability disk). whole: the disk holds all of this log up to `synced`; else
 * nothing of it counts.
 */
void rg_group_log_on_disk(struct rg_group *group, bool wanted, bool whole,
                          struct rg_group_position synced, int64_t now_us);
/* The end of the own log that counts as held by this node, and is all that it may acknowledge. */
uint64_t rg_group_held(const struct rg_group *group);
/* Is the log on disk all that this node ever acknowledged, where it was read up to position? */
bool rg_group_disk_complete(const struct rg_group_durable *durable,
                            struct rg_group_position position);
/* replica-priority changed. */
void rg_group_set_priority(struct rg_group *group, uint32_t priority);
/* This node cannot persist: as a primary it hands over, and it stands only where no other can. */
void rg_group_set_ill(struct rg_group *group, bool ill, int64_t now_us);
/* A peer's message link, either way round. down includes "refused". */
void rg_group_link(struct rg_group *group, unsigned peer, bool up, int64_t now_us);
void rg_group_receive(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                      int64_t now_us);
void rg_group_persisted(struct rg_group *group, uint64_t seq, int64_t now_us);

enum rg_stream_event {
    RG_STREAM_UP,       /* handshake done: bytes of the primary's log arrive */
    RG_STREAM_ALIVE,    /* bytes arrived */
    RG_STREAM_LOST,     /* the established stream closed; the node dials again at once */
    RG_STREAM_REFUSED,  /* dialling was refused: nobody listens there */
    RG_STREAM_REJECTED, /* the peer answered that it is not the primary of this term */
    RG_STREAM_SYNCED,   /* a full or partial resync in this term is complete: the log is whole */
};
/* Of the stream that the last FOLLOW asked for. */
void rg_group_stream(struct rg_group *group, enum rg_stream_event event, int64_t now_us);

/* LEAD was carried out: the term's record ends at record_end. */
void rg_group_led(struct rg_group *group, uint64_t record_end, int64_t now_us);
/* A member acknowledged, on a replication link of this node's current term, the log up to offset.
 */
void rg_group_acked(struct rg_group *group, unsigned peer, uint64_t offset, int64_t now_us);
/*
 * Hands over to target, or to the best follower where it is -1. Errors: RG_EINVAL (not the primary,
 * or target unfit), RG_EEXIST (one is under way).
 */
RG_MUST_USE int rg_group_hand_over(struct rg_group *group, int target, int64_t timeout_us,
                                   int64_t now_us);
/*
 * The operator's decision after amnesia of too many: this node's log counts as the whole truth, and
 * it may stand for election with the votes of all that can still be reached, a majority at least.
 * A primary may be told so, too, where a majority forgot all: it gives up its office and stands
 * anew. Errors: RG_EINVAL (a primary is known, or the group is not stuck and this node forgot
 * nothing).
 */
RG_MUST_USE int rg_group_recover(struct rg_group *group, int64_t now_us);
/* A reader on this follower waits for offset to be committed. */
void rg_group_want_commit(struct rg_group *group, uint64_t offset, int64_t now_us);

/* ---- Questions ---- */

/* The offset up to which replies of a connection in `mode` may go out now; 0 where none may, for
 * want of a lease or a primary (invariant 2). UINT64_MAX in async mode. */
uint64_t rg_group_released(const struct rg_group *group, enum rg_mode mode, int64_t now_us);
/* May the node acknowledge bytes of the stream that FOLLOW opened for `term`? */
bool rg_group_may_ack(const struct rg_group *group, uint64_t term);
/* Is this the primary, and did a majority answer within the node timeout? Otherwise commands are
 * refused at once instead of being left to time out. */
bool rg_group_can_serve(const struct rg_group *group, int64_t now_us);
/* Does a promise in `mode` hold in this group (one connection may ask for more than the others)? */
bool rg_group_mode_promises(const struct rg_group *group, enum rg_mode mode);

struct rg_group_member_view {
    bool link_up;
    enum rg_member_state state;
    enum rg_member_role role;
    struct rg_group_position position;
    uint64_t acked;       /* primary only */
    int64_t last_seen_us; /* monotonic; 0: never */
    uint64_t incarnation;
    uint32_t priority;
};

struct rg_group_view {
    uint64_t term;
    int voted_for;
    enum rg_member_role role;
    enum rg_member_state state;
    int primary; /* -1: unknown */
    enum rg_mode mode;
    uint64_t commit;
    uint64_t held; /* rg_group_held */
    bool on_disk;  /* all that was ever acknowledged is on disk, and the state file says so */
    bool ill;
    int64_t lease_until_us; /* primary: end of the lease; 0: none */
    bool handing_over;
    bool stuck;         /* too many forgot: an operator must decide */
    uint64_t elections; /* won by this node since it started */
    uint64_t leader_changes;
    struct rg_group_member_view members[RG_GROUP_MAX_MEMBERS];
};
void rg_group_view(const struct rg_group *group, int64_t now_us, struct rg_group_view *ret_view);

#endif
