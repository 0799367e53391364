#include "base/alloc.h"
#include "base/panic.h"
#include "node/snapshot.h"

/* The part of a snapshot's bytes that somebody still has to take, in chunks. */

enum { WINDOW_CHUNK_BYTES = 256 * 1024 };

struct window_chunk {
    struct rg_list link;
    uint64_t start;
    struct rg_buf bytes;
};

static struct window_chunk *window_chunk_of(struct rg_list *link)
{
    return RG_CONTAINER_OF(link, struct window_chunk, link);
}

static uint64_t window_chunk_end(const struct window_chunk *chunk)
{
    return chunk->start + rg_buf_len(&chunk->bytes);
}

static void window_chunk_free(struct window_chunk *chunk)
{
    rg_list_remove(&chunk->link);
    rg_buf_fini(&chunk->bytes);
    rg_free(chunk);
}

void snapshot_window_init(struct rg_snapshot *snapshot)
{
    rg_list_init(&snapshot->chunks);
    (void)rg_buf_reserve(&snapshot->newest, WINDOW_CHUNK_BYTES);
}

void snapshot_window_fini(struct rg_snapshot *snapshot)
{
    while (!rg_list_empty(&snapshot->chunks))
        window_chunk_free(window_chunk_of(snapshot->chunks.next));
    rg_buf_fini(&snapshot->newest);
}

void snapshot_window_close(struct rg_snapshot *snapshot)
{
    if (rg_buf_len(&snapshot->newest) < WINDOW_CHUNK_BYTES)
        return;
    struct window_chunk *chunk = RG_NEW(struct window_chunk);
    chunk->start = snapshot->newest_start;
    chunk->bytes = snapshot->newest;
    rg_list_append(&snapshot->chunks, &chunk->link);
    snapshot->newest = (struct rg_buf){0};
    snapshot->newest_start = window_chunk_end(chunk);
    (void)rg_buf_reserve(&snapshot->newest, WINDOW_CHUNK_BYTES);
}

uint64_t snapshot_window_end(const struct rg_snapshot *snapshot)
{
    return snapshot->newest_start + rg_buf_len(&snapshot->newest);
}

uint64_t snapshot_window_closed(const struct rg_snapshot *snapshot)
{
    return snapshot->newest_start;
}

struct rg_bytes snapshot_window_read(const struct rg_snapshot *snapshot, uint64_t at)
{
    RG_ASSERT(at >= snapshot->start && at <= snapshot_window_end(snapshot));
    const struct rg_buf *bytes = &snapshot->newest;
    uint64_t start = snapshot->newest_start;
    RG_LIST_EACH(link, &snapshot->chunks)
    {
        const struct window_chunk *chunk = window_chunk_of(link);
        if (at >= snapshot->newest_start || at >= window_chunk_end(chunk))
            continue;
        bytes = &chunk->bytes;
        start = chunk->start;
        break;
    }
    struct rg_bytes run = rg_buf_view(bytes);
    return rg_bytes(run.data + (at - start), run.len - (size_t)(at - start));
}

void snapshot_window_trim(struct rg_snapshot *snapshot, uint64_t position)
{
    while (!rg_list_empty(&snapshot->chunks)) {
        struct window_chunk *chunk = window_chunk_of(snapshot->chunks.next);
        if (window_chunk_end(chunk) > position)
            return;
        snapshot->start = window_chunk_end(chunk);
        window_chunk_free(chunk);
    }
}
