#ifndef RG_STORE_BUCKET_H
#define RG_STORE_BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/panic.h"

/*
 * A bucket of a table: one cache line of nine items, of each a byte of its hash, its print (0: the
 * slot is empty), and the lower six bytes of its address: no process here has higher ones. The last
 * slot of a bucket that is chained holds the address of the next bucket, and its print is 0.
 */
enum {
    RG_BUCKET_SHIFT = 6,
    RG_BUCKET_SLOTS = 9,
    RG_BUCKET_CHAIN_SLOT = RG_BUCKET_SLOTS - 1,
    RG_BUCKET_ALL = (1 << RG_BUCKET_SLOTS) - 1, /* a bit per slot */
};

struct rg_bucket {
    uint8_t prints[RG_BUCKET_SLOTS];
    uint8_t chained;
    uint8_t addresses[RG_BUCKET_SLOTS][6];
};
_Static_assert(sizeof(struct rg_bucket) == 1 << RG_BUCKET_SHIFT, "a bucket is a cache line");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "an address begins with its low bytes");

/* The low bits of a hash choose the bucket; these do not, and stay true when it is split. */
static inline uint8_t rg_bucket_print(uint64_t hash)
{
    uint8_t print = (uint8_t)(hash >> 56);
    return print != 0 ? print : 1;
}

/* What is in a slot, or, in the last one of a chained bucket, the next bucket. */
static inline void *rg_bucket_address(const struct rg_bucket *bucket, unsigned slot)
{
    uint64_t word = 0;
    /* The two bytes in front as well, so that the last one's word ends with the bucket. */
    size_t offset = offsetof(struct rg_bucket, addresses) - 2 + (size_t)slot * 6;
    memcpy(&word, (const char *)bucket + offset, sizeof(word));
    return (void *)(uintptr_t)(word >> 16);
}

static inline void rg_bucket_set_address(struct rg_bucket *bucket, unsigned slot,
                                         const void *address)
{
    uint64_t word = (uintptr_t)address;
    RG_ASSERT(word >> 48 == 0);
    memcpy(bucket->addresses[slot], &word, 6);
}

static inline void rg_bucket_put(struct rg_bucket *bucket, unsigned slot, uint8_t print,
                                 const void *item)
{
    bucket->prints[slot] = print;
    rg_bucket_set_address(bucket, slot, item);
}

static inline struct rg_bucket *rg_bucket_next(const struct rg_bucket *bucket)
{
    return bucket->chained ? rg_bucket_address(bucket, RG_BUCKET_CHAIN_SLOT) : NULL;
}

/* NULL ends the chain: the last slot is empty then. */
static inline void rg_bucket_set_next(struct rg_bucket *bucket, const struct rg_bucket *next)
{
    bucket->chained = next != NULL;
    rg_bucket_put(bucket, RG_BUCKET_CHAIN_SLOT, 0, next);
}

/* The slots whose print is this one, as bits. */
static inline unsigned rg_bucket_match(const struct rg_bucket *bucket, uint8_t print)
{
#ifdef __SSE2__
    __m128i head = _mm_loadu_si128((const __m128i *)(const void *)bucket);
    __m128i equal = _mm_cmpeq_epi8(head, _mm_set1_epi8((char)print));
    return (unsigned)_mm_movemask_epi8(equal) & RG_BUCKET_ALL;
#else
    unsigned match = 0;
    for (unsigned slot = 0; slot < RG_BUCKET_SLOTS; slot++)
        match |= (unsigned)(bucket->prints[slot] == print) << slot;
    return match;
#endif
}

/* The slots that hold an item. */
static inline unsigned rg_bucket_items(const struct rg_bucket *bucket)
{
    return rg_bucket_match(bucket, 0) ^ RG_BUCKET_ALL;
}

/* The slots that an item can be put in. */
static inline unsigned rg_bucket_free_slots(const struct rg_bucket *bucket)
{
    unsigned empty = rg_bucket_match(bucket, 0);
    return bucket->chained ? empty & ~(1U << RG_BUCKET_CHAIN_SLOT) : empty;
}

/* Walks the slots of a set of bits. `slot` is a name, not an expression. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define RG_BUCKET_EACH(slot, set)                                                                  \
    for (unsigned left_ = (set), slot = 0;                                                         \
         left_ != 0 && ((slot = (unsigned)__builtin_ctz(left_)), true); left_ &= left_ - 1)
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
