#include "sentinel/state.h"

#include <strings.h>

/* A failover, step by step; the states are in state.h. */

enum {
    FAILOVER_RANK_MS = 150,    /* each sentinel stands a little later than the one before it */
    FAILOVER_OTHERS_MS = 5000, /* how long another one that was voted for may take */
    FAILOVER_AGAIN_MS = 500,   /* until the second attempt; doubled with every further one */
    FAILOVER_AGAIN_MAX_MS = 8000,
};

const char *sentinel_failover_name(enum sentinel_failover state)
{
    static const char *const names[] = {
        [FAILOVER_NONE] = "none",
        [FAILOVER_WAIT_START] = "wait_start",
        [FAILOVER_SELECT] = "select_slave",
        [FAILOVER_SEND_NOONE] = "send_slaveof_noone",
        [FAILOVER_WAIT_PROMOTION] = "wait_promotion",
        [FAILOVER_RECONF] = "reconf_slaves",
        [FAILOVER_UPDATE] = "update_config",
    };

    return names[state];
}

void sentinel_failover_state(struct rg_sentinel *s, struct sentinel_inst *primary,
                             enum sentinel_failover state)
{
    primary->state = state;
    primary->state_ms = s->now_ms;
    sentinel_wake(s, 0);
}

/* ---- Begin and end ---- */

void sentinel_failover_begin(struct rg_sentinel *s, struct sentinel_inst *primary)
{
    uint64_t voted = 0;

    sentinel_new_epoch(s, primary, s->current_epoch + 1);
    primary->flags |= FLAG_FAILOVER;
    primary->failover_epoch = s->current_epoch;
    primary->failover_start_ms = s->now_ms;
    sentinel_failover_state(s, primary, FAILOVER_WAIT_START);
    sentinel_event(s, RG_SENTINEL_WARNING, "+try-failover", primary, "%s", "");
    (void)sentinel_vote(s, primary, primary->failover_epoch, s->id, &voted);
}

/* Sentinels that can be elected now and come before this one, so that not all stand at once. */
static int64_t failover_rank(const struct rg_sentinel *s, const struct sentinel_inst *primary)
{
    int64_t rank = 0;

    RG_LIST_EACH(at, &primary->sentinels)
    {
        const struct sentinel_inst *other = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if (!(other->flags & FLAG_S_DOWN) && sentinel_link_is_up(other))
            rank += strcasecmp(other->runid, s->id) < 0;
    }
    return rank;
}

bool sentinel_failover_if_needed(struct rg_sentinel *s, struct sentinel_inst *primary)
{
    int64_t others_ms = FAILOVER_OTHERS_MS < primary->failover_timeout_ms
                            ? FAILOVER_OTHERS_MS
                            : primary->failover_timeout_ms;

    if (!(primary->flags & FLAG_O_DOWN) || (primary->flags & FLAG_FAILOVER) || primary->in_group)
        return false;
    if (s->now_ms < primary->failover_next_ms || !sentinel_is_settled(s))
        return false;
    /* Another one was voted for: it has its time. */
    if (strcasecmp(primary->leader, s->id) != 0 && primary->failover_start_ms != 0 &&
        s->now_ms - primary->failover_start_ms < others_ms)
        return false;
    if (s->now_ms - primary->o_down_since_ms < failover_rank(s, primary) * FAILOVER_RANK_MS)
        return false;
    sentinel_failover_begin(s, primary);
    return true;
}

void sentinel_failover_abort(struct rg_sentinel *s, struct sentinel_inst *primary)
{
    int64_t pause_ms = FAILOVER_AGAIN_MS;

    for (unsigned i = 0; i < primary->failed_attempts && pause_ms < FAILOVER_AGAIN_MAX_MS; i++)
        pause_ms *= 2;
    primary->failed_attempts++;
    primary->failover_next_ms =
        s->now_ms + pause_ms + (int64_t)rg_rand_below(&s->rand, (uint64_t)pause_ms);
    primary->flags &= ~(unsigned)(FLAG_FAILOVER | FLAG_FORCE_FAILOVER);
    sentinel_failover_state(s, primary, FAILOVER_NONE);
    if (primary->promoted != NULL)
        primary->promoted->flags &= ~(unsigned)FLAG_PROMOTED;
    primary->promoted = NULL;
}

