#include "base/panic.h"
#include "node/blocked.h"
#include "node/handlers.h"
#include "node/migrate.h"

/* A client's input where it comes one request at a time (batch.c has the many), and its waiting. */

static void session_protocol_error(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_reply reply = conn_reply(conn);
    size_t mark = 0;

    error_stats_note(&node->stats.errors, RG_BYTES("ERR"), 1);
    conn_push_begin(conn, &mark);
    rg_reply_errorf(&reply, "ERR Protocol error: %s", conn->parser.error);
    conn_push_end(node, conn, mark);
    node_say(node, RG_LOG_VERBOSE, "Protocol error (%s) from client: id=%llu addr=%s",
             conn->parser.error, (unsigned long long)conn->id, conn->peer);
    conn_close(node, conn, true);
}

bool session_step(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_request request;
    struct rg_bytes input = conn_input(conn);

    if (conn->large.draft != NULL)
        return large_step(node, conn);
    int result = rg_request_parse(&conn->parser, input, &request);

    if (result == RG_EPROTO) {
        session_protocol_error(node, conn);
        return false;
    }
    if (result < 0) {
        if ((int64_t)input.len > node->config->client_query_buffer_limit) {
            node_say(node, RG_LOG_WARNING,
                     "Closing client that reached max query buffer length: id=%llu addr=%s",
                     (unsigned long long)conn->id, conn->peer);
            conn_close(node, conn, false);
        }
        return false;
    }
    if (request.argc > 0 && !dispatch_client(node, conn, request.argv, request.argc))
        return false; /* held back: the bytes stay, to be parsed again */
    if (!conn->closing)
        conn_consume(conn, request.size);
    return true;
}

void session_authenticate(struct rg_node *node, struct rg_conn *conn)
{
    conn->authenticated = true;
    conn->parser.authenticated = true;
}

void session_release(struct rg_node *node, struct rg_conn *conn, const char *error)
{
    struct rg_reply reply = conn_reply(conn);
    size_t mark = 0;

    RG_ASSERT(conn->block == RG_BLOCK_WAIT);
    if (error != NULL)
        error_stats_note(&node->stats.errors, rg_bytes_str(error), 1);
    if (conn->reply_mode != RG_REPLY_OFF) {
        conn_push_begin(conn, &mark);
        if (error != NULL)
            rg_reply_error(&reply, error);
        else
            wait_reply(node, conn, &reply);
        conn_push_end(node, conn, mark);
    }
    conn_unblock(node, conn);
}

void session_blocked(struct rg_node *node)
{
    RG_LIST_EACH(link, &node->blocked)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, block_link);
        const char *error = NULL;
        if (conn->block == RG_BLOCK_WAIT) {
            if (wait_is_over(node, conn, &error))
                session_release(node, conn, error);
        } else if (conn->block == RG_BLOCK_PAUSE && !migrate_delays_writes(node) &&
                   node->pause_until_us <= node->now.mono_us) {
            conn_unblock(node, conn);
        }
    }
}

static void session_force(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_reply reply = conn_reply(conn);
    size_t mark = 0;

    conn_push_begin(conn, &mark);
    rg_reply_error(&reply, "UNBLOCKED force unblock from blocking operation, instance state "
                           "changed (master -> replica?)");
    conn_push_end(node, conn, mark);
    conn_close(node, conn, true);
}

void session_unblock_all(struct rg_node *node)
{
    migrate_abort(node);
    RG_LIST_EACH(link, &node->blocked)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, block_link);
        if (conn->block == RG_BLOCK_WAIT || conn->block == RG_BLOCK_MIGRATE)
            session_force(node, conn);
    }
    RG_LIST_EACH(link, &node->waiting)
    {
        session_force(node, RG_CONTAINER_OF(link, struct rg_conn, block_link));
    }
}

int64_t session_deadline(const struct rg_node *node)
{
    int64_t deadline = blocked_deadline(node);

    RG_LIST_EACH(link, &node->blocked)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, block_link);
        if (conn->block == RG_BLOCK_WAIT && conn->block_until_us < deadline)
            deadline = conn->block_until_us;
        if (conn->block == RG_BLOCK_PAUSE && !migrate_delays_writes(node) &&
            node->pause_until_us < deadline)
            deadline = node->pause_until_us;
    }
    return deadline;
}
