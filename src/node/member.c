#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/number.h"
#include "base/panic.h"
#include "node/aof.h"
#include "node/pubsub.h"
#include "node/stop.h"
#include "node/transfer.h"

/*
 * The group's glue: links to the other members, what the state machine (core/group.h) is told, and
 * what its effects mean here.
 */

enum { MEMBER_MAX_MESSAGE = 4096, MEMBER_REDIAL_US = 200000, MEMBER_PERSIST_RETRY_US = 1000000 };

bool member_view(const struct rg_node *node, struct rg_group_view *ret_view)
{
    if (node->members.group == NULL)
        return false;
    rg_group_view(node->members.group, node->now.mono_us, ret_view);
    return true;
}

static struct rg_group_position member_position(const struct rg_node *node, uint64_t offset)
{
    const struct rg_history_term *at = rg_history_at(&node->history, offset);

    return (struct rg_group_position){.term = at ? at->term : 0, .offset = offset};
}

static void member_tell_log(struct rg_node *node)
{
    struct rg_group *group = node->members.group;

    rg_group_log_at(group, member_position(node, node_log_end(node)));
    rg_group_log_on_disk(group, node->config->replication_durability == RG_DURABILITY_DISK,
                         aof_whole(node), member_position(node, aof_synced(node)),
                         node->now.mono_us);
}

/* ---- Start ---- */

static int member_compare(const void *a, const void *b)
{
    const struct rg_peer *pa = a;
    const struct rg_peer *pb = b;

    return strcmp(pa->name, pb->name);
}

static void member_peers(struct rg_node *node)
{
    struct rg_members *members = &node->members;
    const struct rg_config *config = node->config;
    struct rg_buf list = {0};

    members->count = (unsigned)config->group_member_count;
    for (unsigned i = 0; i < members->count; i++) {
        const char *name = config->group_members[i];
        const char *colon = strrchr(name, ':');
        RG_ASSERT(colon != NULL); /* rg_config_check saw to it */
        members->peers[i].name = rg_alloc_copy(name, strlen(name));
        bool bracketed = name[0] == '[' && colon[-1] == ']'; /* an IPv6 address */
        members->peers[i].host =
            rg_alloc_copy(name + bracketed, (size_t)(colon - name) - 2 * bracketed);
        members->peers[i].port = (uint16_t)strtoul(colon + 1, NULL, 10);
    }
    qsort(members->peers, members->count, sizeof(struct rg_peer), member_compare);
    rg_buf_append_str(&list, config->group_name);
    members->self = members->count;
    for (unsigned i = 0; i < members->count; i++) {
        rg_buf_printf(&list, "\n%s", members->peers[i].name);
        if (strcmp(members->peers[i].name, members->self_name) == 0)
            members->self = i;
    }
    /* A lease holds only where who gives it and who believes it mean the same time. */
    rg_buf_printf(&list, "\nlease %lld", (long long)config->group_lease);
    RG_ASSERT(members->self < members->count); /* rg_node_new's caller named one of them */
    (void)snprintf(members->digest, sizeof(members->digest), "%016llx%016llx",
                   (unsigned long long)rg_hash64(rg_buf_view(&list), 1),
                   (unsigned long long)rg_hash64(rg_buf_view(&list), 2));
    rg_buf_fini(&list);
}

