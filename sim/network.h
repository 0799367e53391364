#ifndef RG_SIM_NETWORK_H
#define RG_SIM_NETWORK_H

#include "base/buf.h"
#include "node/node.h"
#include "sim/loop.h"

/*
 * Byte-stream connections between hosts. Bytes travel in chunks, each with a delay of its own, and
 * arrive in order. A blocked direction holds what is under way until it opens again, as TCP's
 * retransmission does. Who closes tells the other end; a host that loses power tells nobody, and
 * whoever sends to a connection that the other side no longer knows learns of it by a reset.
 */
enum { SIM_MAX_HOSTS = 24 };

struct sim_link;

enum sim_end_state {
    SIM_END_DIALING,
    SIM_END_WAITING, /* the accepting side, before its host took it */
    SIM_END_OPEN,
    SIM_END_DEAD, /* its owner will hear and say no more */
};

/* One end of a connection. */
struct sim_end {
    struct sim_link *link;
    unsigned side; /* 0: dialled */
    unsigned host;
    enum sim_end_state state;
    struct rg_buf inbox;    /* arrived, not yet read by the owner */
    bool wants_writable;    /* the owner was told that no more fits */
    void *owner;            /* the host's own word */
    bool draining;          /* machine: close once the output went out */
    struct rg_list in_host; /* machine: among its ends */
    int tapped;             /* the tap's own words about this end; zeroed at first */
    struct rg_buf tap_bytes;
};

/* What a host does when something happens on its connections. */
struct sim_host_ops {
    /* A connection came in; its end is WAITING until the host takes it (sim_end_take). */
    void (*accepted)(void *host, struct sim_end *end);
    void (*connected)(void *host, struct sim_end *end);
    void (*received)(void *host, struct sim_end *end);
    void (*writable)(void *host, struct sim_end *end);
    /* The end is dead. */
    void (*closed)(void *host, struct sim_end *end, enum rg_close_reason reason);
};

struct sim_host {
    const struct sim_host_ops *ops;
    void *arg;
    bool powered;   /* off: nothing arrives, nothing answers */
    bool listening; /* a process accepts connections */
};

struct sim_network_profile {
    int64_t delay_us;  /* least delay of a chunk */
    int64_t jitter_us; /* mean of what is added */
    double spike;      /* probability that a chunk is late by up to spike_us */
    int64_t spike_us;
    double split;        /* probability that a write arrives in pieces */
    size_t window_bytes; /* under way or unread per direction */
    int64_t dial_timeout_us;
};

struct sim_network {
    struct sim_loop *loop;
    struct sim_network_profile profile;
    struct sim_host hosts[SIM_MAX_HOSTS];
    unsigned host_count;
    bool blocked[SIM_MAX_HOSTS][SIM_MAX_HOSTS]; /* from, to */
    struct rg_list links;                       /* alive first to last made */
    struct rg_list done; /* both ends are dead: kept until the end of the world */
    uint64_t link_count;
    uint64_t bytes;
    /* Sees what every host sends, before it is under way. */
    void (*tap)(void *arg, struct sim_end *from, struct rg_bytes bytes);
    void *tap_arg;
};

void sim_network_init(struct sim_network *network, struct sim_loop *loop);
void sim_network_fini(struct sim_network *network);
/* Returns the host's number. */
unsigned sim_network_add(struct sim_network *network, const struct sim_host_ops *ops, void *arg);

/* ---- What owners do ---- */

struct sim_end *sim_dial(struct sim_network *network, unsigned from, unsigned to, void *owner);
void sim_end_take(struct sim_end *end, void *owner);
/* Bytes that still fit; where 0 is returned `writable` follows once some do. */
size_t sim_end_room(struct sim_network *network, struct sim_end *end);
void sim_end_send(struct sim_network *network, struct sim_end *end, struct rg_bytes bytes);
/* The owner read its inbox. */
void sim_end_drained(struct sim_network *network, struct sim_end *end);
/* Closes from this side; the other one is told behind what is under way. */
void sim_end_close(struct sim_network *network, struct sim_end *end);
/* Dies without a word. */
void sim_end_vanish(struct sim_network *network, struct sim_end *end);
/* The other end, dead or alive. */
struct sim_end *sim_end_peer(const struct sim_end *end);
uint64_t sim_end_id(const struct sim_end *end);

/* ---- Faults ---- */

void sim_network_block(struct sim_network *network, unsigned from, unsigned to, bool blocked);
void sim_network_heal(struct sim_network *network);
/* The power of a host came back: what waited for it goes on. */
void sim_network_power(struct sim_network *network, unsigned host, bool powered);
/* A random established connection, or NULL. */
struct sim_link *sim_network_pick(struct sim_network *network);
/* Cuts it at a random byte of what is under way. half: only one side learns of it. */
void sim_link_cut(struct sim_network *network, struct sim_link *link, bool half);
/* Nothing of one direction arrives for a while. */
void sim_link_stall(struct sim_network *network, struct sim_link *link, int64_t us);

#endif
