#ifndef RG_LOG_RDB_PACKED_H
#define RG_LOG_RDB_PACKED_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/number.h"

/* Runs of elements in one string of the file, as Redis keeps small collections in memory. */
enum rdb_form {
    RDB_FORM_LISTPACK,
    RDB_FORM_ZIPLIST,
    RDB_FORM_ZIPMAP, /* of pairs */
    RDB_FORM_INTSET, /* of different integers in ascending order */
    RDB_FORM_PLAIN,  /* the string is the one element */
};

/* An element is text or an integer. */
struct rdb_item {
    struct rg_bytes text; /* borrowed from the blob */
    bool is_integer;
    int64_t integer;
    char scratch[RG_I64_CHARS];
};

/* The element as text, which an integer is turned to in scratch. */
static inline struct rg_bytes rdb_item_text(struct rdb_item *item)
{
    return item->is_integer ? rg_bytes(item->scratch, rg_format_i64(item->scratch, item->integer))
                            : item->text;
}

/*
 * Checks the whole structure of a blob, whose elements come in groups of `group` (2: pairs), and
 * tells where the first one lies and how many there are. *ret_run: of an intset its numbers; of a
 * listpack its elements, if each has the only code for its text (base/element.h); else empty.
 * Errors: RG_ECORRUPT.
 */
RG_MUST_USE int rdb_packed_check(enum rdb_form form, struct rg_bytes blob, unsigned group,
                                 size_t *ret_first, uint64_t *ret_items, struct rg_bytes *ret_run);
/*
 * The element at *at, and the place behind it. is_value, the second of a pair, matters to zipmaps
 * only. Of a blob that was checked it does not fail. Errors: RG_ECORRUPT.
 */
RG_MUST_USE int rdb_packed_next(enum rdb_form form, struct rg_bytes blob, size_t *at, bool is_value,
                                struct rdb_item *item);

#endif
