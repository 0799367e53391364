#include "tool/node_table.h"

#include <stdio.h>

#include "base/alloc.h"
#include "tool/json.h"

enum { TABLE_ADDRESS_CHARS = 300 };

void rg_node_table_fini(struct rg_node_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->count; i++)
        rg_free(table->nodes[i].ip);
    rg_free(table->nodes);
    *table = (struct rg_node_table){0};
}

enum rg_election_outcome rg_node_table_elect(struct rg_node_table *table, size_t *ret_master)
{
    size_t masters = 0;
    size_t chosen = 0;

    /* Backwards, so that the lowest id of the masters is the last one seen. */
    for (size_t i = table->count; i-- > 0;) {
        masters += table->nodes[i].master;
        chosen = table->nodes[i].master ? i : chosen;
    }
    for (size_t i = 0; i < table->count; i++) {
        table->nodes[i].master = i == chosen;
        table->nodes[i].slaves = i == chosen ? table->count - 1 : 0;
    }
    *ret_master = chosen;
    if (masters == 1)
        return RG_ELECTION_KEPT;
    return masters == 0 ? RG_ELECTION_CHOSEN : RG_ELECTION_SETTLED;
}

/* The ids of the master's slaves, which are all others, in their order. */
static void table_slaves(struct rg_buf *out, const struct rg_node_table *table,
                         const char *separator)
{
    const char *between = "";

    for (size_t i = 0; i < table->count; i++) {
        if (table->nodes[i].master)
            continue;
        rg_buf_printf(out, "%s%lld", between, (long long)table->nodes[i].id);
        between = separator;
    }
}

void rg_node_table_print(struct rg_buf *out, const struct rg_node_table *table)
{
    rg_buf_printf(out, "%6s  %-24s %-7s %s\n", "ID", "ADDRESS", "TYPE", "SLAVES");
    for (size_t i = 0; i < table->count; i++) {
        const struct rg_table_node *node = &table->nodes[i];
        char address[TABLE_ADDRESS_CHARS];
        (void)snprintf(address, sizeof(address), "%s:%u", node->ip, node->port);
        rg_buf_printf(out, "%6lld  %-24s %s", (long long)node->id, address,
                      node->master ? "master" : "slave");
        if (node->slaves > 0) {
            rg_buf_append_str(out, "  ");
            table_slaves(out, table, ", ");
        }
        rg_buf_append_char(out, '\n');
    }
}

void rg_node_table_json(struct rg_buf *out, const struct rg_node_table *table)
{
    rg_buf_append_char(out, '[');
    for (size_t i = 0; i < table->count; i++) {
        const struct rg_table_node *node = &table->nodes[i];
        rg_buf_printf(out, "%s{\"id\":%lld,\"ip\":", i == 0 ? "" : ",", (long long)node->id);
        rg_json_string(out, node->ip);
        rg_buf_printf(out, ",\"port\":%u,\"type\":\"%s\",\"slaves\":[", node->port,
                      node->master ? "master" : "slave");
        if (node->slaves > 0)
            table_slaves(out, table, ",");
        rg_buf_append_str(out, "]}");
    }
    rg_buf_append_str(out, "]\n");
}
