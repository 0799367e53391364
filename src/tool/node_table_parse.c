#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tool/node_table.h"

struct table_reader {
    struct rg_node_table table;
    struct rg_buf *error;
};

static int table_wrong(struct table_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int table_wrong(struct table_reader *reader, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    rg_buf_vprintf(reader->error, format, args);
    va_end(args);
    return RG_EINVAL;
}

/* Nodes are counted from 1 for a person, and named by their id once that is known. */
static int table_id(struct table_reader *reader, const json_t *item, size_t index, int64_t *ret_id)
{
    const json_t *id = json_object_get(item, "id");

    if (!json_is_object(item))
        return table_wrong(reader, "entry %zu of the list is not an object", index + 1);
    if (!json_is_integer(id) || json_integer_value(id) < 0)
        return table_wrong(reader, "entry %zu of the list has no id that is a number from 0 on",
                           index + 1);
    *ret_id = json_integer_value(id);
    return 0;
}

static int table_type(struct table_reader *reader, const json_t *item, int64_t id,
                      bool *ret_is_master)
{
    const char *type = json_string_value(json_object_get(item, "type"));

    if (type == NULL)
        return table_wrong(reader, "node %lld has no type", (long long)id);
    if (strcmp(type, "master") == 0 || strcmp(type, "primary") == 0) {
        *ret_is_master = true;
        return 0;
    }
    if (strcmp(type, "slave") == 0 || strcmp(type, "replica") == 0) {
        *ret_is_master = false;
        return 0;
    }
    return table_wrong(reader, "node %lld has the type '%s', which is neither master nor slave",
                       (long long)id, type);
}

static int table_node(struct table_reader *reader, const json_t *item, size_t index)
{
    struct rg_table_node *node = &reader->table.nodes[index];
    const char *ip;
    const json_t *port;

    int result = table_id(reader, item, index, &node->id);
    if (result < 0)
        return result;
    ip = json_string_value(json_object_get(item, "ip"));
    if (ip == NULL || *ip == '\0')
        return table_wrong(reader, "node %lld has no ip", (long long)node->id);
    port = json_object_get(item, "port");
    if (!json_is_integer(port) || json_integer_value(port) < 1 || json_integer_value(port) > 65535)
        return table_wrong(reader, "node %lld has no port from 1 to 65535", (long long)node->id);
    result = table_type(reader, item, node->id, &node->master);
    if (result < 0)
        return result;
    node->port = (uint16_t)json_integer_value(port);
    node->ip = rg_alloc_copy(ip, strlen(ip));
    return 0;
}

static int table_by_id(const void *a, const void *b)
{
    const struct rg_table_node *left = a;
    const struct rg_table_node *right = b;

    return (left->id > right->id) - (left->id < right->id);
}

static int table_sort(struct table_reader *reader)
{
    struct rg_table_node *nodes = reader->table.nodes;

    qsort(nodes, reader->table.count, sizeof(*nodes), table_by_id);
    for (size_t i = 1; i < reader->table.count; i++) {
        if (nodes[i].id == nodes[i - 1].id)
            return table_wrong(reader, "id %lld is there twice", (long long)nodes[i].id);
    }
    return 0;
}

/* NULL where there is none. */
static struct rg_table_node *table_find(const struct table_reader *reader, int64_t id)
{
    struct rg_table_node wanted = {.id = id};

    return bsearch(&wanted, reader->table.nodes, reader->table.count, sizeof(wanted), table_by_id);
}

/* What a list says of slaves is checked, though the rule gives them anew: a list that contradicts
 * itself is not the one that its author meant. */
static int table_slaves_of(struct table_reader *reader, const json_t *item)
{
    struct rg_table_node *node =
        table_find(reader, json_integer_value(json_object_get(item, "id")));
    const json_t *slaves = json_object_get(item, "slaves");

    if (slaves == NULL || json_is_null(slaves))
        return 0;
    if (!json_is_array(slaves))
        return table_wrong(reader, "node %lld: slaves is not a list of ids", (long long)node->id);
    node->slaves = json_array_size(slaves);
    for (size_t i = 0; i < node->slaves; i++) {
        const json_t *slave = json_array_get(slaves, i);
        if (json_is_object(slave))
            slave = json_object_get(slave, "id");
        if (!json_is_integer(slave))
            return table_wrong(reader, "node %lld: slaves is not a list of ids",
                               (long long)node->id);
        if (json_integer_value(slave) == node->id)
            return table_wrong(reader, "node %lld is a slave of itself", (long long)node->id);
        if (table_find(reader, json_integer_value(slave)) == NULL)
            return table_wrong(reader, "node %lld has a slave %lld, which is not in the list",
                               (long long)node->id, (long long)json_integer_value(slave));
    }
    return 0;
}

static int table_nodes(struct table_reader *reader, const json_t *list)
{
    int result = 0;

    if (json_is_object(list))
        list = json_object_get(list, "nodes");
    if (!json_is_array(list))
        return table_wrong(reader, "neither a list of nodes nor an object with one as \"nodes\"");
    if (json_array_size(list) == 0)
        return table_wrong(reader, "the list holds no node");
    reader->table.count = json_array_size(list);
    reader->table.nodes = RG_NEW_ARRAY(struct rg_table_node, reader->table.count);
    for (size_t i = 0; i < reader->table.count && result == 0; i++)
        result = table_node(reader, json_array_get(list, i), i);
    if (result == 0)
        result = table_sort(reader);
    for (size_t i = 0; i < reader->table.count && result == 0; i++)
        result = table_slaves_of(reader, json_array_get(list, i));
    return result;
}

int rg_node_table_parse(const char *text, size_t len, struct rg_node_table *ret_table,
                        struct rg_buf *ret_error)
{
    struct table_reader reader = {.error = ret_error};
    json_error_t where;
    json_t *list = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);

    if (list == NULL)
        return table_wrong(&reader, "line %d, column %d: %s", where.line, where.column, where.text);
    int result = table_nodes(&reader, list);
    json_decref(list);
    if (result < 0)
        rg_node_table_fini(&reader.table);
    else
        *ret_table = reader.table;
    return result;
}
