#include <stdio.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/panic.h"
#include "core/planted.h"
#include "node/aof.h"
#include "node/failover.h"
#include "node/serve_count.h"
#include "node/serve_disk.h"
#include "node/snapshot.h"
#include "node/spool.h"

/* The primary's side of replication: PSYNC, the snapshot, the stream, acknowledgements. */

struct rg_serve *serve_of(struct rg_conn *conn)
{
    if (conn->serve == NULL) {
        conn->serve = RG_NEW(struct rg_serve);
        conn->serve->member = -1;
    }
    return conn->serve;
}

void serve_free(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_serve *serve = conn->serve;

    if (serve == NULL)
        return;
    serve_disk_end(node, conn);
    snapshot_unref(serve->snapshot);
    rg_buf_fini(&serve->spooled);
    rg_free(serve->ip);
    rg_free(serve);
}

static void serve_describe(const struct rg_conn *conn, char *out, size_t size)
{
    const struct rg_serve *serve = conn->serve;
    const char *ip = serve->ip ? serve->ip : conn->peer_host;

    (void)snprintf(out, size, "%s:%lld", ip, (long long)serve->listening_port);
}

/* ---- REPLCONF ---- */

static void serve_say_no_fack(struct rg_node *node, struct rg_conn *conn)
{
    if (conn->serve->no_fack_told || !serve_wants_disk(node))
        return;
    conn->serve->no_fack_told = true;
    node_say(node, RG_LOG_WARNING,
             "Replica %s does not say what it has on disk (no appendonly there): its "
             "acknowledgements do not count here, where replication-durability is disk",
             conn->peer);
}

static void serve_ack(struct rg_call *call, uint64_t offset, bool has_synced, uint64_t synced)
{
    struct rg_serve *serve = call->conn->serve;

    if (call->conn->kind == RG_CONN_REPLICA && serve->state == RG_SERVE_LOADING) {
        serve->state = RG_SERVE_ONLINE;
        conn_wants_output(call->node, call->conn);
    }
    if (call->conn->kind != RG_CONN_REPLICA || serve->state != RG_SERVE_ONLINE)
        return;
    if (offset > serve->acked && offset <= node_log_end(call->node))
        serve->acked = offset;
    if (!has_synced)
        serve_say_no_fack(call->node, call->conn);
    else if (synced > serve->synced && synced <= node_log_end(call->node))
        serve->synced = synced;
    serve->ack_seen = true;
    serve->last_ack_us = call->node->now.mono_us;
    if (serve->member >= 0)
        member_acked(call->node, (unsigned)serve->member, serve->member_term,
                     serve_held(call->node, serve));
}

/* REPLCONF ACK <offset> [FACK <offset>]: never answered, for it is the replica's heartbeat. */
static void serve_acknowledged(struct rg_call *call, int at)
{
    uint64_t offset = 0;
    uint64_t synced = 0;
    bool has_synced = at + 3 < call->argc && rg_bytes_is_nocase(call->argv[at + 2], "fack") &&
                      rg_parse_u64(call->argv[at + 3], &synced) == 0;

    if (call->conn->serve != NULL && rg_parse_u64(call->argv[at + 1], &offset) == 0)
        serve_ack(call, offset, has_synced, synced);
}

/* GROUP's own: which member asks, and in which term it believes. */
static bool serve_group_member(struct rg_call *call, struct rg_bytes value)
{
    const struct rg_group_view *view = &call->node->members.view;
    struct rg_bytes number = rg_bytes_cut(&value, ':');
    uint64_t member = 0;
    uint64_t term = 0;

    if (call->node->members.group == NULL) {
        rg_reply_error(&call->reply, "NOTPRIMARY This node is not in a group");
        return false;
    }
    if (rg_parse_u64(number, &member) < 0 || rg_parse_u64(value, &term) < 0 ||
        member >= call->node->members.count) {
        rg_reply_error(&call->reply, "ERR Invalid group member");
        return false;
    }
    if (view->role != RG_ROLE_PRIMARY || view->term != term) {
        rg_reply_errorf(&call->reply, "NOTPRIMARY This node is not the primary of term %llu",
                        (unsigned long long)term);
        return false;
    }
    serve_of(call->conn)->member = (int)member;
    serve_of(call->conn)->member_term = term;
    return true;
}