void member_start(struct rg_node *node)
{
    struct rg_members *members = &node->members;
    const struct rg_config *config = node->config;
    struct rg_group_config group = {0};

    member_peers(node);
    members->persist_retry_us = RG_NEVER;
    group.members = members->count;
    group.self = members->self;
    for (unsigned i = 0; i < members->count; i++)
        group.names[i] = members->peers[i].name;
    group.node_timeout_us = config->group_node_timeout * RG_MS_US;
    group.heartbeat_us = config->group_heartbeat * RG_MS_US;
    group.lease_us = config->group_lease * RG_MS_US;
    group.mode = (enum rg_mode)config->replication_mode;
    group.priority = (uint32_t)config->replica_priority;
    group.seed = rg_rand_u64(&node->rand);
    group.planted = node->planted;
    struct rg_group_position end = member_position(node, node_log_end(node));
    if (!members->log_complete && members->had_state && aof_load_placed(node) &&
        rg_group_disk_complete(&members->durable, end)) {
        members->log_complete = true;
        node_say(node, RG_LOG_NOTICE,
                 "All that this node acknowledged is in its log on disk: it goes on from offset "
                 "%llu",
                 (unsigned long long)end.offset);
    }
    members->group = rg_group_new(&group, members->had_state ? &members->durable : NULL,
                                  members->log_complete, end, node->now.mono_us);
    for (unsigned i = 0; i < members->count; i++)
        members->peers[i].redial_us = node->now.mono_us;
    if (members->log_complete && !aof_load_placed(node))
        member_reloaded(node, transfer_log(node->load));
    member_tell_log(node);
    member_drain(node);
}

void member_fini(struct rg_node *node)
{
    struct rg_members *members = &node->members;

    for (unsigned i = 0; i < members->count; i++) {
        rg_free(members->peers[i].name);
        rg_free(members->peers[i].host);
    }
    rg_group_free(members->group);
    rg_free(members->self_name);
}

/* ---- Links ---- */

static void member_link_changed(struct rg_node *node, unsigned index)
{
    struct rg_peer *peer = &node->members.peers[index];
    bool up = (peer->out != NULL && peer->out->hello_done) || peer->in != NULL;

    if (up == peer->link_up)
        return;
    peer->link_up = up;
    member_tell_log(node);
    rg_group_link(node->members.group, index, up, node->now.mono_us);
    member_drain(node);
}

static void member_dial(struct rg_node *node, unsigned index)
{
    struct rg_peer *peer = &node->members.peers[index];

    peer->out = conn_dial(node, RG_CONN_PEER_OUT, peer->host, peer->port);
    peer->out->peer_index = (int)index;
}

void member_connected(struct rg_node *node, struct rg_conn *conn)
{
    const struct rg_config *config = node->config;
    const struct rg_members *members = &node->members;

    if (config->masterauth[0] != '\0') {
        if (config->masteruser[0] != '\0')
            rg_request_write_strs(&conn->out, "AUTH", config->masteruser, config->masterauth, NULL);
        else
            rg_request_write_strs(&conn->out, "AUTH", config->masterauth, NULL);
    }
    rg_buf_printf(&conn->out, "GROUP HELLO %d %s %s %u %u\r\n", RG_GROUP_WIRE_VERSION,
                  config->group_name, members->digest, members->self, (unsigned)conn->peer_index);
    conn_wants_output(node, conn);
}

/* Once for each reason: dialling goes on many times a minute. */
static void member_say_unreached(struct rg_node *node, struct rg_peer *peer,
                                 enum rg_close_reason reason)
{
    static const char *const why[] = {
        [RG_CLOSE_REFUSED] = "nobody listens there",
        [RG_CLOSE_UNREACHED] = "no answer",
        [RG_CLOSE_UNRESOLVED] = "its name has no address",
    };

    if (reason == RG_CLOSE_ASKED || reason == RG_CLOSE_EOF || reason == peer->unreached)
        return;
    peer->unreached = reason;
    node_say(node, RG_LOG_NOTICE, "Member %s cannot be reached: %s", peer->name, why[reason]);
}

void member_closed(struct rg_node *node, struct rg_conn *conn, enum rg_close_reason reason)
{
    struct rg_peer *peer = &node->members.peers[conn->peer_index];

    if (peer->out == conn) {
        member_say_unreached(node, peer, reason);
        peer->out = NULL;
        peer->redial_us = node->now.mono_us + MEMBER_REDIAL_US;
    }
    if (peer->in == conn)
        peer->in = NULL;
    member_link_changed(node, (unsigned)conn->peer_index);
}

