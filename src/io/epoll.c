#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "io/backend.h"

/*
 * The epoll backend. Level-triggered: what a turn does not get to is told again by the next wait,
 * and the kernel hands ready sockets out in turn, so that none starves.
 */

enum {
    EPOLL_BATCH = 512,
    EPOLL_ARENA_BYTES = 4 << 20, /* what one turn receives at most */
    EPOLL_READ_BYTES = 64 << 10, /* what one socket gets of it */
    EPOLL_ACCEPTS = 64,          /* by one listener in a turn */
};

struct epoll_backend {
    int fd;
    bool no_pwait2; /* the kernel lacks or forbids it */
    char *arena;
    size_t arena_used;
    struct epoll_event events[EPOLL_BATCH];
};

static int epoll_open(struct rg_loop *loop)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);

    if (fd < 0)
        return RG_ENOENT;
    struct epoll_backend *backend = RG_NEW(struct epoll_backend);
    backend->fd = fd;
    backend->arena = rg_alloc(EPOLL_ARENA_BYTES);
    loop->backend = backend;
    return 0;
}

static void epoll_close(struct rg_loop *loop)
{
    struct epoll_backend *backend = loop->backend;

    (void)close(backend->fd);
    rg_free(backend->arena);
    rg_free(backend);
}

static unsigned epoll_interests(const struct rg_sock *sock)
{
    unsigned mask = 0;

    if (sock->ended || sock->accept_later)
        return 0;
    if (sock->kind != RG_SOCK_CONNECTING)
        mask |= EPOLLIN;
    if (sock->want_write)
        mask |= EPOLLOUT;
    return mask;
}

static void epoll_control(struct rg_loop *loop, struct rg_sock *sock, int op)
{
    const struct epoll_backend *backend = loop->backend;
    struct epoll_event event = {.events = sock->armed, .data.ptr = sock};

    /* ENOSPC (max_user_watches) and ENOMEM leave no way to serve the socket. */
    if (epoll_ctl(backend->fd, op, sock->fd, &event) < 0 && op == EPOLL_CTL_ADD)
        rg_loop_tell_end(loop, sock, errno);
}

static void epoll_add(struct rg_loop *loop, struct rg_sock *sock)
{
    sock->armed = epoll_interests(sock);
    epoll_control(loop, sock, EPOLL_CTL_ADD);
}

static void epoll_update(struct rg_loop *loop, struct rg_sock *sock)
{
    unsigned mask = epoll_interests(sock);

    if (sock->room != NULL) {
        sock->bulky = RG_SOCK_BULKY;
        rg_loop_fill_room(loop, sock);
    }
    if (mask == sock->armed || sock->kind == RG_SOCK_GONE)
        return;
    sock->armed = mask;
    /* Errors and hang-ups are reported whatever the mask; a socket that has ended would spin. */
    epoll_control(loop, sock, sock->ended ? EPOLL_CTL_DEL : EPOLL_CTL_MOD);
}

static bool epoll_remove(struct rg_loop *loop, struct rg_sock *sock)
{
    epoll_control(loop, sock, EPOLL_CTL_DEL);
    return true;
}

static void epoll_give_back(struct rg_loop *loop, const struct rg_loop_entry *entry)
{
    /* The arena is taken back as a whole when the wait begins. */
    (void)loop;
    (void)entry;
    RG_UNREACHABLE();
}

static void epoll_accept(struct rg_loop *loop, struct rg_sock *listener)
{
    for (int i = 0; i < EPOLL_ACCEPTS; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            rg_loop_tell_accepted(loop, listener, -1, errno);
            return;
        }
        rg_loop_tell_accepted(loop, listener, fd, 0);
    }
}

