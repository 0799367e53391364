#ifndef RG_CMD_KEYSPEC_H
#define RG_CMD_KEYSPEC_H

#include "cmd/table.h"

/*
 * The key specifications of a command, read from its row: where its keys stand, and what it does
 * with them. The form of the column stands at the top of commands.def. Private to the layer.
 */
enum rg_key_begin {
    RG_KEY_BEGIN_INDEX,
    RG_KEY_BEGIN_KEYWORD, /* behind a word, searched from index on */
    RG_KEY_BEGIN_UNKNOWN,
};

enum rg_key_find {
    RG_KEY_FIND_RANGE,
    RG_KEY_FIND_KEYNUM, /* as many as the argument at index says, right behind it */
    RG_KEY_FIND_UNKNOWN,
};

struct rg_key_spec {
    enum rg_key_begin begin;
    enum rg_key_find find;
    int index;
    struct rg_bytes keyword; /* of KEYWORD; of UNKNOWN: an option that names a key, or empty */
    int last;                /* of RANGE: relative to the first; negative counts from the end */
    int step;
    struct rg_bytes flags; /* words */
};

enum { RG_KEY_SPECS_MAX = 4 };

/* Returns how many there are. */
int rg_key_specs(const struct rg_command *command, struct rg_key_spec ret_specs[RG_KEY_SPECS_MAX]);

#endif
