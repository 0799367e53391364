#include "core/group_state.h"

/*
 * Is the primary dead? Evidence arrives in milliseconds (nobody listens, or another tells); silence
 * needs the timeout. What this node holds is only its own word in the vote before the vote.
 */

void rg_detector_alive(struct rg_group *group, int64_t now_us)
{
    group->primary_heard_us = now_us;
    group->evidence = false;
    group->said_dead = false;
}

void rg_detector_evidence(struct rg_group *group, const char *what)
{
    if (group->primary < 0 || group->evidence)
        return;
    group->evidence = true;
    group->said_dead = true;
    rg_group_say(group, true, "primary %s %s: asking the others",
                 rg_group_name_of(group, group->primary), what);
}

bool rg_detector_has_majority(const struct rg_group *group, int64_t now_us)
{
    unsigned heard = 1;

    for (unsigned i = 0; i < group->config.members; i++) {
        heard += i != group->config.self &&
                 now_us - group->members[i].last_pong_us < group->config.node_timeout_us;
    }
    return heard >= rg_group_majority(group);
}

/* At start nothing is known of a primary: either all others say they have none, or time passes. */
static bool detector_nobody_leads(const struct rg_group *group, int64_t now_us)
{
    if (now_us - group->start_us >= group->config.node_timeout_us)
        return true;
    for (unsigned i = 0; i < group->config.members; i++) {
        const struct group_member *member = &group->members[i];
        if (i != group->config.self && (!member->link_up || !member->heard ||
                                        member->primary >= 0 || member->role == RG_ROLE_PRIMARY))
            return false;
    }
    return true;
}

static bool detector_silent(const struct rg_group *group, int64_t now_us)
{
    return now_us - group->primary_heard_us >= group->config.node_timeout_us;
}

bool rg_detector_dead(const struct rg_group *group, int64_t now_us)
{
    if (group->role == RG_ROLE_PRIMARY)
        return !rg_detector_has_majority(group, now_us);
    if (group->primary < 0)
        return group->orphan || detector_nobody_leads(group, now_us);
    return group->evidence || detector_silent(group, now_us);
}

void rg_detector_step(struct rg_group *group, int64_t now_us)
{
    if (now_us - group->start_us >= group->config.node_timeout_us)
        group->start_over = true;
    if (group->primary < 0 || group->said_dead || !detector_silent(group, now_us))
        return;
    group->said_dead = true;
    rg_group_say(group, true, "no bytes from primary %s for %lld ms: asking the others",
                 rg_group_name_of(group, group->primary),
                 (long long)((now_us - group->primary_heard_us) / RG_MS_US));
}

int64_t rg_detector_deadline(const struct rg_group *group)
{
    if (group->role == RG_ROLE_PRIMARY || group->evidence || group->orphan)
        return RG_NEVER;
    if (group->primary < 0)
        return group->start_over ? RG_NEVER : group->start_us + group->config.node_timeout_us;
    return group->said_dead ? RG_NEVER : group->primary_heard_us + group->config.node_timeout_us;
}

void rg_group_stream(struct rg_group *group, enum rg_stream_event event, int64_t now_us)
{
    if (!group->following)
        return;
    switch (event) {
    case RG_STREAM_UP:
    case RG_STREAM_ALIVE:
        rg_detector_alive(group, now_us);
        break;
    case RG_STREAM_LOST: /* no evidence yet: dialling anew tells */
        break;
    case RG_STREAM_REFUSED:
        rg_detector_evidence(group, "refuses connections");
        break;
    case RG_STREAM_REJECTED:
        rg_detector_evidence(group, "answers that it is not the primary");
        break;
    case RG_STREAM_SYNCED:
        rg_detector_alive(group, now_us);
        group->synced = true;
        rg_amnesia_synced(group);
        break;
    }
    rg_group_tick(group, now_us);
}
