#include "node/client_info.h"
#include "node/info.h"
#include "node/pubsub.h"
#include "node/version.h"

typedef unsigned long long ull;

/* 1536 as 1.50K, as Redis writes sizes for people. */
static void info_human(struct rg_buf *out, const char *name, uint64_t bytes)
{
    static const char units[] = "BKMGTP";
    double value = (double)bytes;
    unsigned unit = 0;

    while (value >= 1024 && unit < sizeof(units) - 2) {
        value /= 1024;
        unit++;
    }
    if (unit == 0)
        rg_buf_printf(out, "%s_human:%lluB\r\n", name, (ull)bytes);
    else
        rg_buf_printf(out, "%s_human:%.2f%c\r\n", name, value, units[unit]);
}

/* A size, and the same for people. */
static void info_size(struct rg_buf *out, const char *name, uint64_t bytes)
{
    rg_buf_printf(out, "%s:%llu\r\n", name, (ull)bytes);
    info_human(out, name, bytes);
}

static double info_share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0.0;
}

void info_server(const struct rg_node *node, struct rg_buf *out)
{
    int64_t uptime_s = (node->now.mono_us - node->started.mono_us) / RG_S_US;

    rg_buf_printf(out, "redis_version:%s\r\nregent_version:%s\r\n", RG_REDIS_VERSION, RG_VERSION);
    rg_buf_append_str(out, "redis_git_sha1:00000000\r\nredis_git_dirty:0\r\n"
                           "redis_build_id:0\r\nredis_mode:standalone\r\n"
                           "os:Linux\r\narch_bits:64\r\nmonotonic_clock:POSIX clock_gettime\r\n");
    rg_buf_printf(out, "multiplexing_api:%s\r\n",
                  node->facts.io_backend ? node->facts.io_backend : "none");
    rg_buf_printf(out, "gcc_version:%d.%d.%d\r\n", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
    rg_buf_printf(out, "process_id:%lld\r\nprocess_supervised:no\r\nrun_id:%s\r\n",
                  (long long)node->pid, node->run_id);
    rg_buf_printf(out, "tcp_port:%lld\r\n", (long long)node->config->port);
    rg_buf_printf(out, "server_time_usec:%lld\r\n", (long long)node->now.wall_us);
    rg_buf_printf(out, "uptime_in_seconds:%lld\r\nuptime_in_days:%lld\r\n", (long long)uptime_s,
                  (long long)(uptime_s / 86400));
    rg_buf_printf(out, "hz:%lld\r\nconfigured_hz:%lld\r\n", (long long)node->config->hz,
                  (long long)node->config->hz);
    rg_buf_printf(out, "lru_clock:%lld\r\n", (long long)(node->now.wall_us / RG_S_US & 0xffffff));
    rg_buf_printf(out, "executable:%s\r\nconfig_file:%s\r\nio_threads_active:0\r\n",
                  node->executable ? node->executable : "", rg_config_file(node->config));
}

void info_clients(const struct rg_node *node, struct rg_buf *out)
{
    unsigned clients = 0;
    unsigned blocked = 0;
    size_t max_in = 0;
    size_t max_out = 0;

    RG_LIST_EACH(link, &node->conns)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, link);
        if (conn->kind != RG_CONN_CLIENT)
            continue;
        clients++;
        blocked += conn->block == RG_BLOCK_WAIT;
        max_in = conn->in.cap > max_in ? conn->in.cap : max_in;
        max_out = conn->out.cap > max_out ? conn->out.cap : max_out;
    }
    rg_buf_printf(out, "connected_clients:%u\r\ncluster_connections:0\r\nmaxclients:%lld\r\n",
                  clients, (long long)node->config->maxclients);
    rg_buf_printf(out,
                  "client_recent_max_input_buffer:%zu\r\nclient_recent_max_output_buffer:%zu\r\n",
                  max_in, max_out);
    rg_buf_printf(out,
                  "blocked_clients:%u\r\ntracking_clients:0\r\n"
                  "clients_in_timeout_table:%u\r\n",
                  blocked, blocked);
}

static void info_value(void *arg, const char *name, struct rg_bytes value)
{
    (void)name;
    rg_buf_append_bytes(arg, value);
}

