#include "store/table.h"

#include <string.h>

#include "base/hash.h"
#include "base/panic.h"

enum {
    SLOTS = 7,
    BUCKET_SHIFT = 6,
    CHAIN_SLOT = SLOTS - 1,   /* of a chained bucket: the next one instead of an item */
    CHAINED = 1 << SLOTS,     /* flag in used */
    ALL_SLOTS = CHAINED - 1,  /* flags in used */
    GROW_ITEMS_PER_16 = 72,   /* a bucket is split above 4.5 items per bucket */
    SHRINK_ITEMS_PER_16 = 28, /* and merged below 1.75 */
};

struct bucket {
    uint8_t used; /* a bit per slot that is taken, and CHAINED */
    uint8_t prints[SLOTS];
    void *slots[SLOTS];
};
_Static_assert(sizeof(struct bucket) == 1 << BUCKET_SHIFT, "a bucket is a cache line");

void rg_table_init(struct rg_table *table, struct rg_pool *pool, uint64_t seed,
                   struct rg_bytes (*key_of)(const void *item))
{
    *table = (struct rg_table){.seed = seed, .pool = pool, .key_of = key_of};
    rg_segments_init(&table->buckets, pool, BUCKET_SHIFT);
}

uint64_t rg_table_hash(const struct rg_table *table, struct rg_bytes key)
{
    return rg_hash64(key, table->seed);
}

/* ---- Buckets ---- */

static uint8_t print_of(uint64_t hash)
{
    /* The low bits choose the bucket; these do not, and stay true when a bucket is split. */
    return (uint8_t)(hash >> 56);
}

static struct bucket *bucket_at(const struct rg_table *table, uint64_t index)
{
    return rg_segments_at(&table->buckets, index);
}

static uint64_t bucket_index(const struct rg_table *table, uint64_t hash)
{
    uint64_t index = hash & (table->low_mask << 1 | 1);
    return index < table->bucket_count ? index : hash & table->low_mask;
}

static struct bucket *bucket_next(const struct bucket *bucket)
{
    return bucket->used & CHAINED ? bucket->slots[CHAIN_SLOT] : NULL;
}

static unsigned bucket_items(const struct bucket *bucket)
{
    return bucket->used & CHAINED ? bucket->used & (ALL_SLOTS >> 1) : bucket->used;
}

static struct bucket *overflow_new(struct rg_table *table)
{
    struct bucket *bucket = rg_pool_alloc_lines(table->pool, sizeof(*bucket));
    memset(bucket, 0, sizeof(*bucket));
    table->overflows++;
    return bucket;
}

static void overflow_free(struct rg_table *table, struct bucket *bucket)
{
    RG_ASSERT(table->overflows > 0);
    table->overflows--;
    rg_pool_free(table->pool, bucket, sizeof(*bucket));
}

static void bucket_put(struct bucket *bucket, unsigned slot, uint8_t print, void *item)
{
    bucket->used |= (uint8_t)(1U << slot);
    bucket->prints[slot] = print;
    bucket->slots[slot] = item;
}

/* Puts the item into the first free slot of the chain that begins at bucket. */
static void chain_add(struct rg_table *table, struct bucket *bucket, uint8_t print, void *item)
{
    uint64_t depth = 1;
    while ((bucket->used & ALL_SLOTS) == ALL_SLOTS && bucket->used & CHAINED) {
        bucket = bucket->slots[CHAIN_SLOT];
        depth++;
    }
    if ((bucket->used & ALL_SLOTS) == ALL_SLOTS) {
        struct bucket *next = overflow_new(table);
        bucket_put(next, 0, bucket->prints[CHAIN_SLOT], bucket->slots[CHAIN_SLOT]);
        bucket->slots[CHAIN_SLOT] = next;
        bucket->used |= CHAINED;
        bucket = next;
        depth++;
    }
    unsigned slot = (unsigned)__builtin_ctz(~(unsigned)bucket->used);
    RG_ASSERT(slot < SLOTS);
    bucket_put(bucket, slot, print, item);
    if (depth > table->deepest)
        table->deepest = depth;
}

