#include "core/group_state.h"

#include "base/panic.h"

/*
 * Forgetting (invariant 5):
 *
 *     FRESH --others were in a group--> FORGOT_ALL --others told their terms--> FORGOT_LOG
 *       |                                                                          |
 *       +------ elected, or follows the first primary ------> HEALTHY <-- synced --+
 */

void rg_amnesia_set(struct rg_group *group, enum rg_member_state state)
{
    if (state == group->state)
        return;
    rg_group_say(group, state < RG_MEMBER_HEALTHY && state != RG_MEMBER_FRESH, "was %s, now %s",
                 rg_member_state_name(group->state), rg_member_state_name(state));
    group->state = state;
}

/*
 * A partial resync agrees with the primary up to where this log ends, which may be before what this
 * node acknowledged in an earlier life. The primary's log held all of that when it spoke to this
 * life of the node, so that is how far this log has to come first (invariant 5).
 */
void rg_amnesia_synced(struct rg_group *group)
{
    RG_ASSERT(group->primary >= 0);
    group->whole_at = group->members[group->primary].position.offset;
    rg_amnesia_catch_up(group);
}

void rg_amnesia_catch_up(struct rg_group *group)
{
    if (group->state == RG_MEMBER_FORGOT_LOG && group->following && group->synced &&
        group->position.offset >= group->whole_at)
        rg_amnesia_set(group, RG_MEMBER_HEALTHY);
}

enum rg_member_state rg_amnesia_at_start(const struct rg_group *group, bool had_file,
                                         bool log_complete)
{
    if (!had_file || !group->durable.formed)
        return RG_MEMBER_FRESH;
    if (RG_PLANTED(group->config.planted, RG_PLANTED_EMPTY_NODE_LEADS))
        return RG_MEMBER_HEALTHY;
    return log_complete ? RG_MEMBER_HEALTHY : RG_MEMBER_FORGOT_LOG;
}

void rg_amnesia_promised_first(struct rg_group *group)
{
    if (group->durable.first_promise == 0)
        group->durable.first_promise = group->durable.term;
}

/*
 * The first primary needed every member's promise, given while it was fresh, and once it has them
 * nobody can ask for one in its term or an older one. A state file that holds one is thus older
 * than the first primary, and nothing that came later is missing from it (docs/failover.md,
 * "Forgetting"). A node whose disk was lost later can only have promised in a newer term.
 */
static bool amnesia_was_there(const struct rg_group *group)
{
    uint64_t promised = group->durable.first_promise;

    return promised > 0 && promised <= group->durable.founded;
}

/* What was won stays won: the newest is told on even before it is durable here. */
static void amnesia_learn_founded(struct rg_group *group, const struct rg_group_msg *msg)
{
    if (msg->founded <= group->durable.founded)
        return;
    group->durable.founded = msg->founded;
    group->durable.founded_mode = msg->founded_mode;
    if (group->durable.formed)
        (void)rg_group_persist(group);
}

/* The group came as far as this term: nobody may be promised less, an operator's choice neither. */
static void amnesia_hold_term(struct rg_group *group, uint64_t term)
{
    if (term <= group->durable.term)
        return;
    group->durable.term = term;
    group->durable.voted_for = -1;
    group->election.owes_voted = false;
    group->term_persist = rg_group_persist(group);
}

static void amnesia_not_fresh(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg)
{
    rg_election_cancel(group);
    amnesia_hold_term(group, group->durable.founded);
    if (amnesia_was_there(group)) {
        rg_amnesia_set(group, RG_MEMBER_HEALTHY);
        /* Its log is empty, and the first record that it lacks is of the mode of that primary. */
        rg_commit_modes_init(group, group->durable.founded_mode, false);
        group->durable.formed = true;
        group->formed_persist = rg_group_persist(group);
        return;
    }
    rg_group_say(
        group, true,
        "%s was in this group with a primary, and this node knows nothing of it: its state "
        "was lost",
        rg_group_name_of(group, (int)peer));
    amnesia_hold_term(group, msg->term);
    rg_amnesia_set(group, RG_MEMBER_FORGOT_ALL);
    /* Elections that still count a promise this node made before must be over by then. */
    int64_t wait_us = 2 * rg_election_timeout_us(group);
    if (wait_us < group->config.node_timeout_us)
        wait_us = group->config.node_timeout_us;
    group->recall_from_us = group->start_us + wait_us;
}

static void amnesia_recalled(struct rg_group *group)
{
    group->recalling = false;
    group->durable.formed = true;
    group->recall_persist = rg_group_persist(group);
    group->term_persist = group->formed_persist = group->recall_persist;
    rg_commit_modes_init(group, group->config.mode, true);
    rg_amnesia_set(group, RG_MEMBER_FORGOT_LOG);
}

