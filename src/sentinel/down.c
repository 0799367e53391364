#include <stdio.h>

#include "sentinel/state.h"

/*
 * Who is down. Subjectively: it has not answered for down-after-milliseconds, or nobody listens any
 * more where a primary was and all its replicas that can be asked lost it as well. Objectively:
 * enough sentinels say so.
 */

bool sentinel_primary_sane(const struct rg_sentinel *s, const struct sentinel_inst *primary)
{
    return primary->role == KIND_PRIMARY && !(primary->flags & (FLAG_S_DOWN | FLAG_O_DOWN)) &&
           s->now_ms - primary->info_ms < s->timers[TIMER_INFO] * 2;
}

bool sentinel_not_down_for(const struct rg_sentinel *s, const struct sentinel_inst *inst,
                           int64_t ms)
{
    int64_t last_ms = inst->s_down_since_ms > inst->o_down_since_ms ? inst->s_down_since_ms
                                                                    : inst->o_down_since_ms;

    return last_ms == 0 || s->now_ms - last_ms > ms;
}

/* Its process is gone: dialling it anew was refused, and its replicas lost it too. */
static bool down_for_its_replicas(const struct sentinel_inst *primary)
{
    unsigned lost = 0;

    if (sentinel_link_is_up(primary) || !primary->refused || primary->broke_ms == 0)
        return false;
    RG_LIST_EACH(at, &primary->replicas)
    {
        const struct sentinel_inst *replica = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if ((replica->flags & FLAG_S_DOWN) || !sentinel_link_is_up(replica))
            continue;
        if (replica->info_ms < primary->broke_ms || replica->role != KIND_REPLICA ||
            replica->link_up ||
            !sentinel_addr_is(&primary->addr, replica->follows.host, replica->follows.port))
            return false;
        lost++;
    }
    return lost > 0;
}

/* A link that brings nothing though it stands may be of a connection that only this end knows of:
 * a new one shows. */
static void down_renew_links(struct rg_sentinel *s, struct sentinel_inst *inst)
{
    if (sentinel_link_is_up(inst) && s->now_ms - inst->cmd_open_ms > s->timers[TIMER_RECONNECT] &&
        inst->act_ping_ms != 0 && s->now_ms - inst->act_ping_ms > inst->down_after_ms / 2 &&
        s->now_ms - inst->last_pong_ms > inst->down_after_ms / 2) {
        sentinel_event(s, RG_SENTINEL_DEBUG, "-cmd-link-reconnection", inst, "%s", "");
        sentinel_link_drop(s, &inst->cmd);
    }
    if (inst->sub != NULL && inst->sub->open &&
        s->now_ms - inst->sub_open_ms > s->timers[TIMER_RECONNECT] &&
        s->now_ms - inst->sub_active_ms > s->timers[TIMER_PUBLISH] * 3) {
        sentinel_event(s, RG_SENTINEL_DEBUG, "-pubsub-link-reconnection", inst, "%s", "");
        sentinel_link_drop(s, &inst->sub);
    }
}

static bool down_is(const struct rg_sentinel *s, const struct sentinel_inst *inst)
{
    int64_t silent_ms = 0;

    if (inst->act_ping_ms != 0)
        silent_ms = s->now_ms - inst->act_ping_ms;
    else if (!sentinel_link_is_up(inst))
        silent_ms = s->now_ms - inst->last_avail_ms;
    if (silent_ms > inst->down_after_ms)
        return true;
    if (inst->kind != KIND_PRIMARY)
        return false;
    if (inst->role == KIND_REPLICA &&
        s->now_ms - inst->role_ms > inst->down_after_ms + s->timers[TIMER_INFO] * 2)
        return true;
    if ((inst->flags & FLAG_MASTER_REBOOT) &&
        s->now_ms - inst->reboot_ms > inst->reboot_down_after_ms)
        return true;
    /* Once it was held for down it is so until it answers. */
    if ((inst->flags & FLAG_S_DOWN) && !sentinel_link_is_up(inst))
        return true;
    return down_for_its_replicas(inst);
}

void sentinel_check_sdown(struct rg_sentinel *s, struct sentinel_inst *inst)
{
    down_renew_links(s, inst);
    bool down = down_is(s, inst);
    if (down && !(inst->flags & FLAG_S_DOWN)) {
        sentinel_event(s, RG_SENTINEL_WARNING, "+sdown", inst, "%s", "");
        inst->s_down_since_ms = s->now_ms;
        inst->flags |= FLAG_S_DOWN;
    } else if (!down && (inst->flags & FLAG_S_DOWN)) {
        sentinel_event(s, RG_SENTINEL_WARNING, "-sdown", inst, "%s", "");
        inst->flags &= ~(unsigned)(FLAG_S_DOWN | FLAG_SCRIPT_KILL_SENT);
    }
}

