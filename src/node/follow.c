#include <stdio.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/panic.h"
#include "node/aof.h"
#include "node/failover.h"
#include "node/own_keys.h"
#include "node/transfer.h"

/*
 * The replica's side of replication: dial, introduce oneself, PSYNC, the RDB where one is needed,
 * then the stream of commands, acknowledged. The states are drawn in node_impl.h.
 */

enum {
    FOLLOW_REDIAL_US = 1000000,
    FOLLOW_REDIAL_GROUP_US = 100000,
    FOLLOW_NEWS_US = 100000, /* between acknowledgements that nobody asked for */
    FOLLOW_MAX_LINE = 1024,
};

/* The introduction: all requests go out at once, and the answers come in this order. PSYNC follows
 * the last answer: Redis refuses it while it still owes replies. */
enum follow_step {
    FOLLOW_STEP_PING,
    FOLLOW_STEP_AUTH,
    FOLLOW_STEP_PORT,
    FOLLOW_STEP_IP,
    FOLLOW_STEP_CAPA,
    FOLLOW_STEP_MEMBER,
    FOLLOW_STEP_DONE,
};

bool follow_link_up(const struct rg_node *node)
{
    return node->follow.active && node->follow.state == RG_FOLLOW_STREAM;
}

static bool follow_plain(const struct rg_node *node)
{
    return node->follow.member < 0;
}

static void follow_state(struct rg_node *node, enum rg_follow_state state)
{
    struct rg_follow *follow = &node->follow;

    if (follow->state == RG_FOLLOW_STREAM && state != RG_FOLLOW_STREAM)
        follow->down_since_us = node->now.mono_us;
    follow->state = state;
    follow->last_io_us = node->now.mono_us;
    if (state == RG_FOLLOW_STREAM) {
        follow->ever_up = true;
        follow->down_since_us = 0;
    }
}

static void follow_dial(struct rg_node *node)
{
    struct rg_follow *follow = &node->follow;

    RG_ASSERT(follow->conn == NULL && follow->active);
    node_say(node, RG_LOG_NOTICE, "Connecting to MASTER %s:%u", follow->host, follow->port);
    follow->conn = conn_dial(node, RG_CONN_STREAM, follow->host, follow->port);
    follow_state(node, RG_FOLLOW_CONNECTING);
}

/* Forgets the connection (closing it where it is still there), keeps what is known of the log. */
void follow_drop(struct rg_node *node)
{
    struct rg_follow *follow = &node->follow;

    if (follow->conn != NULL)
        conn_close(node, follow->conn, false);
    follow->conn = NULL;
    follow->transaction = 0;
    transfer_free(node, follow->transfer);
    follow->transfer = NULL;
    follow_state(node, RG_FOLLOW_IDLE);
    follow->redial_us =
        node->now.mono_us + (follow_plain(node) ? FOLLOW_REDIAL_US : FOLLOW_REDIAL_GROUP_US);
}

void follow_start(struct rg_node *node, const char *host, uint16_t port, int member, uint64_t term)
{
    struct rg_follow *follow = &node->follow;
    char *copy = rg_alloc_copy(host, strlen(host)); /* host may be the one that is freed */

    follow_stop(node);
    follow->host = copy;
    follow->port = port;
    follow->member = member;
    follow->term = term;
    follow->active = true;
    follow->ever_up = false;
    follow->load_failures = 0;
    follow->acked = follow->synced = 0;
    follow->down_since_us = node->now.mono_us;
    follow->redial_us = node->now.mono_us;
    follow_dial(node);
}

void follow_stop(struct rg_node *node)
{
    struct rg_follow *follow = &node->follow;

    if (!follow->active)
        return;
    follow_drop(node);
    follow->active = false;
    rg_free(follow->host);
    follow->host = NULL;
}

void follow_failed(struct rg_node *node, const char *why)
{
    node_say(node, RG_LOG_WARNING, "Replication from %s:%u stopped: %s", node->follow.host,
             node->follow.port, why);
    follow_drop(node);
}

void follow_run(struct rg_node *node)
{
    struct rg_follow *follow = &node->follow;

    if (follow->active && follow->conn == NULL && follow->redial_us <= node->now.mono_us)
        follow_dial(node);
    follow_ack(node);
}

