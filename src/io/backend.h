#ifndef RG_IO_BACKEND_H
#define RG_IO_BACKEND_H

#include <sys/uio.h>

#include "base/list.h"
#include "io/loop.h"

/* What the backends of the loop share. Private to src/io. */

enum rg_sock_kind {
    RG_SOCK_LISTENER,
    RG_SOCK_WATCH,
    RG_SOCK_CONNECTING,
    RG_SOCK_STREAM,
    RG_SOCK_GONE, /* closed by the caller; waits for the kernel to let go */
};

struct rg_sock {
    struct rg_list node; /* in loop->socks */
    enum rg_sock_kind kind;
    int fd;
    void *user;
    bool ended;        /* CLOSED or CONNECT_FAILED was told */
    bool want_write;   /* the caller waits for WRITABLE, or for the end of dialling */
    bool accept_later; /* a listener that pauses until resume_at_us */
    int64_t resume_at_us;
    unsigned armed;     /* backend: operations or interests in the kernel, a set of bits */
    unsigned in_flight; /* io_uring: operations whose last completion has not come */
    char *room;         /* lent: where the next bytes go; NULL: to memory of the backend's */
    size_t room_bytes;
    unsigned bulky; /* so many receptions more are of little, for a large request may begin there */
    bool stale;     /* io_uring: operations are missing and to be armed at the next wait */
};

/* A stream that brought a large request: the beginning of the next one is copied, and should be
 * short. */
enum { RG_SOCK_BULKY = 8, RG_SOCK_BULKY_BYTES = RG_LOOP_MUCH_BYTES };

struct rg_loop_send_item {
    struct rg_sock *sock; /* NULL: closed meanwhile */
    struct iovec runs[RG_LOOP_MAX_RUNS];
    unsigned run_count;
    size_t offered;
    size_t sent;
    bool decided; /* the backend knows what became of it */
    struct msghdr header;
};

/* An event and the piece of the backend's memory that it lends. */
struct rg_loop_entry {
    struct rg_loop_event event;
    int buffer; /* io_uring: the provided buffer's id; -1: none */
};

struct rg_loop_ops {
    const char *name;
    int (*open)(struct rg_loop *loop);
    void (*close)(struct rg_loop *loop);
    /* Begins to watch the socket for what its kind asks for. */
    void (*add)(struct rg_loop *loop, struct rg_sock *sock);
    /* Brings the interests in line with want_write, kind, accept_later and room. */
    void (*update)(struct rg_loop *loop, struct rg_sock *sock);
    /* Stops watching. True: nothing of it is left in the kernel; false: the backend calls
     * rg_loop_release when that is so. */
    bool (*remove)(struct rg_loop *loop, struct rg_sock *sock);
    /* Takes back what the entry lent. */
    void (*give_back)(struct rg_loop *loop, const struct rg_loop_entry *entry);
    /* Begins with sending, where sends_waiting. */
    void (*wait)(struct rg_loop *loop, int64_t timeout_us);
    void (*flush)(struct rg_loop *loop);
};

struct rg_loop {
    const struct rg_loop_ops *ops;
    void *backend; /* owned by ops */
    struct rg_list socks;
    struct rg_loop_entry *entries; /* a queue: read at entry_head, written at entry_tail */
    size_t entry_head;
    size_t entry_tail;
    size_t entry_cap;
    struct rg_loop_send_item *sends;
    unsigned send_count;
    unsigned send_told;
    bool sends_waiting; /* offered, and not sent yet */
    unsigned paused;    /* listeners that wait to accept again */
};

extern const struct rg_loop_ops rg_loop_epoll_ops;
extern const struct rg_loop_ops rg_loop_uring_ops;

/* Adds an event. */
void rg_loop_tell(struct rg_loop *loop, const struct rg_loop_event *event, int buffer);
/* CLOSED or CONNECT_FAILED, whichever fits; once. */
void rg_loop_tell_end(struct rg_loop *loop, struct rg_sock *sock, int error);
/* The socket can be written: CONNECTED, CONNECT_FAILED or WRITABLE. */
void rg_loop_tell_writable(struct rg_loop *loop, struct rg_sock *sock);
/* An accept gave fd, or -1 with error. */
void rg_loop_tell_accepted(struct rg_loop *loop, struct rg_sock *listener, int fd, int error);
/* Receives into the socket's room, of which there is one. */
void rg_loop_fill_room(struct rg_loop *loop, struct rg_sock *sock);
/* A send gave result: bytes, or a negative errno. */
void rg_loop_sent(struct rg_loop *loop, struct rg_loop_send_item *item, int64_t result);
/* Closes the descriptor and frees the socket. */
void rg_loop_release(struct rg_sock *sock);

#endif
