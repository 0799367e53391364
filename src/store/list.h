#ifndef RG_STORE_LIST_H
#define RG_STORE_LIST_H

#include "store/store.h"

/*
 * Lists of byte strings. Positions are signed as in Redis' commands: 0 is the head, -1 the tail. An
 * empty list does not stay: the caller deletes the entry.
 *
 * Integers are kept as numbers, so that an element may have to be written out first: into the
 * caller's scratch, or the walk's own. Views are valid until the entry, or that scratch, changes:
 * what a walk shows is gone with its next step.
 */
enum rg_list_end { RG_LIST_HEAD, RG_LIST_TAIL };

/* The longest element that a list takes. */
#define RG_LIST_ELEMENT_MAX ((size_t)UINT32_MAX - 64)

/* Creates an empty one under a key that is free. */
struct rg_entry *rg_db_put_list(struct rg_db *db, struct rg_bytes key);
uint64_t rg_list_len(const struct rg_entry *entry);
/* element lies outside the list. */
void rg_list_push(struct rg_db *db, struct rg_entry **entry, enum rg_list_end end,
                  struct rg_bytes element);
/*
 * Pushes at the tail, all at once, `count` elements that are a run (base/element.h) with back
 * sizes, each with the only code for its text.
 */
void rg_list_append_run(struct rg_db *db, struct rg_entry **entry, struct rg_bytes run,
                        uint32_t count);
/* False where there is no such position. */
bool rg_list_get(const struct rg_entry *entry, int64_t index, char scratch[RG_STRING_SCRATCH],
                 struct rg_bytes *ret_element);
/* Replaces an element; false where there is no such position. element lies outside the list. */
bool rg_list_set(struct rg_db *db, struct rg_entry **entry, int64_t index, struct rg_bytes element);
/* Puts it before the element that is at index, which is in [0, len]; len appends. */
void rg_list_insert(struct rg_db *db, struct rg_entry **entry, uint64_t index,
                    struct rg_bytes element);
/* Removes count elements from index on; both lie within the list. */
void rg_list_delete(struct rg_db *db, struct rg_entry **entry, uint64_t index, uint64_t count);

/*
 * Removes up to max elements that are equal to this one, from the head on or from the tail; returns
 * how many there were. element lies outside the list.
 */
uint64_t rg_list_delete_equal(struct rg_db *db, struct rg_entry **entry, struct rg_bytes element,
                              enum rg_list_end from, uint64_t max);

/* Walks from a position (in [0, len)) towards the tail, or towards the head. */
struct rg_list_iter {
    const struct rg_entry *entry;
    bool backward;
    uint64_t position[4]; /* the list's own */
    char scratch[RG_STRING_SCRATCH];
};
void rg_list_iter_init(struct rg_list_iter *iter, const struct rg_entry *entry, uint64_t index,
                       bool backward);
bool rg_list_iter_next(struct rg_list_iter *iter, struct rg_bytes *ret_element);

/* How many runs of elements it lies in. */
uint64_t rg_list_chunks(const struct rg_entry *entry);
/* Panics where the list's parts do not agree; for tests. */
void rg_list_check(const struct rg_entry *entry);

#endif
