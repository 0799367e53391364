#ifndef RG_STORE_RANK_NODE_H
#define RG_STORE_RANK_NODE_H

#include "base/panic.h"
#include "store/zset_item.h"

/*
 * The nodes of a rank tree (store/rank_tree.h), and moving what they hold. A leaf is four cache
 * lines of items. Of an inner node a search reads the line or two of scores that it needs; what the
 * other arrays hold is read once per level.
 */
enum { RG_RANK_LEAF_ITEMS = 29, RG_RANK_INNER_CHILDREN = 31 };

struct rg_rank_leaf {
    struct rg_zset_item *items[RG_RANK_LEAF_ITEMS];
    struct rg_rank_leaf *prev; /* in the order of the tree; NULL at its ends */
    struct rg_rank_leaf *next;
    uint32_t count;
    uint32_t seen; /* by the watch of this number (rank_tree.h) */
};
_Static_assert(sizeof(struct rg_rank_leaf) == 256, "a leaf is four cache lines");

struct rg_rank_inner {
    _Alignas(64) double scores[RG_RANK_INNER_CHILDREN]; /* of the first item below the child */
    uint64_t count;
    uint64_t counts[RG_RANK_INNER_CHILDREN];
    void *nodes[RG_RANK_INNER_CHILDREN];
    struct rg_zset_item *firsts[RG_RANK_INNER_CHILDREN];
};
_Static_assert(sizeof(struct rg_rank_inner) == 1024, "what the pool aligns to cache lines");

/* What an inner node holds of a child. */
struct rg_rank_child {
    void *node;
    struct rg_zset_item *first;
    uint64_t count;
};

/* Of a node with at least one item. */
struct rg_rank_child rg_rank_leaf_child(struct rg_rank_leaf *leaf);
struct rg_rank_child rg_rank_inner_child(struct rg_rank_inner *inner);

/* The leaf has room. */
void rg_rank_leaf_insert(struct rg_rank_leaf *leaf, unsigned at, struct rg_zset_item *item);
void rg_rank_leaf_erase(struct rg_rank_leaf *leaf, unsigned at, unsigned count);
/* Moves the items of `from` from index `at` on to the end of `to`, which has room. */
void rg_rank_leaf_move(struct rg_rank_leaf *from, unsigned at, struct rg_rank_leaf *to);

/* Moves items between neighbours so that the left one has left_count of them. */
void rg_rank_leaf_level(struct rg_rank_leaf *left, struct rg_rank_leaf *right, unsigned left_count);

void rg_rank_inner_set(struct rg_rank_inner *inner, unsigned at, struct rg_rank_child child);
/* The node has room. */
void rg_rank_inner_insert(struct rg_rank_inner *inner, unsigned at, struct rg_rank_child child);
void rg_rank_inner_erase(struct rg_rank_inner *inner, unsigned at);
/* As rg_rank_leaf_move. */
void rg_rank_inner_move(struct rg_rank_inner *from, unsigned at, struct rg_rank_inner *to);

#endif
