#ifndef RG_NODE_CONFIG_H
#define RG_NODE_CONFIG_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/error.h"
#include "core/mode.h"

/*
 * The configuration: every directive that redis-server 7.0 knows, and Regent's own. One table
 * (config_table.c) names each directive, its kind, bounds, default, whether it can change at run
 * time, and whether it has an effect here yet. Directives that code reads have a field below; the
 * others are kept as text for CONFIG GET and CONFIG REWRITE.
 */

enum rg_durability { RG_DURABILITY_MEMORY, RG_DURABILITY_DISK };
enum rg_io_backend { RG_IO_AUTO, RG_IO_URING, RG_IO_EPOLL };

enum rg_fsync { RG_FSYNC_EVERYSEC, RG_FSYNC_ALWAYS, RG_FSYNC_NO }; /* appendfsync */

/* repl-diskless-load: when a full resync passes this node's disk by. */
enum rg_diskless_load { RG_DISKLESS_DISABLED, RG_DISKLESS_ON_EMPTY_DB, RG_DISKLESS_SWAPDB };

enum rg_maxmemory_policy {
    RG_POLICY_VOLATILE_LRU,
    RG_POLICY_VOLATILE_LFU,
    RG_POLICY_VOLATILE_RANDOM,
    RG_POLICY_VOLATILE_TTL,
    RG_POLICY_ALLKEYS_LRU,
    RG_POLICY_ALLKEYS_LFU,
    RG_POLICY_ALLKEYS_RANDOM,
    RG_POLICY_NOEVICTION,
};

enum { RG_CONFIG_MAX_BIND = 16, RG_CONFIG_MAX_GROUP = 15, RG_CONFIG_MAX_SAVE = 16 };

struct rg_config_limit { /* client-output-buffer-limit */
    uint64_t hard_bytes;
    uint64_t soft_bytes;
    int64_t soft_seconds;
};
enum rg_client_class { RG_CLASS_NORMAL, RG_CLASS_REPLICA, RG_CLASS_PUBSUB, RG_CLASSES };

/* All strings are owned; "" where unset. Booleans are redis.conf's yes and no. */
struct rg_config {
    /* Host. */
    char *bind[RG_CONFIG_MAX_BIND]; /* a leading '-' means: no error where it cannot be bound */
    int bind_count;
    int64_t port; /* 0: do not listen */
    int64_t tcp_backlog;
    int64_t tcp_keepalive; /* seconds; 0: off */
    char *unixsocket;
    int64_t unixsocketperm; /* octal mode; 0: as the umask has it */
    bool daemonize;
    char *pidfile;
    char *logfile;    /* "": standard output */
    int64_t loglevel; /* enum rg_log_level in node/node.h */
    bool syslog_enabled;
    char *syslog_ident;
    bool always_show_logo;
    char *dir;
    int64_t io_backend; /* enum rg_io_backend */
    int64_t maxclients;
    int64_t hz;

    /* Clients. */
    bool protected_mode;
    char *requirepass;
    int64_t timeout; /* seconds; 0: off */
    int64_t databases;
    int64_t proto_max_bulk_len;
    int64_t client_query_buffer_limit;
    struct rg_config_limit output_limit[RG_CLASSES];
    int64_t slowlog_log_slower_than; /* microseconds; negative: off */
    int64_t slowlog_max_len;
    int64_t tracking_table_max_keys;   /* 0: any number */
    int64_t latency_monitor_threshold; /* milliseconds; 0: off */
    bool latency_tracking;
    char *notify_keyspace_events;
    int64_t maxmemory;
    int64_t maxmemory_policy; /* enum rg_maxmemory_policy */
    int64_t maxmemory_samples;
    int64_t maxmemory_eviction_tenacity; /* 0 to 100 */
    int64_t lfu_log_factor;
    int64_t lfu_decay_time; /* minutes */
    int64_t hash_max_listpack_entries;
    int64_t hash_max_listpack_value;
    int64_t hll_sparse_max_bytes;
    int64_t list_max_listpack_size;
    int64_t set_max_intset_entries;
    int64_t zset_max_listpack_entries;
    int64_t zset_max_listpack_value;
    bool active_expire; /* DEBUG SET-ACTIVE-EXPIRE; no directive */

    /* Persistence. */
    char *dbfilename;
    struct {
        int64_t seconds;
        int64_t changes;
    } save[RG_CONFIG_MAX_SAVE];
    int save_count;
    bool rdbcompression;
    bool rdbchecksum;
    bool rdb_del_sync_files;
    bool stop_writes_on_bgsave_error;
    bool appendonly;
    int64_t appendfsync; /* enum rg_fsync */
    char *appenddirname;
    char *appendfilename;
    bool no_appendfsync_on_rewrite;
    bool aof_load_truncated;
    bool aof_timestamp_enabled;
    int64_t aof_rewrite_percentage; /* 0: never by itself */
    int64_t aof_rewrite_min_size;
    int64_t shutdown_timeout; /* seconds that replicas are waited for */
    char *shutdown_on_sigint; /* words of SHUTDOWN, or "default" */
    char *shutdown_on_sigterm;

