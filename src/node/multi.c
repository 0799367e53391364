#include "node/multi.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "node/handlers.h"
#include "node/tracking.h"
#include "node/watch.h"

/*
 * MULTI, EXEC, DISCARD, WATCH and UNWATCH. The words of queued commands lie one after the other in
 * one buffer. EXEC runs them in one go: their changes go to the log as one unit (feed.c), their
 * replies as one reply, and clients that wait for keys are served after the last of them.
 */
struct multi_command {
    const struct rg_command *command;
    int argc;
    size_t first_len; /* of its words, in lens */
};

struct rg_multi {
    struct multi_command *commands; /* owned */
    size_t count;
    size_t cap;
    size_t *lens; /* owned; of all words */
    size_t len_count;
    size_t len_cap;
    struct rg_buf words;
    uint32_t flags;   /* of any command */
    bool needs_fresh; /* one of them is refused on a replica with stale data */
    bool logs;        /* one of them may reach the log though its flags do not say so */
    bool spoilt;      /* a command was refused: nothing will be run */
};

/* The flags that EXEC takes over from what it runs. */
enum { MULTI_TAKEN = RG_CMD_WRITE | RG_CMD_READONLY | RG_CMD_DENYOOM | RG_CMD_MAY_REPLICATE };

static bool multi_runs_at_once(const struct rg_command *command)
{
    return command->id == RG_CMD_ID_exec || command->id == RG_CMD_ID_discard ||
           command->id == RG_CMD_ID_multi || command->id == RG_CMD_ID_watch ||
           command->id == RG_CMD_ID_quit || command->id == RG_CMD_ID_reset;
}

bool multi_queues(const struct rg_call *call)
{
    return call->conn->multi != NULL && !multi_runs_at_once(call->command);
}

static bool multi_logs_command(const struct rg_command *command)
{
    /* CONFIG SET replication-mode writes a record; a script does what it likes. */
    return command->id == RG_CMD_ID_eval || command->id == RG_CMD_ID_evalsha ||
           command->id == RG_CMD_ID_publish || command->id == RG_CMD_ID_spublish ||
           command->id == RG_CMD_ID_config_set;
}

bool multi_logs(const struct rg_call *call)
{
    if (call->command->id == RG_CMD_ID_exec && call->conn->multi != NULL)
        return call->conn->multi->logs;
    return multi_logs_command(call->command);
}

static uint32_t multi_command_flags(const struct rg_command *command)
{
    if (command->id == RG_CMD_ID_eval || command->id == RG_CMD_ID_evalsha)
        return command->flags | RG_CMD_MAY_REPLICATE;
    return command->flags;
}

uint32_t multi_flags(const struct rg_call *call)
{
    const struct rg_multi *multi = call->conn->multi;
    uint32_t flags = multi_command_flags(call->command);

    if (call->command->id != RG_CMD_ID_exec || multi == NULL)
        return flags;
    flags |= multi->flags & (uint32_t)MULTI_TAKEN;
    return multi->needs_fresh ? flags & ~(uint32_t)RG_CMD_STALE : flags;
}

void multi_queue(struct rg_call *call)
{
    struct rg_multi *multi = call->conn->multi;
    const struct rg_command *command = call->command;

    if (multi->count == multi->cap) {
        multi->cap = multi->cap > 0 ? 2 * multi->cap : 4;
        multi->commands = rg_realloc(multi->commands, multi->cap * sizeof(*multi->commands));
    }
    while (multi->len_count + (size_t)call->argc > multi->len_cap) {
        multi->len_cap = multi->len_cap > 0 ? 2 * multi->len_cap : 16;
        multi->lens = rg_realloc(multi->lens, multi->len_cap * sizeof(*multi->lens));
    }
    multi->commands[multi->count++] = (struct multi_command){command, call->argc, multi->len_count};
    for (int i = 0; i < call->argc; i++) {
        multi->lens[multi->len_count++] = call->argv[i].len;
        rg_buf_append_bytes(&multi->words, call->argv[i]);
    }
    multi->flags |= multi_command_flags(command);
    multi->needs_fresh |= !(command->flags & RG_CMD_STALE);
    multi->logs |= multi_logs_command(command);
    rg_reply_simple(&call->reply, "QUEUED");
}

void multi_spoil(struct rg_conn *conn)
{
    if (conn->multi != NULL)
        conn->multi->spoilt = true;
}

void multi_free(struct rg_multi *multi)
{
    if (multi == NULL)
        return;
    rg_free(multi->commands);
    rg_free(multi->lens);
    rg_buf_fini(&multi->words);
    rg_free(multi);
}

