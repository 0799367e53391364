#include "node/handlers.h"

/* <CONTAINER> HELP, made from the command table: a line of syntax and a line of summary each. */

static void help_line(struct rg_reply *reply, const char *name, const char *syntax)
{
    struct rg_buf line = {0};
    const char *sub = strchr(name, '|');

    for (const char *c = sub ? sub + 1 : name; *c; c++)
        rg_buf_append_char(&line, rg_ascii_upper(*c));
    if (syntax[0] != '\0')
        rg_buf_printf(&line, " %s", syntax);
    rg_buf_append_char(&line, '\0');
    rg_reply_simple(reply, rg_buf_view(&line).data);
    rg_buf_fini(&line);
}

bool cmd_arg_max(struct rg_call *call, int max)
{
    struct rg_buf upper = {0};

    if (call->argc <= max)
        return true;
    for (const char *c = call->command->parent->name; *c; c++)
        rg_buf_append_char(&upper, rg_ascii_upper(*c));
    rg_reply_errorf(
        &call->reply,
        "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try %.*s HELP.",
        (int)call->argv[1].len, call->argv[1].data, (int)rg_buf_len(&upper),
        rg_buf_view(&upper).data);
    rg_buf_fini(&upper);
    return false;
}

void cmd_help(struct rg_call *call)
{
    const struct rg_command *container = call->command->parent;
    unsigned count = 0;
    const struct rg_command *table = rg_cmd_table(&count);
    int64_t subs = 0;
    struct rg_buf head = {0};

    for (unsigned i = 0; i < count; i++)
        subs += table[i].parent == container && !(table[i].flags & RG_CMD_HIDDEN);
    rg_reply_array(&call->reply, 1 + 2 * subs);
    for (const char *c = container->name; *c; c++)
        rg_buf_append_char(&head, rg_ascii_upper(*c));
    rg_buf_append_str(&head, " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    rg_buf_append_char(&head, '\0');
    rg_reply_simple(&call->reply, rg_buf_view(&head).data);
    rg_buf_fini(&head);
    for (unsigned i = 0; i < count; i++) {
        if (table[i].parent != container || (table[i].flags & RG_CMD_HIDDEN))
            continue;
        help_line(&call->reply, table[i].name, table[i].syntax);
        rg_buf_printf(call->reply.out, "+    %s\r\n", table[i].summary);
    }
}
