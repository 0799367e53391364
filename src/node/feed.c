#include <stdio.h>

#include "base/panic.h"
#include "node/aof.h"

/*
 * The log: every change in order, as RESP requests, addressed by offset (docs/failover.md, "Log").
 * A primary appends its own commands, a follower the bytes of its primary as they came.
 */

void feed_activate(struct rg_node *node)
{
    node->log_active = true;
}

const char *feed_replid(const struct rg_node *node)
{
    RG_ASSERT(node->history.count > 0);
    return node->history.terms[node->history.count - 1].replid;
}

static void feed_append(struct rg_node *node, struct rg_bytes bytes)
{
    rg_backlog_append(node->backlog, bytes);
}

void feed_plain(struct rg_node *node, const struct rg_bytes *argv, int argc)
{
    struct rg_buf bytes = {0};

    if (!node->log_active)
        return;
    rg_request_write(&bytes, argv, argc);
    feed_append(node, rg_buf_view(&bytes));
    rg_buf_fini(&bytes);
}

static void feed_select(struct rg_node *node, unsigned db)
{
    char digits[RG_STRING_SCRATCH];

    if (node->feed_db == (int)db)
        return;
    node->feed_db = (int)db;
    int len = snprintf(digits, sizeof(digits), "%u", db);
    struct rg_bytes argv[] = {RG_BYTES("SELECT"), rg_bytes(digits, (size_t)len)};
    feed_plain(node, argv, 2);
}

void feed_command(struct rg_node *node, unsigned db, const struct rg_bytes *argv, int argc)
{
    if (!node->log_active)
        return;
    feed_select(node, db);
    feed_plain(node, argv, argc);
}

void feed_propagation(struct rg_node *node)
{
    const struct rg_propagation *propagation = &node->propagation;
    struct rg_bytes all = rg_buf_view(&propagation->bytes);

    for (size_t i = 0; node->log_active && i < propagation->count; i++) {
        size_t len = propagation->items[i].len;
        RG_ASSERT(len <= all.len);
        if (propagation->items[i].db != FEED_NO_DB)
            feed_select(node, propagation->items[i].db);
        feed_append(node, rg_bytes(all.data, len));
        all = rg_bytes(all.data + len, all.len - len);
    }
    rg_propagation_reset(&node->propagation);
}

void feed_unit(struct rg_node *node)
{
    struct rg_bytes multi[] = {RG_BYTES("MULTI")};
    struct rg_bytes exec[] = {RG_BYTES("EXEC")};
    bool several = node->propagation.count > 1;

    /* A SELECT stands inside, as Redis writes it. */
    if (several)
        feed_plain(node, multi, 1);
    feed_propagation(node);
    if (several)
        feed_plain(node, exec, 1);
}

void feed_raw(struct rg_node *node, struct rg_bytes bytes)
{
    node->log_active = true;
    feed_append(node, bytes);
}

void feed_reset(struct rg_node *node, const struct rg_history *history, uint64_t end)
{
    node->history = *history;
    node->log_active = true;
    node->feed_db = -1;
    rg_backlog_free(node->backlog);
    node->backlog = rg_backlog_new(end, (uint64_t)node->config->repl_backlog_size);
    aof_log_replaced(node);
}

void feed_new_replid(struct rg_node *node, uint64_t term)
{
    char replid[RG_REPLID_LEN + 1];

    rg_rand_hex(&node->rand, replid, RG_REPLID_LEN);
    rg_history_push(&node->history, term, replid, node_log_end(node));
    node->feed_db = -1;
}

void feed_forget(struct rg_node *node)
{
    uint64_t end = node_log_end(node);
    char replid[RG_REPLID_LEN + 1];

    /* What is written from now on is in no log: nobody may go on from here under a known id. */
    rg_rand_hex(&node->rand, replid, RG_REPLID_LEN);
    rg_history_reset(&node->history);
    rg_history_push(&node->history, 0, replid, end);
    rg_backlog_free(node->backlog);
    node->backlog = rg_backlog_new(end, (uint64_t)node->config->repl_backlog_size);
    node->feed_db = -1;
    node->log_active = false;
}

void feed_trim(struct rg_node *node)
{
    uint64_t replicas = serve_slowest(node);
    uint64_t disk = aof_needs(node);

    rg_backlog_trim(node->backlog, disk < replicas ? disk : replicas);
}

void feed_ping(struct rg_node *node)
{
    struct rg_bytes argv[] = {RG_BYTES("PING")};

    feed_plain(node, argv, 1);
}
