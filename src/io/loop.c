#include "io/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "io/backend.h"
#include "io/clock.h"

enum { LOOP_FIRST_ENTRIES = 256, LOOP_ACCEPT_PAUSE_US = 100 * 1000 };

int rg_loop_new(enum rg_loop_kind kind, struct rg_loop **ret_loop)
{
    struct rg_loop *loop = RG_NEW(struct rg_loop);

    loop->ops = kind == RG_LOOP_URING ? &rg_loop_uring_ops : &rg_loop_epoll_ops;
    rg_list_init(&loop->socks);
    loop->entry_cap = LOOP_FIRST_ENTRIES;
    loop->entries = RG_NEW_ARRAY(struct rg_loop_entry, loop->entry_cap);
    loop->sends = RG_NEW_ARRAY(struct rg_loop_send_item, RG_LOOP_MAX_SENDS);
    int result = loop->ops->open(loop);
    if (result < 0) {
        rg_free(loop->entries);
        rg_free(loop->sends);
        rg_free(loop);
        return result;
    }
    *ret_loop = loop;
    return 0;
}

void rg_loop_free(struct rg_loop *loop)
{
    if (loop == NULL)
        return;
    loop->ops->close(loop);
    RG_LIST_EACH(it, &loop->socks)
    {
        rg_loop_release(RG_CONTAINER_OF(it, struct rg_sock, node));
    }
    rg_free(loop->entries);
    rg_free(loop->sends);
    rg_free(loop);
}

const char *rg_loop_name(const struct rg_loop *loop)
{
    return loop->ops->name;
}

static struct rg_sock *loop_sock_new(struct rg_loop *loop, enum rg_sock_kind kind, int fd,
                                     void *user)
{
    struct rg_sock *sock = RG_NEW(struct rg_sock);

    sock->kind = kind;
    sock->fd = fd;
    sock->user = user;
    rg_list_append(&loop->socks, &sock->node);
    return sock;
}

struct rg_sock *rg_loop_listen(struct rg_loop *loop, int fd, void *user)
{
    struct rg_sock *sock = loop_sock_new(loop, RG_SOCK_LISTENER, fd, user);

    loop->ops->add(loop, sock);
    return sock;
}

struct rg_sock *rg_loop_watch(struct rg_loop *loop, int fd, void *user)
{
    struct rg_sock *sock = loop_sock_new(loop, RG_SOCK_WATCH, fd, user);

    loop->ops->add(loop, sock);
    return sock;
}

struct rg_sock *rg_loop_connect(struct rg_loop *loop, const struct rg_address *address, void *user)
{
    int error = 0;
    int fd = rg_socket_dial(address, &error);
    struct rg_sock *sock = loop_sock_new(loop, RG_SOCK_CONNECTING, fd < 0 ? -1 : fd, user);

    if (fd < 0) {
        rg_loop_tell_end(loop, sock, error);
        return sock;
    }
    sock->want_write = true;
    loop->ops->add(loop, sock);
    return sock;
}

/* Nothing that happened to the socket is told any more. */
static void loop_forget(struct rg_loop *loop, const struct rg_sock *sock)
{
    for (size_t i = loop->entry_head; i < loop->entry_tail; i++) {
        if (loop->entries[i].event.sock == sock)
            loop->entries[i].event.sock = NULL;
    }
    for (unsigned i = loop->send_told; i < loop->send_count; i++) {
        if (loop->sends[i].sock == sock)
            loop->sends[i].sock = NULL;
    }
}

static void loop_drop(struct rg_loop *loop, struct rg_sock *sock)
{
    RG_ASSERT(sock->kind != RG_SOCK_GONE);
    sock->kind = RG_SOCK_GONE;
    loop_forget(loop, sock);
    if (sock->fd < 0 || loop->ops->remove(loop, sock))
        rg_loop_release(sock);
}

/* The streams that a listener accepted and nobody took yet go with it. */
static void loop_drop_accepted(struct rg_loop *loop, const struct rg_sock *listener)
{
    for (size_t i = loop->entry_head; i < loop->entry_tail; i++) {
        const struct rg_loop_event *event = &loop->entries[i].event;
        if (event->sock == listener && event->type == RG_LOOP_ACCEPTED)
            loop_drop(loop, event->peer);
    }
}