/* GROUP HELLO <version> <group-name> <digest> <from> <to> */
void member_hello(struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct rg_members *members = &node->members;
    const struct rg_bytes *argv = call->argv;
    uint64_t from = 0;
    uint64_t to = 0;
    uint64_t version = 0;

    if (call->argc != 7 || rg_parse_u64(argv[2], &version) < 0 ||
        rg_parse_u64(argv[5], &from) < 0 || rg_parse_u64(argv[6], &to) < 0) {
        rg_reply_error(&call->reply, "ERR GROUP HELLO: malformed");
    } else if (members->group == NULL) {
        rg_reply_error(&call->reply, "ERR GROUP HELLO: this node is in no group");
    } else if (call->conn->kind != RG_CONN_CLIENT || call->conn->gated_bytes > 0 ||
               call->conn->subscriptions > 0) {
        /* Messages go straight out: nothing that is withheld may stand before them. */
        rg_reply_error(&call->reply, "ERR GROUP HELLO: this connection is in other use");
    } else if (version != RG_GROUP_WIRE_VERSION) {
        rg_reply_error(&call->reply, "ERR GROUP HELLO: another version of the group protocol");
    } else if (!rg_bytes_is(argv[3], node->config->group_name)) {
        rg_reply_errorf(&call->reply, "ERR GROUP HELLO: this node is in group '%s'",
                        node->config->group_name);
    } else if (!rg_bytes_is(argv[4], members->digest)) {
        rg_reply_error(
            &call->reply,
            "ERR GROUP HELLO: group-members or group-lease differs between the two nodes");
    } else if (to != members->self || from >= members->count || from == members->self) {
        rg_reply_errorf(&call->reply, "ERR GROUP HELLO: this node is %s", members->self_name);
    } else {
        struct rg_peer *peer = &members->peers[from];
        rg_reply_simple(&call->reply, "OK");
        if (peer->in != NULL)
            conn_close(node, peer->in, false);
        RG_ASSERT(node->clients > 0);
        node->clients--; /* a member does not count against maxclients */
        call->conn->kind = RG_CONN_PEER_IN;
        call->conn->peer_index = (int)from;
        peer->in = call->conn;
        member_link_changed(node, (unsigned)from);
    }
}

/* ---- Messages ---- */

static void member_send(struct rg_node *node, unsigned index, const struct rg_group_msg *msg)
{
    struct rg_peer *peer = &node->members.peers[index];
    struct rg_conn *out = peer->out != NULL && peer->out->hello_done ? peer->out : NULL;
    bool answer = msg->type == RG_MSG_PONG || msg->type == RG_MSG_PREVOTED ||
                  msg->type == RG_MSG_VOTED || msg->type == RG_MSG_COMMIT;
    struct rg_conn *conn = answer && peer->in != NULL ? peer->in : out;

    if (conn == NULL)
        conn = peer->in;
    if (conn == NULL || conn->closing)
        return;
    rg_group_msg_write(&conn->out, msg);
    conn_wants_output(node, conn);
}

/* The answers to AUTH and HELLO on our own link. False: the link was dropped. */
static bool member_hello_answer(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_peer *peer = &node->members.peers[conn->peer_index];

    while (!conn->hello_done) {
        struct rg_frame frame;
        size_t used = 0;
        int result = rg_frame_parse(rg_buf_view(&conn->in), &used, &frame);
        if (result == RG_EAGAIN)
            return false;
        if (result < 0 || frame.type == RG_FRAME_ERROR) {
            if (!peer->refusal_told)
                node_say(node, RG_LOG_WARNING, "Member %s refuses this node: %.*s", peer->name,
                         result < 0 ? 19 : (int)frame.bytes.len,
                         result < 0 ? "it is not a Regent" : frame.bytes.data);
            peer->refusal_told = true;
            conn_close(node, conn, false);
            return false;
        }
        rg_buf_consume(&conn->in, used);
        conn->hello_done = ++conn->commands > (node->config->masterauth[0] != '\0');
    }
    peer->refusal_told = false;
    if (peer->unreached != RG_CLOSE_ASKED)
        node_say(node, RG_LOG_NOTICE, "Member %s is reached", peer->name);
    peer->unreached = RG_CLOSE_ASKED;
    member_link_changed(node, (unsigned)conn->peer_index);
    return true;
}

