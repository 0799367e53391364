#include <stdlib.h>
#include <string.h>

#include "store/list.h"
#include "store_world.h"

/* Lists: one chunk, and a directory of them. */

enum { LIST_MAX = 6000 };

struct model {
    struct world *world;
    struct rg_entry *entry;
    unsigned len;
    uint16_t ids[LIST_MAX];
};

static const struct rg_bytes key = {"list", 4};

static void model_insert(struct model *model, unsigned index, unsigned id)
{
    memmove(model->ids + index + 1, model->ids + index,
            (model->len - index) * sizeof(model->ids[0]));
    model->ids[index] = (uint16_t)id;
    model->len++;
}

static void model_delete(struct model *model, unsigned index, unsigned count)
{
    memmove(model->ids + index, model->ids + index + count,
            (model->len - index - count) * sizeof(model->ids[0]));
    model->len -= count;
}

static void check_all(const struct model *model, const struct rg_entry *entry)
{
    struct rg_list_iter iter;
    struct rg_bytes element;
    RG_ASSERT(rg_list_len(entry) == model->len);
    rg_list_check(entry);
    if (model->len == 0)
        return;
    rg_list_iter_init(&iter, entry, 0, false);
    for (unsigned i = 0; i < model->len; i++)
        RG_ASSERT(rg_list_iter_next(&iter, &element) &&
                  rg_bytes_equal(element, world_name(model->ids[i])));
    RG_ASSERT(!rg_list_iter_next(&iter, &element));
    rg_list_iter_init(&iter, entry, model->len - 1, true);
    for (unsigned i = model->len; i-- > 0;)
        RG_ASSERT(rg_list_iter_next(&iter, &element) &&
                  rg_bytes_equal(element, world_name(model->ids[i])));
    RG_ASSERT(!rg_list_iter_next(&iter, &element));
}

/* A few steps from somewhere. */
static void check_some(struct model *model)
{
    struct rg_list_iter iter;
    struct rg_bytes element;
    bool backward = world_byte(model->world) % 2;
    if (model->len == 0)
        return;
    unsigned index = world_below(model->world, model->len);
    rg_list_iter_init(&iter, model->entry, index, backward);
    for (unsigned i = 0; i < 20; i++) {
        bool beyond = backward ? i > index : index + i >= model->len;
        RG_ASSERT(rg_list_iter_next(&iter, &element) == !beyond);
        if (beyond)
            break;
        unsigned id = model->ids[backward ? index - i : index + i];
        RG_ASSERT(rg_bytes_equal(element, world_name(id)));
    }
}

static void check_get(struct model *model)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_bytes element;
    int64_t index = (int64_t)world_below(model->world, 65536) - 32768;
    if (model->len > 0)
        index %= model->len + 2;
    bool there = index >= 0 ? index < model->len : -index <= model->len;
    RG_ASSERT(rg_list_get(model->entry, index, scratch, &element) == there);
    if (there) {
        unsigned id = model->ids[index >= 0 ? index : model->len + index];
        RG_ASSERT(rg_bytes_equal(element, world_name(id)));
    }
}

static void push_many(struct model *model, enum rg_list_end end)
{
    unsigned id = world_below(model->world, WORLD_NAMES);
    unsigned count = world_byte(model->world);
    unsigned step = world_byte(model->world);
    for (unsigned i = 0; i < count && model->len < LIST_MAX; i++) {
        rg_list_push(model->world->db, &model->entry, end, world_name(id));
        model_insert(model, end == RG_LIST_HEAD ? 0 : model->len, id);
        id = (id + step) % WORLD_NAMES;
    }
}

static void insert(struct model *model)
{
    unsigned index = world_below(model->world, model->len + 1);
    unsigned id = world_below(model->world, WORLD_NAMES);
    if (model->len == LIST_MAX)
        return;
    rg_list_insert(model->world->db, &model->entry, index, world_name(id));
    model_insert(model, index, id);
}

