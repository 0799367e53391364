#include "tool/status_print.h"

#include <stdio.h>
#include <string.h>

#include "tool/json.h"

enum { STATUS_COLUMNS = 7, STATUS_CELL_CHARS = RG_TARGET_CHARS };

typedef char status_cell[STATUS_CELL_CHARS];

static void status_cell_number(status_cell cell, int64_t value)
{
    if (value < 0)
        (void)snprintf(cell, STATUS_CELL_CHARS, "-");
    else
        (void)snprintf(cell, STATUS_CELL_CHARS, "%lld", (long long)value);
}

static void status_cell_ago(status_cell cell, const struct rg_topology_node *node)
{
    if (node->self)
        (void)snprintf(cell, STATUS_CELL_CHARS, "now");
    else if (node->last_seen_ms < 0)
        (void)snprintf(cell, STATUS_CELL_CHARS, "never");
    else if (node->last_seen_ms < 10000)
        (void)snprintf(cell, STATUS_CELL_CHARS, "%lld ms ago", (long long)node->last_seen_ms);
    else
        (void)snprintf(cell, STATUS_CELL_CHARS, "%lld s ago",
                       (long long)(node->last_seen_ms / 1000));
}

/* A member that does not answer is shown as what it was when it last did. */
static void status_row(status_cell *cells, const struct rg_topology *topology, int index)
{
    const struct rg_topology_node *node = &topology->nodes[index];
    bool down = !node->self && strcmp(node->link, "down") == 0;
    bool deposed = strcmp(node->role, "primary") == 0 && index != topology->primary;

    (void)snprintf(cells[0], STATUS_CELL_CHARS, "%s%s", deposed ? "was " : "", node->role);
    rg_target_format(&node->target, cells[1]);
    if (down && topology->group)
        (void)snprintf(cells[2], STATUS_CELL_CHARS, "unreachable, was %s", node->state);
    else
        (void)snprintf(cells[2], STATUS_CELL_CHARS, "%s%s", node->state,
                       down ? " (link down)" : "");
    status_cell_number(cells[3], node->offset);
    status_cell_number(cells[4], node->lag_bytes);
    status_cell_number(cells[5], node->term);
    status_cell_ago(cells[6], node);
}

static const char *status_place(const char *durability)
{
    if (durability[0] == '\0')
        return "";
    return strcmp(durability, "disk") == 0 ? " on " : " in ";
}

static void status_header(struct rg_buf *out, const struct rg_topology *topology)
{
    char seen_from[RG_TARGET_CHARS];

    rg_target_format(&topology->seen_from, seen_from);
    if (topology->group)
        rg_buf_printf(out, "group %s: mode %s%s%s, term %lld, committed up to %lld; seen from %s\n",
                      topology->name, topology->mode, status_place(topology->durability),
                      topology->durability, (long long)topology->term,
                      (long long)topology->commit_offset, seen_from);
    else
        rg_buf_printf(out, "no group: a primary and its replicas; seen from %s\n", seen_from);
    if (topology->primary < 0)
        rg_buf_append_str(out, "NO PRIMARY: nobody that answered takes writes\n");
}

void rg_status_print_table(struct rg_buf *out, const struct rg_topology *topology)
{
    static const char *const titles[STATUS_COLUMNS] = {"ROLE", "ADDRESS", "STATE",    "OFFSET",
                                                       "LAG",  "TERM",    "LAST SEEN"};
    status_cell cells[RG_TOPOLOGY_MAX + 1][STATUS_COLUMNS];
    int widths[STATUS_COLUMNS] = {0};

    for (int column = 0; column < STATUS_COLUMNS; column++)
        (void)snprintf(cells[0][column], STATUS_CELL_CHARS, "%s", titles[column]);
    for (int i = 0; i < topology->count; i++)
        status_row(cells[i + 1], topology, i);
    for (int row = 0; row <= topology->count; row++) {
        for (int column = 0; column < STATUS_COLUMNS; column++) {
            int len = (int)strlen(cells[row][column]);
            widths[column] = len > widths[column] ? len : widths[column];
        }
    }
    status_header(out, topology);
    for (int row = 0; row <= topology->count; row++) {
        /* Numbers stand at the right of their column. */
        for (int column = 0; column < STATUS_COLUMNS - 1; column++)
            rg_buf_printf(out, "%*s  ", column >= 3 ? widths[column] : -widths[column],
                          cells[row][column]);
        rg_buf_printf(out, "%s\n", cells[row][STATUS_COLUMNS - 1]);
    }
}

static void status_json_text(struct rg_buf *out, const char *name, const char *text)
{
    rg_buf_printf(out, "\"%s\":", name);
    rg_json_string(out, text);
    rg_buf_append_char(out, ',');
}

/* What is not known is null. */
static void status_json_number(struct rg_buf *out, const char *name, int64_t value)
{
    if (value < 0)
        rg_buf_printf(out, "\"%s\":null,", name);
    else
        rg_buf_printf(out, "\"%s\":%lld,", name, (long long)value);
}

static void status_json_node(struct rg_buf *out, const struct rg_topology_node *node)
{
    char address[RG_TARGET_CHARS];

    rg_target_format(&node->target, address);
    rg_buf_append_char(out, '{');
    status_json_text(out, "address", address);
    status_json_text(out, "role", node->role);
    status_json_text(out, "state", node->state);
    status_json_text(out, "link", node->link);
    status_json_number(out, "offset", node->offset);
    status_json_number(out, "lag_bytes", node->lag_bytes);
    status_json_number(out, "term", node->term);
    status_json_number(out, "last_seen_ms", node->last_seen_ms);
    rg_buf_printf(out, "\"self\":%s}", node->self ? "true" : "false");
}

void rg_status_print_json(struct rg_buf *out, const struct rg_topology *topology)
{
    char address[RG_TARGET_CHARS];

    rg_buf_append_char(out, '{');
    if (topology->group) {
        status_json_text(out, "group", topology->name);
        status_json_text(out, "mode", topology->mode);
        status_json_text(out, "durability", topology->durability);
    } else {
        rg_buf_append_str(out, "\"group\":null,\"mode\":null,\"durability\":null,");
    }
    status_json_number(out, "term", topology->term);
    status_json_number(out, "commit_offset", topology->commit_offset);
    status_json_number(out, "lease_ms", topology->lease_ms);
    if (topology->primary >= 0) {
        rg_target_format(&topology->nodes[topology->primary].target, address);
        status_json_text(out, "primary", address);
    } else {
        rg_buf_append_str(out, "\"primary\":null,");
    }
    rg_target_format(&topology->seen_from, address);
    status_json_text(out, "seen_from", address);
    rg_buf_append_str(out, "\"members\":[");
    for (int i = 0; i < topology->count; i++) {
        if (i > 0)
            rg_buf_append_char(out, ',');
        status_json_node(out, &topology->nodes[i]);
    }
    rg_buf_append_str(out, "]}\n");
}
