#include "script/script.h"

#include "base/alloc.h"
#include "base/number.h"
#include "cmd/index.h"
#include "node/evict.h"
#include "node/handlers.h"
#include "node/scripting.h"

/*
 * EVAL and SCRIPT. A script is one command to everybody else: nobody's runs between its own, its
 * changes go to the log as one unit, its reply waits for what it has seen as any other's. What it
 * changed is replicated, never the script.
 */
struct rg_node_scripts {
    struct rg_scripts *engine;
    struct rg_script_host host;
    struct rg_node *node;

    /* Of the script that runs. */
    struct rg_call *caller;
    struct dispatch_script may;
    unsigned repl; /* enum rg_script_repl */
};

static void script_call(void *arg, const struct rg_bytes *argv, int argc, struct rg_reply *reply,
                        bool *ret_refused)
{
    struct rg_node_scripts *scripts = arg;
    struct rg_node *node = scripts->node;
    struct rg_call call = {
        .node = node, .conn = scripts->caller->conn, .reply = *reply, .argv = argv, .argc = argc};
    size_t logged = node->propagation.count;

    *ret_refused = !dispatch_scripted(&call, &scripts->may);
    if (scripts->repl == 0)
        rg_propagation_truncate(&node->propagation, logged);
}

static int script_may_call(void *arg, const struct rg_bytes *argv, int argc)
{
    const struct rg_node_scripts *scripts = arg;
    const struct rg_command *command;

    return rg_cmd_index_find(scripts->node->commands, argv, argc, &command) < 0 ? -1 : 1;
}

static void script_log(void *arg, int level, struct rg_bytes text)
{
    static const enum rg_log_level levels[] = {RG_LOG_DEBUG, RG_LOG_VERBOSE, RG_LOG_NOTICE,
                                               RG_LOG_WARNING};
    const struct rg_node_scripts *scripts = arg;

    node_say(scripts->node, levels[level], "%.*s", (int)text.len, text.data);
}

static void script_set_repl(void *arg, unsigned repl)
{
    struct rg_node_scripts *scripts = arg;

    scripts->repl = repl;
}

static struct rg_node_scripts *scripts_of(struct rg_node *node)
{
    if (node->scripts != NULL)
        return node->scripts;
    struct rg_node_scripts *scripts = RG_NEW(struct rg_node_scripts);
    scripts->node = node;
    scripts->host = (struct rg_script_host){.call = script_call,
                                            .log = script_log,
                                            .may_call = script_may_call,
                                            .set_repl = script_set_repl,
                                            .arg = scripts,
                                            .rand = &node->rand};
    scripts->engine = rg_scripts_new(&scripts->host);
    node->scripts = scripts;
    return scripts;
}

void scripts_free(struct rg_node_scripts *scripts)
{
    if (scripts == NULL)
        return;
    rg_scripts_free(scripts->engine);
    rg_free(scripts);
}

struct rg_scripts_use scripts_use(const struct rg_node_scripts *scripts)
{
    if (scripts == NULL)
        return (struct rg_scripts_use){0};
    return (struct rg_scripts_use){.vm_bytes = rg_scripts_vm_bytes(scripts->engine),
                                   .cache_bytes = rg_scripts_cache_bytes(scripts->engine),
                                   .count = rg_scripts_count(scripts->engine)};
}

/* ---- EVAL ---- */

static bool script_keys(struct rg_call *call, int *ret_keys)
{
    int64_t keys;

    if (rg_parse_i64(call->argv[2], &keys) < 0)
        rg_reply_error(&call->reply, "ERR value is not an integer or out of range");
    else if (keys > call->argc - 3)
        rg_reply_error(&call->reply, "ERR Number of keys can't be greater than number of args");
    else if (keys < 0)
        rg_reply_error(&call->reply, "ERR Number of keys can't be negative");
    else {
        *ret_keys = (int)keys;
        return true;
    }
    return false;
}

/* The script of a text. NULL where it cannot be compiled; the error is replied. */
static const struct rg_script *script_load(struct rg_call *call, struct rg_scripts *engine,
                                           struct rg_bytes body)
{
    const struct rg_script *script = NULL;
    struct rg_buf error = {0};

    if (rg_scripts_load(engine, body, &script, &error) < 0) {
        rg_buf_append_char(&error, '\0');
        rg_reply_error(&call->reply, rg_buf_view(&error).data);
    }
    rg_buf_fini(&error);
    return script;
}

/* NULL where there is none; the error is replied. */
static const struct rg_script *script_find(struct rg_call *call, struct rg_scripts *engine)
{
    if (call->command->id != RG_CMD_ID_evalsha && call->command->id != RG_CMD_ID_evalsha_ro)
        return script_load(call, engine, call->argv[1]);
    const struct rg_script *script = rg_scripts_find(engine, call->argv[1]);
    if (script == NULL)
        rg_reply_error(&call->reply, "NOSCRIPT No matching script. Please use EVAL.");
    return script;
}

