#include "store/table.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/panic.h"
#include "store/bucket.h"
#include "store/form.h"

enum {
    GROW_ITEMS_PER_16 = 104,  /* a bucket is split above 6.5 items per bucket */
    SHRINK_ITEMS_PER_16 = 40, /* and merged below 2.5 */
};

void rg_table_init(struct rg_table *table, struct rg_pool *pool, uint64_t seed,
                   struct rg_bytes (*key_of)(const void *item))
{
    *table = (struct rg_table){.seed = seed, .pool = pool, .key_of = key_of};
    rg_segments_init(&table->buckets, pool, RG_BUCKET_SHIFT);
}

uint64_t rg_table_hash(const struct rg_table *table, struct rg_bytes key)
{
    return rg_hash64(key, table->seed);
}

/* ---- Buckets ---- */

static struct rg_bucket *bucket_at(const struct rg_table *table, uint64_t index)
{
    return rg_segments_at(&table->buckets, index);
}

static uint64_t bucket_index(const struct rg_table *table, uint64_t hash)
{
    uint64_t index = hash & (table->low_mask << 1 | 1);
    return index < table->bucket_count ? index : hash & table->low_mask;
}

static struct rg_bucket *bucket_of(const struct rg_table *table, uint64_t hash)
{
    return bucket_at(table, bucket_index(table, hash));
}

static struct rg_bucket *overflow_new(struct rg_table *table)
{
    struct rg_bucket *bucket = rg_pool_alloc_lines(table->pool, sizeof(*bucket));
    *bucket = (struct rg_bucket){0};
    table->overflows++;
    return bucket;
}

static void overflow_free(struct rg_table *table, struct rg_bucket *bucket)
{
    RG_ASSERT(table->overflows > 0);
    table->overflows--;
    rg_pool_free(table->pool, bucket, sizeof(*bucket));
}

/* Puts the item into the first free slot of the chain that begins at bucket. */
static void chain_add(struct rg_table *table, struct rg_bucket *bucket, uint8_t print, void *item)
{
    uint64_t depth = 1;
    unsigned slots = rg_bucket_free_slots(bucket);
    for (; slots == 0 && bucket->chained; depth++) {
        bucket = rg_bucket_next(bucket);
        slots = rg_bucket_free_slots(bucket);
    }
    if (slots == 0) {
        struct rg_bucket *next = overflow_new(table);
        rg_bucket_put(next, 0, bucket->prints[RG_BUCKET_CHAIN_SLOT],
                      rg_bucket_address(bucket, RG_BUCKET_CHAIN_SLOT));
        rg_bucket_set_next(bucket, next);
        bucket = next;
        slots = rg_bucket_free_slots(bucket);
        depth++;
    }
    rg_bucket_put(bucket, (unsigned)__builtin_ctz(slots), print, item);
    if (depth > table->deepest)
        table->deepest = depth;
}

/* Its keys are about to be read, one after the other. */
static void bucket_prefetch_items(const struct rg_bucket *bucket)
{
    RG_BUCKET_EACH(slot, rg_bucket_items(bucket))
    __builtin_prefetch(rg_bucket_address(bucket, slot));
}

/* All of its items are about to be, most of which reach into a second cache line. */
static void bucket_prefetch_whole(const struct rg_bucket *bucket)
{
    enum { LINE = 64 };

    RG_BUCKET_EACH(slot, rg_bucket_items(bucket))
    {
        const char *item = rg_bucket_address(bucket, slot);
        __builtin_prefetch(item);
        __builtin_prefetch(item + LINE);
    }
}

/* Moves every item of the chain to where its hash belongs now; the chain is a detached copy. */
static void chain_spread(struct rg_table *table, struct rg_bucket chain, struct rg_bucket *only)
{
    struct rg_bucket *owned = NULL;
    for (;;) {
        if (only == NULL)
            bucket_prefetch_items(&chain);
        RG_BUCKET_EACH(slot, rg_bucket_items(&chain))
        {
            void *item = rg_bucket_address(&chain, slot);
            struct rg_bucket *target = only;
            if (target == NULL)
                target = bucket_of(table, rg_table_hash(table, table->key_of(item)));
            chain_add(table, target, chain.prints[slot], item);
            table->moved++;
        }
        struct rg_bucket *next = rg_bucket_next(&chain);
        if (owned != NULL)
            overflow_free(table, owned);
        if (next == NULL)
            break;
        owned = next;
        chain = *next;
    }
}

