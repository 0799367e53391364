#ifndef RG_SIM_FAULTS_H
#define RG_SIM_FAULTS_H

#include "sim/client.h"
#include "sim/machine.h"

/*
 * What goes wrong in a world. Each seed draws which kinds of faults it knows and how often they
 * strike (swarm testing: A. Groce et al., ISSTA 2012); at one moment all are healed.
 */
enum sim_fault {
    SIM_FAULT_KILL,      /* kill -9 */
    SIM_FAULT_POWER,     /* power lost: nobody is told, unsynced bytes are torn */
    SIM_FAULT_WIPE,      /* killed, and starts with an empty disk */
    SIM_FAULT_STOP,      /* SIGTERM */
    SIM_FAULT_PAUSE,     /* SIGSTOP */
    SIM_FAULT_CUT,       /* a connection breaks */
    SIM_FAULT_HALF_OPEN, /* … and only one side learns of it */
    SIM_FAULT_STALL,     /* one direction of a connection stands still */
    SIM_FAULT_PARTITION, /* hosts fall apart in two */
    SIM_FAULT_ISOLATE,   /* the primary, with some clients, is cut off */
    SIM_FAULT_ONE_WAY,   /* bytes of one host do not reach another */
    SIM_FAULT_CLOCK,     /* the wall clock jumps */
    SIM_FAULT_SLOW_DISK,
    SIM_FAULT_FULL_DISK,
    SIM_FAULT_DISK_ERROR,
    SIM_FAULT_HAND_OVER, /* not a fault: an operator asks for another primary */
    SIM_FAULT_SLEEP,     /* the primary is busy (DEBUG SLEEP) */
    SIM_FAULT_SAVE,      /* not a fault: BGSAVE on some node */
    SIM_FAULT_BLACKOUT,  /* several nodes, or all, lose power at once, with much unsynced */
    SIM_FAULTS
};

struct sim_faults;
struct sim_fault_timer {
    struct sim_event event;
    struct sim_faults *faults;
    unsigned which;  /* kind of fault, or node */
    int64_t mean_us; /* 0: off */
};

struct sim_faults {
    struct sim_loop *loop;
    struct sim_network *network;
    struct sim_machine *machines; /* borrowed */
    unsigned nodes;
    struct sim_client *admin; /* borrowed */
    unsigned promises;        /* that an election needs */
    bool careless;            /* strikes also where too many would forget */
    bool healed;
    struct sim_fault_timer kinds[SIM_FAULTS];
    struct sim_fault_timer restarts[SIM_MAX_NODES];
    struct sim_fault_timer resumes[SIM_MAX_NODES];
    struct sim_fault_timer disks[SIM_MAX_NODES];
    struct sim_fault_timer partition; /* its end */
    struct sim_fault_timer isolation; /* its second half */
    struct sim_fault_timer blackout;  /* its second half; which: 1 where it strikes all */
    uint64_t injected[SIM_FAULTS];
};

const char *sim_fault_name(enum sim_fault fault);
/* Draws this seed's faults and begins. */
void sim_faults_init(struct sim_faults *faults, struct sim_loop *loop, struct sim_network *network,
                     struct sim_machine *machines, unsigned nodes, struct sim_client *admin,
                     unsigned promises);
/* Everything works from now on. */
void sim_faults_heal(struct sim_faults *faults);
void sim_faults_fini(struct sim_faults *faults);

#endif
