#include "node/info.h"
#include "node/node_impl.h"

static const char *info_role_name(enum rg_member_role role)
{
    static const char *const names[] = {
        [RG_ROLE_FOLLOWER] = "follower",
        [RG_ROLE_CANDIDATE] = "candidate",
        [RG_ROLE_PRIMARY] = "primary",
    };

    return names[role];
}

static void info_member(const struct rg_node *node, const struct rg_group_view *view, unsigned i,
                        struct rg_buf *out)
{
    const struct rg_group_member_view *member = &view->members[i];
    bool self = i == node->members.self;
    uint64_t offset = self ? node_log_end(node) : member->position.offset;
    uint64_t acked = member->acked;
    uint64_t end = node_log_end(node);
    int64_t seen_ms =
        member->last_seen_us > 0 ? (node->now.mono_us - member->last_seen_us) / 1000 : -1;

    rg_buf_printf(out,
                  "member%u:address=%s,self=%s,role=%s,state=%s,offset=%llu,term=%llu,acked=%llu,"
                  "lag=%llu,priority=%u,last_seen_ms=%lld,link=%s\r\n",
                  i, node->members.peers[i].name, self ? "yes" : "no",
                  info_role_name(self ? view->role : member->role),
                  rg_member_state_name(self ? view->state : member->state),
                  (unsigned long long)offset, (unsigned long long)member->position.term,
                  (unsigned long long)acked, (unsigned long long)(end > offset ? end - offset : 0),
                  member->priority, (long long)(self ? 0 : seen_ms),
                  self || member->link_up ? "up" : "down");
}

void info_group(const struct rg_node *node, struct rg_buf *out)
{
    struct rg_group_view view;

    if (!member_view(node, &view)) {
        rg_buf_append_str(out, "group_enabled:0\r\n");
        return;
    }
    int64_t lease_us = view.lease_until_us - node->now.mono_us;
    rg_buf_append_str(out, "group_enabled:1\r\n");
    rg_buf_printf(out, "group_name:%s\r\n", node->config->group_name);
    rg_buf_printf(out, "group_term:%llu\r\n", (unsigned long long)view.term);
    rg_buf_printf(out, "group_role:%s\r\n", info_role_name(view.role));
    rg_buf_printf(out, "group_state:%s\r\n", rg_member_state_name(view.state));
    rg_buf_printf(out, "group_stuck:%d\r\n", view.stuck);
    rg_buf_printf(out, "group_mode:%s\r\n", rg_mode_name(view.mode));
    rg_buf_printf(out, "group_primary:%s\r\n",
                  view.primary >= 0 ? node->members.peers[view.primary].name : "");
    rg_buf_printf(out, "group_offset:%llu\r\n", (unsigned long long)node_log_end(node));
    rg_buf_printf(out, "group_commit_offset:%llu\r\n", (unsigned long long)view.commit);
    rg_buf_printf(out, "group_durability:%s\r\ngroup_held_offset:%llu\r\ngroup_log_on_disk:%d\r\n",
                  node->config->replication_durability == RG_DURABILITY_DISK ? "disk" : "memory",
                  (unsigned long long)view.held, view.on_disk);
    rg_buf_printf(out, "group_disk_trouble:%d\r\n", view.ill);
    rg_buf_printf(out, "group_lease_ms:%lld\r\n", (long long)(lease_us > 0 ? lease_us / 1000 : 0));
    rg_buf_printf(out, "group_handing_over:%d\r\n", view.handing_over);
    rg_buf_printf(out, "group_elections_won:%llu\r\n", (unsigned long long)view.elections);
    rg_buf_printf(out, "group_leader_changes:%llu\r\n", (unsigned long long)view.leader_changes);
    rg_buf_printf(out, "group_members:%u\r\n", node->members.count);
    for (unsigned i = 0; i < node->members.count; i++)
        info_member(node, &view, i, out);
}
