#ifndef RG_NODE_SERVE_COUNT_H
#define RG_NODE_SERVE_COUNT_H

#include "node/node_impl.h"

/* How many replicas hold how much of the log. */

/* Replicas online whose acknowledgement is at least offset. */
unsigned serve_count_acked(const struct rg_node *node, uint64_t offset);
/* … and that say so of their disks. */
unsigned serve_count_synced(const struct rg_node *node, uint64_t offset);
unsigned serve_count_good(const struct rg_node *node);
/* Replicas online that have not acknowledged all of the log. */
unsigned serve_count_lagging(const struct rg_node *node);
/* Where the disk is to count, the words of a replica that does not speak of its own are void. */
bool serve_wants_disk(const struct rg_node *node);
/* The end that a replica's acknowledgement counts up to. */
uint64_t serve_held(const struct rg_node *node, const struct rg_serve *serve);
/* The offset that `mode` has released to plain replicas. */
uint64_t serve_released(const struct rg_node *node, enum rg_mode mode);

#endif
