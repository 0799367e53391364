#include "store/list_dir.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "store/form.h"

static struct rg_list_chunk *chunk_at(const struct rg_list_dir *dir, uint32_t at)
{
    return rg_list_dir_item(dir, at)->chunk;
}

/* ---- The items ---- */

static void items_free(struct rg_pool *pool, struct rg_list_dir *dir)
{
    if (dir->cap > 1)
        rg_pool_free(pool, dir->items, dir->cap * sizeof(*dir->items));
    dir->items = NULL;
    dir->cap = 0;
}

/* More room, mostly at the side that is in need of it. */
static void items_grow(struct rg_pool *pool, struct rg_list_dir *dir, bool front)
{
    uint32_t cap = dir->count + dir->count / 2 + 4;
    struct rg_list_item *items = rg_pool_alloc(pool, cap * sizeof(*items));
    uint32_t other = (cap - dir->count) / 4;
    uint32_t head = front ? cap - dir->count - other : other;
    memcpy(items + head, dir->items + dir->head, dir->count * sizeof(*items));
    items_free(pool, dir);
    dir->items = items;
    dir->head = head;
    dir->cap = cap;
}

/* An item for a chunk before the one at `at`. */
static void items_insert(struct rg_pool *pool, struct rg_list_dir *dir, uint32_t at,
                         struct rg_list_chunk *chunk)
{
    bool front = at < dir->count - at;
    if (front ? dir->head == 0 : dir->head + dir->count == dir->cap)
        items_grow(pool, dir, front);
    struct rg_list_item *first = dir->items + dir->head;
    if (front) {
        memmove(first - 1, first, at * sizeof(*first));
        dir->head--;
    } else {
        memmove(first + at + 1, first + at, (dir->count - at) * sizeof(*first));
    }
    dir->count++;
    *rg_list_dir_item(dir, at) = (struct rg_list_item){.chunk = chunk, .count = chunk->count};
}

/* The chunks have been taken care of. */
static void items_remove(struct rg_list_dir *dir, uint32_t at, uint32_t count)
{
    struct rg_list_item *first = dir->items + dir->head;
    uint32_t after = dir->count - at - count;
    if (at < after) {
        memmove(first + count, first, at * sizeof(*first));
        dir->head += count;
    } else {
        memmove(first + at, first + at + count, after * sizeof(*first));
    }
    dir->count -= count;
    if (dir->count == 0)
        dir->head = 0;
}

/* ---- Watching ---- */

/* The chunk in what is still to be shown; NULL: it is not. */
static struct rg_list_seen *watch_seen(const struct rg_list_dir *dir, struct rg_list_item *item)
{
    struct rg_list_watch *watch = dir->watch;
    if (watch == NULL || item->shared == 0 || item->shared <= watch->next)
        return NULL;
    struct rg_list_seen *seen = &watch->chunks[item->shared - 1];
    RG_ASSERT(item->shared <= watch->count && seen->chunk == item->chunk && !seen->owned);
    return seen;
}

static void watch_take(struct rg_list_watch *watch, struct rg_list_seen *seen)
{
    seen->owned = true;
    watch->held_bytes += rg_list_chunk_memory(seen->chunk);
}

/* The chunk is about to change: it is the list's alone from here on. */
static struct rg_list_chunk *chunk_own(struct rg_list_dir *dir, uint32_t at)
{
    struct rg_list_item *item = rg_list_dir_item(dir, at);
    struct rg_list_seen *seen = watch_seen(dir, item);
    if (__builtin_expect(seen != NULL, 0)) {
        watch_take(dir->watch, seen);
        item->chunk = rg_list_chunk_clone(dir->watch->pool, item->chunk);
        item->shared = 0;
    }
    return item->chunk;
}

/* It leaves the list. */
static void chunk_drop(struct rg_pool *pool, struct rg_list_dir *dir, uint32_t at)
{
    struct rg_list_item *item = rg_list_dir_item(dir, at);
    struct rg_list_seen *seen = watch_seen(dir, item);
    if (seen != NULL)
        watch_take(dir->watch, seen);
    else
        rg_list_chunk_free(pool, item->chunk);
}

