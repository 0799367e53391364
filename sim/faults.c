#include "sim/faults.h"

static const char *const fault_names[SIM_FAULTS] = {
    "kill",       "power",     "wipe",    "stop",    "pause",    "cut",       "half-open",
    "stall",      "partition", "isolate", "one-way", "clock",    "slow-disk", "full-disk",
    "disk-error", "hand-over", "sleep",   "save",    "blackout",
};

/* Mean time between two of a kind, in milliseconds, where it is on. */
static const int fault_means_ms[SIM_FAULTS] = {
    [SIM_FAULT_KILL] = 1500,      [SIM_FAULT_POWER] = 2000,     [SIM_FAULT_WIPE] = 3000,
    [SIM_FAULT_STOP] = 2500,      [SIM_FAULT_PAUSE] = 2000,     [SIM_FAULT_CUT] = 500,
    [SIM_FAULT_HALF_OPEN] = 1000, [SIM_FAULT_STALL] = 800,      [SIM_FAULT_PARTITION] = 2500,
    [SIM_FAULT_ISOLATE] = 1500,   [SIM_FAULT_ONE_WAY] = 2000,   [SIM_FAULT_CLOCK] = 1500,
    [SIM_FAULT_SLOW_DISK] = 2000, [SIM_FAULT_FULL_DISK] = 3000, [SIM_FAULT_DISK_ERROR] = 2500,
    [SIM_FAULT_HAND_OVER] = 1500, [SIM_FAULT_SLEEP] = 2000,     [SIM_FAULT_SAVE] = 1000,
    [SIM_FAULT_BLACKOUT] = 2500,
};

enum { DISK_LATENCY_US = 300 };

const char *sim_fault_name(enum sim_fault fault)
{
    return fault_names[fault];
}

/* ---- Whom it strikes ---- */

static int faults_primary(const struct sim_faults *faults)
{
    struct rg_node_view view;
    struct rg_group_view group;

    for (unsigned i = 0; i < faults->nodes; i++) {
        if (sim_machine_view(&faults->machines[i], &view, &group) && group.role == RG_ROLE_PRIMARY)
            return (int)i;
    }
    return -1;
}

/* A primary more often than others: there it hurts. */
static unsigned faults_node(struct sim_faults *faults)
{
    int primary = faults_primary(faults);

    if (primary >= 0 && sim_chance(faults->loop, 0.4))
        return (unsigned)primary;
    return (unsigned)rg_rand_below(&faults->loop->rand, faults->nodes);
}

static struct rg_group_durable faults_state_of(const struct sim_faults *faults, unsigned node)
{
    const struct sim_file *file = sim_disk_find(&faults->machines[node].disk, RG_NODE_STATE_FILE);
    struct rg_group_durable durable = {0};

    if (file == NULL || rg_group_durable_parse(rg_buf_view(&file->data), &durable) < 0)
        return (struct rg_group_durable){0};
    return durable;
}

/* Its disk says that it forgets nothing, however it dies. */
static bool faults_keeps(const struct sim_faults *faults, unsigned node)
{
    return faults_state_of(faults, node).on_disk;
}

/* May node forget its log without leaving fewer than an election needs? */
static bool faults_may_forget(const struct sim_faults *faults, unsigned node)
{
    struct rg_node_view view;
    struct rg_group_view group;
    unsigned healthy = 0;

    for (unsigned i = 0; i < faults->nodes; i++) {
        if (i == node)
            continue;
        /* One that is about to stop counts as gone. */
        if (faults_keeps(faults, i))
            healthy++;
        else if (!rg_heap_item_in(&faults->restarts[i].event.item) &&
                 sim_machine_view(&faults->machines[i], &view, &group))
            healthy += group.state == RG_MEMBER_HEALTHY;
    }
    return faults->careless || healthy >= faults->promises;
}

/* A group of which no disk knows any more has truly forgotten that it ever was. */
static bool faults_may_wipe(const struct sim_faults *faults, unsigned node)
{
    for (unsigned i = 0; i < faults->nodes; i++) {
        if (i != node && faults_state_of(faults, i).formed)
            return true;
    }
    return false;
}

/* May all lose power at once? */
static bool faults_may_black_out(const struct sim_faults *faults)
{
    unsigned keep = 0;

    for (unsigned i = 0; i < faults->nodes; i++)
        keep += faults_keeps(faults, i);
    return faults->careless || keep >= faults->promises;
}

/* ---- Striking ---- */

static void faults_say(struct sim_faults *faults, enum sim_fault kind, unsigned what)
{
    faults->injected[kind]++;
    sim_trace_mix(&faults->loop->trace, faults->loop->now_us, 64, kind, what);
    sim_trace_line(&faults->loop->trace, faults->loop->now_us, "fault: %s (%u)", fault_names[kind],
                   what);
}

