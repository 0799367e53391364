#ifndef RG_NODE_NODE_IMPL_H
#define RG_NODE_NODE_IMPL_H

#include "base/buf.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/rand.h"
#include "cmd/cmd.h"
#include "core/group.h"
#include "log/backlog.h"
#include "log/history.h"
#include "log/rdb.h"
#include "node/conn.h"
#include "node/node.h"
#include "node/payload.h"
#include "proto/resp.h"
#include "store/store.h"

/*
 * The inside of a node, shared by the files of src/node only. Each part below belongs to one file,
 * named with it; the others go through that file's functions.
 */

struct rg_failover;
struct rg_snapshot;
struct rg_spool; /* a snapshot on disk for replicas (spool.c) */
struct rg_serve_disk;
struct rg_save;
struct rg_aof;
struct rg_pubsub;
struct rg_tracking;
struct rg_migrate;
struct tracking_client;
struct rg_latency;
struct rg_node_scripts;
struct rg_sentinel;
struct rg_sentinel_link;
struct rg_multi;   /* a transaction being queued (multi.c) */
struct rg_waiting; /* a command that waits for keys (blocked.c) */
struct rg_wanted;  /* keys whose changes matter (wanted.c) */

/* ---- Connections (conn.c) ---- */

/* A run of output that may not go out yet (gate.c). */
enum rg_gate_kind {
    RG_GATE_READ,  /* replies of commands that changed nothing */
    RG_GATE_WRITE, /* replies of commands in the log */
    RG_GATE_PASS,  /* bytes that merely stand behind gated ones (pushes) */
};
struct rg_gate {
    enum rg_gate_kind kind;
    enum rg_mode mode;
    uint64_t need; /* log offset that must be released */
    size_t len;    /* bytes */
    unsigned commands;
    int64_t deadline_us;
};

enum rg_reply_mode { RG_REPLY_ON, RG_REPLY_OFF, RG_REPLY_SKIP_NEXT, RG_REPLY_SKIP };

/* Where a replica that we serve stands (serve.c). The names in INFO are Redis'. */
enum rg_serve_state {
    RG_SERVE_HANDSHAKE,
    RG_SERVE_WAITING,  /* "wait_bgsave": for a snapshot that it can have from the beginning */
    RG_SERVE_SNAPSHOT, /* "send_bulk" */
    RG_SERVE_LOADING,  /* it has all behind an EOF mark, and did not say yet that it saw the mark */
    RG_SERVE_ONLINE,
};
struct rg_serve {
    enum rg_serve_state state;
    int64_t listening_port;
    char *ip; /* announced; owned; NULL */
    bool capa_eof;
    bool capa_psync2;
    bool rdb_only;                /* it wants the snapshot and nothing behind it */
    int64_t asked_us;             /* for a full or partial resync */
    int member;                   /* index in the group; -1: an ordinary replica */
    uint64_t member_term;         /* term in which it said so */
    struct rg_snapshot *snapshot; /* a reference */
    uint64_t snapshot_sent;       /* with its mark */
    bool psync;                   /* it is told the log's id and offset before the snapshot */
    int64_t told_alive_us;        /* when it was last sent an empty line meanwhile */
    bool awaits_length; /* it takes the snapshot behind its length only, which is not known yet */
    struct rg_spool *spool; /* that it takes the snapshot from; borrowed; NULL */
    struct rg_buf spooled;  /* of that, to be sent next */
    uint64_t spool_read;    /* bytes of it that came from the file */
    bool spool_reading;
    char eof_mark[41];          /* behind the snapshot, where the replica takes it so; "" */
    uint64_t sent;              /* end of the log sent */
    struct rg_serve_disk *disk; /* fed from disk (serve_disk.c); owned; NULL */
    uint64_t acked;             /* end of the log acknowledged */
    uint64_t synced;            /* … and on its disk (FACK); 0 where it does not say */
    bool ack_seen;              /* since online */
    bool no_fack_told;          /* that its acknowledgements do not count was logged */
    int64_t last_ack_us;
    int64_t over_soft_since_us; /* output limit; 0: not over */
};

struct rg_conn {
    struct rg_list link; /* in node->conns */
    uint64_t id;
    void *host;
    enum rg_conn_kind kind;
    enum rg_conn_origin origin;
    char *peer; /* host:port, or path:0; owned: one allocation with the two below, see conn_name */
    const char *local;
    const char *peer_host;
    int fd;

