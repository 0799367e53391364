#include "node/snapshot.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "node/spool.h"
#include "node/value.h"
#include "node/version.h"

/*
 * The keyspace as an RDB, as it was at one offset of the log. It is written in slices, one a run,
 * while commands go on (store.h, "A snapshot without a pause"). Who asks for one in time shares it.
 *
 * What is held of it is bounded: slices wait for whoever takes it most slowly. Only what commands
 * change meanwhile is added without being asked for, each entry at most once.
 */
enum {
    SNAPSHOT_KEEP_BYTES = 4 << 20,   /* of its beginning, so that others may still join */
    SNAPSHOT_WINDOW_BYTES = 8 << 20, /* that one who takes it may be behind */
    /* A slice takes about as long as what else the loop did since the last one, so that a loaded
     * server's replies take no more than twice the time. */
    SNAPSHOT_LEAST_US = 50,
    SNAPSHOT_MOST_US = 250,
    SNAPSHOT_STEP = 32, /* entries between two looks at the clock */
    SNAPSHOT_TELL_US = 5 * 1000 * 1000,
    SNAPSHOT_UNTIMED = 16, /* entries of a slice where there is no clock */
};

static void snapshot_head(struct rg_node *node, struct rg_rdb_writer *writer)
{
    rg_rdb_write_aux(writer, RG_BYTES("redis-ver"), RG_BYTES(RG_REDIS_VERSION));
    rg_rdb_write_aux_i64(writer, "redis-bits", 64);
    rg_rdb_write_aux_i64(writer, "ctime", node->now.wall_us / RG_S_US);
    rg_rdb_write_aux_i64(writer, "used-mem", (int64_t)node_memory(node));
    rg_rdb_write_aux_i64(writer, "repl-stream-db",
                         node_is_primary(node) ? node->feed_db : node->follow.stream_db);
    rg_rdb_write_aux(writer, RG_BYTES("repl-id"), rg_bytes_str(feed_replid(node)));
    rg_rdb_write_aux_i64(writer, "repl-offset", (int64_t)node_log_end(node));
    rg_rdb_write_aux_i64(writer, "aof-base", 0);
    if (node->members.group != NULL) {
        struct rg_buf line = {0};
        rg_history_format(&node->history, &line);
        rg_rdb_write_aux(writer, RG_BYTES("regent-history"), rg_buf_view(&line));
        rg_rdb_write_aux(writer, RG_BYTES("regent-mode"),
                         rg_bytes_str(rg_mode_name(node_mode(node))));
        rg_buf_reset(&line, SIZE_MAX);
        rg_group_modes_format(node->members.group, &line);
        rg_rdb_write_aux(writer, RG_BYTES("regent-modes"), rg_buf_view(&line));
        rg_buf_fini(&line);
    }
}

size_t snapshot_value_len(const struct rg_node *node, const struct rg_entry *entry)
{
    enum { TYPE = 1 };
    struct rg_buf out = {0};
    struct rg_rdb_writer writer;

    rg_rdb_write_payload_begin(&writer, &out, node->config->rdbcompression);
    value_save(&writer, entry);
    size_t len = rg_buf_len(&out) - TYPE;
    rg_rdb_writer_fini(&writer);
    rg_buf_fini(&out);
    return len;
}

uint64_t snapshot_memory(const struct rg_node *node)
{
    const struct rg_snapshot *snapshot = node->snapshot;

    if (snapshot == NULL)
        return 0;
    return snapshot_window_end(&snapshot->window) - snapshot->window.start +
           snapshot_parts_held(snapshot);
}

/* The policies that look at how keys were used. */
static bool snapshot_wants_access(const struct rg_node *node)
{
    int64_t policy = node->config->maxmemory_policy;

    return node->access.lfu || policy == RG_POLICY_ALLKEYS_LRU || policy == RG_POLICY_VOLATILE_LRU;
}