void rg_list_watch_begin(struct rg_pool *pool, struct rg_list_dir *dir, struct rg_list_watch *watch,
                         void (*show)(void *arg, struct rg_bytes run, uint32_t count), void *arg)
{
    RG_ASSERT(dir->watch == NULL);
    *watch = (struct rg_list_watch){
        .show = show, .arg = arg, .pool = pool, .dir = dir, .count = dir->count};
    watch->chunks = RG_NEW_ARRAY(struct rg_list_seen, dir->count);
    for (uint32_t at = 0; at < dir->count; at++) {
        struct rg_list_item *item = rg_list_dir_item(dir, at);
        watch->chunks[at].chunk = item->chunk;
        item->shared = at + 1;
    }
    dir->watch = watch;
}

/* The next chunk is shown, or passed over. */
static void watch_forget(struct rg_list_watch *watch)
{
    struct rg_list_seen *seen = &watch->chunks[watch->next++];
    if (!seen->owned)
        return;
    watch->held_bytes -= rg_list_chunk_memory(seen->chunk);
    rg_list_chunk_free(watch->pool, seen->chunk);
}

bool rg_list_watch_step(struct rg_list_watch *watch, uint64_t *budget)
{
    while (watch->next < watch->count) {
        if (*budget == 0)
            return false;
        const struct rg_list_chunk *chunk = watch->chunks[watch->next].chunk;
        uint64_t cost = chunk->count;
        watch->show(watch->arg, rg_list_chunk_run(chunk), chunk->count);
        watch_forget(watch);
        *budget -= cost < *budget ? cost : *budget;
    }
    return true;
}

void rg_list_watch_end(struct rg_list_watch *watch)
{
    while (watch->next < watch->count)
        watch_forget(watch);
    if (watch->dir != NULL)
        watch->dir->watch = NULL;
    rg_free(watch->chunks);
    watch->chunks = NULL;
}

void rg_list_dir_unwatch(struct rg_list_dir *dir)
{
    if (dir->watch == NULL)
        return;
    RG_ASSERT(dir->count <= 1);
    if (dir->count == 1)
        chunk_own(dir, 0);
    dir->watch->dir = NULL;
    dir->watch = NULL;
}

/* ---- Chunks as parts of the list ---- */

/* What is about to change leaves the sums, and enters them again afterwards. */
static void chunk_take(struct rg_list_dir *dir, uint32_t at)
{
    dir->len -= rg_list_dir_item(dir, at)->count;
    dir->memory -= rg_list_chunk_memory(chunk_at(dir, at));
}

static void chunk_put(struct rg_list_dir *dir, uint32_t at, struct rg_list_chunk *chunk)
{
    *rg_list_dir_item(dir, at) = (struct rg_list_item){.chunk = chunk, .count = chunk->count};
    dir->len += chunk->count;
    dir->memory += rg_list_chunk_memory(chunk);
}

static void chunk_enter(struct rg_pool *pool, struct rg_list_dir *dir, uint32_t at,
                        struct rg_list_chunk *chunk)
{
    items_insert(pool, dir, at, chunk);
    dir->len += chunk->count;
    dir->memory += rg_list_chunk_memory(chunk);
}

static void chunk_insert(struct rg_pool *pool, struct rg_list_dir *dir,
                         const struct rg_list_limit *limit, uint32_t at, uint32_t offset,
                         const struct rg_element *element)
{
    struct rg_list_chunk *chunk = chunk_own(dir, at);
    chunk_take(dir, at);
    chunk_put(dir, at, rg_list_chunk_insert(pool, chunk, limit, offset, element));
}

