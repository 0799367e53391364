#include "base/number.h"
#include "node/blocked.h"
#include "node/client_info.h"
#include "node/handlers.h"
#include "node/monitor.h"
#include "node/multi.h"
#include "node/serve_disk.h"
#include "node/tracking.h"

enum client_type client_type(const struct rg_conn *conn)
{
    if (conn->kind == RG_CONN_REPLICA)
        return CLIENT_REPLICA;
    if (conn->kind == RG_CONN_STREAM)
        return CLIENT_MASTER;
    return conn->subscriptions > 0 ? CLIENT_PUBSUB : CLIENT_NORMAL;
}

bool client_type_of_name(struct rg_bytes name, enum client_type *ret_type)
{
    static const struct {
        const char *name;
        enum client_type type;
    } types[] = {
        {"normal", CLIENT_NORMAL},   {"master", CLIENT_MASTER}, {"slave", CLIENT_REPLICA},
        {"replica", CLIENT_REPLICA}, {"pubsub", CLIENT_PUBSUB},
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (rg_bytes_is_nocase(name, types[i].name)) {
            *ret_type = types[i].type;
            return true;
        }
    }
    return false;
}

static void client_flags(const struct rg_conn *conn, char out[16])
{
    const struct tracking_client *tracking = conn->tracking;
    const struct {
        bool set;
        char letter;
    } flags[] = {
        {conn->kind == RG_CONN_REPLICA, 'S'},
        {monitor_is(conn), 'O'},
        {conn->kind == RG_CONN_STREAM, 'M'},
        {conn->subscriptions > 0, 'P'},
        {conn->multi != NULL, 'x'},
        {conn->block != RG_BLOCK_NONE, 'b'},
        {tracking != NULL, 't'},
        {tracking != NULL && (tracking->flags & TRACKING_BROKEN), 'R'},
        {tracking != NULL && (tracking->flags & TRACKING_BCAST), 'B'},
        {conn->watch_failed, 'd'},
        {conn->closing, 'c'},
        {conn->origin == RG_CONN_UNIX, 'U'},
        {conn->no_evict, 'e'},
    };
    size_t n = 0;

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (flags[i].set)
            out[n++] = flags[i].letter;
    }
    if (n == 0)
        out[n++] = 'N';
    out[n] = '\0';
}

size_t client_memory(const struct rg_conn *conn)
{
    uint64_t serve = conn->serve != NULL ? serve_disk_memory(conn->serve->disk) : 0;

    return sizeof(*conn) + serve + conn->in.cap + conn->large.len + conn->out.cap +
           conn->gate_cap * sizeof(struct rg_gate) + multi_memory(conn) + blocked_memory(conn) +
           (size_t)conn->parser.argv_cap * (sizeof(struct rg_bytes) + sizeof(size_t)) +
           conn->parser.inline_copy.cap;
}

/* Bytes of the words of the command that is being run. */
static size_t client_argv_bytes(const struct rg_call *call)
{
    size_t bytes = 0;

    for (int i = 0; i < call->argc; i++)
        bytes += call->argv[i].len;
    return bytes;
}

/* The line of CLIENT LIST. */
static void client_describe(const struct rg_call *call, const struct rg_conn *conn,
                            struct rg_buf *out)
{
    const struct rg_node *node = call->node;
    bool self = conn == call->conn;
    size_t unsent = self ? 0 : rg_buf_len(&conn->out);
    char flags[16];

    client_flags(conn, flags);
    rg_buf_printf(out, "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld flags=%s ",
                  (unsigned long long)conn->id, conn->peer, conn->local, conn->fd,
                  conn->name ? conn->name : "",
                  (long long)((node->now.mono_us - conn->created_us) / RG_S_US),
                  (long long)((node->now.mono_us - conn->active_us) / RG_S_US), flags);
    rg_buf_printf(
        out, "db=%u sub=%u psub=%u ssub=%u multi=%lld qbuf=%zu qbuf-free=%zu argv-mem=%zu ",
        conn->db, conn->subscriptions - conn->patterns - conn->shards, conn->patterns, conn->shards,
        (long long)multi_count(conn), conn_input(conn).len, conn->in.cap - conn->in.tail,
        self ? client_argv_bytes(call) : blocked_memory(conn));
    rg_buf_printf(out, "multi-mem=%zu rbs=%zu rbp=%zu obl=%zu oll=0 omem=0 tot-mem=%zu events=%s ",
                  multi_memory(conn), conn->out.cap, conn->out.cap, unsent, client_memory(conn),
                  unsent > 0 ? "rw" : "r");
    rg_buf_printf(out, "cmd=%s user=default redir=%lld resp=%d\n",
                  conn->last_command ? conn->last_command->name : "NULL",
                  conn->tracking != NULL ? (long long)conn->tracking->redirect_id : -1,
                  conn->proto);
}

