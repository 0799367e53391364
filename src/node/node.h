#ifndef RG_NODE_NODE_H
#define RG_NODE_NODE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "node/config.h"

/*
 * A node: one whole server without I/O. Everything that happens comes in as a call with its time;
 * everything it wants done is pulled out as effects and output. It can be run by a host with real
 * sockets (src/server) or by the simulator (sim), and many can live in one process.
 *
 * A turn of the host:
 *   1. hand over what arrived: rg_node_accepted/connected/received/closed/file_done;
 *   2. rg_node_run(now): the node executes the batch;
 *   3. drain rg_node_next_effect until it returns false, carrying out each in order;
 *   4. send what rg_node_next_output names;
 *   5. wait for the next happening, at most until rg_node_deadline.
 * `now` is read after the bytes handed over with it were received (base/time.h).
 */
struct rg_node;

/*
 * A connection, either way round. The node makes it (accepted, or effect CONNECT), and it lives
 * until the host calls rg_node_closed for it, which it does exactly once for each, also where the
 * node itself asked for the close.
 */
struct rg_conn;

struct rg_node_init {
    struct rg_config *config; /* given: the node frees it */
    uint64_t seed;            /* of everything random */
    struct rg_time now;
    int64_t pid;             /* for INFO */
    const char *executable;  /* for INFO; borrowed for the node's life */
    const char *self_member; /* which of group-members this node is; NULL outside groups */
    unsigned planted;        /* enum rg_planted; 0 but in one test */
    /* Memory of a value over which a snapshot takes it in pieces; 0: the usual. */
    uint64_t snapshot_whole_bytes;
    /* Entries or elements of a slice of it where there is no clock; 0: the usual. */
    uint64_t snapshot_step;
    /* Monotonic microseconds, for the durations in SLOWLOG, LATENCY and command statistics only: no
     * decision rests on it. NULL: durations are 0. */
    int64_t (*clock_us)(void *arg);
    void *clock_arg;
};

/* What a sentinel's lines say is checked. Errors: RG_EINVAL with ret_error. */
RG_MUST_USE int rg_node_check_sentinel(const struct rg_config *config, struct rg_buf *ret_error);

struct rg_node *rg_node_new(const struct rg_node_init *init);
void rg_node_free(struct rg_node *node);

/* ---- Before the start: what the disk held. Skipped where the file does not exist. ---- */

/* The state file (RG_NODE_STATE_FILE). Errors: RG_ECORRUPT: do not start; say so. */
RG_MUST_USE int rg_node_load_state(struct rg_node *node, struct rg_bytes text);
/* The RDB file, in pieces, then an empty piece for its end. Between them the node may run, when it
 * was told of the beginning: it answers what may be answered meanwhile. Errors: RG_ECORRUPT,
 * RG_ETYPE: rg_node_load_error says what and where. */
void rg_node_load_begin(struct rg_node *node, uint64_t size_bytes, struct rg_time now);
RG_MUST_USE int rg_node_load_rdb(struct rg_node *node, struct rg_bytes piece);
/*
 * The log on disk (appendonly): its manifest is given in any case where there is one; where
 * appendonly is on, the files that it names follow instead of the RDB, each in pieces and an empty
 * piece. Errors of both: RG_ECORRUPT, RG_ETYPE.
 */
RG_MUST_USE int rg_node_load_manifest(struct rg_node *node, struct rg_bytes text);
void rg_node_load_log_begin(struct rg_node *node, uint64_t size_bytes, struct rg_time now);
/* The path of the file to be read as number `index`, from 0 on; false: there is none. */
bool rg_node_load_log_file(const struct rg_node *node, unsigned index, char *ret_path, size_t size);
RG_MUST_USE int rg_node_load_log(struct rg_node *node, struct rg_bytes piece);
const char *rg_node_load_error(const struct rg_node *node);
/* Everything was loaded: the node may begin. */
void rg_node_start(struct rg_node *node, struct rg_time now);

/* ---- Inputs ---- */

enum rg_conn_origin { RG_CONN_TCP, RG_CONN_UNIX };
struct rg_conn_info {
    enum rg_conn_origin origin;
    const char *peer_host; /* numeric; or the socket's path */
    uint16_t peer_port;
    const char *local_host;
    uint16_t local_port;
    int fd;        /* for CLIENT LIST only; -1 in the simulator */
    bool loopback; /* protected mode lets it in */
};
/* A connection came in. NULL: over maxclients or refused by protected mode; *ret_refusal is then
 * the error to send before closing (static). The info is copied. */
