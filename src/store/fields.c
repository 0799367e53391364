#include "store/fields.h"

static struct rg_bytes pair_key(const void *item)
{
    return rg_pair_field(item);
}

static size_t pair_bytes(const char *pair)
{
    struct rg_pair read;
    return (size_t)(rg_pair_read(pair, &read) - pair);
}

static void pair_free(struct rg_fields *fields, char *pair)
{
    size_t size = pair_bytes(pair);
    fields->pair_memory -= rg_pool_cost(size);
    rg_pool_free(fields->table.pool, pair, size);
}

static char *pair_new(struct rg_fields *fields, struct rg_bytes field, struct rg_bytes value)
{
    size_t size = rg_pair_size(field, value);
    char *pair = rg_pool_alloc(fields->table.pool, size);
    fields->pair_memory += rg_pool_cost(size);
    rg_pair_write(pair, field, value);
    return pair;
}

struct rg_fields *rg_fields_new(struct rg_pool *pool, uint64_t seed)
{
    struct rg_fields *fields = rg_pool_alloc(pool, sizeof(*fields));
    *fields = (struct rg_fields){0};
    rg_table_init(&fields->table, pool, seed, pair_key);
    return fields;
}

struct rg_fields *rg_fields_copy(struct rg_pool *pool, const struct rg_fields *fields)
{
    struct rg_fields *copy = rg_fields_new(pool, fields->table.seed);
    uint64_t position[4] = {0};
    const char *item = NULL;
    while ((item = rg_table_next(&fields->table, position)) != NULL) {
        struct rg_pair pair;
        rg_pair_read(item, &pair);
        rg_fields_set(copy, pair.field, pair.value);
    }
    return copy;
}

static void pair_take(void *arg, void *item)
{
    pair_free(arg, item);
}

bool rg_fields_free_step(struct rg_fields *fields, uint64_t *budget)
{
    if (!rg_table_drain(&fields->table, budget, pair_take, fields))
        return false;
    rg_pool_free(fields->table.pool, fields, sizeof(*fields));
    return true;
}

void rg_fields_free(struct rg_fields *fields)
{
    uint64_t budget = UINT64_MAX;
    if (fields != NULL)
        rg_fields_free_step(fields, &budget);
}

const char *rg_fields_find(const struct rg_fields *fields, struct rg_bytes field)
{
    return rg_table_find(&fields->table, field, rg_table_hash(&fields->table, field));
}

bool rg_fields_set(struct rg_fields *fields, struct rg_bytes field, struct rg_bytes value)
{
    char *fresh = pair_new(fields, field, value);
    uint64_t hash = rg_table_hash(&fields->table, field);
    char *old = rg_table_find(&fields->table, field, hash);
    if (old == NULL) {
        rg_table_insert(&fields->table, fresh, hash);
        return true;
    }
    rg_table_replace(&fields->table, old, fresh, hash);
    pair_free(fields, old);
    return false;
}

bool rg_fields_remove(struct rg_fields *fields, struct rg_bytes field)
{
    char *pair = rg_table_remove(&fields->table, field, rg_table_hash(&fields->table, field));
    if (pair == NULL)
        return false;
    pair_free(fields, pair);
    return true;
}

size_t rg_fields_memory(const struct rg_fields *fields)
{
    return rg_pool_cost(sizeof(*fields)) + rg_table_memory(&fields->table) + fields->pair_memory;
}