static void faults_after(struct sim_faults *faults, struct sim_fault_timer *timer, int64_t mean_us)
{
    sim_event_at(faults->loop, &timer->event,
                 faults->loop->now_us + 1000 + sim_around(faults->loop, mean_us));
}

static void faults_die(struct sim_faults *faults, enum sim_fault kind)
{
    unsigned node = faults_node(faults);
    struct sim_machine *machine = &faults->machines[node];

    bool forgets = kind == SIM_FAULT_WIPE || !faults_keeps(faults, node);
    if (machine->state == SIM_DOWN || (forgets && !faults_may_forget(faults, node)) ||
        (kind == SIM_FAULT_WIPE && !faults_may_wipe(faults, node)))
        return;
    faults_say(faults, kind, node);
    faults_after(faults, &faults->restarts[node], 600000);
    if (kind == SIM_FAULT_STOP) {
        sim_machine_stop(machine);
        return;
    }
    sim_machine_die(machine, kind == SIM_FAULT_POWER ? SIM_POWER_OFF : SIM_KILLED);
    if (kind == SIM_FAULT_WIPE)
        sim_disk_wipe(&machine->disk);
}

/* The disks are slow for a moment before, so that much is on its way to them. */
static void faults_black_out(struct sim_faults *faults)
{
    bool all = sim_chance(faults->loop, 0.7);

    if (rg_heap_item_in(&faults->blackout.event.item))
        return;
    faults_say(faults, SIM_FAULT_BLACKOUT, all);
    for (unsigned i = 0; i < faults->nodes; i++) {
        faults->machines[i].disk.latency_us = DISK_LATENCY_US * sim_between(faults->loop, 10, 1000);
        faults_after(faults, &faults->disks[i], 1000000);
    }
    faults->blackout.which = all;
    faults_after(faults, &faults->blackout, 100000);
}

/* They come back each in its time. */
static void blackout_fire(struct sim_event *event)
{
    struct sim_fault_timer *timer = RG_CONTAINER_OF(event, struct sim_fault_timer, event);
    struct sim_faults *faults = timer->faults;

    if (!faults_may_black_out(faults))
        return;
    for (unsigned i = 0; i < faults->nodes; i++) {
        if (faults->machines[i].state == SIM_DOWN ||
            (timer->which == 0 && sim_chance(faults->loop, 0.5)))
            continue;
        faults_after(faults, &faults->restarts[i], 600000);
        sim_machine_die(&faults->machines[i], SIM_POWER_OFF);
    }
}

static void faults_pause(struct sim_faults *faults)
{
    unsigned node = faults_node(faults);

    if (faults->machines[node].state == SIM_DOWN)
        return;
    faults_say(faults, SIM_FAULT_PAUSE, node);
    sim_machine_pause(&faults->machines[node], true);
    faults_after(faults, &faults->resumes[node], 1200000);
}

static void faults_link(struct sim_faults *faults, enum sim_fault kind)
{
    struct sim_link *link = sim_network_pick(faults->network);

    if (link == NULL)
        return;
    faults_say(faults, kind, 0);
    if (kind == SIM_FAULT_STALL)
        sim_link_stall(faults->network, link, 1000 + sim_around(faults->loop, 500000));
    else
        sim_link_cut(faults->network, link, kind == SIM_FAULT_HALF_OPEN);
}

static void faults_split(struct sim_faults *faults, const bool *side)
{
    unsigned hosts = faults->network->host_count;

    for (unsigned a = 0; a < hosts; a++) {
        for (unsigned b = 0; b < hosts; b++) {
            if (side[a] != side[b])
                sim_network_block(faults->network, a, b, true);
        }
    }
    faults_after(faults, &faults->partition, 1500000);
}

static void faults_partition(struct sim_faults *faults)
{
    bool side[SIM_MAX_HOSTS] = {false};

    for (unsigned host = 0; host < faults->network->host_count; host++)
        side[host] = sim_chance(faults->loop, 0.5);
    faults_say(faults, SIM_FAULT_PARTITION, 0);
    faults_split(faults, side);
}

/* The primary loses most of its clients, and a moment later its fellow nodes: what was under way is
 * acknowledged by then, and nothing but a lease tells it what the clients that it keeps may read.
 */
static void faults_isolate(struct sim_faults *faults)
{
    int primary = faults_primary(faults);

    if (primary < 0)
        return;
    for (unsigned host = faults->nodes; host < faults->network->host_count; host++) {
        bool cut = sim_chance(faults->loop, 0.7);
        sim_network_block(faults->network, (unsigned)primary, host, cut);
        sim_network_block(faults->network, host, (unsigned)primary, cut);
    }
    faults_say(faults, SIM_FAULT_ISOLATE, (unsigned)primary);
    faults->isolation.which = (unsigned)primary;
    faults_after(faults, &faults->isolation, 40000);
    faults_after(faults, &faults->partition, 3500000);
}

