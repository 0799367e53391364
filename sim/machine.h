#ifndef RG_SIM_MACHINE_H
#define RG_SIM_MACHINE_H

#include "core/group.h"
#include "sim/clock.h"
#include "sim/disk.h"
#include "sim/load.h"
#include "sim/network.h"

/*
 * A machine that runs a node: its process, clock and disk. It does for the node what the host does
 * (node.h, "A turn of the host"), in virtual time: what happens is queued, and handed over at the
 * node's next turn; a turn takes a while, and none begins while the process is stopped.
 */
enum sim_machine_state { SIM_DOWN, SIM_UP };

enum sim_death {
    SIM_KILLED,    /* the process: the kernel closes its connections, the disk is as it was */
    SIM_POWER_OFF, /* nobody is told, unsynced bytes are lost or torn */
};

struct sim_happening;

struct sim_machine_config {
    const char *text;    /* redis.conf's; borrowed for the world's life */
    const char *address; /* "10.0.0.1" */
    uint16_t port;
    const char *member; /* "10.0.0.1:7001"; NULL outside groups */
    bool sentinel;      /* it watches others, and has no data */
    unsigned planted;
};

struct sim_machine {
    struct sim_loop *loop;
    struct sim_network *network;
    struct sim_machine_config config;
    unsigned index;
    unsigned host; /* in the network */
    struct sim_clock clock;
    struct sim_disk disk;

    enum sim_machine_state state;
    struct rg_node *node; /* owned; NULL while down */
    struct sim_load load;
    bool paused;
    bool exited; /* of its own accord */
    int exit_status;
    int64_t busy_until_us;
    struct sim_event turn;
    struct sim_happening *queue; /* owned */
    size_t queue_count;
    size_t queue_cap;
    struct rg_list ends;   /* open connections */
    struct sim_end **read; /* owned: inboxes lent to the node in this turn */
    size_t read_count;
    size_t read_cap;

    uint64_t starts;  /* processes so far */
    uint64_t reloads; /* complete resyncs of this process */
    uint64_t turns;

    /* Called after every turn. */
    void (*after_turn)(void *arg, struct sim_machine *machine);
    void *after_turn_arg;
    /* Which host has an address; -1: none. */
    int (*resolve)(void *arg, const char *address, uint16_t port);
    void *resolve_arg;
};

void sim_machine_init(struct sim_machine *machine, struct sim_loop *loop,
                      struct sim_network *network, unsigned index,
                      const struct sim_machine_config *config);
void sim_machine_fini(struct sim_machine *machine);

/* Starts the process with what is on the disk. */
void sim_machine_start(struct sim_machine *machine);
void sim_machine_die(struct sim_machine *machine, enum sim_death how);
/* SIGTERM. */
void sim_machine_stop(struct sim_machine *machine);
void sim_machine_pause(struct sim_machine *machine, bool paused);
struct rg_time sim_machine_time(const struct sim_machine *machine);
/* False while down, or loading. */
bool sim_machine_view(const struct sim_machine *machine, struct rg_node_view *ret_view,
                      struct rg_group_view *ret_group);

#endif
