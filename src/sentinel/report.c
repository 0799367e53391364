#include <stdio.h>

#include "base/alloc.h"
#include "sentinel/state.h"

/* What SENTINEL MASTERS, REPLICAS and SENTINELS say of one instance: names and texts in a row. */

struct report {
    const struct rg_sentinel *s;
    struct rg_buf bytes;
    struct rg_reply reply;
    int64_t count;
};

static void report_text(struct report *report, const char *name, const char *value)
{
    rg_reply_bulk_str(&report->reply, name);
    rg_reply_bulk_str(&report->reply, value);
    report->count++;
}

static void report_number(struct report *report, const char *name, int64_t value)
{
    rg_reply_bulk_str(&report->reply, name);
    rg_reply_bulk_i64(&report->reply, value);
    report->count++;
}

static void report_flags(struct report *report, const struct sentinel_inst *inst)
{
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = {
        {FLAG_MASTER_DOWN, "master_down"},
        {FLAG_FAILOVER, "failover_in_progress"},
        {FLAG_PROMOTED, "promoted"},
        {FLAG_RECONF_SENT, "reconf_sent"},
        {FLAG_RECONF_INPROG, "reconf_inprog"},
        {FLAG_RECONF_DONE, "reconf_done"},
        {FLAG_FORCE_FAILOVER, "force_failover"},
        {FLAG_SCRIPT_KILL_SENT, "script_kill_sent"},
        {FLAG_MASTER_REBOOT, "master_reboot"},
    };
    static const char *const kinds[] = {"master", "slave", "sentinel"};
    struct rg_buf flags = {0};

    if (inst->flags & FLAG_S_DOWN)
        rg_buf_append_str(&flags, "s_down,");
    if (inst->flags & FLAG_O_DOWN)
        rg_buf_append_str(&flags, "o_down,");
    rg_buf_append_str(&flags, kinds[inst->kind]);
    if (!sentinel_link_is_up(inst))
        rg_buf_append_str(&flags, ",disconnected");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (inst->flags & names[i].flag)
            rg_buf_printf(&flags, ",%s", names[i].name);
    }
    rg_buf_append_char(&flags, '\0');
    report_text(report, "flags", rg_buf_view(&flags).data);
    rg_buf_fini(&flags);
}

static void report_common(struct report *report, const struct sentinel_inst *inst)
{
    const struct rg_sentinel *s = report->s;

    report_text(report, "name", inst->name);
    report_text(report, "ip", sentinel_addr_host(s, &inst->addr));
    report_number(report, "port", inst->addr.port);
    report_text(report, "runid", inst->runid);
    report_flags(report, inst);
    report_number(report, "link-pending-commands",
                  inst->cmd != NULL ? (int64_t)inst->cmd->pending_count : 0);
    report_number(report, "link-refcount", 1);
    if (inst->flags & FLAG_FAILOVER)
        report_text(report, "failover-state", sentinel_failover_name(inst->state));
    report_number(report, "last-ping-sent",
                  inst->act_ping_ms != 0 ? s->now_ms - inst->act_ping_ms : 0);
    report_number(report, "last-ok-ping-reply", s->now_ms - inst->last_avail_ms);
    report_number(report, "last-ping-reply", s->now_ms - inst->last_pong_ms);
    if (inst->flags & FLAG_S_DOWN)
        report_number(report, "s-down-time", s->now_ms - inst->s_down_since_ms);
    if (inst->flags & FLAG_O_DOWN)
        report_number(report, "o-down-time", s->now_ms - inst->o_down_since_ms);
    report_number(report, "down-after-milliseconds", inst->down_after_ms);
    if (inst->kind == KIND_SENTINEL)
        return;
    report_number(report, "info-refresh", inst->info_ms != 0 ? s->now_ms - inst->info_ms : 0);
    report_text(report, "role-reported", inst->role == KIND_PRIMARY ? "master" : "slave");
    report_number(report, "role-reported-time", s->now_ms - inst->role_ms);
}