static void snapshot_begin(struct rg_node *node)
{
    struct rg_snapshot *snapshot = RG_NEW(struct rg_snapshot);

    snapshot->refs = 1;
    snapshot->access = snapshot_wants_access(node) ? &node->access : NULL;
    snapshot->now = &node->now;
    snapshot->store = node->store;
    snapshot->offset = node_log_end(node);
    snapshot->changes = node->changes;
    snapshot->keys_total = rg_store_count(node->store);
    snapshot->db = -1;
    snapshot->planted = node->planted;
    snapshot->compress = node->config->rdbcompression;
    snapshot->began_us = snapshot->told_us = node->now.mono_us;
    memcpy(snapshot->replid, feed_replid(node), sizeof(snapshot->replid));
    rg_list_init(&snapshot->files);
    snapshot_window_init(&snapshot->window, true);
    snapshot_parts_init(snapshot, node->snapshot_whole_bytes);
    rg_rdb_write_begin(&snapshot->writer, &snapshot->window.newest, snapshot->compress,
                       node->config->rdbchecksum);
    snapshot_head(node, &snapshot->writer);
    int result = rg_store_snapshot_begin(node->store, &snapshot->visitor, snapshot);
    RG_ASSERT(result == 0);
    /* Whoever reads the log from here on begins without a selected database. */
    node->feed_db = -1;
    node->slice_end_us = node_measure_us(node);
    node->snapshot = snapshot;
}

static void snapshot_end(struct rg_node *node)
{
    struct rg_snapshot *snapshot = node->snapshot;

    rg_rdb_write_end(&snapshot->writer);
    snapshot->done = true;
    node->snapshot = NULL;
    node_say(node, RG_LOG_NOTICE, "Snapshot at offset %llu complete: %llu bytes of RDB, %lld ms",
             (unsigned long long)snapshot->offset,
             (unsigned long long)snapshot_window_end(&snapshot->window),
             (long long)((node->now.mono_us - snapshot->began_us) / RG_MS_US));
    serve_snapshot_done(node, snapshot);
    snapshot_unref(snapshot);
}

/* The first byte that somebody has not taken over, or that a disk or replica does not have yet. */
static uint64_t snapshot_needed(const struct rg_node *node, const struct rg_snapshot *snapshot,
                                bool written)
{
    return serve_snapshot_needed(node, snapshot, snapshot_files_need(snapshot, written));
}

static bool snapshot_waits(const struct rg_node *node)
{
    const struct rg_snapshot *snapshot = node->snapshot;
    uint64_t end = snapshot_window_end(&snapshot->window);

    return end > SNAPSHOT_WINDOW_BYTES &&
           snapshot_needed(node, snapshot, true) < end - SNAPSHOT_WINDOW_BYTES;
}

static void snapshot_trim(const struct rg_node *node, struct rg_snapshot *snapshot)
{
    if (snapshot->window.start == 0 && snapshot_window_end(&snapshot->window) < SNAPSHOT_KEEP_BYTES)
        return;
    snapshot_window_trim(&snapshot->window, snapshot_needed(node, snapshot, false));
}

static int64_t snapshot_budget_us(const struct rg_node *node, int64_t began_us)
{
    int64_t budget_us = began_us - node->slice_end_us;

    if (budget_us > SNAPSHOT_MOST_US || node->stopping)
        return SNAPSHOT_MOST_US;
    return budget_us < SNAPSHOT_LEAST_US ? SNAPSHOT_LEAST_US : budget_us;
}

/* What waits for its place in the file comes first. True: all of the store is in the file. */
static bool snapshot_step(struct rg_node *node, uint64_t count)
{
    struct rg_snapshot *snapshot = node->snapshot;

    if (snapshot == NULL)
        return rg_store_snapshot_step(node->store, count);
    if (snapshot_parts_move(snapshot))
        return false;
    if (!snapshot->walked)
        snapshot->walked = rg_store_snapshot_step(node->store, count);
    return snapshot->walked && rg_list_empty(&snapshot->parts);
}

