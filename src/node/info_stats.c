#include "node/aof.h"
#include "node/evict.h"
#include "node/info.h"
#include "node/own_keys.h"
#include "node/pubsub.h"
#include "node/tracking.h"

typedef unsigned long long ull;

/* What this server does without (forks, scripts) is told as Redis tells it when idle. */

void info_persistence(const struct rg_node *node, struct rg_buf *out)
{
    rg_buf_printf(out, "loading:%d\r\nasync_loading:%d\r\n", node->loading.on,
                  node->follow.state == RG_FOLLOW_TRANSFER);
    rg_buf_append_str(out, "current_cow_peak:0\r\ncurrent_cow_size:0\r\n"
                           "current_cow_size_age:0\r\n");
    save_info(node, out);
    rg_buf_printf(out, "rdb_last_load_keys_expired:%llu\r\nrdb_last_load_keys_loaded:%llu\r\n",
                  (ull)node->loading.expired, (ull)node->loading.keys);
    aof_info(node, out);
    load_info(node, out);
}

static void stats_traffic(const struct rg_stats *stats, struct rg_buf *out)
{
    const double *rate = stats->per_second;

    rg_buf_printf(out, "total_connections_received:%llu\r\ntotal_commands_processed:%llu\r\n",
                  (ull)stats->connections, (ull)stats->commands);
    rg_buf_printf(out, "instantaneous_ops_per_sec:%.0f\r\n", rate[RG_RATE_COMMANDS]);
    rg_buf_printf(out, "total_net_input_bytes:%llu\r\ntotal_net_output_bytes:%llu\r\n",
                  (ull)stats->input_bytes, (ull)stats->output_bytes);
    rg_buf_printf(out, "total_net_repl_input_bytes:%llu\r\ntotal_net_repl_output_bytes:%llu\r\n",
                  (ull)stats->repl_input_bytes, (ull)stats->repl_output_bytes);
    rg_buf_printf(out, "instantaneous_input_kbps:%.2f\r\ninstantaneous_output_kbps:%.2f\r\n",
                  rate[RG_RATE_INPUT] / 1024, rate[RG_RATE_OUTPUT] / 1024);
    rg_buf_printf(out,
                  "instantaneous_input_repl_kbps:%.2f\r\ninstantaneous_output_repl_kbps:%.2f\r\n",
                  rate[RG_RATE_REPL_INPUT] / 1024, rate[RG_RATE_REPL_OUTPUT] / 1024);
    rg_buf_printf(out, "rejected_connections:%llu\r\n", (ull)stats->rejected_connections);
    rg_buf_printf(out, "sync_full:%llu\r\nsync_partial_ok:%llu\r\nsync_partial_err:%llu\r\n",
                  (ull)stats->sync_full, (ull)stats->sync_partial_ok, (ull)stats->sync_partial_err);
}

void info_stats(const struct rg_node *node, struct rg_buf *out)
{
    const struct rg_stats *stats = &node->stats;

    stats_traffic(stats, out);
    rg_buf_printf(out,
                  "expired_keys:%llu\r\nexpired_stale_perc:0.00\r\n"
                  "expired_time_cap_reached_count:0\r\nexpire_cycle_cpu_milliseconds:%lld\r\n",
                  (ull)stats->cmd.expired_keys, (long long)(stats->expire_us / RG_MS_US));
    rg_buf_printf(out,
                  "evicted_keys:%llu\r\nevicted_clients:0\r\n"
                  "total_eviction_exceeded_time:%lld\r\n"
                  "current_eviction_exceeded_time:%lld\r\n",
                  (ull)stats->cmd.evicted_keys,
                  (long long)(evict_exceeded_us(node, true) / RG_MS_US),
                  (long long)(evict_exceeded_us(node, false) / RG_MS_US));
    rg_buf_printf(out, "keyspace_hits:%llu\r\nkeyspace_misses:%llu\r\n",
                  (ull)stats->cmd.keyspace_hits, (ull)stats->cmd.keyspace_misses);
    rg_buf_printf(out, "pubsub_channels:%llu\r\npubsub_patterns:%llu\r\n",
                  (ull)pubsub_count(node, PUBSUB_CHANNEL), (ull)pubsub_count(node, PUBSUB_PATTERN));
    rg_buf_printf(out, "pubsubshard_channels:%llu\r\n", (ull)pubsub_count(node, PUBSUB_SHARD));
    rg_buf_append_str(out, "latest_fork_usec:0\r\ntotal_forks:0\r\n"
                           "migrate_cached_sockets:0\r\n");
    rg_buf_printf(out, "slave_expires_tracked_keys:%llu\r\n", (ull)own_keys_count(node));
    rg_buf_append_str(out, "active_defrag_hits:0\r\nactive_defrag_misses:0\r\n"
                           "active_defrag_key_hits:0\r\nactive_defrag_key_misses:0\r\n"
                           "total_active_defrag_time:0\r\ncurrent_active_defrag_time:0\r\n");
    rg_buf_printf(out,
                  "tracking_total_keys:%llu\r\ntracking_total_items:%llu\r\n"
                  "tracking_total_prefixes:%llu\r\nunexpected_error_replies:0\r\n",
                  (ull)node->tracking->keys.count, (ull)node->tracking->items,
                  (ull)node->tracking->prefix_count);
    rg_buf_printf(out, "total_error_replies:%llu\r\ndump_payload_sanitizations:0\r\n",
                  (ull)stats->errors.total);
    rg_buf_printf(out, "total_reads_processed:%llu\r\ntotal_writes_processed:%llu\r\n",
                  (ull)stats->reads, (ull)stats->writes);
    rg_buf_append_str(out, "io_threaded_reads_processed:0\r\nio_threaded_writes_processed:0\r\n"
                           "reply_buffer_shrinks:0\r\nreply_buffer_expands:0\r\n");
}
