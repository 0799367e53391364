#include "io/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int rg_address_parse(const char *host, uint16_t port, struct rg_address *ret_address)
{
    struct rg_address address = {0};

    if (inet_pton(AF_INET, host, &address.in4.sin_addr) == 1) {
        address.len = sizeof(address.in4);
        address.in4.sin_family = AF_INET;
        address.in4.sin_port = htons(port);
    } else if (inet_pton(AF_INET6, host, &address.in6.sin6_addr) == 1) {
        address.len = sizeof(address.in6);
        address.in6.sin6_family = AF_INET6;
        address.in6.sin6_port = htons(port);
    } else {
        return RG_EINVAL;
    }
    *ret_address = address;
    return 0;
}

static void address_format_in6(const struct rg_address *address, char ret_host[RG_HOST_CHARS])
{
    const struct in6_addr *in6 = &address->in6.sin6_addr;

    if (IN6_IS_ADDR_V4MAPPED(in6))
        (void)inet_ntop(AF_INET, &in6->s6_addr[12], ret_host, RG_HOST_CHARS);
    else
        (void)inet_ntop(AF_INET6, in6, ret_host, RG_HOST_CHARS);
}

void rg_address_format(const struct rg_address *address, char ret_host[RG_HOST_CHARS],
                       uint16_t *ret_port)
{
    ret_host[0] = '\0';
    *ret_port = 0;
    if (address->len == 0)
        return;
    switch (address->any.sa_family) {
    case AF_INET:
        (void)inet_ntop(AF_INET, &address->in4.sin_addr, ret_host, RG_HOST_CHARS);
        *ret_port = ntohs(address->in4.sin_port);
        break;
    case AF_INET6:
        address_format_in6(address, ret_host);
        *ret_port = ntohs(address->in6.sin6_port);
        break;
    case AF_UNIX:
        (void)snprintf(ret_host, RG_HOST_CHARS, "%.*s", (int)sizeof(address->local.sun_path) - 1,
                       address->local.sun_path);
        break;
    default:
        break;
    }
}

bool rg_address_is_loopback(const struct rg_address *address)
{
    if (address->len == 0)
        return false;
    switch (address->any.sa_family) {
    case AF_INET:
        return ntohl(address->in4.sin_addr.s_addr) >> 24 == 127;
    case AF_INET6:
        if (IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr))
            return address->in6.sin6_addr.s6_addr[12] == 127;
        return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
    case AF_UNIX:
        return true;
    default:
        return false;
    }
}

void rg_socket_peer(int fd, struct rg_address *ret_address)
{
    *ret_address = (struct rg_address){.len = sizeof(ret_address->room)};
    if (getpeername(fd, &ret_address->any, &ret_address->len) < 0)
        ret_address->len = 0;
}

void rg_socket_local(int fd, struct rg_address *ret_address)
{
    *ret_address = (struct rg_address){.len = sizeof(ret_address->room)};
    if (getsockname(fd, &ret_address->any, &ret_address->len) < 0)
        ret_address->len = 0;
}

static int socket_new(int family)
{
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Closes fd (where there is one) and turns errno into the house's error. */
static int socket_fail(int fd, const char *what, struct rg_buf *ret_error)
{
    int error = errno;

    rg_buf_printf(ret_error, "%s: %s", what, strerrordesc_np(error));
    if (fd >= 0)
        (void)close(fd);
    switch (error) {
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case EPFNOSUPPORT:
    case ENETUNREACH:
    case EHOSTUNREACH:
        return RG_ENOENT;
    case EADDRINUSE:
        return RG_EEXIST;
    default:
        return RG_EIO;
    }
}

static int socket_set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value));
}

static int socket_bind_and_listen(int fd, const struct rg_address *address, int backlog,
                                  struct rg_buf *ret_error)
{
    if (bind(fd, &address->any, address->len) < 0)
        return socket_fail(fd, "bind", ret_error);
    if (listen(fd, backlog) < 0)
        return socket_fail(fd, "listen", ret_error);
    return fd;
}

/* The address to bind for a host; names are looked up on the spot. */
static int socket_resolve_here(const char *host, uint16_t port, struct rg_address *ret_address,
                               struct rg_buf *ret_error)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list = NULL;
    char text[RG_HOST_CHARS];

    if (rg_address_parse(host, port, ret_address) == 0)
        return 0;
    int result = getaddrinfo(host, NULL, &hints, &list);
    if (result != 0) {
        rg_buf_append_str(ret_error, gai_strerror(result));
        return RG_EINVAL;
    }
    result =
        getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(list);
    return result == 0 ? rg_address_parse(text, port, ret_address) : RG_EINVAL;
}

int rg_socket_listen_tcp(const char *host, uint16_t port, int backlog, struct rg_buf *ret_error)
{
    struct rg_address address;

    if (strcmp(host, "*") == 0)
        host = "0.0.0.0";
    else if (strcmp(host, "::*") == 0)
        host = "::";
    int result = socket_resolve_here(host, port, &address, ret_error);
    if (result < 0)
        return result;
    int fd = socket_new(address.any.sa_family);
    if (fd < 0)
        return socket_fail(fd, "socket", ret_error);
    if (address.any.sa_family == AF_INET6 && socket_set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0)
        return socket_fail(fd, "setsockopt", ret_error);
    if (socket_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
        return socket_fail(fd, "setsockopt SO_REUSEADDR", ret_error);
    return socket_bind_and_listen(fd, &address, backlog, ret_error);
}

int rg_socket_listen_unix(const char *path, unsigned mode, int backlog, struct rg_buf *ret_error)
{
    struct rg_address address = {.len = sizeof(address.local)};

    address.local.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof(address.local.sun_path)) {
        rg_buf_append_str(ret_error, "the path is too long for a Unix socket");
        return RG_EINVAL;
    }
    memcpy(address.local.sun_path, path, strlen(path) + 1);
    int fd = socket_new(AF_UNIX);
    if (fd < 0)
        return socket_fail(fd, "socket", ret_error);
    /* What a process that was killed left behind. */
    (void)unlink(path);
    fd = socket_bind_and_listen(fd, &address, backlog, ret_error);
    if (fd >= 0 && mode != 0 && chmod(path, (mode_t)mode) < 0)
        return socket_fail(fd, "chmod", ret_error);
    return fd;
}

int rg_socket_dial(const struct rg_address *address, int *ret_errno)
{
    int fd = socket_new(address->any.sa_family);

    if (fd >= 0) {
        rg_socket_set_nodelay(fd);
        if (connect(fd, &address->any, address->len) == 0 || errno == EINPROGRESS)
            return fd;
    }
    *ret_errno = errno;
    if (fd >= 0)
        (void)close(fd);
    return RG_EIO;
}

int rg_socket_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return errno;
    return error;
}

void rg_socket_set_nodelay(int fd)
{
    /* Fails on Unix sockets, which have no such delay. */
    (void)socket_set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

void rg_socket_set_keepalive(int fd, int idle_s)
{
    (void)socket_set_int(fd, SOL_SOCKET, SO_KEEPALIVE, idle_s > 0);
    if (idle_s <= 0)
        return;
    /* Three probes, so that a dead peer is known after about twice the time. */
    int interval_s = idle_s / 3 > 0 ? idle_s / 3 : 1;
    (void)socket_set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle_s);
    (void)socket_set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval_s);
    (void)socket_set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}
