#ifndef RG_STORE_PACKED_H
#define RG_STORE_PACKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/element.h"
#include "store/pool.h"

/*
 * A pair of a field and its value. A large hash's table holds pairs one by one, both as counted
 * bytes (counted.h), one after the other. A packed hash is pairs in a row, in order of insertion,
 * both as elements (base/element.h), for these keep numbers short.
 */
struct rg_pair {
    struct rg_bytes field;
    struct rg_bytes value;
};

size_t rg_pair_size(struct rg_bytes field, struct rg_bytes value);
/* Writes exactly rg_pair_size bytes. */
void rg_pair_write(char *out, struct rg_bytes field, struct rg_bytes value);
/* Returns the byte behind the pair. */
const char *rg_pair_read(const char *at, struct rg_pair *ret_pair);
struct rg_bytes rg_pair_field(const char *at);

/* A pair of a packed hash: where its value is, and where the next pair is. */
static inline const char *rg_packed_value(const char *at)
{
    return rg_element_skip(at);
}
static inline const char *rg_packed_next(const char *at)
{
    return rg_element_skip(rg_element_skip(at));
}

/* One item of the pool; functions that change it may move it and return where it is then. */
struct rg_packed {
    uint32_t count; /* pairs */
    uint32_t len;   /* bytes of data */
    uint32_t cap;
    char data[];
};

/* No packed hash grows beyond this, whatever the limits. */
enum { RG_PACKED_MAX = 1 << 30 };

struct rg_packed *rg_packed_new(struct rg_pool *pool);
struct rg_packed *rg_packed_copy(struct rg_pool *pool, const struct rg_packed *packed);
/* NULL is allowed. */
void rg_packed_free(struct rg_pool *pool, struct rg_packed *packed);
/* The pair of the field in data, or NULL. */
const char *rg_packed_find(const struct rg_packed *packed, const struct rg_element *field);
/* Behind the last pair; the field is not there and RG_PACKED_MAX is kept. */
struct rg_packed *rg_packed_append(struct rg_pool *pool, struct rg_packed *packed,
                                   const struct rg_element *field, const struct rg_element *value);
/*
 * One out of a run of `count` pairs of exact elements with their back sizes, which stay behind, so
 * that `len` bytes are left. Every field comes once and RG_PACKED_MAX is kept.
 */
struct rg_packed *rg_packed_of_run(struct rg_pool *pool, struct rg_bytes run, uint32_t count,
                                   size_t len);
/* Changes the value of the pair at `at`, which keeps its place. value may lie in the hash. */
struct rg_packed *rg_packed_replace(struct rg_pool *pool, struct rg_packed *packed, const char *at,
                                    const struct rg_element *value);
struct rg_packed *rg_packed_remove(struct rg_pool *pool, struct rg_packed *packed, const char *at);
size_t rg_packed_memory(const struct rg_packed *packed);

#endif
