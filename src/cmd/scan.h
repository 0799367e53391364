#ifndef RG_CMD_SCAN_H
#define RG_CMD_SCAN_H

#include "cmd/cmd.h"

/*
 * What SCAN, HSCAN, SSCAN and ZSCAN share: cursors, options, and the list of what was found, which
 * stands behind the cursor in the reply and so must be complete first. Private to the layer.
 */

struct rg_scan_options {
    int64_t count;
    struct rg_bytes pattern; /* data NULL: everything */
    struct rg_bytes type;    /* data NULL: every type */
};

/* Zeroed is empty. */
struct rg_scan_found {
    struct rg_bytes *items; /* owned; data NULL: the next bytes of copies */
    size_t count;
    size_t cap;
    struct rg_buf copies;
};

/*
 * The cursor at argv[index], as C's strtoul reads a whole text: a sign may stand before the digits,
 * and an empty text is 0. Errors: RG_EINVAL (replied).
 */
RG_MUST_USE int rg_scan_parse_cursor(struct rg_cmd_ctx *ctx, int index, uint64_t *ret_cursor);
/* Fills the options from argv[index] on. Errors: RG_EINVAL (replied). */
RG_MUST_USE int rg_scan_parse_options(struct rg_cmd_ctx *ctx, int index, bool with_type,
                                      struct rg_scan_options *options);
bool rg_scan_matches(const struct rg_scan_options *options, struct rg_bytes text);
/*
 * The cursor and the options of a command that scans the collection at argv[1], in the order in
 * which Redis finds fault. True where there is an entry to be scanned; otherwise the command is
 * answered.
 */
bool rg_scan_begin(struct rg_cmd_ctx *ctx, enum rg_type type, uint64_t *ret_cursor,
                   struct rg_scan_options *ret_options, struct rg_entry **ret_entry);

void rg_scan_found_fini(struct rg_scan_found *found);
/* bytes are lent until the reply. */
void rg_scan_add(struct rg_scan_found *found, struct rg_bytes bytes);
/* bytes are copied: numbers that were written out. */
void rg_scan_add_copy(struct rg_scan_found *found, struct rg_bytes bytes);
/* Of a view that may be gone after the visit: what a number can be written as. */
static inline void rg_scan_add_shown(struct rg_scan_found *found, struct rg_bytes bytes)
{
    if (bytes.len < RG_STRING_SCRATCH)
        rg_scan_add_copy(found, bytes);
    else
        rg_scan_add(found, bytes);
}
/* The reply of a scan: the next cursor and what was found, which is empty afterwards. */
void rg_scan_reply(struct rg_cmd_ctx *ctx, uint64_t cursor, struct rg_scan_found *found);
/* The same without a cursor, as an array (KEYS) or a set. */
void rg_scan_reply_found(struct rg_cmd_ctx *ctx, struct rg_scan_found *found);
void rg_scan_reply_set(struct rg_cmd_ctx *ctx, struct rg_scan_found *found);

#endif