struct rg_conn *rg_node_accepted(struct rg_node *node, const struct rg_conn_info *info,
                                 struct rg_time now, const char **ret_refusal);
/* A connection that the node asked for is established. */
void rg_node_connected(struct rg_node *node, struct rg_conn *conn, const struct rg_conn_info *info,
                       struct rg_time now);
/* Bytes arrived. They are lent until the next rg_node_run returns. */
void rg_node_received(struct rg_node *node, struct rg_conn *conn, struct rg_bytes bytes,
                      struct rg_time now);

/* Where the rest of a large request should be put, so that it needs no copy: bytes received there
 * are handed over as they lie. Returns how many there is room for; 0: nowhere in particular. The
 * memory holds until anything else is received on the connection, or it is closed. Not while bytes
 * are lent. */
size_t rg_node_room(struct rg_node *node, struct rg_conn *conn, char **ret_room);

enum rg_close_reason {
    RG_CLOSE_ASKED,      /* the node asked */
    RG_CLOSE_EOF,        /* the peer closed, or the connection broke */
    RG_CLOSE_REFUSED,    /* dialling: actively refused */
    RG_CLOSE_UNREACHED,  /* dialling: no route, or no answer in time */
    RG_CLOSE_UNRESOLVED, /* dialling: the name has no address */
};
/* The connection is gone; the handle is dead from here on. */
void rg_node_closed(struct rg_node *node, struct rg_conn *conn, enum rg_close_reason reason,
                    struct rg_time now);
/* A file effect is done. result: 0, RG_EIO or RG_ENOSPC. */
void rg_node_file_done(struct rg_node *node, uint64_t token, int result, struct rg_time now);
/* A script ended with status, or by a signal (> 0; 0: by itself). */
void rg_node_script_ended(struct rg_node *node, uint64_t token, int status, int signal,
                          struct rg_time now);
/* The same of FILE_READ. The bytes, fewer at the file's end only, are lent until this returns;
 * size: the whole file's. */
void rg_node_file_read(struct rg_node *node, uint64_t token, int result, struct rg_bytes bytes,
                       uint64_t size, struct rg_time now);
/* SIGTERM, or SIGINT (interrupted): stop as SHUTDOWN does, with the words of the directive. */
void rg_node_stop(struct rg_node *node, bool interrupted, struct rg_time now);

/* Figures that only the host knows, for INFO; given when they change or about once a second. */
struct rg_node_facts {
    char allocator[32]; /* "jemalloc-5.3.0"; "": "libc" */
    uint64_t allocated; /* by the allocator; slabs of the store are beside it */
    uint64_t active;    /* pages that hold something of that */
    uint64_t resident;  /* pages that the allocator has in memory */
    uint64_t used_memory_rss;
    uint64_t total_system_memory;
    int64_t cpu_user_us;
    int64_t cpu_system_us;
    int64_t cpu_thread_user_us; /* of the thread that runs the node */
    int64_t cpu_thread_system_us;
    void (*allocator_report)(struct rg_buf *out); /* for people; NULL: there is none */
    const char *io_backend;                       /* "epoll", "io_uring"; static */
    char os[128]; /* system, release and machine; "" where there is none */
};
void rg_node_set_facts(struct rg_node *node, const struct rg_node_facts *facts);

/* Executes what came in and what is due. */
void rg_node_run(struct rg_node *node, struct rg_time now);

/* ---- Outputs ---- */