/* What connections hold: requests that came in part, and replies not sent yet. */
static uint64_t info_conns_memory(const struct rg_node *node, bool replicas)
{
    uint64_t bytes = 0;

    RG_LIST_EACH(link, &node->conns)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, link);
        if ((conn->kind == RG_CONN_REPLICA) == replicas)
            bytes += sizeof(*conn) + conn->in.cap + conn->out.cap;
    }
    return bytes;
}

static void info_allocator(const struct rg_node_facts *facts, struct rg_buf *out)
{
    uint64_t used = facts->used_memory;
    uint64_t rss = facts->used_memory_rss;
    uint64_t more = rss > used ? rss - used : 0;

    rg_buf_printf(out,
                  "allocator_allocated:%llu\r\nallocator_active:%llu\r\n"
                  "allocator_resident:%llu\r\n",
                  (ull)used, (ull)rss, (ull)rss);
    rg_buf_printf(out, "allocator_frag_ratio:%.2f\r\nallocator_frag_bytes:%llu\r\n",
                  info_share(rss, used), (ull)more);
    rg_buf_append_str(out, "allocator_rss_ratio:1.00\r\nallocator_rss_bytes:0\r\n"
                           "rss_overhead_ratio:1.00\r\nrss_overhead_bytes:0\r\n");
    rg_buf_printf(out, "mem_fragmentation_ratio:%.2f\r\nmem_fragmentation_bytes:%llu\r\n",
                  info_share(rss, used), (ull)more);
}

/* There are no scripts, functions, AOF and cluster yet, and so nothing is held for them. */
static void info_memory_unused(struct rg_buf *out)
{
    rg_buf_append_str(out, "used_memory_vm_eval:0\r\nused_memory_lua:0\r\n"
                           "used_memory_lua_human:0B\r\nused_memory_scripts_eval:0\r\n"
                           "number_of_cached_scripts:0\r\nnumber_of_functions:0\r\n"
                           "number_of_libraries:0\r\nused_memory_vm_functions:0\r\n"
                           "used_memory_vm_total:0\r\nused_memory_vm_total_human:0B\r\n"
                           "used_memory_functions:0\r\nused_memory_scripts:0\r\n"
                           "used_memory_scripts_human:0B\r\nmem_cluster_links:0\r\n"
                           "mem_aof_buffer:0\r\nmem_not_counted_for_evict:0\r\n"
                           "active_defrag_running:0\r\nlazyfree_pending_objects:0\r\n"
                           "lazyfreed_objects:0\r\n");
}

void info_memory(const struct rg_node *node, struct rg_buf *out)
{
    const struct rg_node_facts *facts = &node->facts;
    const struct rg_config *config = node->config;
    uint64_t backlog = rg_backlog_memory(node->backlog);
    uint64_t dataset = rg_store_memory(node->store);
    uint64_t used = facts->used_memory;

    info_size(out, "used_memory", used);
    info_size(out, "used_memory_rss", facts->used_memory_rss);
    info_size(out, "used_memory_peak", node->stats.peak_memory);
    rg_buf_printf(out, "used_memory_peak_perc:%.2f%%\r\n",
                  100 * info_share(used, node->stats.peak_memory));
    rg_buf_printf(out, "used_memory_overhead:%llu\r\nused_memory_startup:0\r\n",
                  (ull)(used > dataset ? used - dataset : 0));
    rg_buf_printf(out, "used_memory_dataset:%llu\r\nused_memory_dataset_perc:%.2f%%\r\n",
                  (ull)dataset, 100 * info_share(dataset, used > dataset ? used : dataset));
    info_size(out, "total_system_memory", facts->total_system_memory);
    info_size(out, "maxmemory", (uint64_t)config->maxmemory);
    rg_buf_append_str(out, "maxmemory_policy:");
    rg_config_get(config, &RG_BYTES("maxmemory-policy"), 1, info_value, out);
    rg_buf_append_str(out, "\r\n");
    info_allocator(facts, out);
    rg_buf_printf(out, "mem_replication_backlog:%llu\r\nmem_total_replication_buffers:%llu\r\n",
                  (ull)backlog, (ull)backlog);
    rg_buf_printf(out, "mem_clients_slaves:%llu\r\nmem_clients_normal:%llu\r\n",
                  (ull)info_conns_memory(node, true), (ull)info_conns_memory(node, false));
    rg_buf_append_str(out, "mem_allocator:libc\r\n");
    info_memory_unused(out);
}

