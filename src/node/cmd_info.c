#include "node/handlers.h"
#include "node/info.h"
#include "node/sentinel.h"

/* INFO: which sections, in which order; the sections themselves are in info_*.c. */

static void info_sentinel(const struct rg_node *node, struct rg_buf *out)
{
    rg_sentinel_info(node->sentinel, out);
}

static const struct info_section {
    const char *name;
    const char *title;
    void (*write)(const struct rg_node *node, struct rg_buf *out);
    bool by_default;
    bool of_sentinels;
} info_sections[] = {
    {"server", "Server", info_server, true, true},
    {"clients", "Clients", info_clients, true, true},
    {"memory", "Memory", info_memory, true, false},
    {"persistence", "Persistence", info_persistence, true, false},
    {"stats", "Stats", info_stats, true, true},
    {"replication", "Replication", info_replication, true, false},
    {"group", "Group", info_group, true, false},
    {"cpu", "CPU", info_cpu, true, true},
    {"modules", "Modules", info_modules, true, false},
    {"commandstats", "Commandstats", info_commandstats, false, false},
    {"errorstats", "Errorstats", info_errorstats, true, false},
    {"latencystats", "Latencystats", info_latencystats, false, false},
    {"cluster", "Cluster", info_cluster, true, false},
    {"keyspace", "Keyspace", info_keyspace, true, false},
    {"sentinel", "Sentinel", info_sentinel, true, true},
};

static bool info_wanted(const struct rg_call *call, const struct info_section *section)
{
    bool sentinel = call->node->sentinel != NULL;

    if (sentinel ? !section->of_sentinels : section->write == info_sentinel)
        return false;
    for (int i = 1; i < call->argc; i++) {
        if (rg_bytes_is_nocase(call->argv[i], "all") ||
            rg_bytes_is_nocase(call->argv[i], "everything") ||
            rg_bytes_is_nocase(call->argv[i], section->name))
            return true;
        if (rg_bytes_is_nocase(call->argv[i], "default") && section->by_default)
            return true;
    }
    return call->argc == 1 && section->by_default;
}

void cmd_info(struct rg_call *call)
{
    struct rg_buf text = {0};

    for (size_t i = 0; i < sizeof(info_sections) / sizeof(info_sections[0]); i++) {
        if (!info_wanted(call, &info_sections[i]))
            continue;
        if (rg_buf_len(&text) > 0)
            rg_buf_append_str(&text, "\r\n");
        rg_buf_printf(&text, "# %s\r\n", info_sections[i].title);
        info_sections[i].write(call->node, &text);
    }
    rg_reply_verbatim(&call->reply, "txt", rg_buf_view(&text));
    rg_buf_fini(&text);
}
