#include "node/sentinel.h"
#include "node/pubsub.h"

#include "base/alloc.h"
#include "base/panic.h"

/*
 * A sentinel as a node: sessions, pub/sub and connections are the node's, what is decided is the
 * state machine's (sentinel/sentinel.h). Its state is in its configuration file.
 */

enum { SENTINEL_CRASH_STATUS = 99, SENTINEL_LINE_WORDS = 16 };

/* ---- The configuration ---- */

static int sentinel_apply_line(struct rg_sentinel *sentinel, const char *text, int pass,
                               const char **ret_error)
{
    size_t lens[SENTINEL_LINE_WORDS];
    struct rg_bytes argv[SENTINEL_LINE_WORDS];
    struct rg_buf words = {0};
    int argc = rg_split_args(rg_bytes_str(text), &words, lens, SENTINEL_LINE_WORDS);
    const char *next = rg_buf_view(&words).data;
    int result = 0;

    for (int i = 0; i < argc; i++) {
        argv[i] = rg_bytes(lens[i] == 0 ? "" : next, lens[i]);
        next = lens[i] == 0 ? next : next + lens[i];
    }
    if (argc < 1) {
        *ret_error = "Unrecognized sentinel configuration statement.";
        result = RG_EINVAL;
    } else if (rg_sentinel_pass(argv[0]) == pass) {
        result = rg_sentinel_directive(sentinel, argv, argc, ret_error);
    }
    rg_buf_fini(&words);
    return result;
}

/* Errors: RG_EINVAL; ret_line is then the line, and ret_error what is wrong with it. */
static int sentinel_apply(struct rg_sentinel *sentinel, const struct rg_config *config,
                          const struct rg_config_line **ret_line, const char **ret_error)
{
    for (int pass = 0; pass < 3; pass++) {
        for (int i = 0; i < config->sentinel_line_count; i++) {
            *ret_line = &config->sentinel_lines[i];
            if (sentinel_apply_line(sentinel, config->sentinel_lines[i].text, pass, ret_error) < 0)
                return RG_EINVAL;
        }
    }
    return 0;
}

int rg_node_check_sentinel(const struct rg_config *config, struct rg_buf *ret_error)
{
    struct rg_sentinel_init init = {.requirepass = ""};
    struct rg_sentinel *sentinel = rg_sentinel_new(&init);
    const struct rg_config_line *line = NULL;
    const char *error = NULL;
    int result = sentinel_apply(sentinel, config, &line, &error);

    if (result < 0)
        rg_buf_printf(ret_error,
                      "Reading the configuration file, at line %d\n>>> 'sentinel%s'\n%s\n",
                      line->number, line->text, error);
    rg_sentinel_free(sentinel);
    return result;
}

void sentinel_new(struct rg_node *node)
{
    struct rg_sentinel_init init = {
        .seed = rg_rand_u64(&node->rand),
        .now = node->now,
        .port = (uint16_t)node->config->port,
        .requirepass = node->config->requirepass,
        .planted = node->planted,
    };
    const struct rg_config_line *line = NULL;
    const char *error = NULL;

    node->sentinel = rg_sentinel_new(&init);
    /* rg_node_check_sentinel saw to it. */
    RG_ASSERT(sentinel_apply(node->sentinel, node->config, &line, &error) == 0);
}

/* ---- Effects ---- */

static void sentinel_persist(struct rg_node *node, uint64_t seq)
{
    struct rg_buf lines = {0};
    struct rg_buf text = {0};

    rg_sentinel_write(node->sentinel, &lines);
    if (rg_config_rewrite_sentinel(node->config, rg_buf_view(&lines), &text) < 0) {
        /* The host starts no sentinel without a file. */
        rg_sentinel_persisted(node->sentinel, seq, RG_EIO, node->now);
        rg_buf_fini(&text);
    } else {
        node_effect_file(node, RG_EFFECT_FILE_REPLACE, rg_config_file(node->config), NULL, &text,
                         RG_FILE_SENTINEL, seq);
    }
    rg_buf_fini(&lines);
}

