#ifndef RG_CMD_DOCS_H
#define RG_CMD_DOCS_H

#include "cmd/table.h"
#include "proto/resp.h"

/*
 * What the table says of a command, as replies. Hidden rows are left out of their container's
 * subcommands; whoever lists the table leaves out the others.
 */

/* The element of COMMAND INFO: an array of ten, subcommands in the last. */
void rg_cmd_reply_info(struct rg_reply *reply, const struct rg_command *command);
/* What a command does with a key, as COMMAND GETKEYSANDFLAGS says it. */
void rg_cmd_reply_key_flags(struct rg_reply *reply, struct rg_bytes flags);
/* The value of COMMAND DOCS: a map; the name before it is the caller's. */
void rg_cmd_reply_docs(struct rg_reply *reply, const struct rg_command *command);
/* The reply of a container's HELP: an array of lines. */
void rg_cmd_reply_help(struct rg_reply *reply, const struct rg_command *container);

#endif
