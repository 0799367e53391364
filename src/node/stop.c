#include "node/stop.h"
#include "base/panic.h"
#include "node/aof.h"
#include "node/serve_count.h"

/*
 * The end of a node. Replicas get what they lack first, for a while. Where snapshots are wanted
 * (save points, or SHUTDOWN SAVE) the data goes to disk. In a group the state file then says that
 * the log was saved whole, so that the node that starts from it has forgotten nothing
 * (docs/failover.md, "Forgetting").
 */

enum { STOP_HAND_OVER_US = 2000000 };

static void stop_exit(struct rg_node *node)
{
    node_say(node, RG_LOG_WARNING, "Redis is now ready to exit, bye bye...");
    node_effect_exit(node, 0);
}

static void stop_tell_clients(struct rg_node *node)
{
    RG_LIST_EACH(link, &node->blocked)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, block_link);
        struct rg_reply reply = conn_reply(conn);
        size_t mark = 0;
        if (conn->block != RG_BLOCK_STOP || conn->closing)
            continue;
        conn_push_begin(conn, &mark);
        rg_reply_error(&reply, "ERR Errors trying to SHUTDOWN. Check logs.");
        conn_push_end(node, conn, mark);
        conn_unblock(node, conn);
    }
}

/* ---- Asking ---- */

void stop_ask(struct rg_node *node, unsigned flags)
{
    if (node->stop_state != RG_STOP_NONE) {
        node->stop_flags |= flags & (RG_STOP_NOW | RG_STOP_FORCE);
        return;
    }
    node->stop_flags = flags;
    /* What else this run has to do is done first: nothing may follow on the final snapshot. */
    node->stop_state = RG_STOP_DUE;
    if (node->members.group == NULL || node->members.view.role != RG_ROLE_PRIMARY ||
        member_hand_over(node, -1, STOP_HAND_OVER_US) < 0)
        return;
    node_say(node, RG_LOG_NOTICE, "This node is the group's primary: handing over before the stop");
    node->stop_state = RG_STOP_HAND_OVER;
    member_drain(node);
}

static unsigned stop_flags_of_words(const char *words)
{
    struct rg_bytes rest = rg_bytes_str(words);
    unsigned flags = 0;

    while (rest.len > 0) {
        struct rg_bytes word = rg_bytes_cut(&rest, ' ');
        flags |= rg_bytes_is_nocase(word, "save") ? RG_STOP_SAVE : 0U;
        flags |= rg_bytes_is_nocase(word, "nosave") ? RG_STOP_NOSAVE : 0U;
        flags |= rg_bytes_is_nocase(word, "now") ? RG_STOP_NOW : 0U;
        flags |= rg_bytes_is_nocase(word, "force") ? RG_STOP_FORCE : 0U;
    }
    return flags;
}

void rg_node_stop(struct rg_node *node, bool interrupted, struct rg_time now)
{
    node->now = now;
    stop_ask(node, stop_flags_of_words(interrupted ? node->config->shutdown_on_sigint
                                                   : node->config->shutdown_on_sigterm));
}

void stop_handed_over(struct rg_node *node)
{
    if (node->stop_state == RG_STOP_HAND_OVER)
        node->stop_state = RG_STOP_DUE;
}

int stop_abort(struct rg_node *node)
{
    if (node->stop_state == RG_STOP_NONE || node->stop_state == RG_STOP_SAVING)
        return RG_ENOENT;
    node_say(node, RG_LOG_NOTICE, "Shutdown manually aborted.");
    node->stop_state = RG_STOP_NONE;
    stop_tell_clients(node);
    return 0;
}

/* ---- The final files ---- */

static void stop_mark_clean(struct rg_node *node, uint64_t offset)
{
    struct rg_group_durable durable = node->members.durable;
    struct rg_buf text = {0};

    aof_seal(node, offset);
    durable.clean = true;
    durable.clean_offset = offset;
    memcpy(durable.clean_replid, feed_replid(node), RG_REPLID_LEN + 1);
    rg_group_durable_format(&durable, &text);
    node_effect_file(node, RG_EFFECT_FILE_REPLACE, RG_NODE_STATE_FILE, NULL, &text, RG_FILE_STOP,
                     0);
}

