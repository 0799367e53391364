#include "store/list_chunk.h"

#include "base/panic.h"

struct rg_list_limit rg_list_limit(int64_t directive)
{
    enum { LEAST = 4096, LEVELS = 5, COUNTED = 8192 };
    struct rg_list_limit limit = {.bytes = COUNTED, .count = UINT32_MAX};
    if (directive < 0)
        limit.bytes = (uint32_t)LEAST << ((directive < -LEVELS ? LEVELS : -directive) - 1);
    else if (directive < UINT32_MAX)
        limit.count = directive > 0 ? (uint32_t)directive : 1;
    /* With the header a chunk is of a size that the pool likes. */
    limit.bytes -= sizeof(struct rg_list_chunk);
    return limit;
}

/* ---- Elements ---- */

size_t rg_list_element_size(const struct rg_element *element)
{
    size_t size = rg_element_size(element);
    return size + rg_element_back_size(size);
}

static void element_write(char *out, const struct rg_element *element)
{
    rg_element_back_write(rg_element_write(out, element), rg_element_size(element));
}

uint32_t rg_list_chunk_next(const struct rg_list_chunk *chunk, uint32_t offset,
                            char scratch[RG_I64_CHARS], struct rg_bytes *ret_element)
{
    const char *start = chunk->data + offset;
    size_t size = (size_t)(rg_element_read(start, scratch, ret_element) - start);
    return offset + (uint32_t)(size + rg_element_back_size(size));
}

uint32_t rg_list_chunk_skip(const struct rg_list_chunk *chunk, uint32_t offset)
{
    return (uint32_t)(rg_element_skip_both(chunk->data + offset) - chunk->data);
}

uint32_t rg_list_chunk_skip_back(const struct rg_list_chunk *chunk, uint32_t offset)
{
    return (uint32_t)(rg_element_back(chunk->data + offset) - chunk->data);
}

uint32_t rg_list_chunk_prev(const struct rg_list_chunk *chunk, uint32_t offset,
                            char scratch[RG_I64_CHARS], struct rg_bytes *ret_element)
{
    offset = rg_list_chunk_skip_back(chunk, offset);
    rg_element_read(chunk->data + offset, scratch, ret_element);
    return offset;
}

uint32_t rg_list_chunk_seek(const struct rg_list_chunk *chunk, uint32_t index)
{
    RG_ASSERT(index <= chunk->count);
    if (index <= chunk->count / 2) {
        uint32_t offset = chunk->head;
        for (; index > 0; index--)
            offset = rg_list_chunk_skip(chunk, offset);
        return offset;
    }
    uint32_t offset = chunk->tail;
    for (; index < chunk->count; index++)
        offset = rg_list_chunk_skip_back(chunk, offset);
    return offset;
}

/* ---- Making and freeing ---- */

struct rg_list_chunk *rg_list_chunk_new(struct rg_pool *pool, size_t cap)
{
    size_t room = rg_pool_room(sizeof(struct rg_list_chunk) + cap);
    RG_ASSERT(room - sizeof(struct rg_list_chunk) <= UINT32_MAX);
    struct rg_list_chunk *chunk = rg_pool_alloc(pool, room);
    *chunk = (struct rg_list_chunk){.cap = (uint32_t)(room - sizeof(*chunk))};
    return chunk;
}

void rg_list_chunk_free(struct rg_pool *pool, struct rg_list_chunk *chunk)
{
    if (chunk != NULL)
        rg_pool_free(pool, chunk, sizeof(*chunk) + chunk->cap);
}

size_t rg_list_chunk_memory(const struct rg_list_chunk *chunk)
{
    return rg_pool_cost(sizeof(*chunk) + chunk->cap);
}

/* Copies a part of one chunk behind the last element of another, which has the room. */
static void chunk_append(struct rg_list_chunk *chunk, const struct rg_list_chunk *from,
                         uint32_t offset, uint32_t end, uint32_t count)
{
    uint32_t size = end - offset;
    RG_ASSERT(size <= chunk->cap - chunk->tail);
    memcpy(chunk->data + chunk->tail, from->data + offset, size);
    chunk->tail += size;
    chunk->count += count;
}

struct rg_list_chunk *rg_list_chunk_copy(struct rg_pool *pool, const struct rg_list_chunk *chunk)
{
    struct rg_list_chunk *copy = rg_list_chunk_new(pool, rg_list_chunk_used(chunk));
    chunk_append(copy, chunk, chunk->head, chunk->tail, chunk->count);
    return copy;
}

struct rg_list_chunk *rg_list_chunk_clone(struct rg_pool *pool, const struct rg_list_chunk *chunk)
{
    struct rg_list_chunk *clone = rg_pool_alloc(pool, sizeof(*chunk) + chunk->cap);
    *clone = (struct rg_list_chunk){
        .count = chunk->count, .cap = chunk->cap, .head = chunk->head, .tail = chunk->tail};
    memcpy(clone->data + chunk->head, chunk->data + chunk->head, rg_list_chunk_used(chunk));
    return clone;
}