bool client_listed(const struct rg_conn *conn)
{
    return conn->kind == RG_CONN_CLIENT || conn->kind == RG_CONN_REPLICA ||
           conn->kind == RG_CONN_STREAM;
}

void cmd_client_id(struct rg_call *call)
{
    rg_reply_i64(&call->reply, (int64_t)call->conn->id);
}

void cmd_client_getname(struct rg_call *call)
{
    if (call->conn->name != NULL)
        rg_reply_bulk_str(&call->reply, call->conn->name);
    else
        rg_reply_null(&call->reply);
}

void cmd_client_setname(struct rg_call *call)
{
    if (connection_set_name(call, call->argv[2]))
        rg_reply_simple(&call->reply, "OK");
}

static void client_reply_text(struct rg_call *call, struct rg_buf *text)
{
    rg_reply_verbatim(&call->reply, "txt", rg_buf_view(text));
    rg_buf_fini(text);
}

void cmd_client_info(struct rg_call *call)
{
    struct rg_buf text = {0};

    client_describe(call, call->conn, &text);
    client_reply_text(call, &text);
}

static void client_list_ids(struct rg_call *call)
{
    struct rg_buf text = {0};
    int64_t id = 0;

    for (int i = 3; i < call->argc; i++) {
        if (rg_parse_i64(call->argv[i], &id) < 0) {
            rg_reply_error(&call->reply, "ERR Invalid client ID");
            rg_buf_fini(&text);
            return;
        }
        const struct rg_conn *conn = conn_by_id(call->node, (uint64_t)id);
        if (conn != NULL && client_listed(conn))
            client_describe(call, conn, &text);
    }
    client_reply_text(call, &text);
}

/* type NULL: all of them. */
static void client_list_type(struct rg_call *call, const enum client_type *type)
{
    struct rg_buf text = {0};

    RG_LIST_EACH(link, &call->node->conns)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, link);
        if (client_listed(conn) && (type == NULL || client_type(conn) == *type))
            client_describe(call, conn, &text);
    }
    client_reply_text(call, &text);
}

/* CLIENT LIST [TYPE type | ID id …] */
void cmd_client_list(struct rg_call *call)
{
    enum client_type type = CLIENT_NORMAL;

    if (call->argc == 2)
        client_list_type(call, NULL);
    else if (call->argc > 3 && rg_bytes_is_nocase(call->argv[2], "id"))
        client_list_ids(call);
    else if (call->argc != 4 || !rg_bytes_is_nocase(call->argv[2], "type"))
        rg_reply_error(&call->reply, "ERR syntax error");
    else if (client_type_of_name(call->argv[3], &type))
        client_list_type(call, &type);
    else
        rg_reply_errorf(&call->reply, "ERR Unknown client type '%.*s'", (int)call->argv[3].len,
                        call->argv[3].data);
}

/* ON or OFF as the last argument, or an error reply and false. */
static bool client_on_off(struct rg_call *call, bool *ret_on)
{
    if (rg_bytes_is_nocase(call->argv[2], "on"))
        *ret_on = true;
    else if (rg_bytes_is_nocase(call->argv[2], "off"))
        *ret_on = false;
    else {
        rg_reply_error(&call->reply, "ERR syntax error");
        return false;
    }
    return true;
}

void cmd_client_no_evict(struct rg_call *call)
{
    if (client_on_off(call, &call->conn->no_evict))
        rg_reply_simple(&call->reply, "OK");
}

