#ifndef RG_IO_GATHER_H
#define RG_IO_GATHER_H

#include <stdbool.h>

/*
 * How many arrivals a wait is for. To be woken for each costs the server more than to answer it:
 * where many connections are busy, a wait that lasts a moment longer serves several at once. That
 * is only right while they do arrive in that moment, which is what this watches: a wait for several
 * that ran out of time ends it, for longer the more often it was in vain. Whoever has the server
 * for himself, or nearly so, waits for nobody.
 */
enum {
    RG_GATHER_US = 50, /* the most that an arrival waits for others */
    RG_GATHER_MIN = 3, /* fewer would not repay the timer */
    RG_GATHER_MAX = 8,
    RG_GATHER_MAX_PAUSE = 1024,
};

struct rg_gather {
    unsigned want;  /* below RG_GATHER_MIN: one */
    unsigned pause; /* waits until it may be tried again */
    unsigned next_pause;
};

/* For how many arrivals the next wait is. */
static inline unsigned rg_gather_want(const struct rg_gather *gather)
{
    return gather->want < RG_GATHER_MIN ? 1 : gather->want;
}

/* The wait ended with so many. */
void rg_gather_note(struct rg_gather *gather, unsigned arrived);

#endif
