#ifndef TESTS_FUZZ_STORE_WORLD_H
#define TESTS_FUZZ_STORE_WORLD_H

#include <stdint.h>

#include "base/buf.h"
#include "base/panic.h"
#include "store/store.h"

/*
 * What the store's targets share. An input is a row of operations on one container; what each does
 * is done to a model as well: plain arrays over the names of a small universe. Where the two do not
 * agree, the process ends.
 */
enum { WORLD_NAMES = 1024, WORLD_NAME_CHARS = 128 };

struct world {
    const uint8_t *at; /* of the input: what has not been used yet */
    const uint8_t *end;
    struct rg_store *store; /* owned */
    struct rg_db *db;
    uint64_t empty_memory;
    struct rg_rand rand;
    int budget; /* of what takes long: how much of the model may still be looked through */
};

/* The store has the limits, of the packed forms above all, that the input says. */
void world_init(struct world *world, const uint8_t *data, size_t size);
/* The store, freed in steps, must not hold anything then. */
void world_fini(struct world *world);
/* Other limits, as by CONFIG SET. */
void world_change_limits(struct world *world);

static inline bool world_more(const struct world *world)
{
    return world->at < world->end;
}

/* 0 behind the end of the input. */
static inline unsigned world_byte(struct world *world)
{
    return world_more(world) ? *world->at++ : 0;
}

/* Below the bound, which is 1 to 65536. */
static inline unsigned world_below(struct world *world, unsigned bound)
{
    unsigned high = bound > 256 ? world_byte(world) << 8 : 0;
    return (high | world_byte(world)) % bound;
}

/* Whether something that looks through as much of the model may be done. */
static inline bool world_affords(struct world *world, unsigned cost)
{
    world->budget -= (int)cost;
    return world->budget >= 0;
}

/*
 * Different ones: integers of every width, text that only looks like one, text beyond the limits of
 * packed forms. It has a zero byte behind it.
 */
struct rg_bytes world_name(unsigned id);
/* One of all names, or, as often, of a few, so that the same one comes again. */
unsigned world_draw(struct world *world);
/* The name that this is; WORLD_NAMES where it is none. */
unsigned world_id(struct rg_bytes name);

/* Puts an element with its back size behind a run, as RDB files have them. */
void world_run_append(struct rg_buf *run, struct rg_bytes text);

/* The targets, by the first byte of an input. */
void fuzz_zset(struct world *world);
void fuzz_list(struct world *world);
void fuzz_set(struct world *world);
void fuzz_hash(struct world *world);
void fuzz_table(struct world *world);
void fuzz_keys(struct world *world);

#endif