static void sentinel_dial(struct rg_node *node, const struct rg_sentinel_effect *effect)
{
    struct rg_conn *conn = conn_dial(node, RG_CONN_SENTINEL, effect->host, effect->port);

    conn->sentinel_link = effect->link;
    rg_sentinel_link_set_user(effect->link, conn);
}

static void sentinel_effect(struct rg_node *node, const struct rg_sentinel_effect *effect)
{
    static const enum rg_log_level levels[] = {
        [RG_SENTINEL_DEBUG] = RG_LOG_DEBUG,
        [RG_SENTINEL_VERBOSE] = RG_LOG_VERBOSE,
        [RG_SENTINEL_NOTICE] = RG_LOG_NOTICE,
        [RG_SENTINEL_WARNING] = RG_LOG_WARNING,
    };
    struct rg_conn *conn = effect->link != NULL ? rg_sentinel_link_user(effect->link) : NULL;

    switch (effect->type) {
    case RG_SENTINEL_CONNECT:
        sentinel_dial(node, effect);
        break;
    case RG_SENTINEL_CLOSE:
        conn_close(node, conn, false);
        break;
    case RG_SENTINEL_SEND:
        rg_buf_append_bytes(&conn->out, effect->bytes);
        conn_wants_output(node, conn);
        break;
    case RG_SENTINEL_PUBLISH:
        (void)pubsub_publish(node, rg_bytes_str(effect->channel), effect->bytes);
        break;
    case RG_SENTINEL_SAY:
        node_say(node, levels[effect->level], "%.*s", (int)effect->bytes.len, effect->bytes.data);
        break;
    case RG_SENTINEL_PERSIST:
        sentinel_persist(node, effect->seq);
        break;
    case RG_SENTINEL_SCRIPT:
        node_effect_script(node, effect->id, effect->argv);
        break;
    case RG_SENTINEL_SCRIPT_KILL:
        node_effect_script_kill(node, effect->id);
        break;
    case RG_SENTINEL_EXIT:
        node_effect_exit(node, SENTINEL_CRASH_STATUS);
        break;
    }
}

/* ---- Clients ---- */

bool sentinel_offers(const struct rg_command *command)
{
    static const uint16_t offered[] = {
        RG_CMD_ID_auth,      RG_CMD_ID_client,      RG_CMD_ID_command,      RG_CMD_ID_hello,
        RG_CMD_ID_info,      RG_CMD_ID_ping,        RG_CMD_ID_psubscribe,   RG_CMD_ID_publish,
        RG_CMD_ID_role,      RG_CMD_ID_sentinel,    RG_CMD_ID_punsubscribe, RG_CMD_ID_shutdown,
        RG_CMD_ID_subscribe, RG_CMD_ID_unsubscribe,
    };
    unsigned id = command->parent != NULL ? command->parent->id : command->id;

    if (command->id == RG_CMD_ID_client_replication_mode)
        return false;
    for (size_t i = 0; i < sizeof(offered) / sizeof(offered[0]); i++) {
        if (id == offered[i])
            return true;
    }
    return false;
}

void sentinel_publish(struct rg_call *call)
{
    if (!rg_bytes_is(call->argv[1], RG_SENTINEL_CHANNEL)) {
        rg_reply_error(&call->reply, "ERR Only HELLO messages are accepted by Sentinel instances.");
        return;
    }
    rg_sentinel_hello(call->node->sentinel, call->argv[2], call->node->now);
    rg_reply_i64(&call->reply, 1);
}

/* A reply that tells what is not on disk yet; its client waits. */
struct sentinel_reply {
    struct rg_list link;
    uint64_t client;
    uint64_t seq;
    struct rg_buf bytes;
};

void sentinel_call(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct rg_buf bytes = {0};
    struct rg_reply reply = {.out = &bytes, .proto = call->reply.proto};
    int64_t wait = rg_sentinel_command(node->sentinel, call->argv, call->argc, &reply, node->now);

    RG_ASSERT(wait >= 0); /* the command table has the same words and numbers */
    if (wait == 0) {
        rg_buf_append_bytes(call->reply.out, rg_buf_view(&bytes));
        rg_buf_fini(&bytes);
        return;
    }
    struct sentinel_reply *held = RG_NEW(struct sentinel_reply);
    held->client = call->conn->id;
    held->seq = (uint64_t)wait;
    held->bytes = bytes;
    rg_list_append(&node->sentinel_held, &held->link);
    conn_block(node, call->conn, RG_BLOCK_FILE, RG_NEVER);
}