    /* Replication. */
    char *replicaof_host; /* "" on a primary */
    int64_t replicaof_port;
    char *masterauth;
    char *masteruser;
    bool replica_read_only;
    bool replica_serve_stale_data;
    int64_t replica_priority;
    bool replica_announced;
    char *replica_announce_ip;
    int64_t replica_announce_port;
    int64_t repl_backlog_size;
    int64_t repl_disk_backlog_size;
    int64_t repl_timeout;             /* seconds */
    int64_t repl_ping_replica_period; /* seconds */
    bool repl_diskless_sync;
    int64_t repl_diskless_sync_delay;        /* seconds */
    int64_t repl_diskless_sync_max_replicas; /* 0: no end to the delay by number */
    int64_t repl_diskless_load;              /* enum rg_diskless_load */
    int64_t repl_backlog_ttl;                /* seconds; 0: the backlog is kept */
    int64_t min_replicas_to_write;
    int64_t min_replicas_max_lag; /* seconds */

    /* Regent's own. */
    char *group_name;                         /* "": no group */
    char *group_members[RG_CONFIG_MAX_GROUP]; /* "host:port" as given */
    int group_member_count;
    int64_t group_node_timeout;     /* milliseconds; 1000 */
    int64_t group_heartbeat;        /* milliseconds; 50 */
    int64_t group_lease;            /* milliseconds; 250 */
    int64_t replication_mode;       /* enum rg_mode */
    int64_t replication_timeout;    /* milliseconds; 5000: a write's wait for its mode */
    int64_t replication_durability; /* enum rg_durability */

    /* Sentinel mode: lines that begin with that word, without it; the sentinel reads them. */
    bool sentinel;
    struct rg_config_line {
        char *text;     /* owned */
        int number;     /* in the file; 0: of the command line */
    } * sentinel_lines; /* owned */
    int sentinel_line_count;

    struct rg_config_extra *extra; /* owned: values of directives without a field, and the file */
};

struct rg_config *rg_config_new(void); /* all defaults */
/* … of a sentinel, which has no data and other defaults; to be called before anything is read. */
void rg_config_be_sentinel(struct rg_config *config);
void rg_config_free(struct rg_config *config);

/*
 * Reads configuration text line by line, as redis.conf. file names it in errors. `include` is
 * reported to the caller by read_file (NULL: include is an error), which appends the content of
 * each file that path (a glob) names to out; it returns a negative error for none. Depth is
 * bounded. Errors: RG_EINVAL; ret_error then holds the text that redis-server prints between
 * "*** FATAL CONFIG FILE ERROR" lines: file, line number, the line, what was expected.
 */
RG_MUST_USE int rg_config_read(struct rg_config *config, const char *file, struct rg_bytes text,
                               int (*read_file)(void *arg, const char *path, struct rg_buf *out),
                               void *arg, struct rg_buf *ret_error);
/* Directives that span several lines are checked together here (a group's members, its own
 * address, …). Errors: RG_EINVAL with ret_error. */
RG_MUST_USE int rg_config_check(const struct rg_config *config, struct rg_buf *ret_error);

/* CONFIG SET of several at once, all or none. argv is name, value, … Errors: RG_EINVAL; ret_error
 * then holds the reply of redis-server ("ERR Unknown option or …", "ERR CONFIG SET failed (…) -
 * …"). ret_names (room for count/2) takes the canonical names that changed. */
RG_MUST_USE int rg_config_set(struct rg_config *config, const struct rg_bytes *argv, int count,
                              const char **ret_names, int *ret_changed, struct rg_buf *ret_error);
/* CONFIG GET: calls visit for each name, and each old name, that matches; once each. */
void rg_config_get(const struct rg_config *config, const struct rg_bytes *patterns, int count,
                   void (*visit)(void *arg, const char *name, struct rg_bytes value), void *arg);
/* Directives whose value is not the default and which have no effect here yet, for one line in the
 * log; NULL past the end. */
const char *rg_config_inert(const struct rg_config *config, unsigned index);
/* CONFIG REWRITE: the text of the file anew: comments and order kept, changed values in place, new
 * ones at the end. Errors: RG_ENOENT (the server runs without a file). */
RG_MUST_USE int rg_config_rewrite(const struct rg_config *config, struct rg_buf *out);
/* The same for a sentinel: lines are what it wants to have there, one each, and take the place of
 * those that begin with the same words. */
RG_MUST_USE int rg_config_rewrite_sentinel(const struct rg_config *config, struct rg_bytes lines,
                                           struct rg_buf *out);
/* Absolute path of the file read; "" without one. */
const char *rg_config_file(const struct rg_config *config);

#endif
