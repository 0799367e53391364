#include "node/info_memory.h"

#include <stdio.h>

#include "node/client_info.h"
#include "node/info.h"
#include "node/scripting.h"

typedef unsigned long long ull;

/* The part of what counts that lies in the store's slabs, which the allocator does not know. */
static uint64_t memory_in_slabs(const struct rg_node *node)
{
    uint64_t taken = 0;
    uint64_t spare = 0;

    rg_store_slabs(node->store, &taken, &spare);
    return taken - spare;
}

static void memory_connections(const struct rg_node *node, uint64_t *ret_clients,
                               uint64_t *ret_replicas)
{
    *ret_clients = *ret_replicas = 0;
    RG_LIST_EACH(link, &node->conns)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, link);
        *(conn->kind == RG_CONN_REPLICA ? ret_replicas : ret_clients) += client_memory(conn);
    }
}

void memory_note(struct rg_node *node)
{
    uint64_t replicas = 0;

    memory_connections(node, &node->clients_memory, &replicas);
    if (node->startup_memory == 0) {
        uint64_t known = node_memory(node) + replicas;
        uint64_t allocated = node->facts.allocated + memory_in_slabs(node);
        node->fixed_memory = allocated > known ? allocated - known : 0;
        node->startup_memory = node_memory(node);
    }
    if (node_memory(node) + replicas > node->peak_memory)
        node->peak_memory = node_memory(node) + replicas;
}

void memory_use_measure(const struct rg_node *node, struct memory_use *ret_use)
{
    uint64_t slabs = 0;
    uint64_t spare = 0;
    struct memory_use use = {
        .rss = node->facts.used_memory_rss,
        .startup = node->startup_memory,
        .backlog = rg_backlog_memory(node->backlog),
        .dataset = rg_store_memory(node->store),
        .keys = rg_store_count(node->store),
    };

    memory_connections(node, &use.clients, &use.replicas);
    use.total = node_memory(node) - node->clients_memory + use.clients + use.replicas;
    use.peak = node->peak_memory > use.total ? node->peak_memory : use.total;
    use.overhead = use.total - use.dataset;
    rg_store_slabs(node->store, &slabs, &spare);
    use.allocated = node->facts.allocated + slabs - spare;
    use.active = node->facts.active + slabs;
    use.resident = node->facts.resident + slabs;
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

/* Of a figure and the larger one that it is part of: how much larger, as a ratio and in bytes. */
static void memory_excess(struct rg_buf *out, const char *name, uint64_t part, uint64_t whole)
{
    rg_buf_printf(out, "%s_ratio:%.2f\r\n%s_bytes:%lld\r\n", name, memory_ratio(whole, part), name,
                  (long long)(whole - part));
}

/* There are no functions beside scripts. */
static void memory_scripts(const struct rg_node *node, struct rg_buf *out)
{
    struct rg_scripts_use use = scripts_use(node->scripts);

    memory_line(out, "used_memory_lua", use.vm_bytes);
    memory_line(out, "used_memory_vm_eval", use.vm_bytes);
    char human[32];
    memory_human(human, sizeof(human), use.vm_bytes);
    rg_buf_printf(out, "used_memory_lua_human:%s\r\n", human);
    memory_line(out, "used_memory_scripts_eval", use.cache_bytes);
    rg_buf_printf(out, "number_of_cached_scripts:%u\r\n", use.count);
    rg_buf_append_str(out, "number_of_functions:0\r\nnumber_of_libraries:0\r\n"
                           "used_memory_vm_functions:0\r\n");
    memory_lines(out, "used_memory_vm_total", use.vm_bytes);
    memory_line(out, "used_memory_functions", 0);
    memory_lines(out, "used_memory_scripts", use.cache_bytes);
}

static void memory_allocator(const struct memory_use *use, struct rg_buf *out)
{
    memory_excess(out, "allocator_frag", use->allocated, use->active);
    memory_excess(out, "allocator_rss", use->active, use->resident);
    memory_excess(out, "rss_overhead", use->resident, use->rss);
    memory_excess(out, "mem_fragmentation", use->total, use->rss);
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
    memory_line(out, "allocator_allocated", use.allocated);
    memory_line(out, "allocator_active", use.active);
    memory_line(out, "allocator_resident", use.resident);
    memory_lines(out, "total_system_memory", node->facts.total_system_memory);
    memory_scripts(node, out);
    memory_lines(out, "maxmemory", (uint64_t)node->config->maxmemory);
    rg_config_get(node->config, &policy, 1, memory_policy, out);
    memory_allocator(&use, out);
    memory_line(out, "mem_not_counted_for_evict", use.replicas);
    memory_line(out, "mem_replication_backlog", use.backlog);
    memory_line(out, "mem_total_replication_buffers", use.backlog + use.replicas);
    memory_line(out, "mem_clients_slaves", use.replicas);
    memory_line(out, "mem_clients_normal", use.clients);
    rg_buf_append_str(out, "mem_cluster_links:0\r\nmem_aof_buffer:0\r\n");
    rg_buf_printf(out, "mem_allocator:%s\r\nactive_defrag_running:0\r\n",
                  node->facts.allocator[0] != '\0' ? node->facts.allocator : "libc");
    rg_store_count_doomed(node->store, &pending, &freed);
    memory_line(out, "lazyfree_pending_objects", pending);
    memory_line(out, "lazyfreed_objects", freed);
}
