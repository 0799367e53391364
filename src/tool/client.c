#include "tool/client.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/clock.h"
#include "io/socket.h"

enum { CLIENT_READ_BYTES = 16384 };

__attribute__((format(printf, 3, 4))) static int client_fail(struct rg_client *client, int error,
                                                             const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(client->error, sizeof(client->error), format, args);
    va_end(args);
    return error;
}

static int client_fail_errno(struct rg_client *client, const char *what, int number)
{
    char text[128];

    return client_fail(client, RG_EIO, "%s: %s", what, strerror_r(number, text, sizeof(text)));
}

static int64_t client_deadline(const struct rg_client *client)
{
    return rg_clock_now().mono_us + client->timeout_ms * RG_MS_US;
}

static int client_wait(struct rg_client *client, short events, int64_t deadline_us)
{
    for (;;) {
        struct pollfd entry = {.fd = client->fd, .events = events};
        int64_t left_ms = (deadline_us - rg_clock_now().mono_us + RG_MS_US - 1) / RG_MS_US;
        int count = left_ms > 0 ? poll(&entry, 1, (int)left_ms) : 0;

        if (count > 0)
            return 0;
        if (count == 0)
            return client_fail(client, RG_EIO, "no answer within %lld ms",
                               (long long)client->timeout_ms);
        if (errno != EINTR)
            return client_fail_errno(client, "poll", errno);
    }
}

static int client_dial(struct rg_client *client, const struct addrinfo *info)
{
    struct rg_address address = {.len = info->ai_addrlen};
    int number = 0;
    int fd;

    memcpy(&address.room, info->ai_addr, info->ai_addrlen);
    fd = rg_socket_dial(&address, &number);
    if (fd < 0)
        return client_fail_errno(client, "connect", number);
    client->fd = fd;
    int result = client_wait(client, POLLOUT, client_deadline(client));
    number = result == 0 ? rg_socket_error(fd) : 0;
    if (number != 0)
        result = client_fail_errno(client, "connect", number);
    if (result < 0) {
        (void)close(fd);
        client->fd = -1;
        return result;
    }
    rg_socket_set_nodelay(fd);
    return 0;
}

static int client_connect(struct rg_client *client, const struct rg_target *target)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char port[8];
    int result = RG_EIO;

    (void)snprintf(port, sizeof(port), "%u", (unsigned)target->port);
    int status = getaddrinfo(target->host, port, &hints, &found);
    if (status != 0)
        return client_fail(client, RG_EIO, "%s", gai_strerror(status));
    for (struct addrinfo *info = found; info != NULL && result < 0; info = info->ai_next)
        result = client_dial(client, info);
    freeaddrinfo(found);
    return result;
}

int rg_client_open(struct rg_client *client, const struct rg_target *target,
                   const struct rg_login *login, int64_t timeout_ms)
{
    *client = (struct rg_client){.fd = -1, .timeout_ms = timeout_ms};
    int result = client_connect(client, target);

    if (result < 0 || login->pass == NULL)
        return result;
    struct rg_bytes pass = rg_bytes_str(login->pass);
    result = login->user != NULL
                 ? RG_CLIENT_CALL(client, RG_BYTES("AUTH"), rg_bytes_str(login->user), pass)
                 : RG_CLIENT_CALL(client, RG_BYTES("AUTH"), pass);
    return result < 0 ? RG_EIO : 0;
}

void rg_client_close(struct rg_client *client)
{
    if (client == NULL)
        return;
    if (client->fd >= 0)
        (void)close(client->fd);
    client->fd = -1;
    rg_buf_fini(&client->in);
    rg_buf_fini(&client->out);
    rg_free(client->frames);
    client->frames = NULL;
    client->frame_count = client->frame_cap = 0;
}

static int client_send(struct rg_client *client, int64_t deadline_us)
{
    while (rg_buf_len(&client->out) > 0) {
        struct rg_bytes view = rg_buf_view(&client->out);
        ssize_t n = send(client->fd, view.data, view.len, MSG_NOSIGNAL);
        int result = 0;

        if (n >= 0)
            rg_buf_consume(&client->out, (size_t)n);
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            result = client_wait(client, POLLOUT, deadline_us);
        else if (errno != EINTR)
            result = client_fail_errno(client, "send", errno);
        if (result < 0)
            return result;
    }
    return 0;
}

static int client_receive(struct rg_client *client, int64_t deadline_us)
{
    for (;;) {
        char *room = rg_buf_reserve(&client->in, CLIENT_READ_BYTES);
        ssize_t n = recv(client->fd, room, CLIENT_READ_BYTES, 0);
        int result = 0;

        if (n > 0) {
            rg_buf_commit(&client->in, (size_t)n);
            return 0;
        }
        if (n == 0)
            return client_fail(client, RG_EIO, "the server closed the connection");
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            result = client_wait(client, POLLIN, deadline_us);
        else if (errno != EINTR)
            result = client_fail_errno(client, "receive", errno);
        if (result < 0)
            return result;
    }
}

static struct rg_frame *client_new_frame(struct rg_client *client)
{
    if (client->frame_count == client->frame_cap) {
        client->frame_cap = client->frame_cap > 0 ? client->frame_cap * 2 : 64;
        client->frames = rg_realloc(client->frames, client->frame_cap * sizeof(client->frames[0]));
    }
    return &client->frames[client->frame_count++];
}

/* Reads one reply with all its elements at the front of the input. Errors: RG_EAGAIN, RG_EPROTO. */
static int client_parse(struct rg_client *client)
{
    struct rg_bytes input = rg_buf_view(&client->in);
    int64_t pending = 1;

    client->frame_count = 0;
    while (pending > 0) {
        struct rg_frame *frame = client_new_frame(client);
        size_t used = 0;
        int result = rg_frame_parse(input, &used, frame);

        if (result < 0)
            return result;
        input = rg_bytes(input.data + used, input.len - used);
        pending--;
        if (frame->type == RG_FRAME_ARRAY)
            pending += frame->len;
        else if (frame->type == RG_FRAME_MAP)
            pending += 2 * frame->len;
    }
    return 0;
}

int rg_client_call(struct rg_client *client, const struct rg_bytes *argv, int argc)
{
    int64_t deadline_us = client_deadline(client);
    int result;

    rg_buf_reset(&client->in, SIZE_MAX);
    rg_request_write(&client->out, argv, argc);
    result = client_send(client, deadline_us);
    while (result == 0) {
        result = client_parse(client);
        if (result != RG_EAGAIN)
            break;
        result = client_receive(client, deadline_us);
    }
    if (result == RG_EPROTO)
        return client_fail(client, RG_EPROTO, "the server does not speak Redis' protocol");
    if (result < 0)
        return result;
    if (client->frames[0].type == RG_FRAME_ERROR) {
        struct rg_bytes text = client->frames[0].bytes;
        return client_fail(client, RG_EINVAL, "%.*s", (int)text.len, text.data);
    }
    return 0;
}
