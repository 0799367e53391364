#ifndef RG_STORE_FORM_H
#define RG_STORE_FORM_H

#include "store/pool.h"
#include "store/store.h"

/*
 * The forms that a value is kept in. A form is a row of the table in form.c: what the rest of the
 * store needs to know of a value without knowing what it is. A type's rows lie in its own file.
 */
enum rg_form {
    RG_FORM_INT,        /* string: an int64_t in the entry */
    RG_FORM_INLINE,     /* string: up to RG_INLINE_MAX bytes in the entry, behind the key */
    RG_FORM_BLOCK,      /* string: struct rg_block */
    RG_FORM_PACKED,     /* hash, small: struct rg_packed */
    RG_FORM_TABLE,      /* hash, large: struct rg_fields */
    RG_FORM_LIST_CHUNK, /* list, short: struct rg_list_chunk */
    RG_FORM_LIST_DIR,   /* list, long: struct rg_list_dir */
    RG_FORM_SET_INTS,
    RG_FORM_SET_PACKED,
    RG_FORM_SET_TABLE,
    RG_FORM_ZSET_PACKED,
    RG_FORM_ZSET_TREE,
    RG_FORMS
};

struct rg_capture_ops;

/* value is what the entry's pointer (union rg_value) points at: never NULL. */
struct rg_form_ops {
    enum rg_type type;
    const char *encoding; /* as OBJECT ENCODING says; NULL: encoding_of knows */
    const char *(*encoding_of)(const struct rg_entry *entry);
    /* Forms whose value lies in the entry itself have none of the following. */
    void (*free)(struct rg_pool *pool, void *value);
    /* All that the value holds of its pool, in O(1). */
    uint64_t (*memory)(const void *value);
    void *(*copy)(struct rg_pool *pool, const void *value);
    /*
     * How many elements free would visit; NULL: it takes no time worth counting. Values of many
     * are freed in steps, each of about *budget elements, which it counts down. True: all of it is
     * gone. Between steps nobody else looks at the value. What is large counts for more than one,
     * since its pages take their time, too: rg_form_free_cost.
     */
    uint64_t (*elements)(const void *value);
    bool (*free_step)(struct rg_pool *pool, void *value, uint64_t *budget);
    /* How a snapshot is shown it bit by bit (store/capture.h); NULL: it is always shown whole. */
    const struct rg_capture_ops *capture;
};

const struct rg_form_ops *rg_form_ops(enum rg_form form);

/* For how many elements freeing so many bytes counts, beside those that they held. */
static inline uint64_t rg_form_free_cost(uint64_t bytes)
{
    return bytes / 2048;
}
/* The same of what was freed since a pool's items cost `before`; a budget cannot be overdrawn. */
static inline void rg_form_spend(uint64_t *budget, uint64_t elements, const struct rg_pool *pool,
                                 uint64_t before)
{
    uint64_t used = rg_pool_used(pool);
    uint64_t cost = elements + (before > used ? rg_form_free_cost(before - used) : 0);
    *budget -= cost < *budget ? cost : *budget;
}

/* The rows, by their files. */
extern const struct rg_form_ops rg_form_int;         /* string.c */
extern const struct rg_form_ops rg_form_inline;      /* string.c */
extern const struct rg_form_ops rg_form_block;       /* string.c */
extern const struct rg_form_ops rg_form_packed;      /* hash.c */
extern const struct rg_form_ops rg_form_table;       /* hash.c */
extern const struct rg_form_ops rg_form_list_chunk;  /* list.c */
extern const struct rg_form_ops rg_form_list_dir;    /* list.c */
extern const struct rg_form_ops rg_form_set_ints;    /* set_forms.c */
extern const struct rg_form_ops rg_form_set_packed;  /* set_forms.c */
extern const struct rg_form_ops rg_form_set_table;   /* set_forms.c */
extern const struct rg_form_ops rg_form_zset_packed; /* zset.c */
extern const struct rg_form_ops rg_form_zset_tree;   /* zset.c */

extern const struct rg_capture_ops rg_capture_fields; /* these four: capture_forms.c */
extern const struct rg_capture_ops rg_capture_set;
extern const struct rg_capture_ops rg_capture_zset;
extern const struct rg_capture_ops rg_capture_list;

#endif