void cmd_client_pause(struct rg_call *call)
{
    struct rg_node *node = call->node;
    int64_t timeout_ms = 0;
    bool all = true;

    if (!cmd_arg_max(call, 4))
        return;
    if (call->argc == 4) {
        if (rg_bytes_is_nocase(call->argv[3], "write"))
            all = false;
        else if (!rg_bytes_is_nocase(call->argv[3], "all")) {
            rg_reply_error(&call->reply, "ERR CLIENT PAUSE mode must be WRITE or ALL");
            return;
        }
    }
    if (rg_parse_i64(call->argv[2], &timeout_ms) < 0 || timeout_ms > INT64_MAX / 2000) {
        rg_reply_error(&call->reply, "ERR timeout is not an integer or out of range");
        return;
    }
    if (timeout_ms < 0) {
        rg_reply_error(&call->reply, "ERR timeout is negative");
        return;
    }
    int64_t until_us = node->now.mono_us + timeout_ms * RG_MS_US;
    /* A pause can be made longer and stricter; only UNPAUSE ends one early. */
    if (node->pause_until_us <= node->now.mono_us)
        node->pause_all = false;
    node->pause_all |= all;
    if (until_us > node->pause_until_us)
        node->pause_until_us = until_us;
    rg_reply_simple(&call->reply, "OK");
}

/* CLIENT UNBLOCK id [TIMEOUT | ERROR] */
void cmd_client_unblock(struct rg_call *call)
{
    int64_t id = 0;
    bool error = false;

    if (!cmd_arg_max(call, 4))
        return;
    if (call->argc == 4) {
        error = rg_bytes_is_nocase(call->argv[3], "error");
        if (!error && !rg_bytes_is_nocase(call->argv[3], "timeout")) {
            rg_reply_error(&call->reply, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
            return;
        }
    }
    if (!cmd_arg_i64(call, 2, &id))
        return;
    struct rg_conn *conn = conn_by_id(call->node, (uint64_t)id);
    const char *text = error ? "UNBLOCKED client unblocked via CLIENT UNBLOCK" : NULL;
    bool waits = conn != NULL && (conn->block == RG_BLOCK_KEYS || conn->block == RG_BLOCK_WAIT);
    if (waits && conn->block == RG_BLOCK_KEYS)
        blocked_release(call->node, conn, text);
    else if (waits)
        session_release(call->node, conn, text);
    rg_reply_i64(&call->reply, waits);
}

void cmd_client_unpause(struct rg_call *call)
{
    call->node->pause_until_us = 0;
    rg_reply_simple(&call->reply, "OK");
}

void cmd_client_reply(struct rg_call *call)
{
    struct rg_conn *conn = call->conn;

    if (rg_bytes_is_nocase(call->argv[2], "on")) {
        conn->reply_mode = RG_REPLY_ON;
        call->reply.out = &conn->out; /* this reply is wanted again */
        rg_reply_simple(&call->reply, "OK");
    } else if (rg_bytes_is_nocase(call->argv[2], "off")) {
        conn->reply_mode = RG_REPLY_OFF;
    } else if (rg_bytes_is_nocase(call->argv[2], "skip")) {
        if (conn->reply_mode != RG_REPLY_OFF)
            conn->reply_mode = RG_REPLY_SKIP_NEXT;
    } else {
        rg_reply_error(&call->reply, "ERR syntax error");
    }
}

/* CLIENT REPLICATION-MODE async|semi-sync|sync|quorum|default: for this connection only. */
void cmd_client_replication_mode(struct rg_call *call)
{
    struct rg_conn *conn = call->conn;
    const struct rg_group *group = call->node->members.group;

    if (rg_bytes_is_nocase(call->argv[2], "default")) {
        conn->has_mode = false;
        rg_reply_simple(&call->reply, "OK");
        return;
    }
    for (int mode = 0; mode < RG_MODES; mode++) {
        if (!rg_bytes_is_nocase(call->argv[2], rg_mode_name((enum rg_mode)mode)))
            continue;
        if (group != NULL && mode != RG_MODE_ASYNC &&
            !rg_group_mode_promises(group, (enum rg_mode)mode)) {
            rg_reply_errorf(&call->reply,
                            "ERR In a group in mode '%s' an election cannot keep what '%s' "
                            "promises; change replication-mode instead",
                            rg_mode_name(node_mode(call->node)), rg_mode_name((enum rg_mode)mode));
            return;
        }
        feed_activate(call->node); /* what is waited for needs an offset */
        call->node->own_modes = true;
        conn->has_mode = true;
        conn->mode = (enum rg_mode)mode;
        rg_reply_simple(&call->reply, "OK");
        return;
    }
    rg_reply_error(&call->reply, "ERR The replication mode must be async, semi-sync, sync, quorum "
                                 "or default");
}
