#include "base/panic.h"
#include "io/clock.h"
#include "server/host.h"

/* How often a turn goes around before it looks for input again. */
enum { HOST_SEND_ROUNDS = 8 };

void rg_host_sent(struct host *host)
{
    struct rg_sock *sock = NULL;
    size_t n = 0;

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

/* Sends what was offered, and tells the node what was taken. */
static void host_flush(struct host *host)
{
    rg_loop_flush(host->loop);
    rg_host_sent(host);
}

/* Returns whether the node had more than one offer takes. */
static bool host_offer(struct host *host, struct host_conn *hc)
{
    struct rg_bytes runs[RG_LOOP_MAX_RUNS];
    unsigned count = rg_node_output(host->node, hc->conn, runs, RG_LOOP_MAX_RUNS);
    size_t offered = 0;

    if (count == 0)
        return false;
    for (unsigned i = 0; i < count; i++)
        offered += runs[i].len;
    RG_ASSERT(offered > 0);
    RG_ASSERT(rg_loop_send(host->loop, hc->sock, runs, count));
    return count == RG_LOOP_MAX_RUNS;
}

enum host_round { HOST_ROUND_NONE, HOST_ROUND_ALL, HOST_ROUND_MORE };

/* One offer for every connection with output that can take it; the last of them are not sent yet.
 * ALL: the node has no more than what was offered. */
static enum host_round host_offer_round(struct host *host)
{
    enum host_round round = HOST_ROUND_NONE;
    unsigned offers = 0;

    for (struct rg_conn *conn = rg_node_next_output(host->node); conn != NULL;
         conn = rg_node_next_output(host->node)) {
        struct host_conn *hc = rg_conn_host(conn);
        if (hc->sock == NULL || rg_sock_is_blocked(hc->sock)) {
            /* The node hears nothing of it before the connection is writable. */
            hc->named = true;
            continue;
        }
        if (host_offer(host, hc))
            round = HOST_ROUND_MORE;
        else if (round == HOST_ROUND_NONE)
            round = HOST_ROUND_ALL;
        if (++offers == RG_LOOP_MAX_SENDS) {
            host_flush(host);
            offers = 0;
        }
    }
    return round;
}

static bool host_is_drained(struct host *host, struct host_conn *hc)
{
    struct rg_bytes run;

    return rg_node_output(host->node, hc->conn, &run, 1) == 0;
}

void rg_host_send(struct host *host)
{
    int rounds = 0;

    for (host->more_output = true; host->more_output && rounds < HOST_SEND_ROUNDS; rounds++) {
        enum host_round round = host_offer_round(host);
        host->more_output = round != HOST_ROUND_NONE;
        /* What is offered whole goes out with the next wait, in the same system call; but who
         * waits for the end of its output is closed by the news that it is out. */
        if (round == HOST_ROUND_ALL && rg_list_empty(&host->draining) && !host->exiting) {
            host->more_output = false;
            return;
        }
        host_flush(host);
    }
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
        while (host_offer_round(host) != HOST_ROUND_NONE)
            host_flush(host);
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