static void failover_give_up(struct rg_sentinel *s, struct sentinel_inst *primary, const char *why)
{
    sentinel_event(s, RG_SENTINEL_WARNING, why, primary, "%s", "");
    sentinel_failover_abort(s, primary);
}

/* ---- The states ---- */

static void failover_wait_start(struct rg_sentinel *s, struct sentinel_inst *primary)
{
    int64_t limit_ms = s->timers[TIMER_ELECTION] < primary->failover_timeout_ms
                           ? s->timers[TIMER_ELECTION]
                           : primary->failover_timeout_ms;
    bool lost = false;

    if (!sentinel_is_settled(s))
        return;
    if (!(primary->flags & FLAG_FORCE_FAILOVER)) {
        const char *leader = sentinel_leader(s, primary, primary->failover_epoch, &lost);
        if (leader == NULL || strcasecmp(leader, s->id) != 0) {
            if (leader != NULL || lost || s->now_ms - primary->failover_start_ms > limit_ms)
                failover_give_up(s, primary, "-failover-abort-not-elected");
            return;
        }
    }
    sentinel_event(s, RG_SENTINEL_WARNING, "+elected-leader", primary, "%s", "");
    if (s->simulate & SIMULATE_AFTER_ELECTION)
        sentinel_effect_add(s, RG_SENTINEL_EXIT);
    sentinel_failover_state(s, primary, FAILOVER_SELECT);
    sentinel_event(s, RG_SENTINEL_WARNING, "+failover-state-select-slave", primary, "%s", "");
}

static void failover_select(struct rg_sentinel *s, struct sentinel_inst *primary)
{
    struct sentinel_inst *replica = sentinel_select(s, primary);

    if (replica == NULL) {
        failover_give_up(s, primary, "-failover-abort-no-good-slave");
        return;
    }
    sentinel_event(s, RG_SENTINEL_WARNING, "+selected-slave", replica, "%s", "");
    replica->flags |= FLAG_PROMOTED;
    primary->promoted = replica;
    sentinel_failover_state(s, primary, FAILOVER_SEND_NOONE);
    sentinel_event(s, RG_SENTINEL_NOTICE, "+failover-state-send-slaveof-noone", replica, "%s", "");
}

static void failover_send_noone(struct rg_sentinel *s, struct sentinel_inst *primary)
{
    struct sentinel_inst *replica = primary->promoted;

    if (replica == NULL || !sentinel_send_slaveof(s, replica, NULL, 0)) {
        if (replica == NULL || s->now_ms - primary->state_ms > primary->failover_timeout_ms)
            failover_give_up(s, primary, "-failover-abort-slave-timeout");
        return;
    }
    sentinel_send_info(s, replica);
    sentinel_event(s, RG_SENTINEL_NOTICE, "+failover-state-wait-promotion", replica, "%s", "");
    sentinel_failover_state(s, primary, FAILOVER_WAIT_PROMOTION);
}

void sentinel_failover_promoted(struct rg_sentinel *s, struct sentinel_inst *replica)
{
    struct sentinel_inst *primary = replica->primary;

    primary->config_epoch = primary->failover_epoch;
    sentinel_failover_state(s, primary, FAILOVER_RECONF);
    sentinel_dirty(s);
    sentinel_event(s, RG_SENTINEL_WARNING, "+promoted-slave", replica, "%s", "");
    if (s->simulate & SIMULATE_AFTER_PROMOTION)
        sentinel_effect_add(s, RG_SENTINEL_EXIT);
    sentinel_event(s, RG_SENTINEL_WARNING, "+failover-state-reconf-slaves", primary, "%s", "");
    sentinel_script_reconfig(s, primary, "leader", &primary->addr, &replica->addr);
    sentinel_hello_soon(primary);
}

static bool failover_point(struct rg_sentinel *s, struct sentinel_inst *replica, const char *event)
{
    const struct sentinel_addr *to = &replica->primary->promoted->addr;

    if (!sentinel_send_slaveof(s, replica, sentinel_addr_host(s, to), to->port))
        return false;
    sentinel_send_info(s, replica);
    replica->flags |= FLAG_RECONF_SENT;
    replica->reconf_sent_ms = s->now_ms;
    sentinel_event(s, RG_SENTINEL_NOTICE, event, replica, "%s", "");
    return true;
}