enum rg_effect_type {
    RG_EFFECT_CONNECT,      /* dial host:port for conn; then connected or closed */
    RG_EFFECT_CLOSE,        /* close conn; drain: after its output went out */
    RG_EFFECT_FILE_REPLACE, /* name gets bytes, all or nothing (beside, synced, renamed, the folder
                               synced); then file_done(token) */
    RG_EFFECT_FILE_CREATE,  /* create or empty name; file_done(token) */
    RG_EFFECT_FILE_APPEND,  /* bytes to the end of name; file_done(token) */
    RG_EFFECT_FILE_RENAME, /* sync name, rename it to new_name, sync the folder; file_done(token) */
    RG_EFFECT_FILE_REMOVE, /* missing is no error; file_done(token) */
    RG_EFFECT_FILE_FOLDER, /* name is a folder from here on, if it is none yet; file_done(token) */
    RG_EFFECT_FILE_READ,   /* up to `length` bytes of name from position on; file_read(token) */
    /* The log's files: not behind what is done with others. */
    RG_EFFECT_LOG_APPEND, /* bytes to the end of name, which is there; file_done(token) */
    RG_EFFECT_LOG_SYNC,   /* what was appended to name is durable; file_done(token) */
    RG_EFFECT_LOG_CUT,    /* name ends at position, and what is left is durable; file_done(token) */
    RG_EFFECT_LOG,        /* one line at level; no newline */
    RG_EFFECT_SLEEP,      /* DEBUG SLEEP: block for sleep_us before anything else */
    RG_EFFECT_PURGE,      /* the allocator gives back what it keeps */
    RG_EFFECT_CONFIG,     /* CONFIG SET changed a directive that the host acts on (name) */
    RG_EFFECT_SCRIPT,     /* run the program argv; then script_ended(token) */
    RG_EFFECT_SCRIPT_KILL, /* kill the script of this token, and all that it started */
    RG_EFFECT_EXIT,        /* end the process with status after sending what is pending */
};

enum rg_log_level { RG_LOG_DEBUG, RG_LOG_VERBOSE, RG_LOG_NOTICE, RG_LOG_WARNING };

/* Pointers in it are borrowed until the next call into the node. File names are relative to the
 * working directory `dir`, unless they begin with '/'. */
struct rg_effect {
    enum rg_effect_type type;
    struct rg_conn *conn;
    const char *host;
    uint16_t port;
    bool drain;
    uint64_t token;
    const char *name;
    const char *new_name;
    char *const *argv; /* ended by NULL */
    struct rg_bytes bytes;
    enum rg_log_level level;
    uint64_t position;
    size_t length;
    int64_t sleep_us;
    int status;
};
bool rg_node_next_effect(struct rg_node *node, struct rg_effect *ret_effect);

/* The next connection with bytes to send; each is named once until rg_node_sent took some or all of
 * its bytes. NULL: none. */
struct rg_conn *rg_node_next_output(struct rg_node *node);
/* Its bytes in up to max runs; returns how many runs. Valid until the next call into the node. */
unsigned rg_node_output(struct rg_node *node, struct rg_conn *conn, struct rg_bytes *ret_runs,
                        unsigned max);
/* n of them were taken (n may be 0: it is then named again when the host calls
 * rg_node_writable). */
void rg_node_sent(struct rg_node *node, struct rg_conn *conn, size_t n, struct rg_time now);
void rg_node_writable(struct rg_node *node, struct rg_conn *conn);

/* When to call rg_node_run again though nothing happened: rg_time.mono_us. */
int64_t rg_node_deadline(const struct rg_node *node);

/* The host's own word for a connection. */
void rg_conn_set_host(struct rg_conn *conn, void *host);
void *rg_conn_host(const struct rg_conn *conn);

const struct rg_config *rg_node_config(const struct rg_node *node);

#define RG_NODE_STATE_FILE "regent.state"

/* Whether the name is that of a file that a node writes for a while only; a crash may leave it
 * behind. ret_pid: of the process that wrote it. */
bool rg_node_is_temporary(const char *name, int64_t *ret_pid);

/* ---- For the simulator and tests ---- */

struct rg_sentinel_view;
/* Of a sentinel's primaries, by index; false past the last one, and where it is none. */
bool rg_node_sentinel_view(const struct rg_node *node, unsigned index,
                           struct rg_sentinel_view *ret_view);
const char *rg_node_sentinel_id(const struct rg_node *node);

struct rg_group_view;
struct rg_node_view {
    bool primary; /* takes writes */
    bool in_group;
    uint64_t log_end;
    uint64_t log_term;
    uint64_t log_start; /* oldest byte in the backlog */
    const char *replid; /* borrowed */
};
void rg_node_view(const struct rg_node *node, struct rg_time now, struct rg_node_view *ret_view);
/* False outside groups. */
bool rg_node_group_view(const struct rg_node *node, struct rg_time now,
                        struct rg_group_view *ret_view);
/* Digest of the keyspace (store/store.h). */
void rg_node_digest(struct rg_node *node, char ret_hex[41]);
/* A run of the log at offset, as in log/backlog.h; empty where it is not held. */
struct rg_bytes rg_node_log_read(const struct rg_node *node, uint64_t offset);

#endif