void info_persistence(const struct rg_node *node, struct rg_buf *out)
{
    rg_buf_printf(out, "loading:0\r\nasync_loading:0\r\n");
    rg_buf_printf(out, "rdb_changes_since_last_save:%llu\r\n", (ull)node->stats.dirty);
    rg_buf_printf(out,
                  "rdb_bgsave_in_progress:0\r\nrdb_last_save_time:%lld\r\n"
                  "rdb_last_bgsave_status:ok\r\n",
                  (long long)(node->started.wall_us / RG_S_US));
    rg_buf_append_str(out, "rdb_last_bgsave_time_sec:-1\r\nrdb_current_bgsave_time_sec:-1\r\n"
                           "rdb_saves:0\r\nrdb_last_cow_size:0\r\n"
                           "current_cow_peak:0\r\ncurrent_cow_size:0\r\n"
                           "current_cow_size_age:0\r\ncurrent_fork_perc:0.00\r\n"
                           "current_save_keys_processed:0\r\ncurrent_save_keys_total:0\r\n"
                           "rdb_last_load_keys_expired:0\r\nrdb_last_load_keys_loaded:0\r\n"
                           "aof_enabled:0\r\naof_rewrite_in_progress:0\r\n"
                           "aof_rewrite_scheduled:0\r\naof_last_rewrite_time_sec:-1\r\n"
                           "aof_current_rewrite_time_sec:-1\r\naof_last_bgrewrite_status:ok\r\n"
                           "aof_rewrites:0\r\naof_rewrites_consecutive_failures:0\r\n"
                           "aof_last_write_status:ok\r\naof_last_cow_size:0\r\n"
                           "module_fork_in_progress:0\r\nmodule_fork_last_cow_size:0\r\n");
}

static uint64_t info_errors(const struct rg_node *node)
{
    uint64_t errors = 0;
    unsigned count = 0;

    (void)rg_cmd_table(&count);
    for (unsigned i = 0; i < count; i++)
        errors += node->stats.per_command[i].failed + node->stats.per_command[i].rejected;
    return errors;
}

/* What Redis counts of things that are not here: eviction, defragmentation, tracking, threads. */
static void info_stats_unused(struct rg_buf *out)
{
    rg_buf_append_str(out, "evicted_clients:0\r\ntotal_eviction_exceeded_time:0\r\n"
                           "current_eviction_exceeded_time:0\r\nexpired_stale_perc:0.00\r\n"
                           "expired_time_cap_reached_count:0\r\n"
                           "expire_cycle_cpu_milliseconds:0\r\nactive_defrag_hits:0\r\n"
                           "active_defrag_misses:0\r\nactive_defrag_key_hits:0\r\n"
                           "active_defrag_key_misses:0\r\ntotal_active_defrag_time:0\r\n"
                           "current_active_defrag_time:0\r\ntracking_total_keys:0\r\n"
                           "tracking_total_items:0\r\ntracking_total_prefixes:0\r\n"
                           "slave_expires_tracked_keys:0\r\nmigrate_cached_sockets:0\r\n"
                           "dump_payload_sanitizations:0\r\npubsubshard_channels:0\r\n"
                           "io_threaded_reads_processed:0\r\n"
                           "io_threaded_writes_processed:0\r\n");
}