static void amnesia_recall(struct rg_group *group)
{
    unsigned told = 0;
    uint64_t term = group->durable.term;

    for (unsigned i = 0; i < group->config.members; i++) {
        told += group->members[i].told_term;
        if (group->members[i].told_term && group->members[i].term > term)
            term = group->members[i].term;
    }
    if (told < group->config.members - rg_group_majority(group) + 1)
        return;
    rg_group_say(group, false, "%u members told their terms: the newest is %llu", told,
                 (unsigned long long)term);
    group->durable.term = term;
    group->durable.voted_for = -1;
    amnesia_recalled(group);
}

/*
 * Where so many forgot all that not enough others can tell, an operator says whose log counts
 * (rg_group_recover). Who promised that node its term, and sees it lead, knows the term that
 * counts.
 */
static bool amnesia_operator_decided(const struct rg_group *group, unsigned peer,
                                     const struct rg_group_msg *msg)
{
    return msg->role == RG_ROLE_PRIMARY && msg->term == group->durable.term &&
           group->durable.voted_for == (int)peer && group->seen_term <= msg->term;
}

void rg_amnesia_heard(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                      int64_t now_us)
{
    (void)now_us;
    amnesia_learn_founded(group, msg);
    if (group->state == RG_MEMBER_FRESH && group->role != RG_ROLE_PRIMARY &&
        msg->state != RG_MEMBER_FRESH)
        amnesia_not_fresh(group, peer, msg);
    if (group->state != RG_MEMBER_FORGOT_ALL || !group->recalling)
        return;
    if (amnesia_operator_decided(group, peer, msg)) {
        amnesia_recalled(group);
        return;
    }
    if (msg->type != RG_MSG_PONG || msg->seq < group->told_from_seq || msg->seq > group->ping_seq ||
        (msg->state != RG_MEMBER_HEALTHY && msg->state != RG_MEMBER_FORGOT_LOG))
        return;
    group->members[peer].told_term = true;
    amnesia_recall(group);
}

static unsigned amnesia_count(const struct rg_group *group, enum rg_member_state state)
{
    unsigned count = group->state == state;

    for (unsigned i = 0; i < group->config.members; i++)
        count +=
            i != group->config.self && group->members[i].heard && group->members[i].state == state;
    return count;
}

static unsigned amnesia_forgotten(const struct rg_group *group)
{
    return amnesia_count(group, RG_MEMBER_FORGOT_ALL) + amnesia_count(group, RG_MEMBER_FORGOT_LOG);
}

bool rg_amnesia_stuck(const struct rg_group *group)
{
    bool alone = group->primary < 0 || group->evidence || group->said_dead;

    /* Beside a primary all that forgot their logs load its, but those that forgot their terms too
     * must hear those of N - majority + 1 members first. */
    if (group->role == RG_ROLE_PRIMARY)
        return amnesia_count(group, RG_MEMBER_FORGOT_ALL) >= rg_group_majority(group);
    return alone && group->state != RG_MEMBER_FRESH &&
           group->config.members - amnesia_forgotten(group) < rg_commit_promises_max(group);
}

static void amnesia_say_stuck(struct rg_group *group)
{
    unsigned n = group->config.members;

    rg_group_say(
        group, true,
        "%u of %u members have forgotten: no election can succeed, acknowledged writes may "
        "be gone; GROUP RECOVER on the member that is to count as the truth decides",
        amnesia_forgotten(group), n);
    for (unsigned i = 0; i < n; i++) {
        const struct group_member *member = &group->members[i];
        bool self = i == group->config.self;
        struct rg_group_position at = self ? group->position : member->position;
        if (self || member->heard)
            rg_group_say(group, true, "  %s: %s, its log ends at (%llu, %llu)", member->name,
                         rg_member_state_name(self ? group->state : member->state),
                         (unsigned long long)at.term, (unsigned long long)at.offset);
    }
}

void rg_amnesia_step(struct rg_group *group, int64_t now_us)
{
    if (group->state == RG_MEMBER_FORGOT_ALL && !group->recalling &&
        now_us >= group->recall_from_us) {
        group->recalling = true;
        group->recall_from_us = RG_NEVER;
        group->told_from_seq = group->ping_seq + 1;
        for (unsigned i = 0; i < group->config.members; i++)
            group->members[i].told_term = false;
        rg_group_ping_all(group, now_us);
    }
    /* A primary that lives tells so within the timeout; only then is it a matter for people. */
    if (now_us - group->start_us < group->config.node_timeout_us)
        return;
    bool stuck = rg_amnesia_stuck(group);
    if (stuck && !group->said_stuck)
        amnesia_say_stuck(group);
    group->said_stuck = stuck;
}
