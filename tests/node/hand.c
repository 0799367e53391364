#include "tests/node/hand.h"

#include <stdio.h>
#include <string.h>

#include "base/panic.h"
#include "tests/harness.h"

/* A file of the disk, made where it is not there yet and asked for. */
static struct hand_file *hand_find_file(struct hand *hand, const char *name, bool make)
{
    struct hand_file *room = NULL;

    for (int i = 0; i < HAND_MAX_FILES; i++) {
        struct hand_file *file = &hand->disk[i];
        if (strcmp(file->name, name) == 0)
            return file;
        if (file->name[0] == '\0' && room == NULL)
            room = file;
    }
    if (!make)
        return NULL;
    RG_CHECK(room != NULL);
    (void)snprintf(room->name, sizeof(room->name), "%s", name);
    return room;
}

/* The log on disk, where there is one; false: the node begins with its RDB. */
static bool hand_load_log(struct hand *hand)
{
    struct hand_file *file = hand_find_file(hand, "appendonlydir/appendonly.aof.manifest", false);
    char path[64];

    if (file == NULL)
        return false;
    RG_CHECK_INT(rg_node_load_manifest(hand->node, rg_buf_view(&file->bytes)), 0);
    if (!rg_node_config(hand->node)->appendonly ||
        !rg_node_load_log_file(hand->node, 0, path, sizeof(path)))
        return false;
    rg_node_load_log_begin(hand->node, 0, hand->now);
    for (unsigned i = 0; rg_node_load_log_file(hand->node, i, path, sizeof(path)); i++) {
        file = hand_find_file(hand, path, false);
        RG_CHECK(file != NULL);
        int result = rg_node_load_log(hand->node, rg_buf_view(&file->bytes));
        if (result == 0)
            result = rg_node_load_log(hand->node, rg_bytes("", 0));
        if (result < 0)
            rg_test_fail(__FILE__, __LINE__, "%s: %s", path, rg_node_load_error(hand->node));
    }
    return true;
}

static void hand_load(struct hand *hand, const struct hand *before)
{
    for (int i = 0; before != NULL && i < HAND_MAX_FILES; i++) {
        const struct hand_file *file = &before->disk[i];
        struct rg_bytes bytes = rg_buf_view(&file->bytes);
        if (file->name[0] == '\0')
            continue;
        rg_buf_append_bytes(&hand_find_file(hand, file->name, true)->bytes, bytes);
        if (strcmp(file->name, RG_NODE_STATE_FILE) == 0)
            RG_CHECK_INT(rg_node_load_state(hand->node, bytes), 0);
    }
    bool log = hand_load_log(hand);
    for (int i = 0; before != NULL && i < HAND_MAX_FILES && !log; i++) {
        const struct hand_file *file = &before->disk[i];
        struct rg_bytes bytes = rg_buf_view(&file->bytes);
        if (strcmp(file->name, "dump.rdb") == 0) {
            RG_CHECK_INT(rg_node_load_rdb(hand->node, bytes), 0);
            RG_CHECK_INT(rg_node_load_rdb(hand->node, rg_bytes("", 0)), 0);
        }
    }
}

void hand_start_again(struct hand *hand, const char *config_text, const char *self,
                      const struct hand *before)
{
    struct rg_config *config = rg_config_new();
    struct rg_buf error = {0};
    struct rg_buf text = {0};

    memset(hand, 0, sizeof(*hand));
    hand->now = (struct rg_time){.mono_us = 1000 * RG_S_US, .wall_us = 1700000000 * RG_S_US};
    rg_buf_printf(&text, "save ''\nrepl-diskless-sync-delay 0\n%s\n", config_text);
    if (rg_config_read(config, "test", rg_buf_view(&text), NULL, NULL, &error) < 0)
        rg_test_fail(__FILE__, __LINE__, "%.*s", (int)rg_buf_len(&error), error.data);
    rg_buf_fini(&text);
    rg_buf_fini(&error);
    struct rg_node_init init = {
        .config = config, .seed = 7, .now = hand->now, .pid = 1, .self_member = self};
    hand->node = rg_node_new(&init);
    hand_load(hand, before);
    rg_node_start(hand->node, hand->now);
    hand_run(hand);
}