static void isolation_fire(struct sim_event *event)
{
    struct sim_fault_timer *timer = RG_CONTAINER_OF(event, struct sim_fault_timer, event);
    struct sim_network *network = timer->faults->network;

    for (unsigned node = 0; node < timer->faults->nodes; node++) {
        if (node == timer->which)
            continue;
        sim_network_block(network, timer->which, node, true);
        sim_network_block(network, node, timer->which, true);
    }
}

static void faults_one_way(struct sim_faults *faults)
{
    unsigned from = faults_node(faults);
    unsigned to = (unsigned)rg_rand_below(&faults->loop->rand, faults->nodes);
    bool all = sim_chance(faults->loop, 0.3);
    bool inward = sim_chance(faults->loop, 0.5);

    faults_say(faults, SIM_FAULT_ONE_WAY, from * 10 + (all ? 9 : to));
    for (unsigned other = 0; other < faults->nodes; other++) {
        if (other == from || (!all && other != to))
            continue;
        sim_network_block(faults->network, inward ? other : from, inward ? from : other, true);
    }
    faults_after(faults, &faults->partition, 1500000);
}

static void faults_clock(struct sim_faults *faults)
{
    unsigned node = faults_node(faults);
    int64_t jump_us = sim_between(faults->loop, -3600, 3600) * RG_S_US /
                      (sim_chance(faults->loop, 0.5) ? 1 : 1000);

    faults_say(faults, SIM_FAULT_CLOCK, node);
    faults->machines[node].clock.wall_off_us += jump_us;
}

static void faults_disk(struct sim_faults *faults, enum sim_fault kind)
{
    unsigned node = faults_node(faults);
    struct sim_disk *disk = &faults->machines[node].disk;

    faults_say(faults, kind, node);
    if (kind == SIM_FAULT_SLOW_DISK)
        disk->latency_us = DISK_LATENCY_US * sim_between(faults->loop, 10, 1000);
    else if (kind == SIM_FAULT_FULL_DISK)
        disk->full = true;
    else
        disk->error = 0.3;
    faults_after(faults, &faults->disks[node], 1000000);
}

static void faults_admin(struct sim_faults *faults, enum sim_fault kind)
{
    int primary = faults_primary(faults);

    if (primary < 0)
        return;
    faults_say(faults, kind, (unsigned)primary);
    sim_client_say(faults->admin, (unsigned)primary,
                   kind == SIM_FAULT_HAND_OVER ? "GROUP FAILOVER" : "DEBUG SLEEP 0.5");
}

static void faults_save(struct sim_faults *faults)
{
    unsigned node = (unsigned)rg_rand_below(&faults->loop->rand, faults->nodes);

    if (faults->machines[node].state != SIM_UP)
        return;
    faults_say(faults, SIM_FAULT_SAVE, node);
    sim_client_say(faults->admin, node, "BGSAVE SCHEDULE");
}

static void faults_strike(struct sim_faults *faults, enum sim_fault kind)
{
    switch (kind) {
    case SIM_FAULT_KILL:
    case SIM_FAULT_POWER:
    case SIM_FAULT_WIPE:
    case SIM_FAULT_STOP:
        faults_die(faults, kind);
        break;
    case SIM_FAULT_PAUSE:
        faults_pause(faults);
        break;
    case SIM_FAULT_CUT:
    case SIM_FAULT_HALF_OPEN:
    case SIM_FAULT_STALL:
        faults_link(faults, kind);
        break;
    case SIM_FAULT_PARTITION:
        faults_partition(faults);
        break;
    case SIM_FAULT_ISOLATE:
        faults_isolate(faults);
        break;
    case SIM_FAULT_ONE_WAY:
        faults_one_way(faults);
        break;
    case SIM_FAULT_CLOCK:
        faults_clock(faults);
        break;
    case SIM_FAULT_SLOW_DISK:
    case SIM_FAULT_FULL_DISK:
    case SIM_FAULT_DISK_ERROR:
        faults_disk(faults, kind);
        break;
    case SIM_FAULT_HAND_OVER:
    case SIM_FAULT_SLEEP:
        faults_admin(faults, kind);
        break;
    case SIM_FAULT_SAVE:
        faults_save(faults);
        break;
    case SIM_FAULT_BLACKOUT:
        faults_black_out(faults);
        break;
    case SIM_FAULTS:
        break;
    }
}

/* ---- Timers ---- */