void member_input(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_request request;
    struct rg_group_msg msg;

    if (conn->kind == RG_CONN_PEER_OUT && !conn->hello_done && !member_hello_answer(node, conn))
        return;
    while (!conn->closing && rg_buf_len(&conn->in) > 0) {
        int result = rg_request_parse(&conn->parser, rg_buf_view(&conn->in), &request);
        if (result == RG_EAGAIN && rg_buf_len(&conn->in) <= MEMBER_MAX_MESSAGE)
            return; /* the rest will come; no message is longer */
        if (result == 0)
            result = rg_group_msg_read(request.argv, request.argc, &msg);
        if (result < 0) {
            node_say(node, RG_LOG_WARNING, "Member %s sent what is no group message: link closed",
                     node->members.peers[conn->peer_index].name);
            conn_close(node, conn, false);
            return;
        }
        rg_buf_consume(&conn->in, request.size);
        member_tell_log(node);
        rg_group_receive(node->members.group, (unsigned)conn->peer_index, &msg, node->now.mono_us);
        member_drain(node);
    }
}

/* ---- What the state machine is told ---- */

/* Writes the newest state; its number covers all before it. */
static void member_persist(struct rg_node *node)
{
    struct rg_buf text = {0};

    node->members.persist_retry_us = RG_NEVER;
    rg_group_durable_format(&node->members.durable, &text);
    node_effect_file(node, RG_EFFECT_FILE_REPLACE, RG_NODE_STATE_FILE, NULL, &text, RG_FILE_STATE,
                     node->members.persist_seq);
}

void member_run(struct rg_node *node)
{
    struct rg_members *members = &node->members;

    if (members->group == NULL)
        return;
    for (unsigned i = 0; i < members->count; i++) {
        if (i != members->self && members->peers[i].out == NULL &&
            members->peers[i].redial_us <= node->now.mono_us)
            member_dial(node, i);
    }
    if (members->persist_retry_us <= node->now.mono_us)
        member_persist(node);
    member_tell_log(node);
    rg_group_set_ill(members->group, aof_refuses_writes(node) || save_refuses_writes(node),
                     node->now.mono_us);
    if (rg_group_deadline(members->group) <= node->now.mono_us)
        rg_group_tick(members->group, node->now.mono_us);
    member_drain(node);
}

int64_t member_deadline(const struct rg_node *node)
{
    const struct rg_members *members = &node->members;

    if (members->group == NULL)
        return RG_NEVER;
    int64_t deadline = rg_group_deadline(members->group);
    if (members->persist_retry_us < deadline)
        deadline = members->persist_retry_us;
    for (unsigned i = 0; i < members->count; i++) {
        if (i != members->self && members->peers[i].out == NULL &&
            members->peers[i].redial_us < deadline)
            deadline = members->peers[i].redial_us;
    }
    return deadline;
}

/* A link on which nothing comes, though every heartbeat should bring something, is dead even where
 * TCP goes on trying; a new one works as soon as the network does. */
void member_cron(struct rg_node *node)
{
    int64_t limit_us = 2 * node->config->group_node_timeout * RG_MS_US;

    if (node->members.group == NULL)
        return;
    RG_LIST_EACH(link, &node->conns)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, link);
        if ((conn->kind == RG_CONN_PEER_IN || conn->kind == RG_CONN_PEER_OUT) && !conn->closing &&
            node->now.mono_us - conn->received_us > limit_us)
            conn_close(node, conn, false);
    }
}

void member_stream(struct rg_node *node, enum rg_stream_event event)
{
    if (node->members.group == NULL || node->follow.member < 0)
        return;
    member_tell_log(node);
    rg_group_stream(node->members.group, event, node->now.mono_us);
    member_drain(node);
}

void member_acked(struct rg_node *node, unsigned member, uint64_t term, uint64_t offset)
{
    const struct rg_group_view *view = &node->members.view;

    if (node->members.group == NULL || view->role != RG_ROLE_PRIMARY || view->term != term)
        return;
    member_tell_log(node);
    rg_group_acked(node->members.group, member, offset, node->now.mono_us);
    member_drain(node);
}

