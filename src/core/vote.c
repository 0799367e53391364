#include "core/group_state.h"

/*
 * The answering side of an election. A refusal changes nothing here, the term least of all; a
 * promise leaves only when it is durable (invariant 1).
 */

enum vote_verdict {
    VOTE_GRANT,
    VOTE_OLD_TERM,
    VOTE_FORGOT,
    VOTE_NOT_FIRST, /* a first election among members of which this one was in a group */
    VOTE_ALIVE,
    VOTE_PROMISED,
    VOTE_BEHIND,
};

static bool vote_may_promise(const struct rg_group *group, const struct rg_group_msg *msg)
{
    if (msg->bootstrap && msg->state == RG_MEMBER_HEALTHY)
        return true; /* the operator decided that the asker's log is the truth */
    if (msg->bootstrap)
        return group->state == RG_MEMBER_FRESH && msg->state == RG_MEMBER_FRESH;
    return group->state == RG_MEMBER_HEALTHY && msg->state == RG_MEMBER_HEALTHY;
}

static enum vote_verdict vote_judge(const struct rg_group *group, unsigned peer,
                                    const struct rg_group_msg *msg, int64_t now_us)
{
    struct rg_group_position theirs = {msg->log_term, msg->log_offset};
    bool sent =
        msg->handover && (group->role != RG_ROLE_PRIMARY || rg_handover_expects(group, peer));

    if (msg->term <= group->durable.term)
        return VOTE_OLD_TERM;
    if (!vote_may_promise(group, msg))
        return msg->bootstrap && msg->state == RG_MEMBER_FRESH ? VOTE_NOT_FIRST : VOTE_FORGOT;
    if (!sent && !rg_detector_dead(group, now_us))
        return VOTE_ALIVE;
    /* Just promised: let that candidate win before another is encouraged. */
    if (msg->type == RG_MSG_PREVOTE &&
        now_us - group->election.promised_us < rg_election_timeout_us(group))
        return VOTE_PROMISED;
    if (rg_group_position_compare(group->position, theirs) > 0 &&
        !(msg->bootstrap && msg->state == RG_MEMBER_HEALTHY && group->state != RG_MEMBER_HEALTHY))
        return VOTE_BEHIND;
    return VOTE_GRANT;
}

static void vote_answer(struct rg_group *group, unsigned peer, enum rg_group_msg_type type,
                        uint64_t seq, bool granted, bool released, int64_t now_us)
{
    struct rg_group_msg msg;

    rg_group_status(group, type, &msg);
    msg.seq = seq;
    msg.granted = granted;
    msg.handover = released;
    if (type == RG_MSG_VOTED && granted)
        msg.lease_us = (uint32_t)rg_lease_remaining_us(group, (int)peer, now_us);
    rg_group_send(group, peer, &msg);
}

static void vote_say_refused(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                             enum vote_verdict verdict)
{
    const char *name = rg_group_name_of(group, (int)peer);
    unsigned long long term = msg->term;

    switch (verdict) {
    case VOTE_BEHIND:
        rg_group_say(group, false,
                     "refused %s in term %llu: its log ends at (%llu, %llu), mine at (%llu, %llu)",
                     name, term, (unsigned long long)msg->log_term,
                     (unsigned long long)msg->log_offset, (unsigned long long)group->position.term,
                     (unsigned long long)group->position.offset);
        break;
    case VOTE_FORGOT:
        rg_group_say(group, false, "refused %s in term %llu: it is %s, this node is %s", name, term,
                     rg_member_state_name(msg->state), rg_member_state_name(group->state));
        break;
    case VOTE_NOT_FIRST:
        rg_group_say(group, false, "refused %s a first election: this group had a primary", name);
        break;
    case VOTE_ALIVE:
        rg_group_say(group, false, "refused %s in term %llu: the primary lives", name, term);
        break;
    case VOTE_GRANT:
    case VOTE_OLD_TERM:
    case VOTE_PROMISED:
        break;
    }
}

static void vote_promise(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                         int64_t now_us)
{
    struct group_election *election = &group->election;
    bool handed_over = group->role == RG_ROLE_PRIMARY && msg->handover;

    /* The log is frozen from here on, at the position that was just judged (invariant 3). */
    rg_follow_leave(group, now_us);
    rg_election_cancel(group);
    if (handed_over)
        rg_handover_gone(group);
    else
        rg_handover_settle(group, false);
    rg_group_say(group, false, "promised term %llu to %s", (unsigned long long)msg->term,
                 rg_group_name_of(group, (int)peer));
    group->durable.term = msg->term;
    group->durable.voted_for = (int)peer;
    if (msg->bootstrap && msg->state == RG_MEMBER_FRESH)
        rg_amnesia_promised_first(group);
    if (msg->term > group->seen_term)
        group->seen_term = msg->term;
    election->owes_voted = true;
    election->voted_peer = peer;
    election->voted_seq = msg->seq;
    election->voted_handover = handed_over;
    election->promised_us = now_us;
    election->vote_persist = group->term_persist = rg_group_persist(group);
    if (RG_PLANTED(group->config.planted, RG_PLANTED_VOTE_NOT_DURABLE)) {
        group->told_term = group->durable.term;
        election->owes_voted = false;
        vote_answer(group, peer, RG_MSG_VOTED, msg->seq, true, handed_over, now_us);
    }
}

void rg_vote_persisted(struct rg_group *group, int64_t now_us)
{
    struct group_election *election = &group->election;

    if (!election->owes_voted || group->persisted_seq < election->vote_persist)
        return;
    election->owes_voted = false;
    vote_answer(group, election->voted_peer, RG_MSG_VOTED, election->voted_seq, true,
                election->voted_handover, now_us);
}

/* Whoever is ahead of one that wants to lead has to lead itself, and soon. */
static void vote_stand_soon(struct rg_group *group, int64_t now_us)
{
    struct group_election *election = &group->election;

    election->ahead_until_us = now_us + group->config.node_timeout_us;
    if (election->attempt == ATTEMPT_IDLE && election->stand_at_us > now_us + 5 * RG_MS_US)
        election->stand_at_us =
            now_us + (int64_t)rg_rand_below(&group->rand, (uint64_t)(5 * RG_MS_US));
}

void rg_vote_asked(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                   int64_t now_us)
{
    bool prevote = msg->type == RG_MSG_PREVOTE;
    enum vote_verdict verdict = vote_judge(group, peer, msg, now_us);

    if (verdict == VOTE_GRANT && !prevote) {
        vote_promise(group, peer, msg, now_us);
        return;
    }
    if (!prevote)
        vote_say_refused(group, peer, msg, verdict);
    if (verdict == VOTE_BEHIND && group->role != RG_ROLE_PRIMARY)
        vote_stand_soon(group, now_us);
    vote_answer(group, peer, prevote ? RG_MSG_PREVOTED : RG_MSG_VOTED, msg->seq,
                verdict == VOTE_GRANT, false, now_us);
}