/* ---- Watching ---- */

enum { WORD_BITS = 64 };

static bool watch_has_shown(const struct rg_table_watch *watch, uint64_t index)
{
    return watch->done[index / WORD_BITS] >> index % WORD_BITS & 1;
}

static void watch_set_shown(struct rg_table_watch *watch, uint64_t index)
{
    watch->done[index / WORD_BITS] |= UINT64_C(1) << index % WORD_BITS;
}

/* Returns how many items were shown. */
static uint64_t watch_show(struct rg_table *table, uint64_t index)
{
    struct rg_table_watch *watch = table->watch;
    uint64_t count = 0;
    if (watch_has_shown(watch, index))
        return 0;
    watch_set_shown(watch, index);
    for (struct rg_bucket *b = bucket_at(table, index); b != NULL; b = rg_bucket_next(b)) {
        RG_BUCKET_EACH(slot, rg_bucket_items(b))
        {
            watch->show(watch->arg, rg_bucket_address(b, slot));
            count++;
        }
    }
    return count;
}

/* The items that the hash belongs to are about to change. */
static void table_touch(struct rg_table *table, uint64_t hash)
{
    if (__builtin_expect(table->watch != NULL, 0) && table->bucket_count > 0)
        watch_show(table, bucket_index(table, hash));
}

static void watch_reserve(struct rg_table_watch *watch, uint64_t buckets)
{
    if (buckets <= watch->cap)
        return;
    uint64_t words = (buckets * 2 + WORD_BITS - 1) / WORD_BITS;
    uint64_t *done = RG_NEW_ARRAY(uint64_t, words);
    if (watch->cap > 0)
        memcpy(done, watch->done, watch->cap / 8);
    rg_free(watch->done);
    watch->done = done;
    watch->cap = words * WORD_BITS;
}

/* A new bucket takes a part of its parent's items: what was shown of those was shown of these. */
static void watch_split(struct rg_table_watch *watch, uint64_t parent, uint64_t index)
{
    watch_reserve(watch, index + 1);
    if (watch_has_shown(watch, parent))
        watch_set_shown(watch, index);
    else
        watch->done[index / WORD_BITS] &= ~(UINT64_C(1) << index % WORD_BITS);
}

void rg_table_watch_begin(struct rg_table *table, struct rg_table_watch *watch,
                          void (*show)(void *arg, const void *item), void *arg)
{
    RG_ASSERT(table->watch == NULL);
    *watch = (struct rg_table_watch){.show = show, .arg = arg};
    watch_reserve(watch, table->bucket_count + 1);
    table->watch = watch;
}

bool rg_table_watch_step(struct rg_table *table, uint64_t *budget)
{
    enum { AHEAD = 2 };
    struct rg_table_watch *watch = table->watch;
    for (; watch->next < table->bucket_count; watch->next++) {
        if (*budget == 0)
            return false;
        if (watch->next + AHEAD < table->bucket_count)
            bucket_prefetch_items(bucket_at(table, watch->next + AHEAD));
        uint64_t cost = watch_show(table, watch->next) + 1;
        *budget -= cost < *budget ? cost : *budget;
    }
    return true;
}

void rg_table_watch_end(struct rg_table *table)
{
    rg_free(table->watch->done);
    table->watch->done = NULL;
    table->watch = NULL;
}

/* ---- Growth and shrinking ---- */

static void table_split(struct rg_table *table)
{
    uint64_t index = table->bucket_count;
    rg_segments_grow(&table->buckets, index + 1);
    *bucket_at(table, index) = (struct rg_bucket){0};
    table->bucket_count++;
    if (table->watch != NULL)
        watch_split(table->watch, index & table->low_mask, index);
    /* low_mask + 1 buckets have been split when their number has doubled: the next level begins. */
    struct rg_bucket *parent = bucket_at(table, index & table->low_mask);
    struct rg_bucket chain = *parent;
    *parent = (struct rg_bucket){0};
    chain_spread(table, chain, NULL);
    if (table->bucket_count == (table->low_mask + 1) * 2)
        table->low_mask = table->low_mask << 1 | 1;
}

