#include "store/chunks.h"

#include <stdbool.h>

#include "base/alloc.h"
#include "base/pages.h"
#include "base/panic.h"

enum { ARENA_CHUNKS = 32, ARENA_BYTES = ARENA_CHUNKS * RG_CHUNK_BYTES };

struct rg_arena {
    struct rg_arena *prev;
    struct rg_arena *next;
    char *base;
    uint32_t free; /* a bit per chunk */
};

/* ---- The list of arenas: any with a free chunk come before all without ---- */

static void arena_unlink(struct rg_chunks *chunks, struct rg_arena *arena)
{
    *(arena->prev != NULL ? &arena->prev->next : &chunks->arenas) = arena->next;
    *(arena->next != NULL ? &arena->next->prev : &chunks->last) = arena->prev;
}

static void arena_link_first(struct rg_chunks *chunks, struct rg_arena *arena)
{
    arena->prev = NULL;
    arena->next = chunks->arenas;
    *(arena->next != NULL ? &arena->next->prev : &chunks->last) = arena;
    chunks->arenas = arena;
}

static void arena_link_last(struct rg_chunks *chunks, struct rg_arena *arena)
{
    arena->next = NULL;
    arena->prev = chunks->last;
    *(arena->prev != NULL ? &arena->prev->next : &chunks->arenas) = arena;
    chunks->last = arena;
}

static struct rg_arena *arena_new(struct rg_chunks *chunks)
{
    char *base = rg_pages_map(ARENA_BYTES, ARENA_BYTES);
    if (base == NULL)
        return NULL;
    struct rg_arena *arena = RG_NEW(struct rg_arena);
    arena->base = base;
    arena->free = UINT32_MAX;
    arena_link_first(chunks, arena);
    return arena;
}

static void arena_free(struct rg_chunks *chunks, struct rg_arena *arena)
{
    arena_unlink(chunks, arena);
    rg_pages_unmap(arena->base, ARENA_BYTES);
    rg_free(arena);
}

/* ---- Chunks ---- */

void rg_chunks_init(struct rg_chunks *chunks)
{
    *chunks = (struct rg_chunks){0};
}

void rg_chunks_fini(struct rg_chunks *chunks)
{
    while (chunks->arenas != NULL)
        arena_free(chunks, chunks->arenas);
    rg_chunks_init(chunks);
}

void *rg_chunks_take(struct rg_chunks *chunks, struct rg_arena **ret_arena)
{
    if (chunks->kept_count > 0) {
        chunks->kept_count--;
        chunks->used++;
        *ret_arena = chunks->kept[chunks->kept_count].arena;
        return chunks->kept[chunks->kept_count].chunk;
    }
    struct rg_arena *arena = chunks->arenas;
    if (arena == NULL || arena->free == 0)
        arena = arena_new(chunks);
    if (arena == NULL)
        return NULL;
    unsigned index = (unsigned)__builtin_ctz(arena->free);
    arena->free &= arena->free - 1;
    if (arena->free == 0) {
        arena_unlink(chunks, arena);
        arena_link_last(chunks, arena);
    }
    chunks->used++;
    *ret_arena = arena;
    return arena->base + (size_t)index * RG_CHUNK_BYTES;
}

/* The chunk is free for good; its memory, or its arena's, goes back to the system. */
static void chunk_release(struct rg_chunks *chunks, char *chunk, struct rg_arena *arena)
{
    uint32_t bit = UINT32_C(1) << (size_t)(chunk - arena->base) / RG_CHUNK_BYTES;
    RG_ASSERT((arena->free & bit) == 0);
    if (arena->free == 0) {
        arena_unlink(chunks, arena);
        arena_link_first(chunks, arena);
    }
    arena->free |= bit;
    chunks->released++;
    if (arena->free == UINT32_MAX)
        arena_free(chunks, arena);
    else
        rg_pages_discard(chunk, RG_CHUNK_BYTES);
}

void rg_chunks_give(struct rg_chunks *chunks, void *chunk, struct rg_arena *arena)
{
    RG_ASSERT(chunks->used > 0);
    chunks->used--;
    if (chunks->kept_count == RG_CHUNKS_KEPT) {
        chunk_release(chunks, chunk, arena);
        return;
    }
    chunks->kept[chunks->kept_count].chunk = chunk;
    chunks->kept[chunks->kept_count].arena = arena;
    chunks->kept_count++;
}

void rg_chunks_trim(struct rg_chunks *chunks)
{
    while (chunks->kept_count > 0) {
        chunks->kept_count--;
        chunk_release(chunks, chunks->kept[chunks->kept_count].chunk,
                      chunks->kept[chunks->kept_count].arena);
    }
}
