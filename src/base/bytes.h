#ifndef RG_BASE_BYTES_H
#define RG_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A borrowed run of bytes; may hold zero bytes. The owner is named where one is kept. */
struct rg_bytes {
    const char *data;
    size_t len;
};

/* A string literal as bytes. */
#define RG_BYTES(literal) ((struct rg_bytes){"" literal, sizeof(literal) - 1})

static inline struct rg_bytes rg_bytes(const void *data, size_t len)
{
    return (struct rg_bytes){data, len};
}

static inline struct rg_bytes rg_bytes_str(const char *str)
{
    return (struct rg_bytes){str, strlen(str)};
}

static inline bool rg_bytes_equal(struct rg_bytes a, struct rg_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* ASCII letters compare equal in either case, whatever the locale. */
bool rg_bytes_equal_nocase(struct rg_bytes a, struct rg_bytes b);
bool rg_bytes_is(struct rg_bytes a, const char *str);
bool rg_bytes_is_nocase(struct rg_bytes a, const char *str);
bool rg_bytes_starts_with(struct rg_bytes a, struct rg_bytes prefix);

/* What stands before the first separator, or all; *rest is left with what stands behind it. */
struct rg_bytes rg_bytes_cut(struct rg_bytes *rest, char separator);

/* Less than, equal to or greater than 0, as memcmp with the shorter first. */
int rg_bytes_compare(struct rg_bytes a, struct rg_bytes b);

static inline char rg_ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline char rg_ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

#endif
