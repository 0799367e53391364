#include "node/blocked.h"
#include "node/info.h"
#include "node/version.h"

typedef unsigned long long ull;

void info_server(const struct rg_node *node, struct rg_buf *out)
{
    int64_t uptime_s = (node->now.mono_us - node->started.mono_us) / RG_S_US;

    rg_buf_printf(out, "redis_version:%s\r\nregent_version:%s\r\n", RG_REDIS_VERSION, RG_VERSION);
    rg_buf_printf(out,
                  "redis_git_sha1:00000000\r\nredis_git_dirty:0\r\n"
                  "redis_build_id:0\r\nredis_mode:%s\r\n",
                  node->sentinel != NULL ? "sentinel" : "standalone");
    rg_buf_printf(out, "os:%s\r\narch_bits:%zu\r\nmonotonic_clock:POSIX clock_gettime\r\n",
                  node->facts.os[0] != '\0' ? node->facts.os : "none", 8 * sizeof(void *));
    rg_buf_printf(out, "multiplexing_api:%s\r\natomicvar_api:c11-builtin\r\n",
                  node->facts.io_backend ? node->facts.io_backend : "none");
    rg_buf_printf(out, "gcc_version:%d.%d.%d\r\n", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
    rg_buf_printf(out, "process_id:%lld\r\nprocess_supervised:no\r\nrun_id:%s\r\n",
                  (long long)node->pid, node->run_id);
    rg_buf_printf(out, "tcp_port:%lld\r\n", (long long)node->config->port);
    rg_buf_printf(out, "server_time_usec:%lld\r\n", (long long)node->now.wall_us);
    rg_buf_printf(out, "uptime_in_seconds:%lld\r\nuptime_in_days:%lld\r\n", (long long)uptime_s,
                  (long long)(uptime_s / 86400));
    if (node->stop_state == RG_STOP_LAGGING)
        rg_buf_printf(out, "shutdown_in_milliseconds:%lld\r\n",
                      (long long)((node->stop_limit_us - node->now.mono_us) / RG_MS_US));
    rg_buf_printf(out, "hz:%lld\r\nconfigured_hz:%lld\r\n", (long long)node->config->hz,
                  (long long)node->config->hz);
    rg_buf_printf(out, "lru_clock:%lld\r\n", (long long)(node->now.mono_us / RG_S_US & 0xffffff));
    rg_buf_printf(out, "executable:%s\r\nconfig_file:%s\r\nio_threads_active:0\r\n",
                  node->executable ? node->executable : "", rg_config_file(node->config));
}

void info_clients(const struct rg_node *node, struct rg_buf *out)
{
    unsigned clients = 0;
    unsigned blocked = 0;
    unsigned timed = 0;
    size_t max_in = 0;
    size_t max_out = 0;

    RG_LIST_EACH(link, &node->conns)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, link);
        if (conn->kind != RG_CONN_CLIENT)
            continue;
        clients++;
        blocked += conn->block != RG_BLOCK_NONE;
        timed += conn->block == RG_BLOCK_WAIT && conn->block_until_us != RG_NEVER;
        timed += conn->block == RG_BLOCK_KEYS && blocked_until(conn) != RG_NEVER;
        max_in = conn->in.cap > max_in ? conn->in.cap : max_in;
        max_out = rg_buf_len(&conn->out) > max_out ? rg_buf_len(&conn->out) : max_out;
    }
    rg_buf_printf(out, "connected_clients:%u\r\ncluster_connections:0\r\nmaxclients:%lld\r\n",
                  clients, (long long)node->config->maxclients);
    rg_buf_printf(out,
                  "client_recent_max_input_buffer:%zu\r\nclient_recent_max_output_buffer:%zu\r\n",
                  max_in, max_out);
    rg_buf_printf(out,
                  "blocked_clients:%u\r\ntracking_clients:%u\r\n"
                  "clients_in_timeout_table:%u\r\n",
                  blocked, node->tracking_clients, timed);
}

void info_cpu(const struct rg_node *node, struct rg_buf *out)
{
    rg_buf_printf(out, "used_cpu_sys:%.6f\r\nused_cpu_user:%.6f\r\n",
                  (double)node->facts.cpu_system_us / (double)RG_S_US,
                  (double)node->facts.cpu_user_us / (double)RG_S_US);
    rg_buf_append_str(out, "used_cpu_sys_children:0.000000\r\nused_cpu_user_children:0.000000\r\n");
    rg_buf_printf(out, "used_cpu_sys_main_thread:%.6f\r\nused_cpu_user_main_thread:%.6f\r\n",
                  (double)node->facts.cpu_thread_system_us / (double)RG_S_US,
                  (double)node->facts.cpu_thread_user_us / (double)RG_S_US);
}

void info_modules(const struct rg_node *node, struct rg_buf *out)
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