    struct rg_bytes lent; /* input that the host lends until the run is over; in is empty then */
    struct rg_buf in;
    struct rg_large large; /* the end of the request in in */
    struct rg_request_parser parser;
    struct rg_buf out;
    struct rg_lents lents; /* what goes out between the bytes of out (lend.c) */
    size_t gated_bytes;    /* at the end of out */
    struct rg_gate *gates; /* owned ring-free array; [gate_head, gate_count) are open */
    unsigned gate_head;
    unsigned gate_count;
    unsigned gate_cap;
    struct rg_list gated_link; /* in node->gated */

    bool established;           /* dialled connections: connected came */
    bool closing;               /* close asked: no more input is read */
    bool close_told;            /* the CLOSE effect is out */
    bool discarded;             /* closed at once: what was not sent never is */
    struct rg_list input_link;  /* in node->with_input */
    struct rg_list output_link; /* in node->with_output */
    struct rg_list lend_link;   /* in node->lending */

    /* The client. */
    unsigned db;
    int proto;
    bool authenticated;
    char *name; /* owned; NULL */
    enum rg_reply_mode reply_mode;
    bool no_evict;
    bool no_touch;
    bool has_mode; /* this connection chose a replication mode of its own */
    enum rg_mode mode;
    int64_t created_us;
    int64_t active_us;   /* last command */
    int64_t received_us; /* last byte */
    const struct rg_command *last_command;
    uint64_t last_write; /* log end after its last write, for WAIT */
    enum rg_block block;
    struct rg_list block_link; /* in node->blocked, or node->waiting */
    int64_t block_until_us;    /* WAIT; RG_NEVER: for ever */
    unsigned wait_replicas;
    uint64_t wait_offset;
    bool wait_disk;  /* WAITAOF: the replicas' disks, … */
    bool wait_local; /* … and this node's own */
    uint64_t commands;
    struct rg_multi *multi;     /* owned; NULL outside a transaction */
    struct rg_list watched;     /* of struct watch (watch.c) */
    bool watch_failed;          /* one of its watched keys changed */
    struct rg_waiting *waiting; /* owned; of RG_BLOCK_KEYS */
    struct rg_list subscribed;  /* its subscriptions, in the order they were made (pubsub.c) */
    struct tracking_client *tracking; /* owned; NULL: it is off (tracking.c) */
    struct rg_list monitor_link;      /* in node->monitors (monitor.c) */
    size_t pushed;                    /* bytes that its own running command pushed to it */
    unsigned subscriptions;           /* of all kinds */
    unsigned patterns;                /* of those, to patterns */
    unsigned shards;                  /* … and to shard channels */
    int64_t over_soft_since_us;       /* output limit; 0: not over */

    struct rg_sentinel_link *sentinel_link; /* of kind SENTINEL; NULL once it is given up */
    struct rg_list serve_link;              /* in node->serving */
    struct rg_serve *serve; /* of a replica, or one that is about to be; owned; NULL */
    int peer_index;         /* PEER_IN, PEER_OUT */
    bool hello_done;        /* PEER_OUT: +OK came */
};

/* ---- Effects (effects.c) ---- */

struct rg_effect_item {
    struct rg_list link;
    struct rg_effect effect;
    char *strings[2]; /* owned: host or name, new_name */
    char **argv;      /* owned, ended by NULL; with its words */
    struct rg_buf bytes;
};

enum rg_file_purpose {
    RG_FILE_IGNORED,
    RG_FILE_STATE,        /* arg: the group's persist number */
    RG_FILE_TRANSFER,     /* a piece of an RDB that arrives from the primary; arg: its attempt */
    RG_FILE_TRANSFER_END, /* … renamed to dbfilename */
    RG_FILE_SAVE,         /* a piece of a snapshot; arg: its attempt */
    RG_FILE_SAVE_END,     /* … renamed to dbfilename */
    RG_FILE_STOP,         /* the stop's mark in the state file */
    RG_FILE_SENTINEL,     /* a sentinel's state; arg: its number */
    RG_FILE_REWRITE,      /* CONFIG REWRITE; arg: the client's id */
    RG_FILE_AOF_APPEND,   /* … to the newest file; arg of the four: the generation (aof.c) */
    RG_FILE_AOF_SYNC,
    RG_FILE_AOF_CUT,
    RG_FILE_AOF_TURN,     /* a step of a new file; arg: the turn's generation */
    RG_FILE_AOF_MANIFEST, /* the end of a rewrite */
    RG_FILE_SPOOL,        /* a piece of a snapshot for replicas; arg: its attempt */
    RG_FILE_SPOOL_READ,   /* … on its way to one; arg: the connection's id */
    RG_FILE_SERVE,        /* a piece of the log for a replica; arg: the connection's id */
};
struct rg_file_wait {
    uint64_t token;
    enum rg_file_purpose purpose;
    uint64_t arg;
};

