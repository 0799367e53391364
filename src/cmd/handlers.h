#ifndef RG_CMD_HANDLERS_H
#define RG_CMD_HANDLERS_H

struct rg_cmd_ctx;

/* The handlers of data commands, rg_cmd_run_<id>, each in the file of its family. Private. */
#define RG_CMD_DATA(id, ...) void rg_cmd_run_##id(struct rg_cmd_ctx *ctx);
#define RG_CMD_NODE(id, ...)
#include "cmd/commands.def"
#undef RG_CMD_DATA
#undef RG_CMD_NODE

#endif
