#include "sim/sentinel_world.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "sentinel/sentinel.h"

enum {
    WORLD_PRIMARIES = 2,
    WORLD_NODES = 3, /* of each primary, with its replicas */
    WORLD_DATA = WORLD_PRIMARIES * WORLD_NODES,
    WORLD_SENTINELS = 5, /* at most */
    WORLD_MACHINES = WORLD_DATA + WORLD_SENTINELS,
    WORLD_PORT = 7000,
    WORLD_LEADERS = 4096,
    WORLD_WARM_US = 6000000, /* until everybody has found everybody */
    WORLD_BOUND_US = 120000000,
    WORLD_POLL_US = 100000,
};

/* Who led, and whom it promoted, for one primary in one epoch. */
struct world_leader {
    unsigned primary;
    uint64_t epoch;
    char id[41];
    char promoted[64];
};

struct world {
    struct sim_sentinel_config config;
    struct sim_loop loop;
    struct sim_network network;
    struct sim_machine machines[WORLD_MACHINES];
    unsigned count;
    char conf[WORLD_MACHINES][1024];
    char addresses[WORLD_MACHINES][32];
    int64_t back_us[WORLD_MACHINES];   /* when it starts again; 0: it runs */
    int64_t resume_us[WORLD_MACHINES]; /* when it goes on; 0: it is not halted */
    int64_t heal_us;                   /* end of a partition; 0: none */
    struct world_leader leaders[WORLD_LEADERS];
    unsigned leader_count;
    uint64_t faults;
    uint64_t promotions;
    int64_t settle_us;
};

/* ---- Making it ---- */

static int world_resolve(void *arg, const char *address, uint16_t port)
{
    const struct world *world = arg;

    for (unsigned i = 0; i < world->count; i++) {
        if (strcmp(world->addresses[i], address) == 0 && port == WORLD_PORT + i)
            return (int)world->machines[i].host;
    }
    return -1;
}

static void world_conf(struct world *world, unsigned index, int64_t down_after_ms)
{
    struct rg_buf text = {0};
    unsigned sentinels = world->count - WORLD_DATA;

    rg_buf_printf(&text, "port %u\nprotected-mode no\nloglevel %s\n", WORLD_PORT + index,
                  world->config.text != NULL ? "verbose" : "notice");
    if (index < WORLD_DATA && index % WORLD_NODES != 0) {
        unsigned first = index - index % WORLD_NODES;
        rg_buf_printf(&text, "replicaof %s %u\n", world->addresses[first], WORLD_PORT + first);
    }
    for (unsigned i = 0; index >= WORLD_DATA && i < WORLD_PRIMARIES; i++) {
        unsigned first = i * WORLD_NODES;
        rg_buf_printf(&text, "sentinel monitor p%u %s %u %u\n", i, world->addresses[first],
                      WORLD_PORT + first, sentinels / 2 + 1);
        rg_buf_printf(&text, "sentinel down-after-milliseconds p%u %lld\n", i,
                      (long long)down_after_ms);
        rg_buf_printf(&text, "sentinel failover-timeout p%u 8000\n", i);
    }
    rg_buf_append_char(&text, '\0');
    (void)snprintf(world->conf[index], sizeof(world->conf[index]), "%s", rg_buf_view(&text).data);
    rg_buf_fini(&text);
}

static void world_watch(void *arg, struct sim_machine *machine);

static void world_machine(struct world *world, unsigned index)
{
    struct sim_loop *loop = &world->loop;
    struct sim_machine *machine = &world->machines[index];
    struct sim_machine_config config = {
        .text = world->conf[index],
        .address = world->addresses[index],
        .port = (uint16_t)(WORLD_PORT + index),
        .sentinel = index >= WORLD_DATA,
        .planted = index >= WORLD_DATA ? world->config.planted : 0,
    };

    sim_machine_init(machine, loop, &world->network, index, &config);
    machine->resolve = world_resolve;
    machine->resolve_arg = world;
    machine->clock = (struct sim_clock){
        .mono_base_us = sim_between(loop, 1000000, 1000000000),
        .drift_ppm = sim_between(loop, -1000, 1000),
        .wall_off_us = sim_between(loop, 0, 1000000000),
    };
    machine->disk.latency_us = sim_between(loop, 50, 20000);
    if (config.sentinel) {
        machine->after_turn = world_watch;
        machine->after_turn_arg = world;
    }
}

