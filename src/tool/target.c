#include "tool/target.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/number.h"

enum { TARGET_DEFAULT_PORT = 6379 };

static int target_parse_port(const char *text, uint16_t *ret_port)
{
    int64_t port;

    if (rg_parse_i64(rg_bytes_str(text), &port) < 0 || port < 1 || port > UINT16_MAX)
        return RG_EINVAL;
    *ret_port = (uint16_t)port;
    return 0;
}

int rg_target_parse(const char *text, struct rg_target *ret_target)
{
    struct rg_target target = {.port = TARGET_DEFAULT_PORT};
    const char *host = text;
    const char *port = NULL;
    size_t len;

    if (text[0] == '[') {
        const char *end = strchr(text, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':'))
            return RG_EINVAL;
        host = text + 1;
        len = (size_t)(end - host);
        port = end[1] == ':' ? end + 2 : NULL;
    } else {
        const char *colon = strrchr(text, ':');
        if (colon != NULL && strchr(text, ':') != colon)
            colon = NULL;
        len = colon != NULL ? (size_t)(colon - text) : strlen(text);
        port = colon != NULL ? colon + 1 : NULL;
    }
    if (len == 0 || len >= sizeof(target.host))
        return RG_EINVAL;
    memcpy(target.host, host, len);
    if (port != NULL && target_parse_port(port, &target.port) < 0)
        return RG_EINVAL;
    *ret_target = target;
    return 0;
}

void rg_target_format(const struct rg_target *target, char ret_text[RG_TARGET_CHARS])
{
    bool v6 = strchr(target->host, ':') != NULL;

    (void)snprintf(ret_text, RG_TARGET_CHARS, "%s%s%s:%u", v6 ? "[" : "", target->host,
                   v6 ? "]" : "", (unsigned)target->port);
}
