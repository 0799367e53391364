#include "store/packed.h"

#include "base/panic.h"
#include "store/counted.h"

/* ---- Pairs ---- */

size_t rg_pair_size(struct rg_bytes field, struct rg_bytes value)
{
    return rg_counted_size(field.len) + rg_counted_size(value.len);
}

void rg_pair_write(char *out, struct rg_bytes field, struct rg_bytes value)
{
    rg_counted_write(rg_counted_write(out, field), value);
}

const char *rg_pair_read(const char *at, struct rg_pair *ret_pair)
{
    at = rg_counted_read(at, &ret_pair->field);
    return rg_counted_read(at, &ret_pair->value);
}

struct rg_bytes rg_pair_field(const char *at)
{
    struct rg_bytes field;
    rg_counted_read(at, &field);
    return field;
}

/* ---- Rows of pairs ---- */

static size_t item_size(size_t len)
{
    return rg_pool_room(sizeof(struct rg_packed) + len);
}

/* An item with room for cap bytes that begins as packed was, or empty for NULL. */
static struct rg_packed *packed_resize(struct rg_pool *pool, struct rg_packed *packed, size_t cap)
{
    size_t size = item_size(cap);
    if (packed == NULL) {
        packed = rg_pool_alloc(pool, size);
        *packed = (struct rg_packed){0};
    } else {
        packed = rg_pool_realloc(pool, packed, sizeof(*packed) + packed->cap, size);
    }
    packed->cap = (uint32_t)(size - sizeof(*packed));
    return packed;
}

struct rg_packed *rg_packed_new(struct rg_pool *pool)
{
    return packed_resize(pool, NULL, 0);
}

struct rg_packed *rg_packed_copy(struct rg_pool *pool, const struct rg_packed *packed)
{
    struct rg_packed *copy = packed_resize(pool, NULL, packed->len);
    copy->count = packed->count;
    copy->len = packed->len;
    memcpy(copy->data, packed->data, packed->len);
    return copy;
}

void rg_packed_free(struct rg_pool *pool, struct rg_packed *packed)
{
    if (packed != NULL)
        rg_pool_free(pool, packed, sizeof(*packed) + packed->cap);
}

const char *rg_packed_find(const struct rg_packed *packed, const struct rg_element *field)
{
    const char *at = packed->data;
    for (uint32_t left = packed->count; left > 0; left--) {
        if (rg_element_is(field, at))
            return at;
        at = rg_packed_next(at);
    }
    return NULL;
}

/* Room for len bytes; large ones grow by an eighth more, small ones by what is asked. */
static struct rg_packed *packed_grow(struct rg_pool *pool, struct rg_packed *packed, size_t len)
{
    enum { EXACT_BYTES = 1024 };
    RG_ASSERT(len <= RG_PACKED_MAX);
    if (len <= packed->cap)
        return packed;
    return packed_resize(pool, packed, len <= EXACT_BYTES ? len : len + len / 8);
}

static struct rg_packed *packed_trim(struct rg_pool *pool, struct rg_packed *packed)
{
    if (item_size(packed->len + packed->len / 4) >= item_size(packed->cap))
        return packed;
    return packed_resize(pool, packed, packed->len);
}

struct rg_packed *rg_packed_append(struct rg_pool *pool, struct rg_packed *packed,
                                   const struct rg_element *field, const struct rg_element *value)
{
    size_t size = rg_element_size(field) + rg_element_size(value);
    packed = packed_grow(pool, packed, packed->len + size);
    rg_element_write(rg_element_write(packed->data + packed->len, field), value);
    packed->len += (uint32_t)size;
    packed->count++;
    return packed;
}

struct rg_packed *rg_packed_of_run(struct rg_pool *pool, struct rg_bytes run, uint32_t count,
                                   size_t len)
{
    const char *end = run.data + run.len;
    RG_ASSERT(len <= RG_PACKED_MAX);
    struct rg_packed *packed = packed_resize(pool, NULL, len);
    char *out = packed->data;
    const char *out_end = out + packed->cap;
    for (const char *at = run.data; at < end;) {
        size_t size = (size_t)(rg_element_skip(at) - at);
        rg_element_copy(out, (size_t)(out_end - out), at, (size_t)(end - at), size);
        out += size;
        at += size + rg_element_back_size(size);
    }
    RG_ASSERT(out == packed->data + len);
    packed->len = (uint32_t)len;
    packed->count = count;
    return packed;
}

struct rg_packed *rg_packed_replace(struct rg_pool *pool, struct rg_packed *packed, const char *at,
                                    const struct rg_element *value)
{
    const char *old = rg_packed_value(at);
    const char *end = rg_element_skip(old);
    size_t size = rg_element_size(value);
    size_t before = (size_t)(old - packed->data);
    size_t after = packed->len - (size_t)(end - packed->data);
    size_t len = before + size + after;
    RG_ASSERT(len <= RG_PACKED_MAX);
    /* The value may be a view into this row: into another place, or the very one. */
    if ((size_t)(end - old) == size) {
        char *out = packed->data + before;
        memcpy(out, value->head, value->head_len);
        if (value->text.len > 0)
            memmove(out + value->head_len, value->text.data, value->text.len);
        return packed;
    }
    struct rg_packed *fresh = packed_resize(pool, NULL, len);
    memcpy(fresh->data, packed->data, before);
    char *out = rg_element_write(fresh->data + before, value);
    memcpy(out, end, after);
    fresh->len = (uint32_t)len;
    fresh->count = packed->count;
    rg_packed_free(pool, packed);
    return fresh;
}

struct rg_packed *rg_packed_remove(struct rg_pool *pool, struct rg_packed *packed, const char *at)
{
    const char *end = rg_packed_next(at);
    size_t start = (size_t)(at - packed->data);
    size_t size = (size_t)(end - at);
    memmove(packed->data + start, end, packed->len - start - size);
    packed->len -= (uint32_t)size;
    packed->count--;
    return packed_trim(pool, packed);
}

size_t rg_packed_memory(const struct rg_packed *packed)
{
    return rg_pool_cost(sizeof(*packed) + packed->cap);
}
