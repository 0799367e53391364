#include <stdio.h>

#include "base/number.h"
#include "node/handlers.h"
#include "node/sentinel.h"

/*
 * The questions that Sentinel-aware clients ask, answered by the group's members themselves: the
 * group is the one monitored primary, the members are its sentinels and its replicas.
 */

static bool sentinel_named(struct rg_call *call, struct rg_group_view *ret_view)
{
    if (member_view(call->node, ret_view) &&
        rg_bytes_is(call->argv[2], call->node->config->group_name))
        return true;
    rg_reply_error(&call->reply, "ERR No such master with that name");
    return false;
}

static void sentinel_group_get_master_addr(struct rg_call *call)
{
    struct rg_group_view view;

    if (!member_view(call->node, &view) ||
        !rg_bytes_is(call->argv[2], call->node->config->group_name) || view.primary < 0) {
        rg_reply_null_array(&call->reply);
        return;
    }
    const struct rg_peer *peer = &call->node->members.peers[view.primary];
    rg_reply_array(&call->reply, 2);
    rg_reply_bulk_str(&call->reply, peer->host);
    rg_reply_bulk_i64(&call->reply, peer->port);
}

static void sentinel_field(struct rg_call *call, const char *name, const char *value)
{
    rg_reply_bulk_str(&call->reply, name);
    rg_reply_bulk_str(&call->reply, value);
}

static void sentinel_number(struct rg_call *call, const char *name, int64_t value)
{
    rg_reply_bulk_str(&call->reply, name);
    rg_reply_bulk_i64(&call->reply, value);
}

static int64_t sentinel_seen_ms(const struct rg_node *node, const struct rg_group_view *view,
                                unsigned i)
{
    int64_t seen_us = view->members[i].last_seen_us;

    if (i == node->members.self || seen_us == 0)
        return 0;
    return (node->now.mono_us - seen_us) / RG_MS_US;
}

static bool sentinel_down(const struct rg_node *node, const struct rg_group_view *view, unsigned i)
{
    return i != node->members.self &&
           (!view->members[i].link_up ||
            sentinel_seen_ms(node, view, i) > node->config->group_node_timeout);
}

/* The fields that primary, replica and sentinel share; 9 pairs. */
enum { SENTINEL_COMMON = 9 };
static void sentinel_common(struct rg_call *call, const struct rg_group_view *view, unsigned i,
                            const char *name, const char *flags)
{
    const struct rg_node *node = call->node;
    const struct rg_peer *peer = &node->members.peers[i];
    char run_id[41];
    char all_flags[64];

    /* An id that every member gives to the same member. */
    (void)snprintf(run_id, sizeof(run_id), "%.32s%08x", node->members.digest, i);
    (void)snprintf(all_flags, sizeof(all_flags), "%s%s", flags,
                   sentinel_down(node, view, i) ? ",s_down,disconnected" : "");
    sentinel_field(call, "name", name);
    sentinel_field(call, "ip", peer->host);
    sentinel_number(call, "port", peer->port);
    sentinel_field(call, "runid", run_id);
    sentinel_field(call, "flags", all_flags);
    sentinel_field(call, "link-pending-commands", "0");
    sentinel_field(call, "link-refcount", "1");
    sentinel_number(call, "last-ok-ping-reply", sentinel_seen_ms(node, view, i));
    sentinel_number(call, "down-after-milliseconds", node->config->group_node_timeout);
}

static void sentinel_master(struct rg_call *call, const struct rg_group_view *view)
{
    const struct rg_node *node = call->node;
    unsigned i = view->primary >= 0 ? (unsigned)view->primary : node->members.self;

    rg_reply_map(&call->reply, SENTINEL_COMMON + 6);
    sentinel_common(call, view, i, node->config->group_name,
                    view->primary >= 0 ? "master" : "master,o_down");
    sentinel_field(call, "role-reported", "master");
    sentinel_number(call, "config-epoch", (int64_t)view->term);
    sentinel_number(call, "num-slaves", (int64_t)node->members.count - 1);
    sentinel_number(call, "num-other-sentinels", (int64_t)node->members.count - 1);
    sentinel_number(call, "quorum", rg_mode_promises(view->mode, node->members.count));
    sentinel_number(call, "failover-timeout", node->config->group_node_timeout);
}

static void sentinel_group_masters(struct rg_call *call)
{
    struct rg_group_view view;

    if (!member_view(call->node, &view)) {
        rg_reply_array(&call->reply, 0);
        return;
    }
    rg_reply_array(&call->reply, 1);
    sentinel_master(call, &view);
}

static void sentinel_group_master(struct rg_call *call)
{
    struct rg_group_view view;

    if (sentinel_named(call, &view))
        sentinel_master(call, &view);
}

