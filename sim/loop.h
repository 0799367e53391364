#ifndef RG_SIM_LOOP_H
#define RG_SIM_LOOP_H

#include "base/heap.h"
#include "base/list.h"
#include "base/rand.h"
#include "sim/trace.h"

/*
 * The simulation's own time: a heap of events, the one source of randomness, and the verdict. All
 * of a world shares one loop; nothing in it comes from outside but the seed.
 */
struct sim_event {
    struct rg_heap_item item;
    void (*fire)(struct sim_event *event);
};

struct sim_loop {
    int64_t now_us; /* true time, which no node knows */
    struct rg_heap events;
    struct rg_rand rand;
    struct sim_trace trace;
    bool failed;
    char failure[512]; /* the first one */
};

void sim_loop_init(struct sim_loop *loop, uint64_t seed);
void sim_loop_fini(struct sim_loop *loop);

void sim_event_init(struct sim_event *event, void (*fire)(struct sim_event *event));
/* Sets or moves the event; a time in the past means now. */
void sim_event_at(struct sim_loop *loop, struct sim_event *event, int64_t at_us);
/* As sim_event_at, but never moves a pending event to a later time. */
void sim_event_by(struct sim_loop *loop, struct sim_event *event, int64_t at_us);
void sim_event_cancel(struct sim_loop *loop, struct sim_event *event);

/* Runs events until the time is reached, or a check failed; false where it failed. */
bool sim_loop_run(struct sim_loop *loop, int64_t until_us);
/* A rule was broken. Only the first is kept. */
void sim_fail(struct sim_loop *loop, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Draws. */
int64_t sim_between(struct sim_loop *loop, int64_t low, int64_t high); /* inclusive */
bool sim_chance(struct sim_loop *loop, double probability);
/* Exponential with the mean. */
int64_t sim_around(struct sim_loop *loop, int64_t mean_us);

#endif
