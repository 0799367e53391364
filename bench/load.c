#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * What redis-benchmark does not do: fill a server with keys in order, mix reads and writes, hold a
 * rate whatever the server does (open loop), watch for stalls while a server grows, and hold many
 * idle connections.
 *
 *   load fill  PORT KEYS VALUE_BYTES
 *   load mix   PORT KEYS REQUESTS CONNS PIPELINE READ_PERCENT VALUE_BYTES
 *   load open  PORT KEYS RATE SECONDS CONNS READ_PERCENT VALUE_BYTES  latencies in microseconds
 *   load stall PORT KEYS VALUE_BYTES PID         longest answers, microseconds; and CPU time of PID
 *   load idle  PORT CONNS                          says "ready", ends at the end of its input
 *
 * Keys are key:000000000000 and up, as redis-benchmark has them.
 */

enum { OUT_BYTES = 1 << 20, IN_BYTES = 1 << 20, MAX_VALUE = 1 << 17, LATENCIES = 1 << 22 };

struct conn {
    int fd;
    unsigned waiting; /* replies to come */
    size_t bulk_left; /* bytes of a bulk reply that are still to be skipped */
    char line[32];    /* the beginning of a reply */
    size_t line_len;
    int64_t *sent_ns; /* open loop: when each was due; a ring */
    unsigned sent_head;
    unsigned sent_tail;
};

enum { RING = 1 << 16 };

static char value[MAX_VALUE];
static char out[OUT_BYTES + MAX_VALUE];
static char in[IN_BYTES];
static uint64_t rand_state = 88172645463325252U;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t rand_next(void)
{
    rand_state ^= rand_state << 13;
    rand_state ^= rand_state >> 7;
    rand_state ^= rand_state << 17;
    return rand_state * 0x2545f4914f6cdd1dU;
}

