#include "base/panic.h"
#include "io/clock.h"
#include "server/host.h"

/* How often a turn goes around before it looks for input again. */
enum { HOST_SEND_ROUNDS = 8 };

/* Sends what was offered, and tells the node what was taken. */
static void host_flush(struct host *host)
{
    struct rg_sock *sock = NULL;
    size_t n = 0;

    rg_loop_flush(host->loop);
    while (rg_loop_next_sent(host->loop, &sock, &n)) {
        enum host_source *source = rg_sock_user(sock);
        struct host_conn *hc = RG_CONTAINER_OF(source, struct host_conn, source);
        RG_ASSERT(hc->source == HOST_SOURCE_CONN);
        if (n > 0)
            rg_node_sent(host->node, hc->conn, n, host->now);
        else
            hc->named = true;
    }
}

static void host_offer(struct host *host, struct host_conn *hc)
{
    struct rg_bytes runs[RG_LOOP_MAX_RUNS];
    unsigned count = rg_node_output(host->node, hc->conn, runs, RG_LOOP_MAX_RUNS);
    size_t offered = 0;

    if (count == 0)
        return;
    for (unsigned i = 0; i < count; i++)
        offered += runs[i].len;
    RG_ASSERT(offered > 0);
    RG_ASSERT(rg_loop_send(host->loop, hc->sock, runs, count));
}

/* One offer for every connection with output that can take it. True: something was offered. */
static bool host_send_round(struct host *host)
{
    bool any = false;
    unsigned offers = 0;

    for (struct rg_conn *conn = rg_node_next_output(host->node); conn != NULL;
         conn = rg_node_next_output(host->node)) {
        struct host_conn *hc = rg_conn_host(conn);
        if (hc->sock == NULL || rg_sock_is_blocked(hc->sock)) {
            /* The node hears nothing of it before the connection is writable. */
            hc->named = true;
            continue;
        }
        host_offer(host, hc);
        any = true;
        if (++offers == RG_LOOP_MAX_SENDS) {
            host_flush(host);
            offers = 0;
        }
    }
    host_flush(host);
    return any;
}

static bool host_is_drained(struct host *host, struct host_conn *hc)
{
    struct rg_bytes run;

    return rg_node_output(host->node, hc->conn, &run, 1) == 0;
}

void rg_host_send(struct host *host)
{
    int rounds = 0;

    while (rounds < HOST_SEND_ROUNDS && host_send_round(host))
        rounds++;
    host->more_output = rounds == HOST_SEND_ROUNDS;
    RG_LIST_EACH(it, &host->draining)
    {
        struct host_conn *hc = RG_CONTAINER_OF(it, struct host_conn, drain_node);
        if (host_is_drained(host, hc))
            rg_host_end(host, hc, RG_CLOSE_ASKED);
    }
}

void rg_host_send_last(struct host *host, int64_t limit_us)
{
    int64_t end_us = rg_clock_mono_us() + limit_us;
    struct rg_loop_event event;

    for (;;) {
        bool waiting = false;
        while (host_send_round(host))
            continue;
        RG_LIST_EACH(it, &host->conns)
        {
            struct host_conn *hc = RG_CONTAINER_OF(it, struct host_conn, node);
            waiting = waiting || (hc->state == HOST_CONN_OPEN && hc->named);
        }
        int64_t left_us = end_us - rg_clock_mono_us();
        if (!waiting || left_us <= 0)
            return;
        rg_loop_wait(host->loop, left_us);
        while (rg_loop_next(host->loop, &event)) {
            enum host_source *source = rg_sock_user(event.sock);
            struct host_conn *hc = RG_CONTAINER_OF(source, struct host_conn, source);
            if (*source != HOST_SOURCE_CONN)
                continue;
            if (event.type == RG_LOOP_WRITABLE || event.type == RG_LOOP_CLOSED)
                rg_host_on_event(host, hc, &event);
        }
    }
}
