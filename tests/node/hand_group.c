#include "tests/node/hand_group.h"

#include <stdio.h>
#include <string.h>

#include "proto/resp.h"
#include "tests/harness.h"

static void group_learn_digest(struct hand_group *group)
{
    int link = hand_dialled(&group->hand);

    RG_CHECK(link >= 0);
    hand_connect(&group->hand, link);
    RG_CHECK(sscanf(hand_take(&group->hand, link), "GROUP HELLO 2 g %32s", group->digest) == 1);
}

void hand_group_start_again(struct hand_group *group, const char *config, const struct hand *before)
{
    char text[512];

    memset(group, 0, sizeof(*group));
    (void)snprintf(text, sizeof(text), "group-name g\ngroup-members a:1 b:2 c:3\nport 1\n%s",
                   config);
    group->count = 3;
    group->seq = 1000;
    for (unsigned i = 0; i < group->count; i++)
        group->peers[i] = (struct hand_peer){.link = -1, .stream = -1, .primary = -1};
    hand_start_again(&group->hand, text, "a:1", before);
    group_learn_digest(group);
}

void hand_group_start(struct hand_group *group, const char *config)
{
    hand_group_start_again(group, config, NULL);
}

void hand_group_end(struct hand_group *group)
{
    hand_end(&group->hand);
}

const char *hand_group_hello(const struct hand_group *group, unsigned from, unsigned to)
{
    static char text[128];

    (void)snprintf(text, sizeof(text), "GROUP HELLO 2 g %s %u %u\r\n", group->digest, from, to);
    return text;
}

void hand_group_say(struct hand_group *group, unsigned peer, const struct rg_group_msg *msg)
{
    struct hand_conn *link = &group->hand.conns[group->peers[peer].link];
    struct rg_buf bytes = {0};

    rg_group_msg_write(&bytes, msg);
    if (link->conn != NULL)
        rg_node_received(group->hand.node, link->conn, rg_buf_view(&bytes), group->hand.now);
    hand_run(&group->hand);
    rg_buf_fini(&bytes);
}

static struct rg_group_msg group_status(const struct hand_group *group, unsigned peer,
                                        enum rg_group_msg_type type, uint64_t seq)
{
    const struct hand_peer *it = &group->peers[peer];

    return (struct rg_group_msg){.type = type,
                                 .term = it->term,
                                 .seq = seq,
                                 .state = (uint8_t)it->state,
                                 .role = (uint8_t)it->role,
                                 .primary = (int16_t)it->primary,
                                 .log_term = it->log_term,
                                 .log_offset = it->log_offset,
                                 .commit = it->commit,
                                 .incarnation = 1,
                                 .priority = 100,
                                 .mode = RG_MODE_QUORUM,
                                 .founded = it->state == RG_MEMBER_FRESH ? 0 : 1,
                                 .founded_mode = RG_MODE_QUORUM};
}

void hand_group_ping(struct hand_group *group, unsigned peer)
{
    struct rg_group_msg msg = group_status(group, peer, RG_MSG_PING, ++group->seq);

    hand_group_say(group, peer, &msg);
}

static void group_answer(struct hand_group *group, unsigned peer, const struct rg_group_msg *asked)
{
    struct hand_peer *it = &group->peers[peer];
    struct rg_group_msg msg = group_status(group, peer, RG_MSG_PONG, asked->seq);

    it->seen[asked->type]++;
    it->last[asked->type] = *asked;
    if (it->mute)
        return;
    if (asked->type == RG_MSG_PREVOTE) {
        msg.type = RG_MSG_PREVOTED;
    } else if (asked->type == RG_MSG_VOTE) {
        msg.type = RG_MSG_VOTED;
        if (it->grants)
            msg.term = it->term = asked->term;
    } else if (asked->type != RG_MSG_PING) {
        return;
    }
    msg.granted = it->grants;
    hand_group_say(group, peer, &msg);
}

/* Returns whether the node said anything. */
static bool group_hear(struct hand_group *group, unsigned peer)
{
    struct rg_buf *sent = &group->hand.conns[group->peers[peer].link].sent;
    struct rg_request_parser parser = {.authenticated = true};
    struct rg_request request;
    struct rg_group_msg msg;
    bool any = false;

    while (rg_buf_len(sent) > 0 && rg_request_parse(&parser, rg_buf_view(sent), &request) == 0) {
        int result = rg_group_msg_read(request.argv, request.argc, &msg);
        rg_buf_consume(sent, request.size);
        if (result < 0)
            continue; /* the answer to HELLO */
        any = true;
        group_answer(group, peer, &msg);
    }
    rg_request_parser_fini(&parser);
    return any;
}

static void group_settle(struct hand_group *group)
{
    bool any = true;

    for (int round = 0; any && round < 50; round++) {
        any = false;
        for (unsigned i = 0; i < group->count; i++)
            any |= group->peers[i].link >= 0 && group_hear(group, i);
    }
}

void hand_group_link(struct hand_group *group, unsigned peer)
{
    int link = hand_client(&group->hand);

    RG_CHECK_STR(hand_ask(&group->hand, link, "PING\r\n"), "+PONG\r\n");
    hand_send(&group->hand, link, hand_group_hello(group, peer, group->self));
    group->peers[peer].link = link;
    hand_group_ping(group, peer);
    group_settle(group);
}

void hand_group_pass(struct hand_group *group, int64_t ms)
{
    for (int64_t passed = 0; passed < ms; passed += 10) {
        hand_advance_ms(&group->hand, 10);
        group_settle(group);
    }
}

struct rg_group_view hand_group_view(const struct hand_group *group)
{
    struct rg_group_view view;

    RG_CHECK(rg_node_group_view(group->hand.node, group->hand.now, &view));
    return view;
}

void hand_group_ack(struct hand_group *group, unsigned peer)
{
    struct hand_peer *it = &group->peers[peer];
    char text[64];

    it->log_offset = hand_log_end(&group->hand);
    it->log_term = it->term;
    (void)snprintf(text, sizeof(text), "REPLCONF ACK %llu\r\n", (unsigned long long)it->log_offset);
    hand_send(&group->hand, it->stream, text);
    rg_buf_consume(&group->hand.conns[it->stream].sent,
                   rg_buf_len(&group->hand.conns[it->stream].sent));
}

void hand_group_follow(struct hand_group *group, unsigned peer)
{
    struct hand_peer *it = &group->peers[peer];
    char text[128];

    it->term = hand_group_view(group).term;
    it->state = RG_MEMBER_HEALTHY;
    it->primary = (int)group->self;
    it->stream = hand_client(&group->hand);
    (void)snprintf(text, sizeof(text),
                   "REPLCONF listening-port 2 capa eof capa psync2\r\n"
                   "REPLCONF group-member %u:%llu\r\n",
                   peer, (unsigned long long)it->term);
    RG_CHECK_STR(hand_ask(&group->hand, it->stream, text), "+OK\r\n+OK\r\n");
    RG_CHECK(strncmp(hand_ask(&group->hand, it->stream, "PSYNC ? -1\r\n"), "+FULLRESYNC", 11) == 0);
    hand_group_ack(group, peer);
    hand_group_ping(group, peer);
    hand_group_pass(group, 100);
    hand_group_ack(group, peer);
    hand_group_ping(group, peer);
}

void hand_group_lead(struct hand_group *group)
{
    group->peers[1].grants = group->peers[2].grants = true;
    hand_group_link(group, 1);
    hand_group_link(group, 2);
    hand_group_pass(group, 200);
    RG_CHECK_INT(hand_group_view(group).role, RG_ROLE_PRIMARY);
    hand_group_follow(group, 1);
}