void rg_loop_close(struct rg_loop *loop, struct rg_sock *sock)
{
    if (sock == NULL)
        return;
    if (sock->accept_later)
        loop->paused--;
    if (sock->kind == RG_SOCK_LISTENER) {
        loop_drop_accepted(loop, sock);
        /* Frees the address at once, though the kernel may still hold the descriptor. */
        (void)shutdown(sock->fd, SHUT_RDWR);
    }
    loop_drop(loop, sock);
}

void rg_loop_release(struct rg_sock *sock)
{
    rg_list_remove(&sock->node);
    if (sock->fd >= 0)
        (void)close(sock->fd);
    rg_free(sock);
}

void *rg_sock_user(const struct rg_sock *sock)
{
    return sock->user;
}

void rg_sock_set_user(struct rg_sock *sock, void *user)
{
    sock->user = user;
}

bool rg_sock_is_blocked(const struct rg_sock *sock)
{
    return sock->want_write || sock->kind == RG_SOCK_CONNECTING;
}

int rg_sock_fd(const struct rg_sock *sock)
{
    return sock->fd;
}

/* ---- Events ---- */

void rg_loop_tell(struct rg_loop *loop, const struct rg_loop_event *event, int buffer)
{
    if (loop->entry_tail == loop->entry_cap) {
        loop->entry_cap *= 2;
        loop->entries = rg_realloc(loop->entries, loop->entry_cap * sizeof(loop->entries[0]));
    }
    loop->entries[loop->entry_tail++] = (struct rg_loop_entry){.event = *event, .buffer = buffer};
}

void rg_loop_tell_end(struct rg_loop *loop, struct rg_sock *sock, int error)
{
    enum rg_loop_event_type type =
        sock->kind == RG_SOCK_CONNECTING ? RG_LOOP_CONNECT_FAILED : RG_LOOP_CLOSED;

    if (sock->ended || sock->kind == RG_SOCK_GONE)
        return;
    sock->ended = true;
    sock->want_write = false;
    rg_loop_tell(loop, &(struct rg_loop_event){.type = type, .sock = sock, .error = error}, -1);
}

void rg_loop_tell_writable(struct rg_loop *loop, struct rg_sock *sock)
{
    int error = sock->kind == RG_SOCK_CONNECTING ? rg_socket_error(sock->fd) : 0;
    struct rg_loop_event event = {.type = RG_LOOP_WRITABLE, .sock = sock};

    if (error != 0) {
        rg_loop_tell_end(loop, sock, error);
    } else {
        if (sock->kind == RG_SOCK_CONNECTING)
            event.type = RG_LOOP_CONNECTED;
        sock->kind = RG_SOCK_STREAM;
        sock->want_write = false;
        rg_loop_tell(loop, &event, -1);
    }
    loop->ops->update(loop, sock);
}

void rg_loop_set_room(struct rg_loop *loop, struct rg_sock *sock, char *room, size_t bytes)
{
    RG_ASSERT(room == NULL || bytes > 0);
    if (sock->kind != RG_SOCK_STREAM || sock->ended)
        return;
    sock->room = room;
    sock->room_bytes = bytes;
    if (room != NULL)
        loop->ops->update(loop, sock);
}

void rg_loop_fill_room(struct rg_loop *loop, struct rg_sock *sock)
{
    ssize_t n = recv(sock->fd, sock->room, sock->room_bytes, MSG_DONTWAIT);

    if (n > 0) {
        struct rg_bytes bytes = rg_bytes(sock->room, (size_t)n);
        sock->room = NULL;
        rg_loop_tell(
            loop, &(struct rg_loop_event){.type = RG_LOOP_RECEIVED, .sock = sock, .bytes = bytes},
            -1);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        sock->room = NULL;
        rg_loop_tell_end(loop, sock, n == 0 ? 0 : errno);
        loop->ops->update(loop, sock);
    }
}

