#include "store/set_ints.h"

#include <string.h>

#include "base/panic.h"

static size_t ints_size(size_t count, size_t width)
{
    return sizeof(struct rg_set_ints) + count * width;
}

static uint32_t width_of(int64_t number)
{
    if (number >= INT16_MIN && number <= INT16_MAX)
        return sizeof(int16_t);
    return number >= INT32_MIN && number <= INT32_MAX ? sizeof(int32_t) : sizeof(int64_t);
}

struct rg_set_ints *rg_set_ints_new(struct rg_pool *pool)
{
    struct rg_set_ints *ints = rg_pool_alloc(pool, ints_size(0, sizeof(int16_t)));
    *ints = (struct rg_set_ints){.width = sizeof(int16_t)};
    return ints;
}

struct rg_set_ints *rg_set_ints_of(struct rg_pool *pool, const char *numbers, uint32_t width,
                                   uint32_t count)
{
    struct rg_set_ints *ints = rg_pool_alloc(pool, ints_size(count, width));
    RG_ASSERT(width == sizeof(int16_t) || width == sizeof(int32_t) || width == sizeof(int64_t));
    *ints = (struct rg_set_ints){.count = count, .width = width};
    memcpy(ints->data, numbers, (size_t)count * width);
    return ints;
}

struct rg_set_ints *rg_set_ints_copy(struct rg_pool *pool, const struct rg_set_ints *ints)
{
    size_t size = ints_size(ints->count, ints->width);
    struct rg_set_ints *copy = rg_pool_alloc(pool, size);
    memcpy(copy, ints, size);
    return copy;
}

void rg_set_ints_free(struct rg_pool *pool, struct rg_set_ints *ints)
{
    if (ints != NULL)
        rg_pool_free(pool, ints, ints_size(ints->count, ints->width));
}

size_t rg_set_ints_memory(const struct rg_set_ints *ints)
{
    return rg_pool_cost(ints_size(ints->count, ints->width));
}

/* ---- Numbers ---- */

static int64_t number_at(const char *data, uint32_t width, uint32_t index)
{
    const char *at = data + (size_t)index * width;
    int64_t wide = 0;
    int32_t middle = 0;
    int16_t narrow = 0;
    if (width == sizeof(narrow)) {
        memcpy(&narrow, at, sizeof(narrow));
        return narrow;
    }
    if (width == sizeof(middle)) {
        memcpy(&middle, at, sizeof(middle));
        return middle;
    }
    memcpy(&wide, at, sizeof(wide));
    return wide;
}

static void number_put(char *data, uint32_t width, uint32_t index, int64_t number)
{
    char *at = data + (size_t)index * width;
    int32_t middle = (int32_t)number;
    int16_t narrow = (int16_t)number;
    if (width == sizeof(narrow))
        memcpy(at, &narrow, sizeof(narrow));
    else if (width == sizeof(middle))
        memcpy(at, &middle, sizeof(middle));
    else
        memcpy(at, &number, sizeof(number));
}

int64_t rg_set_ints_at(const struct rg_set_ints *ints, uint32_t index)
{
    RG_ASSERT(index < ints->count);
    return number_at(ints->data, ints->width, index);
}

bool rg_set_ints_find(const struct rg_set_ints *ints, int64_t number, uint32_t *ret_index)
{
    uint32_t low = 0;
    uint32_t high = ints->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (number_at(ints->data, ints->width, middle) < number)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_index = low;
    return low < ints->count && number_at(ints->data, ints->width, low) == number;
}

/* ---- Changes ---- */

/* Makes all numbers as wide as `width`, with room for one more. */
static struct rg_set_ints *ints_widen(struct rg_pool *pool, struct rg_set_ints *ints,
                                      uint32_t width)
{
    struct rg_set_ints *wide = rg_pool_alloc(pool, ints_size(ints->count + 1, width));
    wide->count = ints->count;
    wide->width = width;
    for (uint32_t i = 0; i < ints->count; i++)
        number_put(wide->data, width, i, number_at(ints->data, ints->width, i));
    rg_set_ints_free(pool, ints);
    return wide;
}

struct rg_set_ints *rg_set_ints_insert(struct rg_pool *pool, struct rg_set_ints *ints,
                                       uint32_t index, int64_t number)
{
    uint32_t width = width_of(number);
    RG_ASSERT(index <= ints->count && ints->count < RG_SET_INTS_MAX);
    if (width > ints->width)
        ints = ints_widen(pool, ints, width);
    else
        ints = rg_pool_realloc(pool, ints, ints_size(ints->count, ints->width),
                               ints_size(ints->count + 1, ints->width));
    char *at = ints->data + (size_t)index * ints->width;
    memmove(at + ints->width, at, (size_t)(ints->count - index) * ints->width);
    number_put(ints->data, ints->width, index, number);
    ints->count++;
    return ints;
}

struct rg_set_ints *rg_set_ints_remove(struct rg_pool *pool, struct rg_set_ints *ints,
                                       uint32_t index)
{
    RG_ASSERT(index < ints->count);
    char *at = ints->data + (size_t)index * ints->width;
    ints->count--;
    memmove(at, at + ints->width, (size_t)(ints->count - index) * ints->width);
    return rg_pool_realloc(pool, ints, ints_size(ints->count + 1, ints->width),
                           ints_size(ints->count, ints->width));
}
