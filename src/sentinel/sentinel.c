#include "sentinel/sentinel.h"

#include "base/alloc.h"
#include "sentinel/state.h"

/* The whole: making it, the step that follows every input, and what must be on disk. */

enum { PERSIST_RETRY_MS = 1000 };

static const int64_t sentinel_defaults[TIMERS] = {
    [TIMER_INFO] = 10000,         [TIMER_PING] = 1000,        [TIMER_ASK] = 1000,
    [TIMER_PUBLISH] = 2000,       [TIMER_DOWN_AFTER] = 30000, [TIMER_FAILOVER_TIMEOUT] = 180000,
    [TIMER_TILT_TRIGGER] = 2000,  [TIMER_TILT] = 30000,       [TIMER_RECONF] = 10000,
    [TIMER_RECONNECT] = 15000,    [TIMER_ELECTION] = 10000,   [TIMER_SCRIPT_RUN] = 60000,
    [TIMER_SCRIPT_RETRY] = 30000,
};

struct rg_sentinel *rg_sentinel_new(const struct rg_sentinel_init *init)
{
    struct rg_sentinel *s = RG_NEW(struct rg_sentinel);

    rg_rand_init(&s->rand, init->seed);
    rg_rand_hex(&s->rand, s->id, SENTINEL_ID_LEN);
    rg_list_init(&s->primaries);
    rg_list_init(&s->links);
    rg_list_init(&s->scripts);
    rg_list_init(&s->effects);
    s->now = init->now;
    s->now_ms = s->stepped_ms = init->now.mono_us / RG_MS_US;
    s->port = init->port;
    s->requirepass = rg_alloc_copy(init->requirepass, strlen(init->requirepass));
    s->planted = init->planted;
    s->deny_scripts = true;
    memcpy(s->timers, sentinel_defaults, sizeof(s->timers));
    return s;
}

void rg_sentinel_free(struct rg_sentinel *s)
{
    if (s == NULL)
        return;
    RG_LIST_EACH(at, &s->primaries)
    {
        sentinel_inst_free(s, RG_CONTAINER_OF(at, struct sentinel_inst, link));
    }
    RG_LIST_EACH(at, &s->links)
    {
        rg_free(RG_CONTAINER_OF(at, struct rg_sentinel_link, all));
    }
    RG_LIST_EACH(at, &s->scripts)
    {
        sentinel_script_free(RG_CONTAINER_OF(at, struct sentinel_script, link));
    }
    sentinel_effects_fini(s);
    rg_free(s->requirepass);
    rg_free(s->sentinel_user);
    rg_free(s->sentinel_pass);
    rg_free(s);
}

const char *rg_sentinel_id(const struct rg_sentinel *s)
{
    return s->id;
}

/* ---- The disk ---- */

void sentinel_dirty(struct rg_sentinel *s)
{
    s->dirty = true;
    s->wake_ms = s->now_ms;
}

bool sentinel_is_settled(const struct rg_sentinel *s)
{
    return !s->dirty && s->durable == s->seq;
}

bool rg_sentinel_is_durable(const struct rg_sentinel *s, uint64_t seq)
{
    return s->durable >= seq;
}

bool rg_sentinel_disk_failed(const struct rg_sentinel *s)
{
    return s->disk_failed;
}

/* One state at a time is on its way; what changes meanwhile is in the next. */
static void sentinel_persist(struct rg_sentinel *s)
{
    if (!s->started || s->durable != s->seq || (!s->dirty && !s->disk_failed) ||
        s->now_ms < s->persist_retry_ms)
        return;
    s->dirty = false;
    sentinel_effect_add(s, RG_SENTINEL_PERSIST)->effect.seq = ++s->seq;
}

void rg_sentinel_persisted(struct rg_sentinel *s, uint64_t seq, int result, struct rg_time now)
{
    s->now = now;
    s->now_ms = now.mono_us / RG_MS_US;
    if (seq != s->seq)
        return;
    if (result < 0) {
        s->disk_failed = s->dirty = true;
        s->seq--;
        s->persist_retry_ms = s->now_ms + PERSIST_RETRY_MS;
        sentinel_say(s, RG_SENTINEL_WARNING,
                     "WARNING: Sentinel was not able to save the new configuration on disk!!!");
        return;
    }
    s->disk_failed = false;
    s->durable = seq;
    sentinel_say(s, RG_SENTINEL_NOTICE, "Sentinel new configuration saved on disk");
    s->wake_ms = s->now_ms;
}

/* ---- The step ---- */

/* Steps that come much too late, or from before the last one: this process, or its machine, did
 * not run for a while, and what it believes of the others is not to be trusted. */
