#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/panic.h"
#include "node/node.h"

/*
 * A node that does little, in the place of the real one, so that the host can be tested by itself.
 * It takes one word at a time from a client and answers:
 *   quit    "bye", then a drained close        kill   a close at once
 *   big     8 MB of 'b', then a newline        exit   "exit", then the end of the process with 7
 *   dial P  connects to 127.0.0.1:P; "up" or "down N" with the reason
 *   save T  replaces the file "saved" by T; "saved N" with the result
 *   other   the same bytes
 */
struct rg_conn {
    struct rg_list link;        /* of all */
    struct rg_list output_link; /* of those to be named */
    struct rg_buf out;
    struct rg_conn *for_client; /* dialled on its behalf; NULL: a client */
    void *host;
};

struct echo_effect {
    struct rg_list link;
    struct rg_effect effect;
    struct rg_buf bytes;
};

struct rg_node {
    struct rg_config *config;
    struct rg_list conns;
    struct rg_list outputs;
    struct rg_list effects;
    struct echo_effect *pulled;
    struct rg_conn *saver;
    int clients;
};

struct rg_node *rg_node_new(const struct rg_node_init *init)
{
    struct rg_node *node = RG_NEW(struct rg_node);

    node->config = init->config;
    rg_list_init(&node->conns);
    rg_list_init(&node->outputs);
    rg_list_init(&node->effects);
    return node;
}

static void echo_conn_free(struct rg_conn *conn)
{
    rg_list_remove(&conn->link);
    rg_list_remove(&conn->output_link);
    rg_buf_fini(&conn->out);
    rg_free(conn);
}

static void echo_effect_free(struct echo_effect *item)
{
    if (item != NULL)
        rg_buf_fini(&item->bytes);
    rg_free(item);
}

void rg_node_free(struct rg_node *node)
{
    if (node == NULL)
        return;
    RG_LIST_EACH(it, &node->conns)
    {
        echo_conn_free(RG_CONTAINER_OF(it, struct rg_conn, link));
    }
    RG_LIST_EACH(it, &node->effects)
    {
        echo_effect_free(RG_CONTAINER_OF(it, struct echo_effect, link));
    }
    echo_effect_free(node->pulled);
    rg_config_free(node->config);
    rg_free(node);
}

int rg_node_load_state(struct rg_node *node, struct rg_bytes text)
{
    return rg_bytes_is(text, "good") ? 0 : RG_ECORRUPT;
}

int rg_node_load_rdb(struct rg_node *node, struct rg_bytes piece)
{
    return piece.len > 0 && piece.data[0] == 'X' ? RG_ECORRUPT : 0;
}

void rg_node_load_begin(struct rg_node *node, uint64_t size_bytes, struct rg_time now)
{
}

int rg_node_load_manifest(struct rg_node *node, struct rg_bytes text)
{
    return rg_bytes_is(text, "good") ? 0 : RG_ECORRUPT;
}

void rg_node_load_log_begin(struct rg_node *node, uint64_t size_bytes, struct rg_time now)
{
}

bool rg_node_load_log_file(const struct rg_node *node, unsigned index, char *ret_path, size_t size)
{
    return false;
}

int rg_node_load_log(struct rg_node *node, struct rg_bytes piece)
{
    return 0;
}

bool rg_node_is_temporary(const char *name, int64_t *ret_pid)
{
    return false;
}

const char *rg_node_load_error(const struct rg_node *node)
{
    return "it is not what it should be";
}

void rg_node_start(struct rg_node *node, struct rg_time now)
{
}

static struct rg_conn *echo_conn_new(struct rg_node *node)
{
    struct rg_conn *conn = RG_NEW(struct rg_conn);

    rg_list_append(&node->conns, &conn->link);
    rg_list_init(&conn->output_link);
    return conn;
}

static struct echo_effect *echo_effect(struct rg_node *node, enum rg_effect_type type)
{
    struct echo_effect *item = RG_NEW(struct echo_effect);

    item->effect.type = type;
    rg_list_append(&node->effects, &item->link);
    return item;
}

static void echo_say(struct rg_node *node, struct rg_conn *conn, struct rg_bytes bytes)
{
    rg_buf_append_bytes(&conn->out, bytes);
    if (rg_list_empty(&conn->output_link))
        rg_list_append(&node->outputs, &conn->output_link);
}

struct rg_conn *rg_node_accepted(struct rg_node *node, const struct rg_conn_info *info,
                                 struct rg_time now, const char **ret_refusal)
{
    if (node->clients >= node->config->maxclients) {
        *ret_refusal = "-ERR max number of clients reached\r\n";
        return NULL;
    }
    node->clients++;
    return echo_conn_new(node);
}

static void echo_dial(struct rg_node *node, struct rg_conn *client, const char *word)
{
    struct echo_effect *item = echo_effect(node, RG_EFFECT_CONNECT);

    item->effect.conn = echo_conn_new(node);
    item->effect.conn->for_client = client;
    item->effect.host = strchr(word, '.') != NULL ? "localhost" : "127.0.0.1";
    item->effect.port = (uint16_t)strtol(word, NULL, 10);
}

size_t rg_node_room(struct rg_node *node, struct rg_conn *conn, char **ret_room)
{
    (void)node;
    (void)conn;
    (void)ret_room;
    return 0;
}

void rg_node_received(struct rg_node *node, struct rg_conn *conn, struct rg_bytes bytes,
                      struct rg_time now)
{
    char word[64];

