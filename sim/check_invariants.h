#ifndef RG_SIM_CHECK_INVARIANTS_H
#define RG_SIM_CHECK_INVARIANTS_H

#include "sim/log_tree.h"
#include "sim/machine.h"

/*
 * After every turn of a node: what it may never be seen doing (docs/failover.md, invariants 1 to
 * 4). Its log is compared with the tree of all logs byte by byte, but only what is new of it.
 */
enum { SIM_DIGESTS = 64 };

struct sim_watch {
    struct sim_place at; /* where its log ended */
    uint64_t starts;
    uint64_t reloads;
    uint64_t term;
    uint64_t commit;
    bool primary;
    uint64_t turns;
    int64_t turns_since_us;
};

struct sim_digest {
    struct sim_place place;
    unsigned node;
    char hex[41];
};

struct sim_check_invariants {
    struct sim_loop *loop;
    struct sim_log_tree *tree;
    struct sim_machine *machines; /* borrowed */
    unsigned count;
    struct sim_watch watches[SIM_MAX_NODES];
    struct sim_digest digests[SIM_DIGESTS];
    struct rg_buf scratch;
    uint64_t digests_compared;
};

/* Watches every machine's turns from now on. */
void sim_check_invariants_init(struct sim_check_invariants *check, struct sim_log_tree *tree,
                               struct sim_machine *machines, unsigned count);
void sim_check_invariants_fini(struct sim_check_invariants *check);

#endif
