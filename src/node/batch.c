#include "base/alloc.h"
#include "base/panic.h"
#include "cmd/index.h"
#include "node/migrate.h"
#include "node/node_impl.h"
#include "node/sentinel.h"

/*
 * The way of clients' requests. In turns, requests are taken off all connections with input, ahead
 * of their execution: parsed in place, their commands looked up, the hashes of their keys taken and
 * the memory of the look-ups to come asked for. By the time a command is executed, its key's bucket
 * and entry are in the cache, or on their way.
 *
 *   connections with input --gather--> commands --fetch buckets, fetch entries--> run in order
 *
 * A request stays in its connection's input until its command ran: what is gathered and does not
 * run, because the connection blocks, closes or becomes something else, is simply gathered again,
 * or not. A command that may change what the bytes behind it mean (AUTH, RESET, PSYNC …: any of the
 * node's own) is the last that is gathered of its connection.
 */

enum {
    BATCH_COMMANDS = 64, /* the keys of so many fit the nearest cache, with what is behind them */
    BATCH_WORDS = 1024,
    BATCH_REQUEST_WORDS = 256, /* a request with more goes by the full parser */
    BATCH_KEYS = 256,
};

struct batch_command {
    const struct rg_command *command;
    const struct rg_bytes *argv; /* in the batch's words; they point into the input */
    int argc;
    size_t size;                /* bytes of the input */
    const struct rg_bytes *key; /* its first; NULL: none */
    uint64_t hash;              /* of that */
};

struct batch_key {
    const struct rg_db *db;
    uint64_t hash;
};

/* Commands of one connection, in a row. */
struct batch_run {
    struct rg_conn *conn;
    unsigned end; /* one past the last command */
    bool unplain; /* behind them is no plain whole request: the full parser has to look */
};

struct rg_batch {
    unsigned command_count;
    unsigned run_count;
    unsigned word_count;
    unsigned key_count;
    struct batch_command commands[BATCH_COMMANDS];
    struct batch_run runs[BATCH_COMMANDS];
    struct batch_key keys[BATCH_KEYS];
    struct rg_bytes words[BATCH_WORDS];
};

struct rg_batch *batch_new(void)
{
    return RG_NEW(struct rg_batch);
}

void batch_free(struct rg_batch *batch)
{
    rg_free(batch);
}

/* ---- Gathering ---- */

/* What follows it means the same whatever it does. */
static bool batch_goes_on(const struct rg_command *command)
{
    return command->run != NULL || command->id == RG_CMD_ID_ping || command->id == RG_CMD_ID_echo;
}

/* Takes the hashes of the command's keys. */
static void batch_add_keys(struct rg_node *node, const struct rg_conn *conn,
                           struct batch_command *item)
{
    struct rg_batch *batch = node->batch;
    const struct rg_command *command = item->command;
    const struct rg_db *db = rg_store_db(node->store, conn->db);

    if (command->first_key <= 0 || command->first_key >= item->argc)
        return;
    int last = command->last_key < 0 ? item->argc + command->last_key : command->last_key;
    item->key = &item->argv[command->first_key];
    for (int i = command->first_key; i <= last && i < item->argc; i += command->key_step) {
        uint64_t hash = rg_store_hash(node->store, item->argv[i]);
        if (i == command->first_key)
            item->hash = hash;
        if (batch->key_count == BATCH_KEYS)
            return;
        batch->keys[batch->key_count++] = (struct batch_key){db, hash};
        rg_db_prefetch_bucket(db, hash);
    }
}

/* Takes one request at the front of input. Returns its bytes, 0 where it is not plain and whole. */
static size_t batch_add(struct rg_node *node, struct rg_conn *conn, struct rg_bytes input)
{
    struct rg_batch *batch = node->batch;
    struct batch_command *item = &batch->commands[batch->command_count];
    struct rg_bytes *argv = &batch->words[batch->word_count];
    size_t size = 0;
    int argc = rg_request_parse_plain(&conn->parser, input, argv, BATCH_REQUEST_WORDS, &size);

    if (argc < 0)
        return 0;
    *item = (struct batch_command){.argv = argv, .argc = argc, .size = size};
    if (rg_cmd_index_find(node->commands, argv, argc, &item->command) < 0)
        item->command = NULL;
    if (item->command != NULL)
        batch_add_keys(node, conn, item);
    batch->command_count++;
    batch->word_count += (unsigned)argc;
    return size;
}

static bool batch_is_full(const struct rg_batch *batch)
{
    return batch->command_count == BATCH_COMMANDS ||
           batch->word_count > BATCH_WORDS - BATCH_REQUEST_WORDS;
}

static bool batch_takes(const struct rg_conn *conn)
{
    return (conn->kind == RG_CONN_CLIENT || conn->kind == RG_CONN_REPLICA) && !conn->closing &&
           conn->block == RG_BLOCK_NONE;
}