static void report_primary(struct report *report, const struct sentinel_inst *inst)
{
    report_number(report, "config-epoch", (int64_t)inst->config_epoch);
    report_number(report, "num-slaves", sentinel_count(&inst->replicas));
    report_number(report, "num-other-sentinels", sentinel_count(&inst->sentinels));
    report_number(report, "quorum", inst->quorum);
    report_number(report, "failover-timeout", inst->failover_timeout_ms);
    report_number(report, "parallel-syncs", inst->parallel_syncs);
    if (inst->notification_script != NULL)
        report_text(report, "notification-script", inst->notification_script);
    if (inst->reconfig_script != NULL)
        report_text(report, "client-reconfig-script", inst->reconfig_script);
}

static void report_replica(struct report *report, const struct sentinel_inst *inst)
{
    report_number(report, "master-link-down-time", inst->link_down_ms);
    report_text(report, "master-link-status", inst->link_up ? "ok" : "err");
    report_text(report, "master-host", inst->follows.host[0] != '\0' ? inst->follows.host : "?");
    report_number(report, "master-port", inst->follows.port);
    report_number(report, "slave-priority", inst->priority);
    report_number(report, "slave-repl-offset", (int64_t)inst->offset);
    report_number(report, "replica-announced", inst->announced);
}

static void report_sentinel(struct report *report, const struct sentinel_inst *inst)
{
    report_number(report, "last-hello-message", report->s->now_ms - inst->last_hello_ms);
    report_text(report, "voted-leader", inst->leader[0] != '\0' ? inst->leader : "?");
    report_number(report, "voted-leader-epoch", (int64_t)inst->leader_epoch);
}

void sentinel_report(const struct rg_sentinel *s, const struct sentinel_inst *inst,
                     struct rg_reply *reply)
{
    struct report report = {.s = s};

    report.reply = (struct rg_reply){.out = &report.bytes, .proto = reply->proto};
    report_common(&report, inst);
    if (inst->kind == KIND_PRIMARY)
        report_primary(&report, inst);
    else if (inst->kind == KIND_REPLICA)
        report_replica(&report, inst);
    else
        report_sentinel(&report, inst);
    rg_reply_map(reply, report.count);
    rg_buf_append_bytes(reply->out, rg_buf_view(&report.bytes));
    rg_buf_fini(&report.bytes);
}

static const char *report_status(const struct sentinel_inst *primary)
{
    if (primary->flags & FLAG_O_DOWN)
        return "odown";
    return (primary->flags & FLAG_S_DOWN) ? "sdown" : "ok";
}

void rg_sentinel_info(const struct rg_sentinel *s, struct rg_buf *out)
{
    unsigned i = 0;

    rg_buf_printf(out,
                  "sentinel_masters:%u\r\nsentinel_tilt:%d\r\nsentinel_tilt_since_seconds:%lld\r\n"
                  "sentinel_running_scripts:%u\r\nsentinel_scripts_queue_length:%u\r\n"
                  "sentinel_simulate_failure_flags:%u\r\n",
                  sentinel_count(&s->primaries), s->tilt,
                  (long long)(s->tilt ? (s->now_ms - s->tilt_ms) / 1000 : -1), s->scripts_running,
                  s->scripts_count, s->simulate);
    RG_LIST_EACH(at, &s->primaries)
    {
        const struct sentinel_inst *primary = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        rg_buf_printf(out, "master%u:name=%s,status=%s,address=%s:%u,slaves=%u,sentinels=%u\r\n",
                      i++, primary->name, report_status(primary),
                      sentinel_addr_host(s, &primary->addr), primary->addr.port,
                      sentinel_count(&primary->replicas), sentinel_count(&primary->sentinels) + 1);
    }
}

void rg_sentinel_role(const struct rg_sentinel *s, struct rg_reply *reply)
{
    rg_reply_array(reply, 2);
    rg_reply_bulk_str(reply, "sentinel");
    rg_reply_array(reply, sentinel_count(&s->primaries));
    RG_LIST_EACH(at, &s->primaries)
    {
        rg_reply_bulk_str(reply, RG_CONTAINER_OF(at, struct sentinel_inst, link)->name);
    }
}
