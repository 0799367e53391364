#include <stdio.h>

#include "base/alloc.h"
#include "base/number.h"
#include "node/handlers.h"
#include "node/secret.h"

/* Commands that took long, the newest first, bounded by slowlog-max-len. */

enum { SLOWLOG_MAX_ARGS = 32, SLOWLOG_MAX_ARG = 128, SLOWLOG_DEFAULT_COUNT = 10 };

struct slow_item {
    struct rg_list link; /* in node->slowlog, oldest first */
    uint64_t id;
    int64_t time_s;
    int64_t took_us;
    struct rg_buf args; /* as it is replied */
    char peer[80];
    char *name; /* owned */
};

static void slow_free(struct slow_item *item)
{
    rg_buf_fini(&item->args);
    rg_free(item->name);
    rg_free(item);
}

static void slow_args(struct rg_buf *out, const struct rg_call *call)
{
    const struct rg_bytes *argv = call->argv;
    int argc = call->argc;
    struct rg_reply reply = {.out = out, .proto = 2};
    int shown = argc <= SLOWLOG_MAX_ARGS ? argc : SLOWLOG_MAX_ARGS;
    char text[SLOWLOG_MAX_ARG + 64];

    rg_reply_array(&reply, shown);
    for (int i = 0; i < shown; i++) {
        if (shown < argc && i == shown - 1) {
            (void)snprintf(text, sizeof(text), "... (%d more arguments)", argc - shown + 1);
            rg_reply_bulk_str(&reply, text);
        } else if (secret_is(call->command, argv, argc, i)) {
            rg_reply_bulk(&reply, SECRET_SHOWN);
        } else if (argv[i].len > SLOWLOG_MAX_ARG) {
            (void)snprintf(text, sizeof(text), "%.*s... (%zu more bytes)", SLOWLOG_MAX_ARG,
                           argv[i].data, argv[i].len - SLOWLOG_MAX_ARG);
            rg_reply_bulk_str(&reply, text);
        } else {
            rg_reply_bulk(&reply, argv[i]);
        }
    }
}

static void slow_trim(struct rg_node *node)
{
    while ((int64_t)node->slowlog_len > node->config->slowlog_max_len) {
        struct slow_item *item = RG_CONTAINER_OF(node->slowlog.next, struct slow_item, link);
        rg_list_remove(&item->link);
        slow_free(item);
        node->slowlog_len--;
    }
}

void slowlog_note(const struct rg_call *call, int64_t took_us)
{
    struct rg_node *node = call->node;
    const struct rg_conn *conn = call->conn;
    int64_t limit_us = node->config->slowlog_log_slower_than;

    if (limit_us < 0 || took_us < limit_us || (call->command->flags & RG_CMD_SKIP_SLOWLOG))
        return;
    struct slow_item *item = RG_NEW(struct slow_item);
    item->id = node->slowlog_next_id++;
    item->time_s = node->now.wall_us / RG_S_US;
    item->took_us = took_us;
    slow_args(&item->args, call);
    (void)snprintf(item->peer, sizeof(item->peer), "%s", conn->peer);
    item->name = rg_alloc_copy(conn->name ? conn->name : "", conn->name ? strlen(conn->name) : 0);
    rg_list_append(&node->slowlog, &item->link);
    node->slowlog_len++;
    slow_trim(node);
}

void slowlog_fini(struct rg_node *node)
{
    RG_LIST_EACH(link, &node->slowlog)
    {
        slow_free(RG_CONTAINER_OF(link, struct slow_item, link));
    }
    rg_list_init(&node->slowlog);
    node->slowlog_len = 0;
}

void cmd_slowlog_get(struct rg_call *call)
{
    struct rg_node *node = call->node;
    int64_t count = SLOWLOG_DEFAULT_COUNT;

    if (!cmd_arg_max(call, 3))
        return;
    if (call->argc > 2 && (rg_parse_i64(call->argv[2], &count) < 0 || count < -1)) {
        rg_reply_error(&call->reply, "ERR count should be greater than or equal to -1");
        return;
    }
    if (count == -1 || count > (int64_t)node->slowlog_len)
        count = node->slowlog_len;
    rg_reply_array(&call->reply, count);
    struct rg_list *link = node->slowlog.prev;
    for (int64_t i = 0; i < count; i++, link = link->prev) {
        const struct slow_item *item = RG_CONTAINER_OF(link, struct slow_item, link);
        rg_reply_array(&call->reply, 6);
        rg_reply_i64(&call->reply, (int64_t)item->id);
        rg_reply_i64(&call->reply, item->time_s);
        rg_reply_i64(&call->reply, item->took_us);
        rg_buf_append_bytes(call->reply.out, rg_buf_view(&item->args));
        rg_reply_bulk_str(&call->reply, item->peer);
        rg_reply_bulk_str(&call->reply, item->name);
    }
}

void cmd_slowlog_len(struct rg_call *call)
{
    rg_reply_i64(&call->reply, call->node->slowlog_len);
}

void cmd_slowlog_reset(struct rg_call *call)
{
    slowlog_fini(call->node);
    rg_reply_simple(&call->reply, "OK");
}
