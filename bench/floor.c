#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The floor of the benchmark: a server that parses nothing. It answers every '*' at the start of a
 * line with "+OK", which is one per request as long as no argument has a line that begins so. What
 * it costs, no server that answers over TCP can do without.
 *
 *   floor PORT uring|epoll
 */

enum { BUFFER_BYTES = 16 << 10, BUFFERS = 256, MAX_FDS = 4096, EVENTS = 512 };

static char reply[BUFFER_BYTES * 5 / 4];

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;

    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1024) < 0)
        fail("listen");
    return fd;
}

static void set_nodelay(int fd)
{
    int one = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* Bytes of reply for what was received. */
static size_t answer(const char *data, size_t len)
{
    size_t requests = 0;

    for (const char *at = data; (at = memchr(at, '*', len - (size_t)(at - data))) != NULL; at++)
        requests += at == data || at[-1] == '\n';
    return requests * 5 < sizeof(reply) ? requests * 5 : sizeof(reply);
}

static void run_epoll(int listener)
{
    static char buffer[BUFFER_BYTES];
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};

    (void)epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                event.data.fd = accept(listener, NULL, NULL);
                set_nodelay(event.data.fd);
                (void)epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
                continue;
            }
            ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
            if (got <= 0) {
                (void)close(fd);
                continue;
            }
            size_t len = answer(buffer, (size_t)got);
            if (len > 0 && send(fd, reply, len, MSG_NOSIGNAL) < 0 && errno != EPIPE)
                fail("send");
        }
    }
}

enum { OP_ACCEPT, OP_RECEIVE, OP_SEND };

static struct io_uring_sqe *next_sqe(struct io_uring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

    while (sqe == NULL) {
        (void)io_uring_submit(ring);
        sqe = io_uring_get_sqe(ring);
    }
    return sqe;
}

static void arm(struct io_uring *ring, int fd, int op)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    if (op == OP_ACCEPT) {
        io_uring_prep_multishot_accept(sqe, fd, NULL, NULL, 0);
    } else {
        io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
    }
    io_uring_sqe_set_data64(sqe, (uint64_t)fd << 2 | (uint64_t)op);
}

static void on_receive(struct io_uring *ring, struct io_uring_buf_ring *buffers, char *memory,
                       const struct io_uring_cqe *cqe, int fd)
{
    if (cqe->res > 0) {
        int id = (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
        char *data = memory + (size_t)id * BUFFER_BYTES;
        size_t len = answer(data, (size_t)cqe->res);
        io_uring_buf_ring_add(buffers, data, BUFFER_BYTES, (unsigned short)id,
                              io_uring_buf_ring_mask(BUFFERS), 0);
        io_uring_buf_ring_advance(buffers, 1);
        if (len > 0) {
            struct io_uring_sqe *sqe = next_sqe(ring);
            io_uring_prep_send(sqe, fd, reply, len, MSG_NOSIGNAL);
            io_uring_sqe_set_data64(sqe, (uint64_t)fd << 2 | OP_SEND);
        }
    }
    if (cqe->res == 0 || (cqe->res < 0 && cqe->res != -ENOBUFS))
        (void)close(fd);
    else if (!(cqe->flags & IORING_CQE_F_MORE))
        arm(ring, fd, OP_RECEIVE);
}

static void run_uring(int listener)
{
    struct io_uring ring;
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                              IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
                                     .cq_entries = 4096};
    struct io_uring_buf_reg reg = {.ring_entries = BUFFERS};
    char *memory = malloc((size_t)BUFFERS * BUFFER_BYTES);

    if (io_uring_queue_init_params(512, &ring, &params) < 0)
        fail("io_uring");
    struct io_uring_buf_ring *buffers =
        mmap(NULL, BUFFERS * sizeof(struct io_uring_buf), PROT_READ | PROT_WRITE,
             MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    reg.ring_addr = (uintptr_t)buffers;
    if (io_uring_register_buf_ring(&ring, &reg, 0) < 0)
        fail("buffer ring");
    io_uring_buf_ring_init(buffers);
    for (int i = 0; i < BUFFERS; i++)
        io_uring_buf_ring_add(buffers, memory + (size_t)i * BUFFER_BYTES, BUFFER_BYTES,
                              (unsigned short)i, io_uring_buf_ring_mask(BUFFERS), i);
    io_uring_buf_ring_advance(buffers, BUFFERS);
    arm(&ring, listener, OP_ACCEPT);
    for (;;) {
        struct io_uring_cqe *cqe = NULL;
        (void)io_uring_submit_and_wait(&ring, 1);
        while (io_uring_peek_cqe(&ring, &cqe) == 0) {
            struct io_uring_cqe copy = *cqe;
            int fd = (int)(copy.user_data >> 2);
            io_uring_cqe_seen(&ring, cqe);
            if ((copy.user_data & 3) == OP_ACCEPT && copy.res >= 0) {
                set_nodelay(copy.res);
                arm(&ring, copy.res, OP_RECEIVE);
            } else if ((copy.user_data & 3) == OP_RECEIVE) {
                on_receive(&ring, buffers, memory, &copy, fd);
            }
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    for (size_t i = 0; i + 5 <= sizeof(reply); i += 5)
        memcpy(reply + i, "+OK\r\n", 5);
    int listener = listen_on(atoi(argv[1]));
    if (strcmp(argv[2], "uring") == 0)
        run_uring(listener);
    else
        run_epoll(listener);
    return 0;
}
