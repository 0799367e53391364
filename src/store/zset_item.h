#ifndef RG_STORE_ZSET_ITEM_H
#define RG_STORE_ZSET_ITEM_H

#include <stdbool.h>
#include <stdint.h>

#include "store/counted.h"

/*
 * A member of a large sorted set: its score and its counted bytes (store/counted.h), in one item
 * of the pool, which the tree and the table of the set share.
 */
struct rg_zset_item {
    char score[sizeof(double)]; /* not aligned */
    char member[];
};

static inline size_t rg_zset_item_size(struct rg_bytes member)
{
    return sizeof(double) + rg_counted_size(member.len);
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
    struct rg_bytes member;
    rg_counted_read(item->member, &member);
    return member;
}

/* There are rg_zset_item_size bytes. */
static inline void rg_zset_item_write(struct rg_zset_item *item, double score,
                                      struct rg_bytes member)
{
    rg_zset_item_set_score(item, score);
    rg_counted_write(item->member, member);
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
