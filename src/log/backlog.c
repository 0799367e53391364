#include "log/backlog.h"

#include "base/alloc.h"
#include "base/panic.h"

enum { BACKLOG_CHUNK = 16 * 1024 };

/* Every chunk but the last is full, so an offset leads to its chunk by a division. */
struct rg_backlog {
    char **chunks; /* owned array of owned chunks; those in use are [head, head + count) */
    size_t head;
    size_t count;
    size_t cap;
    uint64_t start; /* offset of the first byte of the first chunk */
    uint64_t end;
    uint64_t limit_bytes;
};

struct rg_backlog *rg_backlog_new(uint64_t start, uint64_t limit_bytes)
{
    struct rg_backlog *backlog = RG_NEW(struct rg_backlog);
    backlog->start = start;
    backlog->end = start;
    backlog->limit_bytes = limit_bytes;
    return backlog;
}

void rg_backlog_free(struct rg_backlog *backlog)
{
    if (backlog == NULL)
        return;
    for (size_t i = 0; i < backlog->count; i++)
        rg_free(backlog->chunks[backlog->head + i]);
    rg_free(backlog->chunks);
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
    backlog->chunks[backlog->head + backlog->count++] = rg_alloc(BACKLOG_CHUNK);
}

void rg_backlog_append(struct rg_backlog *backlog, struct rg_bytes bytes)
{
    while (bytes.len > 0) {
        uint64_t held = backlog->end - backlog->start;
        if (held == (uint64_t)backlog->count * BACKLOG_CHUNK)
            backlog_add_chunk(backlog);
        size_t used = (size_t)(held % BACKLOG_CHUNK);
        size_t n = BACKLOG_CHUNK - used;
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
    size_t inside = (size_t)(at % BACKLOG_CHUNK);
    uint64_t n = backlog->end - offset;
    if (n > BACKLOG_CHUNK - inside)
        n = BACKLOG_CHUNK - inside;
    return rg_bytes(backlog->chunks[backlog->head + at / BACKLOG_CHUNK] + inside, (size_t)n);
}

void rg_backlog_trim(struct rg_backlog *backlog, uint64_t keep_from)
{
    while (backlog->end - backlog->start >= BACKLOG_CHUNK) {
        uint64_t next = backlog->start + BACKLOG_CHUNK;
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
    backlog->limit_bytes = limit_bytes;
}

uint64_t rg_backlog_limit(const struct rg_backlog *backlog)
{
    return backlog->limit_bytes;
}

uint64_t rg_backlog_memory(const struct rg_backlog *backlog)
{
    return sizeof(*backlog) + backlog->cap * sizeof(char *) +
           (uint64_t)backlog->count * BACKLOG_CHUNK;
}
