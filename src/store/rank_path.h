#ifndef RG_STORE_RANK_PATH_H
#define RG_STORE_RANK_PATH_H

#include "store/rank_node.h"
#include "store/rank_tree.h"

/* The way from a rank tree's root down to a place in a leaf. Private to the tree. */

/* Far more than memory holds: a level has three children a node where it has the fewest. */
enum { RG_RANK_MAX_HEIGHT = 24 };

struct rg_rank_path {
    struct rg_rank_inner *inner[RG_RANK_MAX_HEIGHT]; /* from the root on */
    unsigned slots[RG_RANK_MAX_HEIGHT];              /* which child is next */
    unsigned height;
    struct rg_rank_leaf *leaf;
    unsigned index; /* in the leaf; may be its count */
    uint64_t rank;  /* of that place */
};

/* What is looked for: the first place where what is to the left is before this. */
struct rg_rank_key {
    double score;
    struct rg_bytes member;
    bool by_score;
    bool by_member;
    bool through; /* an equal item is before it too */
};

/* The tree is not empty. The leaf of the path holds an item before the key, if there is one. */
void rg_rank_path_find(struct rg_rank_path *path, const struct rg_rank_tree *tree,
                       const struct rg_rank_key *key);
/* Behind the item, which is in the tree: it is at index - 1. */
void rg_rank_path_find_item(struct rg_rank_path *path, const struct rg_rank_tree *tree,
                            const struct rg_zset_item *item);
/* To the item of a rank, which is below the tree's count. */
void rg_rank_path_find_rank(struct rg_rank_path *path, const struct rg_rank_tree *tree,
                            uint64_t rank);

#endif
