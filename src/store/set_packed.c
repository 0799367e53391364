#include "store/set_packed.h"

#include "base/panic.h"
#include "store/counted.h"

enum { MEMBER_BYTES_COUNTED = RG_SET_PACKED_MEMBER_BYTES + 1 };
_Static_assert(RG_SET_PACKED_MEMBER_BYTES < 0x80, "a length is one byte");
_Static_assert(RG_SET_PACKED_MEMBERS *MEMBER_BYTES_COUNTED <= UINT16_MAX, "offsets fit len");

static size_t packed_size(size_t len)
{
    return sizeof(struct rg_set_packed) + len;
}

struct rg_set_packed *rg_set_packed_new(struct rg_pool *pool)
{
    struct rg_set_packed *packed = rg_pool_alloc(pool, packed_size(0));
    *packed = (struct rg_set_packed){0};
    return packed;
}

struct rg_set_packed *rg_set_packed_copy(struct rg_pool *pool, const struct rg_set_packed *packed)
{
    struct rg_set_packed *copy = rg_pool_alloc(pool, packed_size(packed->len));
    memcpy(copy, packed, packed_size(packed->len));
    return copy;
}

void rg_set_packed_free(struct rg_pool *pool, struct rg_set_packed *packed)
{
    if (packed != NULL)
        rg_pool_free(pool, packed, packed_size(packed->len));
}

size_t rg_set_packed_memory(const struct rg_set_packed *packed)
{
    return rg_pool_cost(packed_size(packed->len));
}

size_t rg_set_packed_read(const struct rg_set_packed *packed, size_t offset,
                          struct rg_bytes *ret_member)
{
    RG_ASSERT(offset < packed->len);
    return (size_t)(rg_counted_read(packed->data + offset, ret_member) - packed->data);
}

const char *rg_set_packed_find(const struct rg_set_packed *packed, struct rg_bytes member)
{
    const char *end = packed->data + packed->len;
    if (member.len > RG_SET_PACKED_MEMBER_BYTES)
        return NULL;
    for (const char *at = packed->data; at < end; at += 1 + *at) {
        if ((size_t)*at == member.len && memcmp(at + 1, member.data, member.len) == 0)
            return at;
    }
    return NULL;
}

bool rg_set_packed_may_hold(const struct rg_set_packed *packed, struct rg_bytes member)
{
    return packed->count < RG_SET_PACKED_MEMBERS && member.len <= RG_SET_PACKED_MEMBER_BYTES;
}

struct rg_set_packed *rg_set_packed_append(struct rg_pool *pool, struct rg_set_packed *packed,
                                           struct rg_bytes member)
{
    size_t size = rg_counted_size(member.len);
    RG_ASSERT(rg_set_packed_may_hold(packed, member));
    packed =
        rg_pool_realloc(pool, packed, packed_size(packed->len), packed_size(packed->len + size));
    rg_counted_write(packed->data + packed->len, member);
    packed->len = (uint16_t)(packed->len + size);
    packed->count++;
    return packed;
}

struct rg_set_packed *rg_set_packed_remove(struct rg_pool *pool, struct rg_set_packed *packed,
                                           const char *at)
{
    size_t start = (size_t)(at - packed->data);
    size_t old_len = packed->len;
    size_t size = rg_counted_size((size_t)*at);
    RG_ASSERT(start + size <= old_len && packed->count > 0);
    memmove(packed->data + start, packed->data + start + size, old_len - start - size);
    packed->len = (uint16_t)(old_len - size);
    packed->count--;
    return rg_pool_realloc(pool, packed, packed_size(old_len), packed_size(packed->len));
}
