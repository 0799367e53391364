#include "base/number.h"
#include "node/aof.h"
#include "node/handlers.h"
#include "node/serve_count.h"

/*
 * WAIT and WAITAOF: a client that takes no further command until so many nodes hold its writes, in
 * memory or on disk.
 */

static const char wait_no_local[] =
    "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";

static bool wait_timeout(struct rg_call *call, int index, int64_t *ret_ms)
{
    if (rg_parse_i64(call->argv[index], ret_ms) < 0)
        rg_reply_error(&call->reply, "ERR timeout is not an integer or out of range");
    else if (*ret_ms < 0)
        rg_reply_error(&call->reply, "ERR timeout is negative");
    else
        return true;
    return false;
}

static unsigned wait_replicas(const struct rg_node *node, const struct rg_conn *conn)
{
    return conn->wait_disk ? serve_count_synced(node, conn->wait_offset)
                           : serve_count_acked(node, conn->wait_offset);
}

static bool wait_has_local(const struct rg_node *node, const struct rg_conn *conn)
{
    return aof_whole(node) && aof_synced(node) >= conn->wait_offset;
}

bool wait_is_over(const struct rg_node *node, const struct rg_conn *conn, const char **ret_error)
{
    *ret_error = conn->wait_local && !aof_on(node) ? wait_no_local : NULL;
    return *ret_error != NULL || conn->block_until_us <= node->now.mono_us ||
           (wait_replicas(node, conn) >= conn->wait_replicas &&
            (!conn->wait_local || wait_has_local(node, conn)));
}

void wait_reply(const struct rg_node *node, const struct rg_conn *conn, struct rg_reply *reply)
{
    if (conn->wait_disk) {
        rg_reply_array(reply, 2);
        rg_reply_i64(reply, wait_has_local(node, conn));
    }
    rg_reply_i64(reply, wait_replicas(node, conn));
}

static void wait_begin(struct rg_call *call, int64_t replicas, int64_t timeout_ms)
{
    struct rg_node *node = call->node;
    struct rg_conn *conn = call->conn;
    const char *error = NULL;

    conn->wait_offset = conn->last_write;
    conn->wait_replicas = replicas > INT32_MAX ? INT32_MAX : (unsigned)replicas;
    conn->block_until_us = RG_NEVER;
    if (wait_is_over(node, conn, &error) || call->in_exec) {
        wait_reply(node, conn, &call->reply);
        return;
    }
    conn_block(node, conn, RG_BLOCK_WAIT,
               timeout_ms == 0 || timeout_ms > INT64_MAX / RG_MS_US - node->now.mono_us
                   ? RG_NEVER
                   : node->now.mono_us + timeout_ms * RG_MS_US);
    node->ask_acks = true;
}

void cmd_wait(struct rg_call *call)
{
    int64_t replicas = 0;
    int64_t timeout_ms = 0;

    if (!node_is_primary(call->node)) {
        rg_reply_error(&call->reply, "ERR WAIT cannot be used with replica instances. Please also "
                                     "note that since Redis 4.0 if a replica is configured to be "
                                     "writable (which is not the default) writes to replicas are "
                                     "just local and are not propagated.");
        return;
    }
    if (!cmd_arg_i64(call, 1, &replicas) || !wait_timeout(call, 2, &timeout_ms))
        return;
    call->conn->wait_disk = call->conn->wait_local = false;
    wait_begin(call, replicas < 0 ? 0 : replicas, timeout_ms);
}

/* WAITAOF numlocal numreplicas timeout */
void cmd_waitaof(struct rg_call *call)
{
    int64_t local = 0;
    int64_t replicas = 0;
    int64_t timeout_ms = 0;

    if (!cmd_arg_i64(call, 1, &local))
        return;
    if (local < 0 || local > 1) {
        rg_reply_error(&call->reply, "ERR value is out of range, value must between 0 and 1");
        return;
    }
    if (rg_parse_i64(call->argv[2], &replicas) < 0 || replicas < 0) {
        rg_reply_error(&call->reply, "ERR value is out of range, must be positive");
        return;
    }
    if (!wait_timeout(call, 3, &timeout_ms))
        return;
    if (!node_is_primary(call->node)) {
        rg_reply_error(&call->reply,
                       "ERR WAITAOF cannot be used with replica instances. Please also note that "
                       "writes to replicas are just local and are not propagated.");
        return;
    }
    if (local > 0 && !aof_on(call->node)) {
        rg_reply_error(&call->reply, wait_no_local);
        return;
    }
    call->conn->wait_disk = true;
    call->conn->wait_local = local > 0;
    wait_begin(call, replicas, timeout_ms);
}
