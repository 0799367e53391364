#ifndef RG_CMD_IDS_H
#define RG_CMD_IDS_H

/* Names for the rows of the command table: RG_CMD_ID_get, RG_CMD_ID_config_get, … */
enum rg_cmd_id {
#define RG_CMD_DATA(id, ...) RG_CMD_ID_##id,
#define RG_CMD_NODE(id, ...) RG_CMD_ID_##id,
#include "cmd/commands.def"
#undef RG_CMD_DATA
#undef RG_CMD_NODE
    RG_CMD_COUNT,
    RG_CMD_ID_none = RG_CMD_COUNT, /* the parent of a row that is no subcommand */
};

#endif
