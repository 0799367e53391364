#ifndef RG_NODE_EVICT_H
#define RG_NODE_EVICT_H

#include <stdbool.h>
#include <stdint.h>

/* Keys that a primary gives up to stay below maxmemory. */
struct rg_node;
struct evict_pool;

struct evict_pool *evict_new(void);
void evict_free(struct evict_pool *pool);
/* Brings a primary's memory below maxmemory. False: it is above, and nothing may go. */
bool evict_make_room(struct rg_node *node);
/* Goes on with what one go had no time for. */
void evict_run(struct rg_node *node);
int64_t evict_deadline(const struct rg_node *node);
/* How long memory has been above the limit, now or in total. */
int64_t evict_exceeded_us(const struct rg_node *node, bool total);

#endif