int64_t follow_deadline(const struct rg_node *node)
{
    const struct rg_follow *follow = &node->follow;

    return follow->active && follow->conn == NULL ? follow->redial_us : RG_NEVER;
}

/* ---- Introduction ---- */

static void follow_psync(struct rg_node *node)
{
    struct rg_buf *out = &node->follow.conn->out;
    char offset[32];

    if (failover_turning(node)) {
        (void)snprintf(offset, sizeof(offset), "%llu", (unsigned long long)node_log_end(node) + 1);
        rg_request_write_strs(out, "PSYNC", feed_replid(node), offset, "FAILOVER", NULL);
        node_say(node, RG_LOG_NOTICE, "Initiating coordinated failover PSYNC %s:%s to new master.",
                 feed_replid(node), offset);
        return;
    }
    /* A log that nobody ever wrote has nothing to resume from. */
    if (node->follow.want_full || !node->log_active || node->history.count == 0 ||
        (node_log_end(node) == 0 && node->members.group != NULL)) {
        rg_request_write_strs(out, "PSYNC", "?", "-1", NULL);
        return;
    }
    const struct rg_history_term *at = rg_history_at(&node->history, node_log_end(node));
    (void)snprintf(offset, sizeof(offset), "%llu", (unsigned long long)node_log_end(node) + 1);
    rg_request_write_strs(out, "PSYNC", at ? at->replid : feed_replid(node), offset, NULL);
    node_say(node, RG_LOG_NOTICE, "Trying a partial resynchronization (request %s:%s).",
             at ? at->replid : feed_replid(node), offset);
}

void follow_connected(struct rg_node *node)
{
    struct rg_follow *follow = &node->follow;
    const struct rg_config *config = node->config;
    struct rg_buf *out = &follow->conn->out;
    char text[64];
    int64_t port = config->replica_announce_port ? config->replica_announce_port : config->port;

    rg_request_write_strs(out, "PING", NULL);
    if (config->masterauth[0] != '\0') {
        if (config->masteruser[0] != '\0')
            rg_request_write_strs(out, "AUTH", config->masteruser, config->masterauth, NULL);
        else
            rg_request_write_strs(out, "AUTH", config->masterauth, NULL);
    }
    (void)snprintf(text, sizeof(text), "%lld", (long long)port);
    rg_request_write_strs(out, "REPLCONF", "listening-port", text, NULL);
    if (config->replica_announce_ip[0] != '\0')
        rg_request_write_strs(out, "REPLCONF", "ip-address", config->replica_announce_ip, NULL);
    rg_request_write_strs(out, "REPLCONF", "capa", "eof", "capa", "psync2", NULL);
    if (!follow_plain(node)) {
        (void)snprintf(text, sizeof(text), "%u:%llu", node->members.self,
                       (unsigned long long)follow->term);
        rg_request_write_strs(out, "REPLCONF", "group-member", text, NULL);
    }
    conn_wants_output(node, follow->conn);
    follow->step = FOLLOW_STEP_PING;
    follow_state(node, RG_FOLLOW_HANDSHAKE);
}

static bool follow_step_sent(const struct rg_node *node, unsigned step)
{
    switch (step) {
    case FOLLOW_STEP_AUTH:
        return node->config->masterauth[0] != '\0';
    case FOLLOW_STEP_IP:
        return node->config->replica_announce_ip[0] != '\0';
    case FOLLOW_STEP_MEMBER:
        return !follow_plain(node);
    default:
        return true;
    }
}

