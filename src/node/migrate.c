#include "node/migrate.h"

#include "base/alloc.h"
#include "base/number.h"
#include "base/panic.h"
#include "node/handlers.h"

/*
 *   CONNECTING --> SENT --all replies came, or the link is over--> OVER --> keys deleted, replied
 */
enum migrate_state {
    MIGRATE_CONNECTING,
    MIGRATE_SENT,
    MIGRATE_OVER, /* the log may take no deletion just now */
};

struct migrate_key {
    char *name; /* owned */
    size_t len;
    bool arrived;
};

struct rg_migrate {
    enum migrate_state state;
    struct rg_conn *conn; /* to the other server; NULL: closed */
    uint64_t client;      /* id of who waits */
    unsigned db;
    bool copy;
    int64_t timeout_us; /* without any progress */
    int64_t progress_us;
    size_t unsent;
    struct rg_buf request;
    struct migrate_key *keys; /* owned */
    size_t key_count;
    size_t heads;   /* replies that come before those of the keys: AUTH and SELECT */
    size_t replies; /* that came */
    bool refused;   /* one of the heads was an error: nothing was restored where it should be */
    struct rg_buf error; /* what the client is told, with its code; empty: OK */
};

struct migrate_options {
    bool copy;
    bool replace;
    struct rg_bytes username; /* data NULL: not given */
    struct rg_bytes password;
    int first_key;
    int keys;
    int64_t db;
    int64_t timeout_ms;
};

void migrate_free(struct rg_migrate *migrate)
{
    if (migrate == NULL)
        return;
    for (size_t i = 0; i < migrate->key_count; i++)
        rg_free(migrate->keys[i].name);
    rg_free(migrate->keys);
    rg_buf_fini(&migrate->request);
    rg_buf_fini(&migrate->error);
    rg_free(migrate);
}

bool migrate_delays_writes(const struct rg_node *node)
{
    return node_holds_writes(node) || node->migrate != NULL;
}

/* ---- The end ---- */

/* Returns how many were deleted, with one DEL for the log. */
static int migrate_delete(struct rg_node *node, const struct rg_migrate *migrate)
{
    struct rg_cmd_ctx ctx = node_upkeep_ctx(node, migrate->db);
    struct rg_bytes *words = RG_NEW_ARRAY(struct rg_bytes, migrate->key_count + 1);
    int count = 1;

    words[0] = RG_BYTES("DEL");
    for (size_t i = 0; i < migrate->key_count; i++) {
        const struct migrate_key *key = &migrate->keys[i];
        struct rg_bytes name = rg_bytes(key->name, key->len);
        if (!key->arrived || !rg_db_delete(ctx.db, name))
            continue;
        rg_cmd_note_in(&ctx, migrate->db, name, RG_NOTE_GENERIC, "del");
        words[count++] = name;
    }
    if (count > 1)
        rg_propagation_add(&node->propagation, migrate->db, words, count);
    rg_free(words);
    node->changes += (uint64_t)count - 1;
    node_upkeep_done(node);
    return count - 1;
}

static void migrate_reply(struct rg_node *node, struct rg_migrate *migrate, bool wrote)
{
    struct rg_conn *conn = conn_by_id(node, migrate->client);

    if (conn == NULL || conn->closing || conn->block != RG_BLOCK_MIGRATE)
        return;
    struct rg_reply reply = conn_reply(conn);
    size_t mark = rg_buf_len(&conn->out);
    if (wrote)
        conn->last_write = node_log_end(node);
    if (rg_buf_len(&migrate->error) > 0) {
        error_stats_note(&node->stats.errors, rg_buf_view(&migrate->error), 1);
        rg_buf_append_char(&migrate->error, '\0');
    }
    if (conn->reply_mode != RG_REPLY_OFF) {
        if (rg_buf_len(&migrate->error) > 0)
            rg_reply_error(&reply, rg_buf_view(&migrate->error).data);
        else
            rg_reply_simple(&reply, "OK");
        gate_reply(node, conn, mark, wrote);
        conn_wants_output(node, conn);
    }
    conn_unblock(node, conn);
}

static void migrate_hang_up(struct rg_node *node, struct rg_migrate *migrate)
{
    if (migrate->conn != NULL)
        conn_close(node, migrate->conn, false);
    migrate->conn = NULL;
}

static void migrate_over(struct rg_node *node, const char *error)
{
    struct rg_migrate *migrate = node->migrate;

    migrate->state = MIGRATE_OVER;
    if (error != NULL && rg_buf_len(&migrate->error) == 0)
        rg_buf_append_str(&migrate->error, error);
    migrate_hang_up(node, migrate);
}

static void migrate_broken(struct rg_node *node)
{
    const struct rg_migrate *migrate = node->migrate;
    bool writing = migrate->state == MIGRATE_CONNECTING ||
                   (migrate->conn != NULL && rg_buf_len(&migrate->conn->out) > 0);

    if (migrate->state == MIGRATE_OVER)
        return;
    migrate_over(node, writing ? "IOERR error or timeout writing to target instance"
                               : "IOERR error or timeout reading from target instance");
}

