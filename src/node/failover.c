#include "node/failover.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/panic.h"
#include "node/handlers.h"

/*
 *  NULL --FAILOVER--> WAITING --the replica has all of the log--> TURNING --+CONTINUE--> NULL
 *    ^                   |          (or FORCE, and time is up)       |
 *    |                   +--ABORT, time is up----+                   |
 *    +-------------------------------------------+----ABORT, refused-+
 *
 * While WAITING nothing is added to the log (node_holds_writes), so that a replica which has
 * acknowledged its end has all of it. While TURNING this node is a replica already: clients that
 * were held back are told so when it is over. The chosen replica becomes primary when PSYNC with
 * the word FAILOVER reaches it.
 */
enum failover_state { FAILOVER_WAITING, FAILOVER_TURNING };

struct rg_failover {
    enum failover_state state;
    char *host; /* owned; NULL: whichever replica has all first */
    int64_t port;
    bool force;
    int64_t deadline_us; /* RG_NEVER: none */
    uint64_t end;        /* of the log when writes began to be held back */
};

struct failover_words {
    struct rg_bytes host; /* len 0: none */
    int64_t port;
    int64_t timeout_ms; /* 0: none */
    bool abort;
    bool force;
};

void failover_free(struct rg_failover *failover)
{
    if (failover == NULL)
        return;
    rg_free(failover->host);
    rg_free(failover);
}

bool failover_turning(const struct rg_node *node)
{
    return node->failover != NULL && node->failover->state == FAILOVER_TURNING;
}

const char *failover_state_name(const struct rg_node *node)
{
    if (node->failover == NULL)
        return "no-failover";
    return failover_turning(node) ? "failover-in-progress" : "waiting-for-sync";
}

static void failover_describe(const struct rg_failover *failover, char *out, size_t size)
{
    if (failover->host == NULL)
        (void)snprintf(out, size, "any replica");
    else
        (void)snprintf(out, size, "%s:%lld", failover->host, (long long)failover->port);
}

/* ---- The end ---- */

static void failover_over(struct rg_node *node)
{
    failover_free(node->failover);
    node->failover = NULL;
}

static void failover_abort(struct rg_node *node, const char *why)
{
    char target[320];
    bool turning = failover_turning(node);

    failover_describe(node->failover, target, sizeof(target));
    node_say(node, RG_LOG_NOTICE, "FAILOVER to %s aborted: %s", target, why);
    failover_over(node);
    if (turning)
        replication_promote(node, "the failover was aborted");
}

void failover_taken(struct rg_node *node)
{
    if (failover_turning(node))
        failover_over(node);
}

void failover_refused(struct rg_node *node)
{
    if (failover_turning(node))
        failover_abort(node, "Failover target rejected psync request");
}

/* ---- The turn ---- */

static const char *failover_replica_host(const struct rg_conn *conn)
{
    return conn->serve->ip != NULL ? conn->serve->ip : conn->peer_host;
}

static const struct rg_conn *failover_replica(const struct rg_node *node, struct rg_bytes host,
                                              int64_t port)
{
    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (conn->kind == RG_CONN_REPLICA && !conn->closing &&
            conn->serve->listening_port == port && rg_bytes_is(host, failover_replica_host(conn)))
            return conn;
    }
    return NULL;
}

/*
 * A redis-server acknowledges what lies before the GETACK that it answers, and counts that one
 * itself only a second later. Nothing but that is in the log since writes are held back, and it has
 * it.
 */
static bool failover_has_all(const struct rg_node *node, const struct rg_conn *conn)
{
    static const char getack[] = "*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n";
    const struct rg_serve *serve = conn->serve;
    uint64_t end = node_log_end(node);

    if (conn->kind != RG_CONN_REPLICA || conn->closing || serve->state != RG_SERVE_ONLINE ||
        !serve->ack_seen)
        return false;
    return serve->acked == end ||
           (node->failover->end + strlen(getack) == end && serve->acked == node->failover->end);
}

/* The replica to change places with has all; where none was named, the first that has is named. */
static bool failover_is_synced(struct rg_node *node)
{
    struct rg_failover *failover = node->failover;

    if (failover->host != NULL) {
        const struct rg_conn *conn =
            failover_replica(node, rg_bytes_str(failover->host), failover->port);
        return conn != NULL && failover_has_all(node, conn);
    }
    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (!failover_has_all(node, conn))
            continue;
        const char *host = failover_replica_host(conn);
        failover->host = rg_alloc_copy(host, strlen(host));
        failover->port = conn->serve->listening_port;
        return true;
    }
    return false;
}

static void failover_turn(struct rg_node *node)
{
    struct rg_failover *failover = node->failover;

    failover->state = FAILOVER_TURNING;
    node->follow.want_full = false; /* this log is what the other one has */
    replication_follow(node, failover->host, (uint16_t)failover->port);
}