/* ---- Changing ---- */

bool rg_list_chunk_takes(const struct rg_list_chunk *chunk, const struct rg_list_limit *limit,
                         uint32_t offset, size_t size)
{
    size_t used = rg_list_chunk_used(chunk);
    if (chunk->count >= limit->count || used + size > limit->bytes)
        return false;
    if (offset != chunk->tail && offset != chunk->head)
        return true;
    uint32_t room = offset == chunk->tail ? chunk->cap - chunk->tail : chunk->head;
    return room >= size || chunk->cap < limit->bytes || used + size <= chunk->cap / 2;
}

/*
 * The chunk anew, with a gap of size bytes at the offset. It grows by a quarter where it is not
 * half empty; what room there is goes mostly to the side that is being pushed to, and the other
 * side keeps some, so that pushing to both in turn does not move everything each time.
 */
static struct rg_list_chunk *chunk_rebuild(struct rg_pool *pool, struct rg_list_chunk *chunk,
                                           const struct rg_list_limit *limit, uint32_t offset,
                                           size_t size)
{
    enum { SOME = 8 };
    size_t used = rg_list_chunk_used(chunk) + size;
    bool at_head = offset == chunk->head && offset != chunk->tail;
    size_t other = at_head ? chunk->cap - chunk->tail : chunk->head;
    size_t cap = chunk->cap;
    if (used > cap / 2) {
        cap = used + other + used / 4 + SOME;
        if (cap > limit->bytes)
            cap = used > limit->bytes ? used : limit->bytes;
    }
    struct rg_list_chunk *fresh = rg_list_chunk_new(pool, cap);
    size_t slack = fresh->cap - used;
    if (other > slack / 4)
        other = slack / 4;
    fresh->head = fresh->tail = (uint32_t)(at_head ? slack - other : other);
    chunk_append(fresh, chunk, chunk->head, offset, 0);
    fresh->tail += (uint32_t)size;
    chunk_append(fresh, chunk, offset, chunk->tail, chunk->count);
    rg_list_chunk_free(pool, chunk);
    return fresh;
}

/*
 * A gap of size bytes at the offset; *ret_gap is where it is. At an end nothing moves unless all
 * does, and then there is room for many; between elements the shorter side moves, where it can.
 */
static struct rg_list_chunk *chunk_open(struct rg_pool *pool, struct rg_list_chunk *chunk,
                                        const struct rg_list_limit *limit, uint32_t offset,
                                        size_t size, uint32_t *ret_gap)
{
    uint32_t before = offset - chunk->head;
    uint32_t after = chunk->tail - offset;
    bool front = chunk->head >= size && after > 0;
    bool back = chunk->cap - chunk->tail >= size && (before > 0 || after == 0);
    if (back && (after <= before || !front)) {
        memmove(chunk->data + offset + size, chunk->data + offset, after);
        chunk->tail += (uint32_t)size;
        *ret_gap = offset;
    } else if (front) {
        memmove(chunk->data + chunk->head - size, chunk->data + chunk->head, before);
        chunk->head -= (uint32_t)size;
        *ret_gap = offset - (uint32_t)size;
    } else {
        chunk = chunk_rebuild(pool, chunk, limit, offset, size);
        *ret_gap = chunk->head + before;
    }
    return chunk;
}

struct rg_list_chunk *rg_list_chunk_insert(struct rg_pool *pool, struct rg_list_chunk *chunk,
                                           const struct rg_list_limit *limit, uint32_t offset,
                                           const struct rg_element *element)
{
    uint32_t gap = 0;
    size_t size = rg_list_element_size(element);
    RG_ASSERT(element->text.len <= RG_LIST_ELEMENT_MAX);
    RG_ASSERT(offset >= chunk->head && offset <= chunk->tail);
    chunk = chunk_open(pool, chunk, limit, offset, size, &gap);
    element_write(chunk->data + gap, element);
    chunk->count++;
    return chunk;
}

void rg_list_chunk_erase(struct rg_list_chunk *chunk, uint32_t from, uint32_t to, uint32_t count)
{
    uint32_t before = from - chunk->head;
    uint32_t after = chunk->tail - to;
    RG_ASSERT(chunk->head <= from && from <= to && to <= chunk->tail);
    RG_ASSERT(count <= chunk->count);
    if (before < after) {
        memmove(chunk->data + chunk->head + (to - from), chunk->data + chunk->head, before);
        chunk->head += to - from;
    } else {
        memmove(chunk->data + from, chunk->data + to, after);
        chunk->tail -= to - from;
    }
    chunk->count -= count;
    /* All of the room is at either side's hand again. */
    if (chunk->count == 0)
        chunk->head = chunk->tail = 0;
}