static void migrate_timed_out(struct rg_node *node)
{
    if (node->migrate->state == MIGRATE_CONNECTING)
        migrate_over(node, "IOERR error or timeout connecting to the client");
    else
        migrate_broken(node);
}

void migrate_run(struct rg_node *node)
{
    struct rg_migrate *migrate = node->migrate;

    if (migrate == NULL)
        return;
    if (migrate->conn != NULL && rg_buf_len(&migrate->conn->out) != migrate->unsent) {
        migrate->unsent = rg_buf_len(&migrate->conn->out);
        migrate->progress_us = node->now.mono_us;
    }
    if (node->now.mono_us - migrate->progress_us >= migrate->timeout_us)
        migrate_timed_out(node);
    if (migrate->state != MIGRATE_OVER || !node_feeds(node))
        return;
    node->migrate = NULL;
    bool wrote = !migrate->copy && migrate_delete(node, migrate) > 0;
    migrate_reply(node, migrate, wrote);
    migrate_free(migrate);
}

int64_t migrate_deadline(const struct rg_node *node)
{
    const struct rg_migrate *migrate = node->migrate;

    return migrate == NULL || migrate->state == MIGRATE_OVER
               ? RG_NEVER
               : migrate->progress_us + migrate->timeout_us;
}

void migrate_abort(struct rg_node *node)
{
    struct rg_migrate *migrate = node->migrate;

    if (migrate == NULL)
        return;
    node->migrate = NULL;
    migrate_hang_up(node, migrate);
    migrate_free(migrate);
}

/* ---- The link ---- */

void migrate_connected(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_migrate *migrate = node->migrate;

    if (migrate == NULL || migrate->conn != conn)
        return;
    migrate->state = MIGRATE_SENT;
    migrate->progress_us = node->now.mono_us;
    rg_buf_append_bytes(&conn->out, rg_buf_view(&migrate->request));
    rg_buf_fini(&migrate->request);
    migrate->unsent = rg_buf_len(&conn->out);
    conn_wants_output(node, conn);
}

static void migrate_take_reply(struct rg_migrate *migrate, struct rg_bytes line)
{
    bool failed = line.len > 0 && line.data[0] == '-';
    size_t index = migrate->replies++;

    if (index < migrate->heads)
        migrate->refused |= failed;
    else
        migrate->keys[index - migrate->heads].arrived = !failed && !migrate->refused;
    if (failed && rg_buf_len(&migrate->error) == 0) {
        rg_buf_append_str(&migrate->error, "ERR Target instance replied with error: ");
        rg_buf_append(&migrate->error, line.data + 1, line.len - 1);
    }
}

/* Every reply is a line: a status, or an error. */
void migrate_input(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_migrate *migrate = node->migrate;

    if (migrate == NULL || migrate->conn != conn) {
        conn_close(node, conn, false);
        return;
    }
    migrate->progress_us = node->now.mono_us;
    while (migrate->replies < migrate->heads + migrate->key_count) {
        struct rg_bytes input = conn_input(conn);
        const char *end = input.len > 0 ? memchr(input.data, '\n', input.len) : NULL;
        if (end == NULL)
            return;
        size_t len = (size_t)(end - input.data);
        bool whole = len > 0 && input.data[len - 1] == '\r';
        if (input.data[0] != '+' && input.data[0] != '-') {
            migrate_broken(node);
            return;
        }
        migrate_take_reply(migrate, rg_bytes(input.data, whole ? len - 1 : len));
        conn_consume(conn, len + 1);
    }
    migrate_over(node, NULL);
}

void migrate_closed(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_migrate *migrate = node->migrate;

    if (migrate == NULL || migrate->conn != conn)
        return;
    migrate_broken(node);
    migrate->conn = NULL; /* told to close where it was closed already: nothing is left of it */
}

/* ---- The command ---- */

/* False: an error was replied. */
static bool migrate_parse(struct rg_call *call, struct migrate_options *options)
{
    *options = (struct migrate_options){.first_key = 3, .keys = 1};
    for (int i = 6; i < call->argc; i++) {
        int more = call->argc - 1 - i;
        if (rg_bytes_is_nocase(call->argv[i], "copy")) {
            options->copy = true;
        } else if (rg_bytes_is_nocase(call->argv[i], "replace")) {
            options->replace = true;
        } else if (rg_bytes_is_nocase(call->argv[i], "auth") && more >= 1) {
            options->password = call->argv[++i];
        } else if (rg_bytes_is_nocase(call->argv[i], "auth2") && more >= 2) {
            options->username = call->argv[++i];
            options->password = call->argv[++i];
        } else if (rg_bytes_is_nocase(call->argv[i], "keys")) {
            if (call->argv[3].len != 0) {
                rg_reply_error(&call->reply, "ERR When using MIGRATE KEYS option, the key argument "
                                             "must be set to the empty string");
                return false;
            }
            options->first_key = i + 1;
            options->keys = more;
            break;
        } else {
            rg_reply_error(&call->reply, "ERR syntax error");
            return false;
        }
    }
    if (!cmd_arg_i64(call, 5, &options->timeout_ms) || !cmd_arg_i64(call, 4, &options->db))
        return false;
    if (options->timeout_ms <= 0 || options->timeout_ms > INT64_MAX / (2 * RG_MS_US))
        options->timeout_ms = options->timeout_ms <= 0 ? 1000 : INT64_MAX / (2 * RG_MS_US);
    return true;
}

