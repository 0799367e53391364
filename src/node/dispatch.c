#include "base/panic.h"
#include "cmd/index.h"
#include "node/aof.h"
#include "node/blocked.h"
#include "node/evict.h"
#include "node/latency.h"
#include "node/migrate.h"
#include "node/monitor.h"
#include "node/multi.h"
#include "node/notify.h"
#include "node/own_keys.h"
#include "node/scripting.h"
#include "node/serve_count.h"
#include "node/tracking.h"

/*
 * One command: from words to handler. The checks come in the order of Redis, so that the first
 * error is the same one.
 */

/* Redis' texts end at a zero byte. */
static size_t dispatch_append_text(struct rg_buf *text, struct rg_bytes word, size_t max)
{
    size_t len = strnlen(word.data, word.len < max ? word.len : max);

    rg_buf_append(text, word.data, len);
    return len;
}

static void dispatch_unknown(struct rg_reply *reply, const struct rg_bytes *argv, int argc)
{
    struct rg_buf text = {0};

    /* Redis shows 128 bytes of the name and of the arguments together, each up to a zero byte. */
    rg_buf_append_str(&text, "ERR unknown command '");
    (void)dispatch_append_text(&text, argv[0], 128);
    rg_buf_append_str(&text, "', with args beginning with: ");
    size_t shown = 0;
    for (int i = 1; i < argc && shown < 128; i++) {
        rg_buf_append_char(&text, '\'');
        shown += dispatch_append_text(&text, argv[i], 128 - shown) + 3;
        rg_buf_append_str(&text, "' ");
    }
    rg_buf_append_char(&text, '\0');
    rg_reply_error(reply, rg_buf_view(&text).data);
    rg_buf_fini(&text);
}

static void dispatch_unknown_subcommand(struct rg_reply *reply, const struct rg_command *container,
                                        struct rg_bytes sub)
{
    char upper[64];
    size_t i = 0;

    for (; container->name[i] && i < sizeof(upper) - 1; i++)
        upper[i] = rg_ascii_upper(container->name[i]);
    upper[i] = '\0';
    rg_reply_errorf(reply, "ERR unknown subcommand '%.*s'. Try %s HELP.",
                    (int)(sub.len < 128 ? sub.len : 128), sub.data, upper);
}

/* EXEC itself is refused: the transaction is over. */
static void dispatch_abort_exec(struct rg_call *call, const char *why)
{
    multi_discard(call->node, call->conn);
    rg_reply_errorf(&call->reply, "EXECABORT Transaction discarded because of: %s", why);
}

/* Fills call->command, or replies. */
static bool dispatch_lookup(struct rg_call *call)
{
    int result = rg_cmd_index_find(call->node->commands, call->argv, call->argc, &call->command);

    if (result == RG_ENOENT) {
        dispatch_unknown(&call->reply, call->argv, call->argc);
        return false;
    }
    if (result < 0) {
        dispatch_unknown_subcommand(&call->reply, call->command, call->argv[1]);
        call->command = NULL;
        return false;
    }
    return true;
}

static bool dispatch_arity(struct rg_call *call)
{
    if (!rg_cmd_arity_ok(call->command, call->argc) && call->command->id == RG_CMD_ID_exec) {
        dispatch_abort_exec(call, "wrong number of arguments for 'exec' command");
        return false;
    }
    if (!rg_cmd_arity_ok(call->command, call->argc)) {
        rg_reply_errorf(&call->reply, "ERR wrong number of arguments for '%s' command",
                        call->command->name);
        return false;
    }
    return true;
}

static bool dispatch_allowed_subscribed(const struct rg_command *command)
{
    static const uint16_t allowed[] = {
        RG_CMD_ID_ping,       RG_CMD_ID_subscribe,    RG_CMD_ID_unsubscribe,
        RG_CMD_ID_psubscribe, RG_CMD_ID_punsubscribe, RG_CMD_ID_quit,
        RG_CMD_ID_reset,      RG_CMD_ID_ssubscribe,   RG_CMD_ID_sunsubscribe,
    };

    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        if (command->id == allowed[i])
            return true;
    }
    return false;
}

