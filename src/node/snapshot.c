#include <stdio.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "node/node_impl.h"
#include "node/version.h"

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
        rg_buf_fini(&line);
    }
}

static void snapshot_hash(struct rg_rdb_writer *writer, const struct rg_entry *entry)
{
    struct rg_hash_iter iter;
    struct rg_bytes field;
    struct rg_bytes value;

    rg_rdb_write_hash(writer, rg_entry_key(entry), rg_entry_expire_ms(entry), rg_hash_len(entry));
    rg_hash_iter_init(&iter, entry);
    while (rg_hash_iter_next(&iter, &field, &value))
        rg_rdb_write_hash_field(writer, field, value);
}

static void snapshot_db(struct rg_node *node, struct rg_rdb_writer *writer, unsigned index)
{
    struct rg_db *db = rg_store_db(node->store, index);
    struct rg_db_iter iter;
    char scratch[RG_STRING_SCRATCH];

    if (rg_db_count(db) == 0)
        return;
    rg_rdb_write_db(writer, index, rg_db_count(db), rg_db_count_expiring(db));
    rg_db_iter_init(&iter, db);
    for (struct rg_entry *entry = rg_db_iter_next(&iter); entry; entry = rg_db_iter_next(&iter)) {
        if (rg_entry_type(entry) == RG_TYPE_HASH)
            snapshot_hash(writer, entry);
        else
            rg_rdb_write_string(writer, rg_entry_key(entry), rg_entry_expire_ms(entry),
                                rg_string_get(entry, scratch));
    }
}

struct rg_snapshot *snapshot_take(struct rg_node *node)
{
    struct rg_snapshot *snapshot = RG_NEW(struct rg_snapshot);
    struct rg_rdb_writer writer;

    snapshot->refs = 1;
    snapshot->offset = node_log_end(node);
    rg_rdb_write_begin(&writer, &snapshot->bytes, node->config->rdbcompression,
                       node->config->rdbchecksum);
    snapshot_head(node, &writer);
    for (unsigned i = 0; i < rg_store_databases(node->store); i++)
        snapshot_db(node, &writer, i);
    rg_rdb_write_end(&writer);
    return snapshot;
}

struct rg_snapshot *snapshot_ref(struct rg_snapshot *snapshot)
{
    snapshot->refs++;
    return snapshot;
}

void snapshot_unref(struct rg_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    RG_ASSERT(snapshot->refs > 0);
    if (--snapshot->refs > 0)
        return;
    rg_buf_fini(&snapshot->bytes);
    rg_free(snapshot);
}
