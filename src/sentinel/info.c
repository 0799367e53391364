#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "sentinel/state.h"

/* What INFO says of a node, and what follows from it. */

enum { INFO_SANE_PERIODS = 4 };

struct info {
    bool role_known;
    enum sentinel_kind role;
    char runid[SENTINEL_ID_LEN + 1];
    struct sentinel_addr follows;
    bool link_up;
    int64_t link_down_ms;
    int64_t priority;
    uint64_t offset;
    bool announced;
    bool in_group;
    uint64_t group_term;
};

/* "slave0:ip=10.0.0.2,port=6379,state=online,offset=1,lag=0" */
static void info_replica(struct rg_sentinel *s, struct sentinel_inst *primary, struct rg_bytes line)
{
    struct rg_bytes host = {0};
    int64_t port = 0;
    struct sentinel_addr addr;

    (void)rg_bytes_cut(&line, ':');
    while (line.len > 0) {
        struct rg_bytes value = rg_bytes_cut(&line, ',');
        struct rg_bytes name = rg_bytes_cut(&value, '=');
        if (rg_bytes_is(name, "ip"))
            host = value;
        else if (rg_bytes_is(name, "port") && rg_parse_i64(value, &port) < 0)
            return;
    }
    if (port <= 0 || sentinel_addr_make(s, host, port, &addr) < 0 ||
        sentinel_find(&primary->replicas, &addr) != NULL ||
        sentinel_addr_equal(&primary->addr, &addr))
        return;
    struct sentinel_inst *replica = sentinel_inst_new(s, KIND_REPLICA, NULL, &addr, primary);
    sentinel_event(s, RG_SENTINEL_NOTICE, "+slave", replica, "%s", "");
    sentinel_dirty(s);
}

/* What is no number leaves it as it was. */
static void info_number(struct rg_bytes value, int64_t *number)
{
    if (rg_parse_i64(value, number) < 0)
        return;
}

/* The fields of replicas. */
static void info_replica_field(struct info *info, struct rg_bytes name, struct rg_bytes value)
{
    int64_t number = 0;
    uint64_t offset = 0;

    if (rg_bytes_is(name, "master_host")) {
        (void)snprintf(info->follows.host, sizeof(info->follows.host), "%.*s", (int)value.len,
                       value.data);
    } else if (rg_bytes_is(name, "master_port")) {
        info_number(value, &number);
        info->follows.port = number > 0 && number <= UINT16_MAX ? (uint16_t)number : 0;
    } else if (rg_bytes_is(name, "master_link_status")) {
        info->link_up = rg_bytes_is_nocase(value, "up");
    } else if (rg_bytes_is(name, "master_link_down_since_seconds")) {
        info_number(value, &number);
        /* 0 seconds are a link that is down, too. */
        info->link_down_ms = number > 0 ? number * 1000 : 1;
    } else if (rg_bytes_is(name, "slave_priority")) {
        info_number(value, &info->priority);
    } else if (rg_bytes_is(name, "slave_repl_offset")) {
        info->offset = rg_parse_u64(value, &offset) == 0 ? offset : info->offset;
    } else if (rg_bytes_is(name, "replica_announced")) {
        info->announced = !rg_bytes_is(value, "0");
    }
}

static void info_field(struct rg_sentinel *s, struct sentinel_inst *inst, struct info *info,
                       struct rg_bytes line)
{
    struct rg_bytes value = line;
    struct rg_bytes name = rg_bytes_cut(&value, ':');

    if (rg_bytes_is(name, "run_id") && value.len == SENTINEL_ID_LEN) {
        memcpy(info->runid, value.data, SENTINEL_ID_LEN);
    } else if (rg_bytes_is(name, "role")) {
        info->role_known = true;
        info->role = rg_bytes_is(value, "slave") ? KIND_REPLICA : KIND_PRIMARY;
    } else if (rg_bytes_is(name, "group_term")) {
        info->in_group = rg_parse_u64(value, &info->group_term) == 0;
    } else if (inst->kind == KIND_PRIMARY && name.len > 5 && name.data[5] >= '0' &&
               name.data[5] <= '9' && rg_bytes_starts_with(name, RG_BYTES("slave"))) {
        info_replica(s, inst, line);
    } else {
        info_replica_field(info, name, value);
    }
}

static void info_rebooted(struct rg_sentinel *s, struct sentinel_inst *inst,
                          const struct info *info)
{
    if (info->runid[0] == '\0' || strcmp(inst->runid, info->runid) == 0)
        return;
    if (inst->runid[0] != '\0') {
        sentinel_event(s, RG_SENTINEL_NOTICE, "+reboot", inst, "%s", "");
        if (inst->kind == KIND_PRIMARY && inst->reboot_down_after_ms != 0) {
            inst->flags |= FLAG_MASTER_REBOOT;
            inst->reboot_ms = s->now_ms;
        }
    }
    memcpy(inst->runid, info->runid, sizeof(inst->runid));
}

static void info_role(struct rg_sentinel *s, struct sentinel_inst *inst, const struct info *info)
{
    if (info->role == inst->role)
        return;
    inst->role = info->role;
    inst->role_ms = s->now_ms;
    if (info->role == KIND_REPLICA)
        inst->follows_ms = s->now_ms;
    sentinel_event(s, RG_SENTINEL_VERBOSE,
                   inst->kind == info->role ? "+role-change" : "-role-change", inst,
                   " new reported role is %s", info->role == KIND_PRIMARY ? "master" : "slave");
}

