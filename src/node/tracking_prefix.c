#include <stdlib.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "node/tracking.h"

/*
 * Tracking by prefix (BCAST). A prefix keeps the keys that changed during a run of the node, and
 * its clients are told of all of them in one message.
 */
struct prefix_news {
    size_t at; /* of the key, in names */
    size_t len;
    uint64_t by; /* id of the client that changed it last; 0 */
    uint64_t order;
};

struct tracking_prefix {
    struct rg_list link;      /* in rg_tracking.prefixes, by name */
    struct rg_list clients;   /* of struct prefix_client */
    struct prefix_news *news; /* owned */
    size_t count;
    size_t cap;
    struct rg_buf names;
    size_t len;
    char name[];
};

struct prefix_client {
    struct rg_list link; /* in its prefix */
    struct rg_list own;  /* in its client, by name */
    struct tracking_prefix *prefix;
    struct tracking_client *client;
    struct rg_bytes name; /* the prefix's */
};

static struct rg_bytes prefix_name(const struct tracking_prefix *prefix)
{
    return rg_bytes(prefix->name, prefix->len);
}

static bool prefix_begins(struct rg_bytes text, struct rg_bytes prefix)
{
    return text.len >= prefix.len && memcmp(text.data, prefix.data, prefix.len) == 0;
}

const struct rg_bytes *prefix_overlap(const struct tracking_client *client, struct rg_bytes prefix)
{
    RG_LIST_EACH(link, &client->hears)
    {
        const struct prefix_client *it = RG_CONTAINER_OF(link, struct prefix_client, own);
        if (prefix_begins(it->name, prefix) || prefix_begins(prefix, it->name))
            return &it->name;
    }
    return NULL;
}

/* The prefix, or the one before which it belongs; NULL: it belongs at the end. */
static struct tracking_prefix *prefix_place(const struct rg_tracking *tracking,
                                            struct rg_bytes name)
{
    RG_LIST_EACH(link, &tracking->prefixes)
    {
        struct tracking_prefix *it = RG_CONTAINER_OF(link, struct tracking_prefix, link);
        if (rg_bytes_compare(prefix_name(it), name) >= 0)
            return it;
    }
    return NULL;
}

static struct tracking_prefix *prefix_get(struct rg_tracking *tracking, struct rg_bytes name)
{
    struct tracking_prefix *place = prefix_place(tracking, name);

    if (place != NULL && rg_bytes_equal(prefix_name(place), name))
        return place;
    struct tracking_prefix *prefix = rg_alloc(sizeof(*prefix) + name.len);
    memset(prefix, 0, sizeof(*prefix));
    prefix->len = name.len;
    if (name.len > 0)
        memcpy(prefix->name, name.data, name.len);
    rg_list_init(&prefix->clients);
    rg_list_append(place != NULL ? &place->link : &tracking->prefixes, &prefix->link);
    tracking->prefix_count++;
    return prefix;
}

void prefix_add(struct rg_node *node, struct tracking_client *client, struct rg_bytes name)
{
    struct tracking_prefix *prefix = prefix_get(node->tracking, name);
    struct rg_list *before = &client->hears;

    RG_LIST_EACH(link, &client->hears)
    {
        const struct prefix_client *it = RG_CONTAINER_OF(link, struct prefix_client, own);
        int order = rg_bytes_compare(it->name, name);
        if (order == 0)
            return;
        if (order > 0) {
            before = link;
            break;
        }
    }
    struct prefix_client *entry = RG_NEW(struct prefix_client);
    entry->prefix = prefix;
    entry->client = client;
    entry->name = prefix_name(prefix);
    rg_list_append(&prefix->clients, &entry->link);
    rg_list_append(before, &entry->own);
}

static void prefix_free(struct rg_tracking *tracking, struct tracking_prefix *prefix)
{
    rg_list_remove(&prefix->link);
    tracking->prefix_count--;
    rg_free(prefix->news);
    rg_buf_fini(&prefix->names);
    rg_free(prefix);
}

void prefix_drop_all(struct rg_node *node, struct tracking_client *client)
{
    RG_LIST_EACH(link, &client->hears)
    {
        struct prefix_client *entry = RG_CONTAINER_OF(link, struct prefix_client, own);
        struct tracking_prefix *prefix = entry->prefix;
        rg_list_remove(&entry->link);
        rg_list_remove(&entry->own);
        rg_free(entry);
        if (rg_list_empty(&prefix->clients))
            prefix_free(node->tracking, prefix);
    }
}

