#include <stdlib.h>
#include <string.h>

#include "store_world.h"

/* Databases: keys with strings in all their forms, expiries, moving, copying, flushing. */

enum { KEYS = 256, TEXT_MAX = 700, DBS = 2 };

struct key {
    bool there;
    int64_t expire_ms;
    size_t len;
    char text[TEXT_MAX];
};

struct model {
    struct world *world;
    unsigned count[DBS];
    struct key keys[DBS][KEYS];
};

static struct rg_db *db_of(const struct model *model, unsigned db)
{
    return rg_store_db(model->world->store, db);
}

static void check_key(const struct model *model, unsigned db, unsigned id)
{
    char scratch[RG_STRING_SCRATCH];
    const struct key *key = &model->keys[db][id];
    const struct rg_entry *entry = rg_db_find(db_of(model, db), world_name(id));
    RG_ASSERT((entry != NULL) == key->there);
    if (entry == NULL)
        return;
    RG_ASSERT(rg_bytes_equal(rg_entry_key(entry), world_name(id)));
    RG_ASSERT(rg_string_len(entry) == key->len);
    RG_ASSERT(rg_bytes_equal(rg_string_get(entry, scratch), rg_bytes(key->text, key->len)));
    RG_ASSERT(rg_entry_expire_ms(entry) == key->expire_ms);
}

static void model_put(struct model *model, unsigned db, unsigned id, struct rg_bytes text)
{
    struct key *key = &model->keys[db][id];
    model->count[db] += !key->there;
    key->there = true;
    key->expire_ms = RG_NO_EXPIRY;
    key->len = text.len;
    memcpy(key->text, text.data, text.len);
}

static void model_drop(struct model *model, unsigned db, unsigned id)
{
    model->count[db] -= model->keys[db][id].there;
    model->keys[db][id].there = false;
}

static void put(struct model *model, unsigned db, unsigned id)
{
    char text[TEXT_MAX];
    struct world *world = model->world;
    unsigned kind = world_byte(world);
    if (kind < 100) {
        struct rg_bytes name = world_name(world_below(world, WORLD_NAMES));
        rg_db_put_string(db_of(model, db), world_name(id), name);
        model_put(model, db, id, name);
        return;
    }
    size_t len = kind < 200 ? kind - 100 : (kind - 199) * 12;
    memset(text, 'a' + (int)(kind % 26), len);
    rg_db_put_string(db_of(model, db), world_name(id), rg_bytes(text, len));
    model_put(model, db, id, rg_bytes(text, len));
}

/* Changes a string that is there in one of the ways there are. */
static void change(struct model *model, unsigned db, unsigned id)
{
    struct world *world = model->world;
    struct key *key = &model->keys[db][id];
    struct rg_entry *entry = rg_db_find_for_write(db_of(model, db), world_name(id));
    struct rg_bytes name = world_name(world_below(world, WORLD_NAMES));
    unsigned kind = world_byte(world);
    size_t offset = kind * 2;
    RG_ASSERT((entry != NULL) == key->there);
    if (entry == NULL)
        return;
    if (kind % 4 == 0 && key->len + name.len <= TEXT_MAX) {
        RG_ASSERT(rg_string_append(db_of(model, db), &entry, name) == 0);
        memcpy(key->text + key->len, name.data, name.len);
        key->len += name.len;
    } else if (kind % 4 == 1 && offset + name.len <= TEXT_MAX) {
        RG_ASSERT(rg_string_write_at(db_of(model, db), &entry, offset, name) == 0);
        if (offset > key->len)
            memset(key->text + key->len, 0, offset - key->len);
        memcpy(key->text + offset, name.data, name.len);
        key->len = key->len > offset + name.len ? key->len : offset + name.len;
    } else if (kind % 4 == 2) {
        rg_string_replace(db_of(model, db), &entry, name);
        key->len = name.len;
        memcpy(key->text, name.data, name.len);
    } else {
        rg_string_rewrite(db_of(model, db), &entry, name);
        key->len = name.len;
        memcpy(key->text, name.data, name.len);
    }
    check_key(model, db, id);
}

static void expire(struct model *model, unsigned db, unsigned id)
{
    struct rg_entry *entry = rg_db_find_for_write(db_of(model, db), world_name(id));
    unsigned draw = world_byte(model->world);
    int64_t at_ms = draw < 64 ? RG_NO_EXPIRY : (int64_t)draw % 50;
    if (entry == NULL)
        return;
    rg_entry_set_expire_ms(db_of(model, db), &entry, at_ms);
    model->keys[db][id].expire_ms = at_ms;
    check_key(model, db, id);
}

static void expire_many(struct model *model, unsigned db)
{
    unsigned count = world_byte(model->world) % 64;
    unsigned id = world_below(model->world, KEYS);
    for (unsigned i = 0; i < count; i++) {
        put(model, db, id);
        expire(model, db, id);
        id = (id + 3) % KEYS;
    }
}

