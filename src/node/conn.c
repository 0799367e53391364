#include <stdio.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "node/blocked.h"
#include "node/multi.h"
#include "node/pubsub.h"
#include "node/tracking.h"

struct rg_conn *conn_new(struct rg_node *node, enum rg_conn_kind kind)
{
    struct rg_conn *conn = RG_NEW(struct rg_conn);

    conn->kind = kind;
    conn->id = ++node->next_conn_id;
    conn->proto = 2;
    conn->fd = -1;
    conn->peer_index = -1;
    conn_name(conn, "", "", "");
    conn->created_us = conn->active_us = conn->received_us = node->now.mono_us;
    conn->parser.max_bulk_len = (uint64_t)node->config->proto_max_bulk_len;
    conn->parser.authenticated = true;
    rg_list_append(&node->conns, &conn->link);
    rg_list_init(&conn->input_link);
    rg_list_init(&conn->output_link);
    rg_list_init(&conn->lend_link);
    rg_list_init(&conn->gated_link);
    rg_list_init(&conn->block_link);
    rg_list_init(&conn->subscribed);
    rg_list_init(&conn->monitor_link);
    rg_list_init(&conn->watched);
    rg_list_init(&conn->serve_link);
    return conn;
}

void conn_name(struct rg_conn *conn, const char *peer, const char *local, const char *peer_host)
{
    size_t peer_size = strlen(peer) + 1;
    size_t local_size = strlen(local) + 1;
    size_t host_size = strlen(peer_host) + 1;

    rg_free(conn->peer);
    conn->peer = rg_alloc(peer_size + local_size + host_size);
    memcpy(conn->peer, peer, peer_size);
    conn->local = memcpy(conn->peer + peer_size, local, local_size);
    conn->peer_host = memcpy(conn->peer + peer_size + local_size, peer_host, host_size);
}

void conn_free(struct rg_node *node, struct rg_conn *conn)
{
    if (conn == NULL)
        return;
    if (conn->kind == RG_CONN_CLIENT || conn->kind == RG_CONN_REPLICA) {
        RG_ASSERT(node->clients > 0);
        node->clients--;
    }
    pubsub_client_gone(node, conn);
    tracking_conn_gone(node, conn);
    multi_discard(node, conn);
    blocked_drop(node, conn);
    gate_drop(conn);
    rg_list_remove(&conn->link);
    rg_list_remove(&conn->input_link);
    rg_list_remove(&conn->output_link);
    rg_list_remove(&conn->lend_link);
    rg_list_remove(&conn->block_link);
    rg_list_remove(&conn->serve_link);
    rg_list_remove(&conn->monitor_link);
    node_effects_forget(node, conn);
    serve_free(node, conn);
    rg_buf_fini(&conn->in);
    large_drop(conn);
    rg_buf_fini(&conn->out);
    rg_request_parser_fini(&conn->parser);
    rg_free(conn->gates);
    rg_free(conn->name);
    rg_free(conn->peer);
    rg_free(conn);
}

struct rg_conn *conn_dial(struct rg_node *node, enum rg_conn_kind kind, const char *host,
                          uint16_t port)
{
    struct rg_conn *conn = conn_new(node, kind);

    char peer[CONN_ADDRESS_CHARS];

    (void)snprintf(peer, sizeof(peer), "%s:%u", host, port);
    conn_name(conn, peer, "", host);
    node_effect_connect(node, conn, host, port);
    return conn;
}

void conn_close(struct rg_node *node, struct rg_conn *conn, bool drain)
{
    if (conn->close_told)
        return;
    conn->closing = true;
    conn->discarded |= !drain;
    rg_list_remove(&conn->input_link);
    conn->lent = (struct rg_bytes){0}; /* nobody reads it any more, and it ends with the run */
    conn_unblock(node, conn);
    /* Replies that wait for their replicas still go out first. */
    if (drain && conn->gated_bytes > 0)
        return;
    conn->close_told = true;
    node_effect_close(node, conn, drain);
}