/* ---- Following a primary (follow.c, transfer.c) ---- */

/*
 *  IDLE --dial--> CONNECTING --+PONG etc.--> HANDSHAKE --PSYNC--> ANSWER
 *    ^                                                     |         |
 *    |                                        +CONTINUE    |         | +FULLRESYNC
 *    |                                                     v         v
 *    +------------------ closed ------------- STREAM <-- SAVING <-- TRANSFER
 */
enum rg_follow_state {
    RG_FOLLOW_IDLE,
    RG_FOLLOW_CONNECTING,
    RG_FOLLOW_HANDSHAKE,
    RG_FOLLOW_ANSWER,
    RG_FOLLOW_TRANSFER,
    RG_FOLLOW_SAVING,
    RG_FOLLOW_STREAM,
};

struct rg_transfer_log;
struct rg_transfer; /* an RDB on its way in (transfer.c) */

struct rg_follow {
    bool active; /* there is a primary to follow */
    char *host;  /* owned */
    uint16_t port;
    int member;    /* index in the group; -1: plain replicaof */
    uint64_t term; /* the group's, at the FOLLOW */
    enum rg_follow_state state;
    struct rg_conn *conn;
    unsigned step; /* of the handshake */
    int64_t redial_us;
    unsigned load_failures; /* snapshots in a row that could not be loaded */
    int64_t last_io_us;
    int64_t down_since_us; /* 0: link is up */
    bool ever_up;
    int stream_db;      /* database that the stream has selected; -1: none yet */
    size_t transaction; /* bytes of the input that are a transaction's beginning; 0: none */
    uint64_t acked;     /* offsets of the last ACK sent: held, … */
    uint64_t synced;    /* … and synced (FACK) */
    int64_t last_ack_us;
    bool ack_asked;    /* GETACK */
    uint64_t ack_owed; /* the end of the log when it came */
    bool want_full;    /* the log and the data are no prefix of anybody's: ask for everything */
    struct rg_transfer *transfer;
    char full_replid[RG_REPLID_LEN + 1];
    uint64_t full_offset;
};

/* ---- The node ---- */

struct rg_peer {
    char *host; /* owned */
    uint16_t port;
    char *name; /* "host:port"; owned */
    struct rg_conn *out;
    struct rg_conn *in; /* the newest inbound link */
    bool link_up;       /* as last told to the group */
    int64_t redial_us;
    bool refusal_told;              /* a HELLO error was logged and did not change since */
    enum rg_close_reason unreached; /* why dialling failed, as last logged; ASKED: it did not */
};

struct rg_members {
    struct rg_group *group; /* NULL outside groups */
    unsigned count;
    unsigned self;
    struct rg_peer peers[RG_GROUP_MAX_MEMBERS]; /* sorted by name */
    char digest[33];
    struct rg_group_view view; /* as of the last event; its times are not kept up */
    bool hold;                 /* a hand-over holds writes back */
    bool had_state;            /* a state file was loaded */
    struct rg_group_durable durable;
    uint64_t persist_seq;     /* number of `durable` */
    int64_t persist_retry_us; /* RG_NEVER: it was written, or is being written */
    bool log_complete;
    char *self_name;          /* owned: as in group-members */
    uint64_t failover_client; /* id of the client that asked for the hand-over; 0 */
};

struct rg_command_stats {
    uint64_t calls;
    uint64_t rejected;
    uint64_t failed;
    int64_t usec;
};

/* Error replies by their first word, in alphabetical order. */
enum { RG_ERROR_CODES = 64, RG_ERROR_CODE_LEN = 32 };
struct rg_error_stats {
    struct {
        char code[RG_ERROR_CODE_LEN];
        uint64_t count;
    } codes[RG_ERROR_CODES];
    unsigned count;
    uint64_t total; /* also of codes for which there was no room */
};

/* What is sampled about once a second, to be told as a rate. */
enum rg_rate {
    RG_RATE_COMMANDS,
    RG_RATE_INPUT,
    RG_RATE_OUTPUT,
    RG_RATE_REPL_INPUT,
    RG_RATE_REPL_OUTPUT,
    RG_RATES
};

