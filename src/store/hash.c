#include "base/panic.h"
#include "store/db.h"
#include "store/fields.h"
#include "store/packed.h"
#include "store/run.h"

static struct rg_packed *packed_of(const struct rg_entry *entry)
{
    RG_ASSERT(entry->form == RG_FORM_PACKED);
    return rg_entry_value(entry)->pointer;
}

static struct rg_fields *fields_of(const struct rg_entry *entry)
{
    RG_ASSERT(entry->form == RG_FORM_TABLE);
    return rg_entry_value(entry)->pointer;
}

/* ---- Forms ---- */

static void packed_form_free(struct rg_pool *pool, void *value)
{
    rg_packed_free(pool, value);
}

static uint64_t packed_form_memory(const void *value)
{
    return rg_packed_memory(value);
}

static void *packed_form_copy(struct rg_pool *pool, const void *value)
{
    return rg_packed_copy(pool, value);
}

static void table_form_free(struct rg_pool *pool, void *value)
{
    (void)pool; /* the table knows it */
    rg_fields_free(value);
}

static uint64_t table_form_memory(const void *value)
{
    return rg_fields_memory(value);
}

static uint64_t table_form_elements(const void *value)
{
    const struct rg_fields *fields = value;
    return fields->table.count;
}

static bool table_form_free_step(struct rg_pool *pool, void *value, uint64_t *budget)
{
    (void)pool;
    return rg_fields_free_step(value, budget);
}

static void *table_form_copy(struct rg_pool *pool, const void *value)
{
    return rg_fields_copy(pool, value);
}

const struct rg_form_ops rg_form_packed = {.type = RG_TYPE_HASH,
                                           .encoding = "listpack",
                                           .free = packed_form_free,
                                           .memory = packed_form_memory,
                                           .copy = packed_form_copy};
const struct rg_form_ops rg_form_table = {.type = RG_TYPE_HASH,
                                          .encoding = "hashtable",
                                          .free = table_form_free,
                                          .memory = table_form_memory,
                                          .copy = table_form_copy,
                                          .elements = table_form_elements,
                                          .free_step = table_form_free_step,
                                          .capture = &rg_capture_fields};

/* ---- Whole hashes ---- */

/* Takes over the row of pairs. */
static struct rg_entry *packed_put(struct rg_db *db, struct rg_bytes key, struct rg_packed *packed)
{
    struct rg_entry *entry = rg_entry_new(rg_db_pool(db), key, RG_FORM_PACKED, 0, false);
    rg_entry_value(entry)->pointer = packed;
    rg_db_put_entry(db, entry);
    return entry;
}

struct rg_entry *rg_db_put_hash(struct rg_db *db, struct rg_bytes key)
{
    return packed_put(db, key, rg_packed_new(rg_db_pool(db)));
}

uint64_t rg_hash_len(const struct rg_entry *entry)
{
    if (entry->form == RG_FORM_PACKED)
        return packed_of(entry)->count;
    return fields_of(entry)->table.count;
}

/* ---- Single fields ---- */

bool rg_hash_get(const struct rg_entry *entry, struct rg_bytes field,
                 char scratch[RG_STRING_SCRATCH], struct rg_bytes *ret_value)
{
    if (entry->form == RG_FORM_PACKED) {
        struct rg_element coded;
        if (field.len > RG_PACKED_MAX)
            return false;
        rg_element_of_text(&coded, field);
        const char *at = rg_packed_find(packed_of(entry), &coded);
        if (at != NULL)
            rg_element_read(rg_packed_value(at), scratch, ret_value);
        return at != NULL;
    }
    const char *at = rg_fields_find(fields_of(entry), field);
    if (at == NULL)
        return false;
    struct rg_pair pair;
    rg_pair_read(at, &pair);
    *ret_value = pair.value;
    return true;
}

/* Reads a packed pair; returns the byte behind it. */
static const char *packed_pair(const char *at, struct rg_hash_scratch *scratch,
                               struct rg_pair *ret_pair)
{
    at = rg_element_read(at, scratch->field, &ret_pair->field);
    return rg_element_read(at, scratch->value, &ret_pair->value);
}

/* For good: a hash that shrinks again stays a table, as in Redis. */
static void hash_unpack(struct rg_db *db, struct rg_entry *entry)
{
    struct rg_packed *packed = packed_of(entry);
    struct rg_fields *fields = rg_fields_new(rg_db_pool(db), db->store->seed);
    const char *at = packed->data;
    for (uint32_t i = 0; i < packed->count; i++) {
        struct rg_hash_scratch scratch;
        struct rg_pair pair;
        at = packed_pair(at, &scratch, &pair);
        rg_fields_set(fields, pair.field, pair.value);
    }
    entry->form = RG_FORM_TABLE;
    rg_entry_value(entry)->pointer = fields;
    rg_packed_free(rg_db_pool(db), packed);
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
    /* A head for each is as much as their codes are longer than they. */
    return packed->len + field.len + value.len + 2 * (size_t)RG_ELEMENT_HEAD_MAX <= RG_PACKED_MAX;
}

