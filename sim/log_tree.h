#ifndef RG_SIM_LOG_TREE_H
#define RG_SIM_LOG_TREE_H

#include "base/buf.h"
#include "core/group.h"
#include "log/history.h"
#include "sim/loop.h"

/*
 * Everything that any node's log ever held, as an onlooker sees it: a tree of terms, each a branch
 * that leaves an older one at an offset. Bytes are added by the term's primary, when it writes
 * them; everybody else's log must agree with what is there (docs/failover.md, invariant 4). It
 * knows where each of the workload's values stands, and who held how much of each branch at any
 * time.
 */
enum { SIM_MAX_BRANCHES = 512, SIM_MAX_NODES = 5 };

struct sim_branch {
    char replid[RG_REPLID_LEN + 1];
    uint64_t term;
    unsigned owner;            /* the primary */
    struct sim_branch *parent; /* NULL: it begins at 0 */
    uint64_t start;
    struct rg_buf bytes;          /* from start on */
    uint64_t held[SIM_MAX_NODES]; /* greatest end that a node's log, in this branch, had */
    uint64_t shown;               /* greatest end of anything that a client was shown of it */
};

/* A place in the tree: before the byte at offset of the chain that ends in branch. */
struct sim_place {
    struct sim_branch *branch; /* NULL: an empty log */
    uint64_t offset;
};

struct sim_log_tree {
    struct sim_loop *loop;
    struct sim_branch *branches[SIM_MAX_BRANCHES]; /* owned */
    unsigned count;
    struct sim_place *values; /* owned: by value; where it ends */
    size_t value_cap;
};

void sim_log_tree_init(struct sim_log_tree *tree, struct sim_loop *loop);
void sim_log_tree_fini(struct sim_log_tree *tree);
struct sim_branch *sim_log_tree_find(const struct sim_log_tree *tree, const char *replid);
uint64_t sim_branch_end(const struct sim_branch *branch);
/* Does the log that ends in branch at end hold everything up to place? */
bool sim_log_tree_holds(const struct sim_branch *branch, uint64_t end, struct sim_place place);
/* How many nodes ever held place. */
unsigned sim_log_tree_copies(const struct sim_log_tree *tree, unsigned nodes,
                             struct sim_place place);

/*
 * Node `owner`, a primary, whose log ended at *at, appended bytes: they become part of the tree,
 * and *at moves. Fails the loop where they are not its to write.
 */
void sim_log_tree_extend(struct sim_log_tree *tree, unsigned owner, struct sim_place *at,
                         struct rg_bytes bytes);
/* The bytes at [place, place + bytes.len) of the chain that ends in branch are these. */
bool sim_log_tree_matches(const struct sim_branch *branch, uint64_t offset, struct rg_bytes bytes);

/* Where the value's write ends; a NULL branch where it never was in a log. */
struct sim_place sim_log_tree_value(const struct sim_log_tree *tree, int64_t value);

#endif
