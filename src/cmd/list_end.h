#ifndef RG_CMD_LIST_END_H
#define RG_CMD_LIST_END_H

#include "cmd/cmd.h"
#include "store/list.h"

/* What the list commands share. Private to the layer. */

/* LEFT or RIGHT at argv[index]. Errors: RG_EINVAL (the syntax error is replied). */
RG_MUST_USE int rg_list_arg_end(struct rg_cmd_ctx *ctx, int index, enum rg_list_end *ret_end);
/* "LPOP" and "lpop", "LPUSH" and "lpush", or the right-hand ones. */
struct rg_bytes rg_list_pop_word(enum rg_list_end end);
const char *rg_list_pop_event(enum rg_list_end end);
const char *rg_list_push_event(enum rg_list_end end);

/* Whether argv from first on may be elements; false: the error is replied. */
bool rg_list_takes(struct rg_cmd_ctx *ctx, int first);
/* The list of key, for pushing, created where it is missing. Errors: RG_ETYPE (replied). */
RG_MUST_USE int rg_list_find_or_create(struct rg_cmd_ctx *ctx, struct rg_bytes key,
                                       struct rg_entry **ret_entry);

/* Elements left key's list, which goes where it is empty: notes and dirty. */
void rg_list_popped(struct rg_cmd_ctx *ctx, struct rg_bytes key, struct rg_entry *entry,
                    enum rg_list_end end, uint64_t count);
/* The list goes where it is empty. True where it went. */
bool rg_list_drop_empty(struct rg_cmd_ctx *ctx, struct rg_bytes key, struct rg_entry *entry);
/* The first elements from an end, as an array in the order in which they would be popped. */
void rg_list_reply_end(struct rg_cmd_ctx *ctx, const struct rg_entry *entry, enum rg_list_end end,
                       uint64_t count);

#endif
