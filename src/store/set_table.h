#ifndef RG_STORE_SET_TABLE_H
#define RG_STORE_SET_TABLE_H

#include "store/table.h"

/* A large set: a table whose items are the members as counted bytes (counted.h), which it owns. */
struct rg_set_table {
    struct rg_table table;
    uint64_t member_memory;
};

struct rg_set_table *rg_set_table_new(struct rg_pool *pool, uint64_t seed);
struct rg_set_table *rg_set_table_copy(struct rg_pool *pool, const struct rg_set_table *set);
/* NULL is allowed. */
void rg_set_table_free(struct rg_set_table *set);
/* As rg_form_ops.free_step. */
bool rg_set_table_free_step(struct rg_set_table *set, uint64_t *budget);
bool rg_set_table_has(const struct rg_set_table *set, struct rg_bytes member);
/* True where it was new. */
bool rg_set_table_add(struct rg_set_table *set, struct rg_bytes member);
bool rg_set_table_remove(struct rg_set_table *set, struct rg_bytes member);
/* The member that an item of the table is. */
struct rg_bytes rg_set_table_member(const void *item);
size_t rg_set_table_memory(const struct rg_set_table *set);

#endif
