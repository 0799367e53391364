#include "tool/topology.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"

bool rg_info_find(struct rg_bytes info, const char *name, struct rg_bytes *ret_value)
{
    size_t name_len = strlen(name);
    const char *line = info.data;
    const char *end = info.data + info.len;

    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *stop = newline != NULL ? newline : end;
        size_t len = (size_t)(stop - line);

        if (len > 0 && line[len - 1] == '\r')
            len--;
        if (len > name_len && memcmp(line, name, name_len) == 0 && line[name_len] == ':') {
            *ret_value = rg_bytes(line + name_len + 1, len - name_len - 1);
            return true;
        }
        line = stop + 1;
    }
    return false;
}

int64_t rg_info_number(struct rg_bytes info, const char *name, int64_t missing)
{
    struct rg_bytes text;
    int64_t value;

    if (!rg_info_find(info, name, &text) || rg_parse_i64(text, &value) < 0)
        return missing;
    return value;
}

static void topology_copy(char *out, size_t size, struct rg_bytes text)
{
    size_t len = text.len < size ? text.len : size - 1;

    memcpy(out, text.data, len);
    out[len] = '\0';
}

static void topology_copy_field(char *out, size_t size, struct rg_bytes info, const char *name)
{
    struct rg_bytes text = RG_BYTES("");

    (void)rg_info_find(info, name, &text);
    topology_copy(out, size, text);
}

/* The value of name=value in a list separated by commas; empty where there is none. */
static struct rg_bytes topology_item(struct rg_bytes list, const char *name)
{
    size_t name_len = strlen(name);
    const char *item = list.data;
    const char *end = list.data + list.len;

    while (item < end) {
        const char *comma = memchr(item, ',', (size_t)(end - item));
        const char *stop = comma != NULL ? comma : end;
        size_t len = (size_t)(stop - item);

        if (len > name_len && memcmp(item, name, name_len) == 0 && item[name_len] == '=')
            return rg_bytes(item + name_len + 1, len - name_len - 1);
        item = stop + 1;
    }
    return RG_BYTES("");
}

static int64_t topology_item_number(struct rg_bytes list, const char *name)
{
    int64_t value;

    return rg_parse_i64(topology_item(list, name), &value) < 0 ? -1 : value;
}

static struct rg_topology_node *topology_add(struct rg_topology *topology)
{
    if (topology->count == RG_TOPOLOGY_MAX)
        return NULL;
    struct rg_topology_node *node = &topology->nodes[topology->count++];
    *node =
        (struct rg_topology_node){.offset = -1, .lag_bytes = -1, .term = -1, .last_seen_ms = -1};
    return node;
}

static void topology_add_member(struct rg_topology *topology, struct rg_bytes member)
{
    char address[RG_TARGET_CHARS];
    struct rg_topology_node *node = topology_add(topology);

    if (node == NULL)
        return;
    topology_copy(address, sizeof(address), topology_item(member, "address"));
    if (rg_target_parse(address, &node->target) < 0)
        topology_copy(node->target.host, sizeof(node->target.host), rg_bytes_str(address));
    topology_copy(node->role, sizeof(node->role), topology_item(member, "role"));
    topology_copy(node->state, sizeof(node->state), topology_item(member, "state"));
    topology_copy(node->link, sizeof(node->link), topology_item(member, "link"));
    node->self = rg_bytes_is(topology_item(member, "self"), "yes");
    node->offset = topology_item_number(member, "offset");
    node->lag_bytes = topology_item_number(member, "lag");
    node->term = topology_item_number(member, "term");
    node->last_seen_ms = topology_item_number(member, "last_seen_ms");
}

