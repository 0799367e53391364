#include "base/panic.h"
#include "node/latency.h"
#include "node/node_impl.h"

/*
 * One command: from words to handler. The checks come in the order of Redis, so that the first
 * error is the same one.
 */

static void dispatch_unknown(struct rg_reply *reply, const struct rg_bytes *argv, int argc)
{
    struct rg_buf text = {0};

    /* Redis shows 128 bytes of the name and of the arguments together. */
    rg_buf_append_str(&text, "ERR unknown command '");
    rg_buf_append(&text, argv[0].data, argv[0].len < 128 ? argv[0].len : 128);
    rg_buf_append_str(&text, "', with args beginning with: ");
    size_t shown = 0;
    for (int i = 1; i < argc && shown < 128; i++) {
        size_t len = argv[i].len < 128 - shown ? argv[i].len : 128 - shown;
        rg_buf_append_char(&text, '\'');
        rg_buf_append(&text, argv[i].data, len);
        rg_buf_append_str(&text, "' ");
        shown += len + 3;
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

/* Fills call->command, or replies. */
static bool dispatch_lookup(struct rg_call *call)
{
    int result = rg_cmd_lookup(call->argv, call->argc, &call->command);

    if (result == RG_ENOENT) {
        dispatch_unknown(&call->reply, call->argv, call->argc);
        return false;
    }
    if (result < 0) {
        dispatch_unknown_subcommand(&call->reply, call->command, call->argv[1]);
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
        RG_CMD_ID_ping,         RG_CMD_ID_subscribe, RG_CMD_ID_unsubscribe, RG_CMD_ID_psubscribe,
        RG_CMD_ID_punsubscribe, RG_CMD_ID_quit,      RG_CMD_ID_reset,
    };

    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        if (command->id == allowed[i])
            return true;
    }
    return false;
}

/* What a member of a group refuses, by its role and its health. */
static const char *dispatch_group_refusal(const struct rg_node *node,
                                          const struct rg_command *command)
{
    const struct rg_group_view *view = &node->members.view;
    bool data = (command->flags & (RG_CMD_WRITE | RG_CMD_READONLY)) != 0;
    bool write = (command->flags & RG_CMD_WRITE) != 0;

    if (!data || node->members.group == NULL)
        return NULL;
    if (view->role == RG_ROLE_PRIMARY) {
        if (rg_group_can_serve(node->members.group, node->now.mono_us))
            return NULL;
        if (write)
            return "NOREPLICAS Not enough good replicas to write.";
        return node_mode(node) == RG_MODE_ASYNC
                   ? NULL
                   : "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to "
                     "'no'.";
    }
    if (write)
        return "READONLY You can't write against a read only replica.";
    if (view->state != RG_MEMBER_HEALTHY)
        return "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
    return NULL;
}

static const char *dispatch_refusal(const struct rg_call *call)
{
    const struct rg_node *node = call->node;
    const struct rg_conn *conn = call->conn;
    uint32_t flags = call->command->flags;
    const struct rg_config *config = node->config;
    const char *refusal = NULL;

    if (!conn->authenticated && !(flags & RG_CMD_NO_AUTH))
        return "NOAUTH Authentication required.";
    refusal = dispatch_group_refusal(node, call->command);
    if (refusal != NULL)
        return refusal;
    if ((flags & RG_CMD_DENYOOM) && config->maxmemory > 0 && node_is_primary(node) &&
        node_memory(node) > (uint64_t)config->maxmemory)
        return "OOM command not allowed when used memory > 'maxmemory'.";
    if ((flags & RG_CMD_WRITE) && node_is_primary(node) && config->min_replicas_to_write > 0 &&
        config->min_replicas_max_lag > 0 &&
        (int64_t)serve_count_good(node) < config->min_replicas_to_write)
        return "NOREPLICAS Not enough good replicas to write.";
    if ((flags & RG_CMD_WRITE) && !node_is_primary(node) && config->replica_read_only)
        return "READONLY You can't write against a read only replica.";
    if (!node_is_primary(node) && !follow_link_up(node) && !config->replica_serve_stale_data &&
        !(flags & RG_CMD_STALE))
        return "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
    return NULL;
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
    bool changes = (command->flags & (RG_CMD_WRITE | RG_CMD_MAY_REPLICATE)) != 0 ||
                   command->id == RG_CMD_ID_publish;

    if (node->members.hold && changes)
        return true;
    if (call->conn->kind != RG_CONN_CLIENT || node->pause_until_us <= node->now.mono_us)
        return false;
    return changes || (node->pause_all && !dispatch_unpaused(command));
}

static struct rg_cmd_ctx dispatch_ctx(struct rg_node *node, struct rg_reply *reply,
                                      const struct rg_command *command, unsigned db,
                                      const struct rg_bytes *argv, int argc)
{
    return (struct rg_cmd_ctx){
        .store = node->store,
        .db_index = db,
        .db = rg_store_db(node->store, db),
        .now = node->now,
        .rand = &node->rand,
        .reply = reply,
        .command = command,
        .argv = argv,
        .argc = argc,
        .max_bulk_len = (uint64_t)node->config->proto_max_bulk_len,
        .counters = &node->stats.cmd,
        .propagation = &node->propagation,
    };
}

static void dispatch_data(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct rg_cmd_ctx ctx =
        dispatch_ctx(node, &call->reply, call->command, call->conn->db, call->argv, call->argc);
    bool primary = node_is_primary(node);

    ctx.expiry = primary && !node_holds_writes(node) ? RG_EXPIRY_DELETE : RG_EXPIRY_HIDE;
    ctx.no_touch = call->conn->no_touch;
    rg_propagation_reset(&node->propagation);
    rg_cmd_run(&ctx);
    node->stats.dirty += ctx.dirty;
    if (!primary) {
        /* A writable replica's own changes are nobody else's. */
        rg_propagation_reset(&node->propagation);
        return;
    }
    bool verbatim = ctx.dirty > 0 && !node->propagation.replaced;
    feed_propagation(node);
    if (verbatim)
        feed_command(node, call->conn->db, call->argv, call->argc);
}

static void dispatch_run(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct rg_conn *conn = call->conn;
    struct rg_command_stats *stats = &node->stats.per_command[call->command->id];
    uint64_t log_before = node_log_end(node);
    size_t mark = rg_buf_len(&conn->out);
    bool data = (call->command->flags & (RG_CMD_WRITE | RG_CMD_READONLY)) != 0;
    int64_t began_us = node_measure_us(node);

    conn->last_command = call->command;
    conn->commands++;
    node->stats.commands++;
    if (call->command->run != NULL) {
        dispatch_data(call);
    } else {
        node_handler *handler = node_handler_of(call->command->id);
        RG_ASSERT(handler != NULL);
        handler(call);
    }
    stats->calls++;
    int64_t took_us = node_measure_us(node) - began_us;
    stats->usec += took_us;
    if (rg_buf_len(&conn->out) > mark && rg_buf_view(&conn->out).data[mark] == '-')
        stats->failed++;
    slowlog_note(call, took_us);
    latency_command(node, call->command, took_us);

    bool wrote = node_log_end(node) != log_before && node_is_primary(node);
    if (wrote)
        conn->last_write = node_log_end(node);
    if (data)
        gate_reply(node, conn, mark, wrote);
    else
        gate_pass(conn, rg_buf_len(&conn->out) - mark);
}

/* CLIENT REPLY OFF and SKIP: forgets the reply of the command just run. */
static void dispatch_mute(struct rg_conn *conn, enum rg_reply_mode before, size_t mark)
{
    if (before == RG_REPLY_ON || conn->reply_mode == RG_REPLY_ON) {
        if (conn->reply_mode == RG_REPLY_SKIP_NEXT)
            conn->reply_mode = RG_REPLY_SKIP;
        return;
    }
    size_t extra = rg_buf_len(&conn->out) - mark;
    /* What is gated at the end goes with it. */
    while (extra > 0 && conn->gate_head < conn->gate_count) {
        struct rg_gate *gate = &conn->gates[conn->gate_count - 1];
        size_t cut = gate->len < extra ? gate->len : extra;
        gate->len -= cut;
        if (gate->len > 0 && gate->kind != RG_GATE_PASS)
            gate->commands--;
        extra -= cut;
        conn->gated_bytes -= cut;
        if (gate->len > 0)
            break;
        conn->gate_count--;
    }
    rg_buf_truncate(&conn->out, mark);
    if (before == RG_REPLY_SKIP)
        conn->reply_mode = RG_REPLY_ON;
}

static void dispatch_reject(struct rg_call *call, size_t mark)
{
    if (call->command != NULL)
        call->node->stats.per_command[call->command->id].rejected++;
    gate_pass(call->conn, rg_buf_len(&call->conn->out) - mark);
}

bool dispatch_client(struct rg_node *node, struct rg_conn *conn, const struct rg_bytes *argv,
                     int argc)
{
    struct rg_call call = {
        .node = node, .conn = conn, .reply = conn_reply(conn), .argv = argv, .argc = argc};
    size_t mark = rg_buf_len(&conn->out);
    enum rg_reply_mode mode_before = conn->reply_mode;

    conn->active_us = node->now.mono_us;
    if (!dispatch_lookup(&call)) {
        dispatch_reject(&call, mark);
    } else {
        const char *refusal = dispatch_refusal(&call);
        if (refusal != NULL) {
            rg_reply_error(&call.reply, refusal);
            dispatch_reject(&call, mark);
        } else if (conn->subscriptions > 0 && conn->proto == 2 &&
                   !dispatch_allowed_subscribed(call.command)) {
            rg_reply_errorf(&call.reply,
                            "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING "
                            "/ QUIT / RESET are allowed in this context",
                            call.command->name);
            dispatch_reject(&call, mark);
        } else if (dispatch_held(&call)) {
            conn_block(node, conn, RG_BLOCK_PAUSE, RG_NEVER);
            return false;
        } else {
            dispatch_run(&call);
        }
    }
    dispatch_mute(conn, mode_before, mark);
    conn_wants_output(node, conn);
    return true;
}

int dispatch_stream(struct rg_node *node, const struct rg_command *command, unsigned db,
                    const struct rg_bytes *argv, int argc)
{
    struct rg_buf sink = {0};
    struct rg_reply reply = {.out = &sink, .proto = 2};
    struct rg_cmd_ctx ctx = dispatch_ctx(node, &reply, command, db, argv, argc);

    if (command->run == NULL || !rg_cmd_arity_ok(command, argc))
        return RG_EPROTO;
    ctx.expiry = RG_EXPIRY_IGNORE;
    ctx.no_touch = true;
    rg_cmd_run(&ctx);
    node->stats.dirty += ctx.dirty;
    node->stats.per_command[command->id].calls++;
    rg_propagation_reset(&node->propagation);
    bool failed = rg_buf_len(&sink) > 0 && rg_buf_view(&sink).data[0] == '-';
    if (failed)
        node_say(node, RG_LOG_WARNING,
                 "== CRITICAL == This replica is sending an error to its master: '%.*s' after "
                 "processing the command '%s'",
                 (int)rg_buf_len(&sink) - 3, rg_buf_view(&sink).data + 1, command->name);
    rg_buf_fini(&sink);
    return 0;
}