/* What a member of a group refuses, by its role and its health. */
static const char *dispatch_group_refusal(const struct rg_node *node, uint32_t flags)
{
    const struct rg_group_view *view = &node->members.view;
    bool data = (flags & (RG_CMD_WRITE | RG_CMD_READONLY)) != 0;
    bool write = (flags & RG_CMD_WRITE) != 0;

    if (!data || node->members.group == NULL)
        return NULL;
    if (view->role == RG_ROLE_PRIMARY) {
        if (rg_group_can_serve(node->members.group, node->now.mono_us))
            return NULL;
        if (write)
            return "NOREPLICAS Not enough good replicas to write.";
        return node_mode(node) == RG_MODE_ASYNC ? NULL : NODE_MASTERDOWN;
    }
    if (write)
        return "READONLY You can't write against a read only replica.";
    if (view->state != RG_MEMBER_HEALTHY)
        return NODE_MASTERDOWN;
    return NULL;
}

/* What stands against any command with these flags: what is loaded, and a group's rules. */
static const char *dispatch_serving_refusal(const struct rg_node *node, uint32_t flags)
{
    if (node->loading.on && !(flags & RG_CMD_LOADING))
        return "LOADING Redis is loading the dataset in memory";
    return dispatch_group_refusal(node, flags);
}

/* … and its disk, its replicas, and its role. ping: it is refused like a write where the disk
 * fails. */
static const char *dispatch_write_refusal(const struct rg_node *node, uint32_t flags, bool ping)
{
    const struct rg_config *config = node->config;

    if (((flags & RG_CMD_WRITE) || ping) && save_refuses_writes(node))
        return "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to "
               "persist to disk. Commands that may modify the data set are disabled, because this "
               "instance is configured to report errors during writes if RDB snapshotting fails "
               "(stop-writes-on-bgsave-error option). Please check the Redis logs for details "
               "about the RDB error.";
    if (((flags & RG_CMD_WRITE) || ping) && node_is_primary(node) &&
        aof_refuses_writes(node) != NULL)
        return aof_refuses_writes(node);
    if ((flags & RG_CMD_WRITE) && node_is_primary(node) && config->min_replicas_to_write > 0 &&
        config->min_replicas_max_lag > 0 &&
        (int64_t)serve_count_good(node) < config->min_replicas_to_write)
        return "NOREPLICAS Not enough good replicas to write.";
    if ((flags & RG_CMD_WRITE) && !node_is_primary(node) && config->replica_read_only)
        return "READONLY You can't write against a read only replica.";
    return NULL;
}

static bool dispatch_is_stale(const struct rg_node *node)
{
    return !node_is_primary(node) && !follow_link_up(node) &&
           !node->config->replica_serve_stale_data;
}

/* The same for commands with these flags. grows: the memory limit counts for it whatever its
 * flags. */
static const char *dispatch_node_refusal(struct rg_node *node, uint32_t flags, bool grows,
                                         bool ping)
{
    const char *refusal = dispatch_serving_refusal(node, flags);

    if (refusal != NULL)
        return refusal;
    if (node->config->maxmemory > 0 && node_is_primary(node) && !evict_make_room(node) &&
        ((flags & RG_CMD_DENYOOM) || grows))
        return NODE_OUT_OF_MEMORY;
    refusal = dispatch_write_refusal(node, flags, ping);
    if (refusal == NULL && dispatch_is_stale(node) && !(flags & RG_CMD_STALE))
        refusal = NODE_MASTERDOWN;
    return refusal;
}

