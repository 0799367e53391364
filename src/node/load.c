#include <stdio.h>

#include "base/number.h"
#include "base/panic.h"
#include "node/aof.h"
#include "node/sentinel.h"
#include "node/transfer.h"

/* The start: what the disk held, and what of it a member may believe. */

int rg_node_load_state(struct rg_node *node, struct rg_bytes text)
{
    int result = rg_group_durable_parse(text, &node->members.durable);

    if (result < 0) {
        (void)snprintf(node->load_error, sizeof(node->load_error),
                       "%s is damaged: its checksum or structure does not hold. Restore it, or, if "
                       "this node may rejoin as one that forgot everything, remove it",
                       RG_NODE_STATE_FILE);
        return result;
    }
    node->members.had_state = true;
    return 0;
}

/*
 * A primary by itself leaves out what is due already. A replica's data is its primary's to expire,
 * and a member's file is the effect of its log up to an offset, no more and no less.
 */
static bool load_drops_expired(const struct rg_node *node)
{
    return node->config->group_name[0] == '\0' && node->config->replicaof_host[0] == '\0';
}

void load_on(struct rg_node *node, uint64_t size_bytes, struct rg_time now)
{
    node->now = now;
    node->loading = (struct rg_loading){
        .on = true,
        .wall_s = now.wall_us / RG_S_US,
        .mono_us = now.mono_us,
        .total_bytes = size_bytes,
    };
}

void rg_node_load_begin(struct rg_node *node, uint64_t size_bytes, struct rg_time now)
{
    load_on(node, size_bytes, now);
    node->load = transfer_new(node, false);
    if (load_drops_expired(node))
        transfer_drop_expired(node->load, now.wall_us / RG_MS_US);
}

int rg_node_load_rdb(struct rg_node *node, struct rg_bytes piece)
{
    if (node->load == NULL)
        rg_node_load_begin(node, 0, node->now);
    int result = transfer_load(node->load, piece);
    node->loading.done_bytes += piece.len;
    if (result < 0) {
        (void)snprintf(node->load_error, sizeof(node->load_error), "%s",
                       transfer_error(node->load));
        return result;
    }
    if (piece.len > 0)
        return 0;
    node->loading.expired = transfer_expired_keys(node->load);
    transfer_adopt(node, node->load);
    node->loading.keys = rg_store_count(node->store);
    node_say(node, RG_LOG_NOTICE, "Done loading RDB, keys loaded: %llu, keys expired: %llu.",
             (unsigned long long)node->loading.keys, (unsigned long long)node->loading.expired);
    return 0;
}

const char *rg_node_load_error(const struct rg_node *node)
{
    return node->load_error;
}

bool rg_node_is_temporary(const char *name, int64_t *ret_pid)
{
    struct rg_bytes rest = rg_bytes_str(name);
    uint64_t number = 0;

    if (!rg_bytes_starts_with(rest, RG_BYTES("temp-")))
        return false;
    rest = rg_bytes(rest.data + 5, rest.len - 5);
    if (rg_bytes_starts_with(rest, RG_BYTES("spool-")))
        rest = rg_bytes(rest.data + 6, rest.len - 6);
    if (rg_parse_u64(rg_bytes_cut(&rest, '.'), &number) < 0)
        return false;
    struct rg_bytes pid = rg_bytes_cut(&rest, '.');
    return rg_parse_i64(pid, ret_pid) == 0 && rg_bytes_is(rest, "rdb");
}

static uint64_t load_percent(const struct rg_loading *loading)
{
    return loading->total_bytes == 0 ? 0 : loading->done_bytes * 100 / loading->total_bytes;
}

static int64_t load_left_s(const struct rg_node *node)
{
    const struct rg_loading *loading = &node->loading;
    int64_t passed_s = (node->now.mono_us - loading->mono_us) / RG_S_US;

    if (loading->done_bytes == 0 || loading->done_bytes > loading->total_bytes)
        return 1;
    return (int64_t)((double)passed_s * (double)(loading->total_bytes - loading->done_bytes) /
                     (double)loading->done_bytes);
}

