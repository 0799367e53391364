#include <stdio.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "sentinel/state.h"

/* Who is watched: the primaries, and of each its replicas and the other sentinels. */

/* As if it had answered just now: it gets the whole time that it may be silent. */
static void inst_fresh(const struct rg_sentinel *s, struct sentinel_inst *inst)
{
    inst->act_ping_ms = inst->last_avail_ms = inst->last_pong_ms = s->now_ms;
    inst->last_ping_ms = 0;
    inst->broke_ms = 0;
    inst->refused = false;
    inst->role = inst->kind == KIND_REPLICA ? KIND_REPLICA : KIND_PRIMARY;
    inst->role_ms = s->now_ms;
    inst->follows_ms = s->now_ms;
}

static void inst_inherit(struct sentinel_inst *inst, const struct sentinel_inst *primary)
{
    inst->down_after_ms = primary->down_after_ms;
    inst->quorum = primary->quorum;
    inst->failover_timeout_ms = primary->failover_timeout_ms;
}

struct sentinel_inst *sentinel_inst_new(struct rg_sentinel *s, enum sentinel_kind kind,
                                        const char *name, const struct sentinel_addr *addr,
                                        struct sentinel_inst *primary)
{
    struct sentinel_inst *inst = RG_NEW(struct sentinel_inst);
    char made[SENTINEL_HOST_CHARS + 10];

    if (name == NULL) {
        bool six = strchr(addr->host, ':') != NULL;
        (void)snprintf(made, sizeof(made), "%s%s%s:%u", six ? "[" : "", addr->host, six ? "]" : "",
                       addr->port);
        name = made;
    }
    inst->kind = kind;
    inst->name = rg_alloc_copy(name, strlen(name));
    inst->addr = *addr;
    inst->primary = primary != NULL ? primary : inst;
    rg_list_init(&inst->replicas);
    rg_list_init(&inst->sentinels);
    rg_list_init(&inst->renames);
    inst->down_after_ms = s->timers[TIMER_DOWN_AFTER];
    inst->failover_timeout_ms = s->timers[TIMER_FAILOVER_TIMEOUT];
    inst->parallel_syncs = 1;
    inst->priority = 100;
    inst->announced = true;
    inst_fresh(s, inst);
    if (kind == KIND_PRIMARY) {
        rg_list_append(&s->primaries, &inst->link);
        return inst;
    }
    RG_ASSERT(primary != NULL);
    inst_inherit(inst, primary);
    rg_list_append(kind == KIND_REPLICA ? &primary->replicas : &primary->sentinels, &inst->link);
    return inst;
}

static void inst_free_all(struct rg_sentinel *s, struct rg_list *list)
{
    RG_LIST_EACH(at, list)
    {
        sentinel_inst_free(s, RG_CONTAINER_OF(at, struct sentinel_inst, link));
    }
}

static void inst_free_one(struct rg_sentinel *s, struct sentinel_inst *inst)
{
    rg_list_remove(&inst->link);
    sentinel_link_drop(s, &inst->cmd);
    sentinel_link_drop(s, &inst->sub);
    if (inst->primary->promoted == inst)
        inst->primary->promoted = NULL;
    RG_LIST_EACH(at, &inst->renames)
    {
        struct sentinel_rename *rename = RG_CONTAINER_OF(at, struct sentinel_rename, link);
        rg_list_remove(at);
        rg_free(rename->from);
        rg_free(rename->to);
        rg_free(rename);
    }
    rg_buf_fini(&inst->info);
    rg_free(inst->name);
    rg_free(inst->auth_user);
    rg_free(inst->auth_pass);
    rg_free(inst->notification_script);
    rg_free(inst->reconfig_script);
    rg_free(inst);
}

