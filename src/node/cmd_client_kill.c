#include "base/number.h"
#include "node/client_info.h"
#include "node/handlers.h"

/* What CLIENT KILL's filters ask for; unset ones match everything. */
struct kill_filter {
    struct rg_bytes addr;
    struct rg_bytes laddr;
    int64_t id;
    bool by_type;
    enum client_type type;
    bool skip_me;
};

static bool kill_matches(const struct kill_filter *filter, const struct rg_conn *conn)
{
    if (filter->addr.data != NULL && !rg_bytes_is(filter->addr, conn->peer))
        return false;
    if (filter->laddr.data != NULL && !rg_bytes_is(filter->laddr, conn->local))
        return false;
    if (filter->id > 0 && (uint64_t)filter->id != conn->id)
        return false;
    return !filter->by_type || client_type(conn) == filter->type;
}

static unsigned kill_all(struct rg_call *call, const struct kill_filter *filter)
{
    unsigned killed = 0;

    RG_LIST_EACH(link, &call->node->conns)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, link);
        if (!client_listed(conn) || conn->closing || !kill_matches(filter, conn))
            continue;
        if (conn == call->conn && filter->skip_me)
            continue;
        killed++;
        conn_close(call->node, conn, conn == call->conn);
    }
    return killed;
}

/* One filter and its value; false: an error was replied. */
static bool kill_option(struct rg_call *call, int i, struct kill_filter *filter)
{
    struct rg_bytes name = call->argv[i];
    struct rg_bytes value = call->argv[i + 1];

    if (rg_bytes_is_nocase(name, "id")) {
        if (rg_parse_i64(value, &filter->id) < 0 || filter->id < 1) {
            rg_reply_error(&call->reply, "ERR client-id should be greater than 0");
            return false;
        }
    } else if (rg_bytes_is_nocase(name, "type")) {
        filter->by_type = true;
        if (!client_type_of_name(value, &filter->type)) {
            rg_reply_errorf(&call->reply, "ERR Unknown client type '%.*s'", (int)value.len,
                            value.data);
            return false;
        }
    } else if (rg_bytes_is_nocase(name, "addr")) {
        filter->addr = value;
    } else if (rg_bytes_is_nocase(name, "laddr")) {
        filter->laddr = value;
    } else if (rg_bytes_is_nocase(name, "user")) {
        if (!rg_bytes_is(value, "default")) {
            rg_reply_errorf(&call->reply, "ERR No such user '%.*s'", (int)value.len, value.data);
            return false;
        }
    } else if (rg_bytes_is_nocase(name, "skipme") && rg_bytes_is_nocase(value, "yes")) {
        filter->skip_me = true;
    } else if (rg_bytes_is_nocase(name, "skipme") && rg_bytes_is_nocase(value, "no")) {
        filter->skip_me = false;
    } else {
        rg_reply_error(&call->reply, "ERR syntax error");
        return false;
    }
    return true;
}

void cmd_client_kill(struct rg_call *call)
{
    struct kill_filter filter = {.skip_me = true};

    if (call->argc == 3) {
        filter.addr = call->argv[2];
        filter.skip_me = false;
        if (kill_all(call, &filter) == 0)
            rg_reply_error(&call->reply, "ERR No such client");
        else
            rg_reply_simple(&call->reply, "OK");
        return;
    }
    if (call->argc % 2 != 0) {
        rg_reply_error(&call->reply, "ERR syntax error");
        return;
    }
    for (int i = 2; i + 1 < call->argc; i += 2) {
        if (!kill_option(call, i, &filter))
            return;
    }
    rg_reply_i64(&call->reply, kill_all(call, &filter));
}