static void kind_fire(struct sim_event *event)
{
    struct sim_fault_timer *timer = RG_CONTAINER_OF(event, struct sim_fault_timer, event);

    faults_strike(timer->faults, (enum sim_fault)timer->which);
    faults_after(timer->faults, timer, timer->mean_us);
}

static void restart_fire(struct sim_event *event)
{
    struct sim_fault_timer *timer = RG_CONTAINER_OF(event, struct sim_fault_timer, event);
    struct sim_machine *machine = &timer->faults->machines[timer->which];

    if (machine->state == SIM_DOWN)
        sim_machine_start(machine);
    else
        faults_after(timer->faults, timer, 600000); /* still stopping */
}

static void resume_fire(struct sim_event *event)
{
    struct sim_fault_timer *timer = RG_CONTAINER_OF(event, struct sim_fault_timer, event);

    sim_machine_pause(&timer->faults->machines[timer->which], false);
}

static void disk_fire(struct sim_event *event)
{
    struct sim_fault_timer *timer = RG_CONTAINER_OF(event, struct sim_fault_timer, event);
    struct sim_disk *disk = &timer->faults->machines[timer->which].disk;

    disk->latency_us = DISK_LATENCY_US;
    disk->full = false;
    disk->error = 0;
}

static void partition_fire(struct sim_event *event)
{
    struct sim_fault_timer *timer = RG_CONTAINER_OF(event, struct sim_fault_timer, event);

    sim_event_cancel(timer->faults->loop, &timer->faults->isolation.event);
    sim_trace_line(&timer->faults->loop->trace, timer->faults->loop->now_us,
                   "all ways are open again");
    sim_network_heal(timer->faults->network);
}

static void faults_timer(struct sim_faults *faults, struct sim_fault_timer *timer, unsigned which,
                         void (*fire)(struct sim_event *event))
{
    timer->faults = faults;
    timer->which = which;
    sim_event_init(&timer->event, fire);
}

void sim_faults_init(struct sim_faults *faults, struct sim_loop *loop, struct sim_network *network,
                     struct sim_machine *machines, unsigned nodes, struct sim_client *admin,
                     unsigned promises)
{
    *faults = (struct sim_faults){.loop = loop,
                                  .network = network,
                                  .machines = machines,
                                  .nodes = nodes,
                                  .admin = admin,
                                  .promises = promises};
    double share = rg_rand_unit(&loop->rand) * 0.6 + 0.1;
    faults->careless = sim_chance(loop, 0.25);
    for (unsigned kind = 0; kind < SIM_FAULTS; kind++) {
        struct sim_fault_timer *timer = &faults->kinds[kind];
        faults_timer(faults, timer, kind, kind_fire);
        if (!sim_chance(loop, share))
            continue;
        timer->mean_us = fault_means_ms[kind] * sim_between(loop, 500, 2500);
        faults_after(faults, timer, timer->mean_us);
    }
    for (unsigned i = 0; i < nodes; i++) {
        faults_timer(faults, &faults->restarts[i], i, restart_fire);
        faults_timer(faults, &faults->resumes[i], i, resume_fire);
        faults_timer(faults, &faults->disks[i], i, disk_fire);
    }
    faults_timer(faults, &faults->partition, 0, partition_fire);
    faults_timer(faults, &faults->isolation, 0, isolation_fire);
    faults_timer(faults, &faults->blackout, 0, blackout_fire);
}

void sim_faults_fini(struct sim_faults *faults)
{
    if (faults == NULL || faults->loop == NULL)
        return;
    for (unsigned kind = 0; kind < SIM_FAULTS; kind++)
        sim_event_cancel(faults->loop, &faults->kinds[kind].event);
    for (unsigned i = 0; i < faults->nodes; i++) {
        sim_event_cancel(faults->loop, &faults->restarts[i].event);
        sim_event_cancel(faults->loop, &faults->resumes[i].event);
        sim_event_cancel(faults->loop, &faults->disks[i].event);
    }
    sim_event_cancel(faults->loop, &faults->partition.event);
    sim_event_cancel(faults->loop, &faults->isolation.event);
    sim_event_cancel(faults->loop, &faults->blackout.event);
}

void sim_faults_heal(struct sim_faults *faults)
{
    sim_faults_fini(faults);
    faults->healed = true;
    sim_trace_line(&faults->loop->trace, faults->loop->now_us, "everything is healed");
    sim_network_heal(faults->network);
    for (unsigned i = 0; i < faults->nodes; i++) {
        struct sim_machine *machine = &faults->machines[i];
        disk_fire(&faults->disks[i].event);
        sim_machine_pause(machine, false);
        if (machine->state == SIM_DOWN)
            sim_machine_start(machine);
    }
}
