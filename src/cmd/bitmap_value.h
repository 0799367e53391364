#ifndef RG_CMD_BITMAP_VALUE_H
#define RG_CMD_BITMAP_VALUE_H

#include "cmd/cmd.h"

/*
 * What the files of the bitmap family share. A bitmap is a string; its first bit is the highest of
 * the first byte. Private to the layer.
 */

/*
 * argv[index] as the position of a bit; bits: "#N" is N times so many, 0: there is no such form.
 * Errors: RG_EINVAL (replied).
 */
RG_MUST_USE int rg_bitmap_arg_offset(struct rg_cmd_ctx *ctx, int index, unsigned bits,
                                     uint64_t *ret_offset);
/*
 * The string of argv[1] for changing, made long enough for the bit. *ret_grown: it is new, or was
 * shorter. Errors: RG_ETYPE, RG_ENOMEM (replied).
 */
RG_MUST_USE int rg_bitmap_open(struct rg_cmd_ctx *ctx, uint64_t last_bit,
                               struct rg_entry **ret_entry, bool *ret_grown);
/* Replaces bytes that lie within the string. */
void rg_bitmap_write(struct rg_cmd_ctx *ctx, struct rg_entry **entry, size_t at,
                     struct rg_bytes bytes);

#endif
