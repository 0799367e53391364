#ifndef RG_STORE_ZSET_ITEM_H
#define RG_STORE_ZSET_ITEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * A member of a sorted set as bytes in a row: its score, its length as a base-128 number (lowest
 * digit first, the high bit saying that more follow), the member. A small sorted set is such items
 * one after the other; a large one has an allocation for each, which its tree and its table share.
 */
struct rg_zset_item {
    char score[sizeof(double)]; /* not aligned */
    char rest[];
};

static inline size_t rg_zset_item_size(size_t member_len)
{
    size_t digits = 1;
    for (size_t left = member_len; left >= 0x80; left >>= 7)
        digits++;
    return sizeof(double) + digits + member_len;
}

/* Writes exactly rg_zset_item_size bytes. */
static inline void rg_zset_item_write(char *out, double score, struct rg_bytes member)
{
    memcpy(out, &score, sizeof(score));
    out += sizeof(score);
    size_t left = member.len;
    for (; left >= 0x80; left >>= 7)
        *out++ = (char)(left | 0x80);
    *out++ = (char)left;
    if (member.len > 0)
        memcpy(out, member.data, member.len);
}

static inline double rg_zset_item_score(const struct rg_zset_item *item)
{
    double score = 0;
    memcpy(&score, item->score, sizeof(score));
    return score;
}

static inline void rg_zset_item_set_score(struct rg_zset_item *item, double score)
{
    memcpy(item->score, &score, sizeof(score));
}

static inline struct rg_bytes rg_zset_item_member(const struct rg_zset_item *item)
{
    const char *at = item->rest;
    size_t len = 0;
    for (unsigned shift = 0;; shift += 7) {
        size_t digit = (unsigned char)*at++;
        len |= (digit & 0x7f) << shift;
        if (digit < 0x80)
            return rg_bytes(at, len);
    }
}

/* Less than, equal to or greater than 0, by score and then by the bytes. */
static inline int rg_zset_compare(double a_score, struct rg_bytes a, double b_score,
                                  struct rg_bytes b)
{
    if (a_score != b_score)
        return a_score < b_score ? -1 : 1;
    return rg_bytes_compare(a, b);
}

#endif
