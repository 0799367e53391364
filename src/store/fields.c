#include "store/fields.h"

#include "base/alloc.h"
#include "store/footprint.h"

static struct rg_bytes pair_key(const void *item)
{
    return rg_pair_field(item);
}

static size_t pair_bytes(const char *pair)
{
    struct rg_pair read;
    return (size_t)(rg_pair_read(pair, &read) - pair);
}

static char *pair_new(struct rg_bytes field, struct rg_bytes value)
{
    char *pair = rg_alloc(rg_pair_size(field, value));
    rg_pair_write(pair, field, value);
    return pair;
}

struct rg_fields *rg_fields_new(uint64_t seed)
{
    struct rg_fields *fields = RG_NEW(struct rg_fields);
    rg_table_init(&fields->table, seed, pair_key);
    return fields;
}

struct rg_fields *rg_fields_copy(const struct rg_fields *fields)
{
    struct rg_fields *copy = rg_fields_new(fields->table.seed);
    uint64_t position[4] = {0};
    const char *item = NULL;
    while ((item = rg_table_next(&fields->table, position)) != NULL) {
        struct rg_pair pair;
        rg_pair_read(item, &pair);
        rg_fields_set(copy, pair.field, pair.value);
    }
    return copy;
}

void rg_fields_free(struct rg_fields *fields)
{
    if (fields == NULL)
        return;
    uint64_t position[4] = {0};
    void *item = NULL;
    while ((item = rg_table_next(&fields->table, position)) != NULL)
        rg_free(item);
    rg_table_fini(&fields->table);
    rg_free(fields);
}

const char *rg_fields_find(const struct rg_fields *fields, struct rg_bytes field)
{
    void **place = rg_table_find(&fields->table, field, rg_table_hash(&fields->table, field));
    return place != NULL ? *place : NULL;
}

bool rg_fields_set(struct rg_fields *fields, struct rg_bytes field, struct rg_bytes value)
{
    char *fresh = pair_new(field, value);
    uint64_t hash = rg_table_hash(&fields->table, field);
    void **place = rg_table_find(&fields->table, field, hash);
    fields->pair_memory += rg_footprint(pair_bytes(fresh));
    if (place == NULL) {
        rg_table_insert(&fields->table, fresh, hash);
        return true;
    }
    fields->pair_memory -= rg_footprint(pair_bytes(*place));
    rg_free(*place);
    *place = fresh;
    return false;
}

bool rg_fields_remove(struct rg_fields *fields, struct rg_bytes field)
{
    char *pair = rg_table_remove(&fields->table, field);
    if (pair == NULL)
        return false;
    fields->pair_memory -= rg_footprint(pair_bytes(pair));
    rg_free(pair);
    return true;
}

size_t rg_fields_memory(const struct rg_fields *fields)
{
    return rg_footprint(sizeof(*fields)) + rg_table_memory(&fields->table) + fields->pair_memory;
}
