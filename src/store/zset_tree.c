#include "store/zset_tree.h"

#include "base/panic.h"
#include "store/form.h"

static struct rg_bytes item_key(const void *item)
{
    return rg_zset_item_member(item);
}

static struct rg_zset_item *item_new(struct rg_zset_tree *zset, double score,
                                     struct rg_bytes member)
{
    size_t size = rg_zset_item_size(member);
    struct rg_zset_item *item = rg_pool_alloc(zset->table.pool, size);
    zset->items_cost += rg_pool_cost(size);
    rg_zset_item_write(item, score, member);
    return item;
}

static void item_free(struct rg_zset_tree *zset, struct rg_zset_item *item)
{
    size_t size = rg_zset_item_size(rg_zset_item_member(item));
    zset->items_cost -= rg_pool_cost(size);
    rg_pool_free(zset->table.pool, item, size);
}

struct rg_zset_tree *rg_zset_tree_new(struct rg_pool *pool, uint64_t seed)
{
    struct rg_zset_tree *zset = rg_pool_alloc(pool, sizeof(*zset));
    *zset = (struct rg_zset_tree){0};
    rg_table_init(&zset->table, pool, seed, item_key);
    return zset;
}

struct rg_zset_tree *rg_zset_tree_copy(struct rg_pool *pool, const struct rg_zset_tree *zset)
{
    struct rg_zset_tree *copy = rg_zset_tree_new(pool, zset->table.seed);
    struct rg_rank_cursor cursor;
    const struct rg_zset_item *item = NULL;
    if (zset->order.count == 0)
        return copy;
    rg_rank_cursor_init(&cursor, &zset->order, 0);
    while ((item = rg_rank_cursor_next(&cursor, false)) != NULL)
        rg_zset_tree_set(copy, rg_zset_item_member(item), rg_zset_item_score(item));
    return copy;
}

void rg_zset_tree_free(struct rg_zset_tree *zset)
{
    uint64_t position[4] = {0};
    struct rg_zset_item *item = NULL;
    if (zset == NULL)
        return;
    struct rg_pool *pool = zset->table.pool;
    rg_rank_tree_fini(pool, &zset->order);
    while ((item = rg_table_next(&zset->table, position)) != NULL)
        item_free(zset, item);
    rg_table_fini(&zset->table);
    rg_pool_free(pool, zset, sizeof(*zset));
}

/* Out of both, from rank on, as many as rg_rank_tree_take gives. */
static unsigned tree_take(struct rg_zset_tree *zset, uint64_t rank, uint64_t max)
{
    struct rg_zset_item *items[RG_RANK_TREE_TAKE_MAX];
    unsigned count = rg_rank_tree_take(zset->table.pool, &zset->order, rank, max, items);
    for (unsigned i = 0; i < count; i++) {
        struct rg_bytes member = rg_zset_item_member(items[i]);
        void *removed = rg_table_remove(&zset->table, member, rg_table_hash(&zset->table, member));
        RG_ASSERT(removed == items[i]);
        item_free(zset, items[i]);
    }
    return count;
}

bool rg_zset_tree_free_step(struct rg_zset_tree *zset, uint64_t *budget)
{
    while (zset->order.count > 0 && *budget > 0) {
        uint64_t used = rg_pool_used(zset->table.pool);
        rg_form_spend(budget, tree_take(zset, 0, *budget), zset->table.pool, used);
    }
    if (zset->order.count > 0)
        return false;
    rg_zset_tree_free(zset);
    return true;
}

size_t rg_zset_tree_memory(const struct rg_zset_tree *zset)
{
    return rg_pool_cost(sizeof(*zset)) + rg_table_memory(&zset->table) + zset->order.nodes_cost +
           zset->items_cost;
}

struct rg_zset_item *rg_zset_tree_find(const struct rg_zset_tree *zset, struct rg_bytes member)
{
    return rg_table_find(&zset->table, member, rg_table_hash(&zset->table, member));
}

bool rg_zset_tree_set(struct rg_zset_tree *zset, struct rg_bytes member, double score)
{
    uint64_t hash = rg_table_hash(&zset->table, member);
    struct rg_zset_item *item = rg_table_find(&zset->table, member, hash);
    if (item != NULL) {
        rg_rank_tree_rescore(zset->table.pool, &zset->order, item, score);
        return false;
    }
    item = item_new(zset, score, member);
    rg_table_insert(&zset->table, item, hash);
    rg_rank_tree_insert(zset->table.pool, &zset->order, item);
    return true;
}

bool rg_zset_tree_remove(struct rg_zset_tree *zset, struct rg_bytes member)
{
    struct rg_zset_item *item =
        rg_table_remove(&zset->table, member, rg_table_hash(&zset->table, member));
    if (item == NULL)
        return false;
    rg_rank_tree_remove(zset->table.pool, &zset->order, item);
    item_free(zset, item);
    return true;
}

void rg_zset_tree_remove_ranks(struct rg_zset_tree *zset, uint64_t rank, uint64_t count)
{
    RG_ASSERT(rank + count <= zset->order.count);
    while (count > 0)
        count -= tree_take(zset, rank, count);
}
