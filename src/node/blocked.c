#include "node/blocked.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "node/latency.h"
#include "node/wanted.h"

/*
 * A client that waits for keys hangs in the line of each of them. When one changed, the command is
 * run again for those in its line, first come, first served, with that key in place of all of its
 * keys: Redis serves a client from the key that became ready first, whatever the order in its
 * command.
 */
struct wait_key {
    struct rg_list link; /* in the key's waiters */
    struct wanted_key *key;
    struct rg_conn *conn;
};

struct rg_waiting {
    struct rg_heap_item timer; /* in node->wait_timers, unless it waits for ever */
    const struct rg_command *command;
    unsigned db;
    bool muted;            /* CLIENT REPLY keeps the answer back */
    struct rg_bytes *argv; /* owned; its words lie in `words` */
    int argc;
    struct rg_buf words;
    int first_key;
    int keys;
    struct wait_key *lines; /* owned */
    int line_count;
};

static void blocked_copy_words(struct rg_waiting *waiting, const struct rg_bytes *argv, int argc)
{
    waiting->argv = RG_NEW_ARRAY(struct rg_bytes, (size_t)argc);
    waiting->argc = argc;
    for (int i = 0; i < argc; i++)
        rg_buf_append_bytes(&waiting->words, argv[i]);
    const char *at = rg_buf_view(&waiting->words).data;
    for (int i = 0; i < argc; i++) {
        waiting->argv[i] = rg_bytes(at, argv[i].len);
        at += argv[i].len;
    }
}

/*
 * A key named twice is one line to stand in. Nobody else came since the client began to queue:
 * where it stands already, it is the last.
 */
static bool blocked_stands_in(const struct rg_conn *conn, const struct wanted_key *key)
{
    if (rg_list_empty(&key->waiters))
        return false;
    return RG_CONTAINER_OF(key->waiters.prev, struct wait_key, link)->conn == conn;
}

static void blocked_queue(struct rg_node *node, struct rg_conn *conn, struct rg_waiting *waiting)
{
    waiting->lines = RG_NEW_ARRAY(struct wait_key, (size_t)waiting->keys);
    for (int i = 0; i < waiting->keys; i++) {
        struct wanted_key *key =
            wanted_get(node, waiting->db, waiting->argv[waiting->first_key + i]);
        if (blocked_stands_in(conn, key))
            continue;
        struct wait_key *line = &waiting->lines[waiting->line_count++];
        line->key = key;
        line->conn = conn;
        rg_list_append(&key->waiters, &line->link);
    }
}

void blocked_begin(struct rg_call *call, const struct rg_cmd_wait *wait)
{
    struct rg_node *node = call->node;
    struct rg_conn *conn = call->conn;
    struct rg_waiting *waiting = RG_NEW(struct rg_waiting);

    RG_ASSERT(conn->waiting == NULL && wait->keys > 0 &&
              wait->first_key + wait->keys <= call->argc);
    rg_heap_item_init(&waiting->timer);
    waiting->command = call->command;
    waiting->db = conn->db;
    waiting->muted = call->reply.out != &conn->out;
    waiting->first_key = wait->first_key;
    waiting->keys = wait->keys;
    blocked_copy_words(waiting, call->argv, call->argc);
    blocked_queue(node, conn, waiting);
    conn->waiting = waiting;
    conn->block = RG_BLOCK_KEYS;
    rg_list_append(&node->waiting, &conn->block_link);
    if (wait->timeout_us > 0 && wait->timeout_us < RG_NEVER - node->now.mono_us)
        rg_heap_set(&node->wait_timers, &waiting->timer, node->now.mono_us + wait->timeout_us);
}

void blocked_drop(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_waiting *waiting = conn->waiting;

    if (waiting == NULL)
        return;
    for (int i = 0; i < waiting->line_count; i++) {
        rg_list_remove(&waiting->lines[i].link);
        wanted_release(node, waiting->lines[i].key);
    }
    rg_heap_remove(&node->wait_timers, &waiting->timer);
    rg_free(waiting->lines);
    rg_free(waiting->argv);
    rg_buf_fini(&waiting->words);
    rg_free(waiting);
    conn->waiting = NULL;
}

int64_t blocked_until(const struct rg_conn *conn)
{
    const struct rg_waiting *waiting = conn->waiting;

    return waiting != NULL && rg_heap_item_in(&waiting->timer) ? waiting->timer.key : RG_NEVER;
}

