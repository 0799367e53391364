#ifndef RG_CORE_GROUP_STATE_H
#define RG_CORE_GROUP_STATE_H

#include "core/group.h"
#include "core/planted.h"

/*
 * What the files of core/group share. Every event ends in group_step (group.c), which looks at all
 * timers, so that no file has to remember to wake another.
 */

enum { GROUP_PING_RING = 64, GROUP_MODES_MAX = 32 };

enum group_answer { GROUP_NO_ANSWER, GROUP_YES, GROUP_NO };

struct group_member {
    char *name; /* owned */
    bool link_up;
    bool heard; /* a status came since this node started */
    enum rg_member_state state;
    enum rg_member_role role;
    int primary;
    uint64_t term;
    struct rg_group_position position;
    uint64_t incarnation;
    uint32_t priority;
    int64_t last_seen_us;
    int64_t last_pong_us;     /* when its last PONG of this node's term of office came */
    int64_t lease_from_us;    /* when the PING was sent that it answered last; as primary only */
    int64_t lease_given_us;   /* when this node last promised it a lease */
    uint64_t acked;           /* of this node's term of office */
    uint64_t want;            /* it wants to hear of this commit; 0: nothing */
    enum group_answer answer; /* to the attempt under way */
    bool told_term;           /* to a node that forgot all */
};

/* A mode's record in the log. */
struct group_mode {
    enum rg_mode mode;
    uint64_t record_end;
};

struct group_modes {
    struct group_mode list[GROUP_MODES_MAX]; /* [0] is the newest known to be committed */
    unsigned count;                          /* at least 1 */
    bool base_unknown; /* the committed one before list[0] is not known: assume the worst */
};

/*
 * An attempt to become primary:
 *
 *     IDLE --stand--> ASKING --v yeses--> WRITING --durable--> VOTING --v promises--> (LEAD) IDLE
 *       ^               |                    |                   |
 *       +---------------+--- refused, late, or a primary is heard +
 */
enum group_attempt { ATTEMPT_IDLE, ATTEMPT_ASKING, ATTEMPT_WRITING, ATTEMPT_VOTING };

struct group_election {
    enum group_attempt attempt;
    uint64_t term;
    uint64_t seq;
    bool bootstrap; /* the first election of a fresh group: all must promise */
    bool handover;  /* the primary asked for it */
    bool recovery;  /* the operator did (rg_group_recover) */
    bool quiet;     /* a failure of this kind was narrated already */
    int64_t until_us;
    int64_t stand_at_us; /* RG_NEVER: nothing to stand for */
    int64_t pause_us;
    int64_t ahead_until_us; /* until then a candidate that this node is ahead of counts as near */

    /* The promise this node gave, until it is durable and told. */
    bool owes_voted;
    unsigned voted_peer;
    uint64_t voted_seq;
    bool voted_handover;
    uint64_t vote_persist; /* PERSIST that holds the vote for oneself or another */
    int64_t promised_us;
};

/*
 * A hand-over, as its old primary sees it:
 *
 *     IDLE --> CATCHING_UP --all acknowledged--> ASKED --VOTE of target--> GONE --> IDLE
 *               |                                  |                        |
 *               +---------- too late: RESUME ------+------------------------+
 */
enum group_handover_state { HANDOVER_IDLE, HANDOVER_CATCHING_UP, HANDOVER_ASKED, HANDOVER_GONE };

struct group_handover {
    enum group_handover_state state;
    unsigned target;
    int64_t until_us;
    int64_t retry_us; /* of a caretaker (priority 0) that wants to be relieved */
};

/* The own log on disk, as the node told last. */
struct rg_group_disk {
    bool wanted;
    bool whole;
    struct rg_group_position synced;
    bool from_known;
    uint64_t from;    /* nothing behind it was acknowledged before it was durable */
    uint64_t persist; /* PERSIST that first held the present claim, or that there is none */
};

struct rg_group {
    struct rg_group_config config;
    struct rg_rand rand;
    struct group_member members[RG_GROUP_MAX_MEMBERS];
    int64_t start_us;

