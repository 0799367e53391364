#include "store/form.h"
#include "store/set_ints.h"
#include "store/set_packed.h"
#include "store/set_table.h"

/* The rows of sets in the table of forms. */

static void ints_free(struct rg_pool *pool, void *value)
{
    rg_set_ints_free(pool, value);
}

static uint64_t ints_memory(const void *value)
{
    return rg_set_ints_memory(value);
}

static void *ints_copy(struct rg_pool *pool, const void *value)
{
    return rg_set_ints_copy(pool, value);
}

static void packed_free(struct rg_pool *pool, void *value)
{
    rg_set_packed_free(pool, value);
}

static uint64_t packed_memory(const void *value)
{
    return rg_set_packed_memory(value);
}

static void *packed_copy(struct rg_pool *pool, const void *value)
{
    return rg_set_packed_copy(pool, value);
}

static void table_free(struct rg_pool *pool, void *value)
{
    (void)pool; /* the table knows it */
    rg_set_table_free(value);
}

static uint64_t table_memory(const void *value)
{
    return rg_set_table_memory(value);
}

static void *table_copy(struct rg_pool *pool, const void *value)
{
    return rg_set_table_copy(pool, value);
}

static uint64_t table_elements(const void *value)
{
    const struct rg_set_table *set = value;
    return set->table.count;
}

static bool table_free_step(struct rg_pool *pool, void *value, uint64_t *budget)
{
    (void)pool;
    return rg_set_table_free_step(value, budget);
}

const struct rg_form_ops rg_form_set_ints = {.type = RG_TYPE_SET,
                                             .encoding = "intset",
                                             .free = ints_free,
                                             .memory = ints_memory,
                                             .copy = ints_copy};
/* Redis 7.0 has no such form. */
const struct rg_form_ops rg_form_set_packed = {.type = RG_TYPE_SET,
                                               .encoding = "hashtable",
                                               .free = packed_free,
                                               .memory = packed_memory,
                                               .copy = packed_copy};
const struct rg_form_ops rg_form_set_table = {.type = RG_TYPE_SET,
                                              .encoding = "hashtable",
                                              .free = table_free,
                                              .memory = table_memory,
                                              .copy = table_copy,
                                              .elements = table_elements,
                                              .free_step = table_free_step,
                                              .capture = &rg_capture_set};
