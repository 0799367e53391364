#include "node/monitor.h"

#include <inttypes.h>

#include "node/handlers.h"
#include "node/secret.h"

static void monitor_describe(struct rg_buf *line, const struct rg_node *node,
                             const struct rg_conn *conn, unsigned db)
{
    int64_t now_us = node->now.wall_us;

    rg_buf_printf(line, "+%" PRId64 ".%06" PRId64 " [%u ", now_us / RG_S_US, now_us % RG_S_US, db);
    if (conn->origin == RG_CONN_UNIX)
        rg_buf_printf(line, "unix:%s]", node->config->unixsocket);
    else
        rg_buf_printf(line, "%s]", conn->peer);
}

void monitor_feed(struct rg_node *node, const struct rg_conn *conn, unsigned db,
                  const struct rg_command *command, const struct rg_bytes *argv, int argc)
{
    struct rg_buf line = {0};
    size_t mark = 0;

    if (command->flags & (RG_CMD_SKIP_MONITOR | RG_CMD_ADMIN))
        return;
    monitor_describe(&line, node, conn, db);
    for (int i = 0; i < argc; i++) {
        rg_buf_append_char(&line, ' ');
        rg_quote_arg(&line, secret_is(command, argv, argc, i) ? SECRET_SHOWN : argv[i]);
    }
    rg_buf_append_str(&line, "\r\n");
    RG_LIST_EACH(link, &node->monitors)
    {
        struct rg_conn *monitor = RG_CONTAINER_OF(link, struct rg_conn, monitor_link);
        if (monitor->closing)
            continue;
        conn_push_begin(monitor, &mark);
        rg_buf_append_bytes(&monitor->out, rg_buf_view(&line));
        conn_push_end(node, monitor, mark);
    }
    rg_buf_fini(&line);
}

void cmd_monitor(struct rg_call *call)
{
    struct rg_conn *conn = call->conn;

    if (call->in_exec) {
        rg_reply_error(&call->reply, "ERR MONITOR isn't allowed for DENY BLOCKING client");
        return;
    }
    /* A replica, or one that looks on already, is not even answered. */
    if (monitor_is(conn) || conn->kind == RG_CONN_REPLICA)
        return;
    rg_list_append(&call->node->monitors, &conn->monitor_link);
    rg_reply_simple(&call->reply, "OK");
}
