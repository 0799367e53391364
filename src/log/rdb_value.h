#ifndef RG_LOG_RDB_VALUE_H
#define RG_LOG_RDB_VALUE_H

#include "log/rdb.h"
#include "log/rdb_packed.h"
#include "log/rdb_source.h"

/*
 * The value of one key on its way in. Its elements stand one by one in the file, or together in a
 * blob, or, of a list, in a row of nodes that are blobs. Private to the reader's files.
 */
struct rdb_value {
    const struct rdb_kind *kind;
    uint64_t left; /* elements, or nodes, that are still to come in the file */
    bool shown;    /* the event of the key is out; a list waits for its first element */
    struct rg_rdb_event head;

    bool in_runs;   /* what can be taken as a whole is */
    size_t run_len; /* of the blob: from blob_at on it is a run as it is; 0: it is not */
    struct rg_buf blob;
    size_t blob_at;
    uint64_t blob_items; /* that have not been shown yet */
    enum rdb_form blob_form;
    struct rdb_item items[2];

    struct rg_buf key;     /* where the head's key has to outlast the bytes that came */
    struct rg_buf text[2]; /* strings that do not lie in the source as they are */
};

void rdb_value_fini(struct rdb_value *v);

/* What an event's value is called, as errors say it. */
const char *rdb_type_name(unsigned type);
/*
 * Begins the value behind a type byte and a key; head holds the key and what was said of it.
 * Returns 1 with its event, 0 where there is none (yet). Errors: RG_EAGAIN, RG_ECORRUPT, RG_ETYPE,
 * RG_ENOMEM.
 */
RG_MUST_USE int rdb_value_begin(struct rdb_value *v, struct rdb_source *s, unsigned type,
                                const struct rg_rdb_event *head, struct rg_rdb_event *ret_event);
/* Whether elements are to come. */
static inline bool rdb_value_is_open(const struct rdb_value *v)
{
    return v->left > 0 || v->blob_items > 0;
}
/* The next element, or what leads to it; returns and fails as _begin. */
RG_MUST_USE int rdb_value_next(struct rdb_value *v, struct rdb_source *s,
                               struct rg_rdb_event *ret_event);

#endif