/* Only a log that is all this node ever acknowledged may be said to be whole (invariant 5). */
static bool stop_may_mark_clean(const struct rg_node *node)
{
    return node->members.group != NULL && node->members.view.state == RG_MEMBER_HEALTHY;
}

/* The node goes on as what it was; a follower dials its primary again. */
static void stop_failed(struct rg_node *node, int result)
{
    node_say(node, RG_LOG_WARNING, "Error trying to save the DB, can't exit: %s",
             node_file_error(result));
    node->stopping = false;
    node->stop_state = RG_STOP_NONE;
    /* A mark that may be there all the same is of a log that goes on now. */
    if (node->members.group != NULL)
        node->members.persist_retry_us = node->now.mono_us;
    stop_tell_clients(node);
}

static void stop_could_not_save(struct rg_node *node, int result)
{
    if (!(node->stop_flags & RG_STOP_FORCE)) {
        stop_failed(node, result);
        return;
    }
    node_say(node, RG_LOG_WARNING, "Error trying to save the DB. Exit anyway: %s",
             node_file_error(result));
    stop_exit(node);
}

void stop_saved(struct rg_node *node, int result, uint64_t offset)
{
    RG_ASSERT(node->stopping);
    if (result < 0)
        stop_could_not_save(node, result);
    else if (stop_may_mark_clean(node)) /* after the file it speaks of is safe */
        stop_mark_clean(node, offset);
    else
        stop_exit(node);
}

void stop_marked(struct rg_node *node, int result)
{
    if (!node->stopping)
        return;
    if (result < 0)
        stop_could_not_save(node, result);
    else
        stop_exit(node);
}

static void stop_save(struct rg_node *node)
{
    if (!aof_settled(node) && !node->loading.on) {
        /* What is acknowledged from the log on disk is there first. */
        node->stop_state = RG_STOP_LOG;
        if (node->follow.active)
            follow_failed(node, "this node is stopping");
        aof_settle(node);
        return;
    }
    bool save = (node->stop_flags & RG_STOP_SAVE) || node->config->save_count > 0;

    node->stop_state = RG_STOP_SAVING;
    node->stopping = true;
    /* What is loaded so far is less than what the file holds. */
    if ((node->stop_flags & RG_STOP_NOSAVE) || !save || node->loading.on) {
        save_abort(node, "this node is stopping");
        stop_exit(node);
        return;
    }
    node_say(node, RG_LOG_NOTICE, "Saving the final RDB snapshot before exiting.");
    /* From here on nothing may be added to the log, or acknowledged, that the file lacks. */
    if (node->follow.active)
        follow_failed(node, "this node is stopping");
    gate_fail_all(node);
    save_abort(node, "this node is stopping");
    snapshot_drop(node);
    int result = save_begin(node, RG_SAVE_STOP, 0);
    RG_ASSERT(result == 0);
    snapshot_run(node);
}

/* ---- Replicas ---- */

static bool stop_waits(const struct rg_node *node)
{
    return !(node->stop_flags & RG_STOP_NOW) && node_is_primary(node) &&
           serve_count_lagging(node) > 0;
}

void stop_run(struct rg_node *node)
{
    if (node->stop_state == RG_STOP_DUE) {
        node_say(node, RG_LOG_WARNING, "User requested shutdown...");
        node->stop_limit_us = node->now.mono_us + node->config->shutdown_timeout * RG_S_US;
        if (stop_waits(node) && node->config->shutdown_timeout > 0) {
            node_say(node, RG_LOG_NOTICE, "Waiting for replicas before shutting down.");
            node->stop_state = RG_STOP_LAGGING;
            node->ask_acks = true;
            return;
        }
        stop_save(node);
    } else if (node->stop_state == RG_STOP_LAGGING) {
        bool waits = stop_waits(node);
        if (waits && node->now.mono_us < node->stop_limit_us)
            return;
        if (waits)
            node_say(node, RG_LOG_WARNING, "%u replicas are behind when shutting down.",
                     serve_count_lagging(node));
        stop_save(node);
    } else if (node->stop_state == RG_STOP_LOG) {
        aof_settle(node);
        if (aof_settled(node))
            stop_save(node);
    }
}

int64_t stop_deadline(const struct rg_node *node)
{
    if (node->stop_state == RG_STOP_DUE)
        return node->now.mono_us;
    return node->stop_state == RG_STOP_LAGGING ? node->stop_limit_us : RG_NEVER;
}
