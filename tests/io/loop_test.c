#include "io/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/rand.h"
#include "io/clock.h"
#include "tests/harness.h"

/* Every case runs over both backends; io_uring is skipped, with a note, where it is refused. */
static void each_backend(void (*run)(struct rg_loop *loop))
{
    for (int kind = RG_LOOP_EPOLL; kind <= RG_LOOP_URING; kind++) {
        struct rg_loop *loop = NULL;
        if (rg_loop_new((enum rg_loop_kind)kind, &loop) < 0) {
            RG_CHECK(kind == RG_LOOP_URING);
            rg_test_note("io_uring is not available here");
            continue;
        }
        run(loop);
        rg_loop_free(loop);
    }
}

/* A listener on a free port. */
static struct rg_sock *listen_any(struct rg_loop *loop, struct rg_address *ret_address)
{
    struct rg_buf error = {0};
    int fd = rg_socket_listen_tcp("127.0.0.1", 0, 512, &error);

    rg_buf_fini(&error);
    RG_CHECK(fd >= 0);
    rg_socket_local(fd, ret_address);
    return rg_loop_listen(loop, fd, NULL);
}

/* Waits up to five seconds for the next event. */
static struct rg_loop_event next_event(struct rg_loop *loop)
{
    struct rg_loop_event event;
    int64_t end_us = rg_clock_mono_us() + 5 * RG_S_US;

    while (!rg_loop_next(loop, &event)) {
        int64_t left_us = end_us - rg_clock_mono_us();
        RG_CHECK(left_us > 0);
        rg_loop_wait(loop, left_us);
    }
    return event;
}

static size_t send_now(struct rg_loop *loop, struct rg_sock *sock, const struct rg_bytes *runs,
                       unsigned count)
{
    struct rg_sock *told = NULL;
    struct rg_sock *none = NULL;
    size_t n = 0;
    size_t rest = 0;

    RG_CHECK(rg_loop_send(loop, sock, runs, count));
    rg_loop_flush(loop);
    RG_CHECK(rg_loop_next_sent(loop, &told, &n));
    RG_CHECK(told == sock);
    RG_CHECK(!rg_loop_next_sent(loop, &none, &rest));
    return n;
}

struct pair {
    struct rg_sock *client;
    struct rg_sock *server;
};

static struct pair pair_new(struct rg_loop *loop)
{
    struct rg_address address;
    struct pair pair = {0};
    struct rg_sock *listener = listen_any(loop, &address);
    bool connected = false;

    pair.client = rg_loop_connect(loop, &address, NULL);
    while (pair.server == NULL || !connected) {
        struct rg_loop_event event = next_event(loop);
        if (event.type == RG_LOOP_ACCEPTED) {
            RG_CHECK(event.sock == listener);
            pair.server = event.peer;
        } else {
            RG_CHECK_INT(event.type, RG_LOOP_CONNECTED);
            RG_CHECK(event.sock == pair.client);
            connected = true;
        }
    }
    rg_loop_close(loop, listener);
    return pair;
}

static void run_echo(struct rg_loop *loop)
{
    struct pair pair = pair_new(loop);
    struct rg_bytes runs[3] = {RG_BYTES("one "), RG_BYTES("two "), RG_BYTES("three")};

    for (int i = 0; i < 100; i++) {
        RG_CHECK_INT(send_now(loop, pair.client, runs, i % 2 == 0 ? 3 : 1), i % 2 == 0 ? 13 : 4);
        struct rg_loop_event event = next_event(loop);
        RG_CHECK_INT(event.type, RG_LOOP_RECEIVED);
        RG_CHECK(event.sock == pair.server);
        RG_CHECK_BYTES(event.bytes, i % 2 == 0 ? "one two three" : "one ");
        struct rg_bytes back = event.bytes;
        RG_CHECK_INT(send_now(loop, pair.server, &back, 1), back.len);
        event = next_event(loop);
        RG_CHECK(event.sock == pair.client);
        RG_CHECK_BYTES(event.bytes, i % 2 == 0 ? "one two three" : "one ");
    }
    rg_loop_close(loop, pair.client);
    struct rg_loop_event event = next_event(loop);
    RG_CHECK_INT(event.type, RG_LOOP_CLOSED);
    RG_CHECK(event.sock == pair.server);
    RG_CHECK_INT(event.error, 0);
}

