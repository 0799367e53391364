#include <stdlib.h>
#include <string.h>

#include "store/set.h"
#include "store_world.h"

/* Sets: integers, packed, and a table. */

struct model {
    struct world *world;
    struct rg_entry *entry;
    unsigned count;
    bool in[WORLD_NAMES];
};

static const struct rg_bytes key = {"set", 3};

static void model_add(struct model *model, unsigned id)
{
    bool is_new = rg_set_add(model->world->db, &model->entry, world_name(id));
    RG_ASSERT(is_new == !model->in[id]);
    model->count += is_new;
    model->in[id] = true;
}

static void model_remove(struct model *model, unsigned id)
{
    bool was = rg_set_remove(model->world->db, &model->entry, world_name(id));
    RG_ASSERT(was == model->in[id]);
    model->count -= was;
    model->in[id] = false;
}

static void check_all(const struct model *model, const struct rg_entry *entry)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_set_iter iter;
    struct rg_bytes member;
    unsigned count = 0;
    RG_ASSERT(rg_set_len(entry) == model->count);
    for (unsigned id = 0; id < WORLD_NAMES; id++)
        RG_ASSERT(rg_set_has(entry, world_name(id)) == model->in[id]);
    rg_set_iter_init(&iter, entry);
    for (; rg_set_iter_next(&iter, scratch, &member); count++)
        RG_ASSERT(rg_set_has(entry, member));
    RG_ASSERT(count == model->count);
}

struct scan {
    const struct model *model;
    unsigned visited;
};

static void scan_visit(void *arg, struct rg_bytes member)
{
    struct scan *scan = arg;
    scan->visited++;
    RG_ASSERT(rg_set_has(scan->model->entry, member));
}

static void check_scan(struct model *model)
{
    struct scan scan = {.model = model};
    uint64_t cursor = 0;
    do
        cursor = rg_set_scan(model->entry, cursor, 7, scan_visit, &scan);
    while (cursor != 0);
    /* Nothing changed meanwhile, so each came once. */
    RG_ASSERT(scan.visited == model->count);
}

static void check_random(const struct model *model)
{
    char scratch[RG_STRING_SCRATCH];
    if (model->count > 0)
        RG_ASSERT(
            rg_set_has(model->entry, rg_set_random(model->entry, &model->world->rand, scratch)));
}

static void add_many(struct model *model)
{
    unsigned first = world_below(model->world, WORLD_NAMES);
    unsigned count = world_byte(model->world);
    unsigned step = world_below(model->world, 9); /* 0 and 4: names of one kind */
    for (unsigned i = 0; i < count; i++)
        model_add(model, (first + i * (step == 0 ? 4 : step)) % WORLD_NAMES);
}

static void remove_many(struct model *model)
{
    unsigned first = world_below(model->world, WORLD_NAMES);
    unsigned count = world_byte(model->world);
    unsigned step = 1 + world_below(model->world, 9);
    for (unsigned i = 0; i < count; i++)
        model_remove(model, (first + i * step) % WORLD_NAMES);
}

static void begin_anew(struct model *model)
{
    rg_db_delete(model->world->db, key);
    model->entry = rg_db_put_set(model->world->db, key);
    memset(model->in, 0, sizeof(model->in));
    model->count = 0;
}

/* The set becomes a draft's, and the draft what it was. */
static void exchange(struct model *model)
{
    struct rg_entry *draft = rg_set_draft(model->world->db, key);
    unsigned count = world_byte(model->world) % 100;
    unsigned step = 1 + world_byte(model->world) % 8;
    unsigned first = world_below(model->world, WORLD_NAMES);
    if (!world_affords(model->world, WORLD_NAMES / 2)) {
        rg_set_draft_free(model->world->db, draft);
        return;
    }
    rg_set_exchange(model->world->db, &model->entry, draft);
    check_all(model, draft);
    memset(model->in, 0, sizeof(model->in));
    model->count = 0;
    for (unsigned i = 0; i < count; i++)
        model_add(model, (first + i * step) % WORLD_NAMES);
    if (step == 1) {
        rg_set_draft_free(model->world->db, draft);
        return;
    }
    /* In the place of the set, which goes: the draft gets its members first. */
    rg_set_exchange(model->world->db, &model->entry, draft);
    rg_set_draft_put(model->world->db, draft);
    model->entry = rg_db_find_for_write(model->world->db, key);
}

static void take_ints(struct model *model)
{
    static const unsigned widths[] = {2, 4, 8};
    unsigned width = widths[world_byte(model->world) % 3];
    unsigned count = 1 + world_byte(model->world);
    unsigned taken = 0;
    char numbers[256 * 8];
    begin_anew(model);
    /* The names of integers in ascending order: those of negative ones come later, so leave them.
     */
    for (unsigned id = 0; id < WORLD_NAMES && taken < count; id += 48) {
        int64_t number = (int64_t)id / 4 + 1;
        memcpy(numbers + (size_t)taken * width, &number, width);
        taken++;
        model->in[id] = true;
    }
    model->count = taken;
    rg_set_take_ints(model->world->db, &model->entry, rg_bytes(numbers, (size_t)taken * width),
                     taken);
}

static void copy(struct model *model)
{
    if (!world_affords(model->world, WORLD_NAMES))
        return;
    RG_ASSERT(rg_db_copy(model->world->db, key, model->world->db, RG_BYTES("copy")) == 0);
    check_all(model, rg_db_find(model->world->db, RG_BYTES("copy")));
    rg_db_delete(model->world->db, RG_BYTES("copy"));
}

static void model_do(struct model *model)
{
    struct world *world = model->world;
    switch (world_byte(world) % 12) {
    case 0:
    case 1:
        model_add(model, world_draw(world));
        break;
    case 2:
        model_add(model, world_draw(world) & ~3u); /* an integer */
        break;
    case 3:
        model_remove(model, world_draw(world));
        break;
    case 4:
    case 5:
        add_many(model);
        break;
    case 6:
        remove_many(model);
        break;
    case 7:
        exchange(model);
        break;
    case 8:
        take_ints(model);
        break;
    case 9:
        check_random(model);
        if (world_affords(world, model->count))
            check_scan(model);
        break;
    case 10:
        copy(model);
        break;
    default:
        if (world_byte(world) < 64)
            begin_anew(model);
        world_change_limits(world);
        rg_store_free_step(world->store, world_byte(world));
        break;
    }
}

void fuzz_set(struct world *world)
{
    struct model *model = calloc(1, sizeof(*model));
    RG_ASSERT(model != NULL);
    model->world = world;
    begin_anew(model);
    while (world_more(world)) {
        model_do(model);
        RG_ASSERT(rg_set_len(model->entry) == model->count);
    }
    check_all(model, model->entry);
    free(model);
}
