#ifndef RG_NODE_SECRET_H
#define RG_NODE_SECRET_H

#include "cmd/table.h"

/* Words of commands that neither MONITOR nor SLOWLOG shows: names and passwords of users. */
#define SECRET_SHOWN RG_BYTES("(redacted)")
bool secret_is(const struct rg_command *command, const struct rg_bytes *argv, int argc, int index);

#endif
