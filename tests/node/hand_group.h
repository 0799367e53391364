#ifndef RG_TESTS_NODE_HAND_GROUP_H
#define RG_TESTS_NODE_HAND_GROUP_H

#include "core/group.h"
#include "tests/node/hand.h"

/*
 * One node driven by hand as a member of a group whose other members are played by the test: each
 * answers what the node asks, as its script says.
 */
struct hand_peer {
    int link;   /* its message link to the node: index in hand->conns; -1: none */
    int stream; /* its replication link, where it follows the node; -1 */
    bool mute;  /* hears, and answers nothing */
    bool grants;
    uint64_t term;
    enum rg_member_state state;
    enum rg_member_role role;
    int primary;
    uint64_t log_term;
    uint64_t log_offset;
    uint64_t commit;
    uint64_t seen[RG_MSG_TYPES]; /* messages of the node by type */
    struct rg_group_msg last[RG_MSG_TYPES];
};

struct hand_group {
    struct hand hand;
    unsigned count;
    unsigned self;
    char digest[33];
    uint64_t seq;
    struct hand_peer peers[RG_GROUP_MAX_MEMBERS];
};

/* Members a:1, b:2, c:3; the node is the first of them. config: lines on top. */
void hand_group_start(struct hand_group *group, const char *config);
/* The same from what the disk of `before` held. */
void hand_group_start_again(struct hand_group *group, const char *config,
                            const struct hand *before);
void hand_group_end(struct hand_group *group);
/* The line that a member introduces itself with. */
const char *hand_group_hello(const struct hand_group *group, unsigned from, unsigned to);
/* Links peer to the node, and tells its status. */
void hand_group_link(struct hand_group *group, unsigned peer);
/* The peer sends a message as it stands; answers follow with the next turn. */
void hand_group_say(struct hand_group *group, unsigned peer, const struct rg_group_msg *msg);
/* … its status. */
void hand_group_ping(struct hand_group *group, unsigned peer);
/* Time passes in steps of 10 ms; the peers answer. */
void hand_group_pass(struct hand_group *group, int64_t ms);
/* Makes the node the first primary of a fresh group, with a healthy follower b that holds all. */
void hand_group_lead(struct hand_group *group);
/* b opens a replication stream to the node, and acknowledges all of the log. */
void hand_group_follow(struct hand_group *group, unsigned peer);
void hand_group_ack(struct hand_group *group, unsigned peer);
struct rg_group_view hand_group_view(const struct hand_group *group);

#endif
