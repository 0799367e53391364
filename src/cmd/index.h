#ifndef RG_CMD_INDEX_H
#define RG_CMD_INDEX_H

#include "cmd/table.h"

/*
 * The command table by name, for the way of every request: names are compared as numbers, in any
 * case. It holds no more than the table says; a node has one.
 */
struct rg_cmd_index;

struct rg_cmd_index *rg_cmd_index_new(void);
/* The same of the rows that are offered; the others are unknown commands. */
struct rg_cmd_index *rg_cmd_index_new_of(bool (*offers)(const struct rg_command *command));
void rg_cmd_index_free(struct rg_cmd_index *index);

/* As rg_cmd_lookup. */
RG_MUST_USE int rg_cmd_index_find(const struct rg_cmd_index *index, const struct rg_bytes *argv,
                                  int argc, const struct rg_command **ret_command);

#endif
