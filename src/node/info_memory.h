#ifndef RG_NODE_INFO_MEMORY_H
#define RG_NODE_INFO_MEMORY_H

#include "node/node_impl.h"

/* What the memory of a node goes to, in bytes; the same figures for INFO and MEMORY STATS. */
struct memory_use {
    uint64_t total;     /* computed: all of the below that is not part of another */
    uint64_t allocated; /* by the allocator and in slabs, as they say themselves */
    uint64_t active;    /* pages of both that hold something */
    uint64_t resident;  /* pages of both */
    uint64_t rss;
    uint64_t peak;
    uint64_t startup;
    uint64_t backlog;
    uint64_t clients;  /* ordinary ones */
    uint64_t replicas; /* their connections */
    uint64_t overhead; /* all but the data */
    uint64_t dataset;
    uint64_t keys;
};

/* The host's figures are new. */
void memory_note(struct rg_node *node);
void memory_use_measure(const struct rg_node *node, struct memory_use *ret_use);
/* 100 * part / whole; 0 of nothing. */
double memory_percent(uint64_t part, uint64_t whole);
double memory_ratio(uint64_t part, uint64_t whole);

#endif
