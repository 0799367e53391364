#ifndef RG_CMD_SORT_ITEMS_H
#define RG_CMD_SORT_ITEMS_H

#include "cmd/cmd.h"

/* What SORT sorts, and by what. Private to the layer. */

/* Bytes that live as long as the command: integers that had to be written out. */
struct rg_sort_scraps {
    char **blocks; /* owned, each is owned */
    size_t count;
    size_t cap;
    size_t used; /* of the last block */
};

struct rg_sort_item {
    struct rg_bytes element;
    union {
        double score;
        struct rg_bytes text; /* data NULL: there is none */
    };
};

struct rg_sort_items {
    struct rg_sort_item *items; /* owned */
    uint64_t count;
    struct rg_sort_scraps scraps;
};

/* Which part of a collection is wanted. */
struct rg_sort_part {
    uint64_t start;
    uint64_t count;
    bool backward;
};

void rg_sort_items_fini(struct rg_sort_items *items);
/* Elements of a list, set or sorted set. */
uint64_t rg_sort_len(const struct rg_entry *entry);
/* Takes the elements of a part, in the collection's order. Errors: RG_ENOMEM. */
RG_MUST_USE int rg_sort_load(struct rg_sort_items *items, const struct rg_entry *entry,
                             const struct rg_sort_part *part);

/*
 * What a pattern of BY or GET means for an element: the element itself for "#", else the string of
 * the key, or the field of the hash, that it names with the element in the place of its first '*'.
 * False where there is none. An integer is written to scratch. Nothing is deleted.
 */
bool rg_sort_lookup(struct rg_cmd_ctx *ctx, struct rg_bytes pattern, struct rg_bytes element,
                    char scratch[RG_STRING_SCRATCH], struct rg_bytes *ret_value);

struct rg_sort_order {
    struct rg_bytes by; /* pattern; data NULL: the elements themselves */
    bool alpha;
    bool descending;
    bool unordered; /* the collection has no order of its own that could settle a tie */
};
/* Errors: RG_EINVAL (something is no number). */
RG_MUST_USE int rg_sort_items(struct rg_cmd_ctx *ctx, struct rg_sort_items *items,
                              const struct rg_sort_order *order);

#endif