static void world_init(struct world *world, const struct sim_sentinel_config *config)
{
    struct sim_loop *loop = &world->loop;

    world->config = *config;
    sim_loop_init(loop, config->seed);
    loop->trace.text = config->text;
    sim_network_init(&world->network, loop);
    world->network.profile = (struct sim_network_profile){
        .delay_us = sim_between(loop, 20, 400),
        .jitter_us = sim_between(loop, 10, 2000),
        .spike = sim_chance(loop, 0.5) ? rg_rand_unit(&loop->rand) * 0.01 : 0,
        .spike_us = sim_between(loop, 5000, 300000),
        .window_bytes = 65536,
        .dial_timeout_us = sim_between(loop, 1000000, 3000000),
    };
    world->count = WORLD_DATA + (sim_chance(loop, 0.7) ? 3 : 5);
    int64_t down_after_ms = sim_between(loop, 300, 2000);
    for (unsigned i = 0; i < world->count; i++)
        (void)snprintf(world->addresses[i], sizeof(world->addresses[i]), "10.0.0.%u", i + 1);
    for (unsigned i = 0; i < world->count; i++) {
        world_conf(world, i, down_after_ms);
        world_machine(world, i);
    }
    for (unsigned i = 0; i < world->count; i++)
        sim_machine_start(&world->machines[i]);
}

static void world_fini(struct world *world)
{
    for (unsigned i = 0; i < world->count; i++)
        sim_machine_fini(&world->machines[i]);
    sim_network_fini(&world->network);
    sim_loop_fini(&world->loop);
}

/* ---- What may never be seen ---- */

static struct world_leader *world_leader_of(struct world *world, unsigned primary, uint64_t epoch,
                                            const char *id)
{
    for (unsigned i = 0; i < world->leader_count; i++) {
        struct world_leader *leader = &world->leaders[i];
        if (leader->primary == primary && leader->epoch == epoch)
            return leader;
    }
    RG_ASSERT(world->leader_count < WORLD_LEADERS);
    struct world_leader *leader = &world->leaders[world->leader_count++];
    *leader = (struct world_leader){.primary = primary, .epoch = epoch};
    (void)snprintf(leader->id, sizeof(leader->id), "%s", id);
    return leader;
}

static void world_watch(void *arg, struct sim_machine *machine)
{
    struct world *world = arg;
    struct rg_sentinel_view view;

    for (unsigned i = 0; rg_node_sentinel_view(machine->node, i, &view); i++) {
        const char *id = rg_node_sentinel_id(machine->node);
        if (!view.leads)
            continue;
        struct world_leader *leader = world_leader_of(world, i, view.failover_epoch, id);
        if (strcmp(leader->id, id) != 0)
            sim_fail(&world->loop, "S1: %.8s and %.8s lead %s in epoch %llu", leader->id, id,
                     view.name, (unsigned long long)view.failover_epoch);
        if (!view.promotes || view.promoted == NULL)
            continue;
        world->promotions += leader->promoted[0] == '\0';
        if (leader->promoted[0] == '\0')
            (void)snprintf(leader->promoted, sizeof(leader->promoted), "%s", view.promoted);
        else if (strcmp(leader->promoted, view.promoted) != 0)
            sim_fail(&world->loop, "S2: %s and %s are promoted in epoch %llu of %s",
                     leader->promoted, view.promoted, (unsigned long long)view.failover_epoch,
                     view.name);
    }
}

/* ---- Faults ---- */

static void world_kill(struct world *world, unsigned index)
{
    struct sim_machine *machine = &world->machines[index];

    if (machine->state == SIM_DOWN)
        return;
    if (machine->paused)
        sim_machine_pause(machine, false);
    world->resume_us[index] = 0;
    sim_machine_die(machine, sim_chance(&world->loop, 0.5) ? SIM_KILLED : SIM_POWER_OFF);
    world->back_us[index] = world->loop.now_us + sim_around(&world->loop, 2000000);
    world->faults++;
}

static void world_halt(struct world *world, unsigned index)
{
    struct sim_machine *machine = &world->machines[index];

    if (machine->state == SIM_DOWN || machine->paused)
        return;
    sim_machine_pause(machine, true);
    world->resume_us[index] = world->loop.now_us + sim_around(&world->loop, 2500000);
    world->faults++;
}

/* Each host is on one side or the other; one_way: only one side's bytes are lost. */
static void world_part(struct world *world)
{
    struct sim_loop *loop = &world->loop;
    bool one_way = sim_chance(loop, 0.3);
    bool side[WORLD_MACHINES];

    if (world->heal_us != 0)
        return;
    for (unsigned i = 0; i < world->count; i++)
        side[i] = sim_chance(loop, 0.4);
    for (unsigned i = 0; i < world->count; i++) {
        for (unsigned j = 0; j < world->count; j++) {
            if (side[i] != side[j] && (side[i] || !one_way))
                sim_network_block(&world->network, world->machines[i].host, world->machines[j].host,
                                  true);
        }
    }
    world->heal_us = loop->now_us + sim_around(loop, 4000000);
    world->faults++;
}

static void world_cut(struct world *world)
{
    struct sim_link *link = sim_network_pick(&world->network);

    if (link == NULL)
        return;
    sim_link_cut(&world->network, link, sim_chance(&world->loop, 0.4));
    world->faults++;
}