/* One option of REPLCONF; false where an error was replied. */
static bool serve_option(struct rg_call *call, struct rg_bytes name, struct rg_bytes value)
{
    struct rg_serve *serve = serve_of(call->conn);

    if (rg_bytes_is_nocase(name, "listening-port")) {
        if (rg_parse_i64(value, &serve->listening_port) < 0) {
            rg_reply_error(&call->reply, "ERR value is not an integer or out of range");
            return false;
        }
    } else if (rg_bytes_is_nocase(name, "ip-address")) {
        if (value.len > 255) {
            rg_reply_error(&call->reply,
                           "ERR REPLCONF ip-address provided by replica instance is too long");
            return false;
        }
        rg_free(serve->ip);
        serve->ip = rg_alloc_copy(value.data, value.len);
    } else if (rg_bytes_is_nocase(name, "capa")) {
        if (rg_bytes_is_nocase(value, "eof"))
            serve->capa_eof = true;
        else if (rg_bytes_is_nocase(value, "psync2"))
            serve->capa_psync2 = true;
    } else if (rg_bytes_is_nocase(name, "rdb-only")) {
        int64_t only = 0;
        if (rg_parse_i64(value, &only) < 0) {
            rg_reply_error(&call->reply, "ERR value is not an integer or out of range");
            return false;
        }
        serve->rdb_only = only == 1;
    } else if (rg_bytes_is_nocase(name, "group-member")) {
        return serve_group_member(call, value);
    } else {
        rg_reply_errorf(&call->reply, "ERR Unrecognized REPLCONF option: %.*s",
                        (int)(name.len < 128 ? name.len : 128), name.data);
        return false;
    }
    return true;
}

void serve_replconf(struct rg_call *call)
{
    if (call->argc % 2 == 0) {
        rg_reply_error(&call->reply, "ERR syntax error");
        return;
    }
    for (int i = 1; i < call->argc; i += 2) {
        if (rg_bytes_is_nocase(call->argv[i], "ack")) {
            serve_acknowledged(call, i);
            return;
        }
        if (rg_bytes_is_nocase(call->argv[i], "getack"))
            return;
        if (!serve_option(call, call->argv[i], call->argv[i + 1]))
            return;
    }
    rg_reply_simple(&call->reply, "OK");
}

/* ---- PSYNC and SYNC ---- */

static const char *serve_refusal(const struct rg_node *node, struct rg_conn *conn)
{
    const struct rg_group_view *view = &node->members.view;

    if (node->failover != NULL)
        return "NOMASTERLINK Can't SYNC while failing over.";
    if (node->follow.active && !follow_link_up(node))
        return "NOMASTERLINK Can't SYNC while not connected with my master";
    if (node->members.group == NULL)
        return NULL;
    if (view->state != RG_MEMBER_HEALTHY)
        return "NOMASTERLINK Can't SYNC: this node lost its log and has no primary yet";
    const struct rg_serve *serve = serve_of(conn);
    if (serve->member >= 0 && (view->role != RG_ROLE_PRIMARY || view->term != serve->member_term))
        return "NOTPRIMARY This node is not the primary of that term";
    return NULL;
}

/* A member has one stream: what it had before this one is dead, whether or not TCP knows it. */
static void serve_replace_member(struct rg_node *node, int member)
{
    RG_LIST_EACH(link, &node->serving)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (conn->kind == RG_CONN_REPLICA && conn->serve->member == member)
            conn_close(node, conn, false);
    }
}

