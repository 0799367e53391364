#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/clock.h"
#include "io/socket.h"
#include "server/serve.h"
#include "tests/harness.h"

/*
 * The host with a node that does little (echo_node.c), in a process of its own and a folder of its
 * own, spoken to over real sockets. Every case runs over both backends of the loop.
 */
struct server {
    pid_t pid;
    uint16_t port;
    char folder[32];
    const char *backend;
};

static uint16_t free_port(void)
{
    struct rg_buf error = {0};
    struct rg_address address;
    char host[RG_HOST_CHARS];
    uint16_t port = 0;
    int fd = rg_socket_listen_tcp("127.0.0.1", 0, 1, &error);

    RG_CHECK(fd >= 0);
    rg_socket_local(fd, &address);
    rg_address_format(&address, host, &port);
    (void)close(fd);
    rg_buf_fini(&error);
    return port;
}

static char *words(const char *text)
{
    return rg_alloc_copy(text, strlen(text));
}

/* In the child: never returns. */
static void server_child(const struct server *server, const char *name, const char *value)
{
    char port[16];
    char *argv[16];
    int argc = 0;

    (void)snprintf(port, sizeof(port), "%u", server->port);
    const char *const args[] = {"--port",    port,  "--io-backend", server->backend,
                                "--logfile", "log", "--bind",       "127.0.0.1",
                                name,        value};
    for (size_t i = 0; i < sizeof(args) / sizeof(args[0]) && args[i] != NULL; i++)
        argv[argc++] = words(args[i]);
    if (chdir(server->folder) < 0)
        _exit(99);
    /* A server that a failed test forgets does not outlive it for long. */
    (void)alarm(20);
    _exit(rg_serve(argc, argv, "test", false));
}

static void server_fork(struct server *server, const char *name, const char *value)
{
    (void)fflush(stdout);
    server->pid = fork();
    RG_CHECK(server->pid >= 0);
    if (server->pid == 0)
        server_child(server, name, value);
}

static struct server server_prepare(const char *backend)
{
    struct server server = {.port = free_port(), .backend = backend};

    (void)snprintf(server.folder, sizeof(server.folder), "host_test.XXXXXX");
    RG_CHECK(mkdtemp(server.folder) != NULL);
    return server;
}