static void table_merge(struct rg_table *table)
{
    RG_ASSERT(table->bucket_count > 1);
    uint64_t index = table->bucket_count - 1;
    if (index == table->low_mask)
        table->low_mask >>= 1;
    if (table->watch != NULL) {
        watch_show(table, index);
        watch_show(table, index & table->low_mask);
    }
    struct rg_bucket *last = bucket_at(table, index);
    struct rg_bucket chain = *last;
    *last = (struct rg_bucket){0};
    table->bucket_count--;
    chain_spread(table, chain, bucket_at(table, index & table->low_mask));
    rg_segments_shrink(&table->buckets, table->bucket_count);
}

static void buckets_free_overflows(struct rg_table *table)
{
    for (uint64_t i = 0; i < table->bucket_count && table->overflows > 0; i++) {
        struct rg_bucket *bucket = rg_bucket_next(bucket_at(table, i));
        while (bucket != NULL) {
            struct rg_bucket *next = rg_bucket_next(bucket);
            overflow_free(table, bucket);
            bucket = next;
        }
    }
}

void rg_table_fini(struct rg_table *table)
{
    buckets_free_overflows(table);
    RG_ASSERT(table->overflows == 0);
    rg_segments_fini(&table->buckets);
    uint64_t moved = table->moved;
    struct rg_table_watch *watch = table->watch;
    rg_table_init(table, table->pool, table->seed, table->key_of);
    table->moved = moved;
    table->watch = watch;
}

/* ---- Single items ---- */

void *rg_table_find(const struct rg_table *table, struct rg_bytes key, uint64_t hash)
{
    if (table->count == 0)
        return NULL;
    const struct rg_bucket *bucket = bucket_of(table, hash);
    for (; bucket != NULL; bucket = rg_bucket_next(bucket)) {
        RG_BUCKET_EACH(slot, rg_bucket_match(bucket, rg_bucket_print(hash)))
        {
            void *item = rg_bucket_address(bucket, slot);
            if (rg_bytes_equal(table->key_of(item), key))
                return item;
        }
    }
    return NULL;
}

void rg_table_prefetch_bucket(const struct rg_table *table, uint64_t hash)
{
    if (table->count > 0)
        __builtin_prefetch(bucket_of(table, hash));
}

void rg_table_prefetch_items(const struct rg_table *table, uint64_t hash)
{
    enum { LINE = 64 };

    if (table->count == 0)
        return;
    const struct rg_bucket *bucket = bucket_of(table, hash);
    unsigned match = rg_bucket_match(bucket, rg_bucket_print(hash));
    if (match == 0 && bucket->chained)
        __builtin_prefetch(rg_bucket_next(bucket));
    RG_BUCKET_EACH(slot, match)
    {
        /* A small item that is not aligned to a cache line reaches into the next one. */
        const char *item = rg_bucket_address(bucket, slot);
        __builtin_prefetch(item);
        __builtin_prefetch(item + LINE - 1);
    }
}

static void table_begin(struct rg_table *table)
{
    if (table->bucket_count > 0)
        return;
    rg_segments_grow(&table->buckets, 1);
    *bucket_at(table, 0) = (struct rg_bucket){0};
    table->bucket_count = 1;
    /* What was in the table before is gone, and was shown then. */
    if (table->watch != NULL)
        watch_set_shown(table->watch, 0);
}

void rg_table_expect(struct rg_table *table, uint64_t items)
{
    RG_ASSERT(items <= UINT64_MAX / 16);
    if (items == 0)
        return;
    table_begin(table);
    while (items * 16 > table->bucket_count * GROW_ITEMS_PER_16)
        table_split(table);
}

void rg_table_insert(struct rg_table *table, void *item, uint64_t hash)
{
    table_begin(table);
    table_touch(table, hash);
    chain_add(table, bucket_of(table, hash), rg_bucket_print(hash), item);
    table->count++;
    if (table->count * 16 > table->bucket_count * GROW_ITEMS_PER_16)
        table_split(table);
}

