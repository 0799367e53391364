#include "base/number.h"
#include "node/handlers.h"

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

void cmd_memory_stats(struct rg_call *call)
{
    struct rg_node *node = call->node;
    uint64_t dataset = rg_store_memory(node->store);
    uint64_t keys = rg_store_count(node->store);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"peak.allocated", node->stats.peak_memory},
        {"total.allocated", node->facts.used_memory},
        {"replication.backlog", rg_backlog_memory(node->backlog)},
        {"keys.count", keys},
        {"keys.bytes-per-key", keys > 0 ? dataset / keys : 0},
        {"dataset.bytes", dataset},
    };

    rg_reply_map(&call->reply, sizeof(rows) / sizeof(rows[0]));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rg_reply_bulk_str(&call->reply, rows[i].name);
        rg_reply_i64(&call->reply, (int64_t)rows[i].value);
    }
}

void cmd_memory_doctor(struct rg_call *call)
{
    const struct rg_node_facts *facts = &call->node->facts;
    const char *text = "No problem with memory was found.";

    if (facts->used_memory < 5 * 1024 * 1024)
        text = "This instance holds too little data to judge its use of memory.";
    else if (facts->used_memory_rss > facts->used_memory + facts->used_memory / 2)
        text = "Resident memory is more than 1.5 times what is allocated: the allocator holds "
               "fragments that it cannot give back.";
    rg_reply_verbatim(&call->reply, "txt", rg_bytes_str(text));
}

void cmd_memory_malloc_stats(struct rg_call *call)
{
    rg_reply_bulk_str(&call->reply, "Stats not supported for the current allocator");
}

void cmd_memory_purge(struct rg_call *call)
{
    rg_reply_simple(&call->reply, "OK");
}
