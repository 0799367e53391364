#include "node/client_info.h"
#include "node/info.h"
#include "node/pubsub.h"
#include "node/version.h"

typedef unsigned long long ull;

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

void info_memory(const struct rg_node *node, struct rg_buf *out)
{
    const struct rg_node_facts *facts = &node->facts;
    uint64_t backlog = rg_backlog_memory(node->backlog);
    uint64_t dataset = rg_store_memory(node->store);

    rg_buf_printf(out, "used_memory:%llu\r\nused_memory_human:%.2fM\r\n", (ull)facts->used_memory,
                  (double)facts->used_memory / 1048576);
    rg_buf_printf(out, "used_memory_rss:%llu\r\nused_memory_rss_human:%.2fM\r\n",
                  (ull)facts->used_memory_rss, (double)facts->used_memory_rss / 1048576);
    rg_buf_printf(out, "used_memory_peak:%llu\r\nused_memory_peak_human:%.2fM\r\n",
                  (ull)node->stats.peak_memory, (double)node->stats.peak_memory / 1048576);
    rg_buf_printf(out, "used_memory_overhead:%llu\r\nused_memory_dataset:%llu\r\n",
                  (ull)(facts->used_memory > dataset ? facts->used_memory - dataset : 0),
                  (ull)dataset);
    rg_buf_printf(out, "total_system_memory:%llu\r\n", (ull)facts->total_system_memory);
    rg_buf_printf(out, "maxmemory:%lld\r\nmaxmemory_policy:noeviction\r\n",
                  (long long)node->config->maxmemory);
    rg_buf_printf(
        out, "mem_fragmentation_ratio:%.2f\r\n",
        facts->used_memory > 0 ? (double)facts->used_memory_rss / (double)facts->used_memory : 0.0);
    rg_buf_printf(out, "mem_replication_backlog:%llu\r\nmem_total_replication_buffers:%llu\r\n",
                  (ull)backlog, (ull)backlog);
    rg_buf_append_str(out, "mem_allocator:libc\r\nactive_defrag_running:0\r\n"
                           "lazyfree_pending_objects:0\r\n");
}

void info_persistence(const struct rg_node *node, struct rg_buf *out)
{
    rg_buf_printf(out, "loading:0\r\nasync_loading:0\r\n");
    rg_buf_printf(out, "rdb_changes_since_last_save:%llu\r\n", (ull)node->stats.dirty);
    rg_buf_printf(out,
                  "rdb_bgsave_in_progress:0\r\nrdb_last_save_time:%lld\r\n"
                  "rdb_last_bgsave_status:ok\r\n",
                  (long long)(node->started.wall_us / RG_S_US));
    rg_buf_append_str(out, "aof_enabled:0\r\naof_rewrite_in_progress:0\r\n");
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
}

void info_cpu(const struct rg_node *node, struct rg_buf *out)
{
    rg_buf_printf(out, "used_cpu_sys:%.6f\r\nused_cpu_user:%.6f\r\n",
                  (double)node->facts.cpu_system_us / (double)RG_S_US,
                  (double)node->facts.cpu_user_us / (double)RG_S_US);
    rg_buf_append_str(out, "used_cpu_sys_children:0.000000\r\nused_cpu_user_children:0.000000\r\n");
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
