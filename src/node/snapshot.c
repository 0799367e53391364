#include "base/alloc.h"
#include "base/panic.h"
#include "node/node_impl.h"
#include "node/value.h"
#include "node/version.h"

/*
 * The keyspace as an RDB, as it was at one offset of the log. It is written in slices, one a run,
 * while commands go on (store.h, "A snapshot without a pause"). Replicas that ask while one is
 * being written share it.
 */

enum { SNAPSHOT_SLICE = 512 }; /* entries a run: some tenths of a millisecond */

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

static void snapshot_entry(void *arg, unsigned db, struct rg_entry *entry)
{
    struct rg_snapshot *snapshot = arg;

    if (snapshot->db != (int)db) {
        snapshot->db = (int)db;
        /* A hint: some may have gone since the snapshot began, and some have come. */
        const struct rg_db *now = rg_store_db(snapshot->store, db);
        rg_rdb_write_db(&snapshot->writer, db, rg_db_count(now), rg_db_count_expiring(now));
    }
    if (snapshot->access != NULL)
        value_save_access(&snapshot->writer, snapshot->access, snapshot->now->mono_us, entry);
    value_save(&snapshot->writer, entry);
}

/* The policies that look at how keys were used. */
static bool snapshot_wants_access(const struct rg_node *node)
{
    int64_t policy = node->config->maxmemory_policy;

    return node->access.lfu || policy == RG_POLICY_ALLKEYS_LRU || policy == RG_POLICY_VOLATILE_LRU;
}

static struct rg_snapshot *snapshot_begin(struct rg_node *node)
{
    struct rg_snapshot *snapshot = RG_NEW(struct rg_snapshot);

    snapshot->refs = 1;
    snapshot->access = snapshot_wants_access(node) ? &node->access : NULL;
    snapshot->now = &node->now;
    snapshot->store = node->store;
    snapshot->offset = node_log_end(node);
    snapshot->db = -1;
    snapshot->began_us = node->now.mono_us;
    memcpy(snapshot->replid, feed_replid(node), sizeof(snapshot->replid));
    rg_rdb_write_begin(&snapshot->writer, &snapshot->bytes, node->config->rdbcompression,
                       node->config->rdbchecksum);
    snapshot_head(node, &snapshot->writer);
    int result = rg_store_snapshot_begin(node->store, snapshot_entry, snapshot);
    RG_ASSERT(result == 0);
    /* Whoever reads the log from here on begins without a selected database. */
    node->feed_db = -1;
    node->snapshot = snapshot;
    return snapshot;
}

static void snapshot_slice(struct rg_node *node, uint64_t entries)
{
    struct rg_snapshot *snapshot = node->snapshot;

    if (!rg_store_snapshot_step(node->store, entries))
        return;
    rg_rdb_write_end(&snapshot->writer);
    snapshot->done = true;
    node->snapshot = NULL;
    node_say(node, RG_LOG_NOTICE, "Snapshot at offset %llu complete: %zu bytes of RDB, %lld ms",
             (unsigned long long)snapshot->offset, rg_buf_len(&snapshot->bytes),
             (long long)((node->now.mono_us - snapshot->began_us) / RG_MS_US));
    serve_snapshot_done(node, snapshot);
    snapshot_unref(snapshot);
}

struct rg_snapshot *snapshot_share(struct rg_node *node)
{
    /* One of another replication id says so in its head: it serves nobody new. */
    while (node->snapshot != NULL && strcmp(node->snapshot->replid, feed_replid(node)) != 0)
        snapshot_slice(node, UINT64_MAX);
    if (node->snapshot == NULL)
        (void)snapshot_begin(node);
    node->snapshot->refs++;
    return node->snapshot;
}

struct rg_snapshot *snapshot_take(struct rg_node *node)
{
    while (node->snapshot != NULL)
        snapshot_slice(node, UINT64_MAX);
    struct rg_snapshot *snapshot = snapshot_begin(node);
    snapshot->refs++;
    while (!snapshot->done)
        snapshot_slice(node, UINT64_MAX);
    return snapshot;
}

void snapshot_run(struct rg_node *node)
{
    if (node->snapshot == NULL)
        return;
    if (node->snapshot->refs == 1) {
        /* Everybody who wanted it is gone. */
        snapshot_drop(node);
        return;
    }
    snapshot_slice(node, SNAPSHOT_SLICE);
    serve_wake(node);
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
    rg_buf_fini(&snapshot->bytes);
    rg_free(snapshot);
}
