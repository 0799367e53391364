#ifndef RG_LOG_AOF_STRIP_H
#define RG_LOG_AOF_STRIP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/*
 * The log's bytes out of a file of the log on disk (log/aof.h): all but the lines of notes, which
 * are left out. The file may come in pieces of any size; a value is passed on as it comes and never
 * held, so memory does not grow with what a length claims.
 */
enum rg_aof_strip_state {
    RG_AOF_STRIP_START, /* of a command or a note */
    RG_AOF_STRIP_NOTE,
    RG_AOF_STRIP_COUNT, /* of words, behind '*' */
    RG_AOF_STRIP_COUNT_END,
    RG_AOF_STRIP_WORD, /* '$' is due */
    RG_AOF_STRIP_LENGTH,
    RG_AOF_STRIP_LENGTH_END,
    RG_AOF_STRIP_VALUE,
};

struct rg_aof_strip {
    enum rg_aof_strip_state state;
    unsigned digits;
    uint64_t number; /* being read; in VALUE what is left, with its line's end */
    uint64_t words;  /* of the command that are left */
};

/* Where a command or a note begins. */
void rg_aof_strip_init(struct rg_aof_strip *strip);
/*
 * Takes the next run of the log's bytes, and notes before it, off the front of *piece. Errors:
 * RG_EAGAIN (the piece is used up), RG_ECORRUPT.
 */
RG_MUST_USE int rg_aof_strip_next(struct rg_aof_strip *strip, struct rg_bytes *piece,
                                  struct rg_bytes *ret_run);
/* What was taken so far ends with a whole command or note. */
bool rg_aof_strip_whole(const struct rg_aof_strip *strip);

#endif
