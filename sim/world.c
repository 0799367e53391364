#include "sim/world.h"

#include "base/alloc.h"
#include "sim/check_linear.h"
#include "sim/check_liveness.h"

/* After the heal: clients go on a while, then everything must be at rest within the bound. */
enum { WORLD_AFTER_HEAL_US = 1000000, WORLD_BOUND_US = 12000000, WORLD_POLL_US = 50000 };
enum { WORLD_BASE_PORT = 7000 };

struct sim_world {
    struct sim_world_config config;
    struct sim_loop loop;
    struct sim_network network;
    struct sim_machine machines[SIM_MAX_NODES];
    char conf[SIM_MAX_NODES][1024];
    char addresses[SIM_MAX_NODES][32];
    char members[SIM_MAX_NODES][48];
    unsigned nodes;
    enum rg_mode mode;
    bool saves;          /* the nodes have a save point, and refuse writes where it fails */
    unsigned log_policy; /* of appendfsync, where the log is on disk; 0: it is not */
    bool on_disk;        /* replication-durability disk */
    struct sim_workload load;
    struct sim_client clients[SIM_MAX_CLIENTS];
    unsigned client_count;
    struct sim_faults faults;
    struct sim_log_tree tree;
    struct sim_check_invariants invariants;
    struct sim_check_promises promises;
    int64_t healed_us;
    bool stuck;
    int64_t settle_us;
};

/* ---- Making it ---- */

static void world_network(struct sim_world *world)
{
    struct sim_loop *loop = &world->loop;

    sim_network_init(&world->network, loop);
    world->network.profile = (struct sim_network_profile){
        .delay_us = sim_between(loop, 20, 400),
        .jitter_us = sim_between(loop, 10, 2000),
        .spike = sim_chance(loop, 0.5) ? rg_rand_unit(&loop->rand) * 0.01 : 0,
        .spike_us = sim_between(loop, 5000, 300000),
        .split = sim_chance(loop, 0.5) ? rg_rand_unit(&loop->rand) * 0.3 : 0,
        .window_bytes = (size_t)sim_between(loop, 2048, 65536),
        .dial_timeout_us = sim_between(loop, 1000000, 3000000),
    };
}

static int world_resolve(void *arg, const char *address, uint16_t port)
{
    const struct sim_world *world = arg;

    for (unsigned i = 0; i < world->nodes; i++) {
        if (strcmp(world->addresses[i], address) == 0 && port == WORLD_BASE_PORT + i)
            return (int)world->machines[i].host;
    }
    return -1;
}

/* Collections that leave their packed forms after a few elements, so that a short run meets all. */
static const char world_small_collections[] =
    "hash-max-listpack-entries 6\nlist-max-listpack-size 4\nset-max-intset-entries 6\n"
    "zset-max-listpack-entries 6\nhll-sparse-max-bytes 64\n";

/* appendfsync; the first: appendonly is off. */
static const char *const world_policies[] = {"no", "always", "everysec", "no"};

static void world_conf(struct sim_world *world, unsigned index, bool small_backlog,
                       bool small_collections)
{
    struct rg_buf text = {0};
    /* Who was away is served from the log on disk. */
    bool from_disk = world->log_policy > 0 && (small_backlog || small_collections);

    rg_buf_printf(&text, "port %u\nprotected-mode no\nloglevel %s\nrepl-backlog-size %s\n",
                  WORLD_BASE_PORT + index, world->config.text != NULL ? "verbose" : "notice",
                  from_disk       ? "2kb"
                  : small_backlog ? "20kb"
                                  : "16mb");
    rg_buf_printf(&text, "enable-debug-command yes\nreplica-announce-ip %s\n",
                  world->addresses[index]);
    rg_buf_printf(&text, "replication-mode %s\nreplication-timeout %d\ngroup-name sim\n",
                  rg_mode_name(world->mode), small_backlog ? 1000 : 3000);
    if (small_collections)
        rg_buf_append_str(&text, world_small_collections);
    if (world->saves)
        rg_buf_append_str(&text, "save 1 1\n");
    /* Some send a snapshot as it is written, others from a file behind its length. */
    if ((world->config.seed + index) % 3 == 0)
        rg_buf_append_str(&text, "repl-diskless-sync no\n");
    if (world->log_policy > 0)
        rg_buf_printf(&text,
                      "appendonly yes\nappendfsync %s\naof-timestamp-enabled %s\n"
                      "repl-disk-backlog-size %s\n",
                      world_policies[world->log_policy], world->saves ? "yes" : "no",
                      from_disk ? "40kb" : "256mb");
    if (world->on_disk)
        rg_buf_append_str(&text, "replication-durability disk\n");
    rg_buf_append_str(&text, "group-members");
    for (unsigned i = 0; i < world->nodes; i++)
        rg_buf_printf(&text, " %s", world->members[i]);
    rg_buf_append_char(&text, '\n');
    rg_buf_append_char(&text, '\0');
    (void)snprintf(world->conf[index], sizeof(world->conf[index]), "%s", rg_buf_view(&text).data);
    rg_buf_fini(&text);
}

