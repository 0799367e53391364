#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#include "base/panic.h"

static void *alloc_or_panic(void *ptr)
{
    if (ptr == NULL)
        rg_panic(__FILE__, __LINE__, "out of memory");
    return ptr;
}

void *rg_try_alloc(size_t size)
{
    return malloc(size ? size : 1);
}

void *rg_try_realloc(void *ptr, size_t size)
{
    return realloc(ptr, size ? size : 1);
}

void *rg_alloc(size_t size)
{
    return alloc_or_panic(rg_try_alloc(size));
}

void *rg_alloc_zero(size_t size)
{
    return alloc_or_panic(calloc(1, size ? size : 1));
}

void *rg_realloc(void *ptr, size_t size)
{
    return alloc_or_panic(rg_try_realloc(ptr, size));
}

char *rg_alloc_copy(const void *data, size_t len)
{
    char *copy = rg_alloc(len + 1);

    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

void rg_free(void *ptr)
{
    free(ptr);
}