/* The answer to one request of the introduction. False: the link was dropped. */
static bool follow_handshake_line(struct rg_node *node, struct rg_bytes line)
{
    struct rg_follow *follow = &node->follow;
    bool error = line.len > 0 && line.data[0] == '-';
    int len = (int)(line.len < 200 ? line.len : 200);

    switch (follow->step) {
    case FOLLOW_STEP_PING:
        if (error && !rg_bytes_starts_with(line, RG_BYTES("-NOAUTH")) &&
            !rg_bytes_starts_with(line, RG_BYTES("-NOPERM")) &&
            /* Of a primary whose disk is in trouble, which needs its replicas more than ever. */
            !rg_bytes_starts_with(line, RG_BYTES("-MISCONF")) &&
            !rg_bytes_starts_with(line, RG_BYTES("-ERR operation not permitted"))) {
            node_say(node, RG_LOG_WARNING, "Error reply to PING from master: '%.*s'", len,
                     line.data);
            follow_drop(node);
            /* A primary that loads its file has just started, and leads nobody any more. */
            if (rg_bytes_starts_with(line, RG_BYTES("-LOADING")))
                member_stream(node, RG_STREAM_REJECTED);
            return false;
        }
        break;
    case FOLLOW_STEP_AUTH:
        if (error) {
            node_say(node, RG_LOG_WARNING, "Unable to AUTH to MASTER: %.*s", len, line.data);
            follow_drop(node);
            return false;
        }
        break;
    case FOLLOW_STEP_MEMBER:
        if (error) {
            node_say(node, RG_LOG_NOTICE, "%s:%u refused: %.*s", follow->host, follow->port, len,
                     line.data);
            follow_drop(node);
            member_stream(node, RG_STREAM_REJECTED);
            return false;
        }
        break;
    default:
        if (error)
            node_say(node, RG_LOG_NOTICE,
                     "(Non critical) Master does not understand REPLCONF: %.*s", len, line.data);
        break;
    }
    do {
        follow->step++;
    } while (follow->step < FOLLOW_STEP_DONE && !follow_step_sent(node, follow->step));
    if (follow->step == FOLLOW_STEP_DONE) {
        follow_psync(node);
        conn_wants_output(node, follow->conn);
        follow_state(node, RG_FOLLOW_ANSWER);
    }
    return true;
}

/* ---- The answer to PSYNC ---- */

/*
 * repl-diskless-load says whether the snapshot goes to disk, too; what was there is served until
 * the new one is whole either way. rdb-del-sync-files: where nothing is saved otherwise, no file of
 * the primary's stays. A member of a group has on disk what it says that it has.
 */
static bool follow_keeps_file(const struct rg_node *node)
{
    const struct rg_config *config = node->config;

    if (!follow_plain(node))
        return true;
    if (config->repl_diskless_load == RG_DISKLESS_SWAPDB ||
        (config->repl_diskless_load == RG_DISKLESS_ON_EMPTY_DB && rg_store_count(node->store) == 0))
        return false;
    return !config->rdb_del_sync_files || config->save_count > 0;
}

static void follow_full(struct rg_node *node, const char *replid, uint64_t offset)
{
    struct rg_follow *follow = &node->follow;

    (void)snprintf(follow->full_replid, sizeof(follow->full_replid), "%s", replid);
    follow->full_offset = offset;
    follow->transfer = transfer_new(node, follow_keeps_file(node));
    node_say(node, RG_LOG_NOTICE, "Full resync from master: %s:%llu", replid,
             (unsigned long long)offset);
    follow_state(node, RG_FOLLOW_TRANSFER);
    failover_taken(node);
}

static void follow_streaming(struct rg_node *node)
{
    struct rg_follow *follow = &node->follow;

    follow_state(node, RG_FOLLOW_STREAM);
    follow->load_failures = 0;
    node->log_active = true;
    follow->ack_asked = true;
    member_stream(node, RG_STREAM_UP);
    member_stream(node, RG_STREAM_SYNCED);
}

static bool follow_is_replid(struct rg_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    }
    return text.len == RG_REPLID_LEN;
}

static void follow_continue(struct rg_node *node, struct rg_bytes replid)
{
    char text[RG_REPLID_LEN + 1];

    /* In a group the term's record in the log says it; elsewhere this line is all there is. */
    if (follow_plain(node) && follow_is_replid(replid) && !rg_bytes_is(replid, feed_replid(node))) {
        memcpy(text, replid.data, RG_REPLID_LEN);
        text[RG_REPLID_LEN] = '\0';
        rg_history_push(&node->history, 0, text, node_log_end(node));
        serve_drop_all(node, "the primary's replication id changed");
        node_say(node, RG_LOG_NOTICE, "Master replication ID changed to %s", text);
    }
    node_say(node, RG_LOG_NOTICE,
             "MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.");
    follow_streaming(node);
    failover_taken(node);
}

