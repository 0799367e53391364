#ifndef RG_STORE_TABLE_H
#define RG_STORE_TABLE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/rand.h"
#include "store/segments.h"

/*
 * A hash table of items that hold their own key. A bucket is one cache line (bucket.h): nine items
 * and a byte of each one's hash, so that a look-up reads the bucket and, nearly always, only the
 * right item.
 *
 * It is a linear hash table: bucket b holds the items whose hash ends in the bits of b, and the
 * table grows by splitting one bucket, and shrinks by merging one, per insertion or removal. So
 * there is never a second table, a pause or a doubling of memory.
 *
 * Items are borrowed: the owner frees them.
 */
struct rg_table_watch;

struct rg_table {
    struct rg_segments buckets;
    uint64_t bucket_count; /* 0 while empty */
    uint64_t low_mask;     /* of the hash bits that every bucket has: 2^level - 1 */
    uint64_t count;        /* items */
    uint64_t overflows;    /* buckets chained behind a full one */
    uint64_t deepest;      /* the longest chain of buckets since the table was empty */
    uint64_t moved;        /* items that splits and merges moved so far */
    uint64_t seed;
    struct rg_pool *pool;
    struct rg_bytes (*key_of)(const void *item);
    struct rg_table_watch *watch; /* borrowed; NULL: nobody watches */
};

void rg_table_init(struct rg_table *table, struct rg_pool *pool, uint64_t seed,
                   struct rg_bytes (*key_of)(const void *item));
/* Frees the buckets; the table is empty and ready. */
void rg_table_fini(struct rg_table *table);

uint64_t rg_table_hash(const struct rg_table *table, struct rg_bytes key);
/* The item with this key, or NULL. */
void *rg_table_find(const struct rg_table *table, struct rg_bytes key, uint64_t hash);
/* Puts another one of the same key, and so hash, in the place of an item that is in the table. */
void rg_table_replace(struct rg_table *table, const void *item, void *fresh, uint64_t hash);
/*
 * Looking ahead: has the memory of a later rg_table_find fetched meanwhile. First the bucket; once
 * that is there, the items in it that it may be.
 */
void rg_table_prefetch_bucket(const struct rg_table *table, uint64_t hash);
void rg_table_prefetch_items(const struct rg_table *table, uint64_t hash);
/* As many items will be there: the buckets for them are made now, which is cheap while few are. */
void rg_table_expect(struct rg_table *table, uint64_t items);
/* The item's key, of this hash, is not in the table. */
void rg_table_insert(struct rg_table *table, void *item, uint64_t hash);
/* Returns the item that was removed, or NULL. */
void *rg_table_remove(struct rg_table *table, struct rg_bytes key, uint64_t hash);

/*
 * Takes out items, bucket by bucket, and shows each to take, until about *budget, which it counts
 * down, is used up. Nothing else may be done with the table from then on. True: nothing is left.
 */
bool rg_table_drain(struct rg_table *table, uint64_t *budget, void (*take)(void *arg, void *item),
                    void *arg);

/* Each item equally likely; NULL in an empty table. */
void *rg_table_random(const struct rg_table *table, struct rg_rand *rand);

/*
 * Buckets are visited in the order of their reversed number, so that a cursor stands for "all
 * hashes that are less, read from their lowest bit, are done". Neither a split nor a merge changes
 * that: an item that stays is seen. Visits at least `count` items where there are so many, and ten
 * times as many buckets at most. Returns the next cursor, 0 at the end.
 */
uint64_t rg_table_scan(const struct rg_table *table, uint64_t cursor, uint64_t count,
                       void (*visit)(void *arg, void *item), void *arg);

/* Everything once; position begins zeroed and the table must not change meanwhile. */
void *rg_table_next(const struct rg_table *table, uint64_t position[4]);

size_t rg_table_memory(const struct rg_table *table);

/*
 * Shows all items that the table has now, each once, while it goes on changing: a bucket's before
 * its first change, all others bucket by bucket as _watch_step is called. Items that come later are
 * not shown. What is shown does not change the table.
 */
struct rg_table_watch {
    void (*show)(void *arg, const void *item);
    void *arg;
    uint64_t next;  /* all buckets before it have been shown */
    uint64_t *done; /* owned: a bit per bucket */
    uint64_t cap;   /* bits */
};
/* One at a time; watch is the caller's and stays where it is until _watch_end. */
void rg_table_watch_begin(struct rg_table *table, struct rg_table_watch *watch,
                          void (*show)(void *arg, const void *item), void *arg);
/* Shows about *budget items, which it counts down. True: all have been shown. */
bool rg_table_watch_step(struct rg_table *table, uint64_t *budget);
/* At any time. */
void rg_table_watch_end(struct rg_table *table);

#endif