int rg_topology_from_group(struct rg_bytes info, struct rg_topology *ret_topology)
{
    struct rg_topology *topology = ret_topology;
    struct rg_bytes text;
    char name[32];
    char primary[RG_TARGET_CHARS];
    char address[RG_TARGET_CHARS];

    if (!rg_info_find(info, "group_name", &text) || text.len == 0)
        return RG_ENOENT;
    *topology = (struct rg_topology){.group = true, .primary = -1};
    topology_copy(topology->name, sizeof(topology->name), text);
    topology_copy_field(topology->mode, sizeof(topology->mode), info, "group_mode");
    topology_copy_field(topology->durability, sizeof(topology->durability), info,
                        "group_durability");
    topology->term = rg_info_number(info, "group_term", -1);
    topology->commit_offset = rg_info_number(info, "group_commit_offset", -1);
    topology->lease_ms = rg_info_number(info, "group_lease_ms", -1);
    for (int i = 0; i < RG_TOPOLOGY_MAX; i++) {
        (void)snprintf(name, sizeof(name), "member%d", i);
        if (!rg_info_find(info, name, &text))
            break;
        topology_add_member(topology, text);
    }
    topology_copy_field(primary, sizeof(primary), info, "group_primary");
    for (int i = 0; i < topology->count && primary[0] != '\0'; i++) {
        rg_target_format(&topology->nodes[i].target, address);
        if (strcmp(address, primary) == 0)
            topology->primary = i;
    }
    return 0;
}

/* slaveN:ip=…,port=…,state=…,offset=…,lag=… of a primary's INFO replication. */
static void topology_add_replica(struct rg_topology *topology, struct rg_bytes replica, int64_t end)
{
    struct rg_topology_node *node = topology_add(topology);
    int64_t port = topology_item_number(replica, "port");
    int64_t lag_s = topology_item_number(replica, "lag");

    if (node == NULL)
        return;
    topology_copy(node->target.host, sizeof(node->target.host), topology_item(replica, "ip"));
    node->target.port = port > 0 && port <= UINT16_MAX ? (uint16_t)port : 0;
    topology_copy(node->role, sizeof(node->role), RG_BYTES("replica"));
    topology_copy(node->state, sizeof(node->state), topology_item(replica, "state"));
    bool online = strcmp(node->state, "online") == 0;
    topology_copy(node->link, sizeof(node->link), online ? RG_BYTES("up") : RG_BYTES("down"));
    node->offset = topology_item_number(replica, "offset");
    node->lag_bytes = node->offset >= 0 && end >= node->offset ? end - node->offset : -1;
    node->last_seen_ms = lag_s >= 0 ? lag_s * 1000 : -1;
}

static void topology_from_primary(struct rg_bytes info, const struct rg_target *asked,
                                  struct rg_topology *topology)
{
    struct rg_topology_node *node = topology_add(topology);
    struct rg_bytes text;
    char name[32];

    node->target = *asked;
    node->self = true;
    node->offset = rg_info_number(info, "master_repl_offset", -1);
    node->lag_bytes = 0;
    node->last_seen_ms = 0;
    topology_copy(node->role, sizeof(node->role), RG_BYTES("primary"));
    topology_copy(node->state, sizeof(node->state), RG_BYTES("healthy"));
    topology_copy(node->link, sizeof(node->link), RG_BYTES("up"));
    topology->primary = 0;
    for (int i = 0; i < RG_TOPOLOGY_MAX; i++) {
        (void)snprintf(name, sizeof(name), "slave%d", i);
        if (!rg_info_find(info, name, &text))
            break;
        topology_add_replica(topology, text, node->offset);
    }
}

/* A replica knows its primary's address, but not whether it lives. */
static void topology_from_replica(struct rg_bytes info, const struct rg_target *asked,
                                  struct rg_topology *topology)
{
    struct rg_topology_node *primary = topology_add(topology);
    struct rg_topology_node *node = topology_add(topology);
    struct rg_bytes link = RG_BYTES("");
    int64_t port = rg_info_number(info, "master_port", 0);
    int64_t seen_s = rg_info_number(info, "master_last_io_seconds_ago", -1);

