#include "base/number.h"
#include "node/client_info.h"
#include "node/handlers.h"

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

static void client_flags(const struct rg_conn *conn, char out[8])
{
    size_t n = 0;

    if (conn->kind == RG_CONN_REPLICA)
        out[n++] = 'S';
    if (conn->kind == RG_CONN_STREAM)
        out[n++] = 'M';
    if (conn->subscriptions > 0)
        out[n++] = 'P';
    if (conn->block == RG_BLOCK_WAIT)
        out[n++] = 'b';
    if (conn->closing)
        out[n++] = 'c';
    if (conn->origin == RG_CONN_UNIX)
        out[n++] = 'U';
    if (conn->no_evict)
        out[n++] = 'e';
    if (n == 0)
        out[n++] = 'N';
    out[n] = '\0';
}

void client_describe(const struct rg_node *node, const struct rg_conn *conn, struct rg_buf *out)
{
    char flags[8];

    client_flags(conn, flags);
    rg_buf_printf(
        out,
        "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld flags=%s db=%u sub=%u psub=0 "
        "ssub=0 multi=-1 qbuf=%zu qbuf-free=%zu argv-mem=0 multi-mem=0 rbs=%zu rbp=%zu obl=%zu "
        "oll=0 omem=0 tot-mem=%zu events=r cmd=%s user=default redir=-1 resp=%d",
        (unsigned long long)conn->id, conn->peer, conn->local, conn->fd,
        conn->name ? conn->name : "", (long long)((node->now.mono_us - conn->created_us) / RG_S_US),
        (long long)((node->now.mono_us - conn->active_us) / RG_S_US), flags, conn->db,
        conn->subscriptions, rg_buf_len(&conn->in), conn->in.cap - conn->in.tail, conn->out.cap,
        conn->out.cap, rg_buf_len(&conn->out), sizeof(*conn) + conn->in.cap + conn->out.cap,
        conn->last_command ? conn->last_command->name : "NULL", conn->proto);
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

void cmd_client_info(struct rg_call *call)
{
    struct rg_buf text = {0};

    client_describe(call->node, call->conn, &text);
    rg_buf_append_char(&text, '\n');
    rg_reply_verbatim(&call->reply, "txt", rg_buf_view(&text));
    rg_buf_fini(&text);
}

/* CLIENT LIST [TYPE type] [ID id …] */
void cmd_client_list(struct rg_call *call)
{
    struct rg_buf text = {0};
    enum client_type type = CLIENT_NORMAL;
    bool by_type = false;
    int ids = call->argc;
    int64_t id = 0;

    if (call->argc == 4 && rg_bytes_is_nocase(call->argv[2], "type")) {
        by_type = true;
        if (!client_type_of_name(call->argv[3], &type)) {
            rg_reply_errorf(&call->reply, "ERR Unknown client type '%.*s'", (int)call->argv[3].len,
                            call->argv[3].data);
            return;
        }
    } else if (call->argc > 3 && rg_bytes_is_nocase(call->argv[2], "id")) {
        ids = 3;
    } else if (call->argc != 2) {
        rg_reply_error(&call->reply, "ERR syntax error");
        return;
    }
    for (int i = ids; i < call->argc; i++) {
        if (rg_parse_i64(call->argv[i], &id) < 0) {
            rg_reply_error(&call->reply, "ERR Invalid client ID");
            return;
        }
    }
    RG_LIST_EACH(link, &call->node->conns)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, link);
        bool wanted =
            client_listed(conn) && (!by_type || client_type(conn) == type) && ids == call->argc;
        for (int i = ids; i < call->argc && client_listed(conn); i++)
            wanted |= rg_parse_i64(call->argv[i], &id) == 0 && (uint64_t)id == conn->id;
        if (!wanted)
            continue;
        client_describe(call->node, conn, &text);
        rg_buf_append_char(&text, '\n');
    }
    rg_reply_verbatim(&call->reply, "txt", rg_buf_view(&text));
    rg_buf_fini(&text);
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
        conn->has_mode = true;
        conn->mode = (enum rg_mode)mode;
        rg_reply_simple(&call->reply, "OK");
        return;
    }
    rg_reply_error(&call->reply, "ERR The replication mode must be async, semi-sync, sync, quorum "
                                 "or default");
}
