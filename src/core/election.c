#include "core/group_state.h"

#include "base/panic.h"

/*
 * The asking side of an election (the answering side is vote.c): would you, then do you, then
 * office. See the diagram at enum group_attempt.
 */
enum { ELECTION_FIRST_PAUSE_US = 20 * 1000, ELECTION_RANK_US = 15 * 1000 };
enum { ELECTION_RECOVERY_LEAP = 1000000 };

int64_t rg_election_timeout_us(const struct rg_group *group)
{
    int64_t timeout_us = 4 * group->config.heartbeat_us;

    return timeout_us < 200 * RG_MS_US ? 200 * RG_MS_US : timeout_us;
}

void rg_election_init(struct rg_group *group)
{
    group->election.stand_at_us = RG_NEVER;
    group->election.pause_us = ELECTION_FIRST_PAUSE_US;
    group->election.promised_us = INT64_MIN / 2;
    group->election.ahead_until_us = INT64_MIN / 2;
}

void rg_election_cancel(struct rg_group *group)
{
    struct group_election *election = &group->election;

    if (group->role == RG_ROLE_CANDIDATE)
        group->role = RG_ROLE_FOLLOWER;
    election->attempt = ATTEMPT_IDLE;
    election->stand_at_us = RG_NEVER;
    election->pause_us = ELECTION_FIRST_PAUSE_US;
    election->quiet = election->handover = election->recovery = false;
}

static unsigned election_needed(const struct rg_group *group)
{
    if (RG_PLANTED(group->config.planted, RG_PLANTED_NO_PROMISES))
        return 1;
    if (group->election.bootstrap)
        return group->config.members;
    if (group->election.recovery)
        return rg_group_majority(group);
    return rg_commit_promises_max(group);
}

static unsigned election_count(const struct rg_group *group, enum group_answer answer)
{
    unsigned count = answer == GROUP_YES; /* its own */

    for (unsigned i = 0; i < group->config.members; i++)
        count += i != group->config.self && group->members[i].answer == answer;
    return count;
}

/* Members that will say nothing any more are as good as a no. */
static unsigned election_possible(const struct rg_group *group)
{
    unsigned count = 1;

    for (unsigned i = 0; i < group->config.members; i++) {
        const struct group_member *member = &group->members[i];
        count +=
            i != group->config.self &&
            (member->answer == GROUP_YES || (member->answer == GROUP_NO_ANSWER && member->link_up));
    }
    return count;
}

static bool election_all_linked(const struct rg_group *group)
{
    for (unsigned i = 0; i < group->config.members; i++) {
        if (i != group->config.self && (!group->members[i].link_up || !group->members[i].heard))
            return false;
    }
    return true;
}

/* Is every reachable member that is meant to lead in want of a primary to get its log from? */
static bool election_others_forgot(const struct rg_group *group)
{
    bool forgot = false;

    for (unsigned i = 0; i < group->config.members; i++) {
        const struct group_member *member = &group->members[i];
        if (i == group->config.self || !member->link_up || !member->heard || member->priority == 0)
            continue;
        if (member->state != RG_MEMBER_FORGOT_LOG)
            return false;
        forgot = true;
    }
    return forgot;
}

static bool election_other_can_lead(const struct rg_group *group)
{
    for (unsigned i = 0; i < group->config.members; i++) {
        const struct group_member *member = &group->members[i];
        if (i != group->config.self && (int)i != group->primary && member->link_up &&
            member->heard && member->priority > 0 && member->state == RG_MEMBER_HEALTHY)
            return true;
    }
    return false;
}

/*
 * A priority of 0 stands only where no other can: it is ahead of the one that wants to, or the ones
 * meant to lead have forgotten. It then hands over (handover.c); otherwise the group would stay
 * without a primary for good. A node that cannot persist does likewise.
 */
static bool election_reluctant(const struct rg_group *group, int64_t now_us)
{
    if (now_us < group->election.ahead_until_us || election_others_forgot(group))
        return false;
    return group->config.priority == 0 || (group->ill && election_other_can_lead(group));
}

static bool election_willing(const struct rg_group *group, int64_t now_us)
{
    if (election_reluctant(group, now_us))
        return false;
    if (group->state == RG_MEMBER_FRESH)
        return election_all_linked(group);
    return group->state == RG_MEMBER_HEALTHY;
}

static bool election_goes_before(const struct rg_group *group, unsigned peer)
{
    const struct group_member *member = &group->members[peer];
    int order = rg_group_position_compare(member->position, group->position);

    if (order != 0)
        return order > 0;
    uint32_t own = rg_group_priority(group);
    if (member->priority != own) {
        if (member->priority == 0 || own == 0)
            return own == 0;
        return member->priority < own;
    }
    return peer < group->config.self;
}