    struct rg_group_effect *effects; /* owned ring without wrap: drained from head */
    unsigned effects_head;
    unsigned effects_count;
    unsigned effects_cap;

    struct rg_group_durable durable; /* as it should be on disk */
    uint64_t persist_seq;            /* of the last PERSIST */
    uint64_t persisted_seq;          /* greatest that is durable */
    uint64_t term_persist;           /* PERSIST that first held durable.term */
    uint64_t formed_persist;         /* PERSIST that first held formed */
    uint64_t told_term;              /* newest durable term: the one that may be told */
    uint64_t seen_term;              /* greatest heard of */

    enum rg_member_role role;
    enum rg_member_state state;
    int primary;  /* followed in durable.term; -1: nobody, or this node itself */
    int switched; /* whom SWITCHED named last; -1: nobody */
    bool following;
    bool synced; /* the log is a prefix of the followed primary's */
    uint64_t
        whole_at; /* … and from this end on all that a node which forgot can have acknowledged */
    struct rg_group_position position;
    struct rg_group_disk disk;
    bool ill; /* its disk fails it */

    /* Detector. */
    bool evidence; /* the primary's death is more than silence */
    bool orphan;   /* there was a primary, and it is gone for certain */
    bool said_dead;
    bool start_over; /* the node timeout has passed since the start */
    int64_t primary_heard_us;

    /* Office. */
    bool led;            /* the term's record was appended */
    uint64_t record_end; /* its end */
    uint64_t commit;
    struct group_modes modes;

    /* Lease. */
    uint64_t ping_seq;
    int64_t ping_sent_us[GROUP_PING_RING];
    int64_t next_ping_us;
    int64_t lease_start_us; /* what this node gave before its start is unknown: a whole lease */
    int64_t lease_wait_us;  /* a new primary releases nothing before */
    bool lease_released;    /* the old primary gave its lease back */

    struct group_election election;
    struct group_handover handover;

    /* Amnesia. */
    uint64_t told_from_seq; /* PONGs of PINGs from this one on count */
    int64_t recall_from_us; /* RG_NEVER unless forgot-all */
    bool recalling;
    uint64_t recall_persist; /* PERSIST that first held what the others told */
    bool said_stuck;

    uint64_t elections;
    uint64_t leader_changes;
};

