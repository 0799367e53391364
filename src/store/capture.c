#include "store/capture.h"

#include "base/alloc.h"
#include "base/panic.h"

bool rg_capture_begin(struct rg_store *store, unsigned snapshot_index, const struct rg_entry *entry)
{
    const struct rg_snapshot_visitor *visitor = store->snapshot_visitor;
    const struct rg_form_ops *form = rg_form_ops(entry->form);
    void *value = rg_entry_pointer(entry);
    if (form->capture == NULL || form->memory(value) <= visitor->whole_bytes)
        return false;
    struct rg_capture *capture = RG_NEW(struct rg_capture);
    capture->store = store;
    capture->ops = form->capture;
    capture->value = value;
    uint64_t pieces = capture->ops->begin(capture);
    capture->part = visitor->begin(store->snapshot_arg, snapshot_index, entry, pieces);
    struct rg_capture **end = &store->captures;
    while (*end != NULL)
        end = &(*end)->next;
    *end = capture;
    return true;
}

void rg_capture_show(const struct rg_capture *capture, const struct rg_snapshot_piece *piece)
{
    const struct rg_store *store = capture->store;
    store->snapshot_visitor->piece(store->snapshot_arg, capture->part, piece);
}

bool rg_capture_has(const struct rg_form_ops *ops, const void *value)
{
    return ops->capture != NULL && ops->capture->of(value) != NULL;
}

bool rg_capture_keep(const struct rg_form_ops *ops, void *value, struct rg_doomed *doomed)
{
    struct rg_capture *capture = ops->capture != NULL ? ops->capture->of(value) : NULL;
    if (capture == NULL)
        return false;
    RG_ASSERT(capture->dropped == NULL);
    capture->dropped = doomed;
    return true;
}

/* The oldest one is over. */
static void capture_end(struct rg_store *store)
{
    struct rg_capture *capture = store->captures;
    store->captures = capture->next;
    capture->ops->end(capture);
    if (capture->dropped != NULL)
        rg_doomed_push(store, capture->dropped);
    rg_free(capture);
}

void rg_capture_step(struct rg_store *store, uint64_t *budget)
{
    struct rg_capture *capture = store->captures;
    if (!capture->ops->step(capture, budget))
        return;
    store->snapshot_visitor->end(store->snapshot_arg, capture->part);
    capture_end(store);
}

void rg_capture_cancel_all(struct rg_store *store)
{
    while (store->captures != NULL)
        capture_end(store);
}

uint64_t rg_capture_held(const struct rg_store *store)
{
    uint64_t held = 0;
    for (const struct rg_capture *one = store->captures; one != NULL; one = one->next)
        held += one->ops->held != NULL ? one->ops->held(one) : 0;
    return held;
}
