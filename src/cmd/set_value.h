#ifndef RG_CMD_SET_VALUE_H
#define RG_CMD_SET_VALUE_H

#include "cmd/cmd.h"

/* What the files of the set family share. Private to the layer. */

/* Replies all members. */
void rg_set_reply(struct rg_cmd_ctx *ctx, const struct rg_entry *entry);
/* Deletes the set under the key where it is empty, with its note. */
bool rg_set_delete_empty(struct rg_cmd_ctx *ctx, struct rg_bytes key, const struct rg_entry *entry);

#endif
