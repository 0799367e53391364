#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/zset.h"
#include "store_world.h"

/* Sorted sets: packed, and as a tree with its table. */

struct model {
    struct world *world;
    struct rg_entry *entry;
    unsigned count;
    bool in[WORLD_NAMES];
    double scores[WORLD_NAMES];
};

static const struct rg_bytes key = {"zset", 4};

static double draw_score(struct world *world)
{
    static const double odd[] = {INFINITY, -INFINITY, 0.5, -0.25, 1e300, 9007199254740993.0, -9e18};
    unsigned draw = world_byte(world);
    if (draw < 7)
        return odd[draw];
    if (draw < 128)
        return draw % 16;
    return ((double)draw - 190) * (draw % 3 == 0 ? 1000.5 : 70000);
}

static int compare_ids(const struct model *model, unsigned a, unsigned b)
{
    if (model->scores[a] != model->scores[b])
        return model->scores[a] < model->scores[b] ? -1 : 1;
    return rg_bytes_compare(world_name(a), world_name(b));
}

static void model_set(struct model *model, unsigned id, double score)
{
    bool is_new = rg_zset_set(model->world->db, &model->entry, world_name(id), score);
    RG_ASSERT(is_new == !model->in[id]);
    model->count += is_new;
    model->in[id] = true;
    model->scores[id] = score;
}

static void model_remove(struct model *model, unsigned id)
{
    bool was = rg_zset_remove(model->world->db, &model->entry, world_name(id));
    RG_ASSERT(was == model->in[id]);
    model->count -= was;
    model->in[id] = false;
}

/* ---- Looking ---- */

static void check_member(struct model *model, unsigned id)
{
    double score = 0;
    uint64_t rank = 0;
    uint64_t want = 0;
    RG_ASSERT(rg_zset_score(model->entry, world_name(id), &score) == model->in[id]);
    RG_ASSERT(!model->in[id] || score == model->scores[id]);
    if (!world_affords(model->world, WORLD_NAMES / 8))
        return;
    RG_ASSERT(rg_zset_rank(model->entry, world_name(id), &rank) == model->in[id]);
    if (!model->in[id])
        return;
    for (unsigned i = 0; i < WORLD_NAMES; i++)
        want += model->in[i] && compare_ids(model, i, id) < 0;
    RG_ASSERT(rank == want);
}

static void check_counts(struct model *model, double score)
{
    uint64_t below = 0;
    uint64_t through = 0;
    if (!world_affords(model->world, WORLD_NAMES / 8))
        return;
    for (unsigned i = 0; i < WORLD_NAMES; i++) {
        below += model->in[i] && model->scores[i] < score;
        through += model->in[i] && model->scores[i] <= score;
    }
    RG_ASSERT(rg_zset_count_below(model->entry, score, false) == below);
    RG_ASSERT(rg_zset_count_below(model->entry, score, true) == through);
}

/* Where all scores are equal. */
static void check_before(struct model *model, unsigned id)
{
    uint64_t before = 0;
    if (!world_affords(model->world, WORLD_NAMES / 8))
        return;
    for (unsigned i = 0; i < WORLD_NAMES; i++) {
        if (!model->in[i])
            continue;
        if (model->scores[i] != 1)
            return;
        before += rg_bytes_compare(world_name(i), world_name(id)) < 0;
    }
    RG_ASSERT(rg_zset_count_before(model->entry, world_name(id), false) == before);
    RG_ASSERT(rg_zset_count_before(model->entry, world_name(id), true) == before + model->in[id]);
}

/* From a rank on, members follow each other in order, and all of them are the model's. */
static void check_walk(const struct model *model, const struct rg_entry *entry, uint64_t rank,
                       bool backward)
{
    struct rg_zset_iter iter;
    struct rg_bytes member;
    double score = 0;
    char last[WORLD_NAME_CHARS];
    size_t last_len = 0;
    double last_score = 0;
    uint64_t want = backward ? rank + 1 : model->count - rank;
    uint64_t count = 0;
    if (model->count == 0)
        return;
    rg_zset_iter_init(&iter, entry, rank, backward);
    for (; rg_zset_iter_next(&iter, &member, &score); count++) {
        struct rg_bytes before = rg_bytes(last, last_len);
        int order =
            last_score == score ? rg_bytes_compare(before, member) : (last_score < score ? -1 : 1);
        RG_ASSERT(count == 0 || (backward ? order > 0 : order < 0));
        RG_ASSERT(member.len < WORLD_NAME_CHARS);
        memcpy(last, member.data, member.len);
        last_len = member.len;
        last_score = score;
    }
    RG_ASSERT(count == want);
}

static void check_all(const struct model *model, const struct rg_entry *entry)
{
    RG_ASSERT(rg_zset_len(entry) == model->count);
    for (unsigned id = 0; id < WORLD_NAMES; id++) {
        double score = 0;
        RG_ASSERT(rg_zset_score(entry, world_name(id), &score) == model->in[id]);
        RG_ASSERT(!model->in[id] || score == model->scores[id]);
    }
    check_walk(model, entry, 0, false);
    check_walk(model, entry, model->count > 0 ? model->count - 1 : 0, true);
}

static void scan_visit(void *arg, struct rg_bytes member, double score)
{
    double found = 0;
    RG_ASSERT(rg_zset_score(((struct model *)arg)->entry, member, &found) && found == score);
}