static void serve_enter(struct rg_call *call, enum rg_serve_state state, uint64_t end)
{
    struct rg_conn *conn = call->conn;
    struct rg_serve *serve = serve_of(conn);

    if (serve->member >= 0)
        serve_replace_member(call->node, serve->member);
    conn->kind = RG_CONN_REPLICA;
    rg_list_append(&call->node->serving, &conn->serve_link);
    conn->reply_mode = RG_REPLY_ON;
    serve->state = state;
    serve->asked_us = call->node->now.mono_us;
    serve->sent = end;
    serve->acked = serve->synced = 0;
    serve->last_ack_us = call->node->now.mono_us;
    call->node->replicas++;
}

/*
 * repl-diskless-sync-delay: whoever asks first waits so long for others, or until there are
 * repl-diskless-sync-max-replicas, so that one walk serves them all. Nobody waits for a walk that
 * is under way and can be shared, nor beside a member of the group, or one who takes no stream.
 */
static bool serve_delays(const struct rg_node *node)
{
    const struct rg_config *config = node->config;
    unsigned waiting = 0;

    if (!config->repl_diskless_sync || config->repl_diskless_sync_delay == 0 ||
        node->snapshot != NULL)
        return false;
    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        const struct rg_serve *serve = conn->serve;
        if (conn->closing || serve->state != RG_SERVE_WAITING)
            continue;
        if (serve->member >= 0 || !serve->capa_eof ||
            node->now.mono_us - serve->asked_us >= config->repl_diskless_sync_delay * RG_S_US)
            return false;
        waiting++;
    }
    return config->repl_diskless_sync_max_replicas == 0 ||
           (int64_t)waiting < config->repl_diskless_sync_max_replicas;
}

/* False: it has to wait for the end of another one. */
static bool serve_begin(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_serve *serve = conn->serve;
    char name[320];

    serve->snapshot = snapshot_share(node);
    if (serve->snapshot == NULL)
        return false;
    serve->state = RG_SERVE_SNAPSHOT;
    serve->sent = serve->snapshot->offset;
    serve->last_ack_us = node->now.mono_us;
    serve_describe(conn, name, sizeof(name));
    node_say(node, RG_LOG_NOTICE, "Full resync of replica %s at offset %llu", name,
             (unsigned long long)serve->snapshot->offset);
    if (serve->psync)
        rg_buf_printf(&conn->out, "+FULLRESYNC %s %llu\r\n", feed_replid(node),
                      (unsigned long long)serve->snapshot->offset);
    if (serve->capa_eof && node->config->repl_diskless_sync) {
        rg_rand_hex(&node->rand, serve->eof_mark, 40);
        rg_buf_printf(&conn->out, "$EOF:%s\r\n", serve->eof_mark);
    } else {
        spool_join(node, conn);
    }
    conn_wants_output(node, conn);
    return true;
}

void serve_begin_waiting(struct rg_node *node)
{
    bool delayed = serve_delays(node);

    RG_LIST_EACH(link, &node->serving)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (conn->kind != RG_CONN_REPLICA || conn->closing ||
            conn->serve->state != RG_SERVE_WAITING)
            continue;
        /* Much may have changed since it asked. */
        const char *refusal = serve_refusal(node, conn);
        if (refusal != NULL) {
            node_say(node, RG_LOG_NOTICE, "Closing the link of replica %s: %s", conn->peer,
                     refusal);
            conn_close(node, conn, false);
        } else if (!delayed) {
            (void)serve_begin(node, conn);
        }
    }
}

static void serve_full(struct rg_call *call, bool psync)
{
    struct rg_node *node = call->node;
    struct rg_serve *serve = serve_of(call->conn);
    char name[320];

    feed_activate(node);
    node->stats.sync_full++;
    serve->psync = psync;
    serve_enter(call, RG_SERVE_WAITING, node_log_end(node));
    bool delayed = serve_delays(node);
    serve_begin_waiting(node); /* one that is due by now brings the others with it */
    if (serve->state != RG_SERVE_WAITING)
        return;
    serve_describe(call->conn, name, sizeof(name));
    node_say(node, RG_LOG_NOTICE, "Replica %s waits for %s", name,
             delayed ? "others to share its snapshot (repl-diskless-sync-delay)"
                     : "the end of the snapshot under way");
}

