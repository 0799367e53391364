#include "node/tracking.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "store/pool.h"

/*
 * Keys that clients remember. A key has its clients, a client its keys; both ends go at the first
 * change, since the client has to ask again then.
 */
struct tracked_key {
    struct rg_list age;   /* in rg_tracking.by_age */
    struct rg_list items; /* of struct tracked_item */
    size_t len;
    char name[];
};

struct tracked_item {
    struct rg_list link; /* in its key */
    struct rg_list own;  /* in its client */
    struct tracked_key *key;
    struct tracking_client *client;
};

static struct rg_bytes tracked_name(const void *item)
{
    const struct tracked_key *key = item;

    return rg_bytes(key->name, key->len);
}

struct rg_tracking *tracking_new(void)
{
    struct rg_tracking *tracking = RG_NEW(struct rg_tracking);

    rg_list_init(&tracking->clients);
    rg_list_init(&tracking->by_age);
    rg_list_init(&tracking->prefixes);
    return tracking;
}

void tracking_free(struct rg_tracking *tracking)
{
    if (tracking == NULL)
        return;
    RG_ASSERT(rg_list_empty(&tracking->clients) && rg_list_empty(&tracking->prefixes));
    RG_ASSERT(tracking->items == 0 && tracking->keys.count == 0);
    if (tracking->pool != NULL)
        rg_table_fini(&tracking->keys);
    rg_pool_delete(tracking->pool);
    rg_buf_fini(&tracking->pending);
    rg_free(tracking);
}

uint64_t tracking_memory(const struct rg_node *node)
{
    const struct rg_tracking *tracking = node->tracking;

    return tracking->bytes + (tracking->pool != NULL ? rg_table_memory(&tracking->keys) : 0);
}

/* ---- Messages ---- */

bool tracking_tell_begin(struct rg_node *node, struct tracking_client *client,
                         struct tracking_message *ret_message)
{
    struct rg_conn *conn = client->conn;
    bool redirected = client->redirect_id != 0;
    bool broken = redirected && client->other == NULL;

    if (broken)
        client->flags |= TRACKING_BROKEN;
    else if (redirected)
        conn = client->other;
    if (conn->closing || (conn->proto < 3 && (broken || !redirected || conn->subscriptions == 0)))
        return false;
    *ret_message = (struct tracking_message){.conn = conn, .reply = conn_reply(conn)};
    conn_push_begin(conn, &ret_message->mark);
    if (broken) {
        rg_reply_push(&ret_message->reply, 2);
        rg_reply_bulk_str(&ret_message->reply, "tracking-redir-broken");
        rg_reply_i64(&ret_message->reply, (int64_t)client->redirect_id);
        tracking_tell_end(node, ret_message);
        return false;
    }
    rg_reply_push(&ret_message->reply, conn->proto < 3 ? 3 : 2);
    rg_reply_bulk_str(&ret_message->reply, conn->proto < 3 ? "message" : "invalidate");
    if (conn->proto < 3)
        rg_reply_bulk_str(&ret_message->reply, "__redis__:invalidate");
    return true;
}

void tracking_tell_end(struct rg_node *node, struct tracking_message *message)
{
    conn_push_end(node, message->conn, message->mark);
}

/* Nobody's key: all of them went. */
static void tracking_tell(struct rg_node *node, struct tracking_client *client,
                          const struct rg_bytes *key)
{
    struct rg_tracking *tracking = node->tracking;
    struct tracking_message message;
    size_t len = key != NULL ? key->len : SIZE_MAX;

    if (client->conn == tracking->held) {
        rg_buf_append(&tracking->pending, &len, sizeof(len));
        if (key != NULL)
            rg_buf_append_bytes(&tracking->pending, *key);
        return;
    }
    if (!tracking_tell_begin(node, client, &message))
        return;
    if (key != NULL) {
        rg_reply_array(&message.reply, 1);
        rg_reply_bulk(&message.reply, *key);
    } else {
        message.reply.proto = client->conn->proto; /* a null as the client itself knows it */
        rg_reply_null(&message.reply);
    }
    tracking_tell_end(node, &message);
}

void tracking_hold(struct rg_node *node, const struct rg_conn *conn)
{
    node->tracking->held = conn;
}