void dispatch_look(struct rg_node *node)
{
    node->calm = 0;
    if (node->config->maxmemory > 0 || migrate_delays_writes(node) ||
        node->pause_until_us > node->now.mono_us)
        return;
    if (dispatch_node_refusal(node, RG_CMD_READONLY, false, false) == NULL)
        node->calm |= RG_CALM_READ;
    if (dispatch_node_refusal(node, RG_CMD_WRITE | RG_CMD_DENYOOM, false, false) == NULL)
        node->calm |= RG_CALM_WRITE;
    if (node_mode(node) == RG_MODE_ASYNC && aof_released(node) == UINT64_MAX)
        node->calm |= RG_CALM_REPLY;
}

/* Commands with these flags are not refused whatever else they are. */
static bool dispatch_is_calm(const struct rg_node *node, uint32_t flags)
{
    if (flags & RG_CMD_WRITE)
        return (node->calm & RG_CALM_WRITE) != 0;
    return (flags & RG_CMD_READONLY) != 0 && (node->calm & RG_CALM_READ) != 0;
}

static const char *dispatch_refusal(const struct rg_call *call)
{
    const struct rg_conn *conn = call->conn;
    uint16_t id = call->command->id;
    uint32_t flags = multi_flags(call);

    if (!conn->authenticated && !(flags & RG_CMD_NO_AUTH))
        return "NOAUTH Authentication required.";
    if (conn->multi != NULL && (flags & RG_CMD_NO_MULTI))
        return "ERR Command not allowed inside a transaction";
    if (dispatch_is_calm(call->node, flags))
        return NULL;
    return dispatch_node_refusal(call->node, flags, multi_queues(call) && id != RG_CMD_ID_unwatch,
                                 id == RG_CMD_ID_ping);
}

/* A pause of clients is none of replicas and members, whose links begin as clients do. */
static bool dispatch_unpaused(const struct rg_command *command)
{
    return command->parent == rg_cmd_by_id(RG_CMD_ID_client) ||
           command->parent == rg_cmd_by_id(RG_CMD_ID_group) || command->id == RG_CMD_ID_auth ||
           command->id == RG_CMD_ID_replconf || command->id == RG_CMD_ID_psync ||
           command->id == RG_CMD_ID_sync;
}

/* A hand-over or CLIENT PAUSE is on, and this command has to wait for its end. */
static bool dispatch_held(const struct rg_call *call)
{
    const struct rg_node *node = call->node;
    const struct rg_command *command = call->command;

    if (node->calm != 0)
        return false;
    bool changes = (multi_flags(call) & (RG_CMD_WRITE | RG_CMD_MAY_REPLICATE)) != 0;
    bool logged = changes || multi_logs(call);

    if (migrate_delays_writes(node) && logged)
        return true;
    if (call->conn->kind != RG_CONN_CLIENT || node->pause_until_us <= node->now.mono_us)
        return false;
    return changes || (node->pause_all && !dispatch_unpaused(command));
}

/* All of it but what the kind of the caller decides: expiry and below are those of a client's
 * command. One by one, since to clear it first would take longer than many a command. */
static void dispatch_ctx(struct rg_cmd_ctx *ctx, struct rg_node *node, struct rg_reply *reply,
                         const struct rg_command *command, unsigned db, const struct rg_bytes *argv,
                         int argc)
{
    ctx->store = node->store;
    ctx->db_index = db;
    ctx->now = node->now;
    ctx->rand = &node->rand;
    ctx->reply = reply;
    ctx->command = command;
    ctx->argv = argv;
    ctx->argc = argc;
    ctx->max_bulk_len = (uint64_t)node->config->proto_max_bulk_len;
    ctx->hll_sparse_max_bytes = (uint64_t)node->config->hll_sparse_max_bytes;
    ctx->access = &node->access;
    ctx->codec = &node->payload_codec.cmd;
    ctx->counters = &node->stats.cmd;
    ctx->propagation = &node->propagation;
    ctx->notes = &node->notes;
    ctx->expiry = RG_EXPIRY_DELETE;
    ctx->no_touch = false;
    ctx->may_wait = false;
    ctx->resumed = false;
    ctx->wait.wanted = false;
}