void member_persisted(struct rg_node *node, uint64_t seq, int result)
{
    if (node->members.group == NULL)
        return;
    if (result < 0) {
        /* What is not durable is never told; it is tried again until it is. */
        node_say(node, RG_LOG_WARNING,
                 "Cannot write %s: %s. This node takes part in no election "
                 "until it can.",
                 RG_NODE_STATE_FILE, node_file_error(result));
        node->members.persist_retry_us = node->now.mono_us + MEMBER_PERSIST_RETRY_US;
        return;
    }
    if (node->stopping) {
        /* Told when the stop fails, and the newest state is written once more. */
        node->members.persist_retry_us = node->now.mono_us;
        return;
    }
    member_tell_log(node);
    rg_group_persisted(node->members.group, seq, node->now.mono_us);
    member_drain(node);
}

/* What the same batch wrote before an operator's word is part of what it is about. */
int member_hand_over(struct rg_node *node, int target, int64_t timeout_us)
{
    member_tell_log(node);
    return rg_group_hand_over(node->members.group, target, timeout_us, node->now.mono_us);
}

int member_recover(struct rg_node *node)
{
    member_tell_log(node);
    return rg_group_recover(node->members.group, node->now.mono_us);
}

/* ---- Records in the log ---- */

static void member_append_record(struct rg_node *node, const char *text)
{
    uint64_t start = node_log_end(node);
    struct rg_bytes argv[] = {RG_BYTES("PUBLISH"), RG_BYTES(RG_GROUP_CHANNEL), rg_bytes_str(text)};

    feed_plain(node, argv, 3);
    member_record(node, rg_bytes_str(text), start);
}

/* "term N replid R …": the term begins at start. */
static bool member_record_term(struct rg_node *node, struct rg_bytes *rest, uint64_t start)
{
    char replid[RG_REPLID_LEN + 1];
    uint64_t term = 0;

    if (rg_parse_u64(rg_bytes_cut(rest, ' '), &term) < 0 ||
        !rg_bytes_is(rg_bytes_cut(rest, ' '), "replid"))
        return false;
    struct rg_bytes id = rg_bytes_cut(rest, ' ');
    if (id.len != RG_REPLID_LEN)
        return false;
    memcpy(replid, id.data, RG_REPLID_LEN);
    replid[RG_REPLID_LEN] = '\0';
    if (strcmp(feed_replid(node), replid) != 0)
        rg_history_push(&node->history, term, replid, start);
    return true;
}

void member_record(struct rg_node *node, struct rg_bytes text, uint64_t start)
{
    struct rg_bytes rest = text;
    enum rg_mode mode = RG_MODE_ASYNC;

    if (node->members.group == NULL)
        return;
    struct rg_bytes word = rg_bytes_cut(&rest, ' ');
    if (rg_bytes_is(word, "term")) {
        if (!member_record_term(node, &rest, start))
            return;
        word = rg_bytes_cut(&rest, ' ');
    }
    if (!rg_bytes_is(word, "mode"))
        return;
    if (rg_mode_of_name(rest, &mode) < 0)
        return;
    node->config->replication_mode = mode;
    member_tell_log(node);
    rg_group_log_mode(node->members.group, mode, node_log_end(node));
}

void member_reloaded(struct rg_node *node, const struct rg_transfer_log *log)
{
    uint64_t end = node_log_end(node);

    rg_group_log_loaded(node->members.group, member_position(node, end));
    if (log->mode < 0)
        return;
    node->config->replication_mode = log->mode;
    if (rg_group_modes_load(node->members.group, rg_bytes_str(log->modes)) < 0)
        rg_group_log_mode(node->members.group, (enum rg_mode)log->mode, end);
}

void member_mode_changed(struct rg_node *node)
{
    char text[64];

    if (node->members.group == NULL || node->members.view.role != RG_ROLE_PRIMARY)
        return;
    (void)snprintf(text, sizeof(text), "mode %s", rg_mode_name(node_mode(node)));
    member_append_record(node, text);
}

/* ---- Effects ---- */

