#include "store/db.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "store/capture.h"
#include "store/doomed.h"

static struct rg_bytes item_key(const void *item)
{
    return rg_entry_key(item);
}

/* ---- The store ---- */

static void db_init(struct rg_db *db, struct rg_store *store)
{
    *db = (struct rg_db){.store = store};
    rg_table_init(&db->table, store->pool, store->seed, item_key);
    rg_expiry_init(&db->expiry, store->pool);
}

struct rg_store *rg_store_new(unsigned databases, uint64_t seed,
                              const struct rg_store_limits *limits)
{
    RG_ASSERT(databases > 0);
    struct rg_store *store = RG_NEW(struct rg_store);
    store->databases = databases;
    store->seed = seed;
    store->limits = *limits;
    store->pool = rg_pool_new();
    rg_store_forget_key(store);
    store->dbs = RG_NEW_ARRAY(struct rg_db, databases);
    for (unsigned i = 0; i < databases; i++)
        db_init(&store->dbs[i], store);
    return store;
}

static void store_free_one(struct rg_store *store)
{
    rg_store_snapshot_cancel(store);
    for (unsigned i = 0; i < store->databases; i++)
        rg_db_flush(&store->dbs[i]);
    rg_doomed_fini(store);
    RG_ASSERT(rg_pool_used(store->pool) == 0);
    rg_pool_delete(store->pool);
    rg_free(store->dbs);
    rg_free(store);
}

void rg_store_free(struct rg_store *store)
{
    while (store != NULL) {
        struct rg_store *next = store->buried;
        if (next != NULL)
            store->buried = next->next_buried;
        store_free_one(next != NULL ? next : store);
        if (next == NULL)
            break;
    }
}

void rg_store_set_limits(struct rg_store *store, const struct rg_store_limits *limits)
{
    store->limits = *limits;
}

unsigned rg_store_databases(const struct rg_store *store)
{
    return store->databases;
}

struct rg_db *rg_store_db(struct rg_store *store, unsigned index)
{
    RG_ASSERT(index < store->databases);
    return &store->dbs[index];
}

void rg_store_swap_dbs(struct rg_store *store, unsigned a, unsigned b)
{
    RG_ASSERT(a < store->databases && b < store->databases);
    /* The contents change places, so that a database that a caller holds keeps its number. */
    struct rg_db db = store->dbs[a];
    store->dbs[a] = store->dbs[b];
    store->dbs[b] = db;
}

uint64_t rg_store_count(const struct rg_store *store)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < store->databases; i++)
        count += rg_db_count(&store->dbs[i]);
    return count;
}

uint64_t rg_store_memory(const struct rg_store *store)
{
    uint64_t held = rg_pool_used(store->pool) - rg_capture_held(store);
    RG_ASSERT(held >= store->doomed_memory);
    return sizeof(*store) + store->databases * sizeof(*store->dbs) + held - store->doomed_memory;
}

void rg_store_slabs(const struct rg_store *store, uint64_t *ret_taken, uint64_t *ret_spare)
{
    *ret_taken = rg_pool_slabs(store->pool);
    *ret_spare = rg_pool_spare(store->pool);
    for (const struct rg_store *old = store->buried; old != NULL; old = old->next_buried) {
        *ret_taken += rg_pool_slabs(old->pool);
        *ret_spare += rg_pool_spare(old->pool);
    }
}

void rg_store_trim(struct rg_store *store)
{
    rg_pool_trim(store->pool);
}

void rg_db_overhead(const struct rg_db *db, uint64_t *ret_table, uint64_t *ret_expiry)
{
    *ret_table = rg_table_memory(&db->table);
    *ret_expiry = rg_expiry_memory(&db->expiry);
}

/* ---- Looking ahead ---- */

uint64_t rg_store_hash(const struct rg_store *store, struct rg_bytes key)
{
    return rg_table_hash(&store->dbs[0].table, key);
}

void rg_db_expect(struct rg_db *db, uint64_t keys)
{
    rg_table_expect(&db->table, keys);
}

void rg_db_prefetch_bucket(const struct rg_db *db, uint64_t hash)
{
    rg_table_prefetch_bucket(&db->table, hash);
}

