#ifndef RG_LOG_RDB_LISTPACK_H
#define RG_LOG_RDB_LISTPACK_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

/*
 * Making of listpacks: a head of total length and count, elements that are each followed by their
 * own length, an end mark. Text that is the decimal form of an integer becomes one.
 */

/* Bytes beside the elements. */
enum { RDB_LISTPACK_FRAME = 7 };

/* Room for the head, in an empty buffer. */
void rdb_listpack_begin(struct rg_buf *pack);
void rdb_listpack_append(struct rg_buf *pack, struct rg_bytes element);
/* The end mark, and the head. */
void rdb_listpack_end(struct rg_buf *pack, uint64_t items);
/* At most what an element adds; exact for text. */
static inline size_t rdb_listpack_size_max(struct rg_bytes element)
{
    return element.len + 10;
}

#endif
