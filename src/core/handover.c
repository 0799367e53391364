#include "core/group_state.h"

/*
 * Hand-over: writes are held back, the successor catches up, and is asked to stand. See the diagram
 * at enum group_handover_state.
 */

static bool handover_fit(const struct rg_group *group, unsigned peer)
{
    const struct group_member *member = &group->members[peer];

    return peer != group->config.self && member->link_up && member->heard &&
           member->state == RG_MEMBER_HEALTHY && member->primary == (int)group->config.self &&
           member->term == group->durable.term && member->acked > 0 && member->priority > 0;
}

static int handover_best(const struct rg_group *group)
{
    int best = -1;

    for (unsigned i = 0; i < group->config.members; i++) {
        const struct group_member *member = &group->members[i];
        if (!handover_fit(group, i))
            continue;
        if (best < 0 || member->acked > group->members[best].acked ||
            (member->acked == group->members[best].acked &&
             member->priority < group->members[best].priority))
            best = (int)i;
    }
    return best;
}

static int handover_begin(struct rg_group *group, int target, int64_t timeout_us, int64_t now_us)
{
    if (group->role != RG_ROLE_PRIMARY || target >= (int)group->config.members)
        return RG_EINVAL;
    if (group->handover.state != HANDOVER_IDLE)
        return RG_EEXIST;
    if (target < 0)
        target = handover_best(group);
    if (target < 0 || !handover_fit(group, (unsigned)target))
        return RG_EINVAL;
    group->handover.state = HANDOVER_CATCHING_UP;
    group->handover.target = (unsigned)target;
    group->handover.until_us = now_us + timeout_us;
    rg_group_say(group, false, "handing over to %s", rg_group_name_of(group, target));
    rg_group_emit(group, RG_GROUP_HOLD)->peer = (unsigned)target;
    return 0;
}

int rg_group_hand_over(struct rg_group *group, int target, int64_t timeout_us, int64_t now_us)
{
    int err = handover_begin(group, target, timeout_us, now_us);

    if (err == 0)
        rg_group_tick(group, now_us);
    return err;
}

void rg_handover_settle(struct rg_group *group, bool ok)
{
    struct group_handover *handover = &group->handover;

    if (handover->state == HANDOVER_IDLE)
        return;
    ok = ok && handover->state == HANDOVER_GONE;
    handover->state = HANDOVER_IDLE;
    rg_group_say(group, !ok, ok ? "handed over to %s" : "hand-over to %s failed",
                 rg_group_name_of(group, (int)handover->target));
    struct rg_group_effect *effect = rg_group_emit(group, RG_GROUP_RESUME);
    effect->peer = handover->target;
    effect->ok = ok;
}

bool rg_handover_expects(const struct rg_group *group, unsigned peer)
{
    return group->handover.state == HANDOVER_ASKED && group->handover.target == peer;
}

void rg_handover_gone(struct rg_group *group)
{
    group->handover.state = HANDOVER_GONE;
}

void rg_handover_asked(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                       int64_t now_us)
{
    if (group->primary != (int)peer || msg->term != group->durable.term ||
        group->election.attempt != ATTEMPT_IDLE)
        return;
    rg_group_say(group, false, "%s hands over to this node", rg_group_name_of(group, (int)peer));
    rg_election_take_over(group, now_us);
}

static void handover_try_ask(struct rg_group *group, int64_t now_us)
{
    struct group_handover *handover = &group->handover;
    uint64_t acked = group->members[handover->target].acked;

    /* The lease that this primary's own election waits for is not its to give back. */
    if (!group->led || acked < group->record_end || acked != group->position.offset ||
        rg_lease_waits(group, now_us))
        return;
    struct rg_group_msg msg = {.type = RG_MSG_TAKEOVER, .term = group->durable.term, .primary = -1};
    handover->state = HANDOVER_ASKED;
    rg_group_send(group, handover->target, &msg);
}

/* A caretaker leads only because no other could (election.c). */
static void handover_caretaker(struct rg_group *group, int64_t now_us)
{
    if (rg_group_priority(group) != 0 || group->role != RG_ROLE_PRIMARY || !group->led ||
        group->commit < group->record_end || group->handover.state != HANDOVER_IDLE ||
        now_us < group->handover.retry_us)
        return;
    group->handover.retry_us = now_us + group->config.node_timeout_us;
    (void)handover_begin(group, -1, group->config.node_timeout_us, now_us);
}

void rg_handover_step(struct rg_group *group, int64_t now_us)
{
    struct group_handover *handover = &group->handover;

    if (handover->state == HANDOVER_IDLE) {
        handover_caretaker(group, now_us);
        return;
    }
    if (now_us >= handover->until_us) {
        rg_handover_settle(group, false);
        return;
    }
    if (handover->state == HANDOVER_CATCHING_UP)
        handover_try_ask(group, now_us);
}

int64_t rg_handover_deadline(const struct rg_group *group)
{
    return group->handover.state == HANDOVER_IDLE ? RG_NEVER : group->handover.until_us;
}