/* Keeps what is not equal, moved up to the front. */
static uint32_t remove_forward(struct rg_list_chunk *chunk, const struct rg_element *element,
                               uint64_t max)
{
    uint32_t removed = 0;
    uint32_t out = chunk->head;
    uint32_t offset = chunk->head;
    while (offset < chunk->tail && removed < max) {
        uint32_t next = rg_list_chunk_skip(chunk, offset);
        if (rg_element_is(element, chunk->data + offset)) {
            removed++;
        } else {
            if (out != offset)
                memmove(chunk->data + out, chunk->data + offset, next - offset);
            out += next - offset;
        }
        offset = next;
    }
    if (removed > 0)
        rg_list_chunk_erase(chunk, out, offset, removed);
    return removed;
}

/* Keeps what is not equal, moved up to the back. */
static uint32_t remove_backward(struct rg_list_chunk *chunk, const struct rg_element *element,
                                uint64_t max)
{
    uint32_t removed = 0;
    uint32_t out = chunk->tail;
    uint32_t offset = chunk->tail;
    while (offset > chunk->head && removed < max) {
        uint32_t prev = rg_list_chunk_skip_back(chunk, offset);
        if (rg_element_is(element, chunk->data + prev)) {
            removed++;
        } else {
            out -= offset - prev;
            if (out != prev)
                memmove(chunk->data + out, chunk->data + prev, offset - prev);
        }
        offset = prev;
    }
    if (removed > 0)
        rg_list_chunk_erase(chunk, offset, out, removed);
    return removed;
}

bool rg_list_chunk_has(const struct rg_list_chunk *chunk, const struct rg_element *element)
{
    for (uint32_t at = chunk->head; at < chunk->tail; at = rg_list_chunk_skip(chunk, at)) {
        if (rg_element_is(element, chunk->data + at))
            return true;
    }
    return false;
}

uint32_t rg_list_chunk_remove(struct rg_list_chunk *chunk, const struct rg_element *element,
                              uint64_t max, bool backward)
{
    return backward ? remove_backward(chunk, element, max) : remove_forward(chunk, element, max);
}

struct rg_list_chunk *rg_list_chunk_append_run(struct rg_pool *pool, struct rg_list_chunk *chunk,
                                               const struct rg_list_limit *limit,
                                               struct rg_bytes run, uint32_t count)
{
    uint32_t gap = chunk->tail;
    if (chunk->count == 0 && chunk->cap < run.len) {
        /* Most lists out of files stay as they are: just the room for it. */
        rg_list_chunk_free(pool, chunk);
        chunk = rg_list_chunk_new(pool, run.len);
        chunk->tail = (uint32_t)run.len;
        gap = 0;
    } else {
        chunk = chunk_open(pool, chunk, limit, chunk->tail, run.len, &gap);
    }
    memcpy(chunk->data + gap, run.data, run.len);
    chunk->count += count;
    return chunk;
}

/* ---- Whole chunks ---- */

struct rg_list_chunk *rg_list_chunk_split(struct rg_pool *pool, struct rg_list_chunk *chunk,
                                          uint32_t offset, uint32_t count)
{
    struct rg_list_chunk *right = rg_list_chunk_new(pool, chunk->tail - offset);
    chunk_append(right, chunk, offset, chunk->tail, count);
    rg_list_chunk_erase(chunk, offset, chunk->tail, count);
    return right;
}

struct rg_list_chunk *rg_list_chunk_join(struct rg_pool *pool, struct rg_list_chunk *chunk,
                                         struct rg_list_chunk *right)
{
    uint32_t size = rg_list_chunk_used(right);
    if (chunk->cap - chunk->tail < size) {
        struct rg_list_chunk *fresh = rg_list_chunk_new(pool, rg_list_chunk_used(chunk) + size);
        chunk_append(fresh, chunk, chunk->head, chunk->tail, chunk->count);
        rg_list_chunk_free(pool, chunk);
        chunk = fresh;
    }
    chunk_append(chunk, right, right->head, right->tail, right->count);
    rg_list_chunk_free(pool, right);
    return chunk;
}

struct rg_list_chunk *rg_list_chunk_trim(struct rg_pool *pool, struct rg_list_chunk *chunk)
{
    enum { SMALL = 64 };
    uint32_t used = rg_list_chunk_used(chunk);
    if (chunk->cap <= SMALL || used > chunk->cap / 4)
        return chunk;
    struct rg_list_chunk *fresh = rg_list_chunk_new(pool, used + used / 4);
    chunk_append(fresh, chunk, chunk->head, chunk->tail, chunk->count);
    rg_list_chunk_free(pool, chunk);
    return fresh;
}

void rg_list_chunk_check(const struct rg_list_chunk *chunk)
{
    const char *end = chunk->data + chunk->tail;
    uint32_t forward = 0;
    uint32_t backward = 0;
    bool exact = true;
    RG_ASSERT(chunk->head <= chunk->tail && chunk->tail <= chunk->cap);
    for (const char *at = chunk->data + chunk->head; at != end; forward++) {
        at = rg_element_check_both(at, end, &exact);
        RG_ASSERT(at != NULL && exact);
    }
    for (uint32_t at = chunk->tail; at != chunk->head; backward++) {
        at = rg_list_chunk_skip_back(chunk, at);
        RG_ASSERT(at >= chunk->head);
    }
    RG_ASSERT(forward == chunk->count && backward == chunk->count);
}
