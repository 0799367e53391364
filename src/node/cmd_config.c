#include "base/alloc.h"
#include "node/aof.h"
#include "node/handlers.h"
#include "node/latency.h"
#include "node/notify.h"

struct config_found {
    struct rg_buf bytes;
    int64_t count;
    int proto;
};

static void config_visit(void *arg, const char *name, struct rg_bytes value)
{
    struct config_found *found = arg;
    struct rg_reply reply = {.out = &found->bytes, .proto = found->proto};

    rg_reply_bulk_str(&reply, name);
    rg_reply_bulk(&reply, value);
    found->count++;
}

void cmd_config_get(struct rg_call *call)
{
    struct config_found found = {.proto = call->reply.proto};

    rg_config_get(call->node->config, call->argv + 2, call->argc - 2, config_visit, &found);
    rg_reply_map(&call->reply, found.count);
    rg_buf_append_bytes(call->reply.out, rg_buf_view(&found.bytes));
    rg_buf_fini(&found.bytes);
}

/* What the node itself keeps a copy of. */
static void config_apply(struct rg_node *node, const char *name)
{
    struct rg_bytes what = rg_bytes_str(name);

    if (rg_bytes_is(what, "repl-backlog-size"))
        rg_backlog_set_limit(node->backlog, (uint64_t)node->config->repl_backlog_size);
    else if (rg_bytes_is(what, "replication-mode")) {
        feed_activate(node);
        member_mode_changed(node);
    } else if (rg_bytes_is(what, "replica-priority") && node->members.group != NULL) {
        rg_group_set_priority(node->members.group, (uint32_t)node->config->replica_priority);
    }
    if (rg_bytes_is(what, "appendonly"))
        aof_configure(node);
    notify_configure(node);
    node_set_access(node);
    /* Any directive may be one of the store's limits; telling it all of them costs nothing. */
    struct rg_store_limits limits = node_store_limits(node);
    rg_store_set_limits(node->store, &limits);
    node_effect_config(node, name);
}

/* The mode of a group is its primary's to change: the log carries it to the others. */
static bool config_mode_refused(struct rg_call *call)
{
    struct rg_group_view view;

    if (!member_view(call->node, &view) || view.role == RG_ROLE_PRIMARY)
        return false;
    for (int i = 2; i < call->argc; i += 2) {
        if (rg_bytes_is_nocase(call->argv[i], "replication-mode")) {
            rg_reply_error(&call->reply, "READONLY replication-mode is changed on the group's "
                                         "primary; the log carries it to every member");
            return true;
        }
    }
    return false;
}

void cmd_config_set(struct rg_call *call)
{
    int count = call->argc - 2;
    const char **names = RG_NEW_ARRAY(const char *, (size_t)count / 2 + 1);
    struct rg_buf error = {0};
    int changed = 0;

    if (count % 2 != 0) {
        rg_reply_error(&call->reply, "ERR syntax error");
    } else if (config_mode_refused(call)) {
        /* replied */
    } else if (rg_config_set(call->node->config, call->argv + 2, count, names, &changed, &error) <
               0) {
        rg_buf_append_char(&error, '\0');
        rg_reply_error(&call->reply, rg_buf_view(&error).data);
    } else {
        for (int i = 0; i < changed; i++)
            config_apply(call->node, names[i]);
        rg_reply_simple(&call->reply, "OK");
    }
    rg_buf_fini(&error);
    rg_free(names);
}

void cmd_config_rewrite(struct rg_call *call)
{
    struct rg_buf text = {0};

    if (rg_config_rewrite(call->node->config, &text) < 0) {
        rg_reply_error(&call->reply, "ERR The server is running without a config file");
        rg_buf_fini(&text);
        return;
    }
    /* Sentinels rewrite within the transaction that changes the role. Its reply is one and waits
     * for nothing: there a failure is told in the log only. */
    if (call->in_exec)
        rg_reply_simple(&call->reply, "OK");
    else /* answered when the file is safely there */
        conn_block(call->node, call->conn, RG_BLOCK_FILE, RG_NEVER);
    node_effect_file(call->node, RG_EFFECT_FILE_REPLACE, rg_config_file(call->node->config), NULL,
                     &text, RG_FILE_REWRITE, call->in_exec ? 0 : call->conn->id);
}

void config_rewritten(struct rg_node *node, uint64_t client, int result)
{
    struct rg_conn *conn = conn_by_id(node, client);
    size_t mark = 0;

    if (result == 0)
        node_say(node, RG_LOG_WARNING, "CONFIG REWRITE executed with success.");
    else
        node_say(node, RG_LOG_WARNING, "CONFIG REWRITE failed: %s", node_file_error(result));
    if (conn == NULL || conn->closing)
        return;
    struct rg_reply reply = conn_reply(conn);
    conn_push_begin(conn, &mark);
    if (result == 0)
        rg_reply_simple(&reply, "OK");
    else
        rg_reply_errorf(&reply, "ERR Rewriting config file: %s", node_file_error(result));
    conn_push_end(node, conn, mark);
    conn_unblock(node, conn);
}

void cmd_config_resetstat(struct rg_call *call)
{
    struct rg_stats *stats = &call->node->stats;
    struct rg_command_stats *per_command = stats->per_command;
    unsigned commands = 0;

    (void)rg_cmd_table(&commands);
    memset(per_command, 0, commands * sizeof(struct rg_command_stats));
    *stats = (struct rg_stats){.per_command = per_command, .sample_us = call->node->now.mono_us};
    latency_forget_commands(call->node);
    rg_reply_simple(&call->reply, "OK");
}
