#include "sim/check_liveness.h"

#include <stdio.h>

bool sim_check_converged(struct sim_machine *machines, unsigned count, char *ret_why, size_t size)
{
    struct rg_node_view views[16];
    struct rg_group_view groups[16];
    char digests[16][41];
    int primary = -1;

    for (unsigned i = 0; i < count; i++) {
        if (!sim_machine_view(&machines[i], &views[i], &groups[i])) {
            (void)snprintf(ret_why, size, "n%u is down", i);
            return false;
        }
        if (groups[i].role == RG_ROLE_PRIMARY && primary >= 0) {
            (void)snprintf(ret_why, size, "n%d and n%u both think they are the primary", primary,
                           i);
            return false;
        }
        if (groups[i].role == RG_ROLE_PRIMARY)
            primary = (int)i;
        rg_node_digest(machines[i].node, digests[i]);
    }
    if (primary < 0) {
        (void)snprintf(ret_why, size, "there is no primary");
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        if (groups[i].primary != primary || groups[i].state != RG_MEMBER_HEALTHY ||
            groups[i].term != groups[primary].term) {
            (void)snprintf(
                ret_why, size, "n%u is %s, in term %llu, and follows %d, while n%d leads term %llu",
                i, rg_member_state_name(groups[i].state), (unsigned long long)groups[i].term,
                groups[i].primary, primary, (unsigned long long)groups[primary].term);
            return false;
        }
        if (views[i].log_end != views[primary].log_end ||
            strcmp(views[i].replid, views[primary].replid) != 0 ||
            strcmp(digests[i], digests[primary]) != 0) {
            (void)snprintf(ret_why, size,
                           "n%u's log ends at %llu (keys %.8s), n%d's at %llu (keys %.8s)", i,
                           (unsigned long long)views[i].log_end, digests[i], primary,
                           (unsigned long long)views[primary].log_end, digests[primary]);
            return false;
        }
    }
    return true;
}

bool sim_check_stuck(struct sim_machine *machines, unsigned count, unsigned promises)
{
    struct rg_node_view view;
    struct rg_group_view group;
    unsigned healthy = 0;

    for (unsigned i = 0; i < count; i++) {
        if (sim_machine_view(&machines[i], &view, &group))
            healthy += group.state == RG_MEMBER_HEALTHY;
    }
    return healthy < promises;
}
