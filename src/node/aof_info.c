#include "node/aof_impl.h"

/* What INFO persistence says of the log on disk. */

typedef unsigned long long ull;

uint64_t aof_buffer_bytes(const struct rg_node *node)
{
    const struct rg_aof *aof = node->aof;

    if (!aof->on || aof->path[0] == '\0' || aof->turn != AOF_TURN_NONE)
        return 0;
    return node_log_end(node) - aof->taken;
}

void aof_info(const struct rg_node *node, struct rg_buf *out)
{
    const struct rg_aof *aof = node->aof;
    int64_t for_s = (node->now.mono_us - aof->rewrite_began_us) / RG_S_US;

    rg_buf_printf(out,
                  "aof_enabled:%d\r\naof_rewrite_in_progress:%d\r\naof_rewrite_scheduled:%d\r\n"
                  "aof_last_rewrite_time_sec:%lld\r\naof_current_rewrite_time_sec:%lld\r\n",
                  aof->on, aof->rewriting, aof->scheduled, (long long)aof->rewrite_took_s,
                  (long long)(aof->rewriting ? for_s : -1));
    rg_buf_printf(out,
                  "aof_last_bgrewrite_status:%s\r\naof_rewrites:%llu\r\n"
                  "aof_rewrites_consecutive_failures:%u\r\naof_last_write_status:%s\r\n"
                  "aof_last_cow_size:0\r\nmodule_fork_in_progress:0\r\n"
                  "module_fork_last_cow_size:0\r\n",
                  aof->rewrite_ok ? "ok" : "err", (ull)aof->rewrites, aof->failures,
                  aof->trouble == AOF_WELL ? "ok" : "err");
    if (!aof->on)
        return;
    rg_buf_printf(out,
                  "aof_current_size:%llu\r\naof_base_size:%llu\r\naof_pending_rewrite:%d\r\n"
                  "aof_buffer_length:%llu\r\naof_pending_bio_fsync:%d\r\n"
                  "aof_delayed_fsync:%llu\r\n",
                  (ull)aof_size(aof), (ull)aof->base_bytes, aof->scheduled,
                  (ull)aof_buffer_bytes(node), aof->syncing, (ull)aof->delayed_syncs);
    aof_segments_info(node, out);
    rg_buf_printf(out, "aof_durable_offset:%llu\r\n", (ull)(aof->whole ? aof->synced : 0));
}