static void world_machines(struct sim_world *world)
{
    struct sim_loop *loop = &world->loop;
    bool small_backlog = sim_chance(loop, 0.2);
    bool small_collections = sim_chance(loop, 0.5);
    world->saves = sim_chance(loop, 0.3);
    world->log_policy = sim_chance(loop, 0.6) ? (unsigned)sim_between(loop, 1, 3) : 0;
    world->on_disk = world->log_policy > 0 && sim_chance(loop, 0.6);
    int64_t drift = sim_chance(loop, 0.5) ? 10000 : 100;

    for (unsigned i = 0; i < world->nodes; i++) {
        (void)snprintf(world->addresses[i], sizeof(world->addresses[i]), "10.0.0.%u", i + 1);
        (void)snprintf(world->members[i], sizeof(world->members[i]), "10.0.0.%u:%u", i + 1,
                       WORLD_BASE_PORT + i);
    }
    for (unsigned i = 0; i < world->nodes; i++) {
        struct sim_machine *machine = &world->machines[i];
        world_conf(world, i, small_backlog, small_collections);
        struct sim_machine_config config = {
            .text = world->conf[i],
            .address = world->addresses[i],
            .port = (uint16_t)(WORLD_BASE_PORT + i),
            .member = world->members[i],
            .planted = world->config.planted,
        };
        sim_machine_init(machine, loop, &world->network, i, &config);
        machine->resolve = world_resolve;
        machine->resolve_arg = world;
        machine->clock = (struct sim_clock){
            .mono_base_us = sim_between(loop, RG_S_US, 1000000 * RG_S_US),
            .drift_ppm = sim_between(loop, -drift, drift),
            .wall_off_us = INT64_C(1700000000) * RG_S_US,
        };
        machine->clock.wall_off_us -= machine->clock.mono_base_us;
    }
}

static void world_clients(struct sim_world *world)
{
    struct sim_loop *loop = &world->loop;
    unsigned writers = (unsigned)sim_between(loop, 2, 5);
    unsigned loyal = (unsigned)sim_between(loop, 1, 2);
    unsigned readers = (unsigned)sim_between(loop, 0, 2);

    world->load = (struct sim_workload){
        .loop = loop,
        .network = &world->network,
        .tree = &world->tree,
        .mode = world->mode,
        .nodes = world->nodes,
        .registers = SIM_REGISTERS,
        .base_port = WORLD_BASE_PORT,
        .think_us = sim_between(loop, 8000, 60000),
        .timeout_us = sim_between(loop, 1000000, 5000000),
        .reads = 0.2 + rg_rand_unit(&loop->rand) * 0.5,
        .others = sim_chance(loop, 0.3) ? 0 : rg_rand_unit(&loop->rand) * 0.4,
    };
    for (unsigned i = 0; i < writers + loyal + readers; i++) {
        struct sim_client *client = &world->clients[world->client_count++];
        enum sim_client_kind kind = i < writers           ? SIM_CLIENT_WRITER
                                    : i < writers + loyal ? SIM_CLIENT_LOYAL
                                                          : SIM_CLIENT_READER;
        sim_client_init(client, &world->load, kind, i);
        client->pipeline = (unsigned)sim_between(loop, 1, SIM_MAX_PIPELINE);
    }
    struct sim_client *admin = &world->clients[world->client_count];
    sim_client_init(admin, &world->load, SIM_CLIENT_ADMIN, world->client_count++);
}

static void world_init(struct sim_world *world, const struct sim_world_config *config)
{
    struct sim_loop *loop = &world->loop;

    world->config = *config;
    sim_loop_init(loop, config->seed);
    loop->trace.text = config->text;
    unsigned nodes = sim_chance(loop, 0.75) ? 3 : 5;
    world->nodes = config->nodes ? config->nodes : nodes;
    int mode = (int)rg_rand_below(&loop->rand, RG_MODES + 2);
    mode = mode < RG_MODES ? mode : RG_MODE_SEMI_SYNC;
    world->mode = (enum rg_mode)(config->mode != SIM_ANY_MODE ? config->mode : mode);
    world_network(world);
    world_machines(world);
    sim_log_tree_init(&world->tree, loop);
    sim_check_invariants_init(&world->invariants, &world->tree, world->machines, world->nodes);
    sim_check_promises_init(&world->promises, &world->network, world->machines, world->nodes);
    world_clients(world);
    for (unsigned i = 0; i < world->nodes; i++)
        sim_machine_start(&world->machines[i]);
    sim_faults_init(&world->faults, loop, &world->network, world->machines, world->nodes,
                    &world->clients[world->client_count - 1],
                    rg_mode_promises(world->mode, world->nodes));
}