void rg_db_prefetch_entry(const struct rg_db *db, uint64_t hash)
{
    rg_table_prefetch_items(&db->table, hash);
}

void rg_store_expect_key(struct rg_store *store, struct rg_bytes key, uint64_t hash)
{
    store->expected_key = key;
    store->expected_hash = hash;
}

void rg_store_forget_key(struct rg_store *store)
{
    store->expected_key = (struct rg_bytes){.len = SIZE_MAX};
}

/* ---- Entries in and out ---- */

void rg_db_put_entry(struct rg_db *db, struct rg_entry *entry)
{
    struct rg_bytes key = rg_entry_key(entry);
    uint64_t hash = rg_db_hash(db, key);
    struct rg_entry *old = rg_table_find(&db->table, key, hash);
    entry->mark = db->store->mark & 1;
    if (old != NULL) {
        rg_db_before_change(db, old);
        if (old->expires)
            rg_expiry_remove(&db->expiry, old);
        rg_table_replace(&db->table, old, entry, hash);
        rg_doomed_entry(db->store, old);
    } else {
        rg_table_insert(&db->table, entry, hash);
    }
    if (entry->expires)
        rg_expiry_add(&db->expiry, entry);
}

void rg_db_swap_entry(struct rg_db *db, struct rg_entry **entry, struct rg_entry *fresh)
{
    struct rg_entry *old = *entry;
    RG_ASSERT(old->mark == db->store->mark); /* the caller began with rg_db_before_change */
    fresh->mark = old->mark;
    rg_table_replace(&db->table, old, fresh, rg_db_hash(db, rg_entry_key(old)));
    if (old->expires && fresh->expires)
        rg_expiry_replace(&db->expiry, fresh);
    else if (old->expires)
        rg_expiry_remove(&db->expiry, old);
    else if (fresh->expires)
        rg_expiry_add(&db->expiry, fresh);
    rg_entry_free_shell(rg_db_pool(db), old);
    *entry = fresh;
}

struct rg_entry *rg_db_find(struct rg_db *db, struct rg_bytes key)
{
    if (db->table.count == 0)
        return NULL;
    return rg_table_find(&db->table, key, rg_db_hash(db, key));
}

struct rg_entry *rg_db_find_for_write(struct rg_db *db, struct rg_bytes key)
{
    struct rg_entry *entry = rg_db_find(db, key);
    if (entry != NULL)
        rg_db_before_change(db, entry);
    return entry;
}

bool rg_db_delete(struct rg_db *db, struct rg_bytes key)
{
    struct rg_entry *entry = rg_table_remove(&db->table, key, rg_db_hash(db, key));
    if (entry == NULL)
        return false;
    rg_db_before_change(db, entry);
    if (entry->expires)
        rg_expiry_remove(&db->expiry, entry);
    rg_doomed_entry(db->store, entry); /* last, since key may lie in it */
    return true;
}

int rg_db_move(struct rg_db *db, struct rg_bytes key, struct rg_db *target, struct rg_bytes new_key)
{
    struct rg_entry *entry = rg_db_find_for_write(db, key);
    if (entry == NULL)
        return RG_ENOENT;
    if (db == target && rg_bytes_equal(key, new_key))
        return 0;
    struct rg_entry *moved = rg_entry_move(rg_db_pool(db), entry, new_key, entry->expires);
    rg_table_remove(&db->table, key, rg_db_hash(db, key));
    if (entry->expires)
        rg_expiry_remove(&db->expiry, entry);
    rg_entry_free_shell(rg_db_pool(db), entry);
    rg_db_put_entry(target, moved);
    return 0;
}

int rg_db_copy(struct rg_db *db, struct rg_bytes key, struct rg_db *target, struct rg_bytes new_key)
{
    struct rg_entry *entry = rg_db_find(db, key);
    if (entry == NULL)
        return RG_ENOENT;
    if (db == target && rg_bytes_equal(key, new_key))
        return 0;
    struct rg_entry *copy = rg_entry_move(rg_db_pool(db), entry, new_key, entry->expires);
    const void *value = rg_entry_pointer(entry);
    if (value != NULL)
        rg_entry_value(copy)->pointer = rg_form_ops(entry->form)->copy(rg_db_pool(db), value);
    rg_db_put_entry(target, copy);
    return 0;
}

