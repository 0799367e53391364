#include <strings.h>

#include "sentinel/state.h"

/* Which replica takes over: the least priority, then the most of the log, then the least run id. */

static bool select_fits(const struct rg_sentinel *s, const struct sentinel_inst *replica,
                        int64_t max_link_down_ms)
{
    const struct sentinel_inst *primary = replica->primary;
    int64_t info_valid_ms =
        (primary->flags & FLAG_S_DOWN) ? s->timers[TIMER_PING] * 5 : s->timers[TIMER_INFO] * 3;

    return !(replica->flags & (FLAG_S_DOWN | FLAG_O_DOWN)) && sentinel_link_is_up(replica) &&
           s->now_ms - replica->last_avail_ms <= s->timers[TIMER_PING] * 5 &&
           replica->priority != 0 && replica->info_ms != 0 &&
           s->now_ms - replica->info_ms <= info_valid_ms &&
           replica->link_down_ms <= max_link_down_ms;
}

static bool select_is_better(const struct sentinel_inst *a, const struct sentinel_inst *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority;
    if (a->offset != b->offset)
        return a->offset > b->offset;
    if (a->runid[0] == '\0' || b->runid[0] == '\0')
        return b->runid[0] == '\0' && a->runid[0] != '\0';
    return strcasecmp(a->runid, b->runid) < 0;
}

struct sentinel_inst *sentinel_select(const struct rg_sentinel *s,
                                      const struct sentinel_inst *primary)
{
    struct sentinel_inst *best = NULL;
    int64_t max_link_down_ms = primary->down_after_ms * 10;

    if (primary->flags & FLAG_S_DOWN)
        max_link_down_ms += s->now_ms - primary->s_down_since_ms;
    RG_LIST_EACH(at, &primary->replicas)
    {
        struct sentinel_inst *replica = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if (select_fits(s, replica, max_link_down_ms) &&
            (best == NULL || select_is_better(replica, best)))
            best = replica;
    }
    return best;
}
