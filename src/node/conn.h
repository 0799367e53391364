#ifndef RG_NODE_CONN_H
#define RG_NODE_CONN_H

#include "base/buf.h"
#include "node/node.h"
#include "proto/resp.h"

/*
 * Connections as the files of src/node see them, the memory that goes round among them, and how the
 * requests of many are taken at once. What a connection holds is in node_impl.h.
 */

enum rg_conn_kind {
    RG_CONN_CLIENT,
    RG_CONN_REPLICA,  /* a client that sent SYNC or PSYNC */
    RG_CONN_PEER_IN,  /* a member that said GROUP HELLO to us */
    RG_CONN_PEER_OUT, /* our message link to a member */
    RG_CONN_SENTINEL, /* a sentinel's link to who it watches */
    RG_CONN_STREAM,   /* our replication stream from the primary */
    RG_CONN_MIGRATE,  /* ours to a server that keys go to */
};

/* What a client that takes no further command waits for. */
enum rg_block {
    RG_BLOCK_NONE,
    RG_BLOCK_WAIT,      /* WAIT, WAITAOF: acknowledgements */
    RG_BLOCK_FILE,      /* a file of its command is being written */
    RG_BLOCK_STOP,      /* SHUTDOWN: the end, or that there is none */
    RG_BLOCK_HAND_OVER, /* GROUP FAILOVER: the end of the hand-over */
    RG_BLOCK_PAUSE,     /* CLIENT PAUSE, or a hand-over: runs its command afterwards */
    RG_BLOCK_MIGRATE,   /* MIGRATE: the other server's replies */
    RG_BLOCK_KEYS,      /* BLPOP and its like: a change of its keys; in node->waiting */
};

/* Memory for input and output that no connection needs just now (room.c). */
struct rg_rooms {
    struct rg_buf *spare; /* owned; empty buffers */
    unsigned count;
    unsigned low; /* the fewest there were since the last cron */
    size_t bytes;
};

/* ---- conn.c ---- */
enum { CONN_ADDRESS_CHARS = 288 }; /* a name of the longest kind and a port */
struct rg_conn *conn_new(struct rg_node *node, enum rg_conn_kind kind);
void conn_free(struct rg_node *node, struct rg_conn *conn);
/* Names both ends. The words are copied; most connections never need more than their few bytes. */
void conn_name(struct rg_conn *conn, const char *peer, const char *local, const char *peer_host);
/* Dials; the handle is dropped by rg_node_closed as any other. */
struct rg_conn *conn_dial(struct rg_node *node, enum rg_conn_kind kind, const char *host,
                          uint16_t port);
/* Closes behind what may still go out (drain), or at once. Idempotent. */
void conn_close(struct rg_node *node, struct rg_conn *conn, bool drain);
/* There is output, or more of it may go out. */
void conn_wants_output(struct rg_node *node, struct rg_conn *conn);
void conn_wants_input(struct rg_node *node, struct rg_conn *conn);
/* What arrived and was not taken yet. */
struct rg_bytes conn_input(const struct rg_conn *conn);
void conn_consume(struct rg_conn *conn, size_t n);
/* Makes what is lent the connection's own (in). */
void conn_keep_input(struct rg_node *node, struct rg_conn *conn);
/* Room at the end of what a connection has of a large request, for the rest of it; 0: it needs
 * none.
 */
size_t conn_input_room(struct rg_conn *conn, char **ret_room);
/* The bytes lie in that room already. */
bool conn_is_in_room(const struct rg_conn *conn, struct rg_bytes bytes);
/* A reply writer at the end of its output. */
struct rg_reply conn_reply(struct rg_conn *conn);
/* Bytes that no command asked for (a message of pub/sub); they stay behind gated replies. */
void conn_push_begin(struct rg_conn *conn, size_t *ret_mark);
void conn_push_end(struct rg_node *node, struct rg_conn *conn, size_t mark);
struct rg_conn *conn_by_id(struct rg_node *node, uint64_t id);
void conn_block(struct rg_node *node, struct rg_conn *conn, enum rg_block block, int64_t until_us);
void conn_unblock(struct rg_node *node, struct rg_conn *conn);

/* ---- room.c ---- */
/* Memory for a buffer that has none, where there is some to spare. */
void room_take(struct rg_node *node, struct rg_buf *buf);
/* Takes the memory of an empty buffer back. */
void room_give(struct rg_node *node, struct rg_buf *buf);
void room_cron(struct rg_node *node);
void room_fini(struct rg_node *node);

/* ---- lend.c: large values of the store in the output ---- */
struct rg_command;
/* Whether what this command replies may be lent, and stays as it is while it runs. */
bool lend_allowed(const struct rg_command *command);
/* The reply that was just written lent something (conn->lents). */
void lend_begin(struct rg_node *node, struct rg_conn *conn);
/* The first `ready` bytes of out, with what stands between them, in up to max runs. */
unsigned lend_output(const struct rg_conn *conn, size_t ready, struct rg_bytes *ret_runs,
                     unsigned max);
/* n bytes of that were sent; returns how many of them out has. */
size_t lend_sent(struct rg_conn *conn, size_t n);
uint64_t lend_bytes(const struct rg_conn *conn);
/* What is lent becomes the connection's own. */
void lend_end(struct rg_conn *conn);
void lend_end_all(struct rg_node *node);

/* ---- large.c: the large value at the end of a request ---- */
struct rg_large {
    struct rg_string_draft *draft; /* owned; NULL: there is none on its way */
    size_t len;                    /* of the value; two bytes follow */
    size_t have;
};
/* Where the request that is being received ends with a large value, it is put aside from now on. */
void large_begin(struct rg_node *node, struct rg_conn *conn);
/* Takes what belongs to the value, as far as it does not lie there already; returns how much. */
size_t large_receive(struct rg_conn *conn, struct rg_bytes bytes);
size_t large_room(struct rg_conn *conn, char **ret_room);
/* As session_step, for the request with the value. */
bool large_step(struct rg_node *node, struct rg_conn *conn);
void large_drop(struct rg_conn *conn);

/* ---- batch.c: many clients' input at once ---- */
struct rg_batch;
struct rg_batch *batch_new(void);
void batch_free(struct rg_batch *batch);
/* Takes what clients sent, as far as it can be taken. */
void batch_run(struct rg_node *node);
/* The store is another one, whose hashes differ: what was gathered and did not run yet hashes anew.
 */
void batch_forget_keys(struct rg_node *node);
/* Nothing is taken now: what is lent is kept for a later run. */
void batch_hold(struct rg_node *node);

#endif
