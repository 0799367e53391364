#ifndef RG_STORE_RANK_TREE_H
#define RG_STORE_RANK_TREE_H

#include "store/pool.h"
#include "store/zset_item.h"

/*
 * The order of a large sorted set: a B+-tree of items (store/zset_item.h) by score and then by the
 * member's bytes, whose inner nodes count what is below them, so that ranks are found on the way
 * down. Inner nodes hold the scores that part their children: a descent reads an item's bytes only
 * where scores are equal, and in the leaf.
 *
 * Items are borrowed. While one is in the tree its score changes by rg_rank_tree_rescore only.
 */
struct rg_rank_leaf;
struct rg_rank_watch;

struct rg_rank_tree {
    void *root;      /* a leaf where height is 0; NULL while empty */
    unsigned height; /* levels of inner nodes */
    uint64_t count;  /* items */
    struct rg_rank_leaf *first;
    struct rg_rank_leaf *last;
    uint64_t nodes_cost;         /* what the pool takes for the nodes */
    uint32_t watches;            /* so far */
    struct rg_rank_watch *watch; /* borrowed; NULL: nobody watches */
};

/* Zeroed is an empty tree. Frees the nodes; the tree is empty and ready. */
void rg_rank_tree_fini(struct rg_pool *pool, struct rg_rank_tree *tree);

/* No equal item is in the tree. */
void rg_rank_tree_insert(struct rg_pool *pool, struct rg_rank_tree *tree,
                         struct rg_zset_item *item);
/* The item is in the tree. */
void rg_rank_tree_remove(struct rg_pool *pool, struct rg_rank_tree *tree,
                         const struct rg_zset_item *item);
/* Gives an item that is in the tree another score, and its new place. */
void rg_rank_tree_rescore(struct rg_pool *pool, struct rg_rank_tree *tree,
                          struct rg_zset_item *item, double score);
/*
 * Removes items from rank (below count) on, up to max of them (at least 1), and hands them out. It
 * stops early where that is quicker, but takes one at least; returns how many.
 */
enum { RG_RANK_TREE_TAKE_MAX = 29 };
unsigned rg_rank_tree_take(struct rg_pool *pool, struct rg_rank_tree *tree, uint64_t rank,
                           uint64_t max, struct rg_zset_item *ret_items[RG_RANK_TREE_TAKE_MAX]);

/* The rank of an item that is in the tree. */
uint64_t rg_rank_tree_rank(const struct rg_rank_tree *tree, const struct rg_zset_item *item);
/* How many items have a score below `score`, or, with through, at most that. */
uint64_t rg_rank_tree_count_below(const struct rg_rank_tree *tree, double score, bool through);
/* The same by the bytes of members, in a tree whose scores are all equal. */
uint64_t rg_rank_tree_count_before(const struct rg_rank_tree *tree, struct rg_bytes member,
                                   bool through);

/* A place in the tree; holds until the tree changes. */
struct rg_rank_cursor {
    const struct rg_rank_leaf *leaf; /* NULL: beyond either end */
    unsigned index;
};
/* rank is below count. */
void rg_rank_cursor_init(struct rg_rank_cursor *cursor, const struct rg_rank_tree *tree,
                         uint64_t rank);
/* The item at the cursor, which then moves on, or back; NULL beyond the end. */
const struct rg_zset_item *rg_rank_cursor_next(struct rg_rank_cursor *cursor, bool backward);

/*
 * Shows all items that the tree has now, each once, while it goes on changing: a leaf's before its
 * first change, all others from the last one down as _watch_step is called. Items that come later
 * are not shown. What is shown does not change the tree.
 */
struct rg_rank_watch {
    void (*show)(void *arg, const struct rg_zset_item *item);
    void *arg;
    struct rg_rank_leaf *next; /* all leaves behind it have been shown */
};
/* One at a time; watch is the caller's and stays where it is until _watch_end. */
void rg_rank_watch_begin(struct rg_rank_tree *tree, struct rg_rank_watch *watch,
                         void (*show)(void *arg, const struct rg_zset_item *item), void *arg);
/* Shows about *budget items, which it counts down. True: all have been shown. */
bool rg_rank_watch_step(struct rg_rank_tree *tree, uint64_t *budget);
/* At any time. */
void rg_rank_watch_end(struct rg_rank_tree *tree);

/* Ends the process where the tree's own rules are broken. For tests. */
void rg_rank_tree_check(const struct rg_rank_tree *tree);

#endif
