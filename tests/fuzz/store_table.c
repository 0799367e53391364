#include <stdlib.h>
#include <string.h>

#include "store/table.h"
#include "store_world.h"

/* The hash table by itself: its growth and shrinking, chains of buckets, and what SCAN promises. */

struct item {
    uint16_t id;
    bool fresh; /* it took another one's place */
};

struct model {
    struct world *world;
    struct rg_pool *pool;
    struct rg_table table;
    struct item *items[WORLD_NAMES]; /* NULL: not there */
    unsigned count;
    bool owes[WORLD_NAMES]; /* there since the walk began, and not seen yet */
    uint64_t cursor;
    uint16_t alike[WORLD_NAMES]; /* names whose hashes end in the same bits */
    unsigned alike_count;
};

static struct rg_bytes item_key(const void *item)
{
    return world_name(((const struct item *)item)->id);
}

static uint64_t hash_of(const struct model *model, unsigned id)
{
    return rg_table_hash(&model->table, world_name(id));
}

static void check_one(const struct model *model, unsigned id)
{
    RG_ASSERT(rg_table_find(&model->table, world_name(id), hash_of(model, id)) == model->items[id]);
}

static void flip(struct model *model, unsigned id)
{
    if (model->items[id] != NULL) {
        void *removed = rg_table_remove(&model->table, world_name(id), hash_of(model, id));
        RG_ASSERT(removed == model->items[id]);
        rg_pool_free(model->pool, removed, sizeof(struct item));
        model->items[id] = NULL;
        model->owes[id] = false;
        model->count--;
        return;
    }
    RG_ASSERT(rg_table_remove(&model->table, world_name(id), hash_of(model, id)) == NULL);
    model->items[id] = rg_pool_alloc(model->pool, sizeof(struct item));
    *model->items[id] = (struct item){.id = (uint16_t)id};
    rg_table_insert(&model->table, model->items[id], hash_of(model, id));
    model->count++;
}

static void flip_many(struct model *model, bool alike)
{
    unsigned first = world_below(model->world, WORLD_NAMES);
    unsigned count = world_byte(model->world);
    unsigned step = 1 + world_below(model->world, 9);
    for (unsigned i = 0; i < count; i++) {
        unsigned id = (first + i * step) % WORLD_NAMES;
        flip(model, alike ? model->alike[id % model->alike_count] : id);
    }
}

static void replace(struct model *model, unsigned id)
{
    struct item *old = model->items[id];
    if (old == NULL)
        return;
    struct item *fresh = rg_pool_alloc(model->pool, sizeof(*fresh));
    *fresh = (struct item){.id = (uint16_t)id, .fresh = true};
    rg_table_replace(&model->table, old, fresh, hash_of(model, id));
    rg_pool_free(model->pool, old, sizeof(*old));
    model->items[id] = fresh;
}

static void walk_visit(void *arg, void *item)
{
    struct model *model = arg;
    unsigned id = ((const struct item *)item)->id;
    RG_ASSERT(model->items[id] == item);
    model->owes[id] = false;
}

/* One step of a walk that goes on while the table changes. */
static void walk(struct model *model, unsigned count)
{
    if (model->cursor == 0) {
        for (unsigned id = 0; id < WORLD_NAMES; id++)
            model->owes[id] = model->items[id] != NULL;
    }
    model->cursor = rg_table_scan(&model->table, model->cursor, count, walk_visit, model);
    if (model->cursor != 0)
        return;
    for (unsigned id = 0; id < WORLD_NAMES; id++)
        RG_ASSERT(!model->owes[id]);
}

static void check_all(const struct model *model)
{
    uint64_t position[4] = {0};
    unsigned count = 0;
    const struct item *item = NULL;
    RG_ASSERT(model->table.count == model->count);
    for (unsigned id = 0; id < WORLD_NAMES; id++)
        check_one(model, id);
    for (; (item = rg_table_next(&model->table, position)) != NULL; count++)
        RG_ASSERT(model->items[item->id] == item);
    RG_ASSERT(count == model->count);
}

static void model_do(struct model *model)
{
    struct world *world = model->world;
    switch (world_byte(world) % 10) {
    case 0:
    case 1:
        flip(model, world_below(world, WORLD_NAMES));
        break;
    case 2:
    case 3:
        flip_many(model, false);
        break;
    case 4:
        flip_many(model, true);
        break;
    case 5:
        replace(model, world_below(world, WORLD_NAMES));
        break;
    case 6:
        if (world_affords(world, WORLD_NAMES / 16))
            walk(model, 1 + world_byte(world));
        break;
    case 7: {
        const struct item *item = rg_table_random(&model->table, &world->rand);
        RG_ASSERT(item == NULL ? model->count == 0 : model->items[item->id] == item);
        break;
    }
    case 8:
        check_one(model, world_below(world, WORLD_NAMES));
        break;
    default:
        rg_table_expect(&model->table, world_byte(world) * 16);
        break;
    }
}

static void drain_take(void *arg, void *item)
{
    struct model *model = arg;
    unsigned id = ((const struct item *)item)->id;
    RG_ASSERT(model->items[id] == item);
    model->items[id] = NULL;
    model->count--;
    rg_pool_free(model->pool, item, sizeof(struct item));
}

void fuzz_table(struct world *world)
{
    struct model *model = calloc(1, sizeof(*model));
    RG_ASSERT(model != NULL);
    model->world = world;
    model->pool = rg_pool_new();
    rg_table_init(&model->table, model->pool, world_byte(world), item_key);
    for (unsigned id = 0; id < WORLD_NAMES; id++) {
        if ((hash_of(model, id) & 15) == 3)
            model->alike[model->alike_count++] = (uint16_t)id;
    }
    while (world_more(world)) {
        model_do(model);
        RG_ASSERT(model->table.count == model->count);
    }
    check_all(model);
    for (bool done = false; !done;) {
        uint64_t budget = 1 + rg_rand_below(&world->rand, 100);
        done = rg_table_drain(&model->table, &budget, drain_take, model);
    }
    RG_ASSERT(model->count == 0);
    rg_table_fini(&model->table);
    RG_ASSERT(rg_pool_used(model->pool) == 0);
    rg_pool_delete(model->pool);
    free(model);
}