static bool loop_is_exhausted(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

void rg_loop_tell_accepted(struct rg_loop *loop, struct rg_sock *listener, int fd, int error)
{
    struct rg_loop_event event = {.type = RG_LOOP_ACCEPTED, .sock = listener, .error = error};

    if (fd < 0) {
        /* The peer hung up before it was accepted. */
        if (error == ECONNABORTED || error == EINTR || error == EAGAIN)
            return;
        event.type = RG_LOOP_ACCEPT_FAILED;
        if (loop_is_exhausted(error) && !listener->accept_later) {
            /* The connection stays in the backlog; without a pause the loop would spin on it. */
            listener->accept_later = true;
            listener->resume_at_us = rg_clock_mono_us() + LOOP_ACCEPT_PAUSE_US;
            loop->paused++;
            loop->ops->update(loop, listener);
        }
    } else {
        event.peer = loop_sock_new(loop, RG_SOCK_STREAM, fd, NULL);
        rg_socket_set_nodelay(fd);
        loop->ops->add(loop, event.peer);
    }
    rg_loop_tell(loop, &event, -1);
}

/* Lets listeners accept again whose pause is over; returns how long the wait may last. */
static int64_t loop_resume_listeners(struct rg_loop *loop, int64_t timeout_us)
{
    if (loop->paused == 0)
        return timeout_us;
    int64_t now_us = rg_clock_mono_us();
    RG_LIST_EACH(it, &loop->socks)
    {
        struct rg_sock *sock = RG_CONTAINER_OF(it, struct rg_sock, node);
        if (!sock->accept_later)
            continue;
        int64_t left_us = sock->resume_at_us - now_us;
        if (left_us <= 0) {
            sock->accept_later = false;
            loop->paused--;
            loop->ops->update(loop, sock);
        } else if (timeout_us < 0 || timeout_us > left_us) {
            timeout_us = left_us;
        }
    }
    return timeout_us;
}

void rg_loop_wait(struct rg_loop *loop, int64_t timeout_us)
{
    RG_ASSERT(loop->sends_waiting || loop->send_told == loop->send_count);
    for (size_t i = 0; i < loop->entry_head; i++) {
        if (loop->entries[i].buffer >= 0)
            loop->ops->give_back(loop, &loop->entries[i]);
    }
    loop->entry_tail -= loop->entry_head;
    memmove(loop->entries, loop->entries + loop->entry_head,
            loop->entry_tail * sizeof(loop->entries[0]));
    loop->entry_head = 0;
    timeout_us = loop_resume_listeners(loop, timeout_us);
    loop->ops->wait(loop, loop->entry_tail > 0 ? 0 : timeout_us);
    loop->sends_waiting = false;
}

bool rg_loop_next(struct rg_loop *loop, struct rg_loop_event *ret_event)
{
    while (loop->entry_head < loop->entry_tail) {
        const struct rg_loop_event *event = &loop->entries[loop->entry_head++].event;
        /* The socket was closed after this happened. */
        if (event->sock == NULL)
            continue;
        *ret_event = *event;
        return true;
    }
    return false;
}

/* ---- Sending ---- */

bool rg_loop_send(struct rg_loop *loop, struct rg_sock *sock, const struct rg_bytes *runs,
                  unsigned count)
{
    RG_ASSERT(count > 0 && count <= RG_LOOP_MAX_RUNS);
    RG_ASSERT(loop->send_told == 0);
    if (loop->send_count == RG_LOOP_MAX_SENDS)
        return false;
    struct rg_loop_send_item *item = &loop->sends[loop->send_count++];
    item->sock = sock;
    item->run_count = count;
    item->offered = 0;
    item->sent = 0;
    item->decided = false;
    loop->sends_waiting = true;
    for (unsigned i = 0; i < count; i++) {
        /* The kernel only reads it. */
        memcpy(&item->runs[i].iov_base, &runs[i].data, sizeof(runs[i].data));
        item->runs[i].iov_len = runs[i].len;
        item->offered += runs[i].len;
    }
    item->header = (struct msghdr){.msg_iov = item->runs, .msg_iovlen = count};
    return true;
}

void rg_loop_flush(struct rg_loop *loop)
{
    if (loop->sends_waiting)
        loop->ops->flush(loop);
    loop->sends_waiting = false;
}

void rg_loop_sent(struct rg_loop *loop, struct rg_loop_send_item *item, int64_t result)
{
    struct rg_sock *sock = item->sock;

    item->decided = true;
    item->sent = result > 0 ? (size_t)result : 0;
    if (result < 0 && result != -EAGAIN && result != -EINTR) {
        rg_loop_tell_end(loop, sock, (int)-result);
        loop->ops->update(loop, sock);
    } else if (item->sent < item->offered && !sock->ended) {
        sock->want_write = true;
        loop->ops->update(loop, sock);
    }
}

bool rg_loop_next_sent(struct rg_loop *loop, struct rg_sock **ret_sock, size_t *ret_n)
{
    RG_ASSERT(!loop->sends_waiting);
    while (loop->send_told < loop->send_count) {
        const struct rg_loop_send_item *item = &loop->sends[loop->send_told++];
        if (item->sock == NULL)
            continue;
        *ret_sock = item->sock;
        *ret_n = item->sent;
        return true;
    }
    loop->send_count = loop->send_told = 0;
    return false;
}