static void world_fini(struct sim_world *world)
{
    sim_faults_fini(&world->faults);
    for (unsigned i = 0; i < world->client_count; i++)
        sim_client_fini(&world->clients[i]);
    for (unsigned i = 0; i < world->nodes; i++)
        sim_machine_fini(&world->machines[i]);
    sim_network_fini(&world->network);
    sim_check_invariants_fini(&world->invariants);
    sim_log_tree_fini(&world->tree);
    sim_history_fini(&world->load.history);
    sim_loop_fini(&world->loop);
}

/* ---- Living it ---- */

static void world_phase(struct sim_world *world, enum sim_client_phase phase)
{
    world->load.phase = phase;
    for (unsigned i = 0; i < world->client_count; i++)
        sim_client_wake(&world->clients[i]);
}

static bool world_audited(const struct sim_world *world, char *ret_why, size_t size)
{
    for (unsigned i = 0; i < world->client_count; i++) {
        const struct sim_client *client = &world->clients[i];
        if (client->kind == SIM_CLIENT_WRITER && client->audited < world->load.registers) {
            (void)snprintf(ret_why, size, "client %u cannot read from the primary", i);
            return false;
        }
    }
    return true;
}

/* A node that was being stopped when all was healed ends later; it is started again. */
static void world_restart(struct sim_world *world)
{
    for (unsigned i = 0; i < world->nodes; i++) {
        if (world->machines[i].state == SIM_DOWN)
            sim_machine_start(&world->machines[i]);
    }
}

/* Waits until all is equal, and again after the audit. Fails past the bound. */
static void world_settle(struct sim_world *world)
{
    struct sim_loop *loop = &world->loop;
    char why[256] = "";
    int64_t until_us = world->healed_us + WORLD_AFTER_HEAL_US + WORLD_BOUND_US;
    bool calm = false;

    world_phase(world, SIM_PHASE_AUDIT);
    while (!loop->failed && !calm && loop->now_us < until_us) {
        if (!sim_loop_run(loop, loop->now_us + WORLD_POLL_US))
            return;
        world_restart(world);
        calm = sim_check_converged(world->machines, world->nodes, why, sizeof(why)) &&
               world_audited(world, why, sizeof(why));
    }
    world->settle_us = loop->now_us - world->healed_us - WORLD_AFTER_HEAL_US;
    if (calm || loop->failed)
        return;
    if (world->faults.careless &&
        sim_check_stuck(world->machines, world->nodes, world->faults.promises))
        world->stuck = true;
    else
        sim_fail(loop, "invariant 6: %.1f s after the heal %s",
                 (double)(loop->now_us - world->healed_us) / 1e6, why);
}

static void world_live(struct sim_world *world)
{
    struct sim_loop *loop = &world->loop;
    int64_t chaos_us = sim_between(loop, 2000000, 9000000);

    if (!sim_loop_run(loop, chaos_us))
        return;
    sim_faults_heal(&world->faults);
    world->healed_us = loop->now_us;
    if (!sim_loop_run(loop, world->healed_us + WORLD_AFTER_HEAL_US))
        return;
    world_settle(world);
    if (!loop->failed && world->mode != RG_MODE_ASYNC)
        sim_check_linear(loop, &world->load.history);
}

void sim_world_run(const struct sim_world_config *config, struct sim_world_result *ret_result)
{
    struct sim_world *world = RG_NEW(struct sim_world);

    world_init(world, config);
    world_live(world);
    *ret_result = (struct sim_world_result){
        .failed = world->loop.failed,
        .hash = world->loop.trace.hash,
        .events = world->loop.trace.events,
        .simulated_us = world->loop.now_us,
        .nodes = world->nodes,
        .mode = world->mode,
        .acked_writes = world->load.history.acked_writes,
        .reads = world->load.history.reads,
        .unknown = world->load.history.unknown,
        .terms = world->tree.count,
        .digests_compared = world->invariants.digests_compared,
        .stuck = world->stuck,
        .settle_us = world->settle_us,
    };
    memcpy(ret_result->failure, world->loop.failure, sizeof(ret_result->failure));
    memcpy(ret_result->injected, world->faults.injected, sizeof(ret_result->injected));
    world_fini(world);
    rg_free(world);
}