static void epoll_receive(struct rg_loop *loop, struct rg_sock *sock)
{
    struct epoll_backend *backend = loop->backend;
    size_t room = EPOLL_ARENA_BYTES - backend->arena_used;
    char *data = backend->arena + backend->arena_used;

    if (sock->room != NULL) {
        rg_loop_fill_room(loop, sock);
        return;
    }
    if (room == 0)
        return; /* the next wait tells it again */
    size_t most = EPOLL_READ_BYTES;
    if (sock->bulky > 0) {
        sock->bulky--;
        most = RG_SOCK_BULKY_BYTES;
    }
    ssize_t n = recv(sock->fd, data, room < most ? room : most, 0);
    if (n > 0) {
        backend->arena_used += (size_t)n;
        rg_loop_tell(loop,
                     &(struct rg_loop_event){.type = RG_LOOP_RECEIVED,
                                             .sock = sock,
                                             .bytes = rg_bytes(data, (size_t)n)},
                     -1);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        rg_loop_tell_end(loop, sock, n == 0 ? 0 : errno);
        epoll_update(loop, sock);
    }
}

static void epoll_dispatch(struct rg_loop *loop, struct rg_sock *sock, unsigned events)
{
    switch (sock->kind) {
    case RG_SOCK_LISTENER:
        epoll_accept(loop, sock);
        break;
    case RG_SOCK_WATCH:
        rg_loop_tell(loop, &(struct rg_loop_event){.type = RG_LOOP_READABLE, .sock = sock}, -1);
        break;
    case RG_SOCK_CONNECTING:
        rg_loop_tell_writable(loop, sock);
        break;
    case RG_SOCK_STREAM:
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            epoll_receive(loop, sock);
        if ((events & EPOLLOUT) && sock->want_write)
            rg_loop_tell_writable(loop, sock);
        break;
    case RG_SOCK_GONE:
        RG_UNREACHABLE();
    }
}

static int epoll_poll(struct epoll_backend *backend, int64_t timeout_us)
{
    if (!backend->no_pwait2) {
        struct timespec ts = {.tv_sec = timeout_us / 1000000,
                              .tv_nsec = timeout_us % 1000000 * 1000};
        int n = epoll_pwait2(backend->fd, backend->events, EPOLL_BATCH, timeout_us < 0 ? NULL : &ts,
                             NULL);
        if (n >= 0 || (errno != ENOSYS && errno != EPERM))
            return n;
        backend->no_pwait2 = true;
    }
    /* Rounded up: a deadline is not called early, which would spin until it is reached. */
    int64_t timeout_ms = timeout_us < 0 ? -1 : (timeout_us + 999) / 1000;
    return epoll_wait(backend->fd, backend->events, EPOLL_BATCH,
                      timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms);
}

static void epoll_flush(struct rg_loop *loop)
{
    for (unsigned i = 0; i < loop->send_count; i++) {
        struct rg_loop_send_item *item = &loop->sends[i];
        if (item->sock == NULL)
            continue;
        ssize_t n = sendmsg(item->sock->fd, &item->header, MSG_NOSIGNAL | MSG_DONTWAIT);
        rg_loop_sent(loop, item, n < 0 ? -errno : n);
    }
}

static void epoll_wait_events(struct rg_loop *loop, int64_t timeout_us)
{
    struct epoll_backend *backend = loop->backend;

    backend->arena_used = 0;
    if (loop->sends_waiting) {
        size_t entries = loop->entry_tail;
        epoll_flush(loop);
        timeout_us = loop->entry_tail > entries ? 0 : timeout_us;
    }
    int n = epoll_poll(backend, timeout_us);
    RG_ASSERT(n >= 0 || errno == EINTR);
    for (int i = 0; i < n; i++)
        epoll_dispatch(loop, backend->events[i].data.ptr, backend->events[i].events);
}

const struct rg_loop_ops rg_loop_epoll_ops = {
    .name = "epoll",
    .open = epoll_open,
    .close = epoll_close,
    .add = epoll_add,
    .update = epoll_update,
    .remove = epoll_remove,
    .give_back = epoll_give_back,
    .wait = epoll_wait_events,
    .flush = epoll_flush,
};
