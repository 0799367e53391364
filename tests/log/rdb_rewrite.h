#ifndef RG_TESTS_LOG_RDB_REWRITE_H
#define RG_TESTS_LOG_RDB_REWRITE_H

#include "log/rdb.h"

/*
 * Writes what is read. All events are shown to _plan first, which decides which collections are
 * written packed (as redis-server does by its default limits), and then to _event. Zeroed is ready,
 * but for the writer.
 */
struct rdb_rewrite {
    struct rg_rdb_writer *writer; /* borrowed; begun */
    bool *packed;                 /* of each collection that is whole */
    size_t planned;
    size_t cap;
    size_t written; /* collections */
    uint64_t left;  /* elements to come */
    enum rg_rdb_event_type element;
    bool fits;
    bool list;
    int64_t before; /* the set's last member */
    double before_score;
    bool first;
};

void rdb_rewrite_fini(struct rdb_rewrite *rewrite);
void rdb_rewrite_plan(struct rdb_rewrite *rewrite, const struct rg_rdb_event *event);
/* What an RG_RDB_DB event says is written by the caller, and so is the end. */
void rdb_rewrite_event(struct rdb_rewrite *rewrite, const struct rg_rdb_event *event);
/* Ends a list, and makes up what a collection was promised and did not get. */
void rdb_rewrite_rest(struct rdb_rewrite *rewrite,
                      void (*made_up)(void *arg, const struct rg_rdb_event *event), void *arg);
bool rdb_event_is_key(enum rg_rdb_event_type type);

#endif
