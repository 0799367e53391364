#ifndef RG_STORE_FIELDS_H
#define RG_STORE_FIELDS_H

#include "store/packed.h"
#include "store/table.h"

/* A large hash: a table whose items are single pairs (store/packed.h), which it owns. */
struct rg_fields {
    struct rg_table table; /* knows the pool */
    uint64_t pair_memory;
};

struct rg_fields *rg_fields_new(struct rg_pool *pool, uint64_t seed);
struct rg_fields *rg_fields_copy(struct rg_pool *pool, const struct rg_fields *fields);
/* NULL is allowed. */
void rg_fields_free(struct rg_fields *fields);
/* As rg_form_ops.free_step. */
bool rg_fields_free_step(struct rg_fields *fields, uint64_t *budget);
/* The pair, or NULL. */
const char *rg_fields_find(const struct rg_fields *fields, struct rg_bytes field);
/* True where the field was new. */
bool rg_fields_set(struct rg_fields *fields, struct rg_bytes field, struct rg_bytes value);
bool rg_fields_remove(struct rg_fields *fields, struct rg_bytes field);
size_t rg_fields_memory(const struct rg_fields *fields);

#endif
