#include "server/self.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/local.h"

static bool self_bound_to(const struct rg_config *config, const char *host)
{
    for (int i = 0; i < config->bind_count; i++) {
        const char *bind = config->bind[i];
        if (bind[0] == '-')
            bind++;
        if (strcmp(bind, "*") == 0 || strcmp(bind, "0.0.0.0") == 0 || strcmp(bind, "::*") == 0 ||
            strcmp(bind, "::") == 0)
            return rg_local_is(host);
        if (rg_local_same(bind, host))
            return true;
    }
    return false;
}

static bool self_is(const struct rg_config *config, const char *member)
{
    const char *colon = strrchr(member, ':');
    char host[256];
    int64_t port = config->replica_announce_port ? config->replica_announce_port : config->port;

    if (colon == NULL || strtoll(colon + 1, NULL, 10) != port)
        return false;
    /* An IPv6 address stands in brackets. */
    bool bracketed = member[0] == '[' && colon[-1] == ']';
    (void)snprintf(host, sizeof(host), "%.*s", (int)(colon - member) - (bracketed ? 2 : 0),
                   member + (bracketed ? 1 : 0));
    if (config->replica_announce_ip[0] != '\0')
        return strcmp(host, config->replica_announce_ip) == 0;
    return self_bound_to(config, host);
}

int rg_self_find(const struct rg_config *config, const char **ret_self, struct rg_buf *ret_error)
{
    const char *self = NULL;

    if (config->group_name[0] == '\0') {
        *ret_self = NULL;
        return 0;
    }
    for (int i = 0; i < config->group_member_count; i++) {
        if (!self_is(config, config->group_members[i]))
            continue;
        if (self != NULL) {
            rg_buf_printf(ret_error,
                          "group-members names this node twice, as %s and as %s. Set "
                          "replica-announce-ip to the name that is to count",
                          self, config->group_members[i]);
            return RG_EINVAL;
        }
        self = config->group_members[i];
    }
    if (self == NULL) {
        rg_buf_printf(ret_error,
                      "group-members does not name this node: no entry has port %lld and an "
                      "address of this machine that the server is bound to. Add it, or say with "
                      "replica-announce-ip and replica-announce-port which entry it is",
                      (long long)(config->replica_announce_port ? config->replica_announce_port
                                                                : config->port));
        return RG_EINVAL;
    }
    *ret_self = self;
    return 0;
}
