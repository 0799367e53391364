#ifndef RG_SERVER_HOST_H
#define RG_SERVER_HOST_H

#include "base/heap.h"
#include "base/list.h"
#include "io/files.h"
#include "io/loop.h"
#include "io/names.h"
#include "io/ticks.h"
#include "node/node.h"
#include "server/host_log.h"

/*
 * The host of one node: it carries bytes, time and effects between the node and the system. Private
 * to src/server; host.c has the turn, the other host_….c files each one side of it.
 */

/* What the user word of a socket of the loop points at: the first member of each kind. */
enum host_source {
    HOST_SOURCE_CONN,
    HOST_SOURCE_LISTENER,
    HOST_SOURCE_SIGNALS,
    HOST_SOURCE_FILES,
    HOST_SOURCE_NAMES,
    HOST_SOURCE_SCRIPT,
};

struct host_listener {
    enum host_source source; /* first */
    struct rg_list node;
    struct rg_sock *sock;
    enum rg_conn_origin origin;
    char *name; /* owned; as `bind` has it, or the path */
    uint16_t port;
};

enum host_conn_state {
    HOST_CONN_RESOLVING, /* names will answer, also where the connection was given up */
    HOST_CONN_DIALLING,
    HOST_CONN_OPEN,
    HOST_CONN_ENDED, /* the node is told in the next turn; what it still writes is tried */
};

struct host_dial;
struct host_load;

struct host_conn {
    enum host_source source; /* first */
    enum host_conn_state state;
    struct rg_list node;       /* in host.conns */
    struct rg_list ended_node; /* in host.ended, with the reason */
    struct rg_list drain_node; /* in host.draining */
    struct rg_list bulky_node; /* in host.bulky */
    struct rg_heap_item timer; /* of dialling, or of draining */
    struct rg_conn *conn;      /* NULL: given up while its name is being resolved */
    struct rg_sock *sock;
    enum rg_close_reason reason;
    bool draining; /* the node asked to close it after its output */
    bool roomy;    /* the node said where its next bytes should lie */
    bool named;    /* the node named it while it could not be written, and waits for a word */
    struct host_dial *dial; /* owned; NULL for a connection that came in */
};

/* What is left to try of a name. */
struct host_dial {
    unsigned count;
    unsigned next;
    struct rg_address addresses[RG_NAMES_MAX_ADDRESSES];
};

/* A program that the node runs. */
struct host_script {
    enum host_source source; /* first */
    struct rg_list node;     /* in host.scripts */
    uint64_t token;
    int pid;
    struct rg_sock *sock; /* of the descriptor that is readable once it ended */
};

struct host {
    struct rg_loop *loop;
    struct rg_node *node;
    struct rg_files *files;
    struct rg_names *names;
    struct rg_host_log log;
    struct rg_time now;
    struct rg_ticks ticks; /* durations of commands, for the node's statistics */
    struct rg_list conns;
    struct rg_list ended;
    struct rg_list draining;
    struct rg_list bulky; /* connections that received much in this turn, or where it should lie */
    struct rg_list listeners;
    struct rg_list scripts;
    struct rg_heap timers; /* of host_conn.timer */
    bool more_output;      /* the last turn did not send all it could */
    bool exiting;
    int exit_status;
    enum host_source signals_source;
    enum host_source files_source;
    enum host_source names_source;
    int signal_fd;  /* borrowed: the loop owns it once it runs */
    unsigned stops; /* signals that asked for the end */
    int64_t facts_due_us;
    uint64_t total_memory;
    int64_t accept_logged_us;
    char *pidfile;          /* owned; NULL: none written */
    char *unixsocket;       /* owned; NULL: none bound */
    int lock_fd;            /* of the state file; -1: none */
    struct host_load *load; /* owned: the file that is being loaded; NULL: none */
};

/* The token of the host's own file operation, a change of the directory; the node's are others. */
#define HOST_TOKEN_DIR UINT64_MAX