void serve_snapshot_done(struct rg_node *node, const struct rg_snapshot *snapshot)
{
    RG_LIST_EACH(link, &node->serving)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (conn->kind != RG_CONN_REPLICA || conn->serve->snapshot != snapshot)
            continue;
        conn_wants_output(node, conn);
    }
}

/* The end of the log that the replica holds and this log agrees with. Errors: RG_ENOENT. */
static int serve_agreed(struct rg_node *node, struct rg_bytes replid, uint64_t end)
{
    uint64_t agreed = 0;
    int result = rg_history_agrees(&node->history, node_log_end(node), replid, end, &agreed);

    if (RG_PLANTED(node->planted, RG_PLANTED_KEEPS_DIVERGED_LOG) && result == 0 &&
        end <= node_log_end(node))
        agreed = end;
    if (result < 0 || agreed != end || !node->log_active || end < aof_log_start(node))
        return RG_ENOENT;
    return 0;
}

/* PSYNC … FAILOVER: the primary changes places with this replica. False: an error was replied. */
static bool serve_failover(struct rg_call *call)
{
    struct rg_node *node = call->node;
    char why[CONN_ADDRESS_CHARS + 32];

    if (call->argc <= 3 || !rg_bytes_is_nocase(call->argv[3], "failover"))
        return true;
    node_say(node, RG_LOG_WARNING, "Failover request received for replid %.*s.",
             (int)(call->argv[1].len < 40 ? call->argv[1].len : 40), call->argv[1].data);
    if (node_is_primary(node)) {
        rg_reply_error(&call->reply, "ERR PSYNC FAILOVER can't be sent to a master.");
        return false;
    }
    if (node->members.group != NULL) {
        rg_reply_error(&call->reply, "ERR PSYNC FAILOVER can't be sent to a member of a group.");
        return false;
    }
    if (!rg_bytes_is(call->argv[1], feed_replid(node))) {
        rg_reply_error(&call->reply, "ERR PSYNC FAILOVER replid must match my replid.");
        return false;
    }
    (void)snprintf(why, sizeof(why), "failover request from '%s'", call->conn->peer);
    replication_promote(node, why);
    return true;
}

/* A reply that is still to go out would stand in the stream. */
static bool serve_owes(struct rg_call *call)
{
    if (rg_buf_len(&call->conn->out) == 0)
        return false;
    rg_reply_error(&call->reply, "ERR SYNC and PSYNC are invalid with pending output");
    return true;
}

void serve_psync(struct rg_call *call)
{
    struct rg_node *node = call->node;
    int64_t wanted = 0;
    char name[320];

    if (call->conn->kind == RG_CONN_REPLICA || !serve_failover(call) || serve_owes(call))
        return;
    const char *refusal = serve_refusal(node, call->conn);
    if (refusal != NULL) {
        rg_reply_error(&call->reply, refusal);
        return;
    }
    if (rg_parse_i64(call->argv[2], &wanted) < 0) {
        rg_reply_error(&call->reply, "ERR value is not an integer or out of range");
        return;
    }
    if (rg_bytes_is(call->argv[1], "?")) {
        serve_full(call, true);
        return;
    }
    if (wanted < 1 || serve_agreed(node, call->argv[1], (uint64_t)wanted - 1) < 0) {
        node->stats.sync_partial_err++;
        node_say(node, RG_LOG_NOTICE,
                 "Partial resynchronization not possible: replica asked for %.*s from offset %lld; "
                 "this log is %s, bytes %llu to %llu",
                 (int)(call->argv[1].len < 40 ? call->argv[1].len : 40), call->argv[1].data,
                 (long long)wanted, feed_replid(node), (unsigned long long)aof_log_start(node) + 1,
                 (unsigned long long)node_log_end(node));
        serve_full(call, true);
        return;
    }
    node->stats.sync_partial_ok++;
    serve_enter(call, RG_SERVE_ONLINE, (uint64_t)wanted - 1);
    serve_describe(call->conn, name, sizeof(name));
    bool disk = (uint64_t)wanted - 1 < rg_backlog_start(node->backlog);
    if (disk)
        serve_disk_begin(node, call->conn);
    node_say(node, RG_LOG_NOTICE,
             "Partial resynchronization request from %s accepted. Sending %llu bytes of %s "
             "starting from offset %lld.",
             name, (unsigned long long)(node_log_end(node) - ((uint64_t)wanted - 1)),
             disk ? "the log on disk" : "backlog", (long long)wanted);
    if (call->conn->serve->capa_psync2)
        rg_buf_printf(&call->conn->out, "+CONTINUE %s\r\n", feed_replid(node));
    else
        rg_buf_append_str(&call->conn->out, "+CONTINUE\r\n");
}