void tracking_settle(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_tracking *tracking = node->tracking;
    size_t len = 0;

    if (tracking->held != conn)
        return;
    tracking->held = NULL;
    while (rg_buf_len(&tracking->pending) > 0) {
        memcpy(&len, rg_buf_view(&tracking->pending).data, sizeof(len));
        rg_buf_consume(&tracking->pending, sizeof(len));
        struct rg_bytes key = {rg_buf_view(&tracking->pending).data, len};
        if (conn->tracking != NULL)
            tracking_tell(node, conn->tracking, len == SIZE_MAX ? NULL : &key);
        if (len != SIZE_MAX)
            rg_buf_consume(&tracking->pending, len);
    }
    rg_buf_fini(&tracking->pending);
}

/* ---- Keys ---- */

static void tracked_free_key(struct rg_tracking *tracking, struct tracked_key *key)
{
    rg_list_remove(&key->age);
    tracking->bytes -= sizeof(*key) + key->len;
    rg_free(key);
}

static void tracked_drop_key(struct rg_tracking *tracking, struct tracked_key *key)
{
    struct rg_bytes name = tracked_name(key);
    void *removed = rg_table_remove(&tracking->keys, name, rg_table_hash(&tracking->keys, name));

    RG_ASSERT(removed == key);
    tracked_free_key(tracking, key);
}

static void tracked_drop_item(struct rg_tracking *tracking, struct tracked_item *item)
{
    rg_list_remove(&item->link);
    rg_list_remove(&item->own);
    tracking->items--;
    tracking->bytes -= sizeof(*item);
    rg_free(item);
}

/* Tells all who remember the key, and forgets it. */
static void tracked_invalidate(struct rg_node *node, const struct rg_conn *by,
                               struct tracked_key *key)
{
    struct rg_bytes name = tracked_name(key);

    RG_LIST_EACH(link, &key->items)
    {
        struct tracked_item *item = RG_CONTAINER_OF(link, struct tracked_item, link);
        struct tracking_client *client = item->client;
        tracked_drop_item(node->tracking, item);
        if (!(client->flags & TRACKING_NOLOOP) || client->conn != by)
            tracking_tell(node, client, &name);
    }
    tracked_drop_key(node->tracking, key);
}

static struct tracked_key *tracked_find(const struct rg_tracking *tracking, struct rg_bytes name)
{
    if (tracking->pool == NULL)
        return NULL;
    return rg_table_find(&tracking->keys, name, rg_table_hash(&tracking->keys, name));
}

static struct tracked_key *tracked_get(struct rg_node *node, struct rg_bytes name)
{
    struct rg_tracking *tracking = node->tracking;

    if (tracking->pool == NULL) {
        tracking->pool = rg_pool_new();
        rg_table_init(&tracking->keys, tracking->pool, rg_rand_u64(&node->rand), tracked_name);
    }
    struct tracked_key *key = tracked_find(tracking, name);
    if (key != NULL)
        return key;
    key = rg_alloc(sizeof(*key) + name.len);
    key->len = name.len;
    if (name.len > 0)
        memcpy(key->name, name.data, name.len);
    rg_list_init(&key->items);
    rg_list_append(&tracking->by_age, &key->age);
    rg_table_insert(&tracking->keys, key, rg_table_hash(&tracking->keys, name));
    tracking->bytes += sizeof(*key) + name.len;
    return key;
}

static void tracked_add(struct rg_node *node, struct tracking_client *client, struct rg_bytes name)
{
    struct tracked_key *key = tracked_get(node, name);

    RG_LIST_EACH(link, &key->items)
    {
        if (RG_CONTAINER_OF(link, struct tracked_item, link)->client == client)
            return;
    }
    struct tracked_item *item = RG_NEW(struct tracked_item);
    item->key = key;
    item->client = client;
    rg_list_append(&key->items, &item->link);
    rg_list_append(&client->items, &item->own);
    node->tracking->items++;
    node->tracking->bytes += sizeof(*item);
}

/* tracking-table-max-keys: who remembers the oldest ones has to forget them. */
static void tracked_bound(struct rg_node *node)
{
    struct rg_tracking *tracking = node->tracking;
    int64_t max = node->config->tracking_table_max_keys;

    while (max > 0 && tracking->keys.count > (uint64_t)max)
        tracked_invalidate(node, NULL,
                           RG_CONTAINER_OF(tracking->by_age.next, struct tracked_key, age));
}

