#ifndef RG_NODE_STOP_H
#define RG_NODE_STOP_H

#include "base/error.h"
#include "node/node.h"

/* A group's primary hands over first, so that nobody has to miss it. */
enum rg_stop_flags {
    RG_STOP_SAVE = 1 << 0,
    RG_STOP_NOSAVE = 1 << 1,
    RG_STOP_NOW = 1 << 2,   /* replicas that are behind are not waited for */
    RG_STOP_FORCE = 1 << 3, /* ends also where nothing can be saved */
};
void stop_ask(struct rg_node *node, unsigned flags);
/* SHUTDOWN ABORT. Errors: RG_ENOENT (no stop is under way that could still be called off). */
RG_MUST_USE int stop_abort(struct rg_node *node);
void stop_handed_over(struct rg_node *node);
void stop_run(struct rg_node *node);
int64_t stop_deadline(const struct rg_node *node);
/* The final snapshot is on disk, or failed. */
void stop_saved(struct rg_node *node, int result, uint64_t offset);
/* The mark is on disk, or failed. */
void stop_marked(struct rg_node *node, int result);

#endif
