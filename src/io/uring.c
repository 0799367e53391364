#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/pages.h"
#include "base/panic.h"
#include "io/backend.h"
#include "io/gather.h"

/*
 * The io_uring backend. Accepting and receiving are multishot: armed once, they complete for every
 * connection and every arrival, into buffers that the kernel picks from a ring of provided ones.
 * Sends are tried at submission (MSG_DONTWAIT), so that a whole batch is decided when the system
 * call returns, which can be the one that then waits. Only a send that did not go out whole
 * completes (MSG_WAITALL makes that a failure, IOSQE_CQE_SKIP_SUCCESS keeps the others quiet), so
 * that the wait is not ended by them. A socket's memory stays until its last operation has
 * completed.
 *
 * A stream that brings large requests has its bytes put where they are to lie (rg_loop_set_room):
 * for them it is polled and received from by hand, so that the kernel never holds memory that is
 * only lent; and the receptions between them are armed one at a time, since the bytes that a
 * multishot one took cannot be put elsewhere any more.
 *
 * The kernel takes provided buffers in turn, all that there are. So there are no more of them than
 * lately were lent at once, or nearly: few stay in the cache, and take no memory that is not
 * needed.
 *
 * It needs Linux 6.1 (deferred task work); older kernels and forbidding ones refuse it in open.
 */

enum {
    URING_ENTRIES = 512,
    URING_COMPLETIONS = 4096,
    URING_BUFFERS = 256, /* at most; a power of two, as the next is */
    URING_MIN_BUFFERS = 16,
    URING_BUFFER_WAITS = 4096, /* after so many it is looked whether fewer would do */
    URING_BUFFER_BYTES = 16 << 10,
    URING_GROUP = 0,
};

/* What an operation is: the low bits of its user data, beside the socket. */
enum uring_op {
    URING_IGNORED, /* a cancellation; there is no socket */
    URING_ACCEPT,
    URING_RECEIVE,
    URING_POLL_IN,
    URING_POLL_OUT,
    URING_SEND, /* the rest is the index of the send */
    URING_OP_MASK = 7,
};

struct uring_backend {
    struct io_uring ring;
    struct io_uring_buf_ring *buffer_ring;
    char *buffers;
    int returned;         /* buffers added to the ring since it was last advanced */
    unsigned provided;    /* buffers that are in the ring or lent */
    unsigned wanted;      /* how many should be */
    unsigned lent;        /* of those, what events hold */
    unsigned most_lent;   /* at once, since it was last looked */
    unsigned waits_left;  /* until the next look */
    bool starved;         /* the ring was empty in this wait */
    unsigned spare_count; /* buffers that are not provided; they hold no memory */
    unsigned short spare[URING_BUFFERS];
    unsigned stale;
    struct rg_gather gather;
};

static size_t uring_buffer_ring_bytes(void)
{
    return URING_BUFFERS * sizeof(struct io_uring_buf);
}

static char *uring_buffer(struct uring_backend *backend, int id)
{
    return backend->buffers + (size_t)id * URING_BUFFER_BYTES;
}

/* The kernel sees it at the next advance. */
static void uring_add_buffer(struct uring_backend *backend, int id)
{
    io_uring_buf_ring_add(backend->buffer_ring, uring_buffer(backend, id), URING_BUFFER_BYTES,
                          (unsigned short)id, io_uring_buf_ring_mask(URING_BUFFERS),
                          backend->returned++);
}

static void uring_advance_buffers(struct uring_backend *backend)
{
    while (backend->provided < backend->wanted) {
        uring_add_buffer(backend, backend->spare[--backend->spare_count]);
        backend->provided++;
    }
    if (backend->returned > 0)
        io_uring_buf_ring_advance(backend->buffer_ring, backend->returned);
    backend->returned = 0;
}

/* Once per wait: as many again where there were too few, half where there are far too many. */
static void uring_size_buffers(struct uring_backend *backend)
{
    if (backend->starved && backend->wanted < URING_BUFFERS)
        backend->wanted *= 2;
    backend->starved = false;
    if (backend->waits_left-- > 0)
        return;
    if (backend->most_lent < backend->wanted / 4 && backend->wanted > URING_MIN_BUFFERS)
        backend->wanted /= 2;
    backend->most_lent = 0;
    backend->waits_left = URING_BUFFER_WAITS;
}