static void dispatch_data(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct rg_cmd_ctx ctx;
    bool primary = node_is_primary(node);

    dispatch_ctx(&ctx, node, &call->reply, call->command, call->conn->db, call->argv, call->argc);
    ctx.expiry = node_expires_keys(node) ? RG_EXPIRY_DELETE : RG_EXPIRY_HIDE;
    ctx.no_touch = call->conn->no_touch;
    ctx.may_wait = !call->in_exec;
    ctx.resumed = call->resumed;
    if (!call->in_exec && node->propagation.count > 0)
        rg_propagation_reset(&node->propagation);
    node->propagation.replaced = false;
    notify_begin(node, call->command);
    rg_cmd_run(&ctx);
    node->changes += ctx.dirty;
    call->changed = ctx.dirty > 0;
    call->waits = ctx.wait.wanted;
    RG_ASSERT(!call->waits || ctx.may_wait);
    if (call->waits && !call->resumed)
        blocked_begin(call, &ctx.wait);
    if (!primary) {
        /* A writable replica's own changes are nobody else's. */
        rg_propagation_reset(&node->propagation);
        if (ctx.dirty > 0)
            own_keys_note(call);
        return;
    }
    bool verbatim = ctx.dirty > 0 && !node->propagation.replaced;
    if (verbatim && !call->in_exec && node->propagation.count == 0) {
        feed_command(node, call->conn->db, call->argv, call->argc);
        return;
    }
    if (verbatim)
        rg_propagation_add(&node->propagation, call->conn->db, call->argv, call->argc);
    if (!call->in_exec && node->propagation.count > 0)
        feed_unit(node);
}

/* Behind the reply and its gate: what others are told of the command. */
static void dispatch_notes(const struct rg_call *call)
{
    if (call->command->run != NULL)
        notify_end(call->node, call->conn, call->command, call->conn->db, call->argv,
                   call->changed);
    else if (call->command->id == RG_CMD_ID_exec)
        tracking_settle(call->node, call->conn);
    /* What was read counts from now on: a key that expired under it was told above. */
    if (call->conn->tracking != NULL)
        tracking_remember(call);
}

/* What a reply says of the statistics: whether it is an error, and of which kind. */
static bool dispatch_count_error(struct rg_call *call, size_t reply_mark)
{
    struct rg_bytes all = rg_buf_view(call->reply.out);

    if (all.len <= reply_mark || all.data[reply_mark] != '-')
        return false;
    error_stats_note(&call->node->stats.errors,
                     rg_bytes(all.data + reply_mark + 1, all.len - reply_mark - 1), 1);
    return true;
}

static void dispatch_handle(struct rg_call *call)
{
    struct rg_conn *conn = call->conn;

    conn->last_command = call->command;
    conn->commands++;
    call->node->stats.commands++;
    call->node->slept_us = 0;
    if (call->command->run != NULL) {
        dispatch_data(call);
    } else {
        node_handler *handler = node_handler_of(call->command->id);
        RG_ASSERT(handler != NULL);
        handler(call);
    }
}

/* Runs the handler, and counts that. One that waits is counted when it is served. */
static void dispatch_execute(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct rg_command_stats *stats = &node->stats.per_command[call->command->id];
    size_t reply_mark = rg_buf_len(call->reply.out);
    int64_t began_us = node->measured_us;

    dispatch_handle(call);
    if (monitor_on(node) && !call->resumed)
        monitor_feed(node, call->conn, call->conn->db, call->command, call->argv, call->argc);
    if (call->waits)
        return;
    /* One reading of the clock per command: where one ends, the next one begins. The way from one
     * to the next counts for the latter; nothing is counted twice or lost. */
    node->measured_us = node_measure_us(node);
    int64_t took_us = node->measured_us - began_us + node->slept_us;
    stats->calls++;
    stats->usec += took_us;
    stats->failed += dispatch_count_error(call, reply_mark);
    if (!call->scripted)
        slowlog_note(call, took_us);
    latency_command(node, call->command, took_us);
}

