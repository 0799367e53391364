#ifndef RG_IO_SOCKET_H
#define RG_IO_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/error.h"

/* Stream sockets: making, binding and naming them. All descriptors are close-on-exec and do not
 * block. */

/* An address that a socket can be bound to or dial. */
struct rg_address {
    socklen_t len;
    union {
        struct sockaddr any;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
        struct sockaddr_un local;
        struct sockaddr_storage room;
    };
};

enum { RG_HOST_CHARS = 108 }; /* a numeric address, or a Unix socket's path, with its zero byte */

/* Reads a numeric IPv4 or IPv6 address. Errors: RG_EINVAL. */
RG_MUST_USE int rg_address_parse(const char *host, uint16_t port, struct rg_address *ret_address);
/* The numeric host (or path) and port. IPv4 within IPv6 is written as IPv4. */
void rg_address_format(const struct rg_address *address, char ret_host[RG_HOST_CHARS],
                       uint16_t *ret_port);
bool rg_address_is_loopback(const struct rg_address *address);
/* Both ends of a socket; len is 0 where the system does not tell. */
void rg_socket_peer(int fd, struct rg_address *ret_address);
void rg_socket_local(int fd, struct rg_address *ret_address);

/*
 * A listening TCP socket on host ("*" and "::*" are any address of the family, a numeric one, or
 * a name, which is looked up on the spot: this is for a server's start).
 * IPv6 ones take IPv6 only, so that both families can be bound side by side. Returns the
 * descriptor, given to the caller. Errors: RG_ENOENT: the address or its family is not available
 * here; RG_EINVAL, RG_EEXIST (in use), RG_EIO. ret_error then says what failed and why.
 */
RG_MUST_USE int rg_socket_listen_tcp(const char *host, uint16_t port, int backlog,
                                     struct rg_buf *ret_error);
/* The same on a path, which is removed first; mode 0 leaves the permissions to the umask. */
RG_MUST_USE int rg_socket_listen_unix(const char *path, unsigned mode, int backlog,
                                      struct rg_buf *ret_error);

/* Starts dialling; the socket becomes writable when it is decided (rg_socket_error). Returns the
 * descriptor, given. Errors: RG_EIO: it failed at once; *ret_errno says why. */
RG_MUST_USE int rg_socket_dial(const struct rg_address *address, int *ret_errno);
/* The pending error of the socket as errno has it; 0: none. */
int rg_socket_error(int fd);

void rg_socket_set_nodelay(int fd);
/* Probes after idle_s seconds of silence; 0 switches it off. */
void rg_socket_set_keepalive(int fd, int idle_s);

#endif