void serve_sync(struct rg_call *call)
{
    if (call->conn->kind == RG_CONN_REPLICA || serve_owes(call))
        return;
    const char *refusal = serve_refusal(call->node, call->conn);
    if (refusal == NULL)
        serve_full(call, false);
    else
        rg_reply_error(&call->reply, refusal);
}

/* ---- Output: replies, then the snapshot, then the log. ---- */

/* The mark stands behind a snapshot that is whole. */
static size_t serve_trailer_len(const struct rg_serve *serve)
{
    return serve->snapshot->done ? strlen(serve->eof_mark) : 0;
}

/* Bytes of the snapshot and its mark that are there to be sent. */
static uint64_t serve_snapshot_ready(const struct rg_serve *serve)
{
    return snapshot_window_end(&serve->snapshot->window) + serve_trailer_len(serve) -
           serve->snapshot_sent;
}

static bool serve_reads_log(const struct rg_conn *conn)
{
    return conn->kind == RG_CONN_REPLICA && conn->serve->state == RG_SERVE_ONLINE;
}

bool serve_has_output(const struct rg_node *node, const struct rg_conn *conn)
{
    if (conn->kind != RG_CONN_REPLICA || conn->closing)
        return false;
    if (conn->serve->snapshot != NULL)
        return serve_snapshot_ready(conn->serve) > 0;
    if (conn->serve->spool != NULL)
        return spool_output(conn).len > 0;
    if (conn->serve->disk != NULL)
        return serve_disk_output(conn->serve->disk).len > 0;
    return serve_reads_log(conn) && conn->serve->sent < node_log_end(node);
}

static unsigned serve_snapshot_runs(const struct rg_serve *serve, struct rg_bytes *ret_runs,
                                    unsigned max)
{
    uint64_t end = snapshot_window_end(&serve->snapshot->window);
    uint64_t at = serve->snapshot_sent;
    unsigned n = 0;

    if (serve_snapshot_ready(serve) == 0)
        return 0;
    while (n < max && at < end) {
        ret_runs[n] = snapshot_window_read(&serve->snapshot->window, at);
        at += ret_runs[n++].len;
    }
    if (n < max && at >= end && serve_trailer_len(serve) > at - end)
        ret_runs[n++] =
            rg_bytes(serve->eof_mark + (at - end), serve_trailer_len(serve) - (size_t)(at - end));
    return n;
}

uint64_t serve_snapshot_needed(const struct rg_node *node, const struct rg_snapshot *snapshot,
                               uint64_t position)
{
    if (node->replicas == 0)
        return position;
    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (conn->kind == RG_CONN_REPLICA && !conn->closing && conn->serve->snapshot == snapshot &&
            conn->serve->snapshot_sent < position)
            position = conn->serve->snapshot_sent;
    }
    return position;
}

unsigned serve_output(struct rg_node *node, struct rg_conn *conn, struct rg_bytes *ret_runs,
                      unsigned max)
{
    struct rg_serve *serve = conn->serve;
    unsigned n = 0;

    if (serve->snapshot != NULL)
        return serve_snapshot_runs(serve, ret_runs, max);
    if (serve->spool != NULL && max > 0)
        ret_runs[n] = spool_output(conn);
    if (serve->spool != NULL)
        return max > 0 && ret_runs[n].len > 0;
    if (serve->disk != NULL && max > 0)
        ret_runs[n] = serve_disk_output(serve->disk);
    if (serve->disk != NULL)
        return max > 0 && ret_runs[n].len > 0;
    uint64_t at = serve_reads_log(conn) ? serve->sent : node_log_end(node);
    while (n < max && at < node_log_end(node)) {
        ret_runs[n] = rg_backlog_read(node->backlog, at);
        at += ret_runs[n++].len;
    }
    return n;
}

