#include "node/pubsub.h"
#include "base/alloc.h"
#include "base/glob.h"
#include "base/hash.h"
#include "base/panic.h"

/*
 * Publish and subscribe. A topic is a channel or a pattern with the list of its subscribers; a
 * subscription hangs in its topic's list and in its client's. Channels are found by hash, patterns
 * are tried one after the other.
 */

enum { PUBSUB_BUCKETS = 1024 };

struct pubsub_topic {
    struct rg_list link; /* in a bucket, or in patterns */
    struct rg_list subscriptions;
    uint64_t subscribers;
    char *name; /* owned */
    size_t len;
};

struct pubsub_subscription {
    struct rg_list link; /* in its topic */
    struct rg_list own;  /* in conn->subscribed */
    struct pubsub_topic *topic;
    struct rg_conn *conn;
    enum pubsub_kind kind;
};

struct rg_pubsub {
    struct rg_list channels[PUBSUB_BUCKETS];
    struct rg_list shards[PUBSUB_BUCKETS];
    struct rg_list patterns;
    uint64_t counts[PUBSUB_KINDS];
};

struct rg_pubsub *pubsub_new(void)
{
    struct rg_pubsub *pubsub = RG_NEW(struct rg_pubsub);

    for (int i = 0; i < PUBSUB_BUCKETS; i++) {
        rg_list_init(&pubsub->channels[i]);
        rg_list_init(&pubsub->shards[i]);
    }
    rg_list_init(&pubsub->patterns);
    return pubsub;
}

static struct rg_bytes topic_name(const struct pubsub_topic *topic)
{
    return rg_bytes(topic->name, topic->len);
}

static struct rg_list *topic_list(struct rg_pubsub *pubsub, enum pubsub_kind kind,
                                  struct rg_bytes name)
{
    if (kind == PUBSUB_PATTERN)
        return &pubsub->patterns;
    struct rg_list *buckets = kind == PUBSUB_SHARD ? pubsub->shards : pubsub->channels;
    return &buckets[rg_hash64(name, 0) % PUBSUB_BUCKETS];
}

static struct pubsub_topic *topic_find(struct rg_pubsub *pubsub, enum pubsub_kind kind,
                                       struct rg_bytes name)
{
    struct rg_list *list = topic_list(pubsub, kind, name);

    RG_LIST_EACH(link, list)
    {
        struct pubsub_topic *topic = RG_CONTAINER_OF(link, struct pubsub_topic, link);
        if (rg_bytes_equal(topic_name(topic), name))
            return topic;
    }
    return NULL;
}

static void subscription_end(struct rg_pubsub *pubsub, struct pubsub_subscription *subscription)
{
    struct pubsub_topic *topic = subscription->topic;

    rg_list_remove(&subscription->link);
    rg_list_remove(&subscription->own);
    RG_ASSERT(topic->subscribers > 0 && subscription->conn->subscriptions > 0);
    subscription->conn->subscriptions--;
    subscription->conn->patterns -= subscription->kind == PUBSUB_PATTERN;
    subscription->conn->shards -= subscription->kind == PUBSUB_SHARD;
    if (--topic->subscribers == 0) {
        pubsub->counts[subscription->kind]--;
        rg_list_remove(&topic->link);
        rg_free(topic->name);
        rg_free(topic);
    }
    rg_free(subscription);
}

void pubsub_free(struct rg_pubsub *pubsub)
{
    if (pubsub == NULL)
        return;
    for (int kind = 0; kind < PUBSUB_KINDS; kind++)
        RG_ASSERT(pubsub->counts[kind] == 0);
    rg_free(pubsub);
}

static struct pubsub_subscription *subscription_find(const struct pubsub_topic *topic,
                                                     const struct rg_conn *conn)
{
    RG_LIST_EACH(link, &topic->subscriptions)
    {
        struct pubsub_subscription *it = RG_CONTAINER_OF(link, struct pubsub_subscription, link);
        if (it->conn == conn)
            return it;
    }
    return NULL;
}

bool pubsub_subscribe(struct rg_node *node, struct rg_conn *conn, enum pubsub_kind kind,
                      struct rg_bytes name)
{
    struct rg_pubsub *pubsub = node->pubsub;
    struct pubsub_topic *topic = topic_find(pubsub, kind, name);

    if (topic == NULL) {
        topic = RG_NEW(struct pubsub_topic);
        topic->name = rg_alloc_copy(name.data, name.len);
        topic->len = name.len;
        rg_list_init(&topic->subscriptions);
        rg_list_append(topic_list(pubsub, kind, name), &topic->link);
        pubsub->counts[kind]++;
    } else if (subscription_find(topic, conn) != NULL) {
        return false;
    }
    struct pubsub_subscription *subscription = RG_NEW(struct pubsub_subscription);
    subscription->topic = topic;
    subscription->conn = conn;
    subscription->kind = kind;
    rg_list_append(&topic->subscriptions, &subscription->link);
    rg_list_append(&conn->subscribed, &subscription->own);
    topic->subscribers++;
    conn->subscriptions++;
    conn->patterns += kind == PUBSUB_PATTERN;
    conn->shards += kind == PUBSUB_SHARD;
    return true;
}

