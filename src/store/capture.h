#ifndef RG_STORE_CAPTURE_H
#define RG_STORE_CAPTURE_H

#include "store/db.h"
#include "store/doomed.h"
#include "store/list_dir.h"
#include "store/rank_tree.h"
#include "store/table.h"

/*
 * A large value on its way into a snapshot: it is shown in pieces while commands change it. What is
 * about to change is shown, or kept, just before, a bucket, leaf or chunk at a time, so that
 * neither the walk nor a write ever takes longer than a few pieces do, and what is held twice is at
 * most what changed. (An undo log would have to be merged into the walk, in the order of each form;
 * a copy of the value takes the time that is to be avoided.)
 *
 *   begun, by the walk or before the first change --all pieces shown, or cancelled--> freed
 */
struct rg_capture {
    struct rg_capture *next; /* of the store's, in the order in which they were begun */
    struct rg_store *store;
    const struct rg_capture_ops *ops;
    void *value;               /* borrowed; owned, with dropped; a list's may be gone before */
    struct rg_doomed *dropped; /* owned: no database holds the value, which is freed afterwards */
    void *part;                /* the visitor's */
    union {
        struct rg_table_watch table;
        struct rg_rank_watch order;
        struct rg_list_watch list;
    } watch;
};

struct rg_capture_ops {
    /* Returns how many pieces will be shown. */
    uint64_t (*begin)(struct rg_capture *capture);
    /* Shows pieces of about *budget elements, which it counts down; true: there are no more. */
    bool (*step)(struct rg_capture *capture, uint64_t *budget);
    void (*end)(struct rg_capture *capture);
    /* The one that the value is in; NULL. */
    struct rg_capture *(*of)(const void *value);
    /* Memory of the pool that only the capture holds. NULL: none. */
    uint64_t (*held)(const struct rg_capture *capture);
};

/* Begins one of the entry's value where that is large. False: it is to be shown whole. */
bool rg_capture_begin(struct rg_store *store, unsigned snapshot_index,
                      const struct rg_entry *entry);
/*
 * The value is in no database any more: where it is being captured, it is freed afterwards, as
 * `doomed` says, which is given; false: it is not.
 */
bool rg_capture_keep(const struct rg_form_ops *ops, void *value, struct rg_doomed *doomed);
bool rg_capture_has(const struct rg_form_ops *ops, const void *value);
/* Goes on with the oldest one. */
void rg_capture_step(struct rg_store *store, uint64_t *budget);
/* Nothing more is shown of any. */
void rg_capture_cancel_all(struct rg_store *store);
/* Memory of the pool that only captures hold. */
uint64_t rg_capture_held(const struct rg_store *store);
/* Shows a piece; for the forms. */
void rg_capture_show(const struct rg_capture *capture, const struct rg_snapshot_piece *piece);

#endif