static unsigned election_rank(const struct rg_group *group, int64_t now_us)
{
    unsigned rank = 0;

    for (unsigned i = 0; i < group->config.members; i++) {
        const struct group_member *member = &group->members[i];
        rank += i != group->config.self && (int)i != group->primary && member->link_up &&
                member->heard && member->state == group->state &&
                now_us - member->last_seen_us < group->config.node_timeout_us &&
                election_goes_before(group, i);
    }
    return rank;
}

static void election_ask(struct rg_group *group, enum rg_group_msg_type type)
{
    struct group_election *election = &group->election;
    struct rg_group_msg msg;

    rg_group_status(group, type, &msg);
    msg.term = election->term;
    msg.seq = ++election->seq;
    msg.handover = election->handover;
    msg.bootstrap = election->bootstrap || election->recovery;
    for (unsigned i = 0; i < group->config.members; i++) {
        group->members[i].answer = GROUP_NO_ANSWER;
        if (i != group->config.self)
            rg_group_send(group, i, &msg);
    }
}

static void election_fail(struct rg_group *group, const char *why, int64_t now_us)
{
    struct group_election *election = &group->election;

    if (election->attempt != ATTEMPT_ASKING || !election->quiet)
        rg_group_say(group, false, "no election in term %llu: %s, %u of %u promises",
                     (unsigned long long)election->term, why, election_count(group, GROUP_YES),
                     election_needed(group));
    election->quiet = election->attempt == ATTEMPT_ASKING;
    if (group->role == RG_ROLE_CANDIDATE)
        group->role = RG_ROLE_FOLLOWER;
    election->attempt = ATTEMPT_IDLE;
    election->handover = false;
    int64_t half = election->pause_us / 2;
    election->stand_at_us =
        now_us + half + (int64_t)rg_rand_below(&group->rand, (uint64_t)half + 1);
    int64_t most = group->config.node_timeout_us / 2;
    election->pause_us = election->pause_us * 2 > most ? most : election->pause_us * 2;
    if (election->pause_us < ELECTION_FIRST_PAUSE_US)
        election->pause_us = ELECTION_FIRST_PAUSE_US;
}

static void election_win(struct rg_group *group, int64_t now_us)
{
    struct group_election *election = &group->election;

    RG_ASSERT(group->role == RG_ROLE_CANDIDATE && group->durable.term == election->term);
    rg_group_say(group, false, "elected primary of term %llu with %u of %u promises",
                 (unsigned long long)election->term, election_count(group, GROUP_YES),
                 group->config.members);
    election->attempt = ATTEMPT_IDLE;
    election->stand_at_us = RG_NEVER;
    election->pause_us = ELECTION_FIRST_PAUSE_US;
    election->quiet = election->recovery = false;
    group->role = RG_ROLE_PRIMARY;
    group->primary = -1;
    group->orphan = group->evidence = group->said_dead = false;
    group->elections++;
    if (election->bootstrap) {
        group->durable.founded = election->term;
        group->durable.founded_mode = rg_commit_mode(group);
    }
    if (group->state != RG_MEMBER_HEALTHY)
        rg_amnesia_set(group, RG_MEMBER_HEALTHY);
    rg_lease_lead(group, now_us);
    rg_commit_lead(group);
    rg_group_emit(group, RG_GROUP_LEAD);
    rg_follow_switched(group, group->config.self);
    rg_group_ping_all(group, now_us);
}

static void election_try_win(struct rg_group *group, int64_t now_us)
{
    if (election_count(group, GROUP_YES) >= election_needed(group))
        election_win(group, now_us);
}

static void election_send_votes(struct rg_group *group, int64_t now_us)
{
    group->election.attempt = ATTEMPT_VOTING;
    group->election.until_us = now_us + rg_election_timeout_us(group);
    group->lease_wait_us = now_us + rg_lease_remaining_us(group, (int)group->config.self, now_us);
    group->lease_released = false;
    election_ask(group, RG_MSG_VOTE);
    election_try_win(group, now_us);
}

/* Stops following and votes for itself; nobody hears of it before it is durable (invariant 1). */
static void election_vote(struct rg_group *group, int64_t now_us)
{
    struct group_election *election = &group->election;

    rg_group_say(group, false, "standing for term %llu, log ends at (%llu, %llu)",
                 (unsigned long long)election->term, (unsigned long long)group->position.term,
                 (unsigned long long)group->position.offset);
    rg_follow_leave(group, now_us);
    group->role = RG_ROLE_CANDIDATE;
    group->durable.term = election->term;
    group->durable.voted_for = (int)group->config.self;
    if (election->bootstrap)
        rg_amnesia_promised_first(group);
    if (election->term > group->seen_term)
        group->seen_term = election->term;
    election->owes_voted = false;
    election->attempt = ATTEMPT_WRITING;
    election->until_us = RG_NEVER;
    election->vote_persist = group->term_persist = rg_group_persist(group);
    if (RG_PLANTED(group->config.planted, RG_PLANTED_VOTE_NOT_DURABLE)) {
        group->told_term = group->durable.term;
        election_send_votes(group, now_us);
    }
}

