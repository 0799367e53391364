#ifndef RG_TOOL_TARGET_H
#define RG_TOOL_TARGET_H

#include <stdint.h>

#include "base/error.h"

/* A server's address as people write it, and how to log in there. */

enum { RG_TARGET_HOST_CHARS = 256, RG_TARGET_CHARS = RG_TARGET_HOST_CHARS + 8 };

struct rg_target {
    char host[RG_TARGET_HOST_CHARS];
    uint16_t port;
};

struct rg_login {
    const char *user; /* borrowed; NULL: the default user */
    const char *pass; /* borrowed; NULL: no AUTH */
};

/* HOST, HOST:PORT, [V6] or [V6]:PORT; the port is 6379 where none is given. A host with several
 * colons and no brackets is IPv6 without a port. Errors: RG_EINVAL. */
RG_MUST_USE int rg_target_parse(const char *text, struct rg_target *ret_target);
void rg_target_format(const struct rg_target *target, char ret_text[RG_TARGET_CHARS]);

#endif
