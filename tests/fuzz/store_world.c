#include "store_world.h"

#include <stdio.h>
#include <string.h>

#include "base/element.h"

/* Written once, read by every run: a name is asked for very often. */
static struct {
    char text[WORLD_NAME_CHARS];
    size_t len;
} names[WORLD_NAMES];

static size_t name_write(unsigned id, char *out)
{
    static const int64_t widths[] = {1, 50, 3000, 400000, 70000000, INT64_C(1) << 40};
    unsigned number = id / 4;
    int64_t integer = (int64_t)(number + 1) * widths[number % 6];
    switch (id % 4) {
    case 0: /* two may be equal: see names_init */
        return (size_t)snprintf(out, WORLD_NAME_CHARS, "%lld",
                                (long long)(number % 2 ? -integer : integer));
    case 1:
        return (size_t)snprintf(out, WORLD_NAME_CHARS, "m%u", number);
    case 2:
        return (size_t)snprintf(out, WORLD_NAME_CHARS, "%0*u:", 20 + (int)number % 100, number);
    default: /* like an integer, and none */
        return (size_t)snprintf(out, WORLD_NAME_CHARS, "%s%u", number % 2 ? "0" : "-0", number);
    }
}

static void names_init(void)
{
    if (names[0].len > 0)
        return;
    for (unsigned id = 0; id < WORLD_NAMES; id++) {
        names[id].len = name_write(id, names[id].text);
        for (unsigned other = 0; other < id; other++) {
            if (names[other].len != names[id].len ||
                memcmp(names[other].text, names[id].text, names[id].len) != 0)
                continue;
            names[id].len = (size_t)snprintf(names[id].text, WORLD_NAME_CHARS, "twin %u", id);
            break;
        }
    }
}

struct rg_bytes world_name(unsigned id)
{
    return rg_bytes(names[id].text, names[id].len);
}

unsigned world_draw(struct world *world)
{
    enum { FEW = 24 };
    unsigned high = world_byte(world);
    unsigned low = world_byte(world);
    return high >= 128 ? low % FEW : (high << 8 | low) % WORLD_NAMES;
}

unsigned world_id(struct rg_bytes name)
{
    for (unsigned id = 0; id < WORLD_NAMES; id++) {
        if (rg_bytes_equal(world_name(id), name))
            return id;
    }
    return WORLD_NAMES;
}

static struct rg_store_limits draw_limits(struct world *world)
{
    static const uint64_t entries[] = {128, 0, 4, 40, 1000};
    static const uint64_t values[] = {64, 8, 0, 200};
    static const int64_t sizes[] = {-2, -1, 1, 3, 60, -5};
    unsigned draw = world_byte(world);
    return (struct rg_store_limits){
        .hash_max_listpack_entries = entries[draw % 5],
        .hash_max_listpack_value = values[draw / 5 % 4],
        .list_max_listpack_size = sizes[draw % 6],
        .set_max_intset_entries = entries[draw % 5],
        .zset_max_listpack_entries = entries[draw % 5],
        .zset_max_listpack_value = values[draw / 5 % 4],
    };
}

void world_init(struct world *world, const uint8_t *data, size_t size)
{
    enum { BUDGET = 30000 };
    names_init();
    *world = (struct world){.at = data, .end = size > 0 ? data + size : data, .budget = BUDGET};
    struct rg_store_limits limits = draw_limits(world);
    unsigned seed = world_byte(world);
    rg_rand_init(&world->rand, seed);
    world->store = rg_store_new(2, seed, &limits);
    world->db = rg_store_db(world->store, 0);
    world->empty_memory = rg_store_memory(world->store);
}

void world_fini(struct world *world)
{
    for (unsigned i = 0; i < rg_store_databases(world->store); i++)
        rg_db_flush(rg_store_db(world->store, i));
    while (rg_store_free_step(world->store, 1 + rg_rand_below(&world->rand, 1000)))
        ;
    RG_ASSERT(rg_store_memory(world->store) == world->empty_memory);
    rg_store_free(world->store);
}

void world_change_limits(struct world *world)
{
    struct rg_store_limits limits = draw_limits(world);
    rg_store_set_limits(world->store, &limits);
}

void world_run_append(struct rg_buf *run, struct rg_bytes text)
{
    struct rg_element code;
    rg_element_of_text(&code, text);
    size_t size = rg_element_size(&code);
    char *out = rg_buf_reserve(run, size + rg_element_back_size(size));
    rg_element_back_write(rg_element_write(out, &code), size);
    rg_buf_commit(run, size + rg_element_back_size(size));
}