static void info_follows(struct rg_sentinel *s, struct sentinel_inst *inst, const struct info *info)
{
    if (!sentinel_addr_equal(&inst->follows, &info->follows)) {
        inst->follows = info->follows;
        inst->follows_ms = s->now_ms;
    }
    inst->link_up = info->link_up;
    inst->link_down_ms = info->link_up ? 0 : info->link_down_ms;
    inst->priority = info->priority;
    inst->offset = info->offset;
    if (inst->announced != info->announced) {
        inst->announced = info->announced;
        sentinel_dirty(s);
    }
}

/* ---- What follows from it ---- */

static bool info_long_enough(const struct rg_sentinel *s, const struct sentinel_inst *inst,
                             int64_t since_ms, int64_t wait_ms)
{
    return sentinel_primary_sane(s, inst->primary) && sentinel_not_down_for(s, inst, wait_ms) &&
           s->now_ms - since_ms > wait_ms;
}

/* A group's members elected another primary: all sentinels that hear of it give it the epoch that
 * is the group's term. */
static void info_group_switched(struct rg_sentinel *s, struct sentinel_inst *replica)
{
    struct sentinel_inst *primary = replica->primary;
    struct sentinel_addr before = primary->addr;
    struct sentinel_addr after = replica->addr;

    if (replica->group_term > s->current_epoch)
        sentinel_new_epoch(s, primary, replica->group_term);
    primary->config_epoch = replica->group_term;
    primary->group_term = replica->group_term;
    sentinel_event(s, RG_SENTINEL_WARNING, "+switch-master", NULL, "%s %s %u %s %u", primary->name,
                   sentinel_addr_host(s, &before), before.port, sentinel_addr_host(s, &after),
                   after.port);
    sentinel_script_reconfig(s, primary, "observer", &before, &after);
    sentinel_hello_soon(primary);
    sentinel_primary_move(s, primary, &after);
}

/* A replica that says that it is a primary. */
static void info_replica_leads(struct rg_sentinel *s, struct sentinel_inst *inst)
{
    struct sentinel_inst *primary = inst->primary;
    int64_t wait_ms = s->timers[TIMER_PUBLISH] * INFO_SANE_PERIODS;

    if (inst->in_group) {
        if (inst->group_term > primary->group_term && inst->group_term > primary->config_epoch)
            info_group_switched(s, inst);
    } else if ((inst->flags & FLAG_PROMOTED) && (primary->flags & FLAG_FAILOVER) &&
               primary->state == FAILOVER_WAIT_PROMOTION) {
        sentinel_failover_promoted(s, inst);
    } else if (!(inst->flags & FLAG_PROMOTED) && sentinel_is_settled(s) &&
               info_long_enough(s, inst, inst->role_ms, wait_ms)) {
        /* The old primary is back, and does not know yet. */
        if (sentinel_send_slaveof(s, inst, sentinel_addr_host(s, &primary->addr),
                                  primary->addr.port))
            sentinel_event(s, RG_SENTINEL_NOTICE, "+convert-to-slave", inst, "%s", "");
    }
}

static void info_follows_another(struct rg_sentinel *s, struct sentinel_inst *inst)
{
    const struct sentinel_inst *primary = inst->primary;

    if (inst->in_group || sentinel_addr_equal(&inst->follows, &primary->addr) ||
        sentinel_addr_is(&primary->addr, inst->follows.host, inst->follows.port) ||
        !sentinel_is_settled(s) ||
        !info_long_enough(s, inst, inst->follows_ms, primary->failover_timeout_ms))
        return;
    if (sentinel_send_slaveof(s, inst, sentinel_addr_host(s, &primary->addr), primary->addr.port))
        sentinel_event(s, RG_SENTINEL_NOTICE, "+fix-slave-config", inst, "%s", "");
}

static void info_reconfigured(struct rg_sentinel *s, struct sentinel_inst *inst)
{
    const struct sentinel_inst *promoted = inst->primary->promoted;

    if ((inst->flags & FLAG_RECONF_SENT) && promoted != NULL &&
        sentinel_addr_is(&promoted->addr, inst->follows.host, inst->follows.port)) {
        inst->flags &= ~(unsigned)FLAG_RECONF_SENT;
        inst->flags |= FLAG_RECONF_INPROG;
        sentinel_event(s, RG_SENTINEL_NOTICE, "+slave-reconf-inprog", inst, "%s", "");
    }
    if ((inst->flags & FLAG_RECONF_INPROG) && inst->link_up) {
        inst->flags &= ~(unsigned)FLAG_RECONF_INPROG;
        inst->flags |= FLAG_RECONF_DONE;
        sentinel_event(s, RG_SENTINEL_NOTICE, "+slave-reconf-done", inst, "%s", "");
    }
}

void sentinel_info_take(struct rg_sentinel *s, struct sentinel_inst *inst, struct rg_bytes text)
{
    struct info info = {.priority = inst->priority, .offset = inst->offset, .announced = true};

    rg_buf_reset(&inst->info, 0);
    rg_buf_append_bytes(&inst->info, text);
    while (text.len > 0) {
        struct rg_bytes line = rg_bytes_cut(&text, '\n');
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        info_field(s, inst, &info, line);
    }
    inst->info_ms = s->now_ms;
    inst->info_asked_ms = s->now_ms;
    if (!info.role_known)
        return;
    info_rebooted(s, inst, &info);
    inst->in_group = info.in_group;
    if (info.in_group)
        inst->group_term = info.group_term;
    info_role(s, inst, &info);
    if (info.role == KIND_REPLICA)
        info_follows(s, inst, &info);
    if (s->tilt || inst->kind != KIND_REPLICA)
        return;
    if (info.role == KIND_PRIMARY) {
        info_replica_leads(s, inst);
        return;
    }
    info_follows_another(s, inst);
    info_reconfigured(s, inst);
}