void hand_start(struct hand *hand, const char *config_text, const char *self)
{
    hand_start_again(hand, config_text, self, NULL);
}

void hand_end(struct hand *hand)
{
    rg_node_free(hand->node);
    for (int i = 0; i < hand->conn_count; i++)
        rg_buf_fini(&hand->conns[i].sent);
    for (int i = 0; i < hand->held_count; i++)
        rg_buf_fini(&hand->held[i].bytes);
    for (int i = 0; i < HAND_MAX_FILES; i++)
        rg_buf_fini(&hand->disk[i].bytes);
    rg_buf_fini(&hand->log);
    rg_buf_fini(&hand->files);
}

const char *hand_file_text(const struct hand *hand, const char *name)
{
    static char text[1 << 16];

    text[0] = '\0';
    for (int i = 0; i < HAND_MAX_FILES; i++) {
        struct rg_bytes bytes = rg_buf_view(&hand->disk[i].bytes);
        if (strcmp(hand->disk[i].name, name) == 0)
            (void)snprintf(text, sizeof(text), "%.*s", (int)bytes.len, bytes.data);
    }
    return text;
}

static struct hand_conn *hand_add(struct hand *hand)
{
    RG_CHECK(hand->conn_count < HAND_MAX_CONNS);
    return &hand->conns[hand->conn_count++];
}

static const struct rg_conn_info hand_info = {
    .origin = RG_CONN_TCP,
    .peer_host = "127.0.0.1",
    .peer_port = 5000,
    .local_host = "127.0.0.1",
    .local_port = 6379,
    .fd = -1,
    .loopback = true,
};

int hand_client(struct hand *hand)
{
    const char *refusal = NULL;
    struct hand_conn *it = hand_add(hand);

    it->conn = rg_node_accepted(hand->node, &hand_info, hand->now, &refusal);
    RG_CHECK(it->conn != NULL);
    rg_conn_set_host(it->conn, it);
    return (int)(it - hand->conns);
}

static void hand_file(struct hand *hand, const struct rg_effect *effect, const char *verb)
{
    rg_buf_printf(&hand->files, "%s %s%s%s\n", verb, effect->name, effect->new_name ? " " : "",
                  effect->new_name ? effect->new_name : "");
    RG_CHECK(hand->held_count < HAND_MAX_HELD);
    struct hand_op *op = &hand->held[hand->held_count++];
    *op = (struct hand_op){.token = effect->token,
                           .type = effect->type,
                           .position = effect->position,
                           .length = effect->length};
    (void)snprintf(op->name, sizeof(op->name), "%s", effect->name);
    (void)snprintf(op->new_name, sizeof(op->new_name), "%s",
                   effect->new_name ? effect->new_name : "");
    rg_buf_append_bytes(&op->bytes, effect->bytes);
}