RG_TEST(bytes_go_both_ways)
{
    each_backend(run_echo);
}

static void run_refused(struct rg_loop *loop)
{
    struct rg_address address;
    struct rg_sock *listener = listen_any(loop, &address);

    rg_loop_close(loop, listener);
    rg_loop_wait(loop, 0);
    struct rg_sock *client = rg_loop_connect(loop, &address, NULL);
    struct rg_loop_event event = next_event(loop);
    RG_CHECK_INT(event.type, RG_LOOP_CONNECT_FAILED);
    RG_CHECK(event.sock == client);
    RG_CHECK_INT(event.error, ECONNREFUSED);
    rg_loop_close(loop, client);

    /* No route: told as an event too, not sooner. */
    RG_CHECK_INT(rg_address_parse("255.255.255.255", 9, &address), 0);
    client = rg_loop_connect(loop, &address, NULL);
    event = next_event(loop);
    RG_CHECK_INT(event.type, RG_LOOP_CONNECT_FAILED);
    RG_CHECK(event.error != 0 && event.error != ECONNREFUSED);
    rg_loop_close(loop, client);
}

RG_TEST(a_refusal_is_told_from_an_unreachable_address)
{
    each_backend(run_refused);
}

/* The address is free as soon as the listener is closed, before any wait. */
static void run_listen_again(struct rg_loop *loop)
{
    struct rg_address address;
    char host[RG_HOST_CHARS];
    uint16_t port = 0;
    struct rg_buf error = {0};
    struct rg_sock *listener = listen_any(loop, &address);

    rg_loop_wait(loop, 0);
    rg_address_format(&address, host, &port);
    rg_loop_close(loop, listener);
    int fd = rg_socket_listen_tcp(host, port, 16, &error);
    RG_CHECK(fd >= 0);
    rg_buf_fini(&error);
    listener = rg_loop_listen(loop, fd, NULL);
    struct rg_sock *client = rg_loop_connect(loop, &address, NULL);
    unsigned seen = 0;
    while (seen != 3) {
        struct rg_loop_event event = next_event(loop);
        seen |= event.type == RG_LOOP_ACCEPTED && event.sock == listener ? 1 : 0;
        seen |= event.type == RG_LOOP_CONNECTED && event.sock == client ? 2 : 0;
    }
}

RG_TEST(a_closed_listener_frees_its_address_at_once)
{
    each_backend(run_listen_again);
}

static void run_half_close(struct rg_loop *loop)
{
    struct pair pair = pair_new(loop);
    struct rg_bytes bytes = RG_BYTES("last");

    RG_CHECK_INT(send_now(loop, pair.client, &bytes, 1), 4);
    RG_CHECK_INT(shutdown(rg_sock_fd(pair.client), SHUT_WR), 0);
    struct rg_loop_event event = next_event(loop);
    RG_CHECK_INT(event.type, RG_LOOP_RECEIVED);
    RG_CHECK_BYTES(event.bytes, "last");
    event = next_event(loop);
    RG_CHECK_INT(event.type, RG_LOOP_CLOSED);
    RG_CHECK(event.sock == pair.server);
    /* Told once; the other direction still works. */
    rg_loop_wait(loop, 20 * RG_MS_US);
    RG_CHECK(!rg_loop_next(loop, &event));
    RG_CHECK_INT(send_now(loop, pair.server, &bytes, 1), 4);
    event = next_event(loop);
    RG_CHECK_INT(event.type, RG_LOOP_RECEIVED);
    RG_CHECK(event.sock == pair.client);
}

