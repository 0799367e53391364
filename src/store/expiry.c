#include "store/expiry.h"

#include "base/panic.h"
#include "store/entry.h"

enum { BRANCHES = 4, ITEM_SHIFT = 4 };

struct item {
    int64_t at_ms;
    struct rg_entry *entry;
};
_Static_assert(sizeof(struct item) == 1 << ITEM_SHIFT, "items fill their segments");

static struct item *item_at(const struct rg_expiry *expiry, uint64_t index)
{
    return rg_segments_at(&expiry->items, index);
}

static void item_put(struct rg_expiry *expiry, uint64_t index, struct item item)
{
    *item_at(expiry, index) = item;
    rg_entry_expiry(item.entry)->index = index;
}

static uint64_t sift_up(struct rg_expiry *expiry, uint64_t index, struct item item)
{
    while (index > 0) {
        uint64_t parent = (index - 1) / BRANCHES;
        if (item_at(expiry, parent)->at_ms <= item.at_ms)
            break;
        item_put(expiry, index, *item_at(expiry, parent));
        index = parent;
    }
    item_put(expiry, index, item);
    return index;
}

static void sift_down(struct rg_expiry *expiry, uint64_t index, struct item item)
{
    for (;;) {
        uint64_t first = index * BRANCHES + 1;
        uint64_t least = first;
        for (uint64_t i = first; i < first + BRANCHES && i < expiry->count; i++) {
            if (item_at(expiry, i)->at_ms < item_at(expiry, least)->at_ms)
                least = i;
        }
        if (first >= expiry->count || item_at(expiry, least)->at_ms >= item.at_ms)
            break;
        item_put(expiry, index, *item_at(expiry, least));
        index = least;
    }
    item_put(expiry, index, item);
}

static void item_settle(struct rg_expiry *expiry, uint64_t index, struct item item)
{
    if (sift_up(expiry, index, item) == index)
        sift_down(expiry, index, item);
}

static uint64_t index_of(const struct rg_expiry *expiry, const struct rg_entry *entry)
{
    uint64_t index = rg_entry_expiry(entry)->index;
    RG_ASSERT(index < expiry->count);
    return index;
}

void rg_expiry_init(struct rg_expiry *expiry, struct rg_pool *pool)
{
    *expiry = (struct rg_expiry){0};
    rg_segments_init(&expiry->items, pool, ITEM_SHIFT);
}

void rg_expiry_fini(struct rg_expiry *expiry)
{
    rg_segments_fini(&expiry->items);
    expiry->count = 0;
}

bool rg_expiry_drain(struct rg_expiry *expiry, uint64_t *budget)
{
    enum { CHUNK = 1024 };
    for (; expiry->count > 0; (*budget)--) {
        if (*budget == 0)
            return false;
        expiry->count -= expiry->count < CHUNK ? expiry->count : CHUNK;
        rg_segments_shrink(&expiry->items, expiry->count);
    }
    rg_expiry_fini(expiry);
    return true;
}

void rg_expiry_add(struct rg_expiry *expiry, struct rg_entry *entry)
{
    rg_segments_grow(&expiry->items, expiry->count + 1);
    expiry->count++;
    sift_up(expiry, expiry->count - 1,
            (struct item){.at_ms = rg_entry_expire_ms(entry), .entry = entry});
}

void rg_expiry_remove(struct rg_expiry *expiry, const struct rg_entry *entry)
{
    uint64_t index = index_of(expiry, entry);
    RG_ASSERT(item_at(expiry, index)->entry == entry);
    struct item last = *item_at(expiry, expiry->count - 1);
    expiry->count--;
    if (index < expiry->count)
        item_settle(expiry, index, last);
    rg_segments_shrink(&expiry->items, expiry->count);
}

void rg_expiry_update(struct rg_expiry *expiry, struct rg_entry *entry)
{
    uint64_t index = index_of(expiry, entry);
    RG_ASSERT(item_at(expiry, index)->entry == entry);
    item_settle(expiry, index, (struct item){.at_ms = rg_entry_expire_ms(entry), .entry = entry});
}

void rg_expiry_replace(struct rg_expiry *expiry, struct rg_entry *entry)
{
    struct item *item = item_at(expiry, index_of(expiry, entry));
    RG_ASSERT(item->at_ms == rg_entry_expire_ms(entry));
    item->entry = entry;
}

struct rg_entry *rg_expiry_first(const struct rg_expiry *expiry)
{
    return expiry->count > 0 ? item_at(expiry, 0)->entry : NULL;
}

struct rg_entry *rg_expiry_at(const struct rg_expiry *expiry, uint64_t index)
{
    RG_ASSERT(index < expiry->count);
    return item_at(expiry, index)->entry;
}

int64_t rg_expiry_moment(const struct rg_expiry *expiry, uint64_t index)
{
    RG_ASSERT(index < expiry->count);
    return item_at(expiry, index)->at_ms;
}

size_t rg_expiry_memory(const struct rg_expiry *expiry)
{
    return rg_segments_memory(&expiry->items);
}
