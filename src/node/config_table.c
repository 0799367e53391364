#include "node/config_table.h"

#include <stddef.h>

/*
 * Defaults, bounds and words are those of redis-server 7.0; a directive without a field is kept for
 * CONFIG GET and has no effect here yet. Old names are what redis.conf called it before.
 */

static const char *const words_auth_clients[] = {"no", "yes", "optional", NULL};
static const char *const words_backend[] = {"auto", "io_uring", "epoll", NULL};
static const char *const words_diskless[] = {"disabled", "on-empty-db", "swapdb", NULL};
static const char *const words_durability[] = {"memory", "disk", NULL};
static const char *const words_endpoint[] = {"ip", "hostname", "unknown-endpoint", NULL};
static const char *const words_facility[] = {"user",   "local0", "local1", "local2", "local3",
                                             "local4", "local5", "local6", "local7", NULL};
static const char *const words_fsync[] = {"everysec", "always", "no", NULL};
static const char *const words_local[] = {"no", "yes", "local", NULL};
static const char *const words_loglevel[] = {"debug", "verbose", "notice", "warning", NULL};
static const char *const words_mode[] = {"async", "semi-sync", "sync", "quorum", NULL};
static const char *const words_oom[] = {"no", "yes", "relative", "absolute", NULL};
static const char *const words_policy[] = {"volatile-lru",   "volatile-lfu", "volatile-random",
                                           "volatile-ttl",   "allkeys-lru",  "allkeys-lfu",
                                           "allkeys-random", "noeviction",   NULL};
static const char *const words_propagation[] = {"ignore", "panic", "panic-on-replicas", NULL};
static const char *const words_pubsub[] = {"allchannels", "resetchannels", NULL};
static const char *const words_sanitize[] = {"no", "yes", "clients", NULL};
static const char *const words_shutdown[] = {"default", "save", "nosave", "now", "force", NULL};
static const char *const words_supervised[] = {"upstart", "systemd", "auto", "no", NULL};