bool pubsub_unsubscribe(struct rg_node *node, struct rg_conn *conn, enum pubsub_kind kind,
                        struct rg_bytes name)
{
    struct pubsub_topic *topic = topic_find(node->pubsub, kind, name);
    struct pubsub_subscription *subscription = topic ? subscription_find(topic, conn) : NULL;

    if (subscription == NULL)
        return false;
    subscription_end(node->pubsub, subscription);
    return true;
}

bool pubsub_any_of(const struct rg_conn *conn, enum pubsub_kind kind, struct rg_buf *ret_name)
{
    RG_LIST_EACH(link, &conn->subscribed)
    {
        struct pubsub_subscription *it = RG_CONTAINER_OF(link, struct pubsub_subscription, own);
        if (it->kind != kind)
            continue;
        rg_buf_reset(ret_name, SIZE_MAX);
        rg_buf_append_bytes(ret_name, topic_name(it->topic));
        return true;
    }
    return false;
}

void pubsub_client_gone(struct rg_node *node, struct rg_conn *conn)
{
    RG_LIST_EACH(link, &conn->subscribed)
    {
        subscription_end(node->pubsub, RG_CONTAINER_OF(link, struct pubsub_subscription, own));
    }
}

static void pubsub_deliver(struct rg_node *node, const struct pubsub_subscription *subscription,
                           struct rg_bytes channel, struct rg_bytes message)
{
    struct rg_conn *conn = subscription->conn;
    struct rg_reply reply = conn_reply(conn);
    size_t mark = 0;

    conn_push_begin(conn, &mark);
    rg_reply_push(&reply, subscription->kind == PUBSUB_PATTERN ? 4 : 3);
    if (subscription->kind == PUBSUB_PATTERN) {
        rg_reply_bulk_str(&reply, "pmessage");
        rg_reply_bulk(&reply, topic_name(subscription->topic));
    } else {
        rg_reply_bulk_str(&reply, subscription->kind == PUBSUB_SHARD ? "smessage" : "message");
    }
    rg_reply_bulk(&reply, channel);
    rg_reply_bulk(&reply, message);
    conn_push_end(node, conn, mark);
}

static uint64_t pubsub_deliver_all(struct rg_node *node, const struct pubsub_topic *topic,
                                   struct rg_bytes channel, struct rg_bytes message)
{
    uint64_t receivers = 0;

    RG_LIST_EACH(link, &topic->subscriptions)
    {
        pubsub_deliver(node, RG_CONTAINER_OF(link, struct pubsub_subscription, link), channel,
                       message);
        receivers++;
    }
    return receivers;
}

/* To the subscribers of one name. */
static uint64_t pubsub_publish_named(struct rg_node *node, enum pubsub_kind kind,
                                     struct rg_bytes channel, struct rg_bytes message)
{
    struct pubsub_topic *topic = topic_find(node->pubsub, kind, channel);

    return topic != NULL ? pubsub_deliver_all(node, topic, channel, message) : 0;
}

uint64_t pubsub_publish(struct rg_node *node, struct rg_bytes channel, struct rg_bytes message)
{
    uint64_t receivers = pubsub_publish_named(node, PUBSUB_CHANNEL, channel, message);

    RG_LIST_EACH(link, &node->pubsub->patterns)
    {
        struct pubsub_topic *pattern = RG_CONTAINER_OF(link, struct pubsub_topic, link);
        if (rg_glob_match(topic_name(pattern), channel, false))
            receivers += pubsub_deliver_all(node, pattern, channel, message);
    }
    return receivers;
}

uint64_t pubsub_publish_shard(struct rg_node *node, struct rg_bytes channel,
                              struct rg_bytes message)
{
    return pubsub_publish_named(node, PUBSUB_SHARD, channel, message);
}

uint64_t pubsub_count(const struct rg_node *node, enum pubsub_kind kind)
{
    return node->pubsub->counts[kind];
}

uint64_t pubsub_subscribers(const struct rg_node *node, enum pubsub_kind kind,
                            struct rg_bytes channel)
{
    const struct pubsub_topic *topic = topic_find(node->pubsub, kind, channel);

    return topic ? topic->subscribers : 0;
}

uint64_t pubsub_each_channel(const struct rg_node *node, enum pubsub_kind kind,
                             struct rg_bytes pattern,
                             void (*visit)(void *arg, struct rg_bytes channel), void *arg)
{
    const struct rg_list *buckets =
        kind == PUBSUB_SHARD ? node->pubsub->shards : node->pubsub->channels;
    uint64_t matches = 0;

    for (int i = 0; i < PUBSUB_BUCKETS; i++) {
        RG_LIST_EACH(link, &buckets[i])
        {
            struct pubsub_topic *topic = RG_CONTAINER_OF(link, struct pubsub_topic, link);
            if (pattern.data != NULL && !rg_glob_match(pattern, topic_name(topic), false))
                continue;
            matches++;
            if (visit != NULL)
                visit(arg, topic_name(topic));
        }
    }
    return matches;
}
