#include "base/number.h"
#include "base/panic.h"
#include "core/planted.h"
#include "node/blocked.h"
#include "node/node_impl.h"
#include "node/pubsub.h"

/*
 * The commands of the primary's stream. Each is applied, and its bytes are appended to the log of
 * this node, which so holds what was applied and nothing else. A transaction is one unit: from its
 * MULTI on the bytes stay in the connection's input until EXEC is there, then all of it is applied
 * and appended at once (docs/failover.md, "Transactions"). A stream that breaks in its middle
 * leaves no trace of it.
 */

static bool apply_is(const struct rg_request *request, const char *word)
{
    return request->argc > 0 && rg_bytes_is_nocase(request->argv[0], word);
}

static bool apply_is_record(const struct rg_node *node, const struct rg_request *request)
{
    return node->members.group != NULL && request->argc == 3 && apply_is(request, "publish") &&
           rg_bytes_is(request->argv[1], RG_GROUP_CHANNEL);
}

int apply_command(struct rg_node *node, const struct rg_bytes *argv, int argc)
{
    struct rg_follow *follow = &node->follow;
    const struct rg_command *command = NULL;
    int64_t db = 0;

    if (rg_cmd_lookup(argv, argc, &command) < 0)
        return RG_EPROTO;
    switch (command->id) {
    case RG_CMD_ID_select:
        if (argc != 2 || rg_parse_i64(argv[1], &db) < 0 || db < 0 ||
            db >= (int64_t)rg_store_databases(node->store))
            return RG_EPROTO;
        follow->stream_db = (int)db;
        return 0;
    case RG_CMD_ID_ping:
        return 0;
    case RG_CMD_ID_replconf:
        if (argc == 3 && rg_bytes_is_nocase(argv[1], "getack"))
            follow->ack_asked = true;
        return 0;
    case RG_CMD_ID_publish:
        if (argc != 3)
            return RG_EPROTO;
        (void)pubsub_publish(node, argv[1], argv[2]);
        return 0;
    case RG_CMD_ID_spublish:
        if (argc != 3)
            return RG_EPROTO;
        (void)pubsub_publish_shard(node, argv[1], argv[2]);
        return 0;
    default:
        return dispatch_stream(node, command,
                               follow->stream_db < 0 ? 0 : (unsigned)follow->stream_db, argv, argc);
    }
}

/* ---- Transactions ---- */

/*
 * Whether a transaction may hold the command: what cannot be applied is found before anything of
 * it is.
 */
static bool apply_may_hold(const struct rg_node *node, const struct rg_request *request)
{
    const struct rg_command *command = NULL;

    if (request->argc == 0)
        return true;
    if (rg_cmd_lookup(request->argv, request->argc, &command) < 0 ||
        !rg_cmd_arity_ok(command, request->argc) || apply_is_record(node, request))
        return false;
    return command->run != NULL || command->id == RG_CMD_ID_select ||
           command->id == RG_CMD_ID_publish || command->id == RG_CMD_ID_spublish ||
           command->id == RG_CMD_ID_ping || command->id == RG_CMD_ID_replconf;
}

/* The whole transaction, MULTI and EXEC included, of `size` bytes. Errors: RG_EPROTO. */
static int apply_transaction(struct rg_node *node, size_t size)
{
    struct rg_conn *conn = node->follow.conn;
    struct rg_request request;

    for (size_t at = 0; at < size;) {
        struct rg_bytes rest = rg_bytes(rg_buf_view(&conn->in).data + at, size - at);
        int result = rg_request_parse(&conn->parser, rest, &request);
        RG_ASSERT(result == 0); /* it was parsed before */
        at += request.size;
        if (request.argc == 0 || apply_is(&request, "multi") || apply_is(&request, "exec"))
            continue;
        result = apply_command(node, request.argv, request.argc);
        if (result < 0)
            return result;
    }
    return 0;
}

/* A command between MULTI and EXEC, or one of the two. Errors: RG_EPROTO. */
static int apply_in_transaction(struct rg_node *node, const struct rg_request *request)
{
    struct rg_follow *follow = &node->follow;

    if (follow->transaction > 0 && !apply_is(request, "exec") && !apply_may_hold(node, request))
        return RG_EPROTO;
    follow->transaction += request->size;
    if (!apply_is(request, "exec"))
        return 0;
    size_t size = follow->transaction;
    follow->transaction = 0;
    int result = apply_transaction(node, size);
    if (result < 0)
        return result;
    feed_raw(node, rg_bytes(rg_buf_view(&follow->conn->in).data, size));
    rg_buf_consume(&follow->conn->in, size);
    return 0;
}

static bool apply_begins(const struct rg_node *node, const struct rg_request *request)
{
    return apply_is(request, "multi") && !RG_PLANTED(node->planted, RG_PLANTED_HALF_TRANSACTIONS);
}

/* A command outside of transactions. Errors: RG_EPROTO. */
static int apply_alone(struct rg_node *node, const struct rg_request *request)
{
    struct rg_conn *conn = node->follow.conn;
    uint64_t start = node_log_end(node);

    bool mark = RG_PLANTED(node->planted, RG_PLANTED_HALF_TRANSACTIONS) &&
                (apply_is(request, "multi") || apply_is(request, "exec"));
    if (request->argc > 0 && !mark) {
        int result = apply_command(node, request->argv, request->argc);
        if (result < 0)
            return result;
    }
    feed_raw(node, rg_bytes(rg_buf_view(&conn->in).data, request->size));
    if (apply_is_record(node, request))
        member_record(node, request->argv[2], start);
    rg_buf_consume(&conn->in, request->size);
    return 0;
}

void apply_stream(struct rg_node *node)
{
    struct rg_follow *follow = &node->follow;
    struct rg_conn *conn = follow->conn;
    struct rg_request request;

    follow->last_io_us = node->now.mono_us;
    member_stream(node, RG_STREAM_ALIVE);
    while (follow->conn == conn && rg_buf_len(&conn->in) > follow->transaction) {
        struct rg_bytes in = rg_buf_view(&conn->in);
        struct rg_bytes rest =
            rg_bytes(in.data + follow->transaction, in.len - follow->transaction);
        int result = rg_request_parse(&conn->parser, rest, &request);
        if (result == RG_EAGAIN)
            return;
        if (result == 0 && (follow->transaction > 0 || apply_begins(node, &request)))
            result = apply_in_transaction(node, &request);
        else if (result == 0)
            result = apply_alone(node, &request);
        blocked_serve(node);
        if (result < 0) {
            node_say(node, RG_LOG_WARNING,
                     "Replication from %s:%u is broken at offset %llu: %s. Asking for a full "
                     "resync.",
                     follow->host, follow->port, (unsigned long long)node_log_end(node),
                     conn->parser.error ? conn->parser.error : "a command that cannot be applied");
            follow->want_full = true;
            follow_drop(node);
            return;
        }
    }
}