/* Where an item is. */
struct place {
    struct rg_bucket *prev; /* the bucket before in the chain, NULL for the first one */
    struct rg_bucket *bucket;
    unsigned slot;
};

static struct place place_of(const struct rg_table *table, const void *item, uint64_t hash)
{
    struct place place = {.bucket = bucket_of(table, hash)};
    for (;;) {
        RG_BUCKET_EACH(slot, rg_bucket_match(place.bucket, rg_bucket_print(hash)))
        {
            place.slot = slot;
            if (rg_bucket_address(place.bucket, slot) == item)
                return place;
        }
        place.prev = place.bucket;
        place.bucket = rg_bucket_next(place.bucket);
        RG_ASSERT(place.bucket != NULL);
    }
}

void rg_table_replace(struct rg_table *table, const void *item, void *fresh, uint64_t hash)
{
    table_touch(table, hash);
    struct place place = place_of(table, item, hash);
    rg_bucket_set_address(place.bucket, place.slot, fresh);
}

/*
 * Empties the place; the chain behind it moves up, so that a chain is never longer than its items
 * need and what is found in its first bucket is most of it.
 */
static void place_clear(struct rg_table *table, struct place place)
{
    struct rg_bucket *next = NULL;
    while ((next = rg_bucket_next(place.bucket)) != NULL) {
        unsigned slot = (unsigned)__builtin_ctz(rg_bucket_items(next));
        rg_bucket_put(place.bucket, place.slot, next->prints[slot], rg_bucket_address(next, slot));
        place = (struct place){.prev = place.bucket, .bucket = next, .slot = slot};
    }
    place.bucket->prints[place.slot] = 0;
    unsigned left = rg_bucket_items(place.bucket);
    if (place.prev == NULL || (left & (left - 1)) != 0)
        return;
    /* One is left, and fits into the slot that leads here. */
    unsigned slot = (unsigned)__builtin_ctz(left);
    place.prev->chained = false;
    rg_bucket_put(place.prev, RG_BUCKET_CHAIN_SLOT, place.bucket->prints[slot],
                  rg_bucket_address(place.bucket, slot));
    overflow_free(table, place.bucket);
}

void *rg_table_remove(struct rg_table *table, struct rg_bytes key, uint64_t hash)
{
    void *item = rg_table_find(table, key, hash);
    if (item == NULL)
        return NULL;
    table_touch(table, hash);
    place_clear(table, place_of(table, item, hash));
    table->count--;
    if (table->count == 0)
        rg_table_fini(table);
    else if (table->bucket_count > 1 &&
             table->count * 16 < table->bucket_count * SHRINK_ITEMS_PER_16)
        table_merge(table);
    return item;
}

/* ---- Many items ---- */

bool rg_table_drain(struct rg_table *table, uint64_t *budget, void (*take)(void *arg, void *item),
                    void *arg)
{
    enum { RELEASE_COST = 50 };
    RG_ASSERT(table->watch == NULL);
    while (table->bucket_count > 0 && *budget > 0) {
        uint64_t cost = 1;
        uint64_t released = rg_pool_released(table->pool);
        uint64_t used = rg_pool_used(table->pool);
        struct rg_bucket *bucket = bucket_at(table, --table->bucket_count);
        if (table->bucket_count > 0)
            bucket_prefetch_items(bucket_at(table, table->bucket_count - 1));
        for (struct rg_bucket *owned = NULL; bucket != NULL;) {
            RG_BUCKET_EACH(slot, rg_bucket_items(bucket))
            {
                take(arg, rg_bucket_address(bucket, slot));
                table->count--;
                cost++;
            }
            struct rg_bucket *next = rg_bucket_next(bucket);
            if (owned != NULL)
                overflow_free(table, owned);
            owned = bucket = next;
        }
        rg_segments_shrink(&table->buckets, table->bucket_count);
        /* What is freed in an order of its own empties its slabs all at about the same time. */
        cost += (rg_pool_released(table->pool) - released) * RELEASE_COST;
        rg_form_spend(budget, cost, table->pool, used);
    }
    if (table->bucket_count > 0)
        return false;
    rg_table_fini(table);
    return true;
}