static void hand_effect(struct hand *hand, const struct rg_effect *effect)
{
    struct hand_conn *it = NULL;

    switch (effect->type) {
    case RG_EFFECT_CONNECT:
        it = hand_add(hand);
        it->conn = effect->conn;
        it->dialled = true;
        it->port = effect->port;
        (void)snprintf(it->host, sizeof(it->host), "%s", effect->host);
        rg_conn_set_host(effect->conn, it);
        break;
    case RG_EFFECT_CLOSE:
        it = rg_conn_host(effect->conn);
        it->closed = true;
        break;
    case RG_EFFECT_FILE_REPLACE:
        hand_file(hand, effect, "REPLACE");
        break;
    case RG_EFFECT_FILE_CREATE:
        hand_file(hand, effect, "CREATE");
        break;
    case RG_EFFECT_FILE_APPEND:
        hand_file(hand, effect, "APPEND");
        break;
    case RG_EFFECT_FILE_RENAME:
        hand_file(hand, effect, "RENAME");
        break;
    case RG_EFFECT_FILE_REMOVE:
        hand_file(hand, effect, "REMOVE");
        break;
    case RG_EFFECT_FILE_FOLDER:
        hand_file(hand, effect, "FOLDER");
        break;
    case RG_EFFECT_FILE_READ:
        hand_file(hand, effect, "READ");
        break;
    case RG_EFFECT_LOG_APPEND:
        hand_file(hand, effect, "LOG");
        break;
    case RG_EFFECT_LOG_SYNC:
        hand_file(hand, effect, "SYNC");
        break;
    case RG_EFFECT_LOG_CUT:
        hand_file(hand, effect, "CUT");
        break;
    case RG_EFFECT_SCRIPT:
    case RG_EFFECT_SCRIPT_KILL:
        break;
    case RG_EFFECT_LOG:
        rg_buf_append_bytes(&hand->log, effect->bytes);
        rg_buf_append_char(&hand->log, '\n');
        break;
    case RG_EFFECT_SLEEP:
        hand->slept_us += effect->sleep_us;
        break;
    case RG_EFFECT_PURGE:
    case RG_EFFECT_CONFIG:
        break;
    case RG_EFFECT_EXIT:
        hand->exited = true;
        break;
    }
}

static void hand_effects(struct hand *hand)
{
    struct rg_effect effect;

    while (rg_node_next_effect(hand->node, &effect))
        hand_effect(hand, &effect);
}

static void hand_outputs(struct hand *hand)
{
    struct rg_bytes runs[8];

    for (struct rg_conn *conn = rg_node_next_output(hand->node); conn != NULL;
         conn = rg_node_next_output(hand->node)) {
        struct hand_conn *it = rg_conn_host(conn);
        size_t taken = 0;
        unsigned n = rg_node_output(hand->node, conn, runs, 8);
        for (unsigned i = 0; i < n; i++) {
            rg_buf_append_bytes(&it->sent, runs[i]);
            taken += runs[i].len;
        }
        rg_node_sent(hand->node, conn, taken, hand->now);
    }
}

/* Output goes out before a drained connection closes. */
static void hand_closes(struct hand *hand)
{
    for (int i = 0; i < hand->conn_count; i++) {
        struct hand_conn *it = &hand->conns[i];
        if (!it->closed || it->conn == NULL)
            continue;
        rg_node_closed(hand->node, it->conn, RG_CLOSE_ASKED, hand->now);
        it->conn = NULL;
    }
}

/* The log's file is appended to, synced and cut in place. */
static bool hand_to_log(struct hand *hand, const struct hand_op *op)
{
    if (op->type == RG_EFFECT_FILE_FOLDER || op->type == RG_EFFECT_LOG_SYNC)
        return true;
    if (op->type != RG_EFFECT_LOG_APPEND && op->type != RG_EFFECT_LOG_CUT)
        return false;
    struct hand_file *file = hand_find_file(hand, op->name, false);
    RG_CHECK(file != NULL);
    if (op->type == RG_EFFECT_LOG_APPEND)
        rg_buf_append_bytes(&file->bytes, rg_buf_view(&op->bytes));
    else
        rg_buf_truncate(&file->bytes, op->position);
    return true;
}

static void hand_to_disk(struct hand *hand, struct hand_op *op)
{
    if (hand_to_log(hand, op))
        return;
    struct hand_file *file = hand_find_file(hand, op->name, op->type != RG_EFFECT_FILE_REMOVE);

    if (file == NULL)
        return;
    if (op->type != RG_EFFECT_FILE_APPEND && op->type != RG_EFFECT_FILE_RENAME)
        rg_buf_reset(&file->bytes, SIZE_MAX);
    rg_buf_append_bytes(&file->bytes, rg_buf_view(&op->bytes));
    if (op->type == RG_EFFECT_FILE_RENAME) {
        struct hand_file *to = hand_find_file(hand, op->new_name, true);
        rg_buf_fini(&to->bytes);
        to->bytes = file->bytes;
        file->bytes = (struct rg_buf){0};
        file->name[0] = '\0';
    } else if (op->type == RG_EFFECT_FILE_REMOVE) {
        file->name[0] = '\0';
    }
}