/* The reply waits for nothing, and there is none before it that does. What the node's own commands
 * did may have changed that. */
static bool dispatch_is_ungated(const struct rg_call *call)
{
    const struct rg_conn *conn = call->conn;

    return call->command->run != NULL && (call->node->calm & RG_CALM_REPLY) != 0 &&
           !conn->has_mode && conn->gated_bytes == 0;
}

/* The reply goes out as it is as soon as the host takes it. */
static bool dispatch_lends(const struct rg_call *call)
{
    const struct rg_conn *conn = call->conn;

    return conn->kind == RG_CONN_CLIENT && conn->multi == NULL && call->reply.out == &conn->out &&
           dispatch_is_ungated(call);
}

static void dispatch_run(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct rg_conn *conn = call->conn;
    uint64_t log_before = node_log_end(node);
    size_t mark = rg_buf_len(&conn->out);
    bool data = (multi_flags(call) & (RG_CMD_WRITE | RG_CMD_READONLY)) != 0 ||
                (call->command->id == RG_CMD_ID_exec && !rg_list_empty(&conn->watched));

    conn->pushed = 0;
    dispatch_execute(call);
    data |= call->data;
    bool wrote = node_log_end(node) != log_before && node_is_primary(node);
    if (wrote)
        conn->last_write = node_log_end(node);
    /* What the command pushed to its own connection has its gate already. */
    if (!dispatch_is_ungated(call)) {
        if (data)
            gate_reply(node, conn, mark + conn->pushed, wrote);
        else if (rg_buf_len(&conn->out) > mark + conn->pushed)
            gate_pass(conn, rg_buf_len(&conn->out) - mark - conn->pushed);
    }
    if (!call->waits)
        dispatch_notes(call);
    if (!rg_list_empty(&node->ready_keys))
        blocked_serve(node);
}

void dispatch_queued(struct rg_call *call)
{
    const struct rg_node *node = call->node;

    /* A REPLICAOF in front of it may have made this node a replica. */
    if ((call->command->flags & RG_CMD_WRITE) && !node_is_primary(node) &&
        node->config->replica_read_only) {
        rg_reply_error(&call->reply, "READONLY You can't write against a read only replica.");
        return;
    }
    dispatch_execute(call);
    dispatch_notes(call);
}

/* Why a script cannot run it; the order of the questions is Redis'. */
static const char *dispatch_script_stops(struct rg_call *call, const struct dispatch_script *script)
{
    uint32_t flags;

    if (rg_cmd_index_find(call->node->commands, call->argv, call->argc, &call->command) < 0)
        return "ERR Unknown Redis command called from script";
    if (!rg_cmd_arity_ok(call->command, call->argc))
        return "ERR Wrong number of args calling Redis command from script";
    flags = call->command->flags;
    if (flags & RG_CMD_NOSCRIPT)
        return "ERR This Redis command is not allowed from script";
    if ((flags & RG_CMD_WRITE) && script->reads_only)
        return "ERR Write commands are not allowed from read-only scripts.";
    const char *refusal = dispatch_serving_refusal(call->node, flags);
    if (refusal == NULL)
        refusal = dispatch_write_refusal(call->node, flags, false);
    if (refusal != NULL)
        return refusal;
    if ((flags & RG_CMD_DENYOOM) && script->out_of_memory)
        return NODE_OUT_OF_MEMORY;
    if (dispatch_is_stale(call->node) && !(flags & RG_CMD_STALE) && !script->allows_stale)
        return "ERR Can not execute the command on a stale replica";
    return NULL;
}

bool dispatch_scripted(struct rg_call *call, const struct dispatch_script *script)
{
    const char *why = dispatch_script_stops(call, script);

    if (why != NULL) {
        rg_reply_error(&call->reply, why);
        return false;
    }
    call->in_exec = true;
    call->scripted = true;
    dispatch_execute(call);
    dispatch_notes(call);
    return true;
}