/* ---- group.c ---- */
struct rg_group_effect *rg_group_emit(struct rg_group *group, enum rg_group_effect_type type);
void rg_group_say(struct rg_group *group, bool warn, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void rg_group_send(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg);
/* Writes group->durable; returns the sequence number of its PERSIST. */
uint64_t rg_group_persist(struct rg_group *group);
void rg_group_status(const struct rg_group *group, enum rg_group_msg_type type,
                     struct rg_group_msg *ret_msg);
const char *rg_group_name_of(const struct rg_group *group, int member);
void rg_group_ping_all(struct rg_group *group, int64_t now_us);
int rg_group_position_compare(struct rg_group_position a, struct rg_group_position b);
unsigned rg_group_majority(const struct rg_group *group);
/* replica-priority; 0 of a node that cannot persist. */
uint32_t rg_group_priority(const struct rg_group *group);

/* ---- follow.c ---- */
void rg_follow_status(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                      int64_t now_us);
/* Leaves the followed primary or the own office, because a promise for a newer term comes. */
void rg_follow_leave(struct rg_group *group, int64_t now_us);
void rg_follow_step_down(struct rg_group *group, uint64_t term, int64_t now_us);
void rg_follow_switched(struct rg_group *group, unsigned primary);

/* ---- detector.c ---- */
/* Does this node hold its primary for dead (or, being primary, itself for cut off)? */
bool rg_detector_dead(const struct rg_group *group, int64_t now_us);
bool rg_detector_has_majority(const struct rg_group *group, int64_t now_us);
void rg_detector_alive(struct rg_group *group, int64_t now_us);
void rg_detector_evidence(struct rg_group *group, const char *what);
void rg_detector_step(struct rg_group *group, int64_t now_us);
int64_t rg_detector_deadline(const struct rg_group *group);

/* ---- election.c, vote.c ---- */
int64_t rg_election_timeout_us(const struct rg_group *group);
void rg_election_init(struct rg_group *group);
void rg_election_step(struct rg_group *group, int64_t now_us);
int64_t rg_election_deadline(const struct rg_group *group);
void rg_election_cancel(struct rg_group *group);
void rg_election_take_over(struct rg_group *group, int64_t now_us);
void rg_election_answer(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                        int64_t now_us);
void rg_election_persisted(struct rg_group *group, int64_t now_us);
void rg_vote_asked(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                   int64_t now_us);
void rg_vote_persisted(struct rg_group *group, int64_t now_us);

/* ---- commit.c ---- */
/* A log that has no record yet, or (unknown) one whose records this node does not know. */
void rg_commit_modes_init(struct rg_group *group, enum rg_mode mode, bool unknown);
void rg_commit_log_lost(struct rg_group *group);
/* The most promises that a record not surely overtaken demands, and the least. */
unsigned rg_commit_promises_max(const struct rg_group *group);
unsigned rg_commit_promises_min(const struct rg_group *group);
enum rg_mode rg_commit_mode(const struct rg_group *group);
void rg_commit_lead(struct rg_group *group);
void rg_commit_step(struct rg_group *group, int64_t now_us);
void rg_commit_heard(struct rg_group *group, uint64_t commit);
void rg_commit_wanted(struct rg_group *group, unsigned peer, uint64_t offset);
/* Copies without which a write could miss an election: k, and N - v + 1 for every v in force. */
unsigned rg_commit_copies(const struct rg_group *group);

/* ---- disk.c ---- */
/* Brings the durable position in the state file up to date. */
void rg_disk_note(struct rg_group *group);
/* The log is another one now. */
void rg_disk_forget(struct rg_group *group);
/* Makes the claim of the state file, or takes it back. */
void rg_disk_step(struct rg_group *group);

/* ---- lease.c ---- */
/* gave: an earlier life of this node may have given a lease. */
void rg_lease_init(struct rg_group *group, bool gave);
void rg_lease_give(struct rg_group *group, unsigned primary, int64_t now_us);
void rg_lease_pong(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                   int64_t now_us);
/* What is left of leases given to others than `except` (-1: nobody). */
int64_t rg_lease_remaining_us(const struct rg_group *group, int except, int64_t now_us);
void rg_lease_lead(struct rg_group *group, int64_t now_us);
void rg_lease_voted(struct rg_group *group, const struct rg_group_msg *msg, int64_t now_us);
int64_t rg_lease_until_us(const struct rg_group *group);
bool rg_lease_holds(const struct rg_group *group, int64_t now_us);
bool rg_lease_waits(const struct rg_group *group, int64_t now_us);

/* ---- amnesia.c ---- */
enum rg_member_state rg_amnesia_at_start(const struct rg_group *group, bool had_file,
                                         bool log_complete);
void rg_amnesia_heard(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                      int64_t now_us);
void rg_amnesia_step(struct rg_group *group, int64_t now_us);
bool rg_amnesia_stuck(const struct rg_group *group);
/* durable.term was just promised in a first election; made durable by the caller. */
void rg_amnesia_promised_first(struct rg_group *group);
void rg_amnesia_set(struct rg_group *group, enum rg_member_state state);
/* A node that forgot its log is healthy once it holds all that it may ever have acknowledged. */
void rg_amnesia_synced(struct rg_group *group);
void rg_amnesia_catch_up(struct rg_group *group);

/* ---- handover.c ---- */
void rg_handover_step(struct rg_group *group, int64_t now_us);
int64_t rg_handover_deadline(const struct rg_group *group);
void rg_handover_asked(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                       int64_t now_us);
/* Is this VOTE the one that this primary asked for? */
bool rg_handover_expects(const struct rg_group *group, unsigned peer);
void rg_handover_gone(struct rg_group *group);
/* A primary is known again, or office is kept: the hand-over is over. */
void rg_handover_settle(struct rg_group *group, bool ok);

#endif
