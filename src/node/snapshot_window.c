#include "base/alloc.h"
#include "base/panic.h"
#include "node/snapshot.h"

/* Bytes of a snapshot that somebody, or the file itself, still has to take. */

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

void snapshot_window_init(struct snapshot_window *window, bool reserves)
{
    *window = (struct snapshot_window){.reserves = reserves};
    rg_list_init(&window->chunks);
    if (reserves)
        (void)rg_buf_reserve(&window->newest, WINDOW_CHUNK_BYTES);
}

void snapshot_window_fini(struct snapshot_window *window)
{
    while (!rg_list_empty(&window->chunks))
        window_chunk_free(window_chunk_of(window->chunks.next));
    rg_buf_fini(&window->newest);
}

void snapshot_window_close(struct snapshot_window *window)
{
    if (rg_buf_len(&window->newest) < WINDOW_CHUNK_BYTES)
        return;
    struct window_chunk *chunk = RG_NEW(struct window_chunk);
    chunk->start = window->newest_start;
    chunk->bytes = window->newest;
    rg_list_append(&window->chunks, &chunk->link);
    window->newest = (struct rg_buf){0};
    window->newest_start = window_chunk_end(chunk);
    if (window->reserves)
        (void)rg_buf_reserve(&window->newest, WINDOW_CHUNK_BYTES);
}

uint64_t snapshot_window_end(const struct snapshot_window *window)
{
    return window->newest_start + rg_buf_len(&window->newest);
}

uint64_t snapshot_window_closed(const struct snapshot_window *window)
{
    return window->newest_start;
}

struct rg_bytes snapshot_window_read(const struct snapshot_window *window, uint64_t at)
{
    RG_ASSERT(at >= window->start && at <= snapshot_window_end(window));
    const struct rg_buf *bytes = &window->newest;
    uint64_t start = window->newest_start;
    RG_LIST_EACH(link, &window->chunks)
    {
        const struct window_chunk *chunk = window_chunk_of(link);
        if (at >= window->newest_start || at >= window_chunk_end(chunk))
            continue;
        bytes = &chunk->bytes;
        start = chunk->start;
        break;
    }
    struct rg_bytes run = rg_buf_view(bytes);
    return rg_bytes(run.data + (at - start), run.len - (size_t)(at - start));
}

void snapshot_window_trim(struct snapshot_window *window, uint64_t position)
{
    while (!rg_list_empty(&window->chunks)) {
        struct window_chunk *chunk = window_chunk_of(window->chunks.next);
        if (window_chunk_end(chunk) > position)
            return;
        window->start = window_chunk_end(chunk);
        window_chunk_free(chunk);
    }
}