/* Memory is asked for once: what a script needs in its middle, it may take. */
static bool script_out_of_memory(struct rg_call *call)
{
    struct rg_node *node = call->node;

    if (node->config->maxmemory == 0 || !node_is_primary(node))
        return false;
    /* In a transaction others' deletions would come into its unit of the log. */
    return call->in_exec ? node_memory(node) > (uint64_t)node->config->maxmemory
                         : !evict_make_room(node);
}

/* What a script says of itself in its first line decides before it begins. */
static const char *script_refusal(const struct rg_call *call, unsigned flags, bool out_of_memory)
{
    bool writes = !(flags & RG_SCRIPT_NO_WRITES);
    bool read_only = (call->command->flags & RG_CMD_READONLY) != 0;

    if (flags & RG_SCRIPT_PLAIN)
        return NULL;
    if (writes && read_only)
        return "ERR Can not execute a script with write flag using *_ro command.";
    const char *refusal =
        dispatch_script_refusal(call->node, writes, (flags & RG_SCRIPT_ALLOW_STALE) != 0);
    if (refusal == NULL && out_of_memory && writes && !(flags & RG_SCRIPT_ALLOW_OOM))
        refusal = NODE_OUT_OF_MEMORY;
    return refusal;
}

void cmd_eval(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct rg_conn *conn = call->conn;
    struct rg_node_scripts *scripts = scripts_of(node);
    unsigned db = conn->db;
    int keys;

    if (!script_keys(call, &keys))
        return;
    const struct rg_script *script = script_find(call, scripts->engine);
    if (script == NULL)
        return;
    unsigned flags = rg_script_flags(script);
    bool full = script_out_of_memory(call);
    const char *refusal = script_refusal(call, flags, full);
    if (refusal != NULL) {
        rg_reply_error(&call->reply, refusal);
        return;
    }
    scripts->caller = call;
    scripts->repl = RG_SCRIPT_REPL_ALL;
    scripts->may = (struct dispatch_script){
        .reads_only = (call->command->flags & RG_CMD_READONLY) || (flags & RG_SCRIPT_NO_WRITES),
        .out_of_memory = full && !(flags & RG_SCRIPT_ALLOW_OOM),
        .allows_stale = (flags & RG_SCRIPT_ALLOW_STALE) != 0,
    };
    if (!call->in_exec)
        rg_propagation_reset(&node->propagation);
    call->data = true;
    rg_script_run(scripts->engine, script, call->argv + 3, keys, call->argv + 3 + keys,
                  call->argc - 3 - keys, &call->reply);
    if (!call->in_exec)
        feed_unit(node);
    /* A SELECT of the script's is its own. */
    conn->db = db;
    conn->last_command = call->command;
    scripts->caller = NULL;
}

/* ---- SCRIPT ---- */

void cmd_script_load(struct rg_call *call)
{
    const struct rg_script *script =
        script_load(call, scripts_of(call->node)->engine, call->argv[2]);

    if (script != NULL)
        rg_reply_bulk_str(&call->reply, rg_script_name(script));
}

void cmd_script_exists(struct rg_call *call)
{
    const struct rg_scripts *engine = scripts_of(call->node)->engine;

    rg_reply_array(&call->reply, call->argc - 2);
    for (int i = 2; i < call->argc; i++)
        rg_reply_i64(&call->reply, rg_scripts_find(engine, call->argv[i]) != NULL);
}

void cmd_script_flush(struct rg_call *call)
{
    bool mode = call->argc == 3 && (rg_bytes_is_nocase(call->argv[2], "async") ||
                                    rg_bytes_is_nocase(call->argv[2], "sync"));

    if (call->argc > 2 && !mode) {
        rg_reply_error(&call->reply, "ERR SCRIPT FLUSH only support SYNC|ASYNC option");
        return;
    }
    rg_scripts_flush(scripts_of(call->node)->engine);
    rg_reply_simple(&call->reply, "OK");
}

void cmd_script_kill(struct rg_call *call)
{
    rg_reply_error(&call->reply, "NOTBUSY No scripts in execution right now.");
}

void cmd_script_debug(struct rg_call *call)
{
    if (rg_bytes_is_nocase(call->argv[2], "no"))
        rg_reply_simple(&call->reply, "OK");
    else if (rg_bytes_is_nocase(call->argv[2], "yes") || rg_bytes_is_nocase(call->argv[2], "sync"))
        rg_reply_error(&call->reply, "ERR There is no debugger of scripts in this server");
    else
        rg_reply_error(&call->reply, "ERR Use SCRIPT DEBUG YES/SYNC/NO");
}