static void batch_gather_conn(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_batch *batch = node->batch;
    struct batch_run *run = &batch->runs[batch->run_count++];
    struct rg_bytes input = conn_input(conn);

    *run = (struct batch_run){.conn = conn};
    while (input.len > 0 && !batch_is_full(batch)) {
        size_t size = batch_add(node, conn, input);
        if (size == 0) {
            run->unplain = true;
            break;
        }
        input = rg_bytes(input.data + size, input.len - size);
        const struct rg_command *last = batch->commands[batch->command_count - 1].command;
        if (last == NULL || !batch_goes_on(last))
            break;
    }
    run->end = batch->command_count;
}

/* Links between nodes, which have parsers of their own. */
static void batch_link_input(struct rg_node *node, struct rg_conn *conn)
{
    conn_keep_input(node, conn);
    lend_end_all(node);
    if (conn->kind == RG_CONN_PEER_IN || conn->kind == RG_CONN_PEER_OUT)
        member_input(node, conn);
    else if (conn->kind == RG_CONN_SENTINEL)
        sentinel_input(node, conn);
    else if (conn->kind == RG_CONN_STREAM && node->follow.conn == conn)
        follow_input(node);
    else if (conn->kind == RG_CONN_MIGRATE)
        migrate_input(node, conn);
}

static void batch_gather(struct rg_node *node)
{
    struct rg_batch *batch = node->batch;

    batch->command_count = batch->run_count = batch->word_count = batch->key_count = 0;
    while (!rg_list_empty(&node->with_input) && !batch_is_full(batch) &&
           batch->run_count < BATCH_COMMANDS) {
        struct rg_conn *conn = RG_CONTAINER_OF(node->with_input.next, struct rg_conn, input_link);
        rg_list_remove(&conn->input_link);
        if (batch_takes(conn))
            batch_gather_conn(node, conn);
        else if (conn->kind == RG_CONN_CLIENT || conn->kind == RG_CONN_REPLICA)
            conn_keep_input(node, conn); /* it waits */
        else if (batch->run_count == 0)
            batch_link_input(node, conn);
        else {
            /* What a link brings may change the store's owner; the batch's hashes come first. */
            conn_wants_input(node, conn);
            return;
        }
    }
}

/* ---- Running ---- */

static bool batch_execute(struct rg_node *node, struct rg_conn *conn,
                          const struct batch_command *item)
{
    bool taken = false;

    if (item->command == NULL) {
        taken = dispatch_client(node, conn, item->argv, item->argc);
    } else {
        if (item->key != NULL)
            rg_store_expect_key(node->store, *item->key, item->hash);
        taken = dispatch_known(node, conn, item->command, item->argv, item->argc);
        rg_store_forget_key(node->store);
    }
    if (taken && !conn->closing)
        conn_consume(conn, item->size);
    return taken;
}

/* What is left of the connection's input is for later, or for the full parser, or for a link. */
static void batch_settle(struct rg_node *node, struct batch_run *run, bool all)
{
    struct rg_conn *conn = run->conn;
    bool more = all;

    if (all && run->unplain && batch_takes(conn) && conn_input(conn).len > 0)
        more = session_step(node, conn);
    if (conn->closing)
        return;
    bool link = conn->kind != RG_CONN_CLIENT && conn->kind != RG_CONN_REPLICA;
    if (conn_input(conn).len > 0 && (link || (more && conn->block == RG_BLOCK_NONE)))
        conn_wants_input(node, conn);
    else
        conn_keep_input(node, conn);
    large_begin(node, conn);
    if (conn_input(conn).len == 0) {
        /* What waits for the rest of a request has memory, and nobody else. */
        room_give(node, &conn->in);
        rg_request_parser_rest(&conn->parser);
    }
}

void batch_run(struct rg_node *node)
{
    struct rg_batch *batch = node->batch;

    while (!rg_list_empty(&node->with_input)) {
        batch_gather(node);
        for (unsigned i = 0; i < batch->key_count; i++)
            rg_db_prefetch_entry(batch->keys[i].db, batch->keys[i].hash);
        node->measured_us = node_measure_us(node);
        dispatch_look(node);
        unsigned at = 0;
        for (unsigned i = 0; i < batch->run_count; i++) {
            struct batch_run *run = &batch->runs[i];
            bool taken = true;
            while (at < run->end && taken && batch_takes(run->conn))
                taken = batch_execute(node, run->conn, &batch->commands[at++]);
            batch_settle(node, run, taken && at == run->end);
            at = run->end;
        }
    }
}

void batch_forget_keys(struct rg_node *node)
{
    for (unsigned i = 0; i < node->batch->command_count; i++)
        node->batch->commands[i].key = NULL;
}

void batch_hold(struct rg_node *node)
{
    RG_LIST_EACH(link, &node->with_input)
    {
        conn_keep_input(node, RG_CONTAINER_OF(link, struct rg_conn, input_link));
    }
}