size_t blocked_memory(const struct rg_conn *conn)
{
    const struct rg_waiting *waiting = conn->waiting;

    if (waiting == NULL)
        return 0;
    return sizeof(*waiting) + waiting->words.cap + (size_t)waiting->argc * sizeof(*waiting->argv) +
           (size_t)waiting->keys * sizeof(*waiting->lines);
}

void blocked_ready(struct rg_node *node, struct wanted_key *key)
{
    if (!rg_list_empty(&key->waiters) && rg_list_empty(&key->ready))
        rg_list_append(&node->ready_keys, &key->ready);
}

/* Runs the client's command again; true where it is answered now. */
static bool blocked_try(struct rg_node *node, struct rg_conn *conn, const struct wanted_key *key)
{
    struct rg_waiting *waiting = conn->waiting;
    struct rg_bytes name = wanted_name(key);
    struct rg_call call = {
        .node = node,
        .conn = conn,
        .reply = conn_reply(conn),
        .command = waiting->command,
        .argc = waiting->argc,
        .resumed = true,
    };
    struct rg_bytes *argv = RG_NEW_ARRAY(struct rg_bytes, (size_t)waiting->argc);

    for (int i = 0; i < waiting->argc; i++) {
        bool is_key = i >= waiting->first_key && i < waiting->first_key + waiting->keys;
        argv[i] = is_key ? name : waiting->argv[i];
    }
    call.argv = argv;
    if (waiting->muted) {
        rg_buf_reset(&node->muted, 64 * 1024);
        call.reply.out = &node->muted;
    }
    bool served = dispatch_resume(&call);
    rg_free(argv);
    return served;
}

static void blocked_serve_key(struct rg_node *node, struct wanted_key *key)
{
    RG_LIST_EACH(link, &key->waiters)
    {
        struct wait_key *line = RG_CONTAINER_OF(link, struct wait_key, link);
        /* Who stands behind the last element keeps standing. */
        if (wanted_entry(node, key) == NULL)
            return;
        if (!blocked_try(node, line->conn, key))
            continue;
        struct rg_conn *conn = line->conn;
        bool last = link_next == &key->waiters;
        conn_unblock(node, conn); /* the last one takes the key along */
        conn_wants_output(node, conn);
        if (last)
            return;
    }
}

void blocked_serve(struct rg_node *node)
{
    if (rg_list_empty(&node->ready_keys))
        return;
    node->measured_us = node_measure_us(node);
    /* Serving one key may make another ready: BLMOVE. It comes behind those that are. */
    while (!rg_list_empty(&node->ready_keys)) {
        struct rg_list *first = node->ready_keys.next;
        rg_list_remove(first);
        blocked_serve_key(node, RG_CONTAINER_OF(first, struct wanted_key, ready));
    }
}

void blocked_release(struct rg_node *node, struct rg_conn *conn, const char *error)
{
    struct rg_waiting *waiting = conn->waiting;
    struct rg_reply reply = conn_reply(conn);
    size_t mark = rg_buf_len(&conn->out);

    RG_ASSERT(conn->block == RG_BLOCK_KEYS && waiting != NULL);
    node->stats.per_command[waiting->command->id].calls++;
    if (!waiting->muted) {
        if (error != NULL)
            rg_reply_error(&reply, error);
        else
            rg_reply_null_array(&reply);
    }
    if (error != NULL)
        error_stats_note(&node->stats.errors, rg_bytes_str(error), 1);
    /* That nothing came is something it has seen. */
    gate_reply(node, conn, mark, false);
    conn_unblock(node, conn);
    conn_wants_output(node, conn);
}

void blocked_time(struct rg_node *node)
{
    struct rg_heap_item *first = NULL;

    while ((first = rg_heap_min(&node->wait_timers)) != NULL && first->key <= node->now.mono_us) {
        const struct rg_waiting *late = RG_CONTAINER_OF(first, struct rg_waiting, timer);
        blocked_release(node, late->lines[0].conn, NULL);
    }
}

int64_t blocked_deadline(const struct rg_node *node)
{
    const struct rg_heap_item *first = rg_heap_min(&node->wait_timers);

    return first != NULL ? first->key : RG_NEVER;
}