/* All of it, and the mark behind it, went out. */
static void serve_has_snapshot(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_serve *serve = conn->serve;

    if (serve->rdb_only) {
        node_say(node, RG_LOG_NOTICE, "RDB transfer completed, rdb only replica (%s)", conn->peer);
        conn_close(node, conn, true);
        return;
    }
    /* A redis-server looks for the mark at the end of what it read only: a byte of the log right
     * behind it would hide it. Its first ACK says that the mark was seen. */
    serve->state = serve->eof_mark[0] != '\0' ? RG_SERVE_LOADING : RG_SERVE_ONLINE;
    serve->last_ack_us = node->now.mono_us;
}

void serve_sent(struct rg_node *node, struct rg_conn *conn, size_t n)
{
    struct rg_serve *serve = conn->serve;

    node->stats.repl_output_bytes += n;
    if (serve->spool != NULL) {
        serve->last_ack_us = n > 0 ? node->now.mono_us : serve->last_ack_us;
        if (spool_sent(conn, n))
            serve_has_snapshot(node, conn);
        return;
    }
    if (serve->snapshot == NULL) {
        if (serve->disk != NULL)
            serve_disk_sent(serve->disk, n);
        serve->sent += n;
        RG_ASSERT(serve->sent <= node_log_end(node));
        return;
    }
    serve->snapshot_sent += n;
    if (n > 0)
        serve->last_ack_us = node->now.mono_us;
    RG_ASSERT(serve->snapshot_sent <=
              snapshot_window_end(&serve->snapshot->window) + serve_trailer_len(serve));
    if (!serve->snapshot->done || serve_snapshot_ready(serve) > 0)
        return;
    snapshot_unref(serve->snapshot);
    serve->snapshot = NULL;
    serve_has_snapshot(node, conn);
}

void serve_wake(struct rg_node *node)
{
    if (node->replicas == 0)
        return;
    RG_LIST_EACH(link, &node->serving)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (conn->kind == RG_CONN_REPLICA && !conn->closing)
            conn_wants_output(node, conn);
    }
}

/* The first byte of the log in memory that it is still to be sent. */
static uint64_t serve_needs(const struct rg_serve *serve)
{
    return serve->disk != NULL ? serve_disk_keeps(serve->disk) : serve->sent;
}

uint64_t serve_slowest(const struct rg_node *node)
{
    uint64_t slowest = node_log_end(node);

    if (node->replicas == 0)
        return slowest;
    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (conn->kind != RG_CONN_REPLICA || conn->closing ||
            conn->serve->state == RG_SERVE_WAITING)
            continue;
        uint64_t needs = serve_needs(conn->serve);
        slowest = needs < slowest ? needs : slowest;
    }
    return slowest;
}

/* ---- The end of a replica ---- */

void serve_closed(struct rg_node *node, struct rg_conn *conn)
{
    char name[320];

    RG_ASSERT(node->replicas > 0);
    node->replicas--;
    serve_describe(conn, name, sizeof(name));
    node_say(node, RG_LOG_NOTICE, "Connection with replica %s lost.", name);
}

void serve_drop_all(struct rg_node *node, const char *why)
{
    RG_LIST_EACH(link, &node->serving)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (conn->kind != RG_CONN_REPLICA || conn->closing)
            continue;
        node_say(node, RG_LOG_NOTICE, "Closing the link of replica %s: %s", conn->peer, why);
        conn_close(node, conn, false);
    }
}

