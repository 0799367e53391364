#include "base/alloc.h"
#include "base/number.h"
#include "node/handlers.h"
#include "node/multi.h"
#include "node/pubsub.h"
#include "node/tracking.h"
#include "node/version.h"

bool cmd_arg_i64(struct rg_call *call, int index, int64_t *ret_value)
{
    if (rg_parse_i64(call->argv[index], ret_value) == 0)
        return true;
    rg_reply_error(&call->reply, "ERR value is not an integer or out of range");
    return false;
}

void cmd_ping(struct rg_call *call)
{
    if (call->argc > 2) {
        rg_reply_error(&call->reply, "ERR wrong number of arguments for 'ping' command");
        return;
    }
    if (call->conn->subscriptions > 0 && call->conn->proto == 2) {
        rg_reply_array(&call->reply, 2);
        rg_reply_bulk_str(&call->reply, "pong");
        rg_reply_bulk(&call->reply, call->argc == 2 ? call->argv[1] : rg_bytes("", 0));
    } else if (call->argc == 2) {
        rg_reply_bulk(&call->reply, call->argv[1]);
    } else {
        rg_reply_simple(&call->reply, "PONG");
    }
}

void cmd_echo(struct rg_call *call)
{
    rg_reply_bulk(&call->reply, call->argv[1]);
}

void cmd_time(struct rg_call *call)
{
    rg_reply_array(&call->reply, 2);
    rg_reply_bulk_i64(&call->reply, call->node->now.wall_us / RG_S_US);
    rg_reply_bulk_i64(&call->reply, call->node->now.wall_us % RG_S_US);
}

/* Compares in a time that does not tell how much was right. */
static bool connection_password_ok(struct rg_bytes given, const char *password)
{
    size_t len = strlen(password);
    unsigned char differs = given.len != len;

    for (size_t i = 0; i < given.len; i++)
        differs |= (unsigned char)(given.data[i] ^ password[len > 0 ? i % len : 0]);
    return differs == 0;
}

static bool connection_login(struct rg_call *call, struct rg_bytes user, struct rg_bytes password)
{
    const char *required = call->node->config->requirepass;

    if (rg_bytes_is(user, "default") &&
        (required[0] == '\0' || connection_password_ok(password, required))) {
        session_authenticate(call->node, call->conn);
        return true;
    }
    rg_reply_error(&call->reply, "WRONGPASS invalid username-password pair or user is disabled.");
    return false;
}

void cmd_auth(struct rg_call *call)
{
    if (call->argc > 3) {
        rg_reply_error(&call->reply, "ERR syntax error");
        return;
    }
    if (call->argc == 2 && call->node->config->requirepass[0] == '\0') {
        rg_reply_error(&call->reply,
                       "ERR AUTH <password> called without any password configured for the default "
                       "user. Are you sure your configuration is correct?");
        return;
    }
    struct rg_bytes user = call->argc == 3 ? call->argv[1] : RG_BYTES("default");
    if (connection_login(call, user, call->argv[call->argc - 1]))
        rg_reply_simple(&call->reply, "OK");
}

static bool connection_name_ok(struct rg_bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] < '!' || name.data[i] > '~')
            return false;
    }
    return true;
}

bool connection_set_name(struct rg_call *call, struct rg_bytes name)
{
    if (!connection_name_ok(name)) {
        rg_reply_error(&call->reply,
                       "ERR Client names cannot contain spaces, newlines or special characters.");
        return false;
    }
    rg_free(call->conn->name);
    call->conn->name = name.len > 0 ? rg_alloc_copy(name.data, name.len) : NULL;
    return true;
}

static void connection_hello_reply(struct rg_call *call)
{
    struct rg_reply *reply = &call->reply;

    rg_reply_map(reply, 7);
    rg_reply_bulk_str(reply, "server");
    rg_reply_bulk_str(reply, "redis");
    rg_reply_bulk_str(reply, "version");
    rg_reply_bulk_str(reply, RG_REDIS_VERSION);
    rg_reply_bulk_str(reply, "proto");
    rg_reply_i64(reply, call->conn->proto);
    rg_reply_bulk_str(reply, "id");
    rg_reply_i64(reply, (int64_t)call->conn->id);
    rg_reply_bulk_str(reply, "mode");
    rg_reply_bulk_str(reply, call->node->sentinel != NULL ? "sentinel" : "standalone");
    rg_reply_bulk_str(reply, "role");
    rg_reply_bulk_str(reply, node_is_primary(call->node) ? "master" : "replica");
    rg_reply_bulk_str(reply, "modules");
    rg_reply_array(reply, 0);
}

void cmd_hello(struct rg_call *call)
{
    int64_t proto = call->conn->proto;
    int next = 1;
    struct rg_bytes name = {0};

    if (call->argc >= 2) {
        if (rg_parse_i64(call->argv[next++], &proto) < 0) {
            rg_reply_error(&call->reply, "ERR Protocol version is not an integer or out of range");
            return;
        }
        if (proto < 2 || proto > 3) {
            rg_reply_error(&call->reply, "NOPROTO unsupported protocol version");
            return;
        }
    }
    while (next < call->argc) {
        int more = call->argc - next - 1;
        if (rg_bytes_is_nocase(call->argv[next], "auth") && more >= 2) {
            if (!connection_login(call, call->argv[next + 1], call->argv[next + 2]))
                return;
            next += 3;
        } else if (rg_bytes_is_nocase(call->argv[next], "setname") && more >= 1) {
            name = call->argv[next + 1];
            next += 2;
        } else {
            rg_reply_errorf(&call->reply, "ERR Syntax error in HELLO option '%.*s'",
                            (int)call->argv[next].len, call->argv[next].data);
            return;
        }
    }
    if (!call->conn->authenticated) {
        rg_reply_error(&call->reply,
                       "NOAUTH HELLO must be called with the client already authenticated, "
                       "otherwise the HELLO AUTH <user> <pass> option can be used to authenticate "
                       "the client and select the RESP protocol version at the same time");
        return;
    }
    if (name.data != NULL && !connection_set_name(call, name))
        return;
    call->conn->proto = call->reply.proto = (int)proto;
    connection_hello_reply(call);
}

void cmd_select(struct rg_call *call)
{
    int64_t db = 0;

    if (!cmd_arg_i64(call, 1, &db))
        return;
    if (db < INT32_MIN || db > INT32_MAX) {
        rg_reply_error(&call->reply, "ERR value is out of range, value must between -2147483648 "
                                     "and 2147483647");
        return;
    }
    if (db < 0 || db >= (int64_t)rg_store_databases(call->node->store)) {
        rg_reply_error(&call->reply, "ERR DB index is out of range");
        return;
    }
    call->conn->db = (unsigned)db;
    rg_reply_simple(&call->reply, "OK");
}

void cmd_quit(struct rg_call *call)
{
    rg_reply_simple(&call->reply, "OK");
    conn_close(call->node, call->conn, true);
}

void cmd_reset(struct rg_call *call)
{
    struct rg_conn *conn = call->conn;

    pubsub_client_gone(call->node, conn);
    tracking_end(call->node, conn);
    rg_list_remove(&conn->monitor_link);
    multi_discard(call->node, conn);
    conn->db = 0;
    conn->proto = call->reply.proto = 2;
    conn->reply_mode = RG_REPLY_ON;
    call->reply.out = &conn->out;
    conn->has_mode = false;
    conn->no_evict = conn->no_touch = false;
    rg_free(conn->name);
    conn->name = NULL;
    conn->authenticated = conn->parser.authenticated = call->node->config->requirepass[0] == '\0';
    rg_reply_simple(&call->reply, "RESET");
}