static void check_scan(struct model *model)
{
    uint64_t cursor = 0;
    do
        cursor = rg_zset_scan(model->entry, cursor, 10, scan_visit, model);
    while (cursor != 0);
}

static void check_random(struct model *model)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_bytes member;
    double score = 0;
    double found = 0;
    if (model->count == 0)
        return;
    rg_zset_random(model->entry, &model->world->rand, scratch, &member, &score);
    RG_ASSERT(rg_zset_score(model->entry, member, &found) && found == score);
}

/* ---- Many at once ---- */

static void set_many(struct model *model)
{
    unsigned first = world_below(model->world, WORLD_NAMES);
    unsigned count = world_byte(model->world);
    unsigned step = 1 + world_below(model->world, 9);
    double score = draw_score(model->world);
    double rise = step % 3 == 0 ? 0 : 0.5 * (int)(step - 5);
    for (unsigned i = 0; i < count; i++)
        model_set(model, (first + i * step) % WORLD_NAMES, score + rise * i);
}

static void remove_many(struct model *model)
{
    unsigned first = world_below(model->world, WORLD_NAMES);
    unsigned count = world_byte(model->world);
    unsigned step = 1 + world_below(model->world, 9);
    for (unsigned i = 0; i < count; i++)
        model_remove(model, (first + i * step) % WORLD_NAMES);
}

static void remove_ranks(struct model *model)
{
    struct rg_zset_iter iter;
    struct rg_bytes member;
    double score = 0;
    uint64_t rank = model->count == 0 ? 0 : world_below(model->world, model->count);
    uint64_t most = model->count - rank;
    uint64_t count = world_byte(model->world);
    count = count < most ? count : most;
    if (count == 0 || !world_affords(model->world, WORLD_NAMES / 4 * (unsigned)count / 8))
        return;
    rg_zset_iter_init(&iter, model->entry, rank, false);
    for (uint64_t i = 0; i < count; i++) {
        RG_ASSERT(rg_zset_iter_next(&iter, &member, &score));
        unsigned id = world_id(member);
        RG_ASSERT(id < WORLD_NAMES && model->in[id] && model->scores[id] == score);
        model->in[id] = false;
        model->count--;
    }
    rg_zset_remove_ranks(model->world->db, &model->entry, rank, count);
}

static void begin_anew(struct model *model, uint64_t expected, size_t longest)
{
    rg_db_delete(model->world->db, key);
    memset(model->in, 0, sizeof(model->in));
    model->count = 0;
    model->entry = rg_db_put_zset(model->world->db, key);
    if (expected > 0)
        rg_zset_expect(model->world->db, &model->entry, expected, longest);
}

/* As from a file: in order or not, once with a member twice. */
static void take_run(struct model *model)
{
    struct rg_buf run = {0};
    unsigned first = world_below(model->world, WORLD_NAMES);
    unsigned count = 1 + world_byte(model->world);
    unsigned kind = world_byte(model->world);
    static const char *const scores[] = {"1", "1", "0.5", "-3", "1e3", "inf"};
    begin_anew(model, 0, 0);
    rg_db_delete(model->world->db, key);
    for (unsigned i = 0; i < count; i++) {
        unsigned id = (first + i) % WORLD_NAMES;
        const char *score = scores[kind % 2 ? i * kind % 6 : 0];
        world_run_append(&run, world_name(id));
        world_run_append(&run, rg_bytes_str(score));
        model->in[id] = true;
        model->scores[id] = strtod(score, NULL);
    }
    model->count = count;
    bool twice = kind % 16 == 15;
    if (twice) {
        world_run_append(&run, world_name(first));
        world_run_append(&run, RG_BYTES("7"));
    }
    int result =
        rg_db_put_zset_run(model->world->db, key, rg_buf_view(&run), count + twice, &model->entry);
    RG_ASSERT(result == (twice ? RG_EEXIST : 0));
    if (twice)
        begin_anew(model, 0, 0);
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
    switch (world_byte(world) % 16) {
    case 0:
    case 1:
    case 2: {
        unsigned id = world_draw(world);
        model_set(model, id, draw_score(world));
        break;
    }
    case 3:
        model_remove(model, world_draw(world));
        break;
    case 4:
    case 5:
        set_many(model);
        break;
    case 6:
        remove_many(model);
        break;
    case 7:
        remove_ranks(model);
        break;
    case 8:
        check_member(model, world_draw(world));
        break;
    case 9:
        check_counts(model, draw_score(world));
        break;
    case 10:
        check_before(model, world_draw(world));
        break;
    case 11:
        copy(model);
        break;
    case 12:
        take_run(model);
        break;
    case 13:
        check_random(model);
        if (world_affords(world, model->count))
            check_scan(model);
        break;
    case 14:
        begin_anew(model, world_below(world, 65536), world_byte(world));
        break;
    default:
        world_change_limits(world);
        rg_store_free_step(world->store, world_byte(world));
        break;
    }
}

void fuzz_zset(struct world *world)
{
    struct model *model = calloc(1, sizeof(*model));
    RG_ASSERT(model != NULL);
    model->world = world;
    begin_anew(model, 0, 0);
    while (world_more(world)) {
        model_do(model);
        RG_ASSERT(rg_zset_len(model->entry) == model->count);
    }
    check_all(model, model->entry);
    free(model);
}