static void follow_answer(struct rg_node *node, struct rg_bytes line)
{
    char text[FOLLOW_MAX_LINE];
    char replid[RG_REPLID_LEN + 1];
    struct rg_bytes rest = line;
    struct rg_bytes answer = rg_bytes_cut(&rest, ' ');
    struct rg_bytes id = rg_bytes_cut(&rest, ' ');
    uint64_t offset = 0;

    memcpy(text, line.data, line.len);
    text[line.len] = '\0';
    if (rg_bytes_starts_with(line, RG_BYTES("+CONTINUE"))) {
        follow_continue(node,
                        line.len > 10 ? rg_bytes(line.data + 10, line.len - 10) : rg_bytes("", 0));
        return;
    }
    if (rg_bytes_is(answer, "+FULLRESYNC") && follow_is_replid(id) &&
        rg_parse_u64(rest, &offset) == 0 && offset <= INT64_MAX) {
        memcpy(replid, id.data, RG_REPLID_LEN);
        replid[RG_REPLID_LEN] = '\0';
        follow_full(node, replid, offset);
        return;
    }
    if (rg_bytes_starts_with(line, RG_BYTES("-ERR unknown command"))) {
        /* A primary from before PSYNC: its stream has no id and no offset to resume from. */
        node_say(node, RG_LOG_NOTICE, "Retrying with SYNC...");
        rg_request_write_strs(&node->follow.conn->out, "SYNC", NULL);
        conn_wants_output(node, node->follow.conn);
        rg_rand_hex(&node->rand, replid, RG_REPLID_LEN);
        follow_full(node, replid, 0);
        return;
    }
    if (rg_bytes_starts_with(line, RG_BYTES("-NOTPRIMARY"))) {
        follow_drop(node);
        member_stream(node, RG_STREAM_REJECTED);
        return;
    }
    node_say(node, RG_LOG_WARNING, "Unexpected reply to PSYNC from master: %s", text);
    follow_drop(node);
    failover_refused(node);
}

/* ---- The RDB ---- */

/* Returns the bytes taken; the link may be dropped. */
static size_t follow_transfer(struct rg_node *node, struct rg_bytes bytes)
{
    struct rg_follow *follow = &node->follow;
    size_t used = 0;
    int result = transfer_feed(node, follow->transfer, bytes, &used);

    follow->last_io_us = node->now.mono_us;
    if (result == 0) {
        follow_state(node, RG_FOLLOW_SAVING);
        if (!transfer_to_file(follow->transfer))
            follow_transferred(node);
        return used;
    }
    if (result == RG_EAGAIN)
        return used;
    node_say(node, RG_LOG_WARNING,
             "Failed trying to load the MASTER synchronization DB from socket: %s. The data set "
             "that this node had is kept.",
             transfer_error(follow->transfer));
    follow_drop(node);
    /* The same snapshot would fail the same way: the primary is not made to send it every second.
     */
    int64_t pause_us = FOLLOW_REDIAL_US << (follow->load_failures < 6 ? follow->load_failures : 6);
    follow->load_failures++;
    follow->redial_us = node->now.mono_us + pause_us;
    return bytes.len;
}

static void follow_say_dropped(struct rg_node *node)
{
    uint64_t agreed = 0;
    const struct rg_history_term *at = rg_history_at(&node->history, node_log_end(node));
    const struct rg_transfer_log *log = transfer_log(node->follow.transfer);

    if (at == NULL || !log->has_history || node_log_end(node) == 0)
        return;
    if (rg_history_agrees(&log->history, node->follow.full_offset, rg_bytes_str(at->replid),
                          node_log_end(node), &agreed) == 0 &&
        agreed < node_log_end(node))
        node_say(node, RG_LOG_WARNING,
                 "This log went another way than the primary's from offset %llu on: the %llu bytes "
                 "behind it were never acknowledged and are dropped",
                 (unsigned long long)agreed, (unsigned long long)(node_log_end(node) - agreed));
}

