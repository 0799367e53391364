#ifndef RG_LOG_RDB_PACKED_H
#define RG_LOG_RDB_PACKED_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/number.h"

/* One element of a packed hash. Small integers are turned to text in scratch. */
struct rdb_packed_item {
    struct rg_bytes text; /* borrowed from the blob or from scratch */
    char scratch[RG_I64_CHARS];
};

/* Checks the whole structure of a blob of RDB type `type`, and tells where its first element lies
 * and how many pairs it has. Errors: RG_ECORRUPT. */
RG_MUST_USE int rdb_packed_check(unsigned type, struct rg_bytes blob, size_t *ret_first,
                                 uint64_t *ret_pairs);
/* The element at *at of a blob, and the place behind it. is_value matters to zipmaps only.
 * Errors: RG_ECORRUPT. */
RG_MUST_USE int rdb_packed_next(unsigned type, struct rg_bytes blob, size_t *at, bool is_value,
                                struct rdb_packed_item *item);

#endif