    (void)snprintf(word, sizeof(word), "%.*s", (int)bytes.len, bytes.data);
    if (strcmp(word, "quit") == 0) {
        echo_say(node, conn, RG_BYTES("bye"));
        struct echo_effect *item = echo_effect(node, RG_EFFECT_CLOSE);
        item->effect.conn = conn;
        item->effect.drain = true;
    } else if (strcmp(word, "kill") == 0) {
        echo_effect(node, RG_EFFECT_CLOSE)->effect.conn = conn;
    } else if (strcmp(word, "big") == 0) {
        for (int i = 0; i < 8 << 20; i++)
            rg_buf_append_char(&conn->out, 'b');
        echo_say(node, conn, RG_BYTES("\n"));
    } else if (strcmp(word, "exit") == 0) {
        echo_say(node, conn, RG_BYTES("exit"));
        echo_effect(node, RG_EFFECT_EXIT)->effect.status = 7;
    } else if (strncmp(word, "dial ", 5) == 0) {
        echo_dial(node, conn, word + 5);
    } else if (strncmp(word, "save ", 5) == 0) {
        struct echo_effect *item = echo_effect(node, RG_EFFECT_FILE_REPLACE);
        rg_buf_append_str(&item->bytes, word + 5);
        item->effect.name = "saved";
        item->effect.bytes = rg_buf_view(&item->bytes);
        node->saver = conn;
    } else {
        echo_say(node, conn, bytes);
    }
}

void rg_node_connected(struct rg_node *node, struct rg_conn *conn, const struct rg_conn_info *info,
                       struct rg_time now)
{
    echo_say(node, conn->for_client, RG_BYTES("up"));
    echo_effect(node, RG_EFFECT_CLOSE)->effect.conn = conn;
}

void rg_node_closed(struct rg_node *node, struct rg_conn *conn, enum rg_close_reason reason,
                    struct rg_time now)
{
    char text[16];

    if (conn->for_client == NULL)
        node->clients--;
    else if (reason != RG_CLOSE_ASKED)
        echo_say(node, conn->for_client,
                 rg_bytes(text, (size_t)snprintf(text, sizeof(text), "down %d", reason)));
    echo_conn_free(conn);
}

void rg_node_script_ended(struct rg_node *node, uint64_t token, int status, int signal,
                          struct rg_time now)
{
    (void)node;
    (void)token;
    (void)status;
    (void)signal;
    (void)now;
}

int rg_node_check_sentinel(const struct rg_config *config, struct rg_buf *ret_error)
{
    (void)config;
    (void)ret_error;
    return 0;
}

void rg_node_file_read(struct rg_node *node, uint64_t token, int result, struct rg_bytes bytes,
                       uint64_t size, struct rg_time now)
{
    RG_UNREACHABLE(); /* it reads nothing */
}

void rg_node_file_done(struct rg_node *node, uint64_t token, int result, struct rg_time now)
{
    echo_say(node, node->saver, result == 0 ? RG_BYTES("saved 0") : RG_BYTES("saved -"));
}

void rg_node_stop(struct rg_node *node, bool interrupted, struct rg_time now)
{
    echo_effect(node, RG_EFFECT_EXIT)->effect.status = 0;
}

void rg_node_set_facts(struct rg_node *node, const struct rg_node_facts *facts)
{
    RG_ASSERT(facts->used_memory_rss > 0 && facts->total_system_memory > 0);
}

void rg_node_run(struct rg_node *node, struct rg_time now)
{
}

bool rg_node_next_effect(struct rg_node *node, struct rg_effect *ret_effect)
{
    echo_effect_free(node->pulled);
    node->pulled = NULL;
    if (rg_list_empty(&node->effects))
        return false;
    struct rg_list *first = node->effects.next;
    rg_list_remove(first);
    node->pulled = RG_CONTAINER_OF(first, struct echo_effect, link);
    *ret_effect = node->pulled->effect;
    return true;
}

struct rg_conn *rg_node_next_output(struct rg_node *node)
{
    if (rg_list_empty(&node->outputs))
        return NULL;
    struct rg_conn *conn = RG_CONTAINER_OF(node->outputs.next, struct rg_conn, output_link);
    rg_list_remove(&conn->output_link);
    return conn;
}

unsigned rg_node_output(struct rg_node *node, struct rg_conn *conn, struct rg_bytes *ret_runs,
                        unsigned max)
{
    *ret_runs = rg_buf_view(&conn->out);
    return ret_runs->len > 0;
}

void rg_node_sent(struct rg_node *node, struct rg_conn *conn, size_t n, struct rg_time now)
{
    rg_buf_consume(&conn->out, n);
    if (n > 0 && rg_buf_len(&conn->out) > 0)
        rg_list_append(&node->outputs, &conn->output_link);
}

void rg_node_writable(struct rg_node *node, struct rg_conn *conn)
{
    if (rg_buf_len(&conn->out) > 0 && rg_list_empty(&conn->output_link))
        rg_list_append(&node->outputs, &conn->output_link);
}

int64_t rg_node_deadline(const struct rg_node *node)
{
    return RG_NEVER;
}

void rg_conn_set_host(struct rg_conn *conn, void *host)
{
    conn->host = host;
}

void *rg_conn_host(const struct rg_conn *conn)
{
    return conn->host;
}

const struct rg_config *rg_node_config(const struct rg_node *node)
{
    return node->config;
}

void rg_node_view(const struct rg_node *node, struct rg_time now, struct rg_node_view *ret_view)
{
    *ret_view = (struct rg_node_view){.primary = true, .replid = ""};
}
