#include "node/handlers.h"
#include "node/info.h"

/* INFO: which sections, in which order; the sections themselves are in info_*.c. */

static const struct info_section {
    const char *name;
    const char *title;
    void (*write)(const struct rg_node *node, struct rg_buf *out);
    bool by_default;
} info_sections[] = {
    {"server", "Server", info_server, true},
    {"clients", "Clients", info_clients, true},
    {"memory", "Memory", info_memory, true},
    {"persistence", "Persistence", info_persistence, true},
    {"stats", "Stats", info_stats, true},
    {"replication", "Replication", info_replication, true},
    {"group", "Group", info_group, true},
    {"cpu", "CPU", info_cpu, true},
    {"modules", "Modules", info_modules, true},
    {"commandstats", "Commandstats", info_commandstats, false},
    {"errorstats", "Errorstats", info_errorstats, true},
    {"latencystats", "Latencystats", info_latencystats, false},
    {"cluster", "Cluster", info_cluster, true},
    {"keyspace", "Keyspace", info_keyspace, true},
};

static bool info_wanted(const struct rg_call *call, const struct info_section *section)
{
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