static void sentinel_release(struct rg_node *node)
{
    bool failed = rg_sentinel_disk_failed(node->sentinel);

    RG_LIST_EACH(at, &node->sentinel_held)
    {
        struct sentinel_reply *held = RG_CONTAINER_OF(at, struct sentinel_reply, link);
        bool durable = rg_sentinel_is_durable(node->sentinel, held->seq);
        if (!durable && !failed)
            continue;
        struct rg_conn *conn = conn_by_id(node, held->client);
        if (conn != NULL && !conn->closing) {
            struct rg_reply reply = conn_reply(conn);
            size_t mark = 0;
            conn_push_begin(conn, &mark);
            if (durable)
                rg_buf_append_bytes(&conn->out, rg_buf_view(&held->bytes));
            else
                rg_reply_error(&reply, "ERR Failed to save config file. Please check server logs.");
            conn_push_end(node, conn, mark);
            conn_unblock(node, conn);
        }
        rg_list_remove(at);
        rg_buf_fini(&held->bytes);
        rg_free(held);
    }
}

void sentinel_fini(struct rg_node *node)
{
    RG_LIST_EACH(at, &node->sentinel_held)
    {
        struct sentinel_reply *held = RG_CONTAINER_OF(at, struct sentinel_reply, link);
        rg_buf_fini(&held->bytes);
        rg_free(held);
    }
    rg_sentinel_free(node->sentinel);
}

/* ---- Inputs ---- */

static void sentinel_drain(struct rg_node *node)
{
    struct rg_sentinel_effect effect;

    while (rg_sentinel_next_effect(node->sentinel, &effect))
        sentinel_effect(node, &effect);
    sentinel_release(node);
}

void sentinel_run(struct rg_node *node)
{
    if (node->sentinel == NULL)
        return;
    rg_sentinel_step(node->sentinel, node->now);
    sentinel_drain(node);
}

int64_t sentinel_deadline(const struct rg_node *node)
{
    return node->sentinel != NULL ? rg_sentinel_deadline(node->sentinel) : RG_NEVER;
}

void sentinel_connected(struct rg_node *node, struct rg_conn *conn, const struct rg_conn_info *info)
{
    rg_sentinel_opened(node->sentinel, conn->sentinel_link, info->peer_host, info->local_host,
                       node->now);
    sentinel_drain(node);
}

void sentinel_input(struct rg_node *node, struct rg_conn *conn)
{
    int64_t taken =
        rg_sentinel_received(node->sentinel, conn->sentinel_link, conn_input(conn), node->now);

    if (taken < 0)
        conn_close(node, conn, false);
    else
        conn_consume(conn, (size_t)taken);
    sentinel_drain(node);
}

void sentinel_closed(struct rg_node *node, struct rg_conn *conn, enum rg_close_reason reason)
{
    rg_sentinel_closed(node->sentinel, conn->sentinel_link, reason == RG_CLOSE_REFUSED, node->now);
    conn->sentinel_link = NULL;
    sentinel_drain(node);
}

void sentinel_file_done(struct rg_node *node, uint64_t seq, int result)
{
    rg_sentinel_persisted(node->sentinel, seq, result, node->now);
    sentinel_drain(node);
}

void rg_node_script_ended(struct rg_node *node, uint64_t token, int status, int signal,
                          struct rg_time now)
{
    node->now = now;
    if (node->sentinel != NULL)
        rg_sentinel_script_ended(node->sentinel, token, status, signal, now);
}

/* ---- Views ---- */

bool rg_node_sentinel_view(const struct rg_node *node, unsigned index,
                           struct rg_sentinel_view *ret_view)
{
    return node->sentinel != NULL && rg_sentinel_view(node->sentinel, index, ret_view);
}

const char *rg_node_sentinel_id(const struct rg_node *node)
{
    return rg_sentinel_id(node->sentinel);
}
