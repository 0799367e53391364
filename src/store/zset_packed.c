#include "store/zset_packed.h"

#include "base/panic.h"
#include "store/counted.h"
#include "store/zset_item.h"

/* ---- Pairs ---- */

static size_t body_size(struct rg_bytes member)
{
    return sizeof(double) + rg_counted_size(member.len);
}

size_t rg_zset_pair_size(struct rg_bytes member)
{
    size_t body = body_size(member);
    return body + rg_counted_back_size(body);
}

static void pair_write(char *out, double score, struct rg_bytes member)
{
    score = score == 0 ? 0 : score;
    memcpy(out, &score, sizeof(score));
    rg_counted_write(out + sizeof(score), member);
    rg_counted_back_write(out + rg_zset_pair_size(member), body_size(member));
}

uint32_t rg_zset_packed_next(const struct rg_zset_packed *packed, uint32_t offset,
                             struct rg_zset_pair *ret_pair)
{
    RG_ASSERT(offset < packed->len);
    const char *at = packed->data + offset;
    memcpy(&ret_pair->score, at, sizeof(ret_pair->score));
    const char *end = rg_counted_read(at + sizeof(ret_pair->score), &ret_pair->member);
    size_t back = rg_counted_back_size((size_t)(end - at));
    return (uint32_t)(end - packed->data) + (uint32_t)back;
}

uint32_t rg_zset_packed_prev(const struct rg_zset_packed *packed, uint32_t offset,
                             struct rg_zset_pair *ret_pair)
{
    size_t size = 0;
    RG_ASSERT(offset > 0 && offset <= packed->len);
    const char *end = rg_counted_back_read(packed->data + offset, &size);
    uint32_t start = (uint32_t)(end - packed->data) - (uint32_t)size;
    rg_zset_packed_next(packed, start, ret_pair);
    return start;
}

uint32_t rg_zset_packed_seek(const struct rg_zset_packed *packed, uint64_t rank)
{
    struct rg_zset_pair pair;
    uint32_t offset = 0;
    RG_ASSERT(rank <= packed->count);
    if (rank > packed->count / 2) {
        offset = packed->len;
        for (uint64_t left = packed->count - rank; left > 0; left--)
            offset = rg_zset_packed_prev(packed, offset, &pair);
        return offset;
    }
    for (; rank > 0; rank--)
        offset = rg_zset_packed_next(packed, offset, &pair);
    return offset;
}

/* ---- Memory ---- */

static size_t item_size(size_t len)
{
    return rg_pool_room(sizeof(struct rg_zset_packed) + len);
}

/* An item with room for cap bytes that begins as packed was, or empty for NULL. */
static struct rg_zset_packed *packed_resize(struct rg_pool *pool, struct rg_zset_packed *packed,
                                            size_t cap)
{
    size_t size = item_size(cap);
    if (packed == NULL) {
        packed = rg_pool_alloc(pool, size);
        packed->count = 0;
        packed->len = 0;
    } else {
        packed = rg_pool_realloc(pool, packed, sizeof(*packed) + packed->cap, size);
    }
    packed->cap = (uint32_t)(size - sizeof(*packed));
    return packed;
}

struct rg_zset_packed *rg_zset_packed_new(struct rg_pool *pool)
{
    return packed_resize(pool, NULL, 0);
}

struct rg_zset_packed *rg_zset_packed_copy(struct rg_pool *pool,
                                           const struct rg_zset_packed *packed)
{
    struct rg_zset_packed *copy = packed_resize(pool, NULL, packed->len);
    copy->count = packed->count;
    copy->len = packed->len;
    memcpy(copy->data, packed->data, packed->len);
    return copy;
}

void rg_zset_packed_free(struct rg_pool *pool, struct rg_zset_packed *packed)
{
    if (packed != NULL)
        rg_pool_free(pool, packed, sizeof(*packed) + packed->cap);
}

size_t rg_zset_packed_memory(const struct rg_zset_packed *packed)
{
    return rg_pool_cost(sizeof(*packed) + packed->cap);
}

/* Room for len bytes; large ones grow by an eighth more, small ones by what is asked. */
static struct rg_zset_packed *packed_grow(struct rg_pool *pool, struct rg_zset_packed *packed,
                                          size_t len)
{
    enum { EXACT_BYTES = 1024 };
    RG_ASSERT(len <= RG_ZSET_PACKED_MAX);
    if (len <= packed->cap)
        return packed;
    return packed_resize(pool, packed, len <= EXACT_BYTES ? len : len + len / 8);
}

/* ---- Single members ---- */

bool rg_zset_packed_find(const struct rg_zset_packed *packed, struct rg_bytes member,
                         uint32_t *ret_offset, uint64_t *ret_rank, double *ret_score)
{
    uint32_t offset = 0;
    for (uint32_t rank = 0; rank < packed->count; rank++) {
        struct rg_zset_pair pair;
        uint32_t next = rg_zset_packed_next(packed, offset, &pair);
        if (rg_bytes_equal(pair.member, member)) {
            if (ret_offset != NULL)
                *ret_offset = offset;
            if (ret_rank != NULL)
                *ret_rank = rank;
            if (ret_score != NULL)
                *ret_score = pair.score;
            return true;
        }
        offset = next;
    }
    return false;
}

/* The offset of the first pair behind this one. */
static uint32_t packed_place(const struct rg_zset_packed *packed, double score,
                             struct rg_bytes member)
{
    uint32_t offset = 0;
    while (offset < packed->len) {
        struct rg_zset_pair pair;
        uint32_t next = rg_zset_packed_next(packed, offset, &pair);
        if (rg_zset_compare(pair.score, pair.member, score, member) > 0)
            break;
        offset = next;
    }
    return offset;
}

struct rg_zset_packed *rg_zset_packed_insert(struct rg_pool *pool, struct rg_zset_packed *packed,
                                             double score, struct rg_bytes member)
{
    size_t size = rg_zset_pair_size(member);
    uint32_t offset = packed_place(packed, score, member);
    packed = packed_grow(pool, packed, packed->len + size);
    char *at = packed->data + offset;
    memmove(at + size, at, packed->len - offset);
    pair_write(at, score, member);
    packed->len += (uint32_t)size;
    packed->count++;
    return packed;
}

struct rg_zset_packed *rg_zset_packed_erase(struct rg_pool *pool, struct rg_zset_packed *packed,
                                            uint32_t from, uint32_t to, uint64_t count)
{
    RG_ASSERT(from <= to && to <= packed->len && count <= packed->count);
    memmove(packed->data + from, packed->data + to, packed->len - to);
    packed->len -= to - from;
    packed->count -= (uint32_t)count;
    if (item_size(packed->len + packed->len / 4) >= item_size(packed->cap))
        return packed;
    return packed_resize(pool, packed, packed->len);
}

void rg_zset_packed_rescore(struct rg_zset_packed *packed, uint32_t offset, double score,
                            struct rg_bytes member)
{
    uint32_t size = (uint32_t)rg_zset_pair_size(member);
    uint32_t place = packed_place(packed, score, member);
    char *data = packed->data;
    /* What lies between moves over the old place. */
    if (place > offset) {
        place -= size;
        memmove(data + offset, data + offset + size, place - offset);
    } else {
        memmove(data + place + size, data + place, offset - place);
    }
    pair_write(data + place, score, member);
}