void tracking_remember(const struct rg_call *call)
{
    enum { FEW = 16 };
    struct tracking_client *client = call->conn->tracking;
    bool caching = (client->flags & TRACKING_CACHING) != 0;
    struct rg_key_use few[FEW];
    struct rg_key_use *keys = few;

    if (!(call->command->flags & RG_CMD_READONLY) || (client->flags & TRACKING_BCAST) ||
        ((client->flags & TRACKING_OPTIN) && !caching) ||
        ((client->flags & TRACKING_OPTOUT) && caching))
        return;
    if (call->argc > FEW)
        keys = RG_NEW_ARRAY(struct rg_key_use, (size_t)call->argc);
    int count = rg_cmd_keys(call->command, call->argv, call->argc, keys,
                            call->argc > FEW ? call->argc : FEW);
    for (int i = 0; i < count; i++)
        tracked_add(call->node, client, call->argv[keys[i].position]);
    if (keys != few)
        rg_free(keys);
    tracked_bound(call->node);
}

void tracking_changed(struct rg_node *node, const struct rg_conn *by, struct rg_bytes key)
{
    struct tracked_key *tracked = tracked_find(node->tracking, key);

    if (tracked != NULL)
        tracked_invalidate(node, by, tracked);
    if (node->tracking->prefix_count > 0)
        prefix_changed(node, by, key);
}

void tracking_flushed(struct rg_node *node)
{
    struct rg_tracking *tracking = node->tracking;

    RG_LIST_EACH(link, &tracking->by_age)
    {
        struct tracked_key *key = RG_CONTAINER_OF(link, struct tracked_key, age);
        RG_LIST_EACH(item, &key->items)
        {
            tracked_drop_item(tracking, RG_CONTAINER_OF(item, struct tracked_item, link));
        }
        tracked_drop_key(tracking, key);
    }
    RG_LIST_EACH(link, &tracking->clients)
    {
        tracking_tell(node, RG_CONTAINER_OF(link, struct tracking_client, link), NULL);
    }
}

/* ---- Clients ---- */

void tracking_begin(struct rg_node *node, struct rg_conn *conn, unsigned flags,
                    struct rg_conn *redirect)
{
    struct tracking_client *client = conn->tracking;

    if (client == NULL) {
        client = conn->tracking = RG_NEW(struct tracking_client);
        client->conn = conn;
        rg_list_init(&client->items);
        rg_list_init(&client->hears);
        rg_list_append(&node->tracking->clients, &client->link);
        node->tracking_clients++;
    }
    client->flags = flags | (client->flags & TRACKING_CACHING);
    client->redirect_id = redirect != NULL ? redirect->id : 0;
    client->other = redirect;
}

void tracking_end(struct rg_node *node, struct rg_conn *conn)
{
    struct tracking_client *client = conn->tracking;

    if (client == NULL)
        return;
    prefix_drop_all(node, client);
    RG_LIST_EACH(link, &client->items)
    {
        struct tracked_item *item = RG_CONTAINER_OF(link, struct tracked_item, own);
        struct tracked_key *key = item->key;
        tracked_drop_item(node->tracking, item);
        if (rg_list_empty(&key->items))
            tracked_drop_key(node->tracking, key);
    }
    rg_list_remove(&client->link);
    RG_ASSERT(node->tracking_clients > 0);
    node->tracking_clients--;
    conn->tracking = NULL;
    rg_free(client);
}

void tracking_conn_gone(struct rg_node *node, struct rg_conn *conn)
{
    tracking_end(node, conn);
    if (node->tracking->held == conn)
        tracking_settle(node, conn);
    if (node->tracking_clients == 0)
        return;
    RG_LIST_EACH(link, &node->tracking->clients)
    {
        struct tracking_client *client = RG_CONTAINER_OF(link, struct tracking_client, link);
        if (client->other == conn)
            client->other = NULL;
    }
}

void tracking_command_over(const struct rg_call *call)
{
    const struct rg_command *command = call->command;

    /* Within a transaction it holds for all that is queued. */
    if (call->conn->multi == NULL &&
        (command == NULL || command->parent != rg_cmd_by_id(RG_CMD_ID_client)))
        call->conn->tracking->flags &= ~(unsigned)TRACKING_CACHING;
}
