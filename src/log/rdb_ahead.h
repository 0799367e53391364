#ifndef RG_LOG_RDB_AHEAD_H
#define RG_LOG_RDB_AHEAD_H

#include "log/rdb_source.h"

/*
 * A look at keys that are to come, so that whoever stores them can have memory fetched in time. It
 * takes nothing and judges nothing: what is not whole, or hard to pass over, ends it. Private to
 * the reader's files.
 */
struct rdb_ahead {
    size_t at;     /* of the source: the next item to look at */
    unsigned keys; /* shown whose events have not come */
};

/* The source moved its bytes. */
static inline void rdb_ahead_reset(struct rdb_ahead *ahead)
{
    *ahead = (struct rdb_ahead){0};
}
/* A key's event came. */
static inline void rdb_ahead_passed(struct rdb_ahead *ahead)
{
    ahead->keys -= ahead->keys > 0 ? 1 : 0;
}
/* The next key; false where it cannot be seen, or is too far away. */
bool rdb_ahead_next(struct rdb_ahead *ahead, const struct rdb_source *s, struct rg_bytes *ret_key);

#endif
