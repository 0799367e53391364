#ifndef RG_IO_LOOP_H
#define RG_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "io/socket.h"

/*
 * The event loop: what happened to sockets is pulled out as events, in order. Two backends, epoll
 * and io_uring, behind one table of operations (io/backend.h). One thread owns a loop.
 *
 * A turn:
 *   1. rg_loop_wait, then rg_loop_next until it returns false;
 *   2. rg_loop_send for each socket with output;
 *   3. rg_loop_flush, or the next wait, which sends first (io_uring: in the same system call); then
 *      rg_loop_next_sent until false.
 */
struct rg_loop;

/* Something the loop watches: a listener, a stream, or a plain descriptor. The loop owns it and its
 * descriptor until rg_loop_close; nothing is told about it after that. */
struct rg_sock;

enum rg_loop_kind { RG_LOOP_EPOLL, RG_LOOP_URING };

/* Errors: RG_ENOENT: the kernel does not offer (or does not allow) the backend. */
RG_MUST_USE int rg_loop_new(enum rg_loop_kind kind, struct rg_loop **ret_loop);
/* Closes every socket left. */
void rg_loop_free(struct rg_loop *loop);
/* "epoll" or "io_uring". */
const char *rg_loop_name(const struct rg_loop *loop);

/* Descriptors are given to the loop. user is the caller's word, see rg_sock_user. */
struct rg_sock *rg_loop_listen(struct rg_loop *loop, int fd, void *user);
/* A descriptor that is told as READABLE as long as it can be read. */
struct rg_sock *rg_loop_watch(struct rg_loop *loop, int fd, void *user);
/* Dials; CONNECTED or CONNECT_FAILED follows, with the next wait at the earliest. */
struct rg_sock *rg_loop_connect(struct rg_loop *loop, const struct rg_address *address, void *user);
/* Not told of again; the descriptor is closed, at the latest in the next wait. */
void rg_loop_close(struct rg_loop *loop, struct rg_sock *sock);

void *rg_sock_user(const struct rg_sock *sock);
void rg_sock_set_user(struct rg_sock *sock, void *user);
/* It took less than was offered, or is being dialled; WRITABLE (or the end) will come. */
bool rg_sock_is_blocked(const struct rg_sock *sock);
/* Lent; -1 where dialling failed at once. */
int rg_sock_fd(const struct rg_sock *sock);

enum rg_loop_event_type {
    RG_LOOP_ACCEPTED,      /* sock: the listener; peer: the new stream, without a user word */
    RG_LOOP_ACCEPT_FAILED, /* error; after EMFILE and its like the listener pauses for a moment */
    RG_LOOP_CONNECTED,
    RG_LOOP_CONNECT_FAILED, /* error: ECONNREFUSED, EHOSTUNREACH, … */
    RG_LOOP_RECEIVED,       /* bytes, lent until the next rg_loop_wait */
    RG_LOOP_WRITABLE,       /* after a send that took less than was offered */
    RG_LOOP_CLOSED,         /* the peer ended the stream (error 0), or it broke */
    RG_LOOP_READABLE,       /* of rg_loop_watch */
};

struct rg_loop_event {
    enum rg_loop_event_type type;
    struct rg_sock *sock;
    struct rg_sock *peer;
    struct rg_bytes bytes;
    int error; /* as errno */
};

/* Waits until something happened, at most timeout_us (negative: without end). What a stream got
 * is in events afterwards. */
void rg_loop_wait(struct rg_loop *loop, int64_t timeout_us);
bool rg_loop_next(struct rg_loop *loop, struct rg_loop_event *ret_event);

/* Where the next bytes of a stream go that is known to bring many: RECEIVED tells of them there,
 * without a copy, or elsewhere where they were on their way already. It is said when all events
 * were taken (some may follow at once) and counts for one reception; the memory is lent until that
 * is taken, until another call (NULL: none), or until the socket is closed. */
void rg_loop_set_room(struct rg_loop *loop, struct rg_sock *sock, char *room, size_t bytes);
/* So many bytes received at once may be the beginning of more; it is worth while to ask. */
enum { RG_LOOP_MUCH_BYTES = 4 << 10 };

enum { RG_LOOP_MAX_RUNS = 16, RG_LOOP_MAX_SENDS = 256 };

/* Offers the runs for sending; they must stay as they are until the flush, or the next wait, has
 * returned. At most one per socket between two of these. False: the loop holds as many as it can,
 * flush first. */
RG_MUST_USE bool rg_loop_send(struct rg_loop *loop, struct rg_sock *sock,
                              const struct rg_bytes *runs, unsigned count);
/* Sends what the sockets take without waiting. */
void rg_loop_flush(struct rg_loop *loop);
/* How much each took, in the order of the offers. Where it is less than was offered, WRITABLE or
 * CLOSED follows as an event. */
bool rg_loop_next_sent(struct rg_loop *loop, struct rg_sock **ret_sock, size_t *ret_n);

#endif