/* Moves every item of the chain to where its hash belongs now; the chain is a detached copy. */
static void chain_spread(struct rg_table *table, struct bucket chain, struct bucket *only)
{
    struct bucket *owned = NULL;
    for (;;) {
        for (unsigned left = bucket_items(&chain); left != 0; left &= left - 1) {
            unsigned slot = (unsigned)__builtin_ctz(left);
            void *item = chain.slots[slot];
            struct bucket *target = only;
            if (target == NULL)
                target = bucket_at(table,
                                   bucket_index(table, rg_table_hash(table, table->key_of(item))));
            chain_add(table, target, chain.prints[slot], item);
            table->moved++;
        }
        struct bucket *next = bucket_next(&chain);
        if (owned != NULL)
            overflow_free(table, owned);
        if (next == NULL)
            break;
        owned = next;
        chain = *next;
    }
}

/* ---- Growth and shrinking ---- */

static void table_split(struct rg_table *table)
{
    uint64_t index = table->bucket_count;
    rg_segments_grow(&table->buckets, index + 1);
    *bucket_at(table, index) = (struct bucket){0};
    table->bucket_count++;
    /* low_mask + 1 buckets have been split when their number has doubled: the next level begins. */
    struct bucket *parent = bucket_at(table, index & table->low_mask);
    struct bucket chain = *parent;
    *parent = (struct bucket){0};
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
    struct bucket *last = bucket_at(table, index);
    struct bucket chain = *last;
    *last = (struct bucket){0};
    table->bucket_count--;
    chain_spread(table, chain, bucket_at(table, index & table->low_mask));
    rg_segments_shrink(&table->buckets, table->bucket_count);
}

