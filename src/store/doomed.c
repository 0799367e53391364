#include "store/doomed.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "store/capture.h"

enum { AT_ONCE = 64 }; /* elements that are freed where they are dropped */

struct rg_doomed {
    struct rg_doomed *next;
    void *value; /* of the form; NULL: the first member of a struct contents */
    enum rg_form form;
};

/* What a database held. */
struct contents {
    struct rg_doomed doomed;
    struct rg_table table;
    struct rg_expiry expiry;
    unsigned snapshot_index; /* number of the database for the snapshot */
    bool to_show;            /* the snapshot has not seen all of it */
    uint64_t number;         /* of the contents that were dropped so far */
};

void rg_doomed_push(struct rg_store *store, struct rg_doomed *doomed)
{
    doomed->next = store->doomed;
    store->doomed = doomed;
}

static struct contents *contents_of(struct rg_doomed *doomed)
{
    RG_ASSERT(doomed->value == NULL);
    return (struct contents *)(void *)doomed;
}

static void contents_forget_snapshot(struct rg_store *store, struct contents *contents)
{
    RG_ASSERT(!contents->to_show || store->doomed_to_show > 0);
    store->doomed_to_show -= contents->to_show;
    contents->to_show = false;
}

/*
 * Whether doomed_memory holds what the contents take. It is known of all databases together only:
 * of one that was flushed beside others, it counts until it is freed, or the others are empty too.
 */
static bool contents_counted(const struct rg_store *store, const struct contents *contents)
{
    return contents->number <= store->contents_counted;
}

/* ---- Taking over ---- */

/*
 * True where the value went to the doomed ones, false where there is none or it is small. counted:
 * doomed_memory holds it already.
 */
static bool value_doom(struct rg_store *store, enum rg_form form, void *value, bool counted)
{
    const struct rg_form_ops *ops = rg_form_ops(form);
    if (value == NULL || ops->elements == NULL ||
        (ops->elements(value) <= AT_ONCE && !rg_capture_has(ops, value)))
        return false;
    struct rg_doomed *doomed = rg_pool_alloc(store->pool, sizeof(*doomed));
    *doomed = (struct rg_doomed){.value = value, .form = form};
    if (!rg_capture_keep(ops, value, doomed))
        rg_doomed_push(store, doomed);
    if (!counted)
        store->doomed_memory += rg_pool_cost(sizeof(*doomed)) + ops->memory(value);
    store->doomed_objects++;
    return true;
}

void rg_doomed_entry(struct rg_store *store, struct rg_entry *entry)
{
    if (entry == NULL)
        return;
    if (value_doom(store, entry->form, rg_entry_pointer(entry), false))
        rg_entry_free_shell(store->pool, entry);
    else
        rg_entry_free(store->pool, entry);
}

void rg_doomed_value(struct rg_store *store, enum rg_form form, void *value)
{
    if (!value_doom(store, form, value, false))
        rg_form_ops(form)->free(store->pool, value);
}

void rg_doomed_database(struct rg_db *db)
{
    struct rg_store *store = db->store;
    struct contents *contents = rg_pool_alloc(store->pool, sizeof(*contents));
    *contents = (struct contents){
        .table = db->table,
        .expiry = db->expiry,
        .snapshot_index = db->snapshot_index,
        .to_show = store->snapshot_on && store->snapshot_visitor != NULL && !db->snapshot_done,
    };
    contents->number = ++store->contents_dropped;
    rg_doomed_push(store, &contents->doomed);
    store->doomed_to_show += contents->to_show;
    db->snapshot_done = true;
    rg_table_init(&db->table, store->pool, store->seed, db->table.key_of);
    rg_expiry_init(&db->expiry, store->pool);
    store->doomed_objects += contents->table.count;
    if (rg_store_count(store) > 0)
        return;
    store->contents_counted = store->contents_dropped;
    store->doomed_memory = rg_pool_used(store->pool) - rg_capture_held(store);
}

void rg_store_bury(struct rg_store *store, struct rg_store *old)
{
    if (old == NULL)
        return;
    rg_store_snapshot_cancel(old);
    for (unsigned i = 0; i < old->databases; i++)
        rg_db_flush(&old->dbs[i]);
    struct rg_store **end = &old->buried;
    while (*end != NULL)
        end = &(*end)->next_buried;
    *end = store->buried;
    store->buried = old;
    old->next_buried = old->buried;
    old->buried = NULL;
}

