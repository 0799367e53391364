#include "io/local.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

static bool local_equal(const struct sockaddr *a, const struct sockaddr *b)
{
    if (a == NULL || b == NULL || a->sa_family != b->sa_family)
        return false;
    if (a->sa_family == AF_INET)
        return memcmp(&((const struct sockaddr_in *)(const void *)a)->sin_addr,
                      &((const struct sockaddr_in *)(const void *)b)->sin_addr,
                      sizeof(struct in_addr)) == 0;
    if (a->sa_family == AF_INET6)
        return memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
                      &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr,
                      sizeof(struct in6_addr)) == 0;
    return false;
}

static struct addrinfo *local_resolve(const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;

    return getaddrinfo(host, NULL, &hints, &found) == 0 ? found : NULL;
}

static bool local_loopback(const struct sockaddr *address)
{
    if (address->sa_family != AF_INET)
        return false;
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
    return (ntohl(in->sin_addr.s_addr) >> 24) == 127; /* all of 127/8 is here, listed or not */
}

bool rg_local_is(const char *host)
{
    struct addrinfo *found = local_resolve(host);
    struct ifaddrs *own = NULL;
    bool local = false;

    if (found != NULL && getifaddrs(&own) == 0) {
        for (const struct addrinfo *a = found; a != NULL; a = a->ai_next) {
            local |= local_loopback(a->ai_addr);
            for (const struct ifaddrs *i = own; i != NULL; i = i->ifa_next)
                local |= local_equal(a->ai_addr, i->ifa_addr);
        }
        freeifaddrs(own);
    }
    if (found != NULL)
        freeaddrinfo(found);
    return local;
}

bool rg_local_same(const char *a, const char *b)
{
    struct addrinfo *of_a = local_resolve(a);
    struct addrinfo *of_b = local_resolve(b);
    bool same = false;

    for (const struct addrinfo *x = of_a; x != NULL; x = x->ai_next) {
        for (const struct addrinfo *y = of_b; y != NULL; y = y->ai_next)
            same |= local_equal(x->ai_addr, y->ai_addr);
    }
    if (of_a != NULL)
        freeaddrinfo(of_a);
    if (of_b != NULL)
        freeaddrinfo(of_b);
    return same;
}