static void buckets_free_overflows(struct rg_table *table)
{
    for (uint64_t i = 0; i < table->bucket_count && table->overflows > 0; i++) {
        struct bucket *bucket = bucket_next(bucket_at(table, i));
        while (bucket != NULL) {
            struct bucket *next = bucket_next(bucket);
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
    rg_table_init(table, table->pool, table->seed, table->key_of);
    table->moved = moved;
}

/* ---- Single items ---- */

/* The slots whose fingerprint is print, as a bit in the high end of byte slot + 1. */
static uint64_t bucket_match(const struct bucket *bucket, uint8_t print)
{
    const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t word = 0;
    memcpy(&word, bucket, sizeof(word));
    word ^= print * UINT64_C(0x0101010101010101);
    uint64_t zero_bytes = ~(((word & low7) + low7) | word | low7);
    return zero_bytes & ~UINT64_C(0xff);
}

void **rg_table_find(const struct rg_table *table, struct rg_bytes key, uint64_t hash)
{
    if (table->count == 0)
        return NULL;
    struct bucket *bucket = bucket_at(table, bucket_index(table, hash));
    for (; bucket != NULL; bucket = bucket_next(bucket)) {
        unsigned items = bucket_items(bucket);
        for (uint64_t m = bucket_match(bucket, print_of(hash)); m != 0; m &= m - 1) {
            unsigned slot = (unsigned)__builtin_ctzll(m) / 8 - 1;
            if (items & 1U << slot && rg_bytes_equal(table->key_of(bucket->slots[slot]), key))
                return &bucket->slots[slot];
        }
    }
    return NULL;
}

void rg_table_prefetch_bucket(const struct rg_table *table, uint64_t hash)
{
    if (table->count > 0)
        __builtin_prefetch(bucket_at(table, bucket_index(table, hash)));
}

void rg_table_prefetch_items(const struct rg_table *table, uint64_t hash)
{
    enum { LINE = 64 };

    if (table->count == 0)
        return;
    const struct bucket *bucket = bucket_at(table, bucket_index(table, hash));
    unsigned items = bucket_items(bucket);
    for (uint64_t m = bucket_match(bucket, print_of(hash)); m != 0; m &= m - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(m) / 8 - 1;
        if (!(items & 1U << slot))
            continue;
        /* A small item that is not aligned to a cache line reaches into the next one. */
        const char *item = bucket->slots[slot];
        __builtin_prefetch(item);
        __builtin_prefetch(item + LINE - 1);
    }
}

void **rg_table_place(const struct rg_table *table, const void *item)
{
    struct rg_bytes key = table->key_of(item);
    void **place = rg_table_find(table, key, rg_table_hash(table, key));
    RG_ASSERT(place != NULL && *place == item);
    return place;
}

void rg_table_insert(struct rg_table *table, void *item, uint64_t hash)
{
    if (table->bucket_count == 0) {
        rg_segments_grow(&table->buckets, 1);
        table->bucket_count = 1;
    }
    chain_add(table, bucket_at(table, bucket_index(table, hash)), print_of(hash), item);
    table->count++;
    if (table->count * 16 > table->bucket_count * GROW_ITEMS_PER_16)
        table_split(table);
}

/* Takes the slot out of its bucket; a chained bucket that this empties is freed. */
static void chain_take(struct rg_table *table, struct bucket *prev, struct bucket *bucket,
                       unsigned slot)
{
    bucket->used &= (uint8_t) ~(1U << slot);
    if (prev == NULL || bucket_items(bucket) != 0)
        return;
    struct bucket *next = bucket_next(bucket);
    prev->slots[CHAIN_SLOT] = next;
    if (next == NULL)
        prev->used &= ALL_SLOTS >> 1;
    overflow_free(table, bucket);
}

void *rg_table_remove(struct rg_table *table, struct rg_bytes key)
{
    uint64_t hash = rg_table_hash(table, key);
    void **place = rg_table_find(table, key, hash);
    if (place == NULL)
        return NULL;
    void *item = *place;
    struct bucket *prev = NULL;
    struct bucket *bucket = bucket_at(table, bucket_index(table, hash));
    while (place < bucket->slots || place >= bucket->slots + SLOTS) {
        prev = bucket;
        bucket = bucket_next(bucket);
        RG_ASSERT(bucket != NULL);
    }
    chain_take(table, prev, bucket, (unsigned)(place - bucket->slots));
    table->count--;
    if (table->count == 0)
        rg_table_fini(table);
    else if (table->bucket_count > 1 &&
             table->count * 16 < table->bucket_count * SHRINK_ITEMS_PER_16)
        table_merge(table);
    return item;
}

/* ---- Many items ---- */

void *rg_table_random(const struct rg_table *table, struct rg_rand *rand)
{
    if (table->count == 0)
        return NULL;
    /* Drawing a place as deep as the deepest chain, taken or not, makes all items equally likely.
     */
    for (;;) {
        struct bucket *bucket = bucket_at(table, rg_rand_below(rand, table->bucket_count));
        uint64_t place = rg_rand_below(rand, table->deepest * SLOTS);
        for (uint64_t depth = place / SLOTS; depth > 0 && bucket != NULL; depth--)
            bucket = bucket_next(bucket);
        unsigned slot = (unsigned)(place % SLOTS);
        if (bucket != NULL && bucket_items(bucket) & 1U << slot)
            return bucket->slots[slot];
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
    do {
        uint64_t index = bucket_index(table, cursor);
        for (struct bucket *b = bucket_at(table, index); b != NULL; b = bucket_next(b)) {
            for (unsigned left = bucket_items(b); left != 0; left &= left - 1) {
                visit(arg, b->slots[__builtin_ctz(left)]);
                visited++;
            }
        }
        cursor = cursor_next(table, cursor, index);
    } while (cursor != 0 && visited < count && --steps_left > 0);
    return cursor;
}

void *rg_table_next(const struct rg_table *table, uint64_t position[4])
{
    /* Bucket, how far down its chain, and slot to look at next. */
    while (position[0] < table->bucket_count) {
        struct bucket *bucket = bucket_at(table, position[0]);
        for (uint64_t depth = position[1]; depth > 0; depth--)
            bucket = bucket_next(bucket);
        unsigned left = bucket_items(bucket) >> position[2];
        if (left != 0) {
            uint64_t slot = position[2] + (unsigned)__builtin_ctz(left);
            position[2] = slot + 1;
            return bucket->slots[slot];
        }
        position[2] = 0;
        if (bucket->used & CHAINED) {
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
           table->overflows * rg_pool_cost(sizeof(struct bucket));
}
