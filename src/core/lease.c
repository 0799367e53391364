#include "core/group_state.h"

/*
 * The lease: members promise the primary, with each PONG, to let no other be believed for a while.
 * Counted by them from the answer, by it from the question, and by it a tenth shorter.
 */

void rg_lease_init(struct rg_group *group, bool gave)
{
    group->lease_start_us = gave ? group->start_us : INT64_MIN / 2;
}

static int64_t lease_usable_us(const struct rg_group *group)
{
    return group->config.lease_us / 10 * 9;
}

void rg_lease_give(struct rg_group *group, unsigned primary, int64_t now_us)
{
    group->members[primary].lease_given_us = now_us;
}

void rg_lease_pong(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                   int64_t now_us)
{
    struct group_member *member = &group->members[peer];

    if (group->role != RG_ROLE_PRIMARY || msg->seq > group->ping_seq ||
        group->ping_seq - msg->seq >= GROUP_PING_RING)
        return;
    int64_t sent_us = group->ping_sent_us[msg->seq % GROUP_PING_RING];
    if (sent_us == 0)
        return;
    member->last_pong_us = now_us;
    /* One that forgot cannot be among the promises of another's election, so its word is void. */
    if (msg->state == RG_MEMBER_HEALTHY && sent_us > member->lease_from_us)
        member->lease_from_us = sent_us;
}

int64_t rg_lease_remaining_us(const struct rg_group *group, int except, int64_t now_us)
{
    int64_t latest_us = group->lease_start_us;

    for (unsigned i = 0; i < group->config.members; i++) {
        if ((int)i != except && group->members[i].lease_given_us > latest_us)
            latest_us = group->members[i].lease_given_us;
    }
    int64_t left_us = latest_us + group->config.lease_us - now_us;
    if (left_us < 0)
        return 0;
    return left_us > group->config.lease_us ? group->config.lease_us : left_us;
}

void rg_lease_lead(struct rg_group *group, int64_t now_us)
{
    for (unsigned i = 0; i < group->config.members; i++) {
        struct group_member *member = &group->members[i];
        /* PINGs from before the office was taken asked for no lease. */
        member->lease_from_us = INT64_MIN / 2;
        member->last_pong_us = member->answer == GROUP_YES ? now_us : INT64_MIN / 2;
    }
    memset(group->ping_sent_us, 0, sizeof(group->ping_sent_us));
    if (rg_lease_waits(group, now_us))
        rg_group_say(group, false, "the old primary may believe its lease for %lld ms more",
                     (long long)((group->lease_wait_us - now_us + RG_MS_US - 1) / RG_MS_US));
}

void rg_lease_voted(struct rg_group *group, const struct rg_group_msg *msg, int64_t now_us)
{
    if (msg->handover) {
        group->lease_released = true;
        return;
    }
    /* The v promises that elect include whoever gave the lease, so later ones add nothing. */
    if (group->role == RG_ROLE_CANDIDATE && now_us + msg->lease_us > group->lease_wait_us)
        group->lease_wait_us = now_us + msg->lease_us;
}

bool rg_lease_waits(const struct rg_group *group, int64_t now_us)
{
    return !group->lease_released && now_us < group->lease_wait_us;
}

int64_t rg_lease_until_us(const struct rg_group *group)
{
    uint64_t from_us[RG_GROUP_MAX_MEMBERS];
    unsigned n = 0;
    unsigned others = group->config.members - rg_commit_promises_min(group);

    if (others == 0)
        return RG_NEVER;
    for (unsigned i = 0; i < group->config.members; i++) {
        int64_t one_us = group->members[i].lease_from_us;
        if (i != group->config.self)
            from_us[n++] = one_us > 0 ? (uint64_t)one_us : 0;
    }
    uint64_t reached = rg_commit_offset(from_us, n, others);
    return reached == 0 ? 0 : (int64_t)reached + lease_usable_us(group);
}

bool rg_lease_holds(const struct rg_group *group, int64_t now_us)
{
    if (RG_PLANTED(group->config.planted, RG_PLANTED_STALE_LEASE))
        return true;
    return now_us < rg_lease_until_us(group);
}
