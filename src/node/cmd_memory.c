#include <stdio.h>

#include "base/number.h"
#include "node/handlers.h"
#include "node/info_memory.h"

enum { MEMORY_DEFAULT_SAMPLES = 5 };

void cmd_memory_usage(struct rg_call *call)
{
    int64_t samples = MEMORY_DEFAULT_SAMPLES;

    for (int i = 3; i < call->argc; i += 2) {
        if (!rg_bytes_is_nocase(call->argv[i], "samples") || i + 1 >= call->argc) {
            rg_reply_error(&call->reply, "ERR syntax error");
            return;
        }
        if (!cmd_arg_i64(call, i + 1, &samples))
            return;
        if (samples < 0) {
            rg_reply_error(&call->reply, "ERR syntax error");
            return;
        }
    }
    struct rg_entry *entry =
        rg_db_find(rg_store_db(call->node->store, call->conn->db), call->argv[2]);
    if (entry == NULL)
        rg_reply_null(&call->reply);
    else
        rg_reply_i64(&call->reply, (int64_t)rg_entry_memory(entry, (uint64_t)samples));
}

static void memory_reply_i64(struct rg_reply *reply, const char *name, int64_t value)
{
    rg_reply_bulk_str(reply, name);
    rg_reply_i64(reply, value);
}

static void memory_reply_double(struct rg_reply *reply, const char *name, double value)
{
    rg_reply_bulk_str(reply, name);
    rg_reply_double(reply, value);
}

/* A map for each database that holds keys: what it takes beside its entries. */
static void memory_reply_databases(struct rg_call *call)
{
    const struct rg_store *store = call->node->store;
    char name[32];
    uint64_t table = 0;
    uint64_t expiry = 0;

    for (unsigned i = 0; i < rg_store_databases(store); i++) {
        const struct rg_db *db = rg_store_db(call->node->store, i);
        if (rg_db_count(db) == 0)
            continue;
        rg_db_overhead(db, &table, &expiry);
        (void)snprintf(name, sizeof(name), "db.%u", i);
        rg_reply_bulk_str(&call->reply, name);
        rg_reply_map(&call->reply, 3);
        memory_reply_i64(&call->reply, "overhead.hashtable.main", (int64_t)table);
        memory_reply_i64(&call->reply, "overhead.hashtable.expires", (int64_t)expiry);
        memory_reply_i64(&call->reply, "overhead.hashtable.slot-to-keys", 0);
    }
}

static unsigned memory_databases_in_use(struct rg_store *store)
{
    unsigned used = 0;

    for (unsigned i = 0; i < rg_store_databases(store); i++)
        used += rg_db_count(rg_store_db(store, i)) > 0;
    return used;
}

static void memory_reply_allocator(struct rg_reply *reply, const struct memory_use *use)
{
    memory_reply_double(reply, "dataset.percentage", memory_percent(use->dataset, use->total));
    memory_reply_double(reply, "peak.percentage", memory_percent(use->total, use->peak));
    memory_reply_i64(reply, "allocator.allocated", (int64_t)use->allocated);
    memory_reply_i64(reply, "allocator.active", (int64_t)use->active);
    memory_reply_i64(reply, "allocator.resident", (int64_t)use->resident);
    memory_reply_double(reply, "allocator-fragmentation.ratio",
                        memory_ratio(use->active, use->allocated));
    memory_reply_i64(reply, "allocator-fragmentation.bytes",
                     (int64_t)(use->active - use->allocated));
    memory_reply_double(reply, "allocator-rss.ratio", memory_ratio(use->resident, use->active));
    memory_reply_i64(reply, "allocator-rss.bytes", (int64_t)(use->resident - use->active));
    memory_reply_double(reply, "rss-overhead.ratio", memory_ratio(use->rss, use->resident));
    memory_reply_i64(reply, "rss-overhead.bytes", (int64_t)(use->rss - use->resident));
    memory_reply_double(reply, "fragmentation", memory_ratio(use->rss, use->total));
    memory_reply_i64(reply, "fragmentation.bytes", (int64_t)(use->rss - use->total));
}

void cmd_memory_stats(struct rg_call *call)
{
    enum { FIELDS = 27 }; /* beside the databases */
    struct rg_reply *reply = &call->reply;
    struct memory_use use;

    memory_use_measure(call->node, &use);
    rg_reply_map(reply, FIELDS + memory_databases_in_use(call->node->store));
    memory_reply_i64(reply, "peak.allocated", (int64_t)use.peak);
    memory_reply_i64(reply, "total.allocated", (int64_t)use.total);
    memory_reply_i64(reply, "startup.allocated", (int64_t)use.startup);
    memory_reply_i64(reply, "replication.backlog", (int64_t)use.backlog);
    memory_reply_i64(reply, "clients.slaves", (int64_t)use.replicas);
    memory_reply_i64(reply, "clients.normal", (int64_t)use.clients);
    memory_reply_i64(reply, "cluster.links", 0);
    memory_reply_i64(reply, "aof.buffer", 0);
    memory_reply_i64(reply, "lua.caches", 0);
    memory_reply_i64(reply, "functions.caches", 0);
    memory_reply_databases(call);
    memory_reply_i64(reply, "overhead.total", (int64_t)use.overhead);
    memory_reply_i64(reply, "keys.count", (int64_t)use.keys);
    memory_reply_i64(reply, "keys.bytes-per-key",
                     (int64_t)(use.keys > 0 ? use.dataset / use.keys : 0));
    memory_reply_i64(reply, "dataset.bytes", (int64_t)use.dataset);
    memory_reply_allocator(reply, &use);
}

void cmd_memory_doctor(struct rg_call *call)
{
    const char *text = "No problem with memory was found.";
    struct memory_use use;

    memory_use_measure(call->node, &use);
    if (use.total < 5 * 1024 * 1024)
        text = "This instance holds too little data to judge its use of memory.";
    else if (use.peak > use.total + use.total / 2)
        text = "Memory in use was more than 1.5 times as much at its peak: what was freed since "
               "may still be held by the allocator. MEMORY PURGE gives it back.";
    else if (use.rss > use.total + use.total / 2)
        text = "Resident memory is more than 1.5 times what is in use: the allocator holds "
               "fragments that it cannot give back.";
    rg_reply_verbatim(&call->reply, "txt", rg_bytes_str(text));
}

void cmd_memory_malloc_stats(struct rg_call *call)
{
    struct rg_buf out = {0};

    if (call->node->facts.allocator_report == NULL) {
        rg_reply_bulk_str(&call->reply, "Stats not supported for the current allocator");
        return;
    }
    call->node->facts.allocator_report(&out);
    rg_reply_verbatim(&call->reply, "txt", rg_buf_view(&out));
    rg_buf_fini(&out);
}

void cmd_memory_purge(struct rg_call *call)
{
    rg_store_trim(call->node->store);
    node_effect_purge(call->node);
    rg_reply_simple(&call->reply, "OK");
}
