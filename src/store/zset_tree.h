#ifndef RG_STORE_ZSET_TREE_H
#define RG_STORE_ZSET_TREE_H

#include "store/rank_tree.h"
#include "store/table.h"

/* A large sorted set: items that it owns, in a table by member and in a tree by rank. */
struct rg_zset_tree {
    struct rg_table table;
    struct rg_rank_tree order;
    uint64_t items_cost;
};

struct rg_zset_tree *rg_zset_tree_new(struct rg_pool *pool, uint64_t seed);
struct rg_zset_tree *rg_zset_tree_copy(struct rg_pool *pool, const struct rg_zset_tree *zset);
/* NULL is allowed. */
void rg_zset_tree_free(struct rg_zset_tree *zset);
/* As rg_form_ops.free_step. */
bool rg_zset_tree_free_step(struct rg_zset_tree *zset, uint64_t *budget);
size_t rg_zset_tree_memory(const struct rg_zset_tree *zset);

/* The item, or NULL. */
struct rg_zset_item *rg_zset_tree_find(const struct rg_zset_tree *zset, struct rg_bytes member);
/* True where the member is new. */
bool rg_zset_tree_set(struct rg_zset_tree *zset, struct rg_bytes member, double score);
bool rg_zset_tree_remove(struct rg_zset_tree *zset, struct rg_bytes member);
/* Removes count members from rank on; both lie within the set. */
void rg_zset_tree_remove_ranks(struct rg_zset_tree *zset, uint64_t rank, uint64_t count);

#endif
