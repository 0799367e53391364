#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/panic.h"
#include "store/pool.h"

/*
 * The pool beside a list of what it handed out: nothing overlaps or moves by itself, everything is
 * counted. Built with slabs even under a sanitizer, where the pool would pass items through.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ITEMS = 512 };

struct item {
    unsigned char *data;
    size_t size;
    unsigned char fill;
};

struct world {
    const uint8_t *at;
    const uint8_t *end;
    struct rg_pool *pool;
    struct item items[ITEMS];
    uint64_t used;
    unsigned char fill;
};

static unsigned take_byte(struct world *world)
{
    return world->at < world->end ? *world->at++ : 0;
}

static size_t take_size(struct world *world)
{
    unsigned kind = take_byte(world);
    unsigned draw = take_byte(world);
    switch (kind % 4) {
    case 0:
        return 1 + draw;
    case 1:
        return 1 + draw * 9;
    case 2:
        return 2000 + draw; /* about the largest of a slab */
    default:
        return 1 + (size_t)draw * 64;
    }
}

/* Its bytes are its own: another number each time. The ends are looked at later. */
static void item_fill(struct world *world, struct item *item)
{
    item->fill = ++world->fill;
    memset(item->data, item->fill, item->size);
    RG_ASSERT((uintptr_t)item->data % (item->size % 8 == 0 ? 8 : 4) == 0);
}

static void item_check(const struct item *item, size_t size)
{
    for (size_t i = 0; i < size && i < 16; i++)
        RG_ASSERT(item->data[i] == item->fill && item->data[size - 1 - i] == item->fill);
}

static void item_free(struct world *world, struct item *item)
{
    if (item->data == NULL)
        return;
    item_check(item, item->size);
    world->used -= rg_pool_cost(item->size);
    rg_pool_free(world->pool, item->data, item->size);
    *item = (struct item){0};
}

static void item_alloc(struct world *world, struct item *item)
{
    size_t size = take_size(world);
    item_free(world, item);
    item->data = rg_pool_alloc(world->pool, size);
    item->size = size;
    world->used += rg_pool_cost(size);
    item_fill(world, item);
}

static void item_alloc_lines(struct world *world, struct item *item)
{
    static const size_t sizes[] = {64, 128, 192, 256, 512, 1024, 2048, 65536};
    size_t size = sizes[take_byte(world) % 8];
    item_free(world, item);
    item->data = rg_pool_alloc_lines(world->pool, size);
    item->size = size;
    world->used += rg_pool_cost(size);
    RG_ASSERT((uintptr_t)item->data % 64 == 0);
    item_fill(world, item);
}

static void item_realloc(struct world *world, struct item *item)
{
    size_t size = take_size(world);
    size_t kept = item->size < size ? item->size : size;
    if (item->data != NULL)
        world->used -= rg_pool_cost(item->size);
    item->data = rg_pool_realloc(world->pool, item->data, item->size, size);
    world->used += rg_pool_cost(size);
    item_check(item, kept);
    item->size = size;
    item_fill(world, item);
}

static void many(struct world *world)
{
    unsigned first = take_byte(world);
    unsigned step = 1 + take_byte(world) % 5;
    size_t size = 1 + take_byte(world) * 9;
    bool frees = take_byte(world) % 2;
    for (unsigned i = 0; i < 100; i++) {
        struct item *item = &world->items[(first + i * step) % ITEMS];
        item_free(world, item);
        if (frees)
            continue;
        item->data = rg_pool_alloc(world->pool, size);
        item->size = size;
        world->used += rg_pool_cost(size);
        item_fill(world, item);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = {.at = data, .end = size > 0 ? data + size : data};
    world.pool = rg_pool_new();
    while (world.at < world.end) {
        unsigned op = take_byte(&world);
        struct item *item = &world.items[take_byte(&world) + (op & 128) * 2];
        if (op % 8 < 2)
            item_alloc(&world, item);
        else if (op % 8 < 4)
            item_free(&world, item);
        else if (op % 8 == 4)
            item_realloc(&world, item);
        else if (op % 8 == 5)
            item_alloc_lines(&world, item);
        else if (op % 8 == 6)
            many(&world);
        else
            rg_pool_trim(world.pool);
        RG_ASSERT(rg_pool_used(world.pool) == world.used);
        RG_ASSERT(rg_pool_spare(world.pool) <= rg_pool_slabs(world.pool));
    }
    for (unsigned i = 0; i < ITEMS; i++)
        item_free(&world, &world.items[i]);
    RG_ASSERT(rg_pool_used(world.pool) == 0 && rg_pool_slabs(world.pool) == 0);
    rg_pool_delete(world.pool);
    return 0;
}
