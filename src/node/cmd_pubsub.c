#include "node/handlers.h"
#include "node/pubsub.h"
#include "node/sentinel.h"

/* The word that tells of a subscription's end is the command's name, too. */
static const char *const begins[] = {"subscribe", "psubscribe", "ssubscribe"};
static const char *const ends[] = {"unsubscribe", "punsubscribe", "sunsubscribe"};

/* The same answer for every change of a subscription; name.data NULL is a null. */
static void pubsub_answer(struct rg_call *call, enum pubsub_kind kind, const char *what,
                          struct rg_bytes name)
{
    const struct rg_conn *conn = call->conn;
    /* It is a message, not a reply: CLIENT REPLY does not keep it back. A transaction's replies
     * count it as one of them. */
    struct rg_reply reply = call->in_exec ? call->reply : conn_reply(call->conn);

    rg_reply_push(&reply, 3);
    rg_reply_bulk_str(&reply, what);
    if (name.data != NULL)
        rg_reply_bulk(&reply, name);
    else
        rg_reply_null(&reply);
    /* Shard channels are counted apart. */
    rg_reply_i64(&reply, kind == PUBSUB_SHARD ? conn->shards : conn->subscriptions - conn->shards);
}

static void pubsub_subscribe_all(struct rg_call *call, enum pubsub_kind kind)
{
    for (int i = 1; i < call->argc; i++) {
        (void)pubsub_subscribe(call->node, call->conn, kind, call->argv[i]);
        pubsub_answer(call, kind, begins[kind], call->argv[i]);
    }
}

static void pubsub_unsubscribe_all(struct rg_call *call, enum pubsub_kind kind)
{
    struct rg_buf name = {0};
    bool any = false;

    for (int i = 1; i < call->argc; i++) {
        (void)pubsub_unsubscribe(call->node, call->conn, kind, call->argv[i]);
        pubsub_answer(call, kind, ends[kind], call->argv[i]);
    }
    if (call->argc > 1)
        return;
    while (pubsub_any_of(call->conn, kind, &name)) {
        any = true;
        (void)pubsub_unsubscribe(call->node, call->conn, kind, rg_buf_view(&name));
        pubsub_answer(call, kind, ends[kind], rg_buf_view(&name));
    }
    rg_buf_fini(&name);
    if (!any)
        pubsub_answer(call, kind, ends[kind], (struct rg_bytes){0});
}

void cmd_subscribe(struct rg_call *call)
{
    pubsub_subscribe_all(call, PUBSUB_CHANNEL);
}

void cmd_psubscribe(struct rg_call *call)
{
    pubsub_subscribe_all(call, PUBSUB_PATTERN);
}

void cmd_ssubscribe(struct rg_call *call)
{
    if (call->in_exec)
        rg_reply_error(&call->reply, "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
    else
        pubsub_subscribe_all(call, PUBSUB_SHARD);
}

void cmd_unsubscribe(struct rg_call *call)
{
    pubsub_unsubscribe_all(call, PUBSUB_CHANNEL);
}

void cmd_punsubscribe(struct rg_call *call)
{
    pubsub_unsubscribe_all(call, PUBSUB_PATTERN);
}

void cmd_sunsubscribe(struct rg_call *call)
{
    pubsub_unsubscribe_all(call, PUBSUB_SHARD);
}

/* Subscribers of the replicas hear it, too. */
static void pubsub_log(struct rg_call *call)
{
    if (node_is_primary(call->node) && call->in_exec)
        rg_propagation_add(&call->node->propagation, FEED_NO_DB, call->argv, call->argc);
    else if (node_is_primary(call->node))
        feed_plain(call->node, call->argv, call->argc);
}

void cmd_publish(struct rg_call *call)
{
    if (call->node->sentinel != NULL) {
        sentinel_publish(call);
        return;
    }
    /* What is said there is the group's history to every follower (docs/failover.md, "Log"). */
    if (call->node->members.group != NULL && rg_bytes_is(call->argv[1], RG_GROUP_CHANNEL)) {
        rg_reply_error(&call->reply, "ERR Only the group itself publishes on " RG_GROUP_CHANNEL);
        return;
    }
    uint64_t receivers = pubsub_publish(call->node, call->argv[1], call->argv[2]);

    pubsub_log(call);
    rg_reply_i64(&call->reply, (int64_t)receivers);
}

void cmd_spublish(struct rg_call *call)
{
    uint64_t receivers = pubsub_publish_shard(call->node, call->argv[1], call->argv[2]);

    pubsub_log(call);
    rg_reply_i64(&call->reply, (int64_t)receivers);
}

static void pubsub_reply_channel(void *arg, struct rg_bytes channel)
{
    struct rg_call *call = arg;

    rg_reply_bulk(&call->reply, channel);
}

static void pubsub_reply_channels(struct rg_call *call, enum pubsub_kind kind)
{
    struct rg_bytes pattern = call->argc > 2 ? call->argv[2] : (struct rg_bytes){0};

    if (!cmd_arg_max(call, 3))
        return;
    rg_reply_array(&call->reply,
                   (int64_t)pubsub_each_channel(call->node, kind, pattern, NULL, NULL));
    (void)pubsub_each_channel(call->node, kind, pattern, pubsub_reply_channel, call);
}

void cmd_pubsub_channels(struct rg_call *call)
{
    pubsub_reply_channels(call, PUBSUB_CHANNEL);
}

void cmd_pubsub_shardchannels(struct rg_call *call)
{
    pubsub_reply_channels(call, PUBSUB_SHARD);
}

static void pubsub_reply_subscribers(struct rg_call *call, enum pubsub_kind kind)
{
    rg_reply_array(&call->reply, 2 * (int64_t)(call->argc - 2));
    for (int i = 2; i < call->argc; i++) {
        rg_reply_bulk(&call->reply, call->argv[i]);
        rg_reply_i64(&call->reply, (int64_t)pubsub_subscribers(call->node, kind, call->argv[i]));
    }
}

void cmd_pubsub_numsub(struct rg_call *call)
{
    pubsub_reply_subscribers(call, PUBSUB_CHANNEL);
}

void cmd_pubsub_shardnumsub(struct rg_call *call)
{
    pubsub_reply_subscribers(call, PUBSUB_SHARD);
}

void cmd_pubsub_numpat(struct rg_call *call)
{
    rg_reply_i64(&call->reply, (int64_t)pubsub_count(call->node, PUBSUB_PATTERN));
}