static void sentinel_replica(struct rg_call *call, const struct rg_group_view *view, unsigned i)
{
    const struct rg_node *node = call->node;
    const struct rg_peer *primary = view->primary >= 0 ? &node->members.peers[view->primary] : NULL;
    bool self = i == node->members.self;
    bool online = !sentinel_down(node, view, i) &&
                  (self ? view->state : view->members[i].state) == RG_MEMBER_HEALTHY;
    uint64_t offset = self ? node_log_end(node) : view->members[i].position.offset;

    rg_reply_map(&call->reply, SENTINEL_COMMON + 7);
    sentinel_common(call, view, i, node->members.peers[i].name, "slave");
    sentinel_field(call, "role-reported", "slave");
    sentinel_field(call, "master-link-status", online && primary ? "ok" : "err");
    sentinel_field(call, "master-host", primary ? primary->host : "?");
    sentinel_number(call, "master-port", primary ? primary->port : 0);
    sentinel_number(call, "slave-priority",
                    self ? node->config->replica_priority : (int64_t)view->members[i].priority);
    sentinel_number(call, "slave-repl-offset", (int64_t)offset);
    sentinel_field(call, "replica-announced", "1");
}

static void sentinel_group_replicas(struct rg_call *call)
{
    const struct rg_node *node = call->node;
    struct rg_group_view view;

    if (!sentinel_named(call, &view))
        return;
    rg_reply_array(&call->reply, (int64_t)node->members.count - (view.primary >= 0));
    for (unsigned i = 0; i < node->members.count; i++) {
        if ((int)i != view.primary)
            sentinel_replica(call, &view, i);
    }
}

static void sentinel_group_sentinels(struct rg_call *call)
{
    const struct rg_node *node = call->node;
    struct rg_group_view view;

    if (!sentinel_named(call, &view))
        return;
    rg_reply_array(&call->reply, (int64_t)node->members.count - 1);
    for (unsigned i = 0; i < node->members.count; i++) {
        if (i == node->members.self)
            continue;
        rg_reply_map(&call->reply, SENTINEL_COMMON);
        sentinel_common(call, &view, i, node->members.peers[i].name, "sentinel");
    }
}

static void sentinel_group_ckquorum(struct rg_call *call)
{
    const struct rg_node *node = call->node;
    struct rg_group_view view;
    unsigned usable = 0;

    if (!sentinel_named(call, &view))
        return;
    for (unsigned i = 0; i < node->members.count; i++) {
        bool self = i == node->members.self;
        usable += !sentinel_down(node, &view, i) &&
                  (self ? view.state : view.members[i].state) == RG_MEMBER_HEALTHY;
    }
    unsigned needed = rg_mode_promises(view.mode, node->members.count);
    char text[160];
    if (usable >= needed) {
        (void)snprintf(text, sizeof(text),
                       "OK %u usable Sentinels. Quorum and failover authorization can be reached",
                       usable);
        rg_reply_simple(&call->reply, text);
        return;
    }
    rg_reply_errorf(&call->reply,
                    "NOQUORUM %u usable Sentinels. Not enough available Sentinels to reach the "
                    "majority and authorize a failover",
                    usable);
}

static void sentinel_group_myid(struct rg_call *call)
{
    const struct rg_members *members = &call->node->members;
    char run_id[41];

    if (members->group == NULL) {
        rg_reply_bulk_str(&call->reply, call->node->run_id);
        return;
    }
    (void)snprintf(run_id, sizeof(run_id), "%.32s%08x", members->digest, members->self);
    rg_reply_bulk_str(&call->reply, run_id);
}

/* Which of them a group's member answers. */
void cmd_sentinel(struct rg_call *call)
{
    static node_handler *const answers[] = {
        [RG_CMD_ID_sentinel_ckquorum] = sentinel_group_ckquorum,
        [RG_CMD_ID_sentinel_get_master_addr_by_name] = sentinel_group_get_master_addr,
        [RG_CMD_ID_sentinel_master] = sentinel_group_master,
        [RG_CMD_ID_sentinel_masters] = sentinel_group_masters,
        [RG_CMD_ID_sentinel_myid] = sentinel_group_myid,
        [RG_CMD_ID_sentinel_replicas] = sentinel_group_replicas,
        [RG_CMD_ID_sentinel_sentinels] = sentinel_group_sentinels,
        [RG_CMD_ID_sentinel_slaves] = sentinel_group_replicas,
    };
    unsigned id = call->command->id;

    if (call->node->sentinel != NULL)
        sentinel_call(call);
    else if (id < sizeof(answers) / sizeof(answers[0]) && answers[id] != NULL)
        answers[id](call);
    else
        rg_reply_errorf(&call->reply, "ERR unknown subcommand '%.*s'. Try SENTINEL HELP.",
                        (int)(call->argv[1].len < 128 ? call->argv[1].len : 128),
                        call->argv[1].data);
}
