#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "sentinel/state.h"

/* Addresses: a name or a numeric address, and a port. */

static bool addr_is_numeric(const char *host)
{
    unsigned char room[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, room) == 1 || inet_pton(AF_INET6, host, room) == 1;
}

int sentinel_addr_make(const struct rg_sentinel *s, struct rg_bytes host, int64_t port,
                       struct sentinel_addr *ret_addr)
{
    struct sentinel_addr addr = {0};

    if (port < 0 || port > UINT16_MAX)
        return RG_ERANGE;
    if (host.len == 0 || host.len >= sizeof(addr.host) || memchr(host.data, '\0', host.len) ||
        memchr(host.data, ' ', host.len) || memchr(host.data, '\n', host.len))
        return RG_EINVAL;
    memcpy(addr.host, host.data, host.len);
    addr.port = (uint16_t)port;
    if (addr_is_numeric(addr.host))
        (void)snprintf(addr.ip, sizeof(addr.ip), "%.63s", addr.host);
    else if (!s->resolve_hostnames)
        return RG_EINVAL;
    *ret_addr = addr;
    return 0;
}

bool sentinel_addr_equal(const struct sentinel_addr *a, const struct sentinel_addr *b)
{
    if (a->port != b->port)
        return false;
    return strcasecmp(a->host, b->host) == 0 || (a->ip[0] != '\0' && strcmp(a->ip, b->ip) == 0);
}

bool sentinel_addr_is(const struct sentinel_addr *addr, const char *host, uint16_t port)
{
    return addr->port == port && host[0] != '\0' &&
           (strcasecmp(addr->host, host) == 0 || strcmp(addr->ip, host) == 0);
}

const char *sentinel_addr_host(const struct rg_sentinel *s, const struct sentinel_addr *addr)
{
    if (s->announce_hostnames || addr->ip[0] == '\0')
        return addr->host;
    return addr->ip;
}

const struct sentinel_addr *sentinel_current_addr(const struct sentinel_inst *primary)
{
    if ((primary->flags & FLAG_FAILOVER) && primary->promoted != NULL &&
        primary->state >= FAILOVER_RECONF)
        return &primary->promoted->addr;
    return &primary->addr;
}

void sentinel_set_string(char **slot, struct rg_bytes value)
{
    rg_free(*slot);
    *slot = value.len > 0 ? rg_alloc_copy(value.data, value.len) : NULL;
}