/* clang-format off */
#define FIELD(name)        offsetof(struct rg_config, name)
#define NONE               CONFIG_NO_FIELD
#define ROW(name, alias, kind, flags, def, offset) \
    {name, alias, CONFIG_##kind, flags, def, offset, 0, 0, NULL}
#define NUM(name, alias, kind, flags, def, offset, min, max) \
    {name, alias, CONFIG_##kind, flags, def, offset, min, max, NULL}
#define WORD(name, alias, kind, flags, def, offset, words) \
    {name, alias, CONFIG_##kind, flags, def, offset, 0, 0, words}

const struct config_directive config_directives[] = {
    WORD("acl-pubsub-default", NULL, ENUM, 0, "resetchannels", NONE, words_pubsub),
    ROW("aclfile", NULL, STRING, CONFIG_IMMUTABLE, "", NONE),
    NUM("acllog-max-len", NULL, INT, 0, "128", NONE, 0, INT64_MAX),
    NUM("active-defrag-cycle-max", NULL, INT, 0, "25", NONE, 1, 99),
    NUM("active-defrag-cycle-min", NULL, INT, 0, "1", NONE, 1, 99),
    NUM("active-defrag-ignore-bytes", NULL, MEMORY, 0, "104857600", NONE, 1, INT64_MAX),
    NUM("active-defrag-max-scan-fields", NULL, INT, 0, "1000", NONE, 1, INT64_MAX),
    NUM("active-defrag-threshold-lower", NULL, INT, 0, "10", NONE, 0, 1000),
    NUM("active-defrag-threshold-upper", NULL, INT, 0, "100", NONE, 0, 1000),
    NUM("active-expire-effort", NULL, INT, 0, "1", NONE, 1, 10),
    ROW("activedefrag", NULL, BOOL, 0, "no", NONE),
    ROW("activerehashing", NULL, BOOL, 0, "yes", NONE),
    ROW("always-show-logo", NULL, BOOL, CONFIG_IMMUTABLE, "no", FIELD(always_show_logo)),
    ROW("aof-disable-auto-gc", NULL, BOOL, 0, "no", NONE),
    ROW("aof-load-truncated", NULL, BOOL, 0, "yes", FIELD(aof_load_truncated)),
    ROW("aof-rewrite-incremental-fsync", NULL, BOOL, 0, "yes", NONE),
    ROW("aof-timestamp-enabled", NULL, BOOL, 0, "no", FIELD(aof_timestamp_enabled)),
    ROW("aof-use-rdb-preamble", NULL, BOOL, 0, "yes", NONE),
    ROW("aof_rewrite_cpulist", NULL, STRING, CONFIG_IMMUTABLE, "", NONE),
    ROW("appenddirname", NULL, FILENAME, CONFIG_IMMUTABLE, "appendonlydir", FIELD(appenddirname)),
    ROW("appendfilename", NULL, FILENAME, CONFIG_IMMUTABLE, "appendonly.aof", FIELD(appendfilename)),
    WORD("appendfsync", NULL, ENUM, 0, "everysec", FIELD(appendfsync), words_fsync),
    ROW("appendonly", NULL, BOOL, 0, "no", FIELD(appendonly)),
    NUM("auto-aof-rewrite-min-size", NULL, MEMORY, 0, "67108864", FIELD(aof_rewrite_min_size), 0, INT64_MAX),
    NUM("auto-aof-rewrite-percentage", NULL, INT, 0, "100", FIELD(aof_rewrite_percentage), 0, INT32_MAX),
    ROW("bgsave_cpulist", NULL, STRING, CONFIG_IMMUTABLE, "", NONE),
    ROW("bind", NULL, BIND, 0, "* -::*", FIELD(bind)),
    ROW("bind-source-addr", NULL, STRING, 0, "", NONE),
    ROW("bio_cpulist", NULL, STRING, CONFIG_IMMUTABLE, "", NONE),
    NUM("busy-reply-threshold", "lua-time-limit", INT, 0, "5000", NONE, 0, INT64_MAX),
    ROW("client-output-buffer-limit", NULL, LIMIT, 0, "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60", FIELD(output_limit)),
    NUM("client-query-buffer-limit", NULL, MEMORY, 0, "1073741824", FIELD(client_query_buffer_limit), 1048576, INT64_MAX),
    ROW("cluster-allow-pubsubshard-when-down", NULL, BOOL, 0, "yes", NONE),
    ROW("cluster-allow-reads-when-down", NULL, BOOL, 0, "no", NONE),
    ROW("cluster-allow-replica-migration", NULL, BOOL, 0, "yes", NONE),
    NUM("cluster-announce-bus-port", NULL, INT, 0, "0", NONE, 0, 65535),
    ROW("cluster-announce-hostname", NULL, HOSTNAME, 0, "", NONE),
    ROW("cluster-announce-ip", NULL, STRING, 0, "", NONE),
    NUM("cluster-announce-port", NULL, INT, 0, "0", NONE, 0, 65535),
    NUM("cluster-announce-tls-port", NULL, INT, 0, "0", NONE, 0, 65535),
    ROW("cluster-config-file", NULL, STRING, CONFIG_IMMUTABLE, "nodes.conf", NONE),
    ROW("cluster-enabled", NULL, BOOL, CONFIG_IMMUTABLE, "no", NONE),
    NUM("cluster-link-sendbuf-limit", NULL, MEMORY, 0, "0", NONE, 0, INT64_MAX),
    NUM("cluster-migration-barrier", NULL, INT, 0, "1", NONE, 0, INT32_MAX),
    NUM("cluster-node-timeout", NULL, INT, 0, "15000", NONE, 0, INT64_MAX),
    NUM("cluster-port", NULL, INT, CONFIG_IMMUTABLE, "0", NONE, 0, 65535),
    WORD("cluster-preferred-endpoint-type", NULL, ENUM, 0, "ip", NONE, words_endpoint),
    ROW("cluster-replica-no-failover", "cluster-slave-no-failover", BOOL, 0, "no", NONE),
    NUM("cluster-replica-validity-factor", "cluster-slave-validity-factor", INT, 0, "10", NONE, 0, INT32_MAX),
    ROW("cluster-require-full-coverage", NULL, BOOL, 0, "yes", NONE),
    ROW("crash-log-enabled", NULL, BOOL, 0, "yes", NONE),
    ROW("crash-memcheck-enabled", NULL, BOOL, 0, "yes", NONE),
    ROW("daemonize", NULL, BOOL, CONFIG_IMMUTABLE, "no", FIELD(daemonize)),
    NUM("databases", NULL, INT, CONFIG_IMMUTABLE, "16", FIELD(databases), 1, INT32_MAX),
    ROW("dbfilename", NULL, FILENAME, CONFIG_PROTECTED, "dump.rdb", FIELD(dbfilename)),
    ROW("dir", NULL, STRING, CONFIG_PROTECTED, ".", FIELD(dir)),
    ROW("disable-thp", NULL, BOOL, CONFIG_IMMUTABLE, "yes", NONE),
    ROW("dynamic-hz", NULL, BOOL, 0, "yes", NONE),
    WORD("enable-debug-command", NULL, ENUM, CONFIG_IMMUTABLE, "no", NONE, words_local),
    WORD("enable-module-command", NULL, ENUM, CONFIG_IMMUTABLE, "no", NONE, words_local),
    WORD("enable-protected-configs", NULL, ENUM, CONFIG_IMMUTABLE, "no", NONE, words_local),
    NUM("group-heartbeat", NULL, INT, CONFIG_OWN | CONFIG_IMMUTABLE, "50", FIELD(group_heartbeat), 1, 3600000),
    NUM("group-lease", NULL, INT, CONFIG_OWN | CONFIG_IMMUTABLE, "250", FIELD(group_lease), 1, 3600000),
    ROW("group-members", NULL, MEMBERS, CONFIG_IMMUTABLE | CONFIG_OWN, "", FIELD(group_members)),
    ROW("group-name", NULL, STRING, CONFIG_IMMUTABLE | CONFIG_OWN, "", FIELD(group_name)),
    NUM("group-node-timeout", NULL, INT, CONFIG_OWN | CONFIG_IMMUTABLE, "1000", FIELD(group_node_timeout), 1, 3600000),
    NUM("hash-max-listpack-entries", "hash-max-ziplist-entries", INT, 0, "512", FIELD(hash_max_listpack_entries), 0, INT64_MAX),
    NUM("hash-max-listpack-value", "hash-max-ziplist-value", MEMORY, 0, "64", FIELD(hash_max_listpack_value), 0, INT64_MAX),
    NUM("hll-sparse-max-bytes", NULL, MEMORY, 0, "3000", FIELD(hll_sparse_max_bytes), 0, INT64_MAX),
    NUM("hz", NULL, INT, 0, "10", FIELD(hz), 0, INT32_MAX),
    ROW("ignore-warnings", NULL, STRING, 0, "", NONE),
    WORD("io-backend", NULL, ENUM, CONFIG_IMMUTABLE | CONFIG_OWN, "auto", FIELD(io_backend), words_backend),
    NUM("io-threads", NULL, INT, CONFIG_IMMUTABLE, "1", NONE, 1, 128),
    ROW("io-threads-do-reads", NULL, BOOL, CONFIG_IMMUTABLE, "no", NONE),
    ROW("jemalloc-bg-thread", NULL, BOOL, 0, "yes", NONE),
    NUM("latency-monitor-threshold", NULL, INT, 0, "0", FIELD(latency_monitor_threshold), 0, INT64_MAX),
    ROW("latency-tracking", NULL, BOOL, 0, "yes", FIELD(latency_tracking)),
    ROW("latency-tracking-info-percentiles", NULL, PERCENTILES, 0, "50 99 99.9", NONE),
    ROW("lazyfree-lazy-eviction", NULL, BOOL, 0, "no", NONE),
    ROW("lazyfree-lazy-expire", NULL, BOOL, 0, "no", NONE),
    ROW("lazyfree-lazy-server-del", NULL, BOOL, 0, "no", NONE),
    ROW("lazyfree-lazy-user-del", NULL, BOOL, 0, "no", NONE),
    ROW("lazyfree-lazy-user-flush", NULL, BOOL, 0, "no", NONE),
    NUM("lfu-decay-time", NULL, INT, 0, "1", FIELD(lfu_decay_time), 0, INT32_MAX),
    NUM("lfu-log-factor", NULL, INT, 0, "10", FIELD(lfu_log_factor), 0, INT32_MAX),
    NUM("list-compress-depth", NULL, INT, 0, "0", NONE, 0, INT32_MAX),
    NUM("list-max-listpack-size", "list-max-ziplist-size", INT, 0, "-2", FIELD(list_max_listpack_size), INT32_MIN, INT32_MAX),
    NUM("loadmodule", NULL, LINES, CONFIG_IMMUTABLE | CONFIG_HIDDEN, "", NONE, 1, 63),
    ROW("logfile", NULL, STRING, CONFIG_IMMUTABLE, "", FIELD(logfile)),
    WORD("loglevel", NULL, ENUM, 0, "notice", FIELD(loglevel), words_loglevel),
    ROW("masterauth", NULL, STRING, 0, "", FIELD(masterauth)),
    ROW("masteruser", NULL, STRING, 0, "", FIELD(masteruser)),
    NUM("maxclients", NULL, INT, 0, "10000", FIELD(maxclients), 1, UINT32_MAX),
    NUM("maxmemory", NULL, MEMORY, 0, "0", FIELD(maxmemory), 0, INT64_MAX),
    ROW("maxmemory-clients", NULL, MEMORY_OR_PERCENT, 0, "0", NONE),
    NUM("maxmemory-eviction-tenacity", NULL, INT, 0, "10", FIELD(maxmemory_eviction_tenacity), 0, 100),
    WORD("maxmemory-policy", NULL, ENUM, 0, "noeviction", FIELD(maxmemory_policy), words_policy),
    NUM("maxmemory-samples", NULL, INT, 0, "5", FIELD(maxmemory_samples), 1, INT32_MAX),
    NUM("min-replicas-max-lag", "min-slaves-max-lag", INT, 0, "10", FIELD(min_replicas_max_lag), 0, INT32_MAX),
    NUM("min-replicas-to-write", "min-slaves-to-write", INT, 0, "0", FIELD(min_replicas_to_write), 0, INT32_MAX),
    ROW("no-appendfsync-on-rewrite", NULL, BOOL, 0, "no", FIELD(no_appendfsync_on_rewrite)),
    ROW("notify-keyspace-events", NULL, EVENTS, 0, "", FIELD(notify_keyspace_events)),
    WORD("oom-score-adj", NULL, ENUM, 0, "no", NONE, words_oom),
    ROW("oom-score-adj-values", NULL, OOM, 0, "0 200 800", NONE),
    ROW("pidfile", NULL, STRING, CONFIG_IMMUTABLE, "", FIELD(pidfile)),
    NUM("port", NULL, INT, 0, "6379", FIELD(port), 0, 65535),
    ROW("proc-title-template", NULL, TEMPLATE, 0, "{title} {listen-addr} {server-mode}", NONE),
    WORD("propagation-error-behavior", NULL, ENUM, 0, "ignore", NONE, words_propagation),
    ROW("protected-mode", NULL, BOOL, 0, "yes", FIELD(protected_mode)),
    NUM("proto-max-bulk-len", NULL, MEMORY, 0, "536870912", FIELD(proto_max_bulk_len), 1048576, INT64_MAX),
    ROW("rdb-del-sync-files", NULL, BOOL, 0, "no", FIELD(rdb_del_sync_files)),
    ROW("rdb-save-incremental-fsync", NULL, BOOL, 0, "yes", NONE),
    ROW("rdbchecksum", NULL, BOOL, CONFIG_IMMUTABLE, "yes", FIELD(rdbchecksum)),
    ROW("rdbcompression", NULL, BOOL, 0, "yes", FIELD(rdbcompression)),
    NUM("rename-command", NULL, LINES, CONFIG_IMMUTABLE | CONFIG_HIDDEN, "", NONE, 2, 2),
    NUM("repl-backlog-size", NULL, MEMORY, 0, "1048576", FIELD(repl_backlog_size), 1, INT64_MAX),
    NUM("repl-backlog-ttl", NULL, INT, 0, "3600", FIELD(repl_backlog_ttl), 0, INT64_MAX),
    ROW("repl-disable-tcp-nodelay", NULL, BOOL, 0, "no", NONE),
    NUM("repl-disk-backlog-size", NULL, MEMORY, CONFIG_OWN, "268435456", FIELD(repl_disk_backlog_size), 0, INT64_MAX),
    WORD("repl-diskless-load", NULL, ENUM, 0, "disabled", FIELD(repl_diskless_load), words_diskless),
    ROW("repl-diskless-sync", NULL, BOOL, 0, "yes", FIELD(repl_diskless_sync)),
    NUM("repl-diskless-sync-delay", NULL, INT, 0, "5", FIELD(repl_diskless_sync_delay), 0, INT32_MAX),
    NUM("repl-diskless-sync-max-replicas", NULL, INT, 0, "0", FIELD(repl_diskless_sync_max_replicas), 0, INT32_MAX),
    NUM("repl-ping-replica-period", "repl-ping-slave-period", INT, 0, "10", FIELD(repl_ping_replica_period), 1, INT32_MAX),
    NUM("repl-timeout", NULL, INT, 0, "60", FIELD(repl_timeout), 1, INT32_MAX),
    ROW("replica-announce-ip", "slave-announce-ip", STRING, 0, "", FIELD(replica_announce_ip)),
    NUM("replica-announce-port", "slave-announce-port", INT, 0, "0", FIELD(replica_announce_port), 0, 65535),
    ROW("replica-announced", NULL, BOOL, 0, "yes", FIELD(replica_announced)),
    ROW("replica-ignore-disk-write-errors", NULL, BOOL, 0, "no", NONE),
    ROW("replica-ignore-maxmemory", "slave-ignore-maxmemory", BOOL, 0, "yes", NONE),
    ROW("replica-lazy-flush", "slave-lazy-flush", BOOL, 0, "no", NONE),
    NUM("replica-priority", "slave-priority", INT, 0, "100", FIELD(replica_priority), 0, INT32_MAX),
    ROW("replica-read-only", "slave-read-only", BOOL, 0, "yes", FIELD(replica_read_only)),
    ROW("replica-serve-stale-data", "slave-serve-stale-data", BOOL, 0, "yes", FIELD(replica_serve_stale_data)),
    ROW("replicaof", "slaveof", REPLICAOF, CONFIG_IMMUTABLE, "", FIELD(replicaof_host)),
    WORD("replication-durability", NULL, ENUM, CONFIG_OWN, "memory", FIELD(replication_durability), words_durability),
    WORD("replication-mode", NULL, ENUM, CONFIG_OWN, "async", FIELD(replication_mode), words_mode),
    NUM("replication-timeout", NULL, INT, CONFIG_OWN, "5000", FIELD(replication_timeout), 1, 3600000),
    ROW("requirepass", NULL, STRING, 0, "", FIELD(requirepass)),
    WORD("sanitize-dump-payload", NULL, ENUM, 0, "no", NONE, words_sanitize),
    ROW("save", NULL, SAVE, 0, "3600 1 300 100 60 10000", FIELD(save)),
    ROW("server_cpulist", NULL, STRING, CONFIG_IMMUTABLE, "", NONE),
    NUM("set-max-intset-entries", NULL, INT, 0, "512", FIELD(set_max_intset_entries), 0, INT64_MAX),
    ROW("set-proc-title", NULL, BOOL, CONFIG_IMMUTABLE, "yes", NONE),
    WORD("shutdown-on-sigint", NULL, FLAGS, 0, "default", FIELD(shutdown_on_sigint), words_shutdown),
    WORD("shutdown-on-sigterm", NULL, FLAGS, 0, "default", FIELD(shutdown_on_sigterm), words_shutdown),
    NUM("shutdown-timeout", NULL, INT, 0, "10", FIELD(shutdown_timeout), 0, INT32_MAX),
    NUM("slowlog-log-slower-than", NULL, INT, 0, "10000", FIELD(slowlog_log_slower_than), -1, INT64_MAX),
    NUM("slowlog-max-len", NULL, INT, 0, "128", FIELD(slowlog_max_len), 0, INT64_MAX),
    NUM("socket-mark-id", NULL, INT, CONFIG_IMMUTABLE, "0", NONE, 0, UINT32_MAX),
    ROW("stop-writes-on-bgsave-error", NULL, BOOL, 0, "yes", FIELD(stop_writes_on_bgsave_error)),
    NUM("stream-node-max-bytes", NULL, MEMORY, 0, "4096", NONE, 0, INT64_MAX),
    NUM("stream-node-max-entries", NULL, INT, 0, "100", NONE, 0, INT64_MAX),
    WORD("supervised", NULL, ENUM, CONFIG_IMMUTABLE, "no", NONE, words_supervised),
    ROW("syslog-enabled", NULL, BOOL, CONFIG_IMMUTABLE, "no", FIELD(syslog_enabled)),
    WORD("syslog-facility", NULL, ENUM, CONFIG_IMMUTABLE, "local0", NONE, words_facility),
    ROW("syslog-ident", NULL, STRING, CONFIG_IMMUTABLE, "redis", FIELD(syslog_ident)),
    NUM("tcp-backlog", NULL, INT, CONFIG_IMMUTABLE, "511", FIELD(tcp_backlog), 0, INT32_MAX),
    NUM("tcp-keepalive", NULL, INT, 0, "300", FIELD(tcp_keepalive), 0, INT32_MAX),
    NUM("timeout", NULL, INT, 0, "0", FIELD(timeout), 0, INT32_MAX),
    WORD("tls-auth-clients", NULL, ENUM, 0, "yes", NONE, words_auth_clients),
    ROW("tls-ca-cert-dir", NULL, STRING, 0, "", NONE),
    ROW("tls-ca-cert-file", NULL, STRING, 0, "", NONE),
    ROW("tls-cert-file", NULL, STRING, 0, "", NONE),
    ROW("tls-ciphers", NULL, STRING, 0, "", NONE),
    ROW("tls-ciphersuites", NULL, STRING, 0, "", NONE),
    ROW("tls-client-cert-file", NULL, STRING, 0, "", NONE),
    ROW("tls-client-key-file", NULL, STRING, 0, "", NONE),
    ROW("tls-client-key-file-pass", NULL, STRING, 0, "", NONE),
    ROW("tls-cluster", NULL, BOOL, 0, "no", NONE),
    ROW("tls-dh-params-file", NULL, STRING, 0, "", NONE),
    ROW("tls-key-file", NULL, STRING, 0, "", NONE),
    ROW("tls-key-file-pass", NULL, STRING, 0, "", NONE),
    NUM("tls-port", NULL, INT, 0, "0", NONE, 0, 65535),
    ROW("tls-prefer-server-ciphers", NULL, BOOL, 0, "no", NONE),
    ROW("tls-protocols", NULL, STRING, 0, "", NONE),
    ROW("tls-replication", NULL, BOOL, 0, "no", NONE),
    NUM("tls-session-cache-size", NULL, INT, 0, "20480", NONE, 0, INT32_MAX),
    NUM("tls-session-cache-timeout", NULL, INT, 0, "300", NONE, 0, INT32_MAX),
    ROW("tls-session-caching", NULL, BOOL, 0, "yes", NONE),
    NUM("tracking-table-max-keys", NULL, INT, 0, "1000000", FIELD(tracking_table_max_keys), 0, INT64_MAX),
    ROW("unixsocket", NULL, STRING, CONFIG_IMMUTABLE, "", FIELD(unixsocket)),
    ROW("unixsocketperm", NULL, OCTAL, CONFIG_IMMUTABLE, "0", FIELD(unixsocketperm)),
    NUM("user", NULL, LINES, CONFIG_IMMUTABLE | CONFIG_HIDDEN, "", NONE, 1, 63),
    NUM("zset-max-listpack-entries", "zset-max-ziplist-entries", INT, 0, "128", FIELD(zset_max_listpack_entries), 0, INT64_MAX),
    NUM("zset-max-listpack-value", "zset-max-ziplist-value", MEMORY, 0, "64", FIELD(zset_max_listpack_value), 0, INT64_MAX),
};
/* clang-format on */

const unsigned config_directive_count = sizeof(config_directives) / sizeof(config_directives[0]);

const struct config_directive *config_find(struct rg_bytes name)
{
    for (unsigned i = 0; i < config_directive_count; i++) {
        const struct config_directive *directive = &config_directives[i];
        if (rg_bytes_is_nocase(name, directive->name) ||
            (directive->alias != NULL && rg_bytes_is_nocase(name, directive->alias)))
            return directive;
    }
    return NULL;
}

bool config_is_multi(const struct config_directive *directive)
{
    return directive->kind >= CONFIG_FLAGS;
}