/* A chunk of its own for the element. Among many one chunk more is little. */
static void chunk_begin(struct rg_pool *pool, struct rg_list_dir *dir,
                        const struct rg_list_limit *limit, uint32_t at,
                        const struct rg_element *element)
{
    enum { MANY = 8 };
    size_t size = rg_list_element_size(element);
    size_t cap = dir->count < MANY || size > limit->bytes ? size : limit->bytes;
    struct rg_list_chunk *chunk = rg_list_chunk_new(pool, cap);
    /* At the head of the list its room lies in front. */
    if (at == 0 && dir->count > 0)
        chunk->head = chunk->tail = chunk->cap - (uint32_t)size;
    chunk = rg_list_chunk_insert(pool, chunk, limit, chunk->tail, element);
    chunk_enter(pool, dir, at, chunk);
}

static bool chunks_join(struct rg_pool *pool, struct rg_list_dir *dir,
                        const struct rg_list_limit *limit, uint32_t at)
{
    if (at + 1 >= dir->count)
        return false;
    struct rg_list_chunk *left = chunk_at(dir, at);
    struct rg_list_chunk *right = chunk_at(dir, at + 1);
    /* Half full at most, so that the next insertion does not tear them apart again. */
    if ((size_t)rg_list_chunk_used(left) + rg_list_chunk_used(right) > limit->bytes / 2 ||
        (uint64_t)left->count + right->count > limit->count / 2)
        return false;
    left = chunk_own(dir, at);
    right = chunk_own(dir, at + 1);
    chunk_take(dir, at + 1);
    chunk_take(dir, at);
    chunk_put(dir, at, rg_list_chunk_join(pool, left, right));
    items_remove(dir, at + 1, 1);
    return true;
}

/* A chunk lost elements: it may go, join its neighbours, or give back room. */
static void chunk_settle(struct rg_pool *pool, struct rg_list_dir *dir,
                         const struct rg_list_limit *limit, uint32_t at)
{
    if (at >= dir->count || rg_list_chunk_used(chunk_at(dir, at)) > limit->bytes / 2)
        return; /* too full to join, and not roomy */
    if (at > 0 && chunks_join(pool, dir, limit, at - 1))
        at--;
    chunks_join(pool, dir, limit, at);
    /* The ends of a long list have their room for what comes next. */
    if (dir->count > 1 && (at == 0 || at == dir->count - 1))
        return;
    struct rg_list_chunk *chunk = chunk_own(dir, at);
    chunk_take(dir, at);
    chunk_put(dir, at, rg_list_chunk_trim(pool, chunk));
}

/* Takes elements out of one chunk, not all of them. */
static void chunk_erase(struct rg_list_dir *dir, uint32_t at, uint32_t within, uint32_t count)
{
    struct rg_list_chunk *chunk = chunk_own(dir, at);
    uint32_t from = rg_list_chunk_seek(chunk, within);
    uint32_t to = from;
    if (within + count == chunk->count) {
        to = chunk->tail;
    } else {
        for (uint32_t left = count; left > 0; left--)
            to = rg_list_chunk_skip(chunk, to);
    }
    chunk_take(dir, at);
    rg_list_chunk_erase(chunk, from, to, count);
    chunk_put(dir, at, chunk);
}

/* ---- Elements ---- */

uint32_t rg_list_dir_find(const struct rg_list_dir *dir, uint64_t index, uint32_t *ret_within)
{
    RG_ASSERT(index < dir->len);
    const struct rg_list_item *first = dir->items + dir->head;
    if (index < dir->len / 2) {
        uint32_t at = 0;
        for (; index >= first[at].count; at++)
            index -= first[at].count;
        *ret_within = (uint32_t)index;
        return at;
    }
    uint64_t behind = dir->len - index; /* elements from it to the end */
    uint32_t at = dir->count - 1;
    for (; behind > first[at].count; at--)
        behind -= first[at].count;
    *ret_within = (uint32_t)(first[at].count - behind);
    return at;
}