static void world_strike(struct world *world)
{
    struct sim_loop *loop = &world->loop;
    unsigned any = (unsigned)rg_rand_below(&loop->rand, world->count);
    unsigned data = (unsigned)rg_rand_below(&loop->rand, WORLD_DATA);

    switch (rg_rand_below(&loop->rand, 6)) {
    case 0:
        world_kill(world, any);
        break;
    case 1:
        world_kill(world, data);
        break;
    case 2:
        world_halt(world, any);
        break;
    case 3:
        world_part(world);
        break;
    case 4:
        world_cut(world);
        break;
    default: /* those who vote */
        world_kill(world,
                   WORLD_DATA + (unsigned)rg_rand_below(&loop->rand, world->count - WORLD_DATA));
        break;
    }
}

/* What is over by now, or (all) whatever there is. */
static void world_mend(struct world *world, bool all)
{
    int64_t now_us = world->loop.now_us;

    for (unsigned i = 0; i < world->count; i++) {
        struct sim_machine *machine = &world->machines[i];
        if (machine->paused && (all || world->resume_us[i] <= now_us)) {
            sim_machine_pause(machine, false);
            world->resume_us[i] = 0;
        }
        if (machine->state == SIM_DOWN && (all || world->back_us[i] <= now_us))
            sim_machine_start(machine);
    }
    if (world->heal_us != 0 && (all || world->heal_us <= now_us)) {
        sim_network_heal(&world->network);
        world->heal_us = 0;
    }
}

/* ---- S4: in the end all agree ---- */

static bool world_agree(const struct world *world, unsigned primary, char *why, size_t size)
{
    struct rg_sentinel_view first = {0};
    struct rg_node_view node;

    for (unsigned i = WORLD_DATA; i < world->count; i++) {
        struct rg_sentinel_view view;
        if (world->machines[i].state == SIM_DOWN ||
            !rg_node_sentinel_view(world->machines[i].node, primary, &view)) {
            (void)snprintf(why, size, "sentinel %u is down", i);
            return false;
        }
        if (i == WORLD_DATA)
            first = view;
        if (strcmp(view.host, first.host) != 0 || view.port != first.port ||
            view.config_epoch != first.config_epoch || view.leads) {
            (void)snprintf(why, size, "of %s n%u says %s:%u (epoch %llu%s), n%u says %s:%u (%llu)",
                           view.name, WORLD_DATA, first.host, first.port,
                           (unsigned long long)first.config_epoch, view.leads ? ", led" : "", i,
                           view.host, view.port, (unsigned long long)view.config_epoch);
            return false;
        }
    }
    for (unsigned i = primary * WORLD_NODES; i < (primary + 1) * WORLD_NODES; i++) {
        bool leads = strcmp(world->addresses[i], first.host) == 0;
        if (world->machines[i].state == SIM_DOWN) {
            (void)snprintf(why, size, "n%u is down", i);
            return false;
        }
        rg_node_view(world->machines[i].node, sim_machine_time(&world->machines[i]), &node);
        if (node.primary != leads) {
            (void)snprintf(why, size, "n%u is %s, while the sentinels say %s", i,
                           node.primary ? "a primary" : "a replica", first.host);
            return false;
        }
    }
    return true;
}

static void world_settle(struct world *world)
{
    struct sim_loop *loop = &world->loop;
    char why[256] = "";
    int64_t healed_us = loop->now_us;

    while (!loop->failed && loop->now_us < healed_us + WORLD_BOUND_US) {
        bool calm = true;
        if (!sim_loop_run(loop, loop->now_us + WORLD_POLL_US))
            return;
        world_mend(world, true); /* what ended by itself meanwhile */
        for (unsigned i = 0; i < WORLD_PRIMARIES; i++)
            calm = calm && world_agree(world, i, why, sizeof(why));
        if (calm) {
            world->settle_us = loop->now_us - healed_us;
            return;
        }
    }
    sim_fail(loop, "S4: %d s after the heal %s", WORLD_BOUND_US / 1000000, why);
}

void sim_sentinel_world_run(const struct sim_sentinel_config *config,
                            struct sim_sentinel_result *ret_result)
{
    struct world *world = RG_NEW(struct world);
    struct sim_loop *loop = &world->loop;

    world_init(world, config);
    bool fine = sim_loop_run(loop, WORLD_WARM_US);
    int64_t until_us = loop->now_us + sim_between(loop, 5000000, 40000000);
    int64_t pause_us = sim_between(loop, 300000, 3000000);
    while (fine && loop->now_us < until_us) {
        world_strike(world);
        fine = sim_loop_run(loop, loop->now_us + 1 + sim_around(loop, pause_us));
        world_mend(world, false);
    }
    world_mend(world, true);
    if (fine)
        world_settle(world);
    *ret_result = (struct sim_sentinel_result){
        .failed = loop->failed,
        .hash = loop->trace.hash,
        .simulated_us = loop->now_us,
        .faults = world->faults,
        .leaders = world->leader_count,
        .promotions = world->promotions,
        .settle_us = world->settle_us,
    };
    memcpy(ret_result->failure, loop->failure, sizeof(ret_result->failure));
    world_fini(world);
    rg_free(world);
}