/* ---- Steps ---- */

struct step {
    struct rg_store *store;
    const struct contents *contents;
};

static void entry_take(void *arg, void *item)
{
    const struct step *step = arg;
    struct rg_store *store = step->store;
    struct rg_entry *entry = item;
    if (step->contents->to_show && entry->mark != store->mark)
        rg_store_capture(store, step->contents->snapshot_index, entry);
    store->doomed_objects--;
    bool counted = contents_counted(store, step->contents);
    if (value_doom(store, entry->form, rg_entry_pointer(entry), counted)) {
        rg_entry_free_shell(store->pool, entry);
        return;
    }
    rg_entry_free(store->pool, entry);
    store->freed_objects++;
}

static bool value_step(struct rg_store *store, struct rg_doomed *doomed, uint64_t *budget)
{
    if (!rg_form_ops(doomed->form)->free_step(store->pool, doomed->value, budget))
        return false;
    store->doomed_objects--;
    store->freed_objects++;
    rg_pool_free(store->pool, doomed, sizeof(*doomed));
    return true;
}

static bool contents_step(struct rg_store *store, struct contents *contents, uint64_t *budget)
{
    struct step step = {.store = store, .contents = contents};
    if (!rg_table_drain(&contents->table, budget, entry_take, &step) ||
        !rg_expiry_drain(&contents->expiry, budget))
        return false;
    contents_forget_snapshot(store, contents);
    rg_pool_free(store->pool, contents, sizeof(*contents));
    return true;
}

/*
 * The first one is taken off the list while it is worked on. Values that its entries put there
 * come before it, so that there are never many of them.
 */
static void doomed_step(struct rg_store *store, uint64_t *budget)
{
    struct rg_doomed *doomed = store->doomed;
    struct rg_doomed *rest = doomed->next;
    bool counted = doomed->value != NULL || contents_counted(store, contents_of(doomed));
    uint64_t before = rg_pool_used(store->pool);
    store->doomed = rest;
    bool done = doomed->value != NULL ? value_step(store, doomed, budget)
                                      : contents_step(store, contents_of(doomed), budget);
    if (counted)
        store->doomed_memory += rg_pool_used(store->pool) - before; /* which wraps around */
    if (done)
        return;
    struct rg_doomed **at = &store->doomed;
    while (*at != rest)
        at = &(*at)->next;
    *at = doomed;
}

static void store_step(struct rg_store *store, uint64_t *budget)
{
    while (store->doomed != NULL && *budget > 0)
        doomed_step(store, budget);
    RG_ASSERT(store->doomed != NULL || store->captures != NULL || store->doomed_memory == 0);
}

bool rg_store_free_step(struct rg_store *store, uint64_t budget)
{
    store_step(store, &budget);
    while (store->buried != NULL && budget > 0) {
        struct rg_store *old = store->buried;
        store_step(old, &budget);
        if (old->doomed != NULL)
            break;
        store->buried = old->next_buried;
        store->freed_objects += old->freed_objects;
        rg_store_free(old);
    }
    return store->doomed != NULL || store->buried != NULL;
}

bool rg_store_has_doomed(const struct rg_store *store)
{
    return store->doomed != NULL || store->buried != NULL;
}

void rg_store_count_doomed(const struct rg_store *store, uint64_t *ret_pending, uint64_t *ret_freed)
{
    uint64_t pending = store->doomed_objects;
    uint64_t freed = store->freed_objects;
    for (const struct rg_store *old = store->buried; old != NULL; old = old->next_buried) {
        pending += old->doomed_objects;
        freed += old->freed_objects;
    }
    *ret_pending = pending;
    *ret_freed = freed;
}

void rg_doomed_forget_snapshot(struct rg_store *store)
{
    struct rg_doomed *doomed = store->doomed;
    for (; store->doomed_to_show > 0; doomed = doomed->next) {
        if (doomed->value == NULL)
            contents_forget_snapshot(store, contents_of(doomed));
    }
}

void rg_doomed_fini(struct rg_store *store)
{
    uint64_t budget = UINT64_MAX;
    store_step(store, &budget);
    RG_ASSERT(store->doomed == NULL);
}
