#include "base/panic.h"
#include "node/node_impl.h"

/*
 * The end of a node. Where snapshots are wanted (save points, or SHUTDOWN SAVE) the data goes to
 * disk first. In a group the state file then says that the log was saved whole, so that the node
 * that starts from it has forgotten nothing (docs/failover.md, "Forgetting").
 */

enum { STOP_HAND_OVER_US = 2000000 };

static void stop_exit(struct rg_node *node)
{
    node_say(node, RG_LOG_WARNING, "Redis is now ready to exit, bye bye...");
    node_effect_exit(node, 0);
}

static void stop_mark_clean(struct rg_node *node)
{
    struct rg_group_durable durable = node->members.durable;
    struct rg_buf text = {0};

    durable.clean = true;
    durable.clean_offset = node->stop_offset;
    memcpy(durable.clean_replid, feed_replid(node), RG_REPLID_LEN + 1);
    rg_group_durable_format(&durable, &text);
    node_effect_file(node, RG_EFFECT_FILE_REPLACE, RG_NODE_STATE_FILE, NULL, &text, RG_FILE_SAVE,
                     0);
}

/* Only a log that is all this node ever acknowledged may be said to be whole (invariant 5). */
static bool stop_may_mark_clean(const struct rg_node *node)
{
    return node->members.group != NULL && node->members.view.state == RG_MEMBER_HEALTHY;
}

/* What else this run has to do is done first: nothing may follow on the final snapshot. */
static void stop_begin(struct rg_node *node, bool save, bool nosave)
{
    if (node->stopping || node->stop_due)
        return;
    node->stop_due = true;
    node->stop_save = save;
    node->stop_nosave = nosave;
}

void stop_run(struct rg_node *node)
{
    if (!node->stop_due)
        return;
    node->stop_due = false;
    node->stopping = true;
    node_say(node, RG_LOG_WARNING, "User requested shutdown...");
    if (node->stop_nosave || (!node->stop_save && node->config->save_count == 0)) {
        stop_exit(node);
        return;
    }
    node_say(node, RG_LOG_NOTICE, "Saving the final RDB snapshot before exiting.");
    /* From here on nothing may be added to the log, or acknowledged, that the file lacks. */
    follow_stop(node);
    gate_fail_all(node);
    struct rg_snapshot *snapshot = snapshot_take(node);
    node_effect_file(node, RG_EFFECT_FILE_REPLACE, node->config->dbfilename, NULL, &snapshot->bytes,
                     RG_FILE_SAVE, 0);
    node->stop_offset = snapshot->offset;
    snapshot_unref(snapshot);
    /* The mark comes after the file it speaks of is safe. */
    node->stop_files = stop_may_mark_clean(node) ? 2 : 1;
}

/* The stop failed: the node goes on as what it was. */
static void stop_abort(struct rg_node *node)
{
    const struct rg_group_view *view = &node->members.view;

    node->stopping = false;
    node->stop_files = 0;
    if (node->members.group == NULL) {
        if (node->config->replicaof_host[0] != '\0')
            follow_start(node, node->config->replicaof_host,
                         (uint16_t)node->config->replicaof_port, -1, 0);
    } else if (view->role == RG_ROLE_FOLLOWER && view->primary >= 0) {
        const struct rg_peer *peer = &node->members.peers[view->primary];
        follow_start(node, peer->host, peer->port, view->primary, view->term);
    }
}

void stop_ask(struct rg_node *node, bool save, bool nosave)
{
    if (node->stop_wanted || node->stopping)
        return;
    if (node->members.group == NULL || node->members.view.role != RG_ROLE_PRIMARY ||
        member_hand_over(node, -1, STOP_HAND_OVER_US) < 0) {
        stop_begin(node, save, nosave);
        return;
    }
    node_say(node, RG_LOG_NOTICE, "This node is the group's primary: handing over before the stop");
    node->stop_wanted = true;
    node->stop_save = save;
    node->stop_nosave = nosave;
    member_drain(node);
}

void stop_handed_over(struct rg_node *node)
{
    if (!node->stop_wanted)
        return;
    node->stop_wanted = false;
    stop_begin(node, node->stop_save, node->stop_nosave);
}

void stop_file_done(struct rg_node *node, int result)
{
    if (!node->stopping)
        return;
    if (result < 0) {
        node_say(node, RG_LOG_WARNING, "Error trying to save the DB, can't exit: %s",
                 result == RG_ENOSPC ? "No space left on device" : "Input/output error");
        stop_abort(node);
        return;
    }
    RG_ASSERT(node->stop_files > 0);
    if (--node->stop_files > 0) {
        stop_mark_clean(node);
        return;
    }
    node_say(node, RG_LOG_NOTICE, "DB saved on disk");
    stop_exit(node);
}

void rg_node_stop(struct rg_node *node, struct rg_time now)
{
    node->now = now;
    stop_ask(node, false, false);
}