struct rg_stats {
    uint64_t connections;
    uint64_t rejected_connections;
    uint64_t commands;
    uint64_t input_bytes;
    uint64_t output_bytes;
    uint64_t repl_input_bytes;
    uint64_t repl_output_bytes;
    uint64_t sync_full;
    uint64_t sync_partial_ok;
    uint64_t sync_partial_err;
    struct rg_cmd_counters cmd;
    uint64_t reads;  /* pieces that arrived */
    uint64_t writes; /* pieces that the host took */
    int64_t expire_us;
    struct rg_error_stats errors;
    int64_t sample_us;
    uint64_t samples[RG_RATES];
    double per_second[RG_RATES];
    struct rg_command_stats *per_command; /* owned; by command id */
};

/*
 *  NONE --asked--> HAND_OVER --> DUE --> LAGGING --replicas have all, or time is up--> SAVING --> …
 *    ^   (a group's primary)      |         |                                           |
 *    +-----------------------------+--ABORT--+------------- it failed -------------------+
 *
 * … --> LOG --all of it is synced--> the end
 */
enum rg_stop_state {
    RG_STOP_NONE,
    RG_STOP_HAND_OVER, /* another member takes over first */
    RG_STOP_DUE,       /* it begins at the end of this run */
    RG_STOP_LAGGING,   /* no writes any more; replicas are waited for */
    RG_STOP_SAVING,
    RG_STOP_LOG, /* the log on disk takes its last bytes */
};

/* The file that the node begins with (load.c). */
struct rg_loading {
    bool on;
    int64_t wall_s;
    int64_t mono_us;
    uint64_t total_bytes;
    uint64_t done_bytes;
    uint64_t keys;
    uint64_t expired; /* keys that were due already, and left out */
};

struct rg_node {
    struct rg_config *config;
    struct rg_rand rand;
    struct rg_time now;
    struct rg_time started;
    int64_t pid;
    const char *executable;
    unsigned planted;
    uint64_t snapshot_whole_bytes; /* as in rg_node_init */
    uint64_t snapshot_step;
    int64_t (*clock_us)(void *arg); /* for durations in statistics only; may be NULL */
    void *clock_arg;
    struct rg_node_facts facts;
    char run_id[41];
    bool running; /* rg_node_start was called */

    struct rg_store *store;
    struct rg_cmd_index *commands; /* the table by name */
    int64_t measured_us;           /* when the last command ended, which is when the next begins */
    unsigned calm;                 /* enum rg_calm (dispatch.c) */
    struct rg_stats stats;
    uint64_t changes;        /* that commands made since the start */
    uint64_t changes_saved;  /* of those the first that the last save holds */
    uint64_t startup_memory; /* 0: the host has not said yet */
    uint64_t fixed_memory;   /* what is allocated and none of the figures below names */
    uint64_t clients_memory; /* as it was measured last, and what they took from the rooms since */
    uint64_t peak_memory;
    struct rg_buf muted; /* replies that CLIENT REPLY keeps from their client */
    int64_t slept_us;    /* asked of the host by the command that runs (DEBUG SLEEP) */

    struct rg_list conns;
    struct rg_list spools;  /* of spool.c */
    struct rg_list serving; /* those of kind REPLICA, as they came */
    uint64_t next_conn_id;
    unsigned clients; /* connections of kind CLIENT and REPLICA */
    struct rg_list with_input;
    struct rg_batch *batch;
    struct rg_list with_output;
    struct rg_list lending; /* connections with bytes of the store in their output */
    struct rg_rooms rooms;
    struct rg_list gated;
    struct rg_list blocked;

    /* Keys that somebody watches or waits for (wanted.c, blocked.c), and who is told of events. */
    struct rg_wanted *wanted;
    struct rg_list waiting;     /* connections */
    struct rg_list ready_keys;  /* of struct wanted_key */
    struct rg_heap wait_timers; /* of struct rg_waiting */
    unsigned events;            /* notify-keyspace-events (notify.c) */

    struct rg_list effects;
    struct rg_effect_item *pulled; /* lent to the host until the next call */
    struct rg_file_wait *file_waits;
    unsigned file_wait_count;
    unsigned file_wait_cap;
    uint64_t next_token;

    /* The log (feed.c). */
    struct rg_history history;
    struct rg_backlog *backlog;
    bool log_active; /* false: nobody ever needed the log, and nothing is appended */
    int feed_db;     /* database that the log has selected; -1: none */
    struct rg_propagation propagation;
    struct rg_notes notes;
    struct rg_access access; /* what the eviction policy wants known of keys */
    struct rg_payload_codec payload_codec;
    struct evict_pool *evict;
    struct rg_snapshot *snapshot; /* being written; a reference; NULL */
    int64_t slice_end_us;         /* measured: when its last slice ended */
    struct rg_save *save;         /* snapshots on disk (save.c) */
    struct rg_aof *aof;           /* the log on disk (aof.c) */
    bool ask_acks;                /* a GETACK is due at the end of this run */
    int64_t last_ping_us;
    struct rg_store *own_keys; /* names (own_keys.c); NULL: none */
    int64_t last_replica_us;   /* when there was one, or no log either */
    bool own_modes;            /* a connection chose a replication mode, and may count on offsets */
    unsigned replicas;         /* connections in serve state SNAPSHOT or ONLINE */
    unsigned disk_readers;     /* of those, fed from disk */