/* Returns 1 where the field was new, 0 where it had a value, -1 where the hash has to be unpacked.
 */
static int packed_set(struct rg_db *db, struct rg_entry *entry, struct rg_bytes field,
                      struct rg_bytes value)
{
    struct rg_packed *packed = packed_of(entry);
    struct rg_element coded_field;
    struct rg_element coded;
    if (field.len > RG_PACKED_MAX)
        return -1;
    rg_element_of_text(&coded_field, field);
    const char *at = rg_packed_find(packed, &coded_field);
    if (!packed_may_hold(packed, &db->store->limits, field, value, at == NULL))
        return -1;
    rg_element_of_text(&coded, value);
    packed = at != NULL ? rg_packed_replace(rg_db_pool(db), packed, at, &coded)
                        : rg_packed_append(rg_db_pool(db), packed, &coded_field, &coded);
    rg_entry_value(entry)->pointer = packed;
    return at == NULL ? 1 : 0;
}

bool rg_hash_set(struct rg_db *db, struct rg_entry **entry, struct rg_bytes field,
                 struct rg_bytes value)
{
    struct rg_entry *hash = *entry;
    rg_db_before_change(db, hash);
    if (hash->form == RG_FORM_PACKED) {
        int added = packed_set(db, hash, field, value);
        if (added >= 0)
            return added > 0;
        hash_unpack(db, hash);
    }
    return rg_fields_set(fields_of(hash), field, value);
}

bool rg_hash_delete(struct rg_db *db, struct rg_entry **entry, struct rg_bytes field)
{
    struct rg_entry *hash = *entry;
    rg_db_before_change(db, hash);
    struct rg_element coded;
    if (hash->form != RG_FORM_PACKED)
        return rg_fields_remove(fields_of(hash), field);
    if (field.len > RG_PACKED_MAX)
        return false;
    rg_element_of_text(&coded, field);
    const char *at = rg_packed_find(packed_of(hash), &coded);
    if (at != NULL)
        rg_entry_value(hash)->pointer = rg_packed_remove(rg_db_pool(db), packed_of(hash), at);
    return at != NULL;
}

static int run_set_each(struct rg_db *db, struct rg_bytes key, struct rg_bytes run,
                        struct rg_entry **ret_entry)
{
    struct rg_entry *entry = rg_db_put_hash(db, key);
    for (const char *at = run.data; at < run.data + run.len;) {
        struct rg_hash_scratch scratch;
        struct rg_pair pair;
        const char *value = rg_element_skip_both(at);
        rg_element_read(at, scratch.field, &pair.field);
        rg_element_read(value, scratch.value, &pair.value);
        if (!rg_hash_set(db, &entry, pair.field, pair.value)) {
            rg_db_delete(db, key);
            return RG_EEXIST;
        }
        at = rg_element_skip_both(value);
    }
    *ret_entry = entry;
    return 0;
}

int rg_db_put_hash_run(struct rg_db *db, struct rg_bytes key, struct rg_bytes run, uint64_t pairs,
                       struct rg_entry **ret_entry)
{
    const struct rg_store_limits *limits = &db->store->limits;
    size_t len = 0;
    int result = RG_EINVAL;
    if (pairs <= limits->hash_max_listpack_entries && run.len <= RG_PACKED_MAX)
        result =
            rg_run_judge(run, pairs, limits->hash_max_listpack_value, false, db->store->seed, &len);
    if (result < 0)
        return result == RG_EEXIST ? RG_EEXIST : run_set_each(db, key, run, ret_entry);
    *ret_entry = packed_put(db, key, rg_packed_of_run(rg_db_pool(db), run, (uint32_t)pairs, len));
    return 0;
}

/* ---- Many fields ---- */

void rg_hash_iter_init(struct rg_hash_iter *iter, const struct rg_entry *entry)
{
    iter->entry = entry;
    memset(iter->position, 0, sizeof(iter->position));
}

bool rg_hash_iter_next(struct rg_hash_iter *iter, struct rg_bytes *ret_field,
                       struct rg_bytes *ret_value)
{
    struct rg_pair pair;
    if (iter->entry->form == RG_FORM_PACKED) {
        const struct rg_packed *packed = packed_of(iter->entry);
        if (iter->position[0] == packed->len)
            return false;
        const char *end = packed_pair(packed->data + iter->position[0], &iter->scratch, &pair);
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

void rg_hash_random(const struct rg_entry *entry, struct rg_rand *rand,
                    struct rg_hash_scratch *scratch, struct rg_bytes *ret_field,
                    struct rg_bytes *ret_value)
{
    struct rg_pair pair = {0};
    RG_ASSERT(rg_hash_len(entry) > 0);
    if (entry->form == RG_FORM_PACKED) {
        const char *at = packed_of(entry)->data;
        for (uint64_t left = rg_rand_below(rand, rg_hash_len(entry)); left > 0; left--)
            at = rg_packed_next(at);
        packed_pair(at, scratch, &pair);
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