void conn_wants_output(struct rg_node *node, struct rg_conn *conn)
{
    RG_ASSERT(conn->gated_bytes <= rg_buf_len(&conn->out));
    if (conn->closing && !conn->close_told && conn->gated_bytes == 0) {
        conn->close_told = true;
        node_effect_close(node, conn, true);
    }
    if (rg_buf_len(&conn->out) == conn->gated_bytes && !serve_has_output(node, conn))
        return;
    if (rg_list_empty(&conn->output_link))
        rg_list_append(&node->with_output, &conn->output_link);
}

struct rg_bytes conn_input(const struct rg_conn *conn)
{
    return conn->lent.len > 0 ? conn->lent : rg_buf_view(&conn->in);
}

void conn_consume(struct rg_conn *conn, size_t n)
{
    if (conn->lent.len == 0) {
        rg_buf_consume(&conn->in, n);
        return;
    }
    RG_ASSERT(n <= conn->lent.len);
    conn->lent = rg_bytes(conn->lent.data + n, conn->lent.len - n);
}

void conn_keep_input(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_bytes lent = conn->lent;

    if (lent.len == 0)
        return;
    RG_ASSERT(rg_buf_len(&conn->in) == 0);
    conn->lent = (struct rg_bytes){0};
    room_take(node, &conn->in);
    rg_buf_append_bytes(&conn->in, lent);
}

size_t conn_input_room(struct rg_conn *conn, char **ret_room)
{
    enum { ROOM_MIN = 8 << 10, ROOM_FIRST = 256 << 10 };
    if (conn->large.draft != NULL)
        return large_room(conn, ret_room);
    size_t have = rg_buf_len(&conn->in);
    size_t missing = rg_request_missing(&conn->parser, have);
    /* A header may claim anything: memory grows with what came. */
    size_t limit = have * 2 > ROOM_FIRST ? have * 2 : ROOM_FIRST;

    if (missing < ROOM_MIN || conn->lent.len > 0)
        return 0;
    missing = missing > limit ? limit : missing;
    return rg_buf_try_reserve(&conn->in, missing, ret_room) < 0 ? 0 : missing;
}

bool conn_is_in_room(const struct rg_conn *conn, struct rg_bytes bytes)
{
    return conn->lent.len == 0 && conn->large.draft == NULL && conn->in.cap > 0 &&
           bytes.data == conn->in.data + conn->in.tail;
}

void conn_wants_input(struct rg_node *node, struct rg_conn *conn)
{
    if (!conn->closing && rg_list_empty(&conn->input_link))
        rg_list_append(&node->with_input, &conn->input_link);
}

struct rg_reply conn_reply(struct rg_conn *conn)
{
    return (struct rg_reply){.out = &conn->out, .proto = conn->proto};
}

void conn_push_begin(struct rg_conn *conn, size_t *ret_mark)
{
    *ret_mark = rg_buf_len(&conn->out);
}

void conn_push_end(struct rg_node *node, struct rg_conn *conn, size_t mark)
{
    size_t len = rg_buf_len(&conn->out) - mark;

    gate_pass(conn, len);
    conn->pushed += len;
    conn_wants_output(node, conn);
}

struct rg_conn *conn_by_id(struct rg_node *node, uint64_t id)
{
    RG_LIST_EACH(link, &node->conns)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, link);
        if (conn->id == id)
            return conn;
    }
    return NULL;
}

void conn_block(struct rg_node *node, struct rg_conn *conn, enum rg_block block, int64_t until_us)
{
    RG_ASSERT(conn->block == RG_BLOCK_NONE && block != RG_BLOCK_NONE);
    conn->block = block;
    conn->block_until_us = until_us;
    rg_list_append(&node->blocked, &conn->block_link);
}

void conn_unblock(struct rg_node *node, struct rg_conn *conn)
{
    if (conn->block == RG_BLOCK_NONE)
        return;
    blocked_drop(node, conn);
    conn->block = RG_BLOCK_NONE;
    rg_list_remove(&conn->block_link);
    if (conn_input(conn).len > 0)
        conn_wants_input(node, conn);
}

void rg_conn_set_host(struct rg_conn *conn, void *host)
{
    conn->host = host;
}

void *rg_conn_host(const struct rg_conn *conn)
{
    return conn->host;
}