    struct rg_list sentinel_held; /* replies that wait for the disk (sentinel.c) */
    struct rg_sentinel *sentinel; /* NULL but in a sentinel, which has no data (sentinel.c) */
    struct rg_follow follow;
    struct rg_failover *failover; /* FAILOVER is under way (failover.c); owned; NULL */
    struct rg_members members;
    int last_primary;                /* whom +switch-master named last; -1 */
    struct rg_node_scripts *scripts; /* EVAL (script.c); owned; NULL until the first one */
    struct rg_pubsub *pubsub;
    struct rg_tracking *tracking; /* what clients remember of keys (tracking.c) */
    unsigned tracking_clients;
    struct rg_migrate *migrate; /* keys on their way to another server (migrate.c); NULL */
    struct rg_list monitors;    /* connections that are sent every command (monitor.c) */

    /* CLIENT PAUSE. */
    int64_t pause_until_us; /* 0: none */
    bool pause_all;         /* reads too */

    enum rg_stop_state stop_state;
    unsigned stop_flags;   /* enum rg_stop_flags */
    int64_t stop_limit_us; /* until when replicas are waited for */
    bool stopping;         /* the final snapshot is being written: nothing else is done */
    int64_t next_cron_us;
    struct rg_transfer *load; /* dump.rdb at start (load.c) */
    struct rg_loading loading;
    char load_error[256];

    struct rg_latency *latency;
    struct rg_list slowlog; /* of slow_item in cmd_slowlog.c */
    uint64_t slowlog_next_id;
    unsigned slowlog_len;
};

/* ---- node.c ---- */
bool node_is_primary(const struct rg_node *node); /* takes writes of its own: not a replica */
/* A primary that adds to its log by itself: not while it hands over or stops, for its successor or
 * its file must hold all of the log. */
