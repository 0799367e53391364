#include "node/config_table.h"

#include <inttypes.h>

#include "base/number.h"

/* What only several directives together can have wrong. */

static int check_member(struct rg_bytes member)
{
    int64_t port = 0;
    size_t colon = member.len;

    while (colon > 0 && member.data[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return RG_EINVAL;
    if (rg_parse_i64(rg_bytes(member.data + colon, member.len - colon), &port) < 0 || port < 1 ||
        port > 65535)
        return RG_EINVAL;
    /* An IPv6 address stands in brackets; a bare one could not be told from its port. */
    struct rg_bytes host = rg_bytes(member.data, colon - 1);
    if (host.data[0] == '[')
        return host.len > 2 && host.data[host.len - 1] == ']' ? 0 : RG_EINVAL;
    return memchr(host.data, ':', host.len) == NULL ? 0 : RG_EINVAL;
}

static int check_members(const struct rg_config *config, struct rg_buf *ret_error)
{
    for (int i = 0; i < config->group_member_count; i++) {
        struct rg_bytes member = rg_bytes_str(config->group_members[i]);
        if (check_member(member) < 0) {
            rg_buf_printf(ret_error, "group-members: '%s' is not host:port",
                          config->group_members[i]);
            return RG_EINVAL;
        }
        for (int j = 0; j < i; j++) {
            if (rg_bytes_equal_nocase(member, rg_bytes_str(config->group_members[j]))) {
                rg_buf_printf(ret_error, "group-members: '%s' is named twice",
                              config->group_members[i]);
                return RG_EINVAL;
            }
        }
    }
    return 0;
}

/* The address that a node announces is how it finds itself among the members. */
static int check_self(const struct rg_config *config, struct rg_buf *ret_error)
{
    struct rg_buf self = {0};
    bool found = false;

    if (config->replica_announce_ip[0] == '\0')
        return 0;
    int64_t port =
        config->replica_announce_port != 0 ? config->replica_announce_port : config->port;
    bool bare_ipv6 =
        config->replica_announce_ip[0] != '[' && strchr(config->replica_announce_ip, ':') != NULL;
    rg_buf_printf(&self, "%s%s%s:%" PRId64, bare_ipv6 ? "[" : "", config->replica_announce_ip,
                  bare_ipv6 ? "]" : "", port);
    for (int i = 0; i < config->group_member_count; i++)
        found = found ||
                rg_bytes_equal_nocase(rg_buf_view(&self), rg_bytes_str(config->group_members[i]));
    if (!found)
        rg_buf_printf(ret_error, "group-members does not hold this node's own address %.*s",
                      (int)rg_buf_len(&self), rg_buf_view(&self).data);
    rg_buf_fini(&self);
    return found ? 0 : RG_EINVAL;
}

static int check_times(const struct rg_config *config, struct rg_buf *ret_error)
{
    if (config->group_lease >= config->group_node_timeout) {
        rg_buf_printf(ret_error,
                      "group-lease (%" PRId64 " ms) must be less than group-node-timeout (%" PRId64
                      " ms)",
                      config->group_lease, config->group_node_timeout);
        return RG_EINVAL;
    }
    if (config->group_lease <= 2 * config->group_heartbeat) {
        rg_buf_printf(ret_error,
                      "group-lease (%" PRId64
                      " ms) must be more than twice group-heartbeat (%" PRId64 " ms)",
                      config->group_lease, config->group_heartbeat);
        return RG_EINVAL;
    }
    return 0;
}

int rg_config_check(const struct rg_config *config, struct rg_buf *ret_error)
{
    int rc = check_times(config, ret_error);

    if (rc < 0)
        return rc;
    if (config->replication_durability == RG_DURABILITY_DISK && !config->appendonly) {
        rg_buf_append_str(ret_error, "replication-durability disk needs appendonly yes");
        return RG_EINVAL;
    }
    if (config->group_name[0] == '\0' && config->group_member_count == 0)
        return 0;
    if (config->group_member_count == 0) {
        rg_buf_append_str(ret_error, "group-name needs group-members");
        return RG_EINVAL;
    }
    if (config->group_name[0] == '\0') {
        rg_buf_append_str(ret_error, "group-members needs group-name");
        return RG_EINVAL;
    }
    if (config->replicaof_host[0] != '\0') {
        rg_buf_append_str(ret_error, "replicaof cannot stand beside group-name: the members of a "
                                     "group choose their primary themselves");
        return RG_EINVAL;
    }
    rc = check_members(config, ret_error);
    return rc < 0 ? rc : check_self(config, ret_error);
}
