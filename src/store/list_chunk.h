#ifndef RG_STORE_LIST_CHUNK_H
#define RG_STORE_LIST_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/element.h"
#include "store/list.h"
#include "store/pool.h"

/*
 * A run of a list's elements in one allocation, with room at either side of them, so that both ends
 * grow and shrink without moving what is there. It is a run as base/element.h has it, each element
 * with its back size.
 *
 * Functions that change a chunk may move it and return where it is then.
 */
struct rg_list_chunk {
    uint32_t count; /* elements */
    uint32_t cap;   /* bytes of data */
    uint32_t head;  /* offset of the first element */
    uint32_t tail;  /* offset behind the last one */
    char data[];
};

/* What a chunk may grow to. A larger element has a chunk of its own. */
struct rg_list_limit {
    uint32_t bytes;
    uint32_t count;
};
/* Of the directive list-max-listpack-size. */
struct rg_list_limit rg_list_limit(int64_t directive);

/* Bytes of an element in a chunk. */
size_t rg_list_element_size(const struct rg_element *element);

/* Its elements, as they lie. */
static inline struct rg_bytes rg_list_chunk_run(const struct rg_list_chunk *chunk)
{
    return rg_bytes(chunk->data + chunk->head, chunk->tail - chunk->head);
}

static inline uint32_t rg_list_chunk_used(const struct rg_list_chunk *chunk)
{
    return chunk->tail - chunk->head;
}

/* Empty, with room for cap bytes. */
struct rg_list_chunk *rg_list_chunk_new(struct rg_pool *pool, size_t cap);
/* NULL is allowed. */
void rg_list_chunk_free(struct rg_pool *pool, struct rg_list_chunk *chunk);
struct rg_list_chunk *rg_list_chunk_copy(struct rg_pool *pool, const struct rg_list_chunk *chunk);
/* The same with its room, so that all offsets hold in it as well. */
struct rg_list_chunk *rg_list_chunk_clone(struct rg_pool *pool, const struct rg_list_chunk *chunk);
size_t rg_list_chunk_memory(const struct rg_list_chunk *chunk);

/* Reads the element at an offset below the tail; returns the offset behind it. The text is a view
 * of the chunk, or of scratch. */
uint32_t rg_list_chunk_next(const struct rg_list_chunk *chunk, uint32_t offset,
                            char scratch[RG_I64_CHARS], struct rg_bytes *ret_element);
/* Reads the element before an offset above the head; returns its offset. */
uint32_t rg_list_chunk_prev(const struct rg_list_chunk *chunk, uint32_t offset,
                            char scratch[RG_I64_CHARS], struct rg_bytes *ret_element);
/* The same without reading. */
uint32_t rg_list_chunk_skip(const struct rg_list_chunk *chunk, uint32_t offset);
uint32_t rg_list_chunk_skip_back(const struct rg_list_chunk *chunk, uint32_t offset);
/* The offset of an element; of index count the tail. */
uint32_t rg_list_chunk_seek(const struct rg_list_chunk *chunk, uint32_t index);

/*
 * Whether an element may be put at the offset. At an end false also where the room of that side is
 * used up and the chunk is so full that it would have to move too much.
 */
bool rg_list_chunk_takes(const struct rg_list_chunk *chunk, const struct rg_list_limit *limit,
                         uint32_t offset, size_t size);
/* rg_list_chunk_takes must hold, or the chunk is empty. element lies outside the chunk. */
struct rg_list_chunk *rg_list_chunk_insert(struct rg_pool *pool, struct rg_list_chunk *chunk,
                                           const struct rg_list_limit *limit, uint32_t offset,
                                           const struct rg_element *element);
/* Puts `count` elements behind the last one; they are exact, and lie outside the chunk. What the
 * limit says matters only to how the chunk grows. */
struct rg_list_chunk *rg_list_chunk_append_run(struct rg_pool *pool, struct rg_list_chunk *chunk,
                                               const struct rg_list_limit *limit,
                                               struct rg_bytes run, uint32_t count);
/* Takes out `count` elements, which lie between the offsets. */
void rg_list_chunk_erase(struct rg_list_chunk *chunk, uint32_t from, uint32_t to, uint32_t count);
/*
 * Takes out up to max elements that are equal to this one, the nearest to the head first, or to the
 * tail. Returns how many there were.
 */
uint32_t rg_list_chunk_remove(struct rg_list_chunk *chunk, const struct rg_element *element,
                              uint64_t max, bool backward);

/* Whether an element is equal to this one. */
bool rg_list_chunk_has(const struct rg_list_chunk *chunk, const struct rg_element *element);

/* Moves what lies from the offset on, `count` elements, into a new chunk, which is returned. */
struct rg_list_chunk *rg_list_chunk_split(struct rg_pool *pool, struct rg_list_chunk *chunk,
                                          uint32_t offset, uint32_t count);
/* Appends all of right, which is freed. */
struct rg_list_chunk *rg_list_chunk_join(struct rg_pool *pool, struct rg_list_chunk *chunk,
                                         struct rg_list_chunk *right);
/* Gives back room that is much more than what is used. */
struct rg_list_chunk *rg_list_chunk_trim(struct rg_pool *pool, struct rg_list_chunk *chunk);

/* Panics where the chunk is not whole. */
void rg_list_chunk_check(const struct rg_list_chunk *chunk);

#endif