void load_info(const struct rg_node *node, struct rg_buf *out)
{
    const struct rg_loading *loading = &node->loading;

    if (!loading->on)
        return;
    rg_buf_printf(out,
                  "loading_start_time:%lld\r\nloading_total_bytes:%llu\r\n"
                  "loading_rdb_used_mem:%llu\r\nloading_loaded_bytes:%llu\r\n",
                  (long long)loading->wall_s, (unsigned long long)loading->total_bytes,
                  (unsigned long long)(node->load ? transfer_used_memory(node->load) : 0),
                  (unsigned long long)loading->done_bytes);
    rg_buf_printf(out, "loading_loaded_perc:%llu.00\r\nloading_eta_seconds:%lld\r\n",
                  (unsigned long long)load_percent(loading), (long long)load_left_s(node));
}

static void load_say_clean(struct rg_node *node)
{
    node_say(node, RG_LOG_NOTICE, "The last stop was clean: the log goes on from offset %llu",
             (unsigned long long)node_log_end(node));
}

/*
 * A clean stop saved the whole log's effect: the file names exactly where the log ended, as the log
 * on disk does. Any other file, of a save point or a BGSAVE, is older than what this node may have
 * acknowledged.
 */
static void node_resume_log(struct rg_node *node)
{
    const struct rg_group_durable *durable = &node->members.durable;
    const struct rg_transfer_log *log = node->load ? transfer_log(node->load) : NULL;

    if (aof_load_placed(node) && node->members.had_state && durable->clean &&
        durable->clean_offset == node_log_end(node) &&
        strcmp(durable->clean_replid, feed_replid(node)) == 0) {
        node->members.log_complete = true;
        load_say_clean(node);
        return;
    }
    if (log == NULL || !log->has_history || !node->members.had_state || !durable->clean ||
        log->history.count == 0 || log->history.terms[log->history.count - 1].start > log->offset ||
        durable->clean_offset != log->offset || strcmp(durable->clean_replid, log->replid) != 0)
        return;
    node->members.log_complete = true;
    feed_reset(node, &log->history, log->offset);
    node->follow.stream_db = log->stream_db;
    if (log->mode >= 0)
        node->config->replication_mode = log->mode;
    load_say_clean(node);
}

/* A group that begins with a node's data (a Redis being replaced, say): that node's log counts as
 * longer than the empty ones of the others, so that it becomes the first primary. */
static void node_first_data(struct rg_node *node)
{
    struct rg_history history;
    char replid[RG_REPLID_LEN + 1];
    const struct rg_transfer_log *log = node->load ? transfer_log(node->load) : NULL;

    if (node->members.had_state || rg_store_count(node->store) == 0)
        return;
    uint64_t end = log != NULL ? log->offset : node_log_end(node);
    rg_rand_hex(&node->rand, replid, RG_REPLID_LEN);
    rg_history_reset(&history);
    rg_history_push(&history, 0, replid, 0);
    feed_reset(node, &history, end > 0 ? end : 1);
}

void rg_node_start(struct rg_node *node, struct rg_time now)
{
    RG_ASSERT(!node->running);
    node->loading.on = false;
    node->now = now;
    if (node->config->group_name[0] != '\0') {
        node_resume_log(node);
        node_first_data(node);
        if (node->history.count == 0) {
            char replid[RG_REPLID_LEN + 1];
            rg_rand_hex(&node->rand, replid, RG_REPLID_LEN);
            rg_history_push(&node->history, 0, replid, 0);
        }
        node->log_active = true;
        aof_load_tell_mode(node);
        member_start(node);
        aof_load_tell_modes(node);
    } else if (node->config->replicaof_host[0] == '\0') {
        /* Replicas may hold more of the old log than this disk did: what comes now is another. */
        if (aof_load_placed(node))
            feed_new_replid(node, 0);
    } else {
        follow_start(node, node->config->replicaof_host, (uint16_t)node->config->replicaof_port, -1,
                     0);
    }
    if (node_mode(node) != RG_MODE_ASYNC)
        feed_activate(node);
    aof_load_free(node);
    transfer_free(node, node->load);
    node->load = NULL;
    node->next_cron_us = now.mono_us;
    node->running = true;
    aof_start(node);
    if (node->sentinel != NULL)
        rg_sentinel_start(node->sentinel, now);
}
