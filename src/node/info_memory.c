#include "node/info_memory.h"

#include <stdio.h>

#include "node/client_info.h"
#include "node/info.h"

typedef unsigned long long ull;

void memory_use_measure(const struct rg_node *node, struct memory_use *ret_use)
{
    struct memory_use use = {
        .total = node->facts.used_memory,
        .rss = node->facts.used_memory_rss,
        .peak = node->peak_memory,
        .startup = node->startup_memory,
        .backlog = rg_backlog_memory(node->backlog),
        .keys = rg_store_count(node->store),
    };

    RG_LIST_EACH(link, &node->conns)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, link);
        *(conn->kind == RG_CONN_REPLICA ? &use.replicas : &use.clients) += client_memory(conn);
    }
    /* The host's figure is a second old, the data's is of now. */
    use.dataset = rg_store_memory(node->store);
    if (use.total < use.dataset)
        use.total = use.dataset;
    if (use.peak < use.total)
        use.peak = use.total;
    use.overhead = use.total - use.dataset;
    *ret_use = use;
}

double memory_ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

double memory_percent(uint64_t part, uint64_t whole)
{
    return 100 * memory_ratio(part, whole);
}

static void memory_human(char *out, size_t size, uint64_t bytes)
{
    static const char units[] = "BKMGTP";
    double value = (double)bytes;
    size_t unit = 0;

    for (; value >= 1024 && units[unit + 1] != '\0'; unit++)
        value /= 1024;
    (void)snprintf(out, size, unit == 0 ? "%.0f%c" : "%.2f%c", value, units[unit]);
}

static void memory_line(struct rg_buf *out, const char *name, uint64_t bytes)
{
    rg_buf_printf(out, "%s:%llu\r\n", name, (ull)bytes);
}

/* With name_human behind it. */
static void memory_lines(struct rg_buf *out, const char *name, uint64_t bytes)
{
    char human[32];

    memory_human(human, sizeof(human), bytes);
    rg_buf_printf(out, "%s:%llu\r\n%s_human:%s\r\n", name, (ull)bytes, name, human);
}

static void memory_policy(void *arg, const char *name, struct rg_bytes value)
{
    rg_buf_printf(arg, "%s:%.*s\r\n", "maxmemory_policy", (int)value.len, value.data);
    (void)name;
}

/* What the allocator holds is known only as the resident size: these say what follows from it. */
static void memory_allocator(const struct memory_use *use, struct rg_buf *out)
{
    long long spare = (long long)use->rss - (long long)use->total;
    double ratio = memory_ratio(use->rss, use->total);

    rg_buf_printf(out, "allocator_frag_ratio:%.2f\r\nallocator_frag_bytes:%lld\r\n", ratio, spare);
    rg_buf_append_str(out, "allocator_rss_ratio:1.00\r\nallocator_rss_bytes:0\r\n"
                           "rss_overhead_ratio:1.00\r\nrss_overhead_bytes:0\r\n");
    rg_buf_printf(out, "mem_fragmentation_ratio:%.2f\r\nmem_fragmentation_bytes:%lld\r\n", ratio,
                  spare);
}

void info_memory(const struct rg_node *node, struct rg_buf *out)
{
    struct rg_bytes policy = RG_BYTES("maxmemory-policy");
    struct memory_use use;
    uint64_t pending = 0;
    uint64_t freed = 0;

    memory_use_measure(node, &use);
    memory_lines(out, "used_memory", use.total);
    memory_lines(out, "used_memory_rss", use.rss);
    memory_lines(out, "used_memory_peak", use.peak);
    rg_buf_printf(out, "used_memory_peak_perc:%.2f%%\r\n", memory_percent(use.total, use.peak));
    memory_line(out, "used_memory_overhead", use.overhead);
    memory_line(out, "used_memory_startup", use.startup);
    memory_line(out, "used_memory_dataset", use.dataset);
    rg_buf_printf(out, "used_memory_dataset_perc:%.2f%%\r\n",
                  memory_percent(use.dataset, use.total));
    memory_line(out, "allocator_allocated", use.total);
    memory_line(out, "allocator_active", use.rss);
    memory_line(out, "allocator_resident", use.rss);
    memory_lines(out, "total_system_memory", node->facts.total_system_memory);
    rg_buf_append_str(out, "used_memory_lua:0\r\nused_memory_vm_eval:0\r\n"
                           "used_memory_lua_human:0B\r\nused_memory_scripts_eval:0\r\n"
                           "number_of_cached_scripts:0\r\nnumber_of_functions:0\r\n"
                           "number_of_libraries:0\r\nused_memory_vm_functions:0\r\n"
                           "used_memory_vm_total:0\r\nused_memory_vm_total_human:0B\r\n"
                           "used_memory_functions:0\r\nused_memory_scripts:0\r\n"
                           "used_memory_scripts_human:0B\r\n");
    memory_lines(out, "maxmemory", (uint64_t)node->config->maxmemory);
    rg_config_get(node->config, &policy, 1, memory_policy, out);
    memory_allocator(&use, out);
    rg_buf_append_str(out, "mem_not_counted_for_evict:0\r\n");
    memory_line(out, "mem_replication_backlog", use.backlog);
    memory_line(out, "mem_total_replication_buffers", use.backlog + use.replicas);
    memory_line(out, "mem_clients_slaves", use.replicas);
    memory_line(out, "mem_clients_normal", use.clients);
    rg_buf_append_str(out, "mem_cluster_links:0\r\nmem_aof_buffer:0\r\nmem_allocator:libc\r\n"
                           "active_defrag_running:0\r\n");
    rg_store_count_doomed(node->store, &pending, &freed);
    memory_line(out, "lazyfree_pending_objects", pending);
    memory_line(out, "lazyfreed_objects", freed);
}