bool node_feeds(const struct rg_node *node);
/* … and not while clients are paused: then keys past their time are hidden, as on a replica. */
bool node_expires_keys(const struct rg_node *node);
/* Commands that add to the log wait: for a hand-over, or for replicas before a stop. */
bool node_holds_writes(const struct rg_node *node);
void node_say(struct rg_node *node, enum rg_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum rg_mode node_mode(const struct rg_node *node);
uint64_t node_log_end(const struct rg_node *node);
int64_t node_measure_us(const struct rg_node *node);
/* What counts for maxmemory, in O(1). */
uint64_t node_memory(const struct rg_node *node);
struct rg_store_limits node_store_limits(const struct rg_node *node);
/* What the eviction policy wants known of keys, as configured now. */
void node_set_access(struct rg_node *node);
/* For deletions that no command asked for: a context that replies nowhere, and then the feeding of
 * what it propagated to the log. */
struct rg_cmd_ctx node_upkeep_ctx(struct rg_node *node, unsigned db);
void node_upkeep_done(struct rg_node *node);

/* What a client is told that asks for data where nobody can vouch for it. */
#define NODE_MASTERDOWN                                                                            \
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
#define NODE_OUT_OF_MEMORY "OOM command not allowed when used memory > 'maxmemory'."
/* The words for what a file effect ended with. */
const char *node_file_error(int result);

/* ---- effects.c ---- */
void node_effect_connect(struct rg_node *node, struct rg_conn *conn, const char *host,
                         uint16_t port);
void node_effect_close(struct rg_node *node, struct rg_conn *conn, bool drain);
void node_effect_sleep(struct rg_node *node, int64_t sleep_us);
void node_effect_purge(struct rg_node *node);
void node_effect_config(struct rg_node *node, const char *name);
void node_effect_exit(struct rg_node *node, int status);
/* argv, ended by NULL, is copied. */
void node_effect_script(struct rg_node *node, uint64_t id, const char *const *argv);
void node_effect_script_kill(struct rg_node *node, uint64_t id);
/* bytes are moved out of *bytes where it is not NULL. */
void node_effect_file(struct rg_node *node, enum rg_effect_type type, const char *name,
                      const char *new_name, struct rg_buf *bytes, enum rg_file_purpose purpose,
                      uint64_t arg);
/* The log's file ends at position. */
void node_effect_cut(struct rg_node *node, const char *name, uint64_t position,
                     enum rg_file_purpose purpose, uint64_t arg);
/* Bytes of a file. */
void node_effect_read(struct rg_node *node, const char *name, uint64_t position, size_t length,
                      enum rg_file_purpose purpose, uint64_t arg);
void node_effects_forget(struct rg_node *node, const struct rg_conn *conn);
void node_effects_fini(struct rg_node *node);

/* ---- gate.c ---- */
/* Output from mark on is the reply of a command that has seen the log up to node_log_end. */
void gate_reply(struct rg_node *node, struct rg_conn *conn, size_t mark, bool wrote);
void gate_pass(struct rg_conn *conn, size_t len);
/* Lets go what may go; fails what is past its time. */
void gate_advance(struct rg_node *node);
/* This node is deposed, or its log is replaced: nothing gated may ever be said. */
void gate_fail_all(struct rg_node *node);
int64_t gate_deadline(const struct rg_node *node);
void gate_drop(struct rg_conn *conn);
/* Offset released for a mode; see rg_group_released. */
uint64_t gate_released(const struct rg_node *node, enum rg_mode mode);

/* ---- session.c: a client's input ---- */
/* Takes one request by the full parser. True: it was taken, and there may be more. */
bool session_step(struct rg_node *node, struct rg_conn *conn);
void session_authenticate(struct rg_node *node, struct rg_conn *conn);
/* The client's WAIT is over, or ended with an error. */
void session_release(struct rg_node *node, struct rg_conn *conn, const char *error);
/* Clients whose wait is over. */
void session_blocked(struct rg_node *node);
/* This node is no primary any more: nobody can be told of its replicas. */
void session_unblock_all(struct rg_node *node);
int64_t session_deadline(const struct rg_node *node);

/* ---- dispatch.c ---- */
/* What is known not to stand against any data command just now; in node->calm. */
enum rg_calm {
    RG_CALM_READ = 1,  /* they may read */
    RG_CALM_WRITE = 2, /* they may write */
    RG_CALM_REPLY = 4, /* in the mode of the node no reply waits */
};
/* Looks what that is: before commands are run, and behind one that may have changed it. */
void dispatch_look(struct rg_node *node);
struct rg_call {
    struct rg_node *node;
    struct rg_conn *conn;
    struct rg_reply reply;
    const struct rg_command *command;
    const struct rg_bytes *argv;
    int argc;
    bool in_exec; /* one of a transaction's or a script's commands */
    bool scripted;
    bool resumed; /* run again for a client that waits for keys */

    /* What the data command said. */
    bool changed;
    bool waits; /* resumed, and to wait on */
    bool data;  /* one of the node's own commands has seen or changed data, or let others do so */
};
/* Runs one command of a client. False: it was held back, and is to be tried again later. */
bool dispatch_client(struct rg_node *node, struct rg_conn *conn, const struct rg_bytes *argv,
                     int argc);
/* The same where the command was found already (rg_cmd_index_find). */
bool dispatch_known(struct rg_node *node, struct rg_conn *conn, const struct rg_command *command,
                    const struct rg_bytes *argv, int argc);
/* Runs one command of a transaction. */
void dispatch_queued(struct rg_call *call);
/* Runs a command again whose key changed. False: it waits on, and has replied nothing. */
bool dispatch_resume(struct rg_call *call);
/*
 * Applies one data command of the primary's stream, or of the log; the caller serves those who wait
 * for keys (blocked.c) when the transaction is over. Errors: RG_EPROTO.
 */
RG_MUST_USE int dispatch_stream(struct rg_node *node, const struct rg_command *command, unsigned db,
                                const struct rg_bytes *argv, int argc);
typedef void node_handler(struct rg_call *call);
/* handlers.c: the node's own commands by id; NULL where there is none. */
node_handler *node_handler_of(unsigned id);

/* ---- info_commands.c ---- */
/* Counts `times` error replies; text begins with the code, without the '-'. */
void error_stats_note(struct rg_error_stats *stats, struct rg_bytes text, uint64_t times);

/* ---- feed.c: the log ---- */
/* Makes the log exist from its current end on. */
void feed_activate(struct rg_node *node);
void feed_command(struct rg_node *node, unsigned db, const struct rg_bytes *argv, int argc);
/* A command of no database: PING, PUBLISH, REPLCONF GETACK. */
void feed_plain(struct rg_node *node, const struct rg_bytes *argv, int argc);
/* Bytes of the primary's stream, as they came. */
void feed_raw(struct rg_node *node, struct rg_bytes bytes);
void feed_propagation(struct rg_node *node);
/* The same as one unit: several commands go between MULTI and EXEC. */
void feed_unit(struct rg_node *node);
/* In node->propagation: a command of no database. */
#define FEED_NO_DB (~0U)
/* The log is replaced: it ends at `end`, with this history. */
void feed_reset(struct rg_node *node, const struct rg_history *history, uint64_t end);
/* A new replication id of an own history from here on. */
void feed_new_replid(struct rg_node *node, uint64_t term);
/* The log is given up: what is written from now on is not kept, until it is activated again. */
void feed_forget(struct rg_node *node);
const char *feed_replid(const struct rg_node *node);
void feed_trim(struct rg_node *node);
void feed_ping(struct rg_node *node);

/* ---- snapshot.c: the keyspace as an RDB, written in slices ---- */
/* A whole one of this moment, at once; what is under way is finished first. */
void snapshot_take(struct rg_node *node, struct rg_buf *out);
/* reload.c: the keyspace goes through an RDB and back. */
void snapshot_reload(struct rg_node *node);
/* A reference to one of this very moment that can still be had from its beginning, or to a new one;
 * NULL: one that cannot is being written. */
struct rg_snapshot *snapshot_share(struct rg_node *node);
/* A slice of what is being written. */
void snapshot_run(struct rg_node *node);
/* When to go on with it. */
int64_t snapshot_deadline(const struct rg_node *node);
/* Gives up what is being written: its store goes away, or nobody wants it. */
void snapshot_drop(struct rg_node *node);
/* What is held of the one that is being written. */
uint64_t snapshot_memory(const struct rg_node *node);
/* Bytes of a value in an RDB. */
size_t snapshot_value_len(const struct rg_node *node, const struct rg_entry *entry);
void snapshot_unref(struct rg_snapshot *snapshot);

/* ---- save.c: snapshots on disk ---- */
enum rg_save_for {
    RG_SAVE_BACKGROUND, /* BGSAVE and the save points */
    RG_SAVE_CLIENT,     /* SAVE: a client waits for it */
    RG_SAVE_STOP,       /* the final one */
    RG_SAVE_REWRITE,    /* a base of the AOF */
};
struct rg_save *save_new(const struct rg_node *node);
void save_free(struct rg_save *save);
/*
 * Begins one of this moment. client: the id of who waits; 0. Errors: RG_EEXIST (one is being
 * written), RG_EAGAIN (a snapshot for replicas is, which is an older moment's).
 */
RG_MUST_USE int save_begin(struct rg_node *node, enum rg_save_for why, uint64_t client);
/* One is to begin as soon as it can. */
void save_schedule(struct rg_node *node);
/* What is being written is a base of the AOF. */
bool save_is_rewrite(const struct rg_node *node);
/* One for this client is to begin as soon as it can; false: another client waits already. */
RG_MUST_USE bool save_queue(struct rg_node *node, uint64_t client);
/* What is being written is none of it: the data are replaced, or the node stops. */
void save_abort(struct rg_node *node, const char *why);
/* Hands what is there of the snapshot to the file; begins what is due. */
void save_run(struct rg_node *node);
void save_cron(struct rg_node *node);
void save_file_done(struct rg_node *node, enum rg_file_purpose purpose, uint64_t attempt,
                    int result);
/* Changes are refused: they could not be saved. */
bool save_refuses_writes(const struct rg_node *node);
int64_t save_last_s(const struct rg_node *node);
/* The lines of INFO persistence about it. */
void save_info(const struct rg_node *node, struct rg_buf *out);

/* One is being written. */
bool save_on(const struct rg_node *node);

/* ---- load.c: the start ---- */
void load_on(struct rg_node *node, uint64_t size_bytes, struct rg_time now);
/* The lines of INFO persistence while the file is loaded. */
void load_info(const struct rg_node *node, struct rg_buf *out);

/* ---- serve.c ---- */
struct rg_serve *serve_of(struct rg_conn *conn); /* made at the first REPLCONF */
void serve_free(struct rg_node *node, struct rg_conn *conn);
void serve_replconf(struct rg_call *call);
void serve_psync(struct rg_call *call);
void serve_sync(struct rg_call *call);
unsigned serve_output(struct rg_node *node, struct rg_conn *conn, struct rg_bytes *ret_runs,
                      unsigned max);
/* What it holds is whole: who waits for its length can be told. */
void serve_snapshot_done(struct rg_node *node, const struct rg_snapshot *snapshot);
/* The first byte of it that a replica still has to be sent; at most `position`. */
uint64_t serve_snapshot_needed(const struct rg_node *node, const struct rg_snapshot *snapshot,
                               uint64_t position);
/* Replicas that wait for a snapshot begin with the one that can begin now. */
void serve_begin_waiting(struct rg_node *node);
bool serve_has_output(const struct rg_node *node, const struct rg_conn *conn);
void serve_sent(struct rg_node *node, struct rg_conn *conn, size_t n);
/* New bytes are in the log. */
void serve_wake(struct rg_node *node);
void serve_drop_all(struct rg_node *node, const char *why);
void serve_closed(struct rg_node *node, struct rg_conn *conn);
void serve_cron(struct rg_node *node);
/* Oldest offset that a replica still has to be sent. */
uint64_t serve_slowest(const struct rg_node *node);

/* ---- follow.c ---- */
/* member -1: plain replicaof. Keeps data and log, to try a partial resync. */
void follow_start(struct rg_node *node, const char *host, uint16_t port, int member, uint64_t term);
void follow_stop(struct rg_node *node);
void follow_run(struct rg_node *node);
int64_t follow_deadline(const struct rg_node *node);
void follow_connected(struct rg_node *node);
void follow_input(struct rg_node *node);
void follow_closed(struct rg_node *node, enum rg_close_reason reason);
void follow_cron(struct rg_node *node);
/* Sends an acknowledgement where one is due and allowed. */
void follow_ack(struct rg_node *node);
bool follow_link_up(const struct rg_node *node);
/* The RDB that arrived is on disk and in memory: go on with the stream. */
void follow_transferred(struct rg_node *node);
void follow_failed(struct rg_node *node, const char *why);
/* Gives up the link, to dial anew; the log stays. */
void follow_drop(struct rg_node *node);

/* ---- apply.c: the stream's commands ---- */
/* What arrived on the stream, as far as it is whole. */
void apply_stream(struct rg_node *node);
/* One command of it, in the database that it has selected. Errors: RG_EPROTO. */
RG_MUST_USE int apply_command(struct rg_node *node, const struct rg_bytes *argv, int argc);

/* ---- member.c: the group's glue ---- */
/* Errors: RG_EINVAL: the list does not name this node. */
void member_start(struct rg_node *node);
void member_fini(struct rg_node *node);
void member_run(struct rg_node *node);
int64_t member_deadline(const struct rg_node *node);
void member_hello(struct rg_call *call);
void member_input(struct rg_node *node, struct rg_conn *conn);
void member_connected(struct rg_node *node, struct rg_conn *conn);
void member_closed(struct rg_node *node, struct rg_conn *conn, enum rg_close_reason reason);
void member_stream(struct rg_node *node, enum rg_stream_event event);
void member_acked(struct rg_node *node, unsigned member, uint64_t term, uint64_t offset);
void member_persisted(struct rg_node *node, uint64_t seq, int result);
/* The text of a record in the log was appended or applied; it begins at start. */
void member_record(struct rg_node *node, struct rg_bytes text, uint64_t start);
/* The log was replaced by a snapshot's, which said this of its modes. */
void member_reloaded(struct rg_node *node, const struct rg_transfer_log *log);
/* CONFIG SET replication-mode on a primary. */
void member_mode_changed(struct rg_node *node);
/* As rg_group_hand_over and rg_group_recover; the caller drains. */
RG_MUST_USE int member_hand_over(struct rg_node *node, int target, int64_t timeout_us);
RG_MUST_USE int member_recover(struct rg_node *node);
void member_drain(struct rg_node *node);
/* Brought up to the present; node->members.view is enough for role, state, term and primary. */
bool member_view(const struct rg_node *node, struct rg_group_view *ret_view);
void member_cron(struct rg_node *node);
#define RG_GROUP_CHANNEL "__regent__:group"

/* ---- wanted.c, watch.c ---- */
struct rg_wanted *wanted_new(uint64_t seed);
void wanted_free(struct rg_wanted *wanted);
/* Somebody watches or waits for keys. */
bool wanted_any(const struct rg_node *node);
/* The connection watches nothing any more. */
void watch_drop(struct rg_node *node, struct rg_conn *conn);

/* ---- cmd_config.c ---- */
void config_rewritten(struct rg_node *node, uint64_t client, int result);

/* ---- cmd_slowlog.c ---- */
void slowlog_note(const struct rg_call *call, int64_t took_us);
void slowlog_fini(struct rg_node *node);

#endif