void failover_run(struct rg_node *node)
{
    struct rg_failover *failover = node->failover;
    char target[320];

    if (failover == NULL || failover->state != FAILOVER_WAITING)
        return;
    if (failover_is_synced(node)) {
        failover_describe(failover, target, sizeof(target));
        node_say(node, RG_LOG_NOTICE, "Failover target %s is synced, failing over.", target);
        failover_turn(node);
    } else if (failover->deadline_us <= node->now.mono_us && failover->force) {
        failover_describe(failover, target, sizeof(target));
        node_say(node, RG_LOG_NOTICE, "FAILOVER to %s time out exceeded, failing over.", target);
        failover_turn(node);
    } else if (failover->deadline_us <= node->now.mono_us) {
        failover_abort(node, "Replica never caught up before timeout");
    }
}

int64_t failover_deadline(const struct rg_node *node)
{
    const struct rg_failover *failover = node->failover;

    return failover != NULL && failover->state == FAILOVER_WAITING ? failover->deadline_us
                                                                   : RG_NEVER;
}

/* ---- The command ---- */

/* FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]; false where it replied. */
static bool failover_parse(struct rg_call *call, struct failover_words *ret_words)
{
    struct failover_words words = {0};
    bool timed = false;

    for (int i = 1; i < call->argc; i++) {
        struct rg_bytes word = call->argv[i];
        if (rg_bytes_is_nocase(word, "timeout") && i + 1 < call->argc && !timed) {
            if (!cmd_arg_i64(call, ++i, &words.timeout_ms))
                return false;
            if (words.timeout_ms <= 0) {
                rg_reply_error(&call->reply, "ERR FAILOVER timeout must be greater than 0");
                return false;
            }
            timed = true;
        } else if (rg_bytes_is_nocase(word, "to") && i + 2 < call->argc && words.host.len == 0) {
            if (!cmd_arg_i64(call, i + 2, &words.port))
                return false;
            words.host = call->argv[i + 1];
            i += 2;
        } else if (rg_bytes_is_nocase(word, "force") && !words.force) {
            words.force = true;
        } else if (rg_bytes_is_nocase(word, "abort") && call->argc == 2) {
            words.abort = true;
        } else {
            rg_reply_error(&call->reply, "ERR syntax error");
            return false;
        }
    }
    *ret_words = words;
    return true;
}

/* What speaks against it; NULL: nothing. */
static const char *failover_refusal(const struct rg_node *node, const struct failover_words *words)
{
    if (node->failover != NULL)
        return "ERR FAILOVER already in progress.";
    if (node->follow.active)
        return "ERR FAILOVER is not valid when server is a replica.";
    if (node->replicas == 0)
        return "ERR FAILOVER requires connected replicas.";
    if (words->force && (words->timeout_ms == 0 || words->host.len == 0))
        return "ERR FAILOVER with force option requires both a timeout and target HOST and IP.";
    if (words->host.len == 0)
        return NULL;
    const struct rg_conn *conn = failover_replica(node, words->host, words->port);
    if (conn == NULL)
        return "ERR FAILOVER target HOST and PORT is not a replica.";
    if (conn->serve->state != RG_SERVE_ONLINE)
        return "ERR FAILOVER target replica is not online.";
    return NULL;
}

static void failover_begin(struct rg_node *node, const struct failover_words *words)
{
    struct rg_failover *failover = RG_NEW(struct rg_failover);
    int64_t room_ms = (RG_NEVER - node->now.mono_us) / RG_MS_US - 1;
    char target[320];

    if (words->host.len > 0)
        failover->host = rg_alloc_copy(words->host.data, words->host.len);
    failover->port = words->port;
    failover->force = words->force;
    failover->deadline_us = words->timeout_ms == 0 || words->timeout_ms > room_ms
                                ? RG_NEVER
                                : node->now.mono_us + words->timeout_ms * RG_MS_US;
    failover->end = node_log_end(node);
    node->failover = failover;
    failover_describe(failover, target, sizeof(target));
    node_say(node, RG_LOG_NOTICE, "FAILOVER requested to %s.", target);
    /* Replicas acknowledge once a second unless they are asked. */
    RG_LIST_EACH(link, &node->serving)
    {
        if (failover_has_all(node, RG_CONTAINER_OF(link, struct rg_conn, serve_link)))
            return;
    }
    node->ask_acks = true;
}

void cmd_failover(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct failover_words words;

    if (node->members.group != NULL) {
        rg_reply_error(&call->reply, "ERR FAILOVER not allowed in a group: the group elects its "
                                     "primary. Use GROUP FAILOVER");
        return;
    }
    if (!failover_parse(call, &words))
        return;
    if (words.abort) {
        if (node->failover == NULL) {
            rg_reply_error(&call->reply, "ERR No failover in progress.");
            return;
        }
        failover_abort(node, "Failover manually aborted");
        rg_reply_simple(&call->reply, "OK");
        return;
    }
    const char *refusal = failover_refusal(node, &words);
    if (refusal != NULL) {
        rg_reply_error(&call->reply, refusal);
        return;
    }
    failover_begin(node, &words);
    rg_reply_simple(&call->reply, "OK");
}