static void hand_read(struct hand *hand, const struct hand_op *op)
{
    const struct hand_file *file = hand_find_file(hand, op->name, false);
    struct rg_bytes bytes = file != NULL ? rg_buf_view(&file->bytes) : rg_bytes("", 0);
    int result = file != NULL ? hand->file_result : RG_EIO;
    size_t at = op->position < bytes.len ? (size_t)op->position : bytes.len;
    size_t n = bytes.len - at < op->length ? bytes.len - at : op->length;

    rg_node_file_read(hand->node, op->token, result,
                      result < 0 ? rg_bytes("", 0) : rg_bytes(bytes.data + at, n), bytes.len,
                      hand->now);
}

void hand_release_one(struct hand *hand)
{
    if (hand->held_count == 0)
        return;
    struct hand_op op = hand->held[0];
    hand->held_count--;
    memmove(hand->held, hand->held + 1, sizeof(hand->held[0]) * (size_t)hand->held_count);
    if (op.type == RG_EFFECT_FILE_READ) {
        hand_read(hand, &op);
        return;
    }
    if (hand->file_result == 0)
        hand_to_disk(hand, &op);
    rg_buf_fini(&op.bytes);
    rg_node_file_done(hand->node, op.token, hand->file_result, hand->now);
}

void hand_release(struct hand *hand)
{
    while (hand->held_count > 0)
        hand_release_one(hand);
}

void hand_run(struct hand *hand)
{
    for (int turn = 0; turn < 4; turn++) {
        rg_node_run(hand->node, hand->now);
        hand_effects(hand);
        hand_outputs(hand);
        hand_closes(hand);
        if (!hand->hold_files)
            hand_release(hand);
        hand_effects(hand);
    }
}

void hand_send(struct hand *hand, int client, const char *text)
{
    RG_CHECK(hand->conns[client].conn != NULL);
    rg_node_received(hand->node, hand->conns[client].conn, rg_bytes_str(text), hand->now);
    hand_run(hand);
}

const char *hand_take(struct hand *hand, int client)
{
    static char text[1 << 16];
    struct rg_buf *sent = &hand->conns[client].sent;

    RG_CHECK(rg_buf_len(sent) < sizeof(text));
    memcpy(text, rg_buf_view(sent).data ? rg_buf_view(sent).data : "", rg_buf_len(sent));
    text[rg_buf_len(sent)] = '\0';
    rg_buf_consume(sent, rg_buf_len(sent));
    return text;
}

const char *hand_ask(struct hand *hand, int client, const char *text)
{
    hand_send(hand, client, text);
    return hand_take(hand, client);
}

void hand_advance_ms(struct hand *hand, int64_t ms)
{
    hand->now.mono_us += ms * RG_MS_US;
    hand->now.wall_us += ms * RG_MS_US;
    hand_run(hand);
}

int hand_dialled(const struct hand *hand)
{
    for (int i = 0; i < hand->conn_count; i++) {
        if (hand->conns[i].dialled && hand->conns[i].conn != NULL)
            return i;
    }
    return -1;
}

void hand_connect(struct hand *hand, int conn)
{
    hand->conns[conn].dialled = false;
    rg_node_connected(hand->node, hand->conns[conn].conn, &hand_info, hand->now);
    hand_run(hand);
}

void hand_close(struct hand *hand, int conn, enum rg_close_reason reason)
{
    rg_node_closed(hand->node, hand->conns[conn].conn, reason, hand->now);
    hand->conns[conn].conn = NULL;
    hand->conns[conn].closed = true;
    hand_run(hand);
}

bool hand_logged(const struct hand *hand, const char *part)
{
    struct rg_bytes log = rg_buf_view(&hand->log);

    return memmem(log.data, log.len, part, strlen(part)) != NULL;
}

uint64_t hand_log_end(const struct hand *hand)
{
    struct rg_node_view view;

    rg_node_view(hand->node, hand->now, &view);
    return view.log_end;
}