/* ---- host.c ---- */

/* Runs the node until it asks for the end; returns the status to exit with. */
int rg_host_run(struct host *host);

/* ---- host_conns.c ---- */

void rg_host_accept(struct host *host, struct host_listener *listener, struct rg_sock *sock);
void rg_host_accept_failed(struct host *host, int error);
/* Dials for conn, which the node made. */
void rg_host_connect(struct host *host, struct rg_conn *conn, const char *name, uint16_t port);
void rg_host_names_answered(struct host *host);
void rg_host_on_event(struct host *host, struct host_conn *hc, const struct rg_loop_event *event);
/* The node asked for the end of conn; drain: after its output. */
void rg_host_close(struct host *host, struct rg_conn *conn, bool drain);
/* Behind the run: asks the node where the rest of large requests should lie. */
void rg_host_rooms(struct host *host);
/* Tells the node of the connections that ended in the turn before: what a peer asked for just
 * before it closed its side is answered first. */
void rg_host_tell_ended(struct host *host);
/* At the end of the process: frees them all; the node is not told. */
void rg_host_free_conns(struct host *host);
/* Ends what dials or drains for too long. */
void rg_host_run_timers(struct host *host);
/* The connection is over; the node is told in the next turn. Its socket is closed, but for an end
 * that came from the peer, who may still read. */
void rg_host_end(struct host *host, struct host_conn *hc, enum rg_close_reason reason);

/* ---- host_output.c ---- */

/* Sends what the node has, as far as the sockets take it, or leaves that to the next wait; then
 * closes what is drained. */
void rg_host_send(struct host *host);
/* Tells the node what was sent by the last wait or flush. */
void rg_host_sent(struct host *host);
/* Before the process ends: sends on for at most limit_us. */
void rg_host_send_last(struct host *host, int64_t limit_us);

/* ---- host_effects.c ---- */

/* Carries out what the node asks for, in order. */
void rg_host_effects(struct host *host);

/* ---- host_scripts.c ---- */

/* Runs the program; the node is told of its end. */
void rg_host_script_run(struct host *host, uint64_t token, char *const *argv);
void rg_host_script_kill(struct host *host, uint64_t token);
void rg_host_script_ended(struct host *host, struct host_script *script);
/* Those that still run go on by themselves. */
void rg_host_scripts_free(struct host *host);

/* ---- host_listen.c ---- */

/* Binds all that the configuration names. Errors: RG_EIO: it was logged why. */
RG_MUST_USE int rg_host_listen(struct host *host, const struct rg_config *config);
/* Binds anew after CONFIG SET port or bind; where that fails the old listeners stay. */
void rg_host_listen_again(struct host *host);
void rg_host_listen_close(struct host *host);

/* ---- host_signals.c ---- */

/* Blocks SIGTERM and SIGINT and opens host->signal_fd for them; SIGPIPE,
 * SIGXFSZ and SIGHUP are ignored. */
RG_MUST_USE int rg_host_signals_open(struct host *host);
/* Takes what arrived: asks the node to stop. */
void rg_host_signals_take(struct host *host);
/* A signal to stop has arrived (and is taken). */
bool rg_host_signals_pending(struct host *host);

/* ---- host_load.c ---- */

/* Hands the state file to the node and begins with the RDB, in the working directory. Files that a
 * crash left half-written are removed. Errors: RG_ECORRUPT, RG_EIO: it was logged why. */
RG_MUST_USE int rg_host_load(struct host *host);
/* Goes on with the RDB for a moment; at its end the node starts. Errors: the same; RG_EAGAIN: a
 * signal asked for the end. */
RG_MUST_USE int rg_host_load_step(struct host *host);
void rg_host_load_free(struct host *host);

/* ---- host_facts.c ---- */

/* Gives the node its figures where they are due. */
void rg_host_facts(struct host *host);

#endif
