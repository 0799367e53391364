#include "base/panic.h"
#include "store/capture.h"

/*
 * Between snapshots every entry carries the store's mark. To begin one, the store turns its mark
 * over: whatever still carries the other one has to be shown, once, either by the walk or before it
 * changes. New entries carry the new mark from the start, and the walk is a SCAN, so growth and
 * shrinking of the tables do not matter. A large value is only begun with then (capture.h), and
 * shown to its end before the walk goes on, so that few are under way at once.
 */

void rg_store_capture(struct rg_store *store, unsigned snapshot_index, struct rg_entry *entry)
{
    RG_ASSERT(store->snapshot_on && entry->mark != store->mark);
    if (store->snapshot_visitor != NULL && !rg_capture_begin(store, snapshot_index, entry))
        store->snapshot_visitor->entry(store->snapshot_arg, snapshot_index, entry);
    entry->mark = store->mark & 1;
}

static void capture_item(void *arg, void *item)
{
    rg_db_before_change(arg, item);
}

int rg_store_snapshot_begin(struct rg_store *store, const struct rg_snapshot_visitor *visitor,
                            void *arg)
{
    if (store->snapshot_on && store->snapshot_visitor != NULL)
        return RG_EEXIST;
    /* One that was cancelled still has entries to mark. */
    while (store->snapshot_on && !rg_store_snapshot_step(store, UINT64_MAX))
        continue;
    store->mark ^= 1;
    store->snapshot_on = true;
    store->snapshot_visitor = visitor;
    store->snapshot_arg = arg;
    for (unsigned i = 0; i < store->databases; i++) {
        store->dbs[i].snapshot_index = i;
        store->dbs[i].snapshot_cursor = 0;
        store->dbs[i].snapshot_done = false;
    }
    return 0;
}

bool rg_store_snapshot_step(struct rg_store *store, uint64_t count)
{
    RG_ASSERT(store->snapshot_on);
    while (store->captures != NULL && count > 0)
        rg_capture_step(store, &count);
    if (count == 0)
        return false;
    for (unsigned i = 0; i < store->databases; i++) {
        struct rg_db *db = &store->dbs[i];
        if (db->snapshot_done)
            continue;
        db->snapshot_cursor =
            rg_table_scan(&db->table, db->snapshot_cursor, count, capture_item, db);
        db->snapshot_done = db->snapshot_cursor == 0;
        if (db->table.count > 0)
            return false; /* the slice is used up */
    }
    for (unsigned i = 0; i < store->databases; i++) {
        if (!store->dbs[i].snapshot_done)
            return false;
    }
    if (store->captures != NULL)
        return false;
    if (store->doomed_to_show > 0) {
        rg_store_free_step(store, count);
        return false;
    }
    store->snapshot_on = false;
    store->snapshot_visitor = NULL;
    return true;
}

void rg_store_snapshot_cancel(struct rg_store *store)
{
    rg_capture_cancel_all(store);
    store->snapshot_visitor = NULL;
    rg_doomed_forget_snapshot(store);
}

bool rg_store_snapshot_pending(const struct rg_store *store)
{
    return store->snapshot_on;
}