static int uring_provide_buffers(struct uring_backend *backend)
{
    struct io_uring_buf_reg reg = {.ring_entries = URING_BUFFERS, .bgid = URING_GROUP};
    void *ring_memory = mmap(NULL, uring_buffer_ring_bytes(), PROT_READ | PROT_WRITE,
                             MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);

    if (ring_memory == MAP_FAILED)
        return -errno;
    backend->buffer_ring = ring_memory;
    reg.ring_addr = (uintptr_t)ring_memory;
    int result = io_uring_register_buf_ring(&backend->ring, &reg, 0);
    if (result < 0) {
        (void)munmap(ring_memory, uring_buffer_ring_bytes());
        return result;
    }
    backend->buffers = rg_pages_map((size_t)URING_BUFFERS * URING_BUFFER_BYTES, URING_BUFFER_BYTES);
    if (backend->buffers == NULL) {
        (void)munmap(ring_memory, uring_buffer_ring_bytes());
        return -ENOMEM;
    }
    io_uring_buf_ring_init(backend->buffer_ring);
    while (backend->spare_count < URING_BUFFERS) {
        backend->spare[backend->spare_count] =
            (unsigned short)(URING_BUFFERS - 1 - backend->spare_count);
        backend->spare_count++;
    }
    backend->wanted = URING_MIN_BUFFERS;
    backend->waits_left = URING_BUFFER_WAITS;
    uring_advance_buffers(backend);
    return 0;
}

static int uring_open(struct rg_loop *loop)
{
    struct uring_backend *backend = RG_NEW(struct uring_backend);
    struct io_uring_params params = {
        .flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SINGLE_ISSUER |
                 IORING_SETUP_DEFER_TASKRUN,
        .cq_entries = URING_COMPLETIONS,
    };

    if (io_uring_queue_init_params(URING_ENTRIES, &backend->ring, &params) < 0) {
        rg_free(backend);
        return RG_ENOENT;
    }
    if (uring_provide_buffers(backend) < 0) {
        io_uring_queue_exit(&backend->ring);
        rg_free(backend);
        return RG_ENOENT;
    }
    loop->backend = backend;
    return 0;
}

static void uring_close(struct rg_loop *loop)
{
    struct uring_backend *backend = loop->backend;

    io_uring_queue_exit(&backend->ring);
    (void)munmap(backend->buffer_ring, uring_buffer_ring_bytes());
    rg_pages_unmap(backend->buffers, (size_t)URING_BUFFERS * URING_BUFFER_BYTES);
    rg_free(backend);
}

/* The kernel could not take submissions now: completions must be reaped, or memory is short. */
static bool uring_is_transient(int result)
{
    return result == -EBUSY || result == -EAGAIN || result == -EINTR || result == -ENOMEM;
}

/* A free submission; the queue is handed to the kernel first where it is full. */
static struct io_uring_sqe *uring_sqe(struct uring_backend *backend)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&backend->ring);

    while (sqe == NULL) {
        int result = io_uring_submit(&backend->ring);
        RG_ASSERT(result >= 0 || uring_is_transient(result));
        sqe = io_uring_get_sqe(&backend->ring);
    }
    return sqe;
}

static void uring_tag(struct io_uring_sqe *sqe, struct rg_sock *sock, enum uring_op op)
{
    RG_ASSERT(((uintptr_t)sock & URING_OP_MASK) == 0);
    io_uring_sqe_set_data64(sqe, (uintptr_t)sock | op);
}

