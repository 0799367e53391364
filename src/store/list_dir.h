#ifndef RG_STORE_LIST_DIR_H
#define RG_STORE_LIST_DIR_H

#include "store/list_chunk.h"

/*
 * A list of many chunks: a directory of them with the number of elements in each, so that a
 * position is found by adding up a few of the directory's cache lines. The directory has room at
 * both sides as well.
 */
struct rg_list_item {
    struct rg_list_chunk *chunk; /* owned */
    uint32_t count;              /* the chunk's */
    uint32_t shared; /* while a watch is on: its number in what is to be shown, from 1; 0: none */
};

struct rg_list_dir {
    uint64_t len;               /* elements of all chunks */
    uint64_t memory;            /* of all chunks */
    struct rg_list_item *items; /* owned, unless cap is 1: then they are the caller's */
    uint32_t head;              /* index in items of the first */
    uint32_t count;             /* chunks; none of them is empty */
    uint32_t cap;
    struct rg_list_watch *watch; /* borrowed; NULL: nobody watches */
};

/* NULL is allowed. Frees the chunks and the items, not the directory itself. */
void rg_list_dir_fini(struct rg_pool *pool, struct rg_list_dir *dir);
struct rg_list_dir *rg_list_dir_copy(struct rg_pool *pool, const struct rg_list_dir *dir);
/* As rg_form_ops.free_step, of chunks, but for the directory itself. */
bool rg_list_dir_free_step(struct rg_pool *pool, struct rg_list_dir *dir, uint64_t *budget);
uint64_t rg_list_dir_memory(const struct rg_list_dir *dir);

static inline struct rg_list_item *rg_list_dir_item(const struct rg_list_dir *dir, uint32_t at)
{
    return &dir->items[dir->head + at];
}

/* The chunk that holds a position below len; *ret_within is the element's index in it. */
uint32_t rg_list_dir_find(const struct rg_list_dir *dir, uint64_t index, uint32_t *ret_within);

/* element lies outside the list. */
void rg_list_dir_push(struct rg_pool *pool, struct rg_list_dir *dir,
                      const struct rg_list_limit *limit, enum rg_list_end end,
                      const struct rg_element *element);
/* Puts `count` exact elements behind the last one. */
void rg_list_dir_append_run(struct rg_pool *pool, struct rg_list_dir *dir,
                            const struct rg_list_limit *limit, struct rg_bytes run, uint32_t count);
/* index is at most len. */
void rg_list_dir_insert(struct rg_pool *pool, struct rg_list_dir *dir,
                        const struct rg_list_limit *limit, uint64_t index,
                        const struct rg_element *element);
/* Replaces the element at an index below len. */
void rg_list_dir_set(struct rg_pool *pool, struct rg_list_dir *dir,
                     const struct rg_list_limit *limit, uint64_t index,
                     const struct rg_element *element);
void rg_list_dir_delete(struct rg_pool *pool, struct rg_list_dir *dir,
                        const struct rg_list_limit *limit, uint64_t index, uint64_t count);
/* Takes out up to max equal elements, from the head or the tail on; returns how many. */
uint64_t rg_list_dir_remove(struct rg_pool *pool, struct rg_list_dir *dir,
                            const struct rg_list_limit *limit, const struct rg_element *element,
                            enum rg_list_end from, uint64_t max);

/*
 * Shows all chunks that the list has now, from head to tail, while it goes on changing: the
 * directory is noted down, and a chunk that is about to change before its turn is left to the
 * watch, and the list goes on with a copy of it. So what is held twice is what changed.
 */
struct rg_list_watch {
    void (*show)(void *arg, struct rg_bytes run, uint32_t count);
    void *arg;
    struct rg_pool *pool;
    struct rg_list_dir *dir; /* borrowed; NULL: it is gone, and all that is left is owned */
    struct rg_list_seen {
        struct rg_list_chunk *chunk;
        bool owned; /* the list has it no more */
    } * chunks;     /* owned */
    uint32_t count;
    uint32_t next;       /* all chunks before it have been shown */
    uint64_t held_bytes; /* memory of what is owned */
};
/* One at a time; watch is the caller's and stays where it is until _watch_end. */
void rg_list_watch_begin(struct rg_pool *pool, struct rg_list_dir *dir, struct rg_list_watch *watch,
                         void (*show)(void *arg, struct rg_bytes run, uint32_t count), void *arg);
/* Shows chunks until *budget, which each of them counts down by about its elements, is used up.
 * True: all have been shown. */
bool rg_list_watch_step(struct rg_list_watch *watch, uint64_t *budget);
/* At any time. */
void rg_list_watch_end(struct rg_list_watch *watch);
/*
 * The directory is about to go, but for the one chunk that it may have left and that stays where
 * it is, or a copy of it.
 */
void rg_list_dir_unwatch(struct rg_list_dir *dir);

/* Panics where the directory and its chunks do not agree. */
void rg_list_dir_check(const struct rg_list_dir *dir);

#endif
