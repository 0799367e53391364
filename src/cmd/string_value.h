#ifndef RG_CMD_STRING_VALUE_H
#define RG_CMD_STRING_VALUE_H

#include "cmd/cmd.h"

/* What the files of the string family share. Private to the layer. */

/* Replies the string, or null where entry is NULL. */
void rg_string_reply(struct rg_cmd_ctx *ctx, const struct rg_entry *entry);
/* Sets the key to a value, without an expiry or with the one it has. */
void rg_string_store(struct rg_cmd_ctx *ctx, struct rg_bytes key, struct rg_bytes value,
                     bool keep_expiry);
/*
 * Whether a string of that length is allowed; sizes may overflow in the sum. Errors: RG_ELIMIT (the
 * error is replied).
 */
RG_MUST_USE int rg_string_check_len(struct rg_cmd_ctx *ctx, uint64_t len, uint64_t more);

#endif
