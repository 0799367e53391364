#include "node/failover.h"
#include "node/info.h"
#include "node/serve_count.h"
#include "node/transfer.h"

static void info_primary_link(const struct rg_node *node, struct rg_buf *out)
{
    const struct rg_follow *follow = &node->follow;
    bool up = follow_link_up(node);
    bool syncing = follow->state == RG_FOLLOW_TRANSFER || follow->state == RG_FOLLOW_SAVING;
    int64_t io_s = follow->conn ? (node->now.mono_us - follow->last_io_us) / RG_S_US : -1;

    rg_buf_printf(out, "master_host:%s\r\nmaster_port:%u\r\n", follow->host ? follow->host : "",
                  follow->active ? follow->port : 0);
    rg_buf_printf(out, "master_link_status:%s\r\n", up ? "up" : "down");
    rg_buf_printf(out, "master_last_io_seconds_ago:%lld\r\n", (long long)(up ? io_s : -1));
    rg_buf_printf(out, "master_sync_in_progress:%d\r\n", syncing);
    rg_buf_printf(out, "slave_read_repl_offset:%llu\r\nslave_repl_offset:%llu\r\n",
                  (unsigned long long)node_log_end(node), (unsigned long long)node_log_end(node));
    if (syncing && follow->transfer != NULL) {
        uint64_t total = 0;
        uint64_t read = 0;
        transfer_progress(follow->transfer, &total, &read);
        rg_buf_printf(out,
                      "master_sync_total_bytes:%llu\r\nmaster_sync_read_bytes:%llu\r\n"
                      "master_sync_left_bytes:%llu\r\nmaster_sync_perc:%.2f\r\n"
                      "master_sync_last_io_seconds_ago:%lld\r\n",
                      (unsigned long long)total, (unsigned long long)read,
                      (unsigned long long)(total > read ? total - read : 0),
                      total > 0 ? 100.0 * (double)read / (double)total : 0.0, (long long)io_s);
    }
    if (!up)
        rg_buf_printf(out, "master_link_down_since_seconds:%lld\r\n",
                      (long long)(follow->ever_up
                                      ? (node->now.mono_us - follow->down_since_us) / RG_S_US
                                      : -1));
    rg_buf_printf(out, "slave_priority:%lld\r\nslave_read_only:%d\r\nreplica_announced:%d\r\n",
                  (long long)node->config->replica_priority, node->config->replica_read_only,
                  node->config->replica_announced);
}

static unsigned info_replica(const struct rg_node *node, const struct rg_conn *conn, unsigned index,
                             struct rg_buf *out)
{
    const struct rg_serve *serve = conn->serve;

    rg_buf_printf(out, "slave%u:ip=%s,port=%lld,state=%s,offset=%llu,lag=%lld\r\n", index,
                  serve->ip ? serve->ip : conn->peer_host, (long long)serve->listening_port,
                  serve->state == RG_SERVE_ONLINE                            ? "online"
                  : serve->state == RG_SERVE_WAITING || serve->awaits_length ? "wait_bgsave"
                                                                             : "send_bulk",
                  (unsigned long long)serve->acked,
                  (long long)(serve->state == RG_SERVE_ONLINE
                                  ? (node->now.mono_us - serve->last_ack_us) / RG_S_US
                                  : 0));
    return index + 1;
}

static void info_backlog(const struct rg_node *node, struct rg_buf *out)
{
    const struct rg_history *history = &node->history;
    /* A member that loads its files has none yet. */
    const struct rg_history_term none = {
        .replid = "0000000000000000000000000000000000000000",
    };
    const struct rg_history_term *last =
        history->count > 0 ? &history->terms[history->count - 1] : &none;
    uint64_t start = rg_backlog_start(node->backlog);
    bool second = history->count > 1;

    rg_buf_printf(out, "master_replid:%s\r\n", last->replid);
    rg_buf_printf(out, "master_replid2:%s\r\n",
                  second ? history->terms[history->count - 2].replid : none.replid);
    rg_buf_printf(out, "master_repl_offset:%llu\r\n", (unsigned long long)node_log_end(node));
    rg_buf_printf(out, "second_repl_offset:%lld\r\n", second ? (long long)last->start + 1 : -1LL);
    rg_buf_printf(out, "repl_backlog_active:%d\r\n", node->log_active);
    rg_buf_printf(out, "repl_backlog_size:%llu\r\n",
                  (unsigned long long)rg_backlog_limit(node->backlog));
    rg_buf_printf(out, "repl_backlog_first_byte_offset:%llu\r\n",
                  (unsigned long long)(node->log_active ? start + 1 : 0));
    rg_buf_printf(out, "repl_backlog_histlen:%llu\r\n",
                  (unsigned long long)(node->log_active ? node_log_end(node) - start : 0));
}

void info_replication(const struct rg_node *node, struct rg_buf *out)
{
    bool primary = node_is_primary(node);
    unsigned index = 0;

    rg_buf_printf(out, "role:%s\r\n", primary ? "master" : "slave");
    if (!primary)
        info_primary_link(node, out);
    rg_buf_printf(out, "connected_slaves:%u\r\n", node->replicas);
    if (node->config->min_replicas_to_write > 0 && node->config->min_replicas_max_lag > 0)
        rg_buf_printf(out, "min_slaves_good_slaves:%u\r\n", serve_count_good(node));
    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (conn->kind == RG_CONN_REPLICA)
            index = info_replica(node, conn, index, out);
    }
    rg_buf_printf(out, "master_failover_state:%s\r\n", failover_state_name(node));
    rg_buf_printf(out, "replication_mode:%s\r\nreplication_durability:%s\r\n",
                  rg_mode_name(node_mode(node)),
                  node->config->replication_durability == RG_DURABILITY_DISK ? "disk" : "memory");
    info_backlog(node, out);
}
