#ifndef RG_TOOL_STATUS_PRINT_H
#define RG_TOOL_STATUS_PRINT_H

#include "base/buf.h"
#include "tool/topology.h"

/* What `regent status` prints: a table for a person, or one JSON object on one line. */
void rg_status_print_table(struct rg_buf *out, const struct rg_topology *topology);
void rg_status_print_json(struct rg_buf *out, const struct rg_topology *topology);

#endif
