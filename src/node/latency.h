#ifndef RG_NODE_LATENCY_H
#define RG_NODE_LATENCY_H

#include "node/node_impl.h"

enum latency_event { LATENCY_COMMAND, LATENCY_FAST_COMMAND, LATENCY_EXPIRE_CYCLE, LATENCY_EVENTS };

struct rg_latency *latency_new(void);
void latency_free(struct rg_latency *latency);
/* Notes it where it is over the threshold. */
void latency_event(struct rg_node *node, enum latency_event event, int64_t took_us);
void latency_command(struct rg_node *node, const struct rg_command *command, int64_t took_us);

#endif