RG_TEST(a_half_closed_stream_can_still_be_answered)
{
    each_backend(run_half_close);
}

/* A sender far ahead of its reader: nothing is lost or turned around, and being full is told. */
static void run_slow_reader(struct rg_loop *loop)
{
    enum { TOTAL = 32 << 20 };
    struct pair pair = pair_new(loop);
    unsigned char *data = rg_alloc(TOTAL);
    size_t sent = 0;
    size_t received = 0;
    bool was_blocked = false;
    struct rg_rand rand;

    rg_rand_init(&rand, 7);
    for (size_t i = 0; i < TOTAL; i++)
        data[i] = (unsigned char)rg_rand_u64(&rand);
    while (received < TOTAL) {
        while (sent < TOTAL && !rg_sock_is_blocked(pair.client)) {
            size_t half = (TOTAL - sent) / 2;
            struct rg_bytes runs[2] = {rg_bytes(data + sent, half),
                                       rg_bytes(data + sent + half, TOTAL - sent - half)};
            sent += send_now(loop, pair.client, runs, 2);
        }
        was_blocked = was_blocked || sent < TOTAL;
        struct rg_loop_event event = next_event(loop);
        if (event.type == RG_LOOP_RECEIVED) {
            RG_CHECK(event.sock == pair.server);
            RG_CHECK(rg_bytes_equal(event.bytes, rg_bytes(data + received, event.bytes.len)));
            received += event.bytes.len;
        } else {
            RG_CHECK_INT(event.type, RG_LOOP_WRITABLE);
            RG_CHECK(event.sock == pair.client);
        }
    }
    RG_CHECK(was_blocked);
    RG_CHECK_INT(sent, TOTAL);
    rg_free(data);
}

RG_TEST(a_slow_reader_gets_every_byte_in_order)
{
    each_backend(run_slow_reader);
}

/* More connections than the io_uring backend has buffers, all talking at once, and then again after
 * a time in which it could do with few. */
static void run_many(struct rg_loop *loop)
{
    enum { MANY = 400, ROUNDS = 5, QUIET_WAITS = 20000 };
    static struct rg_sock *clients[MANY];
    static struct rg_sock *servers[MANY];
    struct rg_address address;
    struct rg_bytes word = RG_BYTES("0123456789");
    int accepted = 0;
    int connected = 0;

    (void)listen_any(loop, &address);
    for (int i = 0; i < MANY; i++)
        clients[i] = rg_loop_connect(loop, &address, NULL);
    while (accepted < MANY || connected < MANY) {
        struct rg_loop_event event = next_event(loop);
        if (event.type == RG_LOOP_ACCEPTED)
            servers[accepted++] = event.peer;
        else
            connected += event.type == RG_LOOP_CONNECTED;
    }
    for (int round = 0; round < ROUNDS; round++) {
        struct rg_sock *sock = NULL;
        size_t n = 0;
        for (int i = 0; i < MANY; i++) {
            if (rg_loop_send(loop, clients[i], &word, 1))
                continue;
            rg_loop_flush(loop);
            while (rg_loop_next_sent(loop, &sock, &n))
                RG_CHECK_INT(n, word.len);
            RG_CHECK(rg_loop_send(loop, clients[i], &word, 1));
        }
        rg_loop_flush(loop);
        while (rg_loop_next_sent(loop, &sock, &n))
            RG_CHECK_INT(n, word.len);
        size_t received = 0;
        while (received < MANY * word.len) {
            struct rg_loop_event event = next_event(loop);
            RG_CHECK_INT(event.type, RG_LOOP_RECEIVED);
            received += event.bytes.len;
        }
        RG_CHECK_INT(received, MANY * word.len);
        for (int i = 0; round % 2 == 1 && i < QUIET_WAITS; i++)
            rg_loop_wait(loop, 0);
    }
    for (int i = 0; i < MANY; i++)
        rg_loop_close(loop, clients[i]);
    for (int closed = 0; closed < MANY; closed++)
        RG_CHECK_INT(next_event(loop).type, RG_LOOP_CLOSED);
    for (int i = 0; i < MANY; i++)
        rg_loop_close(loop, servers[i]);
}

