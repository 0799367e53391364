#include <stdlib.h>
#include <string.h>

#include "store_world.h"

/* Hashes: packed, in order of insertion, and a table. */

struct model {
    struct world *world;
    struct rg_entry *entry;
    unsigned count;
    uint16_t values[WORLD_NAMES]; /* the id of the value's name and 1; 0: the field is not there */
    uint16_t order[WORLD_NAMES];  /* fields as they came */
};

static const struct rg_bytes key = {"hash", 4};

static void model_set(struct model *model, unsigned field, unsigned value)
{
    bool is_new =
        rg_hash_set(model->world->db, &model->entry, world_name(field), world_name(value));
    RG_ASSERT(is_new == (model->values[field] == 0));
    if (is_new)
        model->order[model->count++] = (uint16_t)field;
    model->values[field] = (uint16_t)(value + 1);
}

static void model_forget(struct model *model, unsigned field)
{
    unsigned at = 0;
    while (model->order[at] != field)
        at++;
    model->count--;
    memmove(model->order + at, model->order + at + 1,
            (model->count - at) * sizeof(model->order[0]));
    model->values[field] = 0;
}

static void model_remove(struct model *model, unsigned field)
{
    bool was = rg_hash_delete(model->world->db, &model->entry, world_name(field));
    RG_ASSERT(was == (model->values[field] != 0));
    if (was)
        model_forget(model, field);
}

static void check_field(const struct model *model, const struct rg_entry *entry, unsigned field)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_bytes value;
    bool there = model->values[field] != 0;
    RG_ASSERT(rg_hash_get(entry, world_name(field), scratch, &value) == there);
    RG_ASSERT(!there || rg_bytes_equal(value, world_name(model->values[field] - 1u)));
}

static void check_all(const struct model *model, const struct rg_entry *entry)
{
    struct rg_hash_iter iter;
    struct rg_bytes field;
    struct rg_bytes value;
    bool in_order = strcmp(rg_entry_encoding(entry), "listpack") == 0;
    unsigned count = 0;
    RG_ASSERT(rg_hash_len(entry) == model->count);
    for (unsigned id = 0; id < WORLD_NAMES; id++)
        check_field(model, entry, id);
    rg_hash_iter_init(&iter, entry);
    for (; rg_hash_iter_next(&iter, &field, &value); count++) {
        if (!in_order)
            continue;
        unsigned want = model->order[count];
        RG_ASSERT(rg_bytes_equal(field, world_name(want)));
        RG_ASSERT(rg_bytes_equal(value, world_name(model->values[want] - 1u)));
    }
    RG_ASSERT(count == model->count);
}

struct scan {
    const struct model *model;
    unsigned visited;
};

static void scan_visit(void *arg, struct rg_bytes field, struct rg_bytes value)
{
    struct scan *scan = arg;
    char scratch[RG_STRING_SCRATCH];
    struct rg_bytes found;
    scan->visited++;
    RG_ASSERT(rg_hash_get(scan->model->entry, field, scratch, &found));
    RG_ASSERT(rg_bytes_equal(found, value));
}

static void check_scan(struct model *model)
{
    struct scan scan = {.model = model};
    uint64_t cursor = 0;
    do
        cursor = rg_hash_scan(model->entry, cursor, 7, scan_visit, &scan);
    while (cursor != 0);
    RG_ASSERT(scan.visited == model->count);
}

static void check_random(const struct model *model)
{
    char found_scratch[RG_STRING_SCRATCH];
    struct rg_hash_scratch scratch;
    struct rg_bytes field;
    struct rg_bytes value;
    struct rg_bytes found;
    if (model->count == 0)
        return;
    rg_hash_random(model->entry, &model->world->rand, &scratch, &field, &value);
    RG_ASSERT(rg_hash_get(model->entry, field, found_scratch, &found));
    RG_ASSERT(rg_bytes_equal(found, value));
}

static void set_many(struct model *model)
{
    unsigned first = world_below(model->world, WORLD_NAMES);
    unsigned count = world_byte(model->world);
    unsigned step = 1 + world_below(model->world, 9);
    unsigned value = world_below(model->world, WORLD_NAMES);
    for (unsigned i = 0; i < count; i++)
        model_set(model, (first + i * step) % WORLD_NAMES, (value + i * 5) % WORLD_NAMES);
}

static void remove_many(struct model *model)
{
    unsigned first = world_below(model->world, WORLD_NAMES);
    unsigned count = world_byte(model->world);
    unsigned step = 1 + world_below(model->world, 9);
    if (!world_affords(model->world, count * model->count / 16))
        return;
    for (unsigned i = 0; i < count; i++)
        model_remove(model, (first + i * step) % WORLD_NAMES);
}

static void begin_anew(struct model *model)
{
    rg_db_delete(model->world->db, key);
    model->entry = rg_db_put_hash(model->world->db, key);
    memset(model->values, 0, sizeof(model->values));
    model->count = 0;
}

/* As from a file; once with a field twice. */
static void take_run(struct model *model)
{
    struct rg_buf run = {0};
    unsigned first = world_below(model->world, WORLD_NAMES);
    unsigned count = 1 + world_byte(model->world);
    unsigned step = 1 + world_below(model->world, 7);
    bool twice = world_byte(model->world) % 8 == 7;
    begin_anew(model);
    rg_db_delete(model->world->db, key);
    for (unsigned i = 0; i < count; i++) {
        unsigned field = (first + i * step) % WORLD_NAMES;
        world_run_append(&run, world_name(field));
        world_run_append(&run, world_name(i));
        model->order[model->count++] = (uint16_t)field;
        model->values[field] = (uint16_t)(i + 1);
    }
    if (twice) {
        world_run_append(&run, world_name(first));
        world_run_append(&run, RG_BYTES("twice"));
    }
    int result =
        rg_db_put_hash_run(model->world->db, key, rg_buf_view(&run), count + twice, &model->entry);
    RG_ASSERT(result == (twice ? RG_EEXIST : 0));
    if (twice)
        begin_anew(model);
    rg_buf_fini(&run);
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
    case 2: {
        unsigned field = world_draw(world);
        model_set(model, field, world_draw(world));
        break;
    }
    case 3:
        model_remove(model, world_draw(world));
        break;
    case 4:
        set_many(model);
        break;
    case 5:
    case 6:
        remove_many(model);
        break;
    case 7:
        take_run(model);
        break;
    case 8:
        check_field(model, model->entry, world_draw(world));
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

void fuzz_hash(struct world *world)
{
    struct model *model = calloc(1, sizeof(*model));
    RG_ASSERT(model != NULL);
    model->world = world;
    begin_anew(model);
    while (world_more(world)) {
        model_do(model);
        RG_ASSERT(rg_hash_len(model->entry) == model->count);
    }
    check_all(model, model->entry);
    free(model);
}
