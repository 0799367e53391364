#include <errno.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "server/host.h"

enum {
    /* An attempt to dial one address: the first packet and one more after a second. */
    HOST_DIAL_US = 2000 * 1000,
    /* A peer that does not read the last reply before its connection is closed. */
    HOST_DRAIN_US = 10 * 1000 * 1000,
    HOST_ACCEPT_LOG_US = 1000 * 1000,
};

static struct host_conn *host_conn_new(struct host *host, struct rg_conn *conn,
                                       enum host_conn_state state)
{
    struct host_conn *hc = RG_NEW(struct host_conn);

    hc->source = HOST_SOURCE_CONN;
    hc->state = state;
    hc->conn = conn;
    rg_list_append(&host->conns, &hc->node);
    rg_list_init(&hc->ended_node);
    rg_list_init(&hc->drain_node);
    rg_list_init(&hc->bulky_node);
    rg_heap_item_init(&hc->timer);
    rg_conn_set_host(conn, hc);
    return hc;
}

static void host_conn_free(struct host *host, struct host_conn *hc)
{
    rg_heap_remove(&host->timers, &hc->timer);
    rg_list_remove(&hc->node);
    rg_list_remove(&hc->ended_node);
    rg_list_remove(&hc->drain_node);
    rg_list_remove(&hc->bulky_node);
    rg_loop_close(host->loop, hc->sock);
    rg_free(hc->dial);
    rg_free(hc);
}

/* ---- Accepting ---- */

/* The names of both ends; the hosts are the rooms'. */
static void host_conn_info(struct rg_sock *sock, enum rg_conn_origin origin,
                           char peer_room[RG_HOST_CHARS], char local_room[RG_HOST_CHARS],
                           struct rg_conn_info *ret_info)
{
    struct rg_address peer;
    struct rg_address local;
    int fd = rg_sock_fd(sock);

    *ret_info = (struct rg_conn_info){
        .origin = origin, .peer_host = peer_room, .local_host = local_room, .fd = fd};
    rg_socket_peer(fd, &peer);
    rg_socket_local(fd, &local);
    rg_address_format(&peer, peer_room, &ret_info->peer_port);
    rg_address_format(&local, local_room, &ret_info->local_port);
    ret_info->loopback = origin == RG_CONN_UNIX || rg_address_is_loopback(&peer);
    if (origin == RG_CONN_UNIX)
        ret_info->peer_host = local_room; /* the peer's end has no name */
}

/* The one try at telling a refused client why; a socket just made takes a line. */
static void host_refuse(struct host *host, struct rg_sock *sock, const char *refusal)
{
    struct rg_bytes bytes = rg_bytes_str(refusal);
    struct rg_sock *sent = NULL;
    size_t n = 0;

    if (rg_loop_send(host->loop, sock, &bytes, 1)) {
        rg_loop_flush(host->loop);
        while (rg_loop_next_sent(host->loop, &sent, &n))
            continue;
    }
    rg_loop_close(host->loop, sock);
}

void rg_host_accept(struct host *host, struct host_listener *listener, struct rg_sock *sock)
{
    char peer_room[RG_HOST_CHARS];
    char local_room[RG_HOST_CHARS];
    struct rg_conn_info info;
    const char *refusal = "";

    host_conn_info(sock, listener->origin, peer_room, local_room, &info);
    if (listener->origin == RG_CONN_TCP)
        rg_socket_set_keepalive(info.fd, (int)rg_node_config(host->node)->tcp_keepalive);
    struct rg_conn *conn = rg_node_accepted(host->node, &info, host->now, &refusal);
    if (conn == NULL) {
        host_refuse(host, sock, refusal);
        return;
    }
    struct host_conn *hc = host_conn_new(host, conn, HOST_CONN_OPEN);
    hc->sock = sock;
    rg_sock_set_user(sock, &hc->source);
}

void rg_host_accept_failed(struct host *host, int error)
{
    /* The loop tries again ten times a second; the log needs less. */
    if (host->now.mono_us - host->accept_logged_us < HOST_ACCEPT_LOG_US)
        return;
    host->accept_logged_us = host->now.mono_us;
    rg_host_logf(&host->log, RG_LOG_WARNING, "Accepting client connection: accept: %s",
                 strerrordesc_np(error));
}

/* ---- Dialling ---- */

static void host_dial_next(struct host *host, struct host_conn *hc)
{
    RG_ASSERT(hc->dial->next < hc->dial->count);
    hc->state = HOST_CONN_DIALLING;
    hc->sock = rg_loop_connect(host->loop, &hc->dial->addresses[hc->dial->next++], &hc->source);
    rg_heap_set(&host->timers, &hc->timer, host->now.mono_us + HOST_DIAL_US);
}

void rg_host_connect(struct host *host, struct rg_conn *conn, const char *name, uint16_t port)
{
    struct host_conn *hc = host_conn_new(host, conn, HOST_CONN_RESOLVING);

    hc->dial = RG_NEW(struct host_dial);
    if (rg_address_parse(name, port, &hc->dial->addresses[0]) == 0) {
        hc->dial->count = 1;
        host_dial_next(host, hc);
        return;
    }
    rg_names_ask(host->names, name, port, hc);
}

void rg_host_names_answered(struct host *host)
{
    struct rg_names_answer answer;

    while (rg_names_next(host->names, &answer)) {
        struct host_conn *hc = answer.user;
        if (hc->conn == NULL) {
            host_conn_free(host, hc);
            continue;
        }
        hc->dial->count = answer.count;
        memcpy(hc->dial->addresses, answer.addresses, sizeof(hc->dial->addresses));
        if (answer.count == 0)
            rg_host_end(host, hc, RG_CLOSE_UNRESOLVED);
        else
            host_dial_next(host, hc);
    }
}

