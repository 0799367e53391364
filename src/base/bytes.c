#include "base/bytes.h"

bool rg_bytes_equal_nocase(struct rg_bytes a, struct rg_bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (rg_ascii_lower(a.data[i]) != rg_ascii_lower(b.data[i]))
            return false;
    }
    return true;
}

bool rg_bytes_is(struct rg_bytes a, const char *str)
{
    return rg_bytes_equal(a, rg_bytes_str(str));
}

bool rg_bytes_is_nocase(struct rg_bytes a, const char *str)
{
    return rg_bytes_equal_nocase(a, rg_bytes_str(str));
}

bool rg_bytes_starts_with(struct rg_bytes a, struct rg_bytes prefix)
{
    return a.len >= prefix.len && rg_bytes_equal(rg_bytes(a.data, prefix.len), prefix);
}

struct rg_bytes rg_bytes_cut(struct rg_bytes *rest, char separator)
{
    const char *found = rest->len > 0 ? memchr(rest->data, separator, rest->len) : NULL;
    size_t len = found != NULL ? (size_t)(found - rest->data) : rest->len;
    size_t used = found != NULL ? len + 1 : len;
    struct rg_bytes word = rg_bytes(rest->data, len);

    *rest = rg_bytes(rest->data + used, rest->len - used);
    return word;
}

int rg_bytes_compare(struct rg_bytes a, struct rg_bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;

    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}