/* What the index says beside what it should. */
static void check_expiries(const struct model *model, unsigned db)
{
    int64_t first = RG_NO_EXPIRY;
    uint64_t expiring = 0;
    for (unsigned id = 0; id < KEYS; id++) {
        const struct key *key = &model->keys[db][id];
        if (!key->there || key->expire_ms == RG_NO_EXPIRY)
            continue;
        expiring++;
        if (first == RG_NO_EXPIRY || key->expire_ms < first)
            first = key->expire_ms;
    }
    RG_ASSERT(rg_db_count_expiring(db_of(model, db)) == expiring);
    RG_ASSERT(rg_db_next_expire_ms(db_of(model, db)) == first);
    const struct rg_entry *due = rg_db_due(db_of(model, db), first);
    RG_ASSERT((due != NULL) == (first != RG_NO_EXPIRY));
    RG_ASSERT(due == NULL || rg_entry_expire_ms(due) == first);
    RG_ASSERT(rg_db_due(db_of(model, db), first - 1) == NULL);
}

static void drop_due(struct model *model, unsigned db)
{
    struct rg_entry *entry = rg_db_due(db_of(model, db), world_byte(model->world));
    if (entry == NULL)
        return;
    unsigned id = world_id(rg_entry_key(entry));
    RG_ASSERT(id < KEYS && model->keys[db][id].there);
    RG_ASSERT(rg_db_delete(db_of(model, db), world_name(id)));
    model_drop(model, db, id);
}

static void move(struct model *model, unsigned db, unsigned id)
{
    struct world *world = model->world;
    unsigned target = world_byte(world) % DBS;
    unsigned other = world_below(world, KEYS);
    bool copies = world_byte(world) % 2;
    struct key *from = &model->keys[db][id];
    if (target == db && other == id)
        return;
    int result =
        copies
            ? rg_db_copy(db_of(model, db), world_name(id), db_of(model, target), world_name(other))
            : rg_db_move(db_of(model, db), world_name(id), db_of(model, target), world_name(other));
    RG_ASSERT(result == (from->there ? 0 : RG_ENOENT));
    if (result < 0)
        return;
    model->count[target] += !model->keys[target][other].there;
    model->keys[target][other] = *from;
    if (!copies)
        model_drop(model, db, id);
    check_key(model, db, id);
    check_key(model, target, other);
}

static void swap(struct model *model)
{
    struct key keys[KEYS];
    rg_store_swap_dbs(model->world->store, 0, 1);
    memcpy(keys, model->keys[0], sizeof(keys));
    memcpy(model->keys[0], model->keys[1], sizeof(keys));
    memcpy(model->keys[1], keys, sizeof(keys));
    unsigned count = model->count[0];
    model->count[0] = model->count[1];
    model->count[1] = count;
}

static void flush(struct model *model, unsigned db)
{
    RG_ASSERT(rg_db_flush(db_of(model, db)) == model->count[db]);
    for (unsigned id = 0; id < KEYS; id++)
        model->keys[db][id].there = false;
    model->count[db] = 0;
}

static void check_all(const struct model *model)
{
    for (unsigned db = 0; db < DBS; db++) {
        struct rg_db_iter iter;
        unsigned count = 0;
        for (unsigned id = 0; id < KEYS; id++)
            check_key(model, db, id);
        check_expiries(model, db);
        rg_db_iter_init(&iter, db_of(model, db));
        while (rg_db_iter_next(&iter) != NULL)
            count++;
        RG_ASSERT(count == model->count[db]);
    }
}

static void model_do(struct model *model)
{
    struct world *world = model->world;
    unsigned op = world_byte(world);
    unsigned db = op >> 7;
    switch (op % 16) {
    case 0:
    case 1:
    case 2:
        put(model, db, world_below(world, KEYS));
        break;
    case 3:
    case 4:
        change(model, db, world_below(world, KEYS));
        break;
    case 5:
    case 6: {
        unsigned id = world_below(world, KEYS);
        RG_ASSERT(rg_db_delete(db_of(model, db), world_name(id)) == model->keys[db][id].there);
        model_drop(model, db, id);
        break;
    }
    case 7:
    case 8:
        expire(model, db, world_below(world, KEYS));
        break;
    case 9:
        expire_many(model, db);
        break;
    case 10:
        drop_due(model, db);
        break;
    case 11:
        if (world_affords(world, KEYS))
            check_expiries(model, db);
        break;
    case 12:
    case 13:
        move(model, db, world_below(world, KEYS));
        break;
    case 14:
        if (world_affords(world, 8 * KEYS))
            swap(model);
        break;
    default:
        if (world_byte(world) < 32)
            flush(model, db);
        rg_store_free_step(world->store, world_byte(world));
        break;
    }
}

void fuzz_keys(struct world *world)
{
    struct model *model = calloc(1, sizeof(*model));
    RG_ASSERT(model != NULL);
    model->world = world;
    while (world_more(world)) {
        model_do(model);
        for (unsigned db = 0; db < DBS; db++)
            RG_ASSERT(rg_db_count(db_of(model, db)) == model->count[db]);
    }
    check_all(model);
    free(model);
}