/* Puts the element beside the chunk at `at`: in that one's neighbour, or in a chunk of its own. */
static void insert_between(struct rg_pool *pool, struct rg_list_dir *dir,
                           const struct rg_list_limit *limit, uint32_t at,
                           const struct rg_element *element)
{
    size_t size = rg_list_element_size(element);
    if (at > 0) {
        const struct rg_list_chunk *left = chunk_at(dir, at - 1);
        if (rg_list_chunk_takes(left, limit, left->tail, size)) {
            chunk_insert(pool, dir, limit, at - 1, left->tail, element);
            return;
        }
    }
    if (at < dir->count) {
        const struct rg_list_chunk *right = chunk_at(dir, at);
        if (rg_list_chunk_takes(right, limit, right->head, size)) {
            chunk_insert(pool, dir, limit, at, right->head, element);
            return;
        }
    }
    chunk_begin(pool, dir, limit, at, element);
}

void rg_list_dir_push(struct rg_pool *pool, struct rg_list_dir *dir,
                      const struct rg_list_limit *limit, enum rg_list_end end,
                      const struct rg_element *element)
{
    insert_between(pool, dir, limit, end == RG_LIST_HEAD ? 0 : dir->count, element);
}

/* The end of the last element of a run that ends within `room` bytes; *ret_count: how many do. */
static size_t run_cut(struct rg_bytes run, uint32_t count, size_t room, uint32_t *ret_count)
{
    size_t len = 0;
    if (room > run.len / 2) { /* from the end that is nearer */
        uint32_t left = count;
        for (len = run.len; len > room; left--)
            len = (size_t)(rg_element_back(run.data + len) - run.data);
        *ret_count = left;
        return len;
    }
    for (uint32_t taken = 0;; taken++) {
        size_t next = (size_t)(rg_element_skip_both(run.data + len) - run.data);
        *ret_count = taken;
        if (next > room)
            return len;
        len = next;
    }
}

/* How much of a run may follow in a chunk of that many bytes and elements. */
static struct rg_bytes run_part(struct rg_bytes run, uint32_t count,
                                const struct rg_list_limit *limit, uint32_t used, uint32_t elements,
                                uint32_t *ret_count)
{
    size_t room = used < limit->bytes ? limit->bytes - used : 0;
    uint32_t most = elements < limit->count ? limit->count - elements : 0;
    size_t len = run.len;
    *ret_count = count;
    if (len > room)
        len = run_cut(run, count, room, ret_count);
    if (*ret_count > most) {
        len = 0;
        for (*ret_count = 0; *ret_count < most; (*ret_count)++)
            len = (size_t)(rg_element_skip_both(run.data + len) - run.data);
    }
    return rg_bytes(run.data, len);
}

/* A chunk that begins with a run; among many one chunk more is little. */
static struct rg_list_chunk *run_chunk(struct rg_pool *pool, const struct rg_list_dir *dir,
                                       const struct rg_list_limit *limit, struct rg_bytes run)
{
    enum { MANY = 8 };
    size_t cap = dir->count < MANY || run.len > limit->bytes ? run.len : limit->bytes;
    return rg_list_chunk_new(pool, cap);
}

void rg_list_dir_append_run(struct rg_pool *pool, struct rg_list_dir *dir,
                            const struct rg_list_limit *limit, struct rg_bytes run, uint32_t count)
{
    while (count > 0) {
        uint32_t at = dir->count;
        struct rg_list_chunk *last = at > 0 ? chunk_at(dir, at - 1) : NULL;
        uint32_t taken = 0;
        struct rg_bytes part = {0};
        if (last != NULL)
            part = run_part(run, count, limit, rg_list_chunk_used(last), last->count, &taken);
        if (taken > 0) {
            last = chunk_own(dir, at - 1);
            chunk_take(dir, at - 1);
            chunk_put(dir, at - 1, rg_list_chunk_append_run(pool, last, limit, part, taken));
        } else {
            part = run_part(run, count, limit, 0, 0, &taken);
            if (taken == 0) { /* an element larger than a chunk is to be */
                part.len = (size_t)(rg_element_skip_both(run.data) - run.data);
                taken = 1;
            }
            struct rg_list_chunk *chunk = run_chunk(pool, dir, limit, part);
            chunk = rg_list_chunk_append_run(pool, chunk, limit, part, taken);
            chunk_enter(pool, dir, at, chunk);
        }
        run = rg_bytes(run.data + part.len, run.len - part.len);
        count -= taken;
    }
}

