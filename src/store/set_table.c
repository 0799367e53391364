#include "store/set_table.h"

#include "store/counted.h"
#include "store/pool.h"

struct rg_bytes rg_set_table_member(const void *item)
{
    struct rg_bytes member;
    rg_counted_read(item, &member);
    return member;
}

struct rg_set_table *rg_set_table_new(struct rg_pool *pool, uint64_t seed)
{
    struct rg_set_table *set = rg_pool_alloc(pool, sizeof(*set));
    *set = (struct rg_set_table){0};
    rg_table_init(&set->table, pool, seed, rg_set_table_member);
    return set;
}

static void item_free(struct rg_set_table *set, void *item)
{
    size_t size = rg_counted_size(rg_set_table_member(item).len);
    set->member_memory -= rg_pool_cost(size);
    rg_pool_free(set->table.pool, item, size);
}

static void item_insert(struct rg_set_table *set, struct rg_bytes member, uint64_t hash)
{
    size_t size = rg_counted_size(member.len);
    char *item = rg_pool_alloc(set->table.pool, size);
    set->member_memory += rg_pool_cost(size);
    rg_counted_write(item, member);
    rg_table_insert(&set->table, item, hash);
}

struct rg_set_table *rg_set_table_copy(struct rg_pool *pool, const struct rg_set_table *set)
{
    struct rg_set_table *copy = rg_set_table_new(pool, set->table.seed);
    uint64_t position[4] = {0};
    const void *item = NULL;
    while ((item = rg_table_next(&set->table, position)) != NULL) {
        struct rg_bytes member = rg_set_table_member(item);
        item_insert(copy, member, rg_table_hash(&copy->table, member));
    }
    return copy;
}

static void item_take(void *arg, void *item)
{
    item_free(arg, item);
}

bool rg_set_table_free_step(struct rg_set_table *set, uint64_t *budget)
{
    if (!rg_table_drain(&set->table, budget, item_take, set))
        return false;
    rg_pool_free(set->table.pool, set, sizeof(*set));
    return true;
}

void rg_set_table_free(struct rg_set_table *set)
{
    uint64_t budget = UINT64_MAX;
    if (set != NULL)
        rg_set_table_free_step(set, &budget);
}

bool rg_set_table_has(const struct rg_set_table *set, struct rg_bytes member)
{
    return rg_table_find(&set->table, member, rg_table_hash(&set->table, member)) != NULL;
}

bool rg_set_table_add(struct rg_set_table *set, struct rg_bytes member)
{
    uint64_t hash = rg_table_hash(&set->table, member);
    if (rg_table_find(&set->table, member, hash) != NULL)
        return false;
    item_insert(set, member, hash);
    return true;
}

bool rg_set_table_remove(struct rg_set_table *set, struct rg_bytes member)
{
    void *item = rg_table_remove(&set->table, member, rg_table_hash(&set->table, member));
    if (item == NULL)
        return false;
    item_free(set, item);
    return true;
}

size_t rg_set_table_memory(const struct rg_set_table *set)
{
    return rg_pool_cost(sizeof(*set)) + rg_table_memory(&set->table) + set->member_memory;
}