static bool follow_history_fits(const struct rg_history *history, uint64_t end)
{
    return history->count > 0 && history->terms[history->count - 1].start <= end;
}

void follow_transferred(struct rg_node *node)
{
    struct rg_follow *follow = &node->follow;
    struct rg_transfer *transfer = follow->transfer;
    const struct rg_transfer_log *log = transfer_log(transfer);
    struct rg_history history;

    RG_ASSERT(follow->state == RG_FOLLOW_SAVING && transfer != NULL);
    if (log->has_history && !follow_history_fits(&log->history, follow->full_offset)) {
        follow_failed(node, "the snapshot's history of terms does not fit its offset");
        return;
    }
    follow_say_dropped(node);
    if (!follow_plain(node) && log->has_history) {
        history = log->history;
    } else {
        rg_history_reset(&history);
        rg_history_push(&history, 0, follow->full_replid, 0);
    }
    gate_fail_all(node); /* readers of the old data are told nothing that is gone now */
    serve_drop_all(node, "this replica's data set was replaced by a full resync");
    transfer_adopt(node, transfer);
    own_keys_forget(node);
    feed_reset(node, &history, follow->full_offset);
    follow->want_full = false;
    /* Redis sends SELECT first after a full resync; its RDB says which database before. */
    follow->stream_db = log->stream_db;
    if (!follow_plain(node))
        member_reloaded(node, log);
    transfer_free(node, transfer);
    follow->transfer = NULL;
    node_say(node, RG_LOG_NOTICE, "MASTER <-> REPLICA sync: Finished with success");
    follow_streaming(node);
    if (rg_buf_len(&follow->conn->in) > 0)
        conn_wants_input(node, follow->conn);
}

void follow_ack(struct rg_node *node)
{
    struct rg_follow *follow = &node->follow;
    char text[32];
    char durable[32];

    if (follow->state != RG_FOLLOW_STREAM || follow->conn == NULL)
        return;
    uint64_t held = aof_held(node);
    uint64_t synced = aof_synced(node);
    bool news = follow->acked != held || follow->synced != synced;
    /* A plain primary asks where it wants to know, and is answered until all it asked for is told.
     * FAILOVER of a redis-server does not ask, and holds writes back until it is told. */
    bool beat = node->now.mono_us - follow->last_ack_us >= (news ? FOLLOW_NEWS_US : RG_S_US);
    bool moved = news && (!follow_plain(node) || follow->ack_owed > follow->acked ||
                          (aof_on(node) && follow->ack_owed > follow->synced));
    if (!beat && !moved && !follow->ack_asked)
        return;
    /* Invariant 3: nothing of an older term once a newer one is promised. */
    if (!follow_plain(node) && !rg_group_may_ack(node->members.group, follow->term))
        return;
    if (follow->ack_asked)
        follow->ack_owed = node_log_end(node);
    follow->acked = held;
    follow->synced = synced;
    follow->last_ack_us = node->now.mono_us;
    follow->ack_asked = false;
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)held);
    (void)snprintf(durable, sizeof(durable), "%llu", (unsigned long long)synced);
    rg_request_write_strs(&follow->conn->out, "REPLCONF", "ACK", text, aof_on(node) ? "FACK" : NULL,
                          durable, NULL);
    conn_wants_output(node, follow->conn);
}

/* ---- Input ---- */

/* A line without its end, or false where none is whole. */
static bool follow_line(struct rg_conn *conn, struct rg_bytes *ret_line, size_t *ret_size)
{
    struct rg_bytes in = rg_buf_view(&conn->in);
    const char *end = in.len > 0 ? memchr(in.data, '\n', in.len) : NULL;

    if (end == NULL)
        return false;
    size_t len = (size_t)(end - in.data);
    *ret_size = len + 1;
    *ret_line = rg_bytes(in.data, len > 0 && in.data[len - 1] == '\r' ? len - 1 : len);
    return true;
}