const char *dispatch_script_refusal(const struct rg_node *node, bool writes, bool allows_stale)
{
    const char *refusal = writes ? dispatch_write_refusal(node, RG_CMD_WRITE, false) : NULL;

    if (dispatch_is_stale(node) && !allows_stale)
        return NODE_MASTERDOWN;
    return refusal;
}

bool dispatch_resume(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct rg_conn *conn = call->conn;
    uint64_t log_before = node_log_end(node);
    size_t mark = rg_buf_len(&conn->out);
    const struct rg_command *last = conn->last_command;

    conn->pushed = 0;
    dispatch_execute(call);
    conn->last_command = last;
    if (call->waits)
        return false;
    bool wrote = node_log_end(node) != log_before && node_is_primary(node);
    if (wrote)
        conn->last_write = node_log_end(node);
    gate_reply(node, conn, mark + conn->pushed, wrote);
    dispatch_notes(call);
    return true;
}

/* The error is written; the command is not run. */
static void dispatch_reject(struct rg_call *call, size_t mark, size_t reply_mark, bool known)
{
    if (known)
        call->node->stats.per_command[call->command->id].rejected++;
    (void)dispatch_count_error(call, reply_mark);
    multi_spoil(call->conn);
    gate_pass(call->conn, rg_buf_len(&call->conn->out) - mark);
}

/* What is sent to a replica, and to who looks on, is not to be mixed with data. */
static bool dispatch_is_kept_from(const struct rg_call *call)
{
    const struct rg_conn *conn = call->conn;

    if (!monitor_is(conn) && conn->kind != RG_CONN_REPLICA)
        return false;
    return (multi_flags(call) & (RG_CMD_WRITE | RG_CMD_READONLY)) != 0 ||
           call->command->id == RG_CMD_ID_publish || call->command->id == RG_CMD_ID_spublish;
}

static bool dispatch_refuse(struct rg_call *call)
{
    const struct rg_conn *conn = call->conn;
    const char *refusal = dispatch_refusal(call);

    if (refusal != NULL) {
        if (call->command->id == RG_CMD_ID_exec)
            dispatch_abort_exec(call, refusal);
        else
            rg_reply_error(&call->reply, refusal);
        return true;
    }
    if (dispatch_is_kept_from(call)) {
        rg_reply_error(&call->reply, "ERR Replica can't interact with the keyspace");
        return true;
    }
    if (conn->subscriptions == 0 || conn->proto != 2 || dispatch_allowed_subscribed(call->command))
        return false;
    rg_reply_errorf(&call->reply,
                    "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT "
                    "/ RESET are allowed in this context",
                    call->command->name);
    return true;
}

/* A browser that a page talked into sending commands begins with these words of HTTP. */
static bool dispatch_is_http(struct rg_call *call)
{
    if (!rg_bytes_is_nocase(call->argv[0], "post") && !rg_bytes_is_nocase(call->argv[0], "host:"))
        return false;
    node_say(call->node, RG_LOG_WARNING,
             "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: "
             "commands to this server, perhaps through a page in a browser. The connection from "
             "%s is closed.",
             call->conn->peer);
    conn_close(call->node, call->conn, false);
    return true;
}

/* CLIENT REPLY SKIP holds for the command behind it. */
static void dispatch_skip_next(struct rg_conn *conn)
{
    if (conn->reply_mode == RG_REPLY_SKIP)
        conn->reply_mode = RG_REPLY_ON;
    else if (conn->reply_mode == RG_REPLY_SKIP_NEXT)
        conn->reply_mode = RG_REPLY_SKIP;
}