static void set(struct model *model)
{
    int64_t index = world_below(model->world, LIST_MAX);
    unsigned id = world_below(model->world, WORLD_NAMES);
    if (model->len > 0 && index % 8 > 0)
        index %= model->len;
    bool there = index < model->len;
    RG_ASSERT(rg_list_set(model->world->db, &model->entry, index, world_name(id)) == there);
    if (there)
        model->ids[index] = (uint16_t)id;
}

static void delete_some(struct model *model)
{
    unsigned index = world_below(model->world, model->len + 1);
    unsigned most = model->len - index;
    unsigned count = world_byte(model->world);
    count = count > 200 ? count * 20 : count;
    count = count < most ? count : most;
    rg_list_delete(model->world->db, &model->entry, index, count);
    model_delete(model, index, count);
}

static void delete_equal(struct model *model)
{
    unsigned id = world_below(model->world, WORLD_NAMES);
    enum rg_list_end from = world_byte(model->world) % 2 ? RG_LIST_HEAD : RG_LIST_TAIL;
    uint64_t max = world_byte(model->world);
    uint64_t want = 0;
    if (!world_affords(model->world, model->len / 8))
        return;
    if (model->len > 0 && id % 4 > 0)
        id = model->ids[id % model->len];
    max = max > 100 ? UINT64_MAX : max;
    uint64_t removed =
        rg_list_delete_equal(model->world->db, &model->entry, world_name(id), from, max);
    for (unsigned i = 0; i < model->len && want < max;) {
        unsigned at = from == RG_LIST_HEAD ? i : model->len - 1 - i;
        if (model->ids[at] == id) {
            model_delete(model, at, 1);
            want++;
        } else {
            i++;
        }
    }
    RG_ASSERT(removed == want);
}

static void append_run(struct model *model)
{
    struct rg_buf run = {0};
    unsigned id = world_below(model->world, WORLD_NAMES);
    unsigned count = world_byte(model->world);
    if (model->len + count > LIST_MAX)
        return;
    for (unsigned i = 0; i < count; i++) {
        world_run_append(&run, world_name(id));
        model->ids[model->len++] = (uint16_t)id;
        id = (id + 1) % WORLD_NAMES;
    }
    rg_list_append_run(model->world->db, &model->entry, rg_buf_view(&run), count);
    rg_buf_fini(&run);
}

static void begin_anew(struct model *model)
{
    rg_db_delete(model->world->db, key);
    model->entry = rg_db_put_list(model->world->db, key);
    model->len = 0;
}

static void copy(struct model *model)
{
    if (!world_affords(model->world, 2 * model->len))
        return;
    RG_ASSERT(rg_db_copy(model->world->db, key, model->world->db, RG_BYTES("copy")) == 0);
    check_all(model, rg_db_find(model->world->db, RG_BYTES("copy")));
    rg_db_delete(model->world->db, RG_BYTES("copy"));
}

static void model_do(struct model *model)
{
    switch (world_byte(model->world) % 16) {
    case 0:
    case 1:
        push_many(model, RG_LIST_HEAD);
        break;
    case 2:
    case 3:
        push_many(model, RG_LIST_TAIL);
        break;
    case 4:
    case 5:
    case 6:
        insert(model);
        break;
    case 7:
        set(model);
        break;
    case 8:
    case 9:
        delete_some(model);
        break;
    case 10:
        delete_equal(model);
        break;
    case 11:
        append_run(model);
        break;
    case 12:
        check_some(model);
        check_get(model);
        break;
    case 13:
        copy(model);
        break;
    case 14:
        world_change_limits(model->world);
        break;
    default:
        if (world_byte(model->world) < 32)
            begin_anew(model);
        rg_store_free_step(model->world->store, world_byte(model->world));
        break;
    }
}

void fuzz_list(struct world *world)
{
    struct model *model = calloc(1, sizeof(*model));
    RG_ASSERT(model != NULL);
    model->world = world;
    begin_anew(model);
    while (world_more(world)) {
        model_do(model);
        RG_ASSERT(rg_list_len(model->entry) == model->len);
    }
    check_all(model, model->entry);
    free(model);
}