void rg_list_dir_insert(struct rg_pool *pool, struct rg_list_dir *dir,
                        const struct rg_list_limit *limit, uint64_t index,
                        const struct rg_element *element)
{
    if (index == 0 || index == dir->len) {
        rg_list_dir_push(pool, dir, limit, index == 0 ? RG_LIST_HEAD : RG_LIST_TAIL, element);
        return;
    }
    uint32_t within = 0;
    uint32_t at = rg_list_dir_find(dir, index, &within);
    if (within == 0) {
        insert_between(pool, dir, limit, at, element);
        return;
    }
    struct rg_list_chunk *chunk = chunk_at(dir, at);
    uint32_t offset = rg_list_chunk_seek(chunk, within);
    if (rg_list_chunk_takes(chunk, limit, offset, rg_list_element_size(element))) {
        chunk_insert(pool, dir, limit, at, offset, element);
        return;
    }
    chunk = chunk_own(dir, at);
    chunk_take(dir, at);
    struct rg_list_chunk *right = rg_list_chunk_split(pool, chunk, offset, chunk->count - within);
    chunk_put(dir, at, chunk);
    chunk_enter(pool, dir, at + 1, right);
    insert_between(pool, dir, limit, at + 1, element);
}

void rg_list_dir_delete(struct rg_pool *pool, struct rg_list_dir *dir,
                        const struct rg_list_limit *limit, uint64_t index, uint64_t count)
{
    uint32_t within = 0;
    RG_ASSERT(index <= dir->len && count <= dir->len - index);
    if (count == 0)
        return;
    uint32_t at = rg_list_dir_find(dir, index, &within);
    if (within > 0) {
        uint32_t rest = chunk_at(dir, at)->count - within;
        uint32_t part = count < rest ? (uint32_t)count : rest;
        chunk_erase(dir, at, within, part);
        count -= part;
        at++;
    }
    uint32_t end = at;
    while (count > 0 && count >= rg_list_dir_item(dir, end)->count) {
        count -= rg_list_dir_item(dir, end)->count;
        chunk_take(dir, end);
        chunk_drop(pool, dir, end);
        end++;
    }
    items_remove(dir, at, end - at);
    if (count > 0)
        chunk_erase(dir, at, 0, (uint32_t)count);
    /* The seam lies between at - 1 and at. */
    chunk_settle(pool, dir, limit, at);
    if (at > 0)
        chunk_settle(pool, dir, limit, at - 1);
}

void rg_list_dir_set(struct rg_pool *pool, struct rg_list_dir *dir,
                     const struct rg_list_limit *limit, uint64_t index,
                     const struct rg_element *element)
{
    uint32_t within = 0;
    uint32_t at = rg_list_dir_find(dir, index, &within);
    struct rg_list_chunk *chunk = chunk_at(dir, at);
    uint32_t offset = rg_list_chunk_seek(chunk, within);
    uint32_t end = rg_list_chunk_skip(chunk, offset);
    size_t size = rg_list_element_size(element);
    if (end - offset == size) {
        rg_element_write(chunk_own(dir, at)->data + offset, element);
        return;
    }
    if (chunk->count > 1 && rg_list_chunk_used(chunk) - (end - offset) + size <= limit->bytes &&
        chunk->count <= limit->count) {
        chunk = chunk_own(dir, at);
        chunk_take(dir, at);
        rg_list_chunk_erase(chunk, offset, end, 1);
        /* Which side moved is the chunk's matter: the place is found anew. */
        offset = rg_list_chunk_seek(chunk, within);
        chunk = rg_list_chunk_insert(pool, chunk, limit, offset, element);
        chunk_put(dir, at, chunk);
        return;
    }
    rg_list_dir_delete(pool, dir, limit, index, 1);
    rg_list_dir_insert(pool, dir, limit, index, element);
}

