#ifndef RG_CMD_HYPERLOGLOG_H
#define RG_CMD_HYPERLOGLOG_H

#include "cmd/cmd.h"
#include "cmd/hyperloglog_value.h"

/* What the files of the HyperLogLog family share. Private to the layer. */

void rg_hll_reply_corrupted(struct rg_cmd_ctx *ctx);
/* The bytes of an entry that is a HyperLogLog. Errors: RG_ETYPE, RG_EINVAL (replied). */
RG_MUST_USE int rg_hll_check(struct rg_cmd_ctx *ctx, const struct rg_entry *entry,
                             struct rg_bytes *ret_bytes);
/*
 * The same, and makes a string that was set as a whole one that is changed in place, whether it
 * will be or not: OBJECT ENCODING says so in Redis.
 */
RG_MUST_USE int rg_hll_open(struct rg_cmd_ctx *ctx, struct rg_entry **entry,
                            struct rg_bytes *ret_bytes);

#endif