RG_TEST(many_connections_at_once)
{
    each_backend(run_many);
}

static void run_closed_in_the_batch(struct rg_loop *loop)
{
    struct pair pair = pair_new(loop);
    struct rg_bytes bytes = RG_BYTES("x");
    struct rg_loop_event event;

    RG_CHECK_INT(send_now(loop, pair.client, &bytes, 1), 1);
    RG_CHECK_INT(send_now(loop, pair.server, &bytes, 1), 1);
    rg_loop_wait(loop, RG_S_US);
    rg_loop_wait(loop, 10 * RG_MS_US);
    /* What already happened to a socket is not told once it is closed. */
    rg_loop_close(loop, pair.client);
    rg_loop_close(loop, pair.server);
    RG_CHECK(!rg_loop_next(loop, &event));
    rg_loop_wait(loop, 10 * RG_MS_US);
    RG_CHECK(!rg_loop_next(loop, &event));
}

RG_TEST(nothing_is_told_of_a_closed_socket)
{
    each_backend(run_closed_in_the_batch);
}

static void run_broken_send(struct rg_loop *loop)
{
    struct pair pair = pair_new(loop);
    struct rg_bytes bytes = RG_BYTES("x");
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    RG_CHECK_INT(setsockopt(rg_sock_fd(pair.client), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)),
                 0);
    rg_loop_close(loop, pair.client);
    rg_loop_wait(loop, 20 * RG_MS_US);
    rg_loop_wait(loop, 20 * RG_MS_US);
    /* No signal, no error of the call: the end is an event. */
    (void)send_now(loop, pair.server, &bytes, 1);
    (void)send_now(loop, pair.server, &bytes, 1);
    RG_CHECK_INT(next_event(loop).type, RG_LOOP_CLOSED);
    struct rg_loop_event event;
    rg_loop_wait(loop, 10 * RG_MS_US);
    RG_CHECK(!rg_loop_next(loop, &event));
}

RG_TEST(a_reset_is_told_once)
{
    each_backend(run_broken_send);
}

static void run_exhausted(struct rg_loop *loop)
{
    struct rg_address address;
    struct rlimit before;
    struct rlimit none;
    struct rg_sock *listener = listen_any(loop, &address);
    int events = 0;

    rg_loop_wait(loop, 0);
    int fd = rg_socket_dial(&address, &events);
    RG_CHECK(fd >= 0);
    events = 0;
    RG_CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)fd + 1;
    RG_CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
    /* The pause: two or three attempts in a quarter of a second, not a spin. */
    struct rg_loop_event event = {0};
    bool all_failed = true;
    for (int64_t end_us = rg_clock_mono_us() + 250 * RG_MS_US; rg_clock_mono_us() < end_us;) {
        rg_loop_wait(loop, 50 * RG_MS_US);
        while (rg_loop_next(loop, &event)) {
            all_failed = all_failed && event.type == RG_LOOP_ACCEPT_FAILED;
            events++;
        }
    }
    RG_CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
    /* io_uring may have accepted the first one before the limit fell. */
    if (all_failed) {
        RG_CHECK(events >= 1 && events <= 4);
        RG_CHECK_INT(event.error, EMFILE);
        event = next_event(loop);
    }
    RG_CHECK_INT(event.type, RG_LOOP_ACCEPTED);
    RG_CHECK(event.sock == listener);
    (void)close(fd);
}

RG_TEST(without_descriptors_accepting_pauses_and_goes_on)
{
    each_backend(run_exhausted);
}