static bool serve_over_limit(struct rg_node *node, struct rg_conn *conn)
{
    const struct rg_config_limit *limit = &node->config->output_limit[RG_CLASS_REPLICA];
    struct rg_serve *serve = conn->serve;
    uint64_t needs = serve_needs(serve);
    uint64_t behind = needs < node_log_end(node) ? node_log_end(node) - needs : 0;
    uint64_t backlog = (uint64_t)node->config->repl_backlog_size;

    if (serve->state == RG_SERVE_WAITING)
        return false;
    /* A limit below the backlog's size would close replicas that cost no memory. */
    if (limit->hard_bytes > 0 && behind > limit->hard_bytes && behind > backlog)
        return true;
    if (limit->soft_bytes == 0 || behind <= limit->soft_bytes || behind <= backlog) {
        serve->over_soft_since_us = 0;
        return false;
    }
    if (serve->over_soft_since_us == 0)
        serve->over_soft_since_us = node->now.mono_us;
    return node->now.mono_us - serve->over_soft_since_us > limit->soft_seconds * RG_S_US;
}

/* While it loads it does not acknowledge, but sends a newline now and then; before that it takes
 * what there is of the snapshot. */
static bool serve_silent(const struct rg_node *node, const struct rg_conn *conn, int64_t timeout_us)
{
    const struct rg_serve *serve = conn->serve;
    int64_t heard_us =
        conn->received_us > serve->last_ack_us ? conn->received_us : serve->last_ack_us;

    if (serve->state == RG_SERVE_SNAPSHOT &&
        (serve->spool != NULL ? spool_output(conn).len : serve_snapshot_ready(serve)) == 0)
        return false;
    return serve->state >= RG_SERVE_SNAPSHOT && node->now.mono_us - heard_us > timeout_us;
}

/* Who waits for a snapshot, or its length, is told now and then that it will come. */
static void serve_tell_alive(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_serve *serve = conn->serve;

    if ((serve->state != RG_SERVE_WAITING && !serve->awaits_length) ||
        node->now.mono_us - serve->told_alive_us < RG_S_US)
        return;
    serve->told_alive_us = node->now.mono_us;
    rg_buf_append_char(&conn->out, '\n');
    conn_wants_output(node, conn);
}

/* repl-backlog-ttl: without a replica for so long, a primary keeps no log for one. Whoever waits
 * for acknowledgements needs its offsets, and a replica keeps it for the day of its promotion. */
static void serve_forget_log(struct rg_node *node)
{
    if (node->replicas > 0 || !node->log_active) {
        node->last_replica_us = node->now.mono_us;
        return;
    }
    if (node->config->repl_backlog_ttl == 0 || node->members.group != NULL || aof_on(node) ||
        !node_feeds(node) || node_mode(node) != RG_MODE_ASYNC || node->own_modes ||
        node->now.mono_us - node->last_replica_us < node->config->repl_backlog_ttl * RG_S_US)
        return;
    feed_forget(node);
    node_say(node, RG_LOG_NOTICE,
             "Replication backlog freed after %lld seconds without connected replicas.",
             (long long)node->config->repl_backlog_ttl);
}

void serve_cron(struct rg_node *node)
{
    int64_t timeout_us = node->config->repl_timeout * RG_S_US;

    serve_forget_log(node);
    if (node->replicas == 0)
        return;
    RG_LIST_EACH(link, &node->serving)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (conn->kind != RG_CONN_REPLICA || conn->closing)
            continue;
        serve_tell_alive(node, conn);
        if (serve_silent(node, conn, timeout_us)) {
            node_say(node, RG_LOG_WARNING, "Disconnecting timedout replica (streaming sync): %s",
                     conn->peer);
            conn_close(node, conn, false);
        } else if (serve_over_limit(node, conn)) {
            node_say(node, RG_LOG_WARNING,
                     "Client id=%llu addr=%s scheduled to be closed ASAP for overcoming of output "
                     "buffer limits.",
                     (unsigned long long)conn->id, conn->peer);
            conn_close(node, conn, false);
        }
    }
    if (node_feeds(node) && node->now.mono_us - node->last_ping_us >=
                                node->config->repl_ping_replica_period * RG_S_US) {
        node->last_ping_us = node->now.mono_us;
        feed_ping(node);
    }
}
