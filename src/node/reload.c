#include "base/panic.h"
#include "node/node_impl.h"
#include "node/notify.h"
#include "node/value.h"

/*
 * DEBUG RELOAD: the keyspace goes through an RDB and back, so that a test can see that nothing is
 * lost on the way.
 */

static void reload_event(struct value_load *load, const struct rg_rdb_event *event)
{
    int result = 0;

    if (event->type == RG_RDB_DB)
        value_load_db(load, event->db);
    else if (event->type == RG_RDB_SIZE)
        value_load_size(load, event->count);
    else if (value_is_key(event->type))
        result = value_load_key(load, event->key, event);
    else if (value_is_element(event->type))
        result = value_load_element(load, event);
    RG_ASSERT(result == 0); /* it is our own */
}

static void reload_read(struct rg_node *node, struct rg_bytes file)
{
    struct rg_rdb_reader *reader = rg_rdb_reader_new();
    struct value_load load = {.access = &node->access, .now = &node->now, .store = node->store};
    struct rg_rdb_event event = {.type = RG_RDB_AUX};

    rg_rdb_reader_take_runs(reader);
    rg_rdb_reader_feed(reader, file);
    while (rg_rdb_reader_next(reader, &event) == 0)
        reload_event(&load, &event);
    RG_ASSERT(event.type == RG_RDB_END);
    rg_rdb_reader_free(reader);
}

void snapshot_reload(struct rg_node *node)
{
    struct rg_buf file = {0};

    snapshot_take(node, &file);
    notify_replace(node);
    for (unsigned i = 0; i < rg_store_databases(node->store); i++)
        (void)rg_db_flush(rg_store_db(node->store, i));
    reload_read(node, rg_buf_view(&file));
    notify_replaced(node);
    rg_buf_fini(&file);
}