static void run_timeout(struct rg_loop *loop)
{
    struct rg_loop_event event;
    int64_t end_us = rg_clock_mono_us() + 30 * RG_MS_US;
    int waits = 0;

    /* A wait may end early for the kernel's own reasons, but does not spin. */
    for (int64_t left_us = 30 * RG_MS_US; left_us > 0; left_us = end_us - rg_clock_mono_us()) {
        rg_loop_wait(loop, left_us);
        RG_CHECK(!rg_loop_next(loop, &event));
        waits++;
    }
    RG_CHECK(waits <= 3);
}

RG_TEST(a_wait_without_events_ends_in_time)
{
    each_backend(run_timeout);
}

static void run_watch(struct rg_loop *loop)
{
    int ends[2];
    char room[8];

    RG_CHECK_INT(pipe(ends), 0);
    struct rg_sock *watch = rg_loop_watch(loop, ends[0], ends);
    for (int i = 0; i < 3; i++) {
        RG_CHECK_INT(write(ends[1], "ab", 2), 2);
        /* Told again as long as something is left. */
        for (int j = 0; j < 2; j++) {
            struct rg_loop_event event = next_event(loop);
            RG_CHECK_INT(event.type, RG_LOOP_READABLE);
            RG_CHECK(rg_sock_user(event.sock) == (void *)ends);
            RG_CHECK_INT(read(ends[0], room, 1), 1);
        }
        struct rg_loop_event event;
        while (rg_loop_next(loop, &event))
            continue;
    }
    rg_loop_close(loop, watch);
    (void)close(ends[1]);
}

RG_TEST(a_watched_descriptor_is_told_while_it_can_be_read)
{
    each_backend(run_watch);
}

/* A stream of large pieces, each with a place to lie in that is given when its beginning came: all
 * bytes come once and in order, wherever they lie. */
static void run_room(struct rg_loop *loop)
{
    enum { TOTAL = 3 << 20, PIECE = 100 * 1000, ROOM = 60 * 1000 };
    struct pair pair = pair_new(loop);
    char *data = rg_alloc(TOTAL);
    char *room = rg_alloc(ROOM);
    size_t sent = 0;
    size_t got = 0;
    size_t in_room = 0;
    bool blocked = false;

    for (size_t i = 0; i < TOTAL; i++)
        data[i] = (char)(i * 7 + i / 251);
    while (got < TOTAL) {
        size_t n = TOTAL - sent < PIECE ? TOTAL - sent : PIECE;
        if (!blocked && n > 0) {
            struct rg_bytes run = rg_bytes(data + sent, n);
            size_t took = send_now(loop, pair.client, &run, 1);
            sent += took;
            blocked = took < n;
        }
        struct rg_loop_event event = next_event(loop);
        bool elsewhere = false;
        do {
            if (event.type == RG_LOOP_WRITABLE) {
                blocked = false;
                continue;
            }
            RG_CHECK_INT(event.type, RG_LOOP_RECEIVED);
            RG_CHECK(event.bytes.len <= TOTAL - got);
            RG_CHECK(memcmp(event.bytes.data, data + got, event.bytes.len) == 0);
            got += event.bytes.len;
            in_room += event.bytes.data == room ? event.bytes.len : 0;
            elsewhere = event.bytes.data != room;
        } while (rg_loop_next(loop, &event));
        if (elsewhere)
            rg_loop_set_room(loop, pair.server, room, ROOM);
    }
    rg_test_note("%s: %zu of %d bytes were put in place", rg_loop_name(loop), in_room, TOTAL);
    RG_CHECK(in_room > 0);
    rg_loop_set_room(loop, pair.server, room, ROOM);
    rg_loop_close(loop, pair.client);
    struct rg_loop_event event = next_event(loop);
    RG_CHECK_INT(event.type, RG_LOOP_CLOSED);
    rg_loop_close(loop, pair.server);
    rg_free(room);
    rg_free(data);
}

RG_TEST(bytes_lie_where_there_is_room_for_them)
{
    each_backend(run_room);
}
