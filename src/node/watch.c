#include "node/watch.h"

#include "base/alloc.h"
#include "node/wanted.h"

/*
 * WATCH: a transaction is not run where a key that its client watches was changed meanwhile. A key
 * that was past its expiry when the watch began counts as one that is not there; its deletion is no
 * change.
 */
struct watch {
    struct rg_list link; /* in the key's watchers */
    struct rg_list own;  /* in conn->watched */
    struct wanted_key *key;
    struct rg_conn *conn;
    bool expired; /* it is there, and was past its time already when the watch began */
};

static bool watch_is_past(const struct rg_node *node, const struct rg_entry *entry)
{
    int64_t expire_ms = entry != NULL ? rg_entry_expire_ms(entry) : RG_NO_EXPIRY;

    return expire_ms != RG_NO_EXPIRY && expire_ms < node->now.wall_us / RG_MS_US;
}

void watch_add(struct rg_node *node, struct rg_conn *conn, struct rg_bytes key)
{
    struct wanted_key *wanted = wanted_get(node, conn->db, key);

    RG_LIST_EACH(link, &conn->watched)
    {
        if (RG_CONTAINER_OF(link, struct watch, own)->key == wanted)
            return;
    }
    struct watch *watch = RG_NEW(struct watch);
    watch->key = wanted;
    watch->conn = conn;
    watch->expired = watch_is_past(node, wanted_entry(node, wanted));
    rg_list_append(&wanted->watchers, &watch->link);
    rg_list_append(&conn->watched, &watch->own);
}

static void watch_end(struct rg_node *node, struct watch *watch)
{
    rg_list_remove(&watch->link);
    rg_list_remove(&watch->own);
    wanted_release(node, watch->key);
    rg_free(watch);
}

void watch_drop(struct rg_node *node, struct rg_conn *conn)
{
    RG_LIST_EACH(link, &conn->watched)
    {
        watch_end(node, RG_CONTAINER_OF(link, struct watch, own));
    }
    conn->watch_failed = false;
}

bool watch_failed(const struct rg_node *node, const struct rg_conn *conn)
{
    if (conn->watch_failed)
        return true;
    RG_LIST_EACH(link, &conn->watched)
    {
        const struct watch *watch = RG_CONTAINER_OF(link, struct watch, own);
        if (!watch->expired && watch_is_past(node, wanted_entry(node, watch->key)))
            return true;
    }
    return false;
}

void watch_touch(struct rg_node *node, struct wanted_key *key)
{
    bool there = wanted_entry(node, key) != NULL;

    RG_LIST_EACH(link, &key->watchers)
    {
        struct watch *watch = RG_CONTAINER_OF(link, struct watch, link);
        if (!watch->expired)
            watch->conn->watch_failed = true;
        else if (!there)
            watch->expired = false; /* what was as good as gone is gone */
        else
            watch->conn->watch_failed = true;
    }
}

void watch_mark_existing(struct rg_node *node)
{
    RG_LIST_EACH(link, wanted_all(node))
    {
        struct wanted_key *key = RG_CONTAINER_OF(link, struct wanted_key, all);
        key->existed = wanted_entry(node, key) != NULL;
    }
}

static void watch_replaced_one(struct watch *watch, bool existed, bool there, bool past)
{
    if (watch->expired && !there)
        watch->expired = false;
    else if (watch->expired && past)
        return; /* it was past its time, and the one in its place is */
    else if (!watch->expired && !existed && past)
        watch->expired = true;
    else
        watch->conn->watch_failed = true;
}

void watch_replaced(struct rg_node *node, struct wanted_key *key)
{
    const struct rg_entry *entry = wanted_entry(node, key);
    bool past = watch_is_past(node, entry);

    if (!key->existed && entry == NULL)
        return;
    RG_LIST_EACH(link, &key->watchers)
    {
        watch_replaced_one(RG_CONTAINER_OF(link, struct watch, link), key->existed, entry != NULL,
                           past);
    }
}
