#include "base/panic.h"
#include "node/node_impl.h"

/*
 * A large value on its way in. The last bulk of a request is put where it can stay: into memory
 * that becomes the value where the command stores it as a string, and is freed otherwise. What
 * stands before it lies in the connection's input, and what came behind it follows there.
 */

enum {
    LARGE_CRLF = 2,
    LARGE_MIN = 32 << 10,
    LARGE_MAX = 16 << 20, /* memory is taken for what a header claims; more goes the common way */
};

static size_t large_rest(const struct rg_conn *conn)
{
    return conn->large.len + LARGE_CRLF - conn->large.have;
}

static char *large_end(const struct rg_conn *conn)
{
    return rg_string_draft_room(conn->large.draft) + conn->large.have;
}

void large_begin(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_bytes input = rg_buf_view(&conn->in);
    size_t at = 0;
    size_t len = rg_request_last(&conn->parser, &at);

    if (len < LARGE_MIN || len > LARGE_MAX || conn->large.draft != NULL || conn->lent.len > 0 ||
        conn->kind != RG_CONN_CLIENT || (int64_t)len >= node->config->client_query_buffer_limit)
        return;
    RG_ASSERT(input.len >= at && input.len - at < len + LARGE_CRLF);
    struct rg_string_draft *draft = rg_string_draft_new(len + LARGE_CRLF);
    if (draft == NULL)
        return;
    conn->large = (struct rg_large){.draft = draft, .len = len, .have = input.len - at};
    memcpy(rg_string_draft_room(draft), input.data + at, conn->large.have);
    rg_buf_truncate(&conn->in, at);
}

size_t large_receive(struct rg_conn *conn, struct rg_bytes bytes)
{
    size_t n = bytes.len < large_rest(conn) ? bytes.len : large_rest(conn);

    if (n > 0 && bytes.data != large_end(conn))
        memcpy(large_end(conn), bytes.data, n);
    conn->large.have += n;
    return n;
}

size_t large_room(struct rg_conn *conn, char **ret_room)
{
    *ret_room = large_end(conn);
    return large_rest(conn);
}

void large_drop(struct rg_conn *conn)
{
    rg_string_draft_free(conn->large.draft);
    conn->large = (struct rg_large){0};
}

/* The command has to wait: the request lies whole in the input again, to be parsed then. */
static void large_put_back(struct rg_conn *conn, size_t head)
{
    struct rg_bytes input = rg_buf_view(&conn->in);
    struct rg_buf whole = {0};

    RG_ASSERT(conn->large.draft != NULL && large_rest(conn) == 0);
    rg_buf_append(&whole, input.data, head);
    rg_buf_append(&whole, rg_string_draft_room(conn->large.draft), conn->large.have);
    rg_buf_append(&whole, input.data + head, input.len - head);
    rg_buf_fini(&conn->in);
    conn->in = whole;
    large_drop(conn);
}

bool large_step(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_request request;

    if (large_rest(conn) > 0)
        return false;
    struct rg_bytes last = rg_bytes(rg_string_draft_room(conn->large.draft), conn->large.len);
    rg_request_end_last(&conn->parser, conn_input(conn), last, &request);
    rg_store_offer_draft(node->store, &conn->large.draft);
    bool taken = dispatch_client(node, conn, request.argv, request.argc);
    rg_store_offer_draft(node->store, NULL);
    if (!taken) {
        large_put_back(conn, request.size);
        return false;
    }
    large_drop(conn);
    if (!conn->closing)
        conn_consume(conn, request.size);
    return true;
}
