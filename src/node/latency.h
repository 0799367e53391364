#ifndef RG_NODE_LATENCY_H
#define RG_NODE_LATENCY_H

#include "node/histogram.h"
#include "node/node_impl.h"

enum latency_event {
    LATENCY_COMMAND,
    LATENCY_FAST_COMMAND,
    LATENCY_EXPIRE_CYCLE,
    LATENCY_EVICTION_CYCLE,
    LATENCY_EVENTS
};

struct rg_latency *latency_new(void);
void latency_free(struct rg_latency *latency);
/* Notes it where it is over the threshold. */
void latency_event(struct rg_node *node, enum latency_event event, int64_t took_us);
/* The run times of a command; NULL where it has not been run. */
const struct rg_histogram *latency_histogram(const struct rg_node *node, unsigned id);
void latency_forget_commands(struct rg_node *node);
void latency_command(struct rg_node *node, const struct rg_command *command, int64_t took_us);

#endif