void sentinel_check_odown(struct rg_sentinel *s, struct sentinel_inst *primary)
{
    unsigned agree = 0;

    if (primary->flags & FLAG_S_DOWN) {
        agree = 1;
        RG_LIST_EACH(at, &primary->sentinels)
        {
            const struct sentinel_inst *other = RG_CONTAINER_OF(at, struct sentinel_inst, link);
            agree += (other->flags & FLAG_MASTER_DOWN) != 0;
        }
    }
    bool down = agree > 0 && agree >= primary->quorum;
    if (down && !(primary->flags & FLAG_O_DOWN)) {
        sentinel_event(s, RG_SENTINEL_WARNING, "+odown", primary, " #quorum %u/%u", agree,
                       primary->quorum);
        primary->flags |= FLAG_O_DOWN;
        primary->o_down_since_ms = s->now_ms;
    } else if (!down && (primary->flags & FLAG_O_DOWN)) {
        sentinel_event(s, RG_SENTINEL_WARNING, "-odown", primary, "%s", "");
        primary->flags &= ~(unsigned)FLAG_O_DOWN;
    }
}

/* ---- What the others think ---- */

static void down_ask(struct rg_sentinel *s, struct sentinel_inst *primary,
                     struct sentinel_inst *other, bool vote)
{
    char port[8];
    char epoch[24];

    (void)snprintf(port, sizeof(port), "%u", primary->addr.port);
    (void)snprintf(epoch, sizeof(epoch), "%llu", (unsigned long long)s->current_epoch);
    if (!sentinel_send_strs(s, other, ASK_DOWN, "SENTINEL", "is-master-down-by-addr",
                            sentinel_addr_host(s, &primary->addr), port, epoch, vote ? s->id : "*",
                            NULL))
        return;
    other->asked_ms = s->now_ms;
    if (vote)
        other->asked_epoch = s->current_epoch;
}

void sentinel_ask_others(struct rg_sentinel *s, struct sentinel_inst *primary, bool forced)
{
    enum { DOWN_ASK_FAST_MS = 100, DOWN_FAST_MS = 5000 };
    bool vote = primary->state != FAILOVER_NONE;
    int64_t period_ms = s->timers[TIMER_ASK];

    /* The others learn of it about now as well. */
    if (period_ms > DOWN_ASK_FAST_MS && !(primary->flags & FLAG_O_DOWN) &&
        s->now_ms - primary->s_down_since_ms < DOWN_FAST_MS)
        period_ms = DOWN_ASK_FAST_MS;
    RG_LIST_EACH(at, &primary->sentinels)
    {
        struct sentinel_inst *other = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if (s->now_ms - other->answered_ms > s->timers[TIMER_ASK] * 5) {
            other->flags &= ~(unsigned)FLAG_MASTER_DOWN;
            other->leader[0] = '\0';
        }
        if (!(primary->flags & FLAG_S_DOWN) || !sentinel_link_is_up(other))
            continue;
        if (vote && !sentinel_is_settled(s))
            continue; /* the epoch that it would be told of is not on disk yet */
        bool due = forced || (vote && other->asked_epoch != s->current_epoch) ||
                   s->now_ms - other->asked_ms >= period_ms;
        if (due)
            down_ask(s, primary, other, vote);
    }
}

void sentinel_answer_down(struct rg_sentinel *s, struct sentinel_inst *inst, int64_t down,
                          struct rg_bytes leader, int64_t epoch)
{
    inst->answered_ms = s->now_ms;
    if (down == 1)
        inst->flags |= FLAG_MASTER_DOWN;
    else
        inst->flags &= ~(unsigned)FLAG_MASTER_DOWN;
    if (rg_bytes_is(leader, "*") || leader.len != SENTINEL_ID_LEN || epoch < 0)
        return;
    if (inst->leader_epoch != (uint64_t)epoch)
        sentinel_say(s, RG_SENTINEL_WARNING, "%s voted for %.*s %lld", inst->name, SENTINEL_ID_LEN,
                     leader.data, (long long)epoch);
    memcpy(inst->leader, leader.data, SENTINEL_ID_LEN);
    inst->leader[SENTINEL_ID_LEN] = '\0';
    inst->leader_epoch = (uint64_t)epoch;
}