static void migrate_write_heads(struct rg_migrate *migrate, const struct migrate_options *options)
{
    char digits[RG_I64_CHARS];
    struct rg_bytes select[] = {RG_BYTES("SELECT"),
                                rg_bytes(digits, rg_format_i64(digits, options->db))};
    struct rg_bytes auth[3] = {RG_BYTES("AUTH")};
    int words = 1;

    if (options->username.data != NULL)
        auth[words++] = options->username;
    if (options->password.data != NULL) {
        auth[words++] = options->password;
        rg_request_write(&migrate->request, auth, words);
        migrate->heads++;
    }
    rg_request_write(&migrate->request, select, 2);
    migrate->heads++;
}

/* Nothing where the key is not there, or past its time. */
static void migrate_add_key(struct rg_call *call, struct rg_migrate *migrate, struct rg_bytes name,
                            bool replace)
{
    struct rg_node *node = call->node;
    const struct rg_entry *entry = rg_db_find(rg_store_db(node->store, migrate->db), name);
    int64_t expire_ms = entry != NULL ? rg_entry_expire_ms(entry) : RG_NO_EXPIRY;
    int64_t left_ms = 0;
    char digits[RG_I64_CHARS];
    struct rg_buf payload = {0};

    if (entry == NULL)
        return;
    if (expire_ms != RG_NO_EXPIRY) {
        left_ms = expire_ms - node->now.wall_us / RG_MS_US;
        if (left_ms < 0)
            return;
        left_ms = left_ms < 1 ? 1 : left_ms;
    }
    node->payload_codec.cmd.dump(node->payload_codec.cmd.arg, entry, &payload);
    struct rg_bytes words[] = {RG_BYTES("RESTORE"), name,
                               rg_bytes(digits, rg_format_i64(digits, left_ms)),
                               rg_buf_view(&payload), RG_BYTES("REPLACE")};
    rg_request_write(&migrate->request, words, replace ? 5 : 4);
    rg_buf_fini(&payload);
    migrate->keys[migrate->key_count++] =
        (struct migrate_key){.name = rg_alloc_copy(name.data, name.len), .len = name.len};
}

static void migrate_begin(struct rg_call *call, struct rg_migrate *migrate)
{
    struct rg_node *node = call->node;
    int64_t port = 0;
    char *host = rg_alloc_copy(call->argv[1].data, call->argv[1].len);

    node->migrate = migrate;
    conn_block(node, call->conn, RG_BLOCK_MIGRATE, RG_NEVER);
    if (rg_parse_i64(call->argv[2], &port) < 0 || port <= 0 || port > UINT16_MAX)
        migrate_broken(node); /* as a port where nobody listens */
    else
        migrate->conn = conn_dial(node, RG_CONN_MIGRATE, host, (uint16_t)port);
    rg_free(host);
}

/* MIGRATE host port key|"" db timeout [COPY] [REPLACE] [AUTH …] [AUTH2 …] [KEYS key …] */
void cmd_migrate(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct migrate_options options;

    if (call->in_exec) {
        rg_reply_error(&call->reply, "ERR MIGRATE is not possible within a transaction");
        return;
    }
    if (!migrate_parse(call, &options))
        return;
    RG_ASSERT(node->migrate == NULL); /* the next one waits, as all changes do */
    struct rg_migrate *migrate = RG_NEW(struct rg_migrate);
    migrate->client = call->conn->id;
    migrate->db = call->conn->db;
    migrate->copy = options.copy;
    migrate->timeout_us = options.timeout_ms * RG_MS_US;
    migrate->progress_us = node->now.mono_us;
    migrate->keys = RG_NEW_ARRAY(struct migrate_key, (size_t)options.keys + 1);
    migrate_write_heads(migrate, &options);
    for (int i = 0; i < options.keys; i++)
        migrate_add_key(call, migrate, call->argv[options.first_key + i], options.replace);
    if (migrate->key_count == 0) {
        rg_reply_simple(&call->reply, "NOKEY");
        migrate_free(migrate);
        return;
    }
    migrate_begin(call, migrate);
}