static void uring_start(struct uring_backend *backend, struct rg_sock *sock, enum uring_op op)
{
    struct io_uring_sqe *sqe = uring_sqe(backend);

    switch (op) {
    case URING_ACCEPT:
        io_uring_prep_multishot_accept(sqe, sock->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        break;
    case URING_RECEIVE:
        if (sock->bulky > 0) {
            sock->bulky--;
            io_uring_prep_recv(sqe, sock->fd, NULL, RG_SOCK_BULKY_BYTES, 0);
        } else {
            io_uring_prep_recv_multishot(sqe, sock->fd, NULL, 0, 0);
        }
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = URING_GROUP;
        break;
    case URING_POLL_IN:
        io_uring_prep_poll_add(sqe, sock->fd, POLLIN);
        break;
    case URING_POLL_OUT:
        io_uring_prep_poll_add(sqe, sock->fd, POLLOUT);
        break;
    default:
        RG_UNREACHABLE();
    }
    uring_tag(sqe, sock, op);
    sock->armed |= 1U << op;
    sock->in_flight++;
}

/* The operations that the socket should have in the kernel, as bits. */
static unsigned uring_wanted(const struct rg_sock *sock)
{
    unsigned wanted = sock->want_write ? 1U << URING_POLL_OUT : 0;

    if (sock->ended)
        return 0;
    switch (sock->kind) {
    case RG_SOCK_LISTENER:
        return sock->accept_later ? 0 : 1U << URING_ACCEPT;
    case RG_SOCK_WATCH:
        return 1U << URING_POLL_IN;
    case RG_SOCK_STREAM:
        /* Never both: the order of what they bring would be lost. */
        if (sock->room != NULL && !(sock->armed & 1U << URING_RECEIVE))
            return wanted | 1U << URING_POLL_IN;
        return wanted | 1U << URING_RECEIVE;
    case RG_SOCK_CONNECTING:
        return wanted;
    case RG_SOCK_GONE:
        return 0;
    }
    RG_UNREACHABLE();
}

static void uring_cancel(struct uring_backend *backend, struct rg_sock *sock, enum uring_op op)
{
    struct io_uring_sqe *sqe = uring_sqe(backend);

    io_uring_prep_cancel64(sqe, (uintptr_t)sock | op, 0);
    io_uring_sqe_set_data64(sqe, URING_IGNORED);
}

/* The stream brings large requests: what it is received with must leave room for the next. */
static void uring_make_bulky(struct uring_backend *backend, struct rg_sock *sock)
{
    if (sock->bulky == 0 && (sock->armed & 1U << URING_RECEIVE))
        uring_cancel(backend, sock, URING_RECEIVE);
    sock->bulky = RG_SOCK_BULKY;
}

/* Operations are started by the next wait: at once, one that failed for want of buffers would fail
 * again. */
static void uring_update(struct rg_loop *loop, struct rg_sock *sock)
{
    struct uring_backend *backend = loop->backend;

    if (sock->room != NULL) {
        uring_make_bulky(backend, sock);
        /* What is there already is taken while its place is in the cache. */
        if (!(sock->armed & 1U << URING_RECEIVE))
            rg_loop_fill_room(loop, sock);
    }
    if (!sock->stale && (uring_wanted(sock) & ~sock->armed) != 0) {
        sock->stale = true;
        backend->stale++;
    }
}

static void uring_start_missing(struct rg_loop *loop)
{
    struct uring_backend *backend = loop->backend;

    if (backend->stale == 0)
        return;
    backend->stale = 0;
    RG_LIST_EACH(it, &loop->socks)
    {
        struct rg_sock *sock = RG_CONTAINER_OF(it, struct rg_sock, node);
        if (!sock->stale)
            continue;
        sock->stale = false;
        unsigned missing = uring_wanted(sock) & ~sock->armed;
        for (enum uring_op op = URING_ACCEPT; op <= URING_POLL_OUT; op++) {
            if (missing & (1U << op))
                uring_start(backend, sock, op);
        }
    }
}

static bool uring_remove(struct rg_loop *loop, struct rg_sock *sock)
{
    struct uring_backend *backend = loop->backend;

    if (sock->stale) {
        sock->stale = false;
        backend->stale--;
    }
    if (sock->in_flight == 0)
        return true;
    for (enum uring_op op = URING_ACCEPT; op <= URING_POLL_OUT; op++) {
        if (!(sock->armed & (1U << op)))
            continue;
        uring_cancel(backend, sock, op);
    }
    return false;
}

static void uring_return_buffer(struct uring_backend *backend, int id)
{
    RG_ASSERT(backend->lent > 0);
    backend->lent--;
    if (backend->provided <= backend->wanted) {
        uring_add_buffer(backend, id);
        return;
    }
    rg_pages_discard(uring_buffer(backend, id), URING_BUFFER_BYTES);
    backend->spare[backend->spare_count++] = (unsigned short)id;
    backend->provided--;
}

static void uring_give_back(struct rg_loop *loop, const struct rg_loop_entry *entry)
{
    uring_return_buffer(loop->backend, entry->buffer);
}

/* ---- Completions ---- */

static void uring_on_receive(struct rg_loop *loop, struct rg_sock *sock,
                             const struct io_uring_cqe *cqe)
{
    struct uring_backend *backend = loop->backend;
    int buffer =
        cqe->flags & IORING_CQE_F_BUFFER ? (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT) : -1;

    backend->lent += buffer >= 0;
    if (backend->lent > backend->most_lent)
        backend->most_lent = backend->lent;
    backend->starved |= cqe->res == -ENOBUFS;
    if (cqe->res > 0 && sock->kind != RG_SOCK_GONE) {
        const char *data = uring_buffer(backend, buffer);
        sock->room = NULL; /* what comes next has another place */
        rg_loop_tell(loop,
                     &(struct rg_loop_event){.type = RG_LOOP_RECEIVED,
                                             .sock = sock,
                                             .bytes = rg_bytes(data, (size_t)cqe->res)},
                     buffer);
        return;
    }
    if (buffer >= 0)
        uring_return_buffer(backend, buffer);
    if (cqe->res == -ENOBUFS || cqe->res == -EAGAIN || cqe->res == -EINTR || cqe->res == -ECANCELED)
        return; /* armed again, or another in its place, by the next wait */
    rg_loop_tell_end(loop, sock, -cqe->res);
}

static void uring_on_socket(struct rg_loop *loop, struct rg_sock *sock, enum uring_op op,
                            const struct io_uring_cqe *cqe)
{
    if (!(cqe->flags & IORING_CQE_F_MORE)) {
        sock->armed &= ~(1U << op);
        RG_ASSERT(sock->in_flight > 0);
        sock->in_flight--;
    }
    if (sock->kind == RG_SOCK_GONE) {
        if (op == URING_RECEIVE)
            uring_on_receive(loop, sock, cqe);
        else if (op == URING_ACCEPT && cqe->res >= 0)
            (void)close(cqe->res);
        if (sock->in_flight == 0)
            rg_loop_release(sock);
        return;
    }
    switch (op) {
    case URING_ACCEPT:
        rg_loop_tell_accepted(loop, sock, cqe->res < 0 ? -1 : cqe->res,
                              cqe->res < 0 ? -cqe->res : 0);
        break;
    case URING_RECEIVE:
        uring_on_receive(loop, sock, cqe);
        break;
    case URING_POLL_IN:
        if (sock->kind == RG_SOCK_WATCH)
            rg_loop_tell(loop, &(struct rg_loop_event){.type = RG_LOOP_READABLE, .sock = sock}, -1);
        else if (sock->room != NULL && !(sock->armed & 1U << URING_RECEIVE) && !sock->ended)
            rg_loop_fill_room(loop, sock);
        break;
    case URING_POLL_OUT:
        if (sock->want_write && !sock->ended)
            rg_loop_tell_writable(loop, sock);
        break;
    default:
        RG_UNREACHABLE();
    }
    uring_update(loop, sock);
}

static void uring_on_completion(struct rg_loop *loop, const struct io_uring_cqe *cqe)
{
    uint64_t data = cqe->user_data;
    enum uring_op op = (enum uring_op)(data & URING_OP_MASK);

    if (op == URING_IGNORED || data == LIBURING_UDATA_TIMEOUT)
        return;
    if (op == URING_SEND) {
        rg_loop_sent(loop, &loop->sends[data >> 3], cqe->res);
        return;
    }
    uring_on_socket(loop, (struct rg_sock *)(uintptr_t)(data & ~(uint64_t)URING_OP_MASK), op, cqe);
}

/* Takes all that has completed, also what had no room in the queue. More completes in system calls
 * only, so that this ends. */
static void uring_reap(struct rg_loop *loop)
{
    struct uring_backend *backend = loop->backend;
    struct io_uring_cqe *cqe = NULL;

    while (io_uring_peek_cqe(&backend->ring, &cqe) == 0) {
        struct io_uring_cqe copy = *cqe;
        io_uring_cqe_seen(&backend->ring, cqe);
        uring_on_completion(loop, &copy);
    }
}

static void uring_push_sends(struct rg_loop *loop)
{
    enum { FLAGS = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL };
    struct uring_backend *backend = loop->backend;

    for (unsigned i = 0; i < loop->send_count; i++) {
        struct rg_loop_send_item *item = &loop->sends[i];
        if (item->sock == NULL)
            continue;
        struct io_uring_sqe *sqe = uring_sqe(backend);
        if (item->run_count == 1)
            io_uring_prep_send(sqe, item->sock->fd, item->runs[0].iov_base, item->runs[0].iov_len,
                               FLAGS);
        else
            io_uring_prep_sendmsg(sqe, item->sock->fd, &item->header, FLAGS);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
        io_uring_sqe_set_data64(sqe, (uint64_t)i << 3 | URING_SEND);
    }
}

/* Every send was submitted, and so tried, before this returns; those that said nothing went out. */
static void uring_end_sends(struct rg_loop *loop)
{
    struct uring_backend *backend = loop->backend;

    while (io_uring_sq_ready(&backend->ring) > 0) {
        int result = io_uring_submit_and_get_events(&backend->ring);
        RG_ASSERT(result >= 0 || uring_is_transient(result));
        uring_reap(loop);
    }
    uring_reap(loop);
    for (unsigned i = 0; i < loop->send_count; i++) {
        struct rg_loop_send_item *item = &loop->sends[i];
        if (item->sock != NULL && !item->decided)
            rg_loop_sent(loop, item, (int64_t)item->offered);
    }
}

static void uring_add(struct rg_loop *loop, struct rg_sock *sock)
{
    uring_update(loop, sock);
}

/* Submits what there is, and waits for so many completions, or until the time is up. */
static int uring_enter(struct uring_backend *backend, unsigned count, int64_t timeout_us)
{
    struct io_uring_cqe *cqe = NULL;
    struct __kernel_timespec ts = {.tv_sec = timeout_us / 1000000,
                                   .tv_nsec = timeout_us % 1000000 * 1000};

    return io_uring_submit_and_wait_timeout(&backend->ring, &cqe, count,
                                            timeout_us < 0 ? NULL : &ts, NULL);
}

/* Where many connections are busy, the first arrival waits a moment for others. */
static int uring_gather(struct uring_backend *backend, int64_t timeout_us)
{
    unsigned want = rg_gather_want(&backend->gather);
    int result = 0;

    if (want > 1 && (timeout_us < 0 || timeout_us > RG_GATHER_US))
        result = uring_enter(backend, want, RG_GATHER_US);
    else
        result = uring_enter(backend, 1, timeout_us);
    unsigned arrived = io_uring_cq_ready(&backend->ring);
    rg_gather_note(&backend->gather, arrived);
    if (want > 1 && arrived == 0)
        result = uring_enter(backend, 1, timeout_us);
    return result;
}

static void uring_wait(struct rg_loop *loop, int64_t timeout_us)
{
    struct uring_backend *backend = loop->backend;

    uring_size_buffers(backend);
    uring_advance_buffers(backend);
    uring_start_missing(loop);
    if (loop->sends_waiting)
        uring_push_sends(loop);
    int result = 0;
    if (timeout_us == 0) /* goes into the kernel in any case: deferred completions run there */
        result = io_uring_submit_and_get_events(&backend->ring);
    else
        result = uring_gather(backend, timeout_us);
    RG_ASSERT(result >= 0 || result == -ETIME || uring_is_transient(result));
    if (loop->sends_waiting)
        uring_end_sends(loop);
    else
        uring_reap(loop);
}

static void uring_flush(struct rg_loop *loop)
{
    uring_push_sends(loop);
    uring_end_sends(loop);
}

const struct rg_loop_ops rg_loop_uring_ops = {
    .name = "io_uring",
    .open = uring_open,
    .close = uring_close,
    .add = uring_add,
    .update = uring_update,
    .remove = uring_remove,
    .give_back = uring_give_back,
    .wait = uring_wait,
    .flush = uring_flush,
};