static int dial_once(uint16_t port)
{
    struct rg_address address;
    int error = 0;

    RG_CHECK_INT(rg_address_parse("127.0.0.1", port, &address), 0);
    int fd = rg_socket_dial(&address, &error);
    if (fd < 0)
        return -1;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    if (poll(&wait, 1, 5000) == 1 && rg_socket_error(fd) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* The server needs a moment to start. */
static int dial(const struct server *server)
{
    for (int i = 0; i < 500; i++) {
        int fd = dial_once(server->port);
        if (fd >= 0)
            return fd;
        (void)usleep(10000);
    }
    rg_test_fail(__FILE__, __LINE__, "the server on port %u does not answer", server->port);
}

static void say(int fd, const char *text)
{
    RG_CHECK_INT(write(fd, text, strlen(text)), strlen(text));
}

/* Reads until len bytes are there, or the end. */
static size_t hear(int fd, char *room, size_t len)
{
    size_t got = 0;

    while (got < len) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        RG_CHECK_INT(poll(&wait, 1, 5000), 1);
        ssize_t n = read(fd, room + got, len - got);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            break;
        RG_CHECK(n > 0);
        got += (size_t)n;
    }
    return got;
}

static void expect(int fd, const char *text)
{
    char room[128];
    size_t n = hear(fd, room, strlen(text));

    RG_CHECK_BYTES(rg_bytes(room, n), text);
}

static void expect_end(int fd)
{
    char room[8];

    RG_CHECK_INT(hear(fd, room, 1), 0);
    (void)close(fd);
}

static int server_status(const struct server *server)
{
    int status = 0;

    RG_CHECK_INT(waitpid(server->pid, &status, 0), server->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void check_in_file(const struct server *server, const char *name, const char *needle,
                          bool present)
{
    char path[64];
    static char text[1 << 16];

    (void)snprintf(path, sizeof(path), "%s/%s", server->folder, name);
    int fd = open(path, O_RDONLY);
    RG_CHECK(fd >= 0);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    if ((strstr(text, needle) != NULL) != present)
        rg_test_fail(__FILE__, __LINE__, "'%s' in %s: %s", needle, path, text);
}

static void server_clean(const struct server *server)
{
    char command[96];

    (void)snprintf(command, sizeof(command), "rm -r %s", server->folder);
    RG_CHECK_INT(system(command), 0); /* NOLINT(cert-env33-c,concurrency-mt-unsafe) */
}

static const char *const backends[] = {"epoll", "auto"};

RG_TEST(a_client_is_served_and_the_start_and_end_are_logged)
{
    for (int i = 0; i < 2; i++) {
        struct server server = server_prepare(backends[i]);
        server_fork(&server, "--pidfile", "pid");
        int fd = dial(&server);
        say(fd, "hello");
        expect(fd, "hello");
        check_in_file(&server, "log", "Server initialized", true);
        check_in_file(&server, "log", "Ready to accept connections", true);
        char pid[32];
        (void)snprintf(pid, sizeof(pid), "%d\n", (int)server.pid);
        check_in_file(&server, "pid", pid, true);
        RG_CHECK_INT(kill(server.pid, SIGTERM), 0);
        RG_CHECK_INT(server_status(&server), 0);
        check_in_file(&server, "log", "Received SIGTERM scheduling shutdown...", true);
        char path[64];
        (void)snprintf(path, sizeof(path), "%s/pid", server.folder);
        RG_CHECK_INT(access(path, F_OK), -1);
        expect_end(fd);
        server_clean(&server);
    }
}

RG_TEST(replies_go_out_before_a_drained_close_and_to_a_half_closed_peer)
{
    for (int i = 0; i < 2; i++) {
        struct server server = server_prepare(backends[i]);
        server_fork(&server, NULL, NULL);
        int fd = dial(&server);
        say(fd, "quit");
        expect(fd, "bye");
        expect_end(fd);
        fd = dial(&server);
        say(fd, "kill");
        expect_end(fd);
        for (int round = 0; round < 20; round++) {
            fd = dial(&server);
            say(fd, "last");
            RG_CHECK_INT(shutdown(fd, SHUT_WR), 0);
            expect(fd, "last");
            expect_end(fd);
        }
        fd = dial(&server);
        say(fd, "exit");
        expect(fd, "exit");
        RG_CHECK_INT(server_status(&server), 7);
        expect_end(fd);
        server_clean(&server);
    }
}

RG_TEST(a_large_reply_reaches_a_slow_reader_while_others_are_served)
{
    enum { BIG = (8 << 20) + 1 };

    for (int i = 0; i < 2; i++) {
        struct server server = server_prepare(backends[i]);
        server_fork(&server, NULL, NULL);
        int slow = dial(&server);
        int quick = dial(&server);
        char *room = rg_alloc(BIG);
        say(slow, "big");
        for (int round = 0; round < 20; round++) {
            say(quick, "ping");
            expect(quick, "ping");
        }
        RG_CHECK_INT(hear(slow, room, BIG), BIG);
        RG_CHECK_INT(room[BIG - 1], '\n');
        RG_CHECK(memchr(room, '\n', BIG - 1) == NULL);
        rg_free(room);
        /* A reader that goes away in the middle harms nobody. */
        say(slow, "big");
        (void)hear(slow, (char[10]){0}, 10);
        (void)close(slow);
        say(quick, "still");
        expect(quick, "still");
        (void)close(quick);
        RG_CHECK_INT(kill(server.pid, SIGINT), 0);
        RG_CHECK_INT(server_status(&server), 0);
        server_clean(&server);
    }
}

RG_TEST(dialling_and_files_are_answered)
{
    for (int i = 0; i < 2; i++) {
        struct server server = server_prepare(backends[i]);
        server_fork(&server, NULL, NULL);
        int fd = dial(&server);
        char text[32];
        (void)snprintf(text, sizeof(text), "dial %u", server.port);
        say(fd, text);
        expect(fd, "up");
        (void)snprintf(text, sizeof(text), "dial %u.", server.port); /* by name */
        say(fd, text);
        expect(fd, "up");
        (void)snprintf(text, sizeof(text), "dial %u", free_port());
        say(fd, text);
        expect(fd, "down 2");
        say(fd, "save something");
        expect(fd, "saved 0");
        check_in_file(&server, "saved", "something", true);
        (void)close(fd);
        RG_CHECK_INT(kill(server.pid, SIGTERM), 0);
        RG_CHECK_INT(server_status(&server), 0);
        server_clean(&server);
    }
}

RG_TEST(a_refused_client_is_told_why)
{
    for (int i = 0; i < 2; i++) {
        struct server server = server_prepare(backends[i]);
        server_fork(&server, "--maxclients", "1");
        int fd = dial(&server);
        say(fd, "in");
        expect(fd, "in");
        int refused = dial(&server);
        expect(refused, "-ERR max number of clients reached\r\n");
        expect_end(refused);
        say(fd, "still in");
        expect(fd, "still in");
        (void)close(fd);
        RG_CHECK_INT(kill(server.pid, SIGTERM), 0);
        RG_CHECK_INT(server_status(&server), 0);
        server_clean(&server);
    }
}

static void write_in(const struct server *server, const char *name, const char *text)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "%s/%s", server->folder, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0644);
    RG_CHECK(fd >= 0);
    say(fd, text);
    (void)close(fd);
}

RG_TEST(damaged_files_end_the_start)
{
    struct server server = server_prepare("auto");

    write_in(&server, "dump.rdb", "X");
    server_fork(&server, NULL, NULL);
    RG_CHECK_INT(server_status(&server), 1);
    check_in_file(&server, "log", "Fatal error loading the DB: dump.rdb", true);
    check_in_file(&server, "log", "Ready to accept", false);
    write_in(&server, "regent.state", "bad");
    server_fork(&server, NULL, NULL);
    RG_CHECK_INT(server_status(&server), 1);
    check_in_file(&server, "log", "Fatal error: it is not what it should be", true);
    server_clean(&server);
}

RG_TEST(a_taken_port_ends_the_start)
{
    struct server server = server_prepare("auto");
    struct server second = server;

    server_fork(&server, NULL, NULL);
    (void)close(dial(&server));
    server_fork(&second, NULL, NULL);
    RG_CHECK_INT(server_status(&second), 1);
    char line[160];
    (void)snprintf(line, sizeof(line),
                   "Warning: Could not create server TCP listening socket 127.0.0.1:%u: bind: "
                   "Address already in use",
                   server.port);
    check_in_file(&server, "log", line, true);
    (void)snprintf(line, sizeof(line), "Failed listening on port %u (TCP), aborting.", server.port);
    check_in_file(&server, "log", line, true);
    RG_CHECK_INT(kill(server.pid, SIGTERM), 0);
    RG_CHECK_INT(server_status(&server), 0);
    server_clean(&server);
}
