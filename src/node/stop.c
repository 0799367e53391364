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
    if (node->follow.active)
        follow_failed(node, "this node is stopping");
    gate_fail_all(node);
    struct rg_snapshot *snapshot = snapshot_take(node);
    node_effect_file(node, RG_EFFECT_FILE_REPLACE, node->config->dbfilename, NULL, &snapshot->bytes,
                     RG_FILE_SAVE, 0);
    node->stop_offset = snapshot->offset;
    snapshot_unref(snapshot);
    /* The mark comes after the file it speaks of is safe. */
    node->stop_files = stop_may_mark_clean(node) ? 2 : 1;
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

/* The node goes on as what it was; a follower dials its primary again. */
static void stop_failed(struct rg_node *node)
{
    struct rg_conn *conn = conn_by_id(node, node->stop_client);
    size_t mark = 0;

    node->stopping = false;
    node->stop_files = 0;
    node->stop_client = 0;
    /* A mark that may be there all the same is of a log that goes on now. */
    if (node->members.group != NULL)
        node->members.persist_retry_us = node->now.mono_us;
    if (conn == NULL || conn->closing)
        return;
    struct rg_reply reply = conn_reply(conn);
    conn_push_begin(conn, &mark);
    rg_reply_error(&reply, "ERR Errors trying to SHUTDOWN. Check logs.");
    conn_push_end(node, conn, mark);
    conn_unblock(node, conn);
}

void stop_file_done(struct rg_node *node, int result)
{
    if (!node->stopping)
        return;
    if (result < 0) {
        node_say(node, RG_LOG_WARNING, "Error trying to save the DB, can't exit: %s",
                 node_file_error(result));
        stop_failed(node);
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