/* Chunks that are empty go, all in one pass. */
static void chunks_drop_empty(struct rg_pool *pool, struct rg_list_dir *dir)
{
    struct rg_list_item *first = dir->items + dir->head;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < dir->count; i++) {
        if (first[i].count > 0) {
            first[kept++] = first[i];
            continue;
        }
        chunk_take(dir, i);
        chunk_drop(pool, dir, i);
    }
    dir->count = kept;
    if (kept == 0)
        dir->head = 0;
}

uint64_t rg_list_dir_remove(struct rg_pool *pool, struct rg_list_dir *dir,
                            const struct rg_list_limit *limit, const struct rg_element *element,
                            enum rg_list_end from, uint64_t max)
{
    uint64_t removed = 0;
    for (uint32_t i = 0; i < dir->count && removed < max; i++) {
        uint32_t at = from == RG_LIST_HEAD ? i : dir->count - 1 - i;
        if (watch_seen(dir, rg_list_dir_item(dir, at)) != NULL &&
            !rg_list_chunk_has(chunk_at(dir, at), element))
            continue;
        struct rg_list_chunk *chunk = chunk_own(dir, at);
        chunk_take(dir, at);
        removed += rg_list_chunk_remove(chunk, element, max - removed, from == RG_LIST_TAIL);
        chunk_put(dir, at, chunk);
    }
    if (removed == 0)
        return 0;
    chunks_drop_empty(pool, dir);
    for (uint32_t at = dir->count; at-- > 0;)
        chunk_settle(pool, dir, limit, at);
    return removed;
}

/* ---- The whole list ---- */

void rg_list_dir_fini(struct rg_pool *pool, struct rg_list_dir *dir)
{
    uint64_t budget = UINT64_MAX;
    if (dir != NULL)
        rg_list_dir_free_step(pool, dir, &budget);
}

bool rg_list_dir_free_step(struct rg_pool *pool, struct rg_list_dir *dir, uint64_t *budget)
{
    RG_ASSERT(dir->watch == NULL);
    while (dir->count > 0) {
        if (*budget == 0)
            return false;
        struct rg_list_item *last = rg_list_dir_item(dir, dir->count - 1);
        uint64_t used = rg_pool_used(pool);
        rg_list_chunk_free(pool, last->chunk);
        dir->count--;
        rg_form_spend(budget, 1, pool, used);
    }
    items_free(pool, dir);
    return true;
}

struct rg_list_dir *rg_list_dir_copy(struct rg_pool *pool, const struct rg_list_dir *dir)
{
    struct rg_list_dir *copy = rg_pool_alloc(pool, sizeof(*copy));
    uint32_t cap = dir->count < 2 ? 2 : dir->count;
    *copy = (struct rg_list_dir){
        .items = rg_pool_alloc(pool, cap * sizeof(*copy->items)),
        .count = dir->count,
        .cap = cap,
    };
    for (uint32_t at = 0; at < dir->count; at++)
        chunk_put(copy, at, rg_list_chunk_copy(pool, chunk_at(dir, at)));
    return copy;
}

uint64_t rg_list_dir_memory(const struct rg_list_dir *dir)
{
    return rg_pool_cost(sizeof(*dir)) + rg_pool_cost(dir->cap * sizeof(*dir->items)) + dir->memory;
}

void rg_list_dir_check(const struct rg_list_dir *dir)
{
    uint64_t len = 0;
    uint64_t memory = 0;
    RG_ASSERT(dir->head + dir->count <= dir->cap);
    for (uint32_t at = 0; at < dir->count; at++) {
        const struct rg_list_item *item = rg_list_dir_item(dir, at);
        RG_ASSERT(item->count == item->chunk->count && item->count > 0);
        rg_list_chunk_check(item->chunk);
        len += item->count;
        memory += rg_list_chunk_memory(item->chunk);
    }
    RG_ASSERT(len == dir->len && memory == dir->memory);
}
