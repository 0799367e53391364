#include "core/group_state.h"

/*
 * Whom this node follows, and leaving: the one primary of a term not below its own.
 */

void rg_follow_switched(struct rg_group *group, unsigned primary)
{
    if (group->switched == (int)primary)
        return;
    group->switched = (int)primary;
    group->leader_changes++;
    rg_group_emit(group, RG_GROUP_SWITCHED)->peer = primary;
}

void rg_follow_step_down(struct rg_group *group, uint64_t term, int64_t now_us)
{
    if (RG_PLANTED(group->config.planted, RG_PLANTED_DEPOSED_ACKS))
        return;
    rg_group_say(group, true, "term %llu is over: a member holds term %llu; stepping down",
                 (unsigned long long)group->durable.term, (unsigned long long)term);
    group->role = RG_ROLE_FOLLOWER;
    group->led = false;
    group->orphan = true;
    group->primary_heard_us = now_us;
    rg_group_emit(group, RG_GROUP_STEP_DOWN);
}

void rg_follow_leave(struct rg_group *group, int64_t now_us)
{
    if (group->role == RG_ROLE_PRIMARY) {
        group->role = RG_ROLE_FOLLOWER;
        group->led = false;
        rg_group_emit(group, RG_GROUP_STEP_DOWN);
    }
    group->role = RG_ROLE_FOLLOWER;
    if (group->following)
        rg_group_emit(group, RG_GROUP_UNFOLLOW);
    group->following = group->synced = false;
    group->primary = -1;
    group->orphan = true;
    group->evidence = false;
    group->primary_heard_us = now_us;
}

/* Takes over the primary's term; all of it is durable before the first acknowledgement, which
 * rg_group_may_ack sees to. */
static void follow_adopt(struct rg_group *group, unsigned peer, uint64_t term, int64_t now_us)
{
    bool changed = term > group->durable.term || !group->durable.formed;

    rg_follow_leave(group, now_us);
    rg_election_cancel(group);
    group->election.owes_voted = group->election.owes_voted && term == group->durable.term;
    if (term > group->durable.term) {
        group->durable.term = term;
        group->durable.voted_for = -1;
    }
    if (term > group->seen_term)
        group->seen_term = term;
    bool was_formed = group->durable.formed;
    group->durable.formed = true;
    if (changed) {
        uint64_t seq = rg_group_persist(group);
        group->term_persist = seq;
        if (!was_formed)
            group->formed_persist = seq;
    }
    if (group->state == RG_MEMBER_FRESH)
        rg_amnesia_set(group, RG_MEMBER_HEALTHY);
    group->primary = (int)peer;
    group->following = true;
    group->orphan = false;
    rg_detector_alive(group, now_us);
    rg_group_say(group, false, "following %s in term %llu", rg_group_name_of(group, (int)peer),
                 (unsigned long long)term);
    rg_group_emit(group, RG_GROUP_FOLLOW)->peer = peer;
    rg_follow_switched(group, peer);
    rg_handover_settle(group, group->handover.target == peer);
}

/* The followed primary was held for dead on evidence, and speaks: its stream is dialled again. */
static void follow_again(struct rg_group *group, int64_t now_us)
{
    bool dead = group->evidence;

    rg_detector_alive(group, now_us);
    if (!dead)
        return;
    rg_election_cancel(group);
    rg_group_say(group, false, "%s is primary of term %llu still: following it again",
                 rg_group_name_of(group, group->primary), (unsigned long long)group->durable.term);
    rg_group_emit(group, RG_GROUP_FOLLOW)->peer = (unsigned)group->primary;
}

void rg_follow_status(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                      int64_t now_us)
{
    bool ours = group->primary == (int)peer;

    if (group->role == RG_ROLE_PRIMARY && msg->term >= group->durable.term)
        return; /* only a planted fault gets here with a newer term */
    if (msg->role != RG_ROLE_PRIMARY) {
        /* A candidate in its term may still be heard behind the primary that it became. */
        if (ours && msg->role == RG_ROLE_FOLLOWER && msg->term >= group->durable.term)
            rg_detector_evidence(group, "says that it is primary no longer");
        return;
    }
    if (msg->term < group->durable.term)
        return;
    if (ours && msg->term == group->durable.term) {
        follow_again(group, now_us);
        if (group->synced)
            rg_commit_heard(group, msg->commit);
        return;
    }
    /* In one term there is one primary (invariant 1): a second one is not believed. */
    if (group->primary >= 0 && msg->term == group->durable.term)
        return;
    if (group->state == RG_MEMBER_FORGOT_ALL)
        return; /* it cannot know whether this primary was deposed */
    follow_adopt(group, peer, msg->term, now_us);
}
