#ifndef RG_BASE_ALLOC_H
#define RG_BASE_ALLOC_H

#include <stddef.h>

/*
 * Allocation. The plain forms never return NULL: a small allocation that fails ends the process
 * with a clear line. The try forms return NULL, for sizes that a client or a file asks for.
 */
void *rg_alloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *rg_alloc_zero(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *rg_realloc(void *ptr, size_t size) __attribute__((returns_nonnull, alloc_size(2)));
void *rg_try_alloc(size_t size) __attribute__((malloc, alloc_size(1)));
void *rg_try_realloc(void *ptr, size_t size) __attribute__((alloc_size(2)));
/* Copies len bytes and ends them with a zero byte. */
char *rg_alloc_copy(const void *data, size_t len) __attribute__((malloc, returns_nonnull));
void rg_free(void *ptr);

#define RG_NEW(type)          ((type *)rg_alloc_zero(sizeof(type)))
#define RG_NEW_ARRAY(type, n) ((type *)rg_alloc_zero(sizeof(type) * (n)))

#endif