/* At most parallel-syncs replicas are without their data at a time. */
static void failover_reconf_next(struct rg_sentinel *s, struct sentinel_inst *primary)
{
    int64_t busy = 0;

    RG_LIST_EACH(at, &primary->replicas)
    {
        const struct sentinel_inst *replica = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        busy += (replica->flags & (FLAG_RECONF_SENT | FLAG_RECONF_INPROG)) != 0;
    }
    RG_LIST_EACH(at, &primary->replicas)
    {
        struct sentinel_inst *replica = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if (busy >= primary->parallel_syncs)
            break;
        if (replica->flags & (FLAG_PROMOTED | FLAG_RECONF_DONE))
            continue;
        if ((replica->flags & FLAG_RECONF_SENT) &&
            s->now_ms - replica->reconf_sent_ms > s->timers[TIMER_RECONF]) {
            sentinel_event(s, RG_SENTINEL_NOTICE, "-slave-reconf-sent-timeout", replica, "%s", "");
            replica->flags &= ~(unsigned)FLAG_RECONF_SENT;
            replica->flags |= FLAG_RECONF_DONE;
            continue;
        }
        if (replica->flags & (FLAG_RECONF_SENT | FLAG_RECONF_INPROG))
            continue;
        busy += failover_point(s, replica, "+slave-reconf-sent");
    }
}

static void failover_reconf_end(struct rg_sentinel *s, struct sentinel_inst *primary)
{
    unsigned left = 0;
    bool late = s->now_ms - primary->state_ms > primary->failover_timeout_ms;

    if (primary->promoted == NULL || (primary->promoted->flags & FLAG_S_DOWN))
        return;
    RG_LIST_EACH(at, &primary->replicas)
    {
        const struct sentinel_inst *replica = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        left += !(replica->flags & (FLAG_PROMOTED | FLAG_RECONF_DONE | FLAG_S_DOWN)) &&
                (sentinel_link_is_up(replica) || replica->broke_ms == 0);
    }
    if (late)
        sentinel_event(s, RG_SENTINEL_WARNING, "+failover-end-for-timeout", primary, "%s", "");
    if (left > 0 && !late)
        return;
    sentinel_event(s, RG_SENTINEL_WARNING, "+failover-end", primary, "%s", "");
    sentinel_failover_state(s, primary, FAILOVER_UPDATE);
    if (!late)
        return;
    RG_LIST_EACH(at, &primary->replicas)
    {
        struct sentinel_inst *replica = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if (!(replica->flags & (FLAG_PROMOTED | FLAG_RECONF_DONE | FLAG_RECONF_SENT)))
            (void)failover_point(s, replica, "+slave-reconf-sent-be");
    }
}

static void failover_update(struct rg_sentinel *s, struct sentinel_inst *primary)
{
    struct sentinel_addr before = primary->addr;
    struct sentinel_addr after =
        primary->promoted != NULL ? primary->promoted->addr : primary->addr;

    sentinel_event(s, RG_SENTINEL_WARNING, "+switch-master", NULL, "%s %s %u %s %u", primary->name,
                   sentinel_addr_host(s, &before), before.port, sentinel_addr_host(s, &after),
                   after.port);
    sentinel_primary_move(s, primary, &after);
}

void sentinel_failover_run(struct rg_sentinel *s, struct sentinel_inst *primary)
{
    if (!(primary->flags & FLAG_FAILOVER))
        return;
    switch (primary->state) {
    case FAILOVER_NONE:
        break;
    case FAILOVER_WAIT_START:
        failover_wait_start(s, primary);
        break;
    case FAILOVER_SELECT:
        failover_select(s, primary);
        break;
    case FAILOVER_SEND_NOONE:
        failover_send_noone(s, primary);
        break;
    case FAILOVER_WAIT_PROMOTION:
        if (s->now_ms - primary->state_ms > primary->failover_timeout_ms)
            failover_give_up(s, primary, "-failover-abort-slave-timeout");
        break;
    case FAILOVER_RECONF:
        if (!sentinel_is_settled(s))
            break;
        failover_reconf_next(s, primary);
        failover_reconf_end(s, primary);
        break;
    case FAILOVER_UPDATE:
        failover_update(s, primary);
        break;
    }
}