/* The command was found, or dispatch_lookup has replied why not. */
static bool dispatch_found(struct rg_call *call, size_t mark, size_t reply_mark)
{
    struct rg_conn *conn = call->conn;

    if (!dispatch_arity(call) || dispatch_refuse(call)) {
        dispatch_reject(call, mark, reply_mark, true);
    } else if (dispatch_held(call)) {
        conn->last_command = call->command;
        conn_block(call->node, conn, RG_BLOCK_PAUSE, RG_NEVER);
        return false;
    } else if (multi_queues(call)) {
        multi_queue(call);
        gate_pass(conn, rg_buf_len(&conn->out) - mark);
    } else {
        dispatch_run(call);
    }
    return true;
}

bool dispatch_known(struct rg_node *node, struct rg_conn *conn, const struct rg_command *command,
                    const struct rg_bytes *argv, int argc)
{
    bool lends = command != NULL && lend_allowed(command);

    if (!lends && !rg_list_empty(&node->lending))
        lend_end_all(node);
    if (conn->out.cap == 0)
        room_take(node, &conn->out);
    struct rg_call call = {.node = node,
                           .conn = conn,
                           .reply = conn_reply(conn),
                           .command = command,
                           .argv = argv,
                           .argc = argc};
    size_t mark = rg_buf_len(&conn->out);
    bool taken = true;

    if (conn->reply_mode == RG_REPLY_OFF || conn->reply_mode == RG_REPLY_SKIP) {
        rg_buf_reset(&node->muted, 64 * 1024);
        call.reply.out = &node->muted;
    }
    size_t reply_mark = rg_buf_len(call.reply.out);
    if (lends && dispatch_lends(&call))
        call.reply.lents = &conn->lents;
    conn->active_us = node->now.mono_us;
    if (command == NULL) {
        if (dispatch_is_http(&call))
            return true;
        if (!dispatch_lookup(&call))
            dispatch_reject(&call, mark, reply_mark, call.command != NULL);
        else
            taken = dispatch_found(&call, mark, reply_mark);
    } else {
        taken = dispatch_found(&call, mark, reply_mark);
    }
    if (!taken)
        return false;
    if (conn->lents.count > 0)
        lend_begin(node, conn);
    if (conn->tracking != NULL)
        tracking_command_over(&call);
    dispatch_skip_next(conn);
    /* Nothing is new to one that is to be served and goes on. */
    if (conn->closing || rg_list_empty(&conn->output_link))
        conn_wants_output(node, conn);
    if (call.command == NULL || call.command->run == NULL)
        dispatch_look(node);
    return true;
}

bool dispatch_client(struct rg_node *node, struct rg_conn *conn, const struct rg_bytes *argv,
                     int argc)
{
    return dispatch_known(node, conn, NULL, argv, argc);
}

int dispatch_stream(struct rg_node *node, const struct rg_command *command, unsigned db,
                    const struct rg_bytes *argv, int argc)
{
    struct rg_buf sink = {0};
    struct rg_reply reply = {.out = &sink, .proto = 2};
    struct rg_cmd_ctx ctx;

    if (command->run == NULL || !rg_cmd_arity_ok(command, argc))
        return RG_EPROTO;
    dispatch_ctx(&ctx, node, &reply, command, db, argv, argc);
    ctx.expiry = RG_EXPIRY_IGNORE;
    ctx.no_touch = true;
    notify_begin(node, command);
    rg_cmd_run(&ctx);
    node->changes += ctx.dirty;
    node->stats.per_command[command->id].calls++;
    rg_propagation_reset(&node->propagation);
    notify_end(node, NULL, command, db, argv, ctx.dirty > 0);
    if (monitor_on(node) && node->follow.conn != NULL)
        monitor_feed(node, node->follow.conn, db, command, argv, argc);
    bool failed = rg_buf_len(&sink) > 0 && rg_buf_view(&sink).data[0] == '-';
    if (failed)
        node_say(node, RG_LOG_WARNING,
                 "== CRITICAL == This replica is sending an error to its master: '%.*s' after "
                 "processing the command '%s'",
                 (int)rg_buf_len(&sink) - 3, rg_buf_view(&sink).data + 1, command->name);
    rg_buf_fini(&sink);
    return 0;
}