void info_stats(const struct rg_node *node, struct rg_buf *out)
{
    const struct rg_stats *stats = &node->stats;

    rg_buf_printf(out, "total_connections_received:%llu\r\ntotal_commands_processed:%llu\r\n",
                  (ull)stats->connections, (ull)stats->commands);
    rg_buf_printf(out, "instantaneous_ops_per_sec:%.0f\r\n", stats->ops_per_sec);
    rg_buf_printf(out, "total_net_input_bytes:%llu\r\ntotal_net_output_bytes:%llu\r\n",
                  (ull)stats->input_bytes, (ull)stats->output_bytes);
    rg_buf_printf(out, "total_net_repl_input_bytes:%llu\r\ntotal_net_repl_output_bytes:%llu\r\n",
                  (ull)stats->repl_input_bytes, (ull)stats->repl_output_bytes);
    rg_buf_printf(out, "instantaneous_input_kbps:%.2f\r\ninstantaneous_output_kbps:%.2f\r\n",
                  stats->input_kbps, stats->output_kbps);
    rg_buf_printf(out, "rejected_connections:%llu\r\n", (ull)stats->rejected_connections);
    rg_buf_printf(out, "sync_full:%llu\r\nsync_partial_ok:%llu\r\nsync_partial_err:%llu\r\n",
                  (ull)stats->sync_full, (ull)stats->sync_partial_ok, (ull)stats->sync_partial_err);
    rg_buf_printf(out, "expired_keys:%llu\r\nevicted_keys:0\r\n", (ull)stats->cmd.expired_keys);
    rg_buf_printf(out, "keyspace_hits:%llu\r\nkeyspace_misses:%llu\r\n",
                  (ull)stats->cmd.keyspace_hits, (ull)stats->cmd.keyspace_misses);
    rg_buf_printf(out, "pubsub_channels:%llu\r\npubsub_patterns:%llu\r\n",
                  (ull)pubsub_count(node, false), (ull)pubsub_count(node, true));
    rg_buf_append_str(out, "latest_fork_usec:0\r\ntotal_forks:0\r\n");
    rg_buf_printf(out, "total_error_replies:%llu\r\nunexpected_error_replies:0\r\n",
                  (ull)info_errors(node));
    info_stats_unused(out);
}

void info_cpu(const struct rg_node *node, struct rg_buf *out)
{
    rg_buf_printf(out, "used_cpu_sys:%.6f\r\nused_cpu_user:%.6f\r\n",
                  (double)node->facts.cpu_system_us / (double)RG_S_US,
                  (double)node->facts.cpu_user_us / (double)RG_S_US);
    rg_buf_append_str(out, "used_cpu_sys_children:0.000000\r\nused_cpu_user_children:0.000000\r\n");
    rg_buf_printf(out, "used_cpu_sys_main_thread:%.6f\r\nused_cpu_user_main_thread:%.6f\r\n",
                  (double)node->facts.cpu_main_system_us / (double)RG_S_US,
                  (double)node->facts.cpu_main_user_us / (double)RG_S_US);
}

void info_modules(const struct rg_node *node, struct rg_buf *out)
{
    (void)node;
    (void)out;
}

void info_commandstats(const struct rg_node *node, struct rg_buf *out)
{
    unsigned count = 0;
    const struct rg_command *table = rg_cmd_table(&count);

    for (unsigned i = 0; i < count; i++) {
        const struct rg_command_stats *stats = &node->stats.per_command[i];
        if (stats->calls == 0 && stats->rejected == 0)
            continue;
        rg_buf_printf(out,
                      "cmdstat_%s:calls=%llu,usec=%lld,usec_per_call=%.2f,rejected_calls=%llu,"
                      "failed_calls=%llu\r\n",
                      table[i].name, (ull)stats->calls, (long long)stats->usec,
                      stats->calls > 0 ? (double)stats->usec / (double)stats->calls : 0.0,
                      (ull)stats->rejected, (ull)stats->failed);
    }
}

void info_errorstats(const struct rg_node *node, struct rg_buf *out)
{
    (void)node;
    (void)out;
}

void info_cluster(const struct rg_node *node, struct rg_buf *out)
{
    (void)node;
    rg_buf_append_str(out, "cluster_enabled:0\r\n");
}

void info_keyspace(const struct rg_node *node, struct rg_buf *out)
{
    for (unsigned i = 0; i < rg_store_databases(node->store); i++) {
        const struct rg_db *db = rg_store_db(node->store, i);
        if (rg_db_count(db) == 0)
            continue;
        rg_buf_printf(out, "db%u:keys=%llu,expires=%llu,avg_ttl=%lld\r\n", i, (ull)rg_db_count(db),
                      (ull)rg_db_count_expiring(db),
                      (long long)rg_db_mean_ttl_ms(db, node->now.wall_us / RG_MS_US));
    }
}