    (void)rg_info_find(info, "master_link_status", &link);
    topology_copy_field(primary->target.host, sizeof(primary->target.host), info, "master_host");
    primary->target.port = port > 0 && port <= UINT16_MAX ? (uint16_t)port : 0;
    topology_copy(primary->role, sizeof(primary->role), RG_BYTES("unknown"));
    topology_copy(primary->state, sizeof(primary->state), RG_BYTES("unreachable"));
    topology_copy(primary->link, sizeof(primary->link), link);
    primary->last_seen_ms = seen_s >= 0 ? seen_s * 1000 : -1;
    node->target = *asked;
    node->self = true;
    node->offset = rg_info_number(info, "slave_repl_offset", -1);
    node->last_seen_ms = 0;
    topology_copy(node->role, sizeof(node->role), RG_BYTES("replica"));
    topology_copy(node->state, sizeof(node->state),
                  rg_bytes_is(link, "up") ? RG_BYTES("online") : RG_BYTES("disconnected"));
    topology_copy(node->link, sizeof(node->link), link);
}

int rg_topology_from_replication(struct rg_bytes info, const struct rg_target *asked,
                                 struct rg_topology *ret_topology)
{
    struct rg_bytes role;

    if (!rg_info_find(info, "role", &role))
        return RG_ENOENT;
    *ret_topology = (struct rg_topology){
        .primary = -1, .term = -1, .commit_offset = -1, .lease_ms = -1, .seen_from = *asked};
    if (rg_bytes_is(role, "master"))
        topology_from_primary(info, asked, ret_topology);
    else
        topology_from_replica(info, asked, ret_topology);
    return 0;
}

static int topology_ask(const struct rg_target *target, const struct rg_login *login,
                        int64_t timeout_ms, struct rg_topology *ret_topology,
                        struct rg_buf *ret_error)
{
    struct rg_client client;
    char address[RG_TARGET_CHARS];
    int result = rg_client_open(&client, target, login, timeout_ms);

    if (result == 0)
        result = RG_CLIENT_CALL(&client, RG_BYTES("INFO"), RG_BYTES("group"));
    if (result == 0)
        result = rg_topology_from_group(client.frames[0].bytes, ret_topology);
    if (result == RG_ENOENT) {
        result = RG_CLIENT_CALL(&client, RG_BYTES("INFO"), RG_BYTES("replication"));
        if (result == 0)
            result = rg_topology_from_replication(client.frames[0].bytes, target, ret_topology);
        if (result == RG_ENOENT)
            (void)snprintf(client.error, sizeof(client.error), "INFO replication names no role");
    }
    if (result < 0) {
        rg_target_format(target, address);
        rg_buf_printf(ret_error, "%s: %s", address, client.error);
        result = RG_EIO;
    } else {
        ret_topology->seen_from = *target;
    }
    rg_client_close(&client);
    return result;
}

int rg_topology_fetch(const struct rg_target *target, const struct rg_login *login,
                      int64_t timeout_ms, struct rg_topology *ret_topology,
                      struct rg_buf *ret_error)
{
    struct rg_topology better;
    struct rg_buf ignored = {0};
    int result = topology_ask(target, login, timeout_ms, ret_topology, ret_error);

    if (result < 0)
        return result;
    /* In a plain topology the first node of a replica's view is the primary it follows. */
    int primary = ret_topology->group ? ret_topology->primary : 0;
    if (primary < 0 || ret_topology->nodes[primary].self ||
        ret_topology->nodes[primary].target.port == 0)
        return 0;
    if (topology_ask(&ret_topology->nodes[primary].target, login, timeout_ms, &better, &ignored) ==
            0 &&
        better.group == ret_topology->group && better.primary >= 0 &&
        better.nodes[better.primary].self)
        *ret_topology = better;
    rg_buf_fini(&ignored);
    return 0;
}