/* True: the walk is over. */
static bool snapshot_slice(struct rg_node *node)
{
    int64_t now_us = node_measure_us(node);
    int64_t until_us = now_us + snapshot_budget_us(node, now_us);
    bool timed = node->clock_us != NULL;
    uint64_t step = node->snapshot_step > 0 ? node->snapshot_step : SNAPSHOT_UNTIMED;
    bool over = false;

    do {
        over = snapshot_step(node, timed ? SNAPSHOT_STEP : step);
        now_us = node_measure_us(node);
    } while (!over && timed && now_us < until_us);
    node->slice_end_us = now_us;
    return over;
}

struct rg_snapshot *snapshot_share(struct rg_node *node)
{
    const struct rg_snapshot *now = node->snapshot;

    /* Its head names the log that it is of: one of another id serves nobody new. */
    if (now != NULL && (now->window.start > 0 || strcmp(now->replid, feed_replid(node)) != 0))
        return NULL;
    if (now == NULL && rg_store_snapshot_pending(node->store) && !node->stopping)
        return NULL;
    if (now == NULL)
        snapshot_begin(node);
    node->snapshot->refs++;
    return node->snapshot;
}

/* A long one says now and then how far it is. */
static void snapshot_tell(struct rg_node *node, struct rg_snapshot *snapshot)
{
    if (node->now.mono_us - snapshot->told_us < SNAPSHOT_TELL_US)
        return;
    snapshot->told_us = node->now.mono_us;
    node_say(node, RG_LOG_NOTICE, "Snapshot at offset %llu: %llu of %llu keys, %llu bytes of RDB",
             (unsigned long long)snapshot->offset, (unsigned long long)snapshot->keys,
             (unsigned long long)snapshot->keys_total,
             (unsigned long long)snapshot_window_end(&snapshot->window));
}

static void snapshot_finish(struct rg_node *node)
{
    while (node->snapshot != NULL) {
        if (snapshot_step(node, UINT64_MAX))
            snapshot_end(node);
    }
}

void snapshot_take(struct rg_node *node, struct rg_buf *out)
{
    snapshot_finish(node);
    snapshot_begin(node);
    struct rg_snapshot *snapshot = node->snapshot;
    snapshot->refs++;
    snapshot_finish(node);
    for (uint64_t at = 0; at < snapshot_window_end(&snapshot->window);) {
        struct rg_bytes run = snapshot_window_read(&snapshot->window, at);
        rg_buf_append_bytes(out, run);
        at += run.len;
    }
    snapshot_unref(snapshot);
}

void snapshot_run(struct rg_node *node)
{
    struct rg_snapshot *snapshot = node->snapshot;

    if (snapshot == NULL) {
        /* One that was given up is walked to its end all the same. */
        if (rg_store_snapshot_pending(node->store))
            (void)snapshot_slice(node);
        return;
    }
    if (snapshot->refs == 1) {
        /* Everybody who wanted it is gone. */
        snapshot_drop(node);
        return;
    }
    snapshot->refs++; /* it may end here */
    snapshot_tell(node, snapshot);
    do {
        if (!snapshot_waits(node) && snapshot_slice(node))
            snapshot_end(node);
        save_run(node);
        spool_run(node);
        snapshot_trim(node, snapshot);
    } while (node->stopping && node->snapshot != NULL && !snapshot_waits(node));
    snapshot_unref(snapshot);
    serve_wake(node);
}

int64_t snapshot_deadline(const struct rg_node *node)
{
    bool waits = node->snapshot == NULL ? !rg_store_snapshot_pending(node->store)
                                        : node->snapshot->refs > 1 && snapshot_waits(node);

    return waits ? RG_NEVER : node->now.mono_us;
}

void snapshot_drop(struct rg_node *node)
{
    if (node->snapshot == NULL)
        return;
    rg_store_snapshot_cancel(node->store);
    snapshot_unref(node->snapshot);
    node->snapshot = NULL;
}

void snapshot_unref(struct rg_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    RG_ASSERT(snapshot->refs > 0);
    if (--snapshot->refs > 0)
        return;
    rg_rdb_writer_fini(&snapshot->writer);
    snapshot_parts_fini(snapshot);
    snapshot_window_fini(&snapshot->window);
    rg_free(snapshot);
}
