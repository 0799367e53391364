#ifndef RG_PROTO_GROUP_WIRE_H
#define RG_PROTO_GROUP_WIRE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/error.h"

/*
 * What members of a group say to each other. A member dials every other one at its ordinary port,
 * authenticates as a replica would, and sends
 *
 *     GROUP HELLO <version> <group-name> <members-digest> <from> <to>
 *
 * which is answered by +OK or an error. From then on the connection carries messages both ways,
 * each a RESP array of bulk strings: its name, then its fields as decimal numbers, in the order of
 * the struct below (fields that a type does not use are left out; the table in group_wire.c says
 * which). An answer goes out on the connection on which its question came.
 *
 * Members are numbered by their place in the sorted list of `group-members`; HELLO compares a
 * digest of that list, so that both ends mean the same.
 */
enum { RG_GROUP_WIRE_VERSION = 2, RG_GROUP_MAX_MEMBERS = 15 };

enum rg_group_msg_type {
    RG_MSG_PING,     /* status of the sender; every heartbeat */
    RG_MSG_PONG,     /* status of the sender; echoes seq */
    RG_MSG_PREVOTE,  /* would you vote for me in `term`? */
    RG_MSG_PREVOTED, /* granted or not */
    RG_MSG_VOTE,     /* promise me `term` */
    RG_MSG_VOTED,    /* granted or not */
    RG_MSG_TAKEOVER, /* primary to its chosen successor: stand for election now */
    RG_MSG_WANT,     /* follower to primary: tell me when `commit` is committed */
    RG_MSG_COMMIT,   /* primary to follower: `commit` is committed */
    RG_MSG_TYPES
};

enum rg_member_state {
    RG_MEMBER_FRESH,      /* never was in a group that had a primary, as far as it knows */
    RG_MEMBER_FORGOT_ALL, /* lost its state file and its log */
    RG_MEMBER_FORGOT_LOG, /* knows its term and vote, lost (part of) its log */
    RG_MEMBER_HEALTHY,
};

enum rg_member_role { RG_ROLE_FOLLOWER, RG_ROLE_CANDIDATE, RG_ROLE_PRIMARY };

struct rg_group_msg {
    enum rg_group_msg_type type;
    uint64_t term;        /* the sender's; of PREVOTE and VOTE the one asked for */
    uint64_t seq;         /* PING, PONG; of PREVOTE/VOTE a number of the attempt, echoed */
    uint8_t state;        /* enum rg_member_state */
    uint8_t role;         /* enum rg_member_role */
    int16_t primary;      /* whom the sender follows in its term; -1: nobody */
    uint64_t log_term;    /* the sender's position: term of its last byte … */
    uint64_t log_offset;  /* … and end of its log */
    uint64_t commit;      /* highest offset that the sender knows to be committed */
    uint64_t incarnation; /* counts the sender's starts */
    uint32_t priority;    /* replica-priority; 0: never to be primary */
    uint8_t mode;         /* enum rg_mode in force in the sender's log */
    uint64_t founded;     /* term of the group's first primary; 0: the sender does not know it */
    uint8_t founded_mode; /* enum rg_mode that this primary began with */
    uint8_t granted;      /* PREVOTED, VOTED */
    uint8_t handover;     /* VOTE: the primary itself asked for it; VOTED: the lease is released */
    uint8_t bootstrap;    /* PREVOTE, VOTE: first election of a fresh group */
    uint32_t lease_us;    /* VOTED: how long a lease that the voter gave may still be believed */
};

void rg_group_msg_write(struct rg_buf *out, const struct rg_group_msg *msg);
/* Every field is checked against its range. Errors: RG_EPROTO. */
RG_MUST_USE int rg_group_msg_read(const struct rg_bytes *argv, int argc,
                                  struct rg_group_msg *ret_msg);
const char *rg_group_msg_name(enum rg_group_msg_type type);
const char *rg_member_state_name(enum rg_member_state state);

#endif
