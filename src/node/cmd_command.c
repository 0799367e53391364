#include "base/alloc.h"
#include "base/glob.h"
#include "cmd/docs.h"
#include "node/handlers.h"
#include "node/sentinel.h"

static bool command_shown(const struct rg_node *node, const struct rg_command *command)
{
    return command->parent == NULL && !(command->flags & RG_CMD_HIDDEN) &&
           (node->sentinel == NULL || sentinel_offers(command));
}

static int64_t command_count(const struct rg_node *node)
{
    unsigned count = 0;
    const struct rg_command *table = rg_cmd_table(&count);
    int64_t shown = 0;

    for (unsigned i = 0; i < count; i++)
        shown += command_shown(node, &table[i]);
    return shown;
}

static void command_all(const struct rg_node *node, struct rg_reply *reply,
                        void (*write)(struct rg_reply *, const struct rg_command *))
{
    unsigned count = 0;
    const struct rg_command *table = rg_cmd_table(&count);

    for (unsigned i = 0; i < count; i++) {
        if (command_shown(node, &table[i]))
            write(reply, &table[i]);
    }
}

void cmd_command(struct rg_call *call)
{
    rg_reply_array(&call->reply, command_count(call->node));
    command_all(call->node, &call->reply, rg_cmd_reply_info);
}

void cmd_command_count(struct rg_call *call)
{
    rg_reply_i64(&call->reply, command_count(call->node));
}

void cmd_command_info(struct rg_call *call)
{
    if (call->argc == 2) {
        cmd_command(call);
        return;
    }
    rg_reply_array(&call->reply, call->argc - 2);
    for (int i = 2; i < call->argc; i++) {
        const struct rg_command *command = rg_cmd_by_name(call->argv[i]);
        if (command == NULL || (command->flags & RG_CMD_HIDDEN))
            rg_reply_null(&call->reply);
        else
            rg_cmd_reply_info(&call->reply, command);
    }
}

static void command_docs_pair(struct rg_reply *reply, const struct rg_command *command)
{
    rg_reply_bulk_str(reply, command->name);
    rg_cmd_reply_docs(reply, command);
}

void cmd_command_docs(struct rg_call *call)
{
    int64_t known = 0;

    if (call->argc == 2) {
        rg_reply_map(&call->reply, command_count(call->node));
        command_all(call->node, &call->reply, command_docs_pair);
        return;
    }
    for (int i = 2; i < call->argc; i++)
        known += rg_cmd_by_name(call->argv[i]) != NULL;
    rg_reply_map(&call->reply, known);
    for (int i = 2; i < call->argc; i++) {
        const struct rg_command *command = rg_cmd_by_name(call->argv[i]);
        if (command != NULL)
            command_docs_pair(&call->reply, command);
    }
}

static void command_reply_key(struct rg_call *call, const struct rg_key_use *key, bool flags)
{
    if (flags)
        rg_reply_array(&call->reply, 2);
    rg_reply_bulk(&call->reply, call->argv[2 + key->position]);
    if (flags)
        rg_cmd_reply_key_flags(&call->reply, key->flags);
}

static void command_getkeys(struct rg_call *call, bool flags)
{
    const struct rg_bytes *argv = call->argv + 2;
    int argc = call->argc - 2;
    const struct rg_command *command = NULL;

    if (rg_cmd_lookup(argv, argc, &command) < 0) {
        rg_reply_error(&call->reply, "ERR Invalid command specified");
        return;
    }
    if (!rg_cmd_has_keys(command)) {
        rg_reply_error(&call->reply, "ERR The command has no key arguments");
        return;
    }
    if (!rg_cmd_arity_ok(command, argc)) {
        rg_reply_error(&call->reply, "ERR Invalid number of arguments specified for command");
        return;
    }
    struct rg_key_use *keys = RG_NEW_ARRAY(struct rg_key_use, (size_t)argc);
    int count = rg_cmd_keys(command, argv, argc, keys, argc);
    if (count < 0)
        rg_reply_error(&call->reply, "ERR Invalid arguments specified for command");
    else
        rg_reply_array(&call->reply, count);
    for (int i = 0; i < count; i++)
        command_reply_key(call, &keys[i], flags);
    rg_free(keys);
}

void cmd_command_getkeys(struct rg_call *call)
{
    command_getkeys(call, false);
}

void cmd_command_getkeysandflags(struct rg_call *call)
{
    command_getkeys(call, true);
}

static bool command_has_category(const struct rg_command *command, struct rg_bytes category)
{
    const char *at = command->acl;

    while (*at != '\0') {
        size_t len = strcspn(at, " ");
        if (rg_bytes_equal_nocase(rg_bytes(at, len), category))
            return true;
        at += len;
        at += strspn(at, " ");
    }
    return false;
}

/* COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern] */
static bool command_listed(const struct rg_call *call, const struct rg_command *command)
{
    if (call->node->sentinel != NULL && !sentinel_offers(command))
        return false;
    if (command->flags & RG_CMD_HIDDEN)
        return false;
    if (call->argc == 2)
        return true;
    if (rg_bytes_is_nocase(call->argv[3], "aclcat"))
        return command_has_category(command, call->argv[4]);
    if (rg_bytes_is_nocase(call->argv[3], "pattern"))
        return rg_glob_match(call->argv[4], rg_bytes_str(command->name), true);
    return false; /* MODULE: there are none */
}

void cmd_command_list(struct rg_call *call)
{
    unsigned count = 0;
    const struct rg_command *table = rg_cmd_table(&count);
    int64_t listed = 0;

    if (call->argc != 2 && (call->argc != 5 || !rg_bytes_is_nocase(call->argv[2], "filterby") ||
                            (!rg_bytes_is_nocase(call->argv[3], "module") &&
                             !rg_bytes_is_nocase(call->argv[3], "aclcat") &&
                             !rg_bytes_is_nocase(call->argv[3], "pattern")))) {
        rg_reply_error(&call->reply, "ERR syntax error");
        return;
    }
    for (unsigned i = 0; i < count; i++)
        listed += command_listed(call, &table[i]);
    rg_reply_array(&call->reply, listed);
    for (unsigned i = 0; i < count; i++) {
        if (command_listed(call, &table[i]))
            rg_reply_bulk_str(&call->reply, table[i].name);
    }
}
