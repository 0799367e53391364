#include "log/backlog.h"

#include "base/alloc.h"
#include "base/panic.h"

/* A chunk is a part of the limit, so that a short backlog is as short as it was asked to be. */
enum { BACKLOG_LEAST_SHIFT = 8, BACKLOG_MOST_SHIFT = 14, BACKLOG_CHUNKS = 4 };

/* Every chunk but the last is full, so an offset leads to its chunk by a shift. */
struct rg_backlog {
    char **chunks; /* owned array of owned chunks; those in use are [head, head + count) */
    size_t head;
    size_t count;
    size_t cap;
    uint64_t start; /* offset of the first byte of the first chunk */
    uint64_t end;
    uint64_t limit_bytes;
    unsigned shift; /* a chunk has 2^shift bytes */
};

static unsigned backlog_shift(uint64_t limit_bytes)
{
    unsigned shift = BACKLOG_LEAST_SHIFT;

    while (shift < BACKLOG_MOST_SHIFT && (uint64_t)BACKLOG_CHUNKS << shift < limit_bytes)
        shift++;
    return shift;
}

struct rg_backlog *rg_backlog_new(uint64_t start, uint64_t limit_bytes)
{
    struct rg_backlog *backlog = RG_NEW(struct rg_backlog);
    backlog->start = start;
    backlog->end = start;
    backlog->limit_bytes = limit_bytes;
    backlog->shift = backlog_shift(limit_bytes);
    return backlog;
}

static size_t backlog_chunk(const struct rg_backlog *backlog)
{
    return (size_t)1 << backlog->shift;
}

static void backlog_drop_chunks(struct rg_backlog *backlog)
{
    for (size_t i = 0; i < backlog->count; i++)
        rg_free(backlog->chunks[backlog->head + i]);
    rg_free(backlog->chunks);
}

void rg_backlog_free(struct rg_backlog *backlog)
{
    if (backlog == NULL)
        return;
    backlog_drop_chunks(backlog);
    rg_free(backlog);
}

static void backlog_add_chunk(struct rg_backlog *backlog)
{
    if (backlog->head + backlog->count == backlog->cap) {
        if (backlog->head > backlog->count) {
            memcpy(backlog->chunks, backlog->chunks + backlog->head,
                   backlog->count * sizeof(char *));
            backlog->head = 0;
        } else {
            backlog->cap = backlog->cap == 0 ? 8 : backlog->cap * 2;
            backlog->chunks = rg_realloc(backlog->chunks, backlog->cap * sizeof(char *));
        }
    }
    backlog->chunks[backlog->head + backlog->count++] = rg_alloc(backlog_chunk(backlog));
}

void rg_backlog_append(struct rg_backlog *backlog, struct rg_bytes bytes)
{
    size_t chunk = backlog_chunk(backlog);

    while (bytes.len > 0) {
        uint64_t held = backlog->end - backlog->start;
        if (held == (uint64_t)backlog->count << backlog->shift)
            backlog_add_chunk(backlog);
        size_t used = (size_t)held & (chunk - 1);
        size_t n = chunk - used;
        if (n > bytes.len)
            n = bytes.len;
        memcpy(backlog->chunks[backlog->head + backlog->count - 1] + used, bytes.data, n);
        backlog->end += n;
        bytes = rg_bytes(bytes.data + n, bytes.len - n);
    }
}

uint64_t rg_backlog_start(const struct rg_backlog *backlog)
{
    return backlog->start;
}

uint64_t rg_backlog_end(const struct rg_backlog *backlog)
{
    return backlog->end;
}

struct rg_bytes rg_backlog_read(const struct rg_backlog *backlog, uint64_t offset)
{
    RG_ASSERT(offset >= backlog->start && offset <= backlog->end);
    if (offset == backlog->end)
        return RG_BYTES("");
    uint64_t at = offset - backlog->start;
    size_t chunk = backlog_chunk(backlog);
    size_t inside = (size_t)at & (chunk - 1);
    uint64_t n = backlog->end - offset;
    if (n > chunk - inside)
        n = chunk - inside;
    return rg_bytes(backlog->chunks[backlog->head + (at >> backlog->shift)] + inside, (size_t)n);
}

void rg_backlog_trim(struct rg_backlog *backlog, uint64_t keep_from)
{
    size_t chunk = backlog_chunk(backlog);

    while (backlog->end - backlog->start >= chunk) {
        uint64_t next = backlog->start + chunk;
        if (next > keep_from || backlog->end - next < backlog->limit_bytes)
            return;
        rg_free(backlog->chunks[backlog->head]);
        backlog->head++;
        backlog->count--;
        backlog->start = next;
    }
}

void rg_backlog_set_limit(struct rg_backlog *backlog, uint64_t limit_bytes)
{
    struct rg_backlog other = {
        .start = backlog->start,
        .end = backlog->start,
        .limit_bytes = limit_bytes,
        .shift = backlog_shift(limit_bytes),
    };

    backlog->limit_bytes = limit_bytes;
    if (other.shift <= backlog->shift)
        return;
    /* A long one in short chunks would be costly to read: what a short one held moves. */
    while (other.end < backlog->end)
        rg_backlog_append(&other, rg_backlog_read(backlog, other.end));
    backlog_drop_chunks(backlog);
    *backlog = other;
}

uint64_t rg_backlog_limit(const struct rg_backlog *backlog)
{
    return backlog->limit_bytes;
}

uint64_t rg_backlog_memory(const struct rg_backlog *backlog)
{
    return sizeof(*backlog) + backlog->cap * sizeof(char *) +
           ((uint64_t)backlog->count << backlog->shift);
}
