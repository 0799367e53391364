#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * A steady writer: SETs of random keys at a fixed rate over a few connections, each with the time
 * from when it was due to its answer, so that a stall counts for all that waited behind it.
 *
 *     steady port keys size rate seconds out      (out: microseconds, one a line; SIGTERM ends it)
 */
enum { CONNS = 8, QUEUE = 1 << 16, SAMPLES = 1 << 26 };

static volatile sig_atomic_t over;

struct conn {
    int fd;
    int64_t due[QUEUE]; /* of what is under way; a ring */
    unsigned first;
    unsigned count;
    unsigned answered_bytes;
};

static int64_t now_us(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void on_signal(int number)
{
    (void)number;
    over = 1;
}

static int dial(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        perror("steady");
        exit(1);
    }
    return fd;
}

static void ask(struct conn *conn, uint64_t key, unsigned size, int64_t due)
{
    char text[4096];
    int head = snprintf(text, sizeof(text), "*3\r\n$3\r\nSET\r\n$14\r\nkey:%010llu\r\n$%u\r\n",
                        (unsigned long long)key, size);
    size_t len = (size_t)head;

    memset(text + len, 'a' + (int)(due % 26), size);
    len += size;
    memcpy(text + len, "\r\n", 2);
    len += 2;
    if (conn->count == QUEUE || write(conn->fd, text, len) != (ssize_t)len) {
        (void)fprintf(stderr, "steady: the server does not keep up\n");
        exit(1);
    }
    conn->due[(conn->first + conn->count++) % QUEUE] = due;
}

/* Every answer is +OK and a line's end. */
static size_t take(struct conn *conn, uint32_t *samples, size_t count)
{
    enum { ANSWER = 5 };
    char text[16384];
    ssize_t n = read(conn->fd, text, sizeof(text));

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return count;
    if (n <= 0 || text[0] == '-') {
        (void)fprintf(stderr, "steady: the server closed or refused\n");
        exit(1);
    }
    conn->answered_bytes += (unsigned)n;
    int64_t now = now_us();
    for (; conn->answered_bytes >= ANSWER; conn->answered_bytes -= ANSWER) {
        if (count < SAMPLES)
            samples[count++] = (uint32_t)(now - conn->due[conn->first]);
        conn->first = (conn->first + 1) % QUEUE;
        conn->count--;
    }
    return count;
}

int main(int argc, char **argv)
{
    static struct conn conns[CONNS];
    struct pollfd fds[CONNS];

    if (argc != 7) {
        (void)fprintf(stderr, "usage: steady port keys size rate seconds out\n");
        return 1;
    }
    uint64_t keys = strtoull(argv[2], NULL, 10);
    unsigned size = (unsigned)strtoul(argv[3], NULL, 10);
    double gap_us = 1e6 / strtod(argv[4], NULL);
    uint32_t *samples = malloc(SAMPLES * sizeof(uint32_t));
    size_t count = 0;
    uint64_t asked = 0;
    uint64_t random = 88172645463325252ULL;

    if (samples == NULL)
        return 1;
    (void)signal(SIGTERM, on_signal);
    for (int i = 0; i < CONNS; i++) {
        conns[i].fd = dial((uint16_t)strtoul(argv[1], NULL, 10));
        fds[i] = (struct pollfd){.fd = conns[i].fd, .events = POLLIN};
    }
    int64_t began = now_us();
    int64_t end = began + strtol(argv[5], NULL, 10) * 1000000;
    while (!over && now_us() < end) {
        int64_t due = began + (int64_t)((double)asked * gap_us);
        while (due <= now_us()) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            ask(&conns[asked % CONNS], random % keys, size, due);
            due = began + (int64_t)((double)++asked * gap_us);
        }
        int64_t left_us = due - now_us();
        struct timespec wait = {.tv_nsec = left_us > 0 ? left_us * 1000 : 0};
        if (ppoll(fds, CONNS, &wait, NULL) <= 0)
            continue;
        for (int i = 0; i < CONNS; i++) {
            if (fds[i].revents != 0)
                count = take(&conns[i], samples, count);
        }
    }
    FILE *out = fopen(argv[6], "w");
    if (out == NULL)
        return 1;
    for (size_t i = 0; i < count; i++)
        (void)fprintf(out, "%u\n", samples[i]);
    return fclose(out) == 0 ? 0 : 1;
}
