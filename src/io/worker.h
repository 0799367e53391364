#ifndef RG_IO_WORKER_H
#define RG_IO_WORKER_H

#include <stdbool.h>

#include "base/list.h"

/*
 * Work that may block, done by threads of its own, so that a slow disk or name server never holds
 * up the loop. Jobs of one lane run one after the other, in the order in which they were given.
 */
struct rg_worker;

enum { RG_WORKER_LANES = 32 };

/* The first member of the caller's own struct. Owned by the caller again once it is done. */
struct rg_job {
    struct rg_list node; /* the worker's */
    unsigned lane;       /* below RG_WORKER_LANES; 0: none */
    void (*run)(struct rg_job *job);
};

/* NULL: a thread or the descriptor could not be made. */
struct rg_worker *rg_worker_new(unsigned threads);
/* Finishes the jobs that were given, then ends the threads. Those not taken yet are handed to drop.
 */
void rg_worker_free(struct rg_worker *worker, void (*drop)(struct rg_job *job));
void rg_worker_give(struct rg_worker *worker, struct rg_job *job);
/* A finished job, in the order in which they finished; NULL: none. */
struct rg_job *rg_worker_take(struct rg_worker *worker);
/* Readable while finished jobs wait. Lent; the worker closes it. */
int rg_worker_fd(const struct rg_worker *worker);

#endif
