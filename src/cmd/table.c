#include "cmd/table.h"

#include "cmd/handlers.h"

enum { TABLE_NAME_MAX = 64 };

static const struct rg_command table_rows[RG_CMD_COUNT] = {
#define RG_CMD_ROW(row_id, row_name, row_parent, row_arity, row_flags, row_first, row_last,        \
                   row_step, row_key_flags, row_acl, row_tips, row_group, row_since, row_summary,  \
                   row_complexity, row_syntax, row_run)                                            \
    [RG_CMD_ID_##row_id] = {                                                                       \
        .name = (row_name),                                                                        \
        .arity = (row_arity),                                                                      \
        .flags = (row_flags),                                                                      \
        .first_key = (row_first),                                                                  \
        .last_key = (row_last),                                                                    \
        .key_step = (row_step),                                                                    \
        .key_flags = (row_key_flags),                                                              \
        .acl = (row_acl),                                                                          \
        .tips = (row_tips),                                                                        \
        .group = (row_group),                                                                      \
        .since = (row_since),                                                                      \
        .complexity = (row_complexity),                                                            \
        .summary = (row_summary),                                                                  \
        .syntax = (row_syntax),                                                                    \
        .run = (row_run),                                                                          \
        .parent = RG_CMD_ID_##row_parent == RG_CMD_ID_none                                         \
                      ? NULL                                                                       \
                      : &table_rows[RG_CMD_ID_##row_parent % RG_CMD_COUNT],                        \
        .id = RG_CMD_ID_##row_id,                                                                  \
    },
#define RG_CMD_DATA(id, ...) RG_CMD_ROW(id, __VA_ARGS__, rg_cmd_run_##id)
#define RG_CMD_NODE(id, ...) RG_CMD_ROW(id, __VA_ARGS__, NULL)
#include "cmd/commands.def"
#undef RG_CMD_DATA
#undef RG_CMD_NODE
#undef RG_CMD_ROW
};

const struct rg_command *rg_cmd_table(unsigned *ret_count)
{
    *ret_count = RG_CMD_COUNT;
    return table_rows;
}

const struct rg_command *rg_cmd_by_id(unsigned id)
{
    return id < RG_CMD_COUNT ? &table_rows[id] : NULL;
}

/* '|' stands before everything else, so that subcommands come right behind their container. */
static int table_rank(char c)
{
    return c == '|' ? 1 : (unsigned char)c;
}

static int table_compare(struct rg_bytes name, const char *row_name)
{
    for (size_t i = 0; i < name.len; i++) {
        int difference = table_rank(rg_ascii_lower(name.data[i])) - table_rank(row_name[i]);
        if (difference != 0 || row_name[i] == '\0')
            return difference != 0 ? difference : 1;
    }
    return row_name[name.len] == '\0' ? 0 : -1;
}

const struct rg_command *rg_cmd_by_name(struct rg_bytes name)
{
    unsigned low = 0;
    unsigned high = RG_CMD_COUNT;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        int order = table_compare(name, table_rows[middle].name);
        if (order == 0)
            return &table_rows[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static bool table_has_subcommands(const struct rg_command *command)
{
    return command->id + 1 < RG_CMD_COUNT && table_rows[command->id + 1].parent == command;
}

static const struct rg_command *table_subcommand(const struct rg_command *container,
                                                 struct rg_bytes name)
{
    size_t skip = strlen(container->name) + 1;

    for (unsigned i = container->id + 1U; i < RG_CMD_COUNT && table_rows[i].parent == container;
         i++) {
        if (rg_bytes_is_nocase(name, table_rows[i].name + skip))
            return &table_rows[i];
    }
    return NULL;
}

int rg_cmd_lookup(const struct rg_bytes *argv, int argc, const struct rg_command **ret_command)
{
    if (argc < 1 || argv[0].len > TABLE_NAME_MAX || memchr(argv[0].data, '|', argv[0].len))
        return RG_ENOENT;
    const struct rg_command *command = rg_cmd_by_name(argv[0]);
    if (command == NULL)
        return RG_ENOENT;
    *ret_command = command;
    if (argc == 1 || !table_has_subcommands(command))
        return 0;
    const struct rg_command *subcommand = table_subcommand(command, argv[1]);
    if (subcommand == NULL)
        return RG_EINVAL;
    *ret_command = subcommand;
    return 0;
}