static void election_stand(struct rg_group *group, int64_t now_us)
{
    struct group_election *election = &group->election;
    uint64_t least =
        group->durable.term > group->seen_term ? group->durable.term : group->seen_term;

    /* Terms that only those knew who forgot them are not used again (invariant 1). */
    uint64_t step = election->recovery ? ELECTION_RECOVERY_LEAP : 1;
    if (least > UINT64_MAX - step)
        return;
    election->term = least + step;
    election->bootstrap = group->state == RG_MEMBER_FRESH;
    if (election->handover || election->recovery) {
        election_vote(group, now_us);
        return;
    }
    election->attempt = ATTEMPT_ASKING;
    election->until_us = now_us + rg_election_timeout_us(group);
    election_ask(group, RG_MSG_PREVOTE);
    if (election_count(group, GROUP_YES) >= election_needed(group))
        election_vote(group, now_us);
}

void rg_election_take_over(struct rg_group *group, int64_t now_us)
{
    if (group->state != RG_MEMBER_HEALTHY || group->role != RG_ROLE_FOLLOWER ||
        group->persisted_seq < group->election.vote_persist)
        return;
    group->election.handover = true;
    election_stand(group, now_us);
}

void rg_election_persisted(struct rg_group *group, int64_t now_us)
{
    struct group_election *election = &group->election;

    if (election->attempt == ATTEMPT_WRITING && group->persisted_seq >= election->vote_persist)
        election_send_votes(group, now_us);
}

void rg_election_answer(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                        int64_t now_us)
{
    struct group_election *election = &group->election;
    bool vote = msg->type == RG_MSG_VOTED;
    enum group_attempt expected = vote ? ATTEMPT_VOTING : ATTEMPT_ASKING;

    if (msg->seq != election->seq)
        return;
    if (vote && msg->granted && msg->term == group->durable.term)
        rg_lease_voted(group, msg, now_us);
    /* A promise that comes late may have been forgotten meanwhile (docs/failover.md, "Forgetting"),
     * so it does not count. */
    if (election->attempt != expected || now_us >= election->until_us ||
        (vote && msg->granted && msg->term != election->term))
        return;
    group->members[peer].answer = msg->granted ? GROUP_YES : GROUP_NO;
    if (election_count(group, GROUP_YES) >= election_needed(group)) {
        if (vote)
            election_win(group, now_us);
        else
            election_vote(group, now_us);
    }
}

void rg_election_step(struct rg_group *group, int64_t now_us)
{
    struct group_election *election = &group->election;

    if (group->role == RG_ROLE_PRIMARY)
        return;
    if (election->attempt != ATTEMPT_IDLE) {
        if (election->attempt == ATTEMPT_WRITING)
            return;
        if (election->attempt == ATTEMPT_ASKING && !rg_detector_dead(group, now_us))
            rg_election_cancel(group);
        else if (now_us >= election->until_us)
            election_fail(group, "answers did not come in time", now_us);
        else if (election_possible(group) < election_needed(group))
            election_fail(group, "refused", now_us);
        return;
    }
    if (!rg_detector_dead(group, now_us) ||
        !(election->recovery || election_willing(group, now_us)) ||
        group->persisted_seq < election->vote_persist) {
        election->stand_at_us = RG_NEVER;
        return;
    }
    if (election->stand_at_us == RG_NEVER) {
        int64_t rank_us = (int64_t)election_rank(group, now_us) * ELECTION_RANK_US;
        int64_t grace_us = election->promised_us + rg_election_timeout_us(group);
        election->stand_at_us = rank_us + (grace_us > now_us ? grace_us : now_us);
    }
    if (now_us >= election->stand_at_us)
        election_stand(group, now_us);
}

int64_t rg_election_deadline(const struct rg_group *group)
{
    if (group->role == RG_ROLE_PRIMARY)
        return RG_NEVER;
    if (group->election.attempt != ATTEMPT_IDLE)
        return group->election.until_us;
    return group->election.stand_at_us;
}

int rg_group_recover(struct rg_group *group, int64_t now_us)
{
    bool forgot = group->state == RG_MEMBER_FORGOT_ALL || group->state == RG_MEMBER_FORGOT_LOG;

    if ((group->role == RG_ROLE_PRIMARY && !rg_amnesia_stuck(group)) ||
        (group->primary >= 0 && !rg_detector_dead(group, now_us)) ||
        (!forgot && !rg_amnesia_stuck(group)))
        return RG_EINVAL;
    rg_group_say(group, true, "operator: this node's log, ending at (%llu, %llu), counts as whole",
                 (unsigned long long)group->position.term,
                 (unsigned long long)group->position.offset);
    rg_amnesia_set(group, RG_MEMBER_HEALTHY);
    group->durable.formed = true;
    /* A primary's own office does not count with those that forgot: it needs a new one. */
    rg_handover_settle(group, false);
    rg_follow_leave(group, now_us);
    rg_election_cancel(group);
    group->election.recovery = true;
    group->election.stand_at_us = now_us;
    rg_group_tick(group, now_us);
    return 0;
}