int64_t prefix_each(const struct tracking_client *client,
                    void (*visit)(void *arg, struct rg_bytes prefix), void *arg)
{
    int64_t count = 0;

    RG_LIST_EACH(link, &client->hears)
    {
        count++;
        if (visit != NULL)
            visit(arg, RG_CONTAINER_OF(link, struct prefix_client, own)->name);
    }
    return count;
}

/* ---- News ---- */

static void prefix_keep(struct tracking_prefix *prefix, uint64_t by, struct rg_bytes key)
{
    if (prefix->count == prefix->cap) {
        prefix->cap = prefix->cap > 0 ? 2 * prefix->cap : 8;
        prefix->news = rg_realloc(prefix->news, prefix->cap * sizeof(*prefix->news));
    }
    prefix->news[prefix->count] =
        (struct prefix_news){rg_buf_len(&prefix->names), key.len, by, prefix->count};
    prefix->count++;
    rg_buf_append_bytes(&prefix->names, key);
}

void prefix_changed(struct rg_node *node, const struct rg_conn *by, struct rg_bytes key)
{
    RG_LIST_EACH(link, &node->tracking->prefixes)
    {
        struct tracking_prefix *prefix = RG_CONTAINER_OF(link, struct tracking_prefix, link);
        if (!prefix_begins(key, prefix_name(prefix)))
            continue;
        prefix_keep(prefix, by != NULL ? by->id : 0, key);
        node->tracking->prefix_news = true;
    }
}

static struct rg_bytes news_key(const struct tracking_prefix *prefix, const struct prefix_news *one)
{
    return one->len > 0 ? rg_bytes(rg_buf_view(&prefix->names).data + one->at, one->len)
                        : RG_BYTES("");
}

static int news_order(const void *a, const void *b, void *arg)
{
    const struct prefix_news *one = a;
    const struct prefix_news *other = b;
    int order = rg_bytes_compare(news_key(arg, one), news_key(arg, other));

    return order != 0 ? order : one->order < other->order ? -1 : 1;
}

/* Each key once, in order, with the client that changed it last. */
static void news_settle(struct tracking_prefix *prefix)
{
    size_t kept = 0;

    qsort_r(prefix->news, prefix->count, sizeof(*prefix->news), news_order, prefix);
    for (size_t i = 0; i < prefix->count; i++) {
        bool last =
            i + 1 == prefix->count || !rg_bytes_equal(news_key(prefix, &prefix->news[i]),
                                                      news_key(prefix, &prefix->news[i + 1]));
        if (last)
            prefix->news[kept++] = prefix->news[i];
    }
    prefix->count = kept;
}

static void news_tell(struct rg_node *node, const struct tracking_prefix *prefix,
                      struct tracking_client *client)
{
    uint64_t own = client->flags & TRACKING_NOLOOP ? client->conn->id : UINT64_MAX;
    struct tracking_message message;
    int64_t count = 0;

    for (size_t i = 0; i < prefix->count; i++)
        count += prefix->news[i].by != own;
    if (count == 0 || !tracking_tell_begin(node, client, &message))
        return;
    rg_reply_array(&message.reply, count);
    for (size_t i = 0; i < prefix->count; i++) {
        if (prefix->news[i].by != own)
            rg_reply_bulk(&message.reply, news_key(prefix, &prefix->news[i]));
    }
    tracking_tell_end(node, &message);
}

void prefix_tell(struct rg_node *node)
{
    if (!node->tracking->prefix_news)
        return;
    node->tracking->prefix_news = false;
    RG_LIST_EACH(link, &node->tracking->prefixes)
    {
        struct tracking_prefix *prefix = RG_CONTAINER_OF(link, struct tracking_prefix, link);
        if (prefix->count == 0)
            continue;
        news_settle(prefix);
        RG_LIST_EACH(it, &prefix->clients)
        {
            news_tell(node, prefix, RG_CONTAINER_OF(it, struct prefix_client, link)->client);
        }
        prefix->count = 0;
        rg_buf_reset(&prefix->names, 64 * 1024);
    }
}