static void flush_take(void *arg, void *item)
{
    struct rg_db *db = arg;
    rg_db_before_change(db, item);
    rg_doomed_entry(db->store, item);
}

uint64_t rg_db_flush(struct rg_db *db)
{
    enum { FLUSH_AT_ONCE = 64 };
    uint64_t count = db->table.count;
    uint64_t budget = UINT64_MAX;
    if (count > FLUSH_AT_ONCE) {
        rg_doomed_database(db);
        return count;
    }
    rg_table_drain(&db->table, &budget, flush_take, db);
    rg_expiry_fini(&db->expiry);
    return count;
}

/* ---- Looking over a database ---- */

uint64_t rg_db_count(const struct rg_db *db)
{
    return db->table.count;
}

uint64_t rg_db_count_expiring(const struct rg_db *db)
{
    return db->expiry.count;
}

struct rg_entry *rg_db_random(struct rg_db *db, struct rg_rand *rand)
{
    return rg_table_random(&db->table, rand);
}

struct rg_entry *rg_db_random_expiring(struct rg_db *db, struct rg_rand *rand)
{
    if (db->expiry.count == 0)
        return NULL;
    return rg_expiry_at(&db->expiry, rg_rand_below(rand, db->expiry.count));
}

struct scan {
    void (*visit)(void *arg, struct rg_entry *entry);
    void *arg;
};

static void scan_visit(void *arg, void *item)
{
    const struct scan *scan = arg;
    scan->visit(scan->arg, item);
}

uint64_t rg_db_scan(struct rg_db *db, uint64_t cursor, uint64_t count,
                    void (*visit)(void *arg, struct rg_entry *entry), void *arg)
{
    struct scan scan = {.visit = visit, .arg = arg};
    return rg_table_scan(&db->table, cursor, count, scan_visit, &scan);
}

void rg_db_iter_init(struct rg_db_iter *iter, struct rg_db *db)
{
    *iter = (struct rg_db_iter){.db = db};
}

struct rg_entry *rg_db_iter_next(struct rg_db_iter *iter)
{
    return rg_table_next(&iter->db->table, iter->position);
}

/* ---- Expiry ---- */

void rg_entry_set_expire_ms(struct rg_db *db, struct rg_entry **entry, int64_t at_ms)
{
    struct rg_entry *old = *entry;
    bool expires = at_ms != RG_NO_EXPIRY;
    rg_db_before_change(db, old);
    if (expires && old->expires) {
        rg_entry_expiry(old)->at_ms = at_ms;
        rg_expiry_update(&db->expiry, old);
        return;
    }
    if (expires == old->expires)
        return;
    struct rg_entry *fresh = rg_entry_move(rg_db_pool(db), old, rg_entry_key(old), expires);
    if (expires)
        rg_entry_expiry(fresh)->at_ms = at_ms;
    rg_db_swap_entry(db, entry, fresh);
}

struct rg_entry *rg_db_due(struct rg_db *db, int64_t now_ms)
{
    struct rg_entry *entry = rg_expiry_first(&db->expiry);
    return entry != NULL && rg_entry_expire_ms(entry) <= now_ms ? entry : NULL;
}

int64_t rg_db_next_expire_ms(const struct rg_db *db)
{
    const struct rg_entry *entry = rg_expiry_first(&db->expiry);
    return entry != NULL ? rg_entry_expire_ms(entry) : RG_NO_EXPIRY;
}

int64_t rg_db_mean_ttl_ms(const struct rg_db *db, int64_t now_ms)
{
    enum { SAMPLES = 64 };
    uint64_t count = db->expiry.count;
    uint64_t samples = count < SAMPLES ? count : SAMPLES;
    double sum = 0;
    for (uint64_t i = 0; i < samples; i++) {
        int64_t at_ms = rg_expiry_moment(&db->expiry, i * (count / samples));
        sum += at_ms > now_ms ? (double)at_ms - (double)now_ms : 0;
    }
    return samples > 0 ? (int64_t)(sum / (double)samples) : 0;
}