static void member_lead(struct rg_node *node, uint64_t term)
{
    char text[160];

    follow_stop(node);
    feed_new_replid(node, term);
    (void)snprintf(text, sizeof(text), "term %llu replid %s mode %s", (unsigned long long)term,
                   feed_replid(node), rg_mode_name(node_mode(node)));
    member_append_record(node, text);
    member_tell_log(node);
    rg_group_led(node->members.group, node_log_end(node), node->now.mono_us);
}

/* Clients of a deposed primary are sent away, as Sentinel does: they ask anew who is primary. */
static void member_step_down(struct rg_node *node)
{
    gate_fail_all(node);
    session_unblock_all(node);
    serve_drop_all(node, "this node is no longer the primary");
    RG_LIST_EACH(link, &node->conns)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, link);
        if (conn->kind == RG_CONN_CLIENT && conn->subscriptions == 0 &&
            conn->id != node->members.failover_client)
            conn_close(node, conn, true);
    }
}

static void member_hand_over_done(struct rg_node *node, bool ok)
{
    struct rg_members *members = &node->members;
    struct rg_conn *conn = conn_by_id(node, members->failover_client);
    size_t mark = 0;

    members->hold = false;
    members->failover_client = 0;
    stop_handed_over(node);
    if (conn == NULL || conn->closing)
        return;
    struct rg_reply reply = conn_reply(conn);
    conn_push_begin(conn, &mark);
    if (ok)
        rg_reply_simple(&reply, "OK");
    else
        rg_reply_error(&reply, "ERR The hand-over did not complete in time; this node stays the "
                               "primary");
    conn_push_end(node, conn, mark);
    conn_unblock(node, conn);
}

static void member_switched(struct rg_node *node, unsigned primary, int before)
{
    struct rg_members *members = &node->members;
    const struct rg_peer *to = &members->peers[primary];
    const struct rg_peer *from = before >= 0 ? &members->peers[before] : to;
    char text[512];

    int len = snprintf(text, sizeof(text), "%s %s %u %s %u", node->config->group_name, from->host,
                       from->port, to->host, to->port);
    if (len > 0 && (size_t)len < sizeof(text))
        (void)pubsub_publish(node, RG_BYTES("+switch-master"), rg_bytes(text, (size_t)len));
    len = snprintf(text, sizeof(text), "%llu", (unsigned long long)node->members.view.term);
    (void)pubsub_publish(node, RG_BYTES("+new-epoch"), rg_bytes(text, (size_t)len));
}

static void member_effect(struct rg_node *node, const struct rg_group_effect *effect, int before)
{
    const struct rg_peer *peer = &node->members.peers[effect->peer];

    switch (effect->type) {
    case RG_GROUP_SEND:
        member_send(node, effect->peer, &effect->msg);
        break;
    case RG_GROUP_PERSIST:
        node->members.durable = effect->durable;
        node->members.persist_seq = effect->seq;
        member_persist(node);
        break;
    case RG_GROUP_LEAD:
        member_lead(node, effect->term);
        break;
    case RG_GROUP_STEP_DOWN:
        member_step_down(node);
        break;
    case RG_GROUP_FOLLOW:
        follow_start(node, peer->host, peer->port, (int)effect->peer, effect->term);
        break;
    case RG_GROUP_UNFOLLOW:
        follow_stop(node);
        break;
    case RG_GROUP_HOLD:
        node->members.hold = true;
        break;
    case RG_GROUP_RESUME:
        member_hand_over_done(node, effect->ok);
        break;
    case RG_GROUP_SWITCHED:
        member_switched(node, effect->peer, before);
        node->last_primary = (int)effect->peer;
        break;
    case RG_GROUP_SAY:
        node_say(node, effect->warn ? RG_LOG_WARNING : RG_LOG_NOTICE, "group: %s", effect->text);
        break;
    }
}

void member_drain(struct rg_node *node)
{
    struct rg_group_effect effect;

    for (;;) {
        bool more = rg_group_next_effect(node->members.group, &effect);
        /* What an effect does here looks at the role that the machine has by now. */
        rg_group_view(node->members.group, node->now.mono_us, &node->members.view);
        if (!more)
            return;
        member_effect(node, &effect, node->last_primary);
    }
}