void *rg_table_random(const struct rg_table *table, struct rg_rand *rand)
{
    if (table->count == 0)
        return NULL;
    /* Drawing a place as deep as the deepest chain, taken or not, makes all items equally likely.
     */
    for (;;) {
        struct rg_bucket *bucket = bucket_at(table, rg_rand_below(rand, table->bucket_count));
        uint64_t place = rg_rand_below(rand, table->deepest * RG_BUCKET_SLOTS);
        for (uint64_t depth = place / RG_BUCKET_SLOTS; depth > 0 && bucket != NULL; depth--)
            bucket = rg_bucket_next(bucket);
        unsigned slot = (unsigned)(place % RG_BUCKET_SLOTS);
        if (bucket != NULL && rg_bucket_items(bucket) & 1U << slot)
            return rg_bucket_address(bucket, slot);
    }
}

static uint64_t bits_reverse(uint64_t v)
{
    v = (v >> 1 & UINT64_C(0x5555555555555555)) | (v & UINT64_C(0x5555555555555555)) << 1;
    v = (v >> 2 & UINT64_C(0x3333333333333333)) | (v & UINT64_C(0x3333333333333333)) << 2;
    v = (v >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) | (v & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4;
    return __builtin_bswap64(v);
}

/* The first hash, in reversed order, behind those of the bucket that cursor lies in. */
static uint64_t cursor_next(const struct rg_table *table, uint64_t cursor, uint64_t index)
{
    bool is_split =
        index > table->low_mask || (index | (table->low_mask + 1)) < table->bucket_count;
    uint64_t mask = is_split ? table->low_mask << 1 | 1 : table->low_mask;
    return bits_reverse(bits_reverse(cursor | ~mask) + 1);
}

uint64_t rg_table_scan(const struct rg_table *table, uint64_t cursor, uint64_t count,
                       void (*visit)(void *arg, void *item), void *arg)
{
    if (table->count == 0)
        return 0;
    uint64_t visited = 0;
    uint64_t steps_left = count > UINT64_MAX / 10 ? UINT64_MAX : count * 10;
    uint64_t index = bucket_index(table, cursor);
    do {
        /* The buckets lie all over the table: while one is visited the next one's items are
         * fetched, and the bucket behind that. */
        uint64_t next = cursor_next(table, cursor, index);
        uint64_t next_index = bucket_index(table, next);
        bucket_prefetch_whole(bucket_at(table, next_index));
        __builtin_prefetch(
            bucket_at(table, bucket_index(table, cursor_next(table, next, next_index))));
        for (struct rg_bucket *b = bucket_at(table, index); b != NULL; b = rg_bucket_next(b)) {
            RG_BUCKET_EACH(slot, rg_bucket_items(b))
            {
                visit(arg, rg_bucket_address(b, slot));
                visited++;
            }
        }
        cursor = next;
        index = next_index;
    } while (cursor != 0 && visited < count && --steps_left > 0);
    return cursor;
}

void *rg_table_next(const struct rg_table *table, uint64_t position[4])
{
    /* Bucket, how far down its chain, and slot to look at next. */
    while (position[0] < table->bucket_count) {
        struct rg_bucket *bucket = bucket_at(table, position[0]);
        for (uint64_t depth = position[1]; depth > 0; depth--)
            bucket = rg_bucket_next(bucket);
        unsigned left = rg_bucket_items(bucket) >> position[2];
        if (left != 0) {
            unsigned slot = (unsigned)position[2] + (unsigned)__builtin_ctz(left);
            position[2] = slot + 1;
            return rg_bucket_address(bucket, slot);
        }
        position[2] = 0;
        if (bucket->chained) {
            position[1]++;
        } else {
            position[0]++;
            position[1] = 0;
        }
    }
    return NULL;
}

size_t rg_table_memory(const struct rg_table *table)
{
    return rg_segments_memory(&table->buckets) +
           table->overflows * rg_pool_cost(sizeof(struct rg_bucket));
}