static void sentinel_check_tilt(struct rg_sentinel *s)
{
    int64_t delta_ms = s->now_ms - s->stepped_ms;

    s->stepped_ms = s->now_ms;
    if (delta_ms < 0 || delta_ms > s->timers[TIMER_TILT_TRIGGER]) {
        s->tilt = true;
        s->tilt_ms = s->now_ms;
        sentinel_event(s, RG_SENTINEL_WARNING, "+tilt", NULL, "#tilt mode entered");
    }
    if (s->tilt && s->now_ms - s->tilt_ms >= s->timers[TIMER_TILT]) {
        s->tilt = false;
        sentinel_event(s, RG_SENTINEL_WARNING, "-tilt", NULL, "#tilt mode exited");
    }
}

static void sentinel_step_inst(struct rg_sentinel *s, struct sentinel_inst *inst)
{
    if (inst->cmd == NULL || inst->sub == NULL)
        sentinel_link_dial(s, inst);
    sentinel_link_periodic(s, inst);
    if (!s->tilt)
        sentinel_check_sdown(s, inst);
}

static void sentinel_step_list(struct rg_sentinel *s, struct rg_list *list)
{
    RG_LIST_EACH(at, list)
    {
        sentinel_step_inst(s, RG_CONTAINER_OF(at, struct sentinel_inst, link));
    }
}

static void sentinel_step_primary(struct rg_sentinel *s, struct sentinel_inst *primary)
{
    sentinel_step_inst(s, primary);
    sentinel_step_list(s, &primary->replicas);
    sentinel_step_list(s, &primary->sentinels);
    if (s->tilt)
        return;
    sentinel_check_odown(s, primary);
    bool began = sentinel_failover_if_needed(s, primary);
    sentinel_failover_run(s, primary);
    sentinel_ask_others(s, primary, began && sentinel_is_settled(s));
    if ((primary->flags & (FLAG_S_DOWN | FLAG_FAILOVER)) || primary->broke_ms != 0)
        sentinel_wake(s, SENTINEL_TICK_BUSY_MS);
}

void sentinel_wake(struct rg_sentinel *s, int64_t in_ms)
{
    if (s->now_ms + in_ms < s->wake_ms)
        s->wake_ms = s->now_ms + in_ms;
}

int64_t rg_sentinel_deadline(const struct rg_sentinel *s)
{
    return s->wake_ms * RG_MS_US;
}

void rg_sentinel_step(struct rg_sentinel *s, struct rg_time now)
{
    s->now = now;
    s->now_ms = now.mono_us / RG_MS_US;
    if (!s->started || s->now_ms < s->wake_ms)
        return;
    s->wake_ms = s->now_ms + SENTINEL_TICK_MS;
    sentinel_check_tilt(s);
    RG_LIST_EACH(at, &s->primaries)
    {
        sentinel_step_primary(s, RG_CONTAINER_OF(at, struct sentinel_inst, link));
    }
    sentinel_scripts_run(s);
    sentinel_persist(s);
    /* A change of state goes on at once, but not within the same moment. */
    if (s->wake_ms <= s->now_ms)
        s->wake_ms = s->now_ms + 1;
}

void rg_sentinel_start(struct rg_sentinel *s, struct rg_time now)
{
    s->now = now;
    s->now_ms = s->stepped_ms = now.mono_us / RG_MS_US;
    s->started = true;
    sentinel_say(s, RG_SENTINEL_WARNING, "Sentinel ID is %s", s->id);
    RG_LIST_EACH(at, &s->primaries)
    {
        const struct sentinel_inst *primary = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        sentinel_event(s, RG_SENTINEL_WARNING, "+monitor", primary, " quorum %u", primary->quorum);
    }
    sentinel_dirty(s);
}

bool rg_sentinel_view(const struct rg_sentinel *s, unsigned index,
                      struct rg_sentinel_view *ret_view)
{
    RG_LIST_EACH(at, &s->primaries)
    {
        const struct sentinel_inst *primary = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if (index-- > 0)
            continue;
        const struct sentinel_addr *addr = sentinel_current_addr(primary);
        *ret_view = (struct rg_sentinel_view){
            .name = primary->name,
            .host = sentinel_addr_host(s, addr),
            .port = addr->port,
            .config_epoch = primary->config_epoch,
            .current_epoch = s->current_epoch,
            .leads = primary->state >= FAILOVER_SELECT,
            .failover_epoch = primary->failover_epoch,
            .promotes = primary->state >= FAILOVER_WAIT_PROMOTION,
            .promoted = primary->promoted != NULL ? primary->promoted->name : NULL,
        };
        return true;
    }
    return false;
}
