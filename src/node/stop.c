#include "node/node_impl.h"

/*
 * The end of a node. Where snapshots are wanted (save points, or SHUTDOWN SAVE) the data goes to
 * disk first. In a group the state file then says that the log was saved whole, so that the node
 * that starts from it has forgotten nothing (docs/failover.md, "Forgetting"). It says so only once
 * the snapshot is safely there, and only of a log that is whole: what a node had forgotten before
 * its stop it has forgotten after it, too.
 *
 * From the snapshot on nothing is added to the log or acknowledged. Where a file cannot be written
 * the stop is off, and the node goes on.
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
    durable.clean_offset = node_log_end(node);
    memcpy(durable.clean_replid, feed_replid(node), RG_REPLID_LEN + 1);
    rg_group_durable_format(&durable, &text);
    node->stop_marking = true;
    node_effect_file(node, RG_EFFECT_FILE_REPLACE, RG_NODE_STATE_FILE, NULL, &text, RG_FILE_SAVE,
                     node->stop_attempt);
}

static void stop_begin(struct rg_node *node, bool save, bool nosave)
{
    if (node->stopping)
        return;
    node->stopping = true;
    node->stop_marking = false;
    node_say(node, RG_LOG_WARNING, "User requested shutdown...");
    if (nosave || (!save && node->config->save_count == 0)) {
        stop_exit(node);
        return;
    }
    node_say(node, RG_LOG_NOTICE, "Saving the final RDB snapshot before exiting.");
    /* From here on nothing may be added to the log, or acknowledged, that the file lacks. */
    if (node->follow.active)
        follow_failed(node, "this node is stopping");
    gate_fail_all(node);
    struct rg_snapshot *snapshot = snapshot_take(node);
    node->stop_attempt++;
    node_effect_file(node, RG_EFFECT_FILE_REPLACE, node->config->dbfilename, NULL, &snapshot->bytes,
                     RG_FILE_SAVE, node->stop_attempt);
    snapshot_unref(snapshot);
}

void stop_ask(struct rg_node *node, bool save, bool nosave)
{
    if (node->stop_wanted || node->stopping)
        return;
    int result = RG_EINVAL;
    if (node->members.group != NULL && node->members.view.role == RG_ROLE_PRIMARY)
        result = member_hand_over(node, -1, STOP_HAND_OVER_US);
    if (result < 0 && result != RG_EEXIST) { /* one that is under way already does as well */
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

static void stop_failed(struct rg_node *node, int result)
{
    node_say(node, RG_LOG_WARNING, "Error trying to save the DB, can't exit: %s",
             result == RG_ENOSPC ? "No space left on device" : "Input/output error");
    node->stopping = false;
    /* A mark that may be there all the same is of a log that goes on now. */
    if (node->members.group != NULL)
        node->members.persist_retry_us = node->now.mono_us;
    RG_LIST_EACH(link, &node->blocked)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, block_link);
        struct rg_reply reply = conn_reply(conn);
        size_t mark = 0;
        if (conn->block != RG_BLOCK_STOP)
            continue;
        conn_push_begin(conn, &mark);
        rg_reply_error(&reply, "ERR Errors trying to SHUTDOWN. Check logs.");
        conn_push_end(node, conn, mark);
        conn_unblock(node, conn);
    }
}

void stop_file_done(struct rg_node *node, uint64_t attempt, int result)
{
    if (!node->stopping || attempt != node->stop_attempt)
        return;
    if (result < 0) {
        stop_failed(node, result);
        return;
    }
    if (!node->stop_marking && node->members.group != NULL &&
        node->members.view.state == RG_MEMBER_HEALTHY) {
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