/* One line of the handshake, the answer or the RDB's header. */
static void follow_take_line(struct rg_node *node, struct rg_bytes line)
{
    struct rg_follow *follow = &node->follow;

    follow->last_io_us = node->now.mono_us;
    if (line.len == 0)
        return; /* a primary that is busy saving keeps the link alive with empty lines */
    if (line.len >= FOLLOW_MAX_LINE) {
        follow_failed(node, "an answer is longer than any that replication knows");
        return;
    }
    switch (follow->state) {
    case RG_FOLLOW_HANDSHAKE:
        (void)follow_handshake_line(node, line);
        return;
    case RG_FOLLOW_ANSWER:
        follow_answer(node, line);
        return;
    case RG_FOLLOW_TRANSFER:
        if (line.data[0] == '-')
            follow_failed(node, "the primary aborted the replication");
        else if (transfer_begin(follow->transfer, line) < 0)
            follow_failed(node, "bad protocol from the primary: the RDB's length was expected");
        else
            follow->step = FOLLOW_STEP_DONE + 1;
        return;
    default:
        RG_UNREACHABLE();
    }
}

void follow_input(struct rg_node *node)
{
    struct rg_follow *follow = &node->follow;

    while (follow->conn != NULL && rg_buf_len(&follow->conn->in) > 0) {
        struct rg_conn *conn = follow->conn;
        struct rg_bytes line;
        size_t size = 0;
        if (follow->state == RG_FOLLOW_SAVING)
            return; /* the stream waits until the RDB is safe */
        if (follow->state == RG_FOLLOW_STREAM) {
            apply_stream(node);
            return;
        }
        if (follow->state == RG_FOLLOW_TRANSFER && follow->step > FOLLOW_STEP_DONE) {
            size = follow_transfer(node, rg_buf_view(&conn->in));
            rg_buf_consume(&conn->in, size);
            continue;
        }
        if (!follow_line(conn, &line, &size)) {
            if (rg_buf_len(&conn->in) >= FOLLOW_MAX_LINE)
                follow_failed(node, "an answer is longer than any that replication knows");
            return;
        }
        follow_take_line(node, line);
        rg_buf_consume(&conn->in, size);
    }
}

void follow_closed(struct rg_node *node, enum rg_close_reason reason)
{
    struct rg_follow *follow = &node->follow;
    bool was_up = follow->state == RG_FOLLOW_STREAM;
    static const char *const why[] = {
        [RG_CLOSE_ASKED] = "closed",
        [RG_CLOSE_EOF] = "Connection with master lost.",
        [RG_CLOSE_REFUSED] = "Error condition on socket for SYNC: Connection refused",
        [RG_CLOSE_UNREACHED] = "Error condition on socket for SYNC: no answer",
        [RG_CLOSE_UNRESOLVED] = "Unable to connect to MASTER: its name has no address",
    };

    node_say(node, RG_LOG_WARNING, "%s (%s:%u)", why[reason], follow->host, follow->port);
    follow->conn = NULL;
    follow_drop(node);
    if (was_up)
        follow->redial_us = node->now.mono_us;
    if (reason == RG_CLOSE_REFUSED)
        member_stream(node, RG_STREAM_REFUSED);
    else if (was_up)
        member_stream(node, RG_STREAM_LOST);
}

/* A member's stream that brings nothing, while the primary's heartbeats say there is something. */
static bool follow_stalled(const struct rg_node *node)
{
    const struct rg_follow *follow = &node->follow;
    int64_t limit_us = 2 * node->config->group_node_timeout * RG_MS_US;
    const struct rg_group_view *view = &node->members.view;

    if (follow_plain(node) || node->now.mono_us - follow->last_io_us <= limit_us ||
        node->now.mono_us - follow->conn->received_us <= limit_us)
        return false;
    /* Before the stream something always comes soon: a snapshot goes out while it is written, and
     * one that waits for its length is announced by empty lines. */
    return follow->state != RG_FOLLOW_STREAM ||
           view->members[follow->member].position.offset > node_log_end(node);
}

void follow_cron(struct rg_node *node)
{
    struct rg_follow *follow = &node->follow;
    int64_t timeout_us = node->config->repl_timeout * RG_S_US;

    if (!follow->active || follow->conn == NULL || follow->state == RG_FOLLOW_SAVING)
        return;
    if (node->now.mono_us - follow->last_io_us > timeout_us || follow_stalled(node))
        follow_failed(node, "timeout: no data nor PING from the primary");
}