/* The address did not answer: the name's next one, or the end. */
static void host_dial_failed(struct host *host, struct host_conn *hc, enum rg_close_reason reason)
{
    rg_loop_close(host->loop, hc->sock);
    hc->sock = NULL;
    if (hc->dial->next < hc->dial->count)
        host_dial_next(host, hc);
    else
        rg_host_end(host, hc, reason);
}

static void host_connected(struct host *host, struct host_conn *hc)
{
    char peer_room[RG_HOST_CHARS];
    char local_room[RG_HOST_CHARS];
    struct rg_conn_info info;

    rg_heap_remove(&host->timers, &hc->timer);
    hc->state = HOST_CONN_OPEN;
    host_conn_info(hc->sock, RG_CONN_TCP, peer_room, local_room, &info);
    rg_socket_set_keepalive(info.fd, (int)rg_node_config(host->node)->tcp_keepalive);
    rg_node_connected(host->node, hc->conn, &info, host->now);
}

/* ---- Events and ends ---- */

static void host_on_writable(struct host *host, struct host_conn *hc)
{
    if (hc->named) {
        hc->named = false;
        rg_node_sent(host->node, hc->conn, 0, host->now);
    }
    rg_node_writable(host->node, hc->conn);
}

void rg_host_on_event(struct host *host, struct host_conn *hc, const struct rg_loop_event *event)
{
    if (hc->state == HOST_CONN_ENDED)
        return;
    switch (event->type) {
    case RG_LOOP_CONNECTED:
        host_connected(host, hc);
        break;
    case RG_LOOP_CONNECT_FAILED:
        host_dial_failed(host, hc,
                         event->error == ECONNREFUSED ? RG_CLOSE_REFUSED : RG_CLOSE_UNREACHED);
        break;
    case RG_LOOP_RECEIVED:
        if (hc->draining)
            break; /* it was told that nothing more is heard */
        rg_node_received(host->node, hc->conn, event->bytes, host->now);
        if ((event->bytes.len >= RG_LOOP_MUCH_BYTES || hc->roomy) && rg_list_empty(&hc->bulky_node))
            rg_list_append(&host->bulky, &hc->bulky_node);
        break;
    case RG_LOOP_WRITABLE:
        host_on_writable(host, hc);
        break;
    case RG_LOOP_CLOSED:
        rg_host_end(host, hc, RG_CLOSE_EOF);
        break;
    default:
        RG_UNREACHABLE();
    }
}

void rg_host_end(struct host *host, struct host_conn *hc, enum rg_close_reason reason)
{
    if (hc->state == HOST_CONN_ENDED)
        return;
    bool resolving = hc->state == HOST_CONN_RESOLVING && reason == RG_CLOSE_ASKED;
    rg_heap_remove(&host->timers, &hc->timer);
    rg_list_remove(&hc->drain_node);
    if (reason != RG_CLOSE_EOF) {
        rg_loop_close(host->loop, hc->sock);
        hc->sock = NULL;
    }
    if (resolving) {
        /* The answer that is on its way still points here; a stand-in tells the node. */
        struct host_conn *ended = host_conn_new(host, hc->conn, HOST_CONN_ENDED);
        hc->conn = NULL;
        hc = ended;
    }
    hc->state = HOST_CONN_ENDED;
    hc->reason = reason;
    rg_list_append(&host->ended, &hc->ended_node);
}

void rg_host_rooms(struct host *host)
{
    RG_LIST_EACH(it, &host->bulky)
    {
        struct host_conn *hc = RG_CONTAINER_OF(it, struct host_conn, bulky_node);
        char *room = NULL;
        rg_list_remove(&hc->bulky_node);
        if (hc->state != HOST_CONN_OPEN || hc->draining)
            continue;
        size_t bytes = rg_node_room(host->node, hc->conn, &room);
        hc->roomy = bytes > 0;
        if (hc->roomy)
            rg_loop_set_room(host->loop, hc->sock, room, bytes);
    }
}

void rg_host_tell_ended(struct host *host)
{
    RG_LIST_EACH(it, &host->ended)
    {
        struct host_conn *hc = RG_CONTAINER_OF(it, struct host_conn, ended_node);
        rg_node_closed(host->node, hc->conn, hc->reason, host->now);
        host_conn_free(host, hc);
    }
}

void rg_host_free_conns(struct host *host)
{
    RG_LIST_EACH(it, &host->conns)
    {
        host_conn_free(host, RG_CONTAINER_OF(it, struct host_conn, node));
    }
    rg_heap_fini(&host->timers);
}

void rg_host_close(struct host *host, struct rg_conn *conn, bool drain)
{
    struct host_conn *hc = rg_conn_host(conn);

    if (hc->state == HOST_CONN_ENDED)
        return; /* the node will hear of it */
    if (!drain || hc->state != HOST_CONN_OPEN) {
        rg_host_end(host, hc, RG_CLOSE_ASKED);
        return;
    }
    if (hc->draining)
        return;
    hc->draining = true;
    rg_list_append(&host->draining, &hc->drain_node);
    rg_heap_set(&host->timers, &hc->timer, host->now.mono_us + HOST_DRAIN_US);
}

void rg_host_run_timers(struct host *host)
{
    for (struct rg_heap_item *item = rg_heap_min(&host->timers);
         item != NULL && item->key <= host->now.mono_us; item = rg_heap_min(&host->timers)) {
        struct host_conn *hc = RG_CONTAINER_OF(item, struct host_conn, timer);
        rg_heap_remove(&host->timers, item);
        if (hc->draining)
            rg_host_end(host, hc, RG_CLOSE_ASKED);
        else
            host_dial_failed(host, hc, RG_CLOSE_UNREACHED);
    }
}
