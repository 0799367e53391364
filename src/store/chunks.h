#ifndef RG_STORE_CHUNKS_H
#define RG_STORE_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Chunks of 64 KiB, aligned to their size, cut from arenas of 2 MiB that come from the system. A
 * few that were given back are kept as they are, the memory of others goes back at once, and an
 * arena that has no chunk in use goes back whole.
 */
enum { RG_CHUNK_BYTES = 1 << 16, RG_CHUNKS_KEPT = 4 };

struct rg_arena;

struct rg_chunks {
    struct rg_arena *arenas; /* owned, those with chunks to hand out first */
    struct rg_arena *last;
    struct {
        void *chunk;
        struct rg_arena *arena;
    } kept[RG_CHUNKS_KEPT];
    unsigned kept_count;
    uint64_t used;     /* chunks handed out */
    uint64_t released; /* so far, to the system */
};

void rg_chunks_init(struct rg_chunks *chunks);
/* Gives everything back to the system, whether it was given back or not. */
void rg_chunks_fini(struct rg_chunks *chunks);
/* Not zeroed; NULL where there is no memory. The arena is what rg_chunks_give wants to know. */
void *rg_chunks_take(struct rg_chunks *chunks, struct rg_arena **ret_arena);
void rg_chunks_give(struct rg_chunks *chunks, void *chunk, struct rg_arena *arena);
/* The kept ones go back as well. */
void rg_chunks_trim(struct rg_chunks *chunks);

#endif