static uint64_t rand_below(uint64_t n)
{
    return (uint64_t)((unsigned __int128)rand_next() * n >> 64);
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec ts;

    if (clock_gettime(clock, &ts) < 0)
        fail("clock_gettime");
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static void dial(struct conn *conn, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;

    *conn = (struct conn){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    if (conn->fd < 0 || connect(conn->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail("connect");
    (void)setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static size_t put_set(char *at, uint64_t key, size_t value_len)
{
    size_t n = (size_t)sprintf(at, "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012llu\r\n$%zu\r\n",
                               (unsigned long long)key, value_len);

    memcpy(at + n, value, value_len);
    memcpy(at + n + value_len, "\r\n", 2);
    return n + value_len + 2;
}

static size_t put_get(char *at, uint64_t key)
{
    return (size_t)sprintf(at, "*2\r\n$3\r\nGET\r\n$16\r\nkey:%012llu\r\n",
                           (unsigned long long)key);
}

static size_t put_mixed(char *at, uint64_t keys, unsigned read_percent, size_t value_len)
{
    uint64_t key = rand_below(keys);

    return rand_below(100) < read_percent ? put_get(at, key) : put_set(at, key, value_len);
}

static void send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            (void)poll(&p, 1, -1);
            continue;
        }
        if (n <= 0)
            fail("send");
        data += n;
        len -= (size_t)n;
    }
}

/* Counts the replies (of one line, or one bulk) that end in these bytes. */
static unsigned replies_in(struct conn *conn, const char *data, size_t len)
{
    unsigned count = 0;

    while (len > 0) {
        if (conn->bulk_left > 0) {
            size_t skip = conn->bulk_left < len ? conn->bulk_left : len;
            conn->bulk_left -= skip;
            data += skip;
            len -= skip;
            count += conn->bulk_left == 0;
            continue;
        }
        char c = *data++;
        len--;
        if (conn->line_len < sizeof(conn->line) - 1)
            conn->line[conn->line_len++] = c;
        if (c != '\n')
            continue;
        conn->line[conn->line_len] = '\0';
        if (conn->line[0] == '-') {
            (void)fprintf(stderr, "error reply: %s", conn->line);
            exit(1);
        }
        conn->line_len = 0;
        if (conn->line[0] == '$' && conn->line[1] != '-')
            conn->bulk_left = (size_t)strtoul(conn->line + 1, NULL, 10) + 2;
        else
            count++;
    }
    return count;
}

/* Reads what is there, at least one byte where the socket blocks. Returns the replies that ended.
 */
static unsigned receive(struct conn *conn)
{
    ssize_t n = recv(conn->fd, in, sizeof(in), 0);

    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n <= 0)
        fail("recv");
    unsigned count = replies_in(conn, in, (size_t)n);
    conn->waiting -= count;
    return count;
}

/* ---- fill ---- */

static int run_fill(int port, uint64_t keys, size_t value_len)
{
    enum { BATCH = 1000 };
    struct conn conn;

    dial(&conn, port);
    for (uint64_t key = 0; key < keys;) {
        size_t len = 0;
        for (; key < keys && conn.waiting < BATCH && len < OUT_BYTES - 100; key++) {
            len += put_set(out + len, key, value_len);
            conn.waiting++;
        }
        send_all(conn.fd, out, len);
        while (conn.waiting > 0)
            (void)receive(&conn);
    }
    return 0;
}

/* ---- mix: closed loop ---- */

static int run_mix(int port, char **args)
{
    uint64_t keys = strtoull(args[0], NULL, 10);
    uint64_t requests = strtoull(args[1], NULL, 10);
    unsigned conns = (unsigned)atoi(args[2]);
    unsigned pipeline = (unsigned)atoi(args[3]);
    unsigned read_percent = (unsigned)atoi(args[4]);
    size_t value_len = strtoul(args[5], NULL, 10);
    struct conn *all = calloc(conns, sizeof(*all));
    struct epoll_event events[64];
    int epoll = epoll_create1(0);
    uint64_t done = 0;
    int64_t began_ns = now_ns();

    for (unsigned i = 0; i < conns; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        dial(&all[i], port);
        (void)epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    for (unsigned i = 0; i < conns; i++) {
        size_t len = 0;
        for (; all[i].waiting < pipeline; all[i].waiting++)
            len += put_mixed(out + len, keys, read_percent, value_len);
        send_all(all[i].fd, out, len);
    }
    while (done < requests) {
        int n = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < n; i++) {
            struct conn *conn = events[i].data.ptr;
            size_t len = 0;
            done += receive(conn);
            if (conn->waiting > 0)
                continue;
            for (; conn->waiting < pipeline; conn->waiting++)
                len += put_mixed(out + len, keys, read_percent, value_len);
            send_all(conn->fd, out, len);
        }
    }
    (void)printf("%.0f\n", (double)done * 1e9 / (double)(now_ns() - began_ns));
    return 0;
}

/* ---- open: a rate that is held ---- */

struct open_loop {
    uint64_t keys;
    unsigned read_percent;
    size_t value_len;
    struct conn *conns;
    unsigned conn_count;
    int epoll;
    uint32_t *latencies_ns;
    size_t count;
};

static void open_send(struct open_loop *loop, int64_t due_ns)
{
    struct conn *conn = &loop->conns[rand_below(loop->conn_count)];

    if (conn->sent_tail - conn->sent_head == RING) {
        (void)fputs("the server cannot keep up with the rate\n", stderr);
        exit(1);
    }
    conn->sent_ns[conn->sent_tail++ % RING] = due_ns;
    conn->waiting++;
    send_all(conn->fd, out, put_mixed(out, loop->keys, loop->read_percent, loop->value_len));
}

/* A request counts from when it was due, also where this program itself was late. */
static void open_receive(struct open_loop *loop, struct conn *conn)
{
    unsigned ended = receive(conn);
    int64_t at_ns = now_ns();

    for (; ended > 0; ended--) {
        int64_t took_ns = at_ns - conn->sent_ns[conn->sent_head++ % RING];
        if (loop->count < LATENCIES)
            loop->latencies_ns[loop->count++] =
                took_ns > UINT32_MAX ? UINT32_MAX : (uint32_t)took_ns;
    }
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static int run_open(int port, char **args)
{
    struct open_loop loop = {.keys = strtoull(args[0], NULL, 10)};
    double rate = strtod(args[1], NULL);
    double seconds = strtod(args[2], NULL);
    struct epoll_event events[256];

    loop.conn_count = (unsigned)atoi(args[3]);
    loop.read_percent = (unsigned)atoi(args[4]);
    loop.value_len = strtoul(args[5], NULL, 10);
    loop.conns = calloc(loop.conn_count, sizeof(*loop.conns));
    loop.latencies_ns = malloc(LATENCIES * sizeof(*loop.latencies_ns));
    loop.epoll = epoll_create1(0);
    for (unsigned i = 0; i < loop.conn_count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &loop.conns[i]};
        dial(&loop.conns[i], port);
        (void)fcntl(loop.conns[i].fd, F_SETFL, O_NONBLOCK);
        loop.conns[i].sent_ns = malloc(RING * sizeof(int64_t));
        (void)epoll_ctl(loop.epoll, EPOLL_CTL_ADD, loop.conns[i].fd, &event);
    }
    int64_t began_ns = now_ns();
    uint64_t sent = 0;
    uint64_t total = (uint64_t)(rate * seconds);
    while (loop.count < total && loop.count < LATENCIES) {
        int64_t at_ns = now_ns();
        /* It spins: the client has its core for itself, and sleeping would add to what it sees. */
        while (sent < total && began_ns + (int64_t)((double)sent * 1e9 / rate) <= at_ns) {
            open_send(&loop, began_ns + (int64_t)((double)sent * 1e9 / rate));
            sent++;
        }
        int n = epoll_wait(loop.epoll, events, 256, 0);
        for (int i = 0; i < n; i++)
            open_receive(&loop, events[i].data.ptr);
    }
    qsort(loop.latencies_ns, loop.count, sizeof(*loop.latencies_ns), compare_u32);
    (void)printf("%.1f %.1f %.1f %.1f\n", loop.latencies_ns[loop.count / 2] / 1e3,
                 loop.latencies_ns[loop.count / 100 * 99] / 1e3,
                 loop.latencies_ns[loop.count / 1000 * 999] / 1e3,
                 loop.latencies_ns[loop.count - 1] / 1e3);
    return 0;
}

/* ---- stall ---- */

static double wait_us(struct conn *conn)
{
    int64_t began_ns = now_ns();

    while (conn->waiting > 0)
        (void)receive(conn);
    return (double)(now_ns() - began_ns) / 1e3;
}

/*
 * Adds keys, some at a time, and waits for the answers to each piece: a stall of any command in it
 * shows as a piece that took long. What pieces take when nothing stalls is the median. On a machine
 * that does other things as well, a piece is long too when the server had to wait for its core: the
 * CPU time that it spent on a piece says what is its own.
 */
static int run_stall(int port, uint64_t keys, size_t value_len, int pid)
{
    enum { PIECE = 16 };
    clockid_t server = 0;
    int64_t longest_cpu_ns = 0;
    size_t pieces = (size_t)(keys / PIECE);
    uint32_t *took_ns = malloc(pieces * sizeof(*took_ns));
    struct conn conn;

    if (took_ns == NULL || clock_getcpuclockid(pid, &server) != 0)
        fail("stall");
    dial(&conn, port);
    int64_t cpu_ns = clock_ns(server);
    for (size_t i = 0; i < pieces; i++) {
        size_t len = 0;
        for (uint64_t n = 0; n < PIECE; n++)
            len += put_set(out + len, i * PIECE + n, value_len);
        conn.waiting = PIECE;
        send_all(conn.fd, out, len);
        took_ns[i] = (uint32_t)(wait_us(&conn) * 1e3);
        int64_t now = clock_ns(server);
        if (now - cpu_ns > longest_cpu_ns)
            longest_cpu_ns = now - cpu_ns;
        cpu_ns = now;
    }
    qsort(took_ns, pieces, sizeof(*took_ns), compare_u32);
    (void)printf("%.1f %.1f %.1f %.1f %.1f\n", took_ns[pieces / 2] / 1e3,
                 took_ns[pieces - pieces / 10000 - 1] / 1e3, took_ns[pieces - 10] / 1e3,
                 took_ns[pieces - 1] / 1e3, (double)longest_cpu_ns / 1e3);
    return 0;
}

/* ---- idle ---- */

static int run_idle(int port, unsigned conns)
{
    struct rlimit limit = {.rlim_cur = conns + 64, .rlim_max = conns + 64};
    struct conn conn;
    char c = 0;

    (void)setrlimit(RLIMIT_NOFILE, &limit);
    for (unsigned i = 0; i < conns; i++) {
        dial(&conn, port);
        /* Each has been of use once, as idle ones have. */
        send_all(conn.fd, "*1\r\n$4\r\nPING\r\n", 14);
        conn.waiting = 1;
        (void)wait_us(&conn);
    }
    (void)puts("ready");
    (void)fflush(stdout);
    while (read(STDIN_FILENO, &c, 1) > 0)
        continue;
    return 0;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[1] : "";
    int port = argc > 2 ? atoi(argv[2]) : 0;

    memset(value, 'x', sizeof(value));
    if (strcmp(mode, "fill") == 0 && argc == 5)
        return run_fill(port, strtoull(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
    if (strcmp(mode, "mix") == 0 && argc == 9)
        return run_mix(port, argv + 3);
    if (strcmp(mode, "open") == 0 && argc == 9)
        return run_open(port, argv + 3);
    if (strcmp(mode, "stall") == 0 && argc == 6)
        return run_stall(port, strtoull(argv[3], NULL, 10), strtoul(argv[4], NULL, 10),
                         atoi(argv[5]));
    if (strcmp(mode, "idle") == 0 && argc == 4)
        return run_idle(port, (unsigned)atoi(argv[3]));
    (void)fputs("see the top of load.c\n", stderr);
    return 2;
}
