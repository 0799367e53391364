#include "core/group_state.h"

/* Questions that change nothing. */

bool rg_group_may_ack(const struct rg_group *group, uint64_t term)
{
    return group->role == RG_ROLE_FOLLOWER && group->following && group->synced &&
           term == group->durable.term && group->told_term == term &&
           group->persisted_seq >= group->formed_persist && group->persisted_seq > 0;
}

bool rg_group_can_serve(const struct rg_group *group, int64_t now_us)
{
    return group->role == RG_ROLE_PRIMARY &&
           (RG_PLANTED(group->config.planted, RG_PLANTED_STALE_LEASE) ||
            rg_detector_has_majority(group, now_us));
}

void rg_group_view(const struct rg_group *group, int64_t now_us, struct rg_group_view *ret_view)
{
    bool primary = group->role == RG_ROLE_PRIMARY;
    struct rg_group_view view = {
        .term = group->durable.term,
        .voted_for = group->durable.voted_for,
        .role = group->role,
        .state = group->state,
        .primary = primary ? (int)group->config.self : group->primary,
        .mode = rg_commit_mode(group),
        .commit = group->commit,
        .held = rg_group_held(group),
        /* As the file has it: until the newest one is there, the claim of the one before stands. */
        .on_disk = group->durable.on_disk == (group->persisted_seq >= group->disk.persist),
        .ill = group->ill,
        .lease_until_us = primary ? rg_lease_until_us(group) : 0,
        .handing_over = group->handover.state != HANDOVER_IDLE,
        .stuck =
            now_us - group->start_us >= group->config.node_timeout_us && rg_amnesia_stuck(group),
        .elections = group->elections,
        .leader_changes = group->leader_changes,
    };

    for (unsigned i = 0; i < group->config.members; i++) {
        const struct group_member *member = &group->members[i];
        bool self = i == group->config.self;
        view.members[i] = (struct rg_group_member_view){
            .link_up = self || member->link_up,
            .state = self ? group->state : member->state,
            .role = self ? group->role : member->role,
            .position = self ? group->position : member->position,
            .acked = self ? rg_group_held(group) : member->acked,
            .last_seen_us = self ? now_us : member->last_seen_us,
            .incarnation = self ? group->durable.incarnation : member->incarnation,
            .priority = self ? rg_group_priority(group) : member->priority,
        };
    }
    *ret_view = view;
}