void multi_discard(struct rg_node *node, struct rg_conn *conn)
{
    multi_free(conn->multi);
    conn->multi = NULL;
    watch_drop(node, conn);
}

int64_t multi_count(const struct rg_conn *conn)
{
    return conn->multi != NULL ? (int64_t)conn->multi->count : -1;
}

size_t multi_memory(const struct rg_conn *conn)
{
    const struct rg_multi *multi = conn->multi;

    if (multi == NULL)
        return 0;
    return sizeof(*multi) + multi->cap * sizeof(*multi->commands) +
           multi->len_cap * sizeof(*multi->lens) + multi->words.cap;
}

void cmd_multi(struct rg_call *call)
{
    if (call->conn->multi != NULL) {
        rg_reply_error(&call->reply, "ERR MULTI calls can not be nested");
        return;
    }
    call->conn->multi = RG_NEW(struct rg_multi);
    rg_reply_simple(&call->reply, "OK");
}

void cmd_discard(struct rg_call *call)
{
    if (call->conn->multi == NULL) {
        rg_reply_error(&call->reply, "ERR DISCARD without MULTI");
        return;
    }
    multi_discard(call->node, call->conn);
    rg_reply_simple(&call->reply, "OK");
}

void cmd_watch(struct rg_call *call)
{
    if (call->conn->multi != NULL) {
        rg_reply_error(&call->reply, "ERR WATCH inside MULTI is not allowed");
        return;
    }
    /* One that failed already cannot fail more. */
    for (int i = 1; i < call->argc && !call->conn->watch_failed; i++)
        watch_add(call->node, call->conn, call->argv[i]);
    rg_reply_simple(&call->reply, "OK");
}

void cmd_unwatch(struct rg_call *call)
{
    watch_drop(call->node, call->conn);
    rg_reply_simple(&call->reply, "OK");
}

/* ---- EXEC ---- */

/*
 * Runs one queued command. Replies are collected apart from the connection's output: what it is
 * pushed meanwhile must not come between them.
 */
static void multi_run_one(struct rg_call *exec, const struct multi_command *item,
                          const struct rg_bytes *argv, struct rg_buf *replies)
{
    struct rg_conn *conn = exec->conn;
    struct rg_call call = {
        .node = exec->node,
        .conn = conn,
        .reply = {.out = replies, .proto = conn->proto},
        .command = item->command,
        .argv = argv,
        .argc = item->argc,
        .in_exec = true,
    };

    if (conn->reply_mode == RG_REPLY_OFF || conn->reply_mode == RG_REPLY_SKIP) {
        rg_buf_reset(&exec->node->muted, 64 * 1024);
        call.reply.out = &exec->node->muted;
    }
    dispatch_queued(&call);
    exec->data |= call.data;
}

static void multi_run(struct rg_call *exec, const struct rg_multi *multi, struct rg_buf *replies)
{
    const char *word = rg_buf_view(&multi->words).data;
    int most = 0;

    for (size_t i = 0; i < multi->count; i++)
        most = multi->commands[i].argc > most ? multi->commands[i].argc : most;
    struct rg_bytes *argv = RG_NEW_ARRAY(struct rg_bytes, (size_t)most + 1);
    for (size_t i = 0; i < multi->count; i++) {
        const struct multi_command *item = &multi->commands[i];
        for (int j = 0; j < item->argc; j++) {
            argv[j] = rg_bytes(word, multi->lens[item->first_len + (size_t)j]);
            word += argv[j].len;
        }
        multi_run_one(exec, item, argv, replies);
    }
    rg_free(argv);
}

void cmd_exec(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct rg_conn *conn = call->conn;
    struct rg_multi *multi = conn->multi;
    struct rg_buf replies = {0};

    if (multi == NULL) {
        rg_reply_error(&call->reply, "ERR EXEC without MULTI");
        return;
    }
    bool failed = watch_failed(node, conn);
    if (multi->spoilt || failed) {
        if (multi->spoilt)
            rg_reply_error(&call->reply,
                           "EXECABORT Transaction discarded because of previous errors.");
        else
            rg_reply_null_array(&call->reply);
        multi_discard(node, conn);
        return;
    }
    /* Its own changes touch nothing that it watches, and what it runs sees no transaction. */
    watch_drop(node, conn);
    conn->multi = NULL;
    tracking_hold(node, conn);
    multi_run(call, multi, &replies);
    feed_unit(node);
    rg_reply_array(&call->reply, (int64_t)multi->count);
    rg_buf_append_bytes(call->reply.out, rg_buf_view(&replies));
    rg_buf_fini(&replies);
    conn->last_command = call->command;
    multi_free(multi);
}