/* Replicas and sentinels have none of their own. */
void sentinel_inst_free(struct rg_sentinel *s, struct sentinel_inst *inst)
{
    struct rg_list *lists[] = {&inst->replicas, &inst->sentinels};

    for (int i = 0; i < 2; i++) {
        RG_LIST_EACH(at, lists[i])
        {
            inst_free_one(s, RG_CONTAINER_OF(at, struct sentinel_inst, link));
        }
    }
    inst_free_one(s, inst);
}

struct sentinel_inst *sentinel_primary_named(const struct rg_sentinel *s, struct rg_bytes name)
{
    RG_LIST_EACH(at, &s->primaries)
    {
        struct sentinel_inst *primary = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if (rg_bytes_is(name, primary->name))
            return primary;
    }
    return NULL;
}

struct sentinel_inst *sentinel_find(const struct rg_list *list, const struct sentinel_addr *addr)
{
    RG_LIST_EACH(at, list)
    {
        struct sentinel_inst *inst = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if (sentinel_addr_equal(&inst->addr, addr))
            return inst;
    }
    return NULL;
}

struct sentinel_inst *sentinel_find_id(const struct rg_list *list, struct rg_bytes runid)
{
    RG_LIST_EACH(at, list)
    {
        struct sentinel_inst *inst = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if (inst->runid[0] != '\0' && rg_bytes_is(runid, inst->runid))
            return inst;
    }
    return NULL;
}

unsigned sentinel_count(const struct rg_list *list)
{
    unsigned count = 0;

    RG_LIST_EACH(at, list)
    {
        count++;
    }
    return count;
}

void sentinel_primary_reset(struct rg_sentinel *s, struct sentinel_inst *primary, bool sentinels)
{
    inst_free_all(s, &primary->replicas);
    if (sentinels)
        inst_free_all(s, &primary->sentinels);
    sentinel_link_drop(s, &primary->cmd);
    sentinel_link_drop(s, &primary->sub);
    primary->flags = 0;
    primary->leader[0] = '\0';
    primary->runid[0] = '\0';
    primary->state = FAILOVER_NONE;
    primary->state_ms = 0;
    primary->failover_start_ms = 0;
    primary->failover_next_ms = 0;
    primary->failed_attempts = 0;
    primary->promoted = NULL;
    primary->info_ms = 0;
    primary->info_asked_ms = 0;
    primary->dialled_ms[0] = primary->dialled_ms[1] = 0;
    primary->in_group = primary->group_leads = false;
    rg_buf_reset(&primary->info, 0);
    inst_fresh(s, primary);
    /* What the other sentinels said was of another state of it. */
    RG_LIST_EACH(at, &primary->sentinels)
    {
        RG_CONTAINER_OF(at, struct sentinel_inst, link)->flags &= ~(unsigned)FLAG_MASTER_DOWN;
    }
}

void sentinel_primary_move(struct rg_sentinel *s, struct sentinel_inst *primary,
                           const struct sentinel_addr *addr)
{
    struct sentinel_addr to = *addr; /* it may belong to what is freed below */
    struct sentinel_addr from = primary->addr;
    unsigned count = sentinel_count(&primary->replicas);
    struct sentinel_addr *keep = RG_NEW_ARRAY(struct sentinel_addr, count + 1);
    unsigned kept = 0;

    RG_LIST_EACH(at, &primary->replicas)
    {
        const struct sentinel_inst *replica = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if (!sentinel_addr_equal(&replica->addr, &to))
            keep[kept++] = replica->addr;
    }
    if (!sentinel_addr_equal(&from, &to))
        keep[kept++] = from;
    sentinel_primary_reset(s, primary, false);
    primary->addr = to;
    primary->o_down_since_ms = primary->s_down_since_ms = 0;
    for (unsigned i = 0; i < kept; i++) {
        struct sentinel_inst *replica = sentinel_inst_new(s, KIND_REPLICA, NULL, &keep[i], primary);
        sentinel_event(s, RG_SENTINEL_NOTICE, "+slave", replica, "%s", "");
    }
    rg_free(keep);
    sentinel_dirty(s);
    sentinel_wake(s, 0);
}
