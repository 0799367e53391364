#include "base/panic.h"
#include "store/db.h"
#include "store/fields.h"
#include "store/packed.h"

static struct rg_packed *packed_of(const struct rg_entry *entry)
{
    RG_ASSERT(entry->form == RG_FORM_PACKED);
    return rg_entry_value(entry)->packed;
}

static struct rg_fields *fields_of(const struct rg_entry *entry)
{
    RG_ASSERT(entry->form == RG_FORM_TABLE);
    return rg_entry_value(entry)->fields;
}

struct rg_entry *rg_db_put_hash(struct rg_db *db, struct rg_bytes key)
{
    struct rg_entry *entry = rg_entry_new(key, RG_FORM_PACKED, 0, false);
    rg_entry_value(entry)->packed = rg_packed_new();
    rg_db_put_entry(db, entry);
    return entry;
}

uint64_t rg_hash_len(const struct rg_entry *entry)
{
    if (entry->form == RG_FORM_PACKED)
        return packed_of(entry)->count;
    return fields_of(entry)->table.count;
}

/* ---- Single fields ---- */

static const char *pair_find(const struct rg_entry *entry, struct rg_bytes field)
{
    if (entry->form == RG_FORM_PACKED)
        return rg_packed_find(packed_of(entry), field);
    return rg_fields_find(fields_of(entry), field);
}

bool rg_hash_get(const struct rg_entry *entry, struct rg_bytes field, struct rg_bytes *ret_value)
{
    const char *at = pair_find(entry, field);
    if (at == NULL)
        return false;
    struct rg_pair pair;
    rg_pair_read(at, &pair);
    *ret_value = pair.value;
    return true;
}

/* For good: a hash that shrinks again stays a table, as in Redis. */
static void hash_unpack(struct rg_entry *entry, uint64_t seed)
{
    struct rg_packed *packed = packed_of(entry);
    struct rg_fields *fields = rg_fields_new(seed);
    const char *at = packed->data;
    for (uint32_t i = 0; i < packed->count; i++) {
        struct rg_pair pair;
        at = rg_pair_read(at, &pair);
        rg_fields_set(fields, pair.field, pair.value);
    }
    entry->form = RG_FORM_TABLE;
    rg_entry_value(entry)->fields = fields;
    rg_packed_free(packed);
}

/* Whether the hash stays packed with the pair in it; a new one adds to the count. */
static bool packed_may_hold(const struct rg_packed *packed, const struct rg_store_limits *limits,
                            struct rg_bytes field, struct rg_bytes value, bool is_new)
{
    if (field.len > limits->hash_max_listpack_value || value.len > limits->hash_max_listpack_value)
        return false;
    if (packed->count + (is_new ? 1 : 0) > limits->hash_max_listpack_entries)
        return false;
    if (field.len > RG_PACKED_MAX || value.len > RG_PACKED_MAX)
        return false;
    return packed->len + rg_pair_size(field, value) <= RG_PACKED_MAX;
}

/* at: of the pair, or NULL. Returns whether the field was new. */
static bool packed_set(struct rg_entry *entry, const char *at, struct rg_bytes field,
                       struct rg_bytes value)
{
    struct rg_packed *packed = packed_of(entry);
    packed =
        at != NULL ? rg_packed_replace(packed, at, value) : rg_packed_append(packed, field, value);
    rg_entry_value(entry)->packed = packed;
    return at == NULL;
}

bool rg_hash_set(struct rg_db *db, struct rg_entry **entry, struct rg_bytes field,
                 struct rg_bytes value)
{
    struct rg_entry *hash = *entry;
    rg_db_before_change(db, hash);
    uint64_t before = rg_entry_memory(hash, 0);
    bool is_new = false;
    const char *at = hash->form == RG_FORM_PACKED ? rg_packed_find(packed_of(hash), field) : NULL;
    if (hash->form == RG_FORM_PACKED &&
        packed_may_hold(packed_of(hash), &db->store->limits, field, value, at == NULL)) {
        is_new = packed_set(hash, at, field, value);
    } else {
        if (hash->form == RG_FORM_PACKED)
            hash_unpack(hash, db->store->seed);
        is_new = rg_fields_set(fields_of(hash), field, value);
    }
    rg_db_account(db, before, hash);
    return is_new;
}

bool rg_hash_delete(struct rg_db *db, struct rg_entry **entry, struct rg_bytes field)
{
    struct rg_entry *hash = *entry;
    rg_db_before_change(db, hash);
    uint64_t before = rg_entry_memory(hash, 0);
    bool deleted = false;
    if (hash->form == RG_FORM_PACKED) {
        const char *at = rg_packed_find(packed_of(hash), field);
        deleted = at != NULL;
        if (deleted)
            rg_entry_value(hash)->packed = rg_packed_remove(packed_of(hash), at);
    } else {
        deleted = rg_fields_remove(fields_of(hash), field);
    }
    rg_db_account(db, before, hash);
    return deleted;
}

/* ---- Many fields ---- */

void rg_hash_iter_init(struct rg_hash_iter *iter, const struct rg_entry *entry)
{
    *iter = (struct rg_hash_iter){.entry = entry};
}

bool rg_hash_iter_next(struct rg_hash_iter *iter, struct rg_bytes *ret_field,
                       struct rg_bytes *ret_value)
{
    struct rg_pair pair;
    if (iter->entry->form == RG_FORM_PACKED) {
        const struct rg_packed *packed = packed_of(iter->entry);
        if (iter->position[0] == packed->len)
            return false;
        const char *end = rg_pair_read(packed->data + iter->position[0], &pair);
        iter->position[0] = (uint64_t)(end - packed->data);
    } else {
        const char *at = rg_table_next(&fields_of(iter->entry)->table, iter->position);
        if (at == NULL)
            return false;
        rg_pair_read(at, &pair);
    }
    *ret_field = pair.field;
    *ret_value = pair.value;
    return true;
}

void rg_hash_random(const struct rg_entry *entry, struct rg_rand *rand, struct rg_bytes *ret_field,
                    struct rg_bytes *ret_value)
{
    struct rg_pair pair = {0};
    RG_ASSERT(rg_hash_len(entry) > 0);
    if (entry->form == RG_FORM_PACKED) {
        const char *at = packed_of(entry)->data;
        for (uint64_t left = rg_rand_below(rand, rg_hash_len(entry)) + 1; left > 0; left--)
            at = rg_pair_read(at, &pair);
    } else {
        rg_pair_read(rg_table_random(&fields_of(entry)->table, rand), &pair);
    }
    *ret_field = pair.field;
    *ret_value = pair.value;
}

struct scan {
    void (*visit)(void *arg, struct rg_bytes field, struct rg_bytes value);
    void *arg;
};

static void scan_visit(void *arg, void *item)
{
    const struct scan *scan = arg;
    struct rg_pair pair;
    rg_pair_read(item, &pair);
    scan->visit(scan->arg, pair.field, pair.value);
}

uint64_t rg_hash_scan(const struct rg_entry *entry, uint64_t cursor, uint64_t count,
                      void (*visit)(void *arg, struct rg_bytes field, struct rg_bytes value),
                      void *arg)
{
    if (entry->form == RG_FORM_TABLE) {
        struct scan scan = {.visit = visit, .arg = arg};
        return rg_table_scan(&fields_of(entry)->table, cursor, count, scan_visit, &scan);
    }
    struct rg_hash_iter iter;
    struct rg_bytes field;
    struct rg_bytes value;
    rg_hash_iter_init(&iter, entry);
    while (rg_hash_iter_next(&iter, &field, &value))
        visit(arg, field, value);
    return 0;
}
