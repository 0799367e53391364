#ifndef RG_TOOL_TOPOLOGY_H
#define RG_TOOL_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "tool/client.h"
#include "tool/target.h"

/*
 * Who is who among a set of servers: a group's members, or a plain primary and its replicas (real
 * Redis servers too), as INFO tells it.
 */

enum { RG_TOPOLOGY_MAX = 64, RG_TOPOLOGY_WORD_CHARS = 32 };

struct rg_topology_node {
    struct rg_target target;
    char role[RG_TOPOLOGY_WORD_CHARS];  /* primary, follower, candidate, replica, unknown */
    char state[RG_TOPOLOGY_WORD_CHARS]; /* healthy, fresh, forgot-log, …; a replica's state */
    char link[RG_TOPOLOGY_WORD_CHARS];  /* up, down */
    int64_t offset;                     /* -1: not known, as for the figures below */
    int64_t lag_bytes;
    int64_t term;
    int64_t last_seen_ms;
    bool self; /* the node that was asked */
};

struct rg_topology {
    bool group;
    char name[128];
    char mode[RG_TOPOLOGY_WORD_CHARS];
    char durability[RG_TOPOLOGY_WORD_CHARS]; /* of the node that was asked; "": it does not say */
    int64_t term;
    int64_t commit_offset;
    int64_t lease_ms;
    int primary; /* index in nodes; -1: nobody is */
    int count;
    struct rg_topology_node nodes[RG_TOPOLOGY_MAX];
    struct rg_target seen_from; /* whose view this is */
};

/* The value of "name:value" in INFO's text. False where there is no such line. */
bool rg_info_find(struct rg_bytes info, const char *name, struct rg_bytes *ret_value);
/* A number there; missing where there is none. */
int64_t rg_info_number(struct rg_bytes info, const char *name, int64_t missing);

/* From the text of INFO. Errors: RG_ENOENT: it holds no group, or nothing about replication. */
RG_MUST_USE int rg_topology_from_group(struct rg_bytes info, struct rg_topology *ret_topology);
RG_MUST_USE int rg_topology_from_replication(struct rg_bytes info, const struct rg_target *asked,
                                             struct rg_topology *ret_topology);

/*
 * Asks target, and then the primary that it names, whose view is the better one. Errors: RG_EIO:
 * target cannot be reached or refuses; ret_error says why.
 */
RG_MUST_USE int rg_topology_fetch(const struct rg_target *target, const struct rg_login *login,
                                  int64_t timeout_ms, struct rg_topology *ret_topology,
                                  struct rg_buf *ret_error);

#endif
