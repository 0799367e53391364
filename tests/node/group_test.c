#include <stdio.h>
#include <string.h>

#include "tests/harness.h"
#include "tests/node/hand_group.h"

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

RG_TEST(hello_is_refused_where_the_two_do_not_mean_the_same_group)
{
    struct hand_group group;
    char text[160];

    hand_group_start(&group, "");
    struct hand *hand = &group.hand;
    int c = hand_client(hand);
    RG_CHECK(starts(hand_ask(hand, c, "GROUP HELLO 2 g\r\n"), "-ERR GROUP HELLO: malformed"));
    (void)snprintf(text, sizeof(text), "GROUP HELLO 3 g %s 1 0\r\n", group.digest);
    RG_CHECK(strstr(hand_ask(hand, c, text), "another version") != NULL);
    (void)snprintf(text, sizeof(text), "GROUP HELLO 2 other %s 1 0\r\n", group.digest);
    RG_CHECK(strstr(hand_ask(hand, c, text), "this node is in group 'g'") != NULL);
    RG_CHECK(strstr(hand_ask(hand, c, "GROUP HELLO 2 g 0123456789abcdef0123456789abcdef 1 0\r\n"),
                    "group-members or group-lease differs") != NULL);
    RG_CHECK(strstr(hand_ask(hand, c, hand_group_hello(&group, 1, 2)), "this node is a:1"));
    RG_CHECK(strstr(hand_ask(hand, c, hand_group_hello(&group, 0, 0)), "this node is a:1"));
    RG_CHECK(strstr(hand_ask(hand, c, hand_group_hello(&group, 3, 0)), "this node is a:1"));
    RG_CHECK(starts(hand_ask(hand, c, hand_group_hello(&group, 1, 0)), "+OK\r\n*"));
    hand_group_end(&group);
}

RG_TEST(a_newer_link_of_a_member_replaces_the_older)
{
    struct hand_group group;

    hand_group_start(&group, "");
    hand_group_link(&group, 1);
    int first = group.peers[1].link;
    hand_group_link(&group, 1);
    RG_CHECK(group.hand.conns[first].closed);
    RG_CHECK(!group.hand.conns[group.peers[1].link].closed);
    RG_CHECK(hand_group_view(&group).members[1].link_up);
    hand_group_end(&group);
}

RG_TEST(what_is_no_message_closes_the_link)
{
    struct hand_group group;

    hand_group_start(&group, "");
    hand_group_link(&group, 1);
    hand_send(&group.hand, group.peers[1].link, "SET a 1\r\n");
    RG_CHECK(group.hand.conns[group.peers[1].link].closed);
    RG_CHECK(!hand_group_view(&group).members[1].link_up);
    hand_group_end(&group);
}

RG_TEST(a_message_that_never_ends_closes_the_link)
{
    struct hand_group group;
    char text[5000];

    hand_group_start(&group, "");
    hand_group_link(&group, 1);
    hand_send(&group.hand, group.peers[1].link, "*2\r\n$100000000\r\n");
    RG_CHECK(!group.hand.conns[group.peers[1].link].closed);
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    hand_send(&group.hand, group.peers[1].link, text);
    RG_CHECK(group.hand.conns[group.peers[1].link].closed);
    hand_group_end(&group);
}

RG_TEST(a_fresh_group_elects_and_a_write_waits_for_a_second_copy)
{
    struct hand_group group;

    hand_group_start(&group, "replication-mode quorum");
    hand_group_lead(&group);
    RG_CHECK(hand_logged(&group.hand, "elected primary of term 1"));
    int c = hand_client(&group.hand);
    RG_CHECK_STR(hand_ask(&group.hand, c, "SET a 1\r\nGET a\r\n"), "");
    hand_group_ack(&group, 1);
    RG_CHECK_STR(hand_take(&group.hand, c), "+OK\r\n$1\r\n1\r\n");
    hand_group_end(&group);
}

RG_TEST(a_vote_is_told_only_once_the_state_file_holds_it)
{
    struct hand_group group;

    hand_group_start(&group, "");
    group.hand.hold_files = true;
    hand_group_link(&group, 1);
    hand_group_link(&group, 2);
    /* Both others are fresh too; b asks first. */
    struct rg_group_msg vote = {.type = RG_MSG_VOTE, .term = 1, .seq = 7, .bootstrap = 1};
    group.peers[1].mute = group.peers[2].mute = true;
    hand_group_say(&group, 1, &vote);
    hand_group_pass(&group, 20);
    RG_CHECK_INT(group.peers[1].seen[RG_MSG_VOTED], 0);
    hand_release(&group.hand);
    hand_group_pass(&group, 20);
    RG_CHECK_INT(group.peers[1].seen[RG_MSG_VOTED], 1);
    RG_CHECK_INT(group.peers[1].last[RG_MSG_VOTED].granted, 1);
    RG_CHECK(strstr(hand_file_text(&group.hand, RG_NODE_STATE_FILE), "\nterm 1\nvoted-for 1\n"));
    hand_group_end(&group);
}

RG_TEST(a_state_file_that_cannot_be_written_is_tried_again)
{
    struct hand_group group;

    hand_group_start(&group, "");
    hand_group_link(&group, 1);
    hand_group_link(&group, 2);
    group.peers[1].mute = group.peers[2].mute = true;
    group.hand.file_result = RG_ENOSPC;
    struct rg_group_msg vote = {.type = RG_MSG_VOTE, .term = 1, .seq = 7, .bootstrap = 1};
    hand_group_say(&group, 1, &vote);
    hand_group_pass(&group, 500);
    RG_CHECK(hand_logged(&group.hand, "Cannot write regent.state: No space left on device"));
    RG_CHECK_INT(group.peers[1].seen[RG_MSG_VOTED], 0);
    group.hand.file_result = 0;
    hand_group_ping(&group, 1);
    hand_group_pass(&group, 700);
    RG_CHECK_INT(group.peers[1].seen[RG_MSG_VOTED], 1);
    hand_group_end(&group);
}

/* The stream that the node dialled to a member, up to its PSYNC. */
static int group_stream(struct hand_group *group, uint16_t port)
{
    struct hand *hand = &group->hand;
    int stream = -1;

    for (int i = 0; i < hand->conn_count; i++) {
        if (hand->conns[i].dialled && hand->conns[i].conn != NULL && hand->conns[i].port == port)
            stream = i; /* the message link was dialled first */
    }
    RG_CHECK(stream >= 0);
    hand_connect(hand, stream);
    RG_CHECK(strstr(hand_take(hand, stream), "group-member") != NULL);
    RG_CHECK(strstr(hand_ask(hand, stream, "+PONG\r\n+OK\r\n+OK\r\n+OK\r\n"), "PSYNC"));
    return stream;
}

/* An empty data set, whose log ends at 0 under the replication id of 40 times 'a'. */
static void empty_snapshot(struct hand *hand, int stream)
{
    static const char rdb[] = "REDIS0010\xff\0\0\0\0\0\0\0\0";
    struct rg_buf text = {0};

    rg_buf_printf(&text, "+FULLRESYNC %.40s 0\r\n$%zu\r\n",
                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", sizeof(rdb) - 1);
    rg_buf_append(&text, rdb, sizeof(rdb) - 1);
    rg_node_received(hand->node, hand->conns[stream].conn, rg_buf_view(&text), hand->now);
    hand_run(hand);
    rg_buf_fini(&text);
}

/* b is primary of term 1 and the node follows it. */
static int group_follower(struct hand_group *group, const char *config)
{
    hand_group_start(group, config);
    group->peers[1].term = 1;
    group->peers[1].state = RG_MEMBER_HEALTHY;
    group->peers[1].role = RG_ROLE_PRIMARY;
    hand_group_link(group, 2);
    struct rg_group_msg vote = {.type = RG_MSG_VOTE, .term = 1, .seq = 7, .bootstrap = 1};
    group->peers[1].role = RG_ROLE_CANDIDATE;
    group->peers[1].state = RG_MEMBER_FRESH;
    group->peers[1].term = 0;
    hand_group_link(group, 1);
    hand_group_say(group, 1, &vote);
    hand_group_pass(group, 10);
    group->peers[1].term = 1;
    group->peers[1].state = RG_MEMBER_HEALTHY;
    group->peers[1].role = RG_ROLE_PRIMARY;
    hand_group_ping(group, 1);
    RG_CHECK_INT(hand_group_view(group).primary, 1);
    return group_stream(group, 2);
}

static const char record[] =
    "*3\r\n$7\r\nPUBLISH\r\n$16\r\n__regent__:group\r\n$65\r\n"
    "term 1 replid bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb mode quorum\r\n";

RG_TEST(a_follower_acknowledges_in_the_term_it_follows_and_not_after_a_promise)
{
    struct hand_group group;
    int stream = group_follower(&group, "");
    struct hand *hand = &group.hand;

    empty_snapshot(hand, stream);
    RG_CHECK(strstr(hand_take(hand, stream), "ACK") != NULL);
    hand_send(hand, stream, record);
    RG_CHECK(strstr(hand_take(hand, stream), "ACK") != NULL);
    RG_CHECK_INT(hand_group_view(&group).state, RG_MEMBER_HEALTHY);
    /* b falls silent; c is promised term 2. */
    group.peers[1].mute = true;
    hand_group_pass(&group, 6000);
    struct rg_group_msg vote = {.type = RG_MSG_VOTE,
                                .term = 2,
                                .seq = 9,
                                .state = RG_MEMBER_HEALTHY,
                                .log_term = 1,
                                .log_offset = hand_log_end(hand)};
    hand_group_say(&group, 2, &vote);
    RG_CHECK(hand->conns[stream].closed);
    hand_group_pass(&group, 10);
    RG_CHECK_INT(group.peers[2].last[RG_MSG_VOTED].granted, 1);
    hand_group_end(&group);
}

RG_TEST(an_acknowledgement_waits_until_the_term_is_durable)
{
    struct hand_group group;

    hand_group_start(&group, "");
    group.peers[1] = (struct hand_peer){.link = -1,
                                        .stream = -1,
                                        .term = 4,
                                        .state = RG_MEMBER_HEALTHY,
                                        .role = RG_ROLE_PRIMARY,
                                        .primary = -1};
    /* The first primary is c. */
    group.peers[1].state = RG_MEMBER_FRESH;
    group.peers[1].role = RG_ROLE_FOLLOWER;
    group.peers[1].term = 0;
    group.peers[1].mute = true;
    hand_group_link(&group, 1);
    hand_group_link(&group, 2);
    struct rg_group_msg vote = {.type = RG_MSG_VOTE, .term = 1, .seq = 7, .bootstrap = 1};
    hand_group_say(&group, 2, &vote);
    hand_group_pass(&group, 10);
    group.peers[2].term = 1;
    group.peers[2].state = RG_MEMBER_HEALTHY;
    group.peers[2].primary = 2;
    group.peers[2].role = RG_ROLE_PRIMARY;
    hand_group_ping(&group, 2);
    int stream = group_stream(&group, 3);
    empty_snapshot(&group.hand, stream);
    (void)hand_take(&group.hand, stream);
    /* A newer primary: its term has to be on disk first. */
    group.hand.hold_files = true;
    group.peers[1].state = RG_MEMBER_HEALTHY;
    group.peers[1].role = RG_ROLE_PRIMARY;
    group.peers[1].term = 4;
    hand_group_ping(&group, 1);
    RG_CHECK(group.hand.conns[stream].closed);
    stream = group_stream(&group, 2);
    hand_send(&group.hand, stream, "+CONTINUE\r\n");
    hand_send(&group.hand, stream, "*1\r\n$4\r\nPING\r\n");
    RG_CHECK_STR(hand_take(&group.hand, stream), "");
    group.hand.hold_files = false;
    hand_run(&group.hand);
    hand_run(&group.hand);
    RG_CHECK(strstr(hand_take(&group.hand, stream), "ACK") != NULL);
    hand_group_end(&group);
}

RG_TEST(a_deposed_primary_fails_what_it_withheld)
{
    struct hand_group group;

    hand_group_start(&group, "replication-mode quorum");
    hand_group_lead(&group);
    int c = hand_client(&group.hand);
    int other = hand_client(&group.hand);
    int watcher = hand_client(&group.hand);
    (void)hand_ask(&group.hand, watcher, "SUBSCRIBE +switch-master\r\n");
    RG_CHECK_STR(hand_ask(&group.hand, c, "SET a 1\r\n"), "");
    RG_CHECK_STR(hand_ask(&group.hand, other, "GET a\r\n"), "");
    group.peers[2].term = 2;
    group.peers[2].state = RG_MEMBER_HEALTHY;
    group.peers[2].role = RG_ROLE_PRIMARY;
    hand_group_ping(&group, 2);
    RG_CHECK(starts(hand_take(&group.hand, c), "-UNCERTAIN "));
    RG_CHECK(starts(hand_take(&group.hand, other), "-MASTERDOWN "));
    /* They are to ask anew who is primary. */
    RG_CHECK(group.hand.conns[c].closed && group.hand.conns[other].closed);
    RG_CHECK(group.hand.conns[group.peers[1].stream].closed);
    RG_CHECK(strstr(hand_take(&group.hand, watcher), "g a 1 c 3") != NULL);
    hand_group_end(&group);
}

RG_TEST(a_hand_over_is_refused_where_nobody_can_take_over)
{
    struct hand_group group;

    hand_group_start(&group, "");
    int c = hand_client(&group.hand);
    RG_CHECK(starts(hand_ask(&group.hand, c, "GROUP FAILOVER\r\n"), "-READONLY "));
    hand_group_lead(&group);
    RG_CHECK(starts(hand_ask(&group.hand, c, "GROUP FAILOVER TO z 9\r\n"), "-ERR TO names no"));
    RG_CHECK(starts(hand_ask(&group.hand, c, "GROUP FAILOVER TO c 3\r\n"), "-ERR No member can"));
    RG_CHECK(starts(hand_ask(&group.hand, c, "GROUP FAILOVER TIMEOUT 0\r\n"), "-ERR FAILOVER"));
    RG_CHECK(starts(hand_ask(&group.hand, c, "GROUP FAILOVER HUH\r\n"), "-ERR syntax"));
    hand_group_end(&group);
}

RG_TEST(a_hand_over_holds_writes_back_and_answers_at_its_end)
{
    struct hand_group group;

    hand_group_start(&group, "replication-mode quorum");
    hand_group_lead(&group);
    int c = hand_client(&group.hand);
    int admin = hand_client(&group.hand);
    (void)hand_ask(&group.hand, c, "SET a 1\r\n");
    hand_group_ack(&group, 1);
    (void)hand_take(&group.hand, c);
    /* Nothing after the FAILOVER is answered before it. */
    RG_CHECK_STR(hand_ask(&group.hand, admin, "GROUP FAILOVER TIMEOUT 300\r\nPING\r\n"), "");
    RG_CHECK_STR(hand_ask(&group.hand, c, "SET b 1\r\n"), "");
    uint64_t end = hand_log_end(&group.hand);
    hand_group_pass(&group, 320);
    RG_CHECK(group.peers[1].seen[RG_MSG_TAKEOVER] > 0);
    const char *answer = hand_take(&group.hand, admin);
    RG_CHECK(starts(answer, "-ERR The hand-over did not complete in time"));
    RG_CHECK(strstr(answer, "+PONG") != NULL);
    /* The write that was held back runs now. */
    RG_CHECK(hand_log_end(&group.hand) > end);
    hand_group_ack(&group, 1);
    RG_CHECK_STR(hand_take(&group.hand, c), "+OK\r\n");
    hand_group_end(&group);
}

RG_TEST(a_hand_over_that_succeeds_says_ok)
{
    struct hand_group group;

    hand_group_start(&group, "replication-mode quorum");
    hand_group_lead(&group);
    int admin = hand_client(&group.hand);
    RG_CHECK_STR(hand_ask(&group.hand, admin, "GROUP FAILOVER TO b 2\r\n"), "");
    hand_group_pass(&group, 10);
    RG_CHECK(group.peers[1].seen[RG_MSG_TAKEOVER] > 0);
    struct rg_group_msg vote = {.type = RG_MSG_VOTE,
                                .term = 2,
                                .seq = 9,
                                .state = RG_MEMBER_HEALTHY,
                                .log_term = 1,
                                .log_offset = hand_log_end(&group.hand),
                                .handover = 1};
    hand_group_say(&group, 1, &vote);
    hand_group_pass(&group, 10);
    RG_CHECK_INT(group.peers[1].last[RG_MSG_VOTED].granted, 1);
    group.peers[1].term = 2;
    group.peers[1].role = RG_ROLE_PRIMARY;
    group.peers[1].primary = -1;
    hand_group_ping(&group, 1);
    RG_CHECK_STR(hand_take(&group.hand, admin), "+OK\r\n");
    hand_group_end(&group);
}

RG_TEST(nothing_expires_into_the_log_while_a_hand_over_waits_for_its_end)
{
    struct hand_group group;

    hand_group_start(&group, "replication-mode quorum");
    hand_group_lead(&group);
    int c = hand_client(&group.hand);
    int admin = hand_client(&group.hand);
    (void)hand_ask(&group.hand, c, "SET a 1 PX 50\r\n");
    hand_group_ack(&group, 1);
    (void)hand_ask(&group.hand, admin, "GROUP FAILOVER TIMEOUT 1000\r\n");
    uint64_t end = hand_log_end(&group.hand);
    hand_group_pass(&group, 100);
    hand_send(&group.hand, c, "GET a\r\n");
    RG_CHECK_INT(hand_log_end(&group.hand), end);
    hand_group_pass(&group, 1000);
    RG_CHECK(hand_log_end(&group.hand) > end);
    hand_group_end(&group);
}

RG_TEST(a_client_can_write_no_record_of_the_group)
{
    struct hand_group group;

    hand_group_start(&group, "replication-mode quorum");
    hand_group_lead(&group);
    int c = hand_client(&group.hand);
    uint64_t end = hand_log_end(&group.hand);
    RG_CHECK(
        starts(hand_ask(&group.hand, c, "PUBLISH __regent__:group \"mode async\"\r\n"), "-ERR "));
    RG_CHECK_INT(hand_log_end(&group.hand), end);
    hand_group_end(&group);
}

RG_TEST(messages_of_the_group_never_push_out_withheld_replies)
{
    struct hand_group group;

    hand_group_start(&group, "replication-mode quorum");
    hand_group_lead(&group);
    int c = hand_client(&group.hand);
    RG_CHECK_STR(hand_ask(&group.hand, c, "SET a secret\r\nGET a\r\n"), "");
    RG_CHECK_STR(hand_ask(&group.hand, c, hand_group_hello(&group, 2, 0)), "");
    hand_group_pass(&group, 500);
    RG_CHECK(strstr(hand_take(&group.hand, c), "OK") == NULL);
    hand_group_end(&group);
}

RG_TEST(a_message_to_oneself_behind_withheld_replies_is_counted_once)
{
    struct hand_group group;

    hand_group_start(&group, "replication-mode quorum");
    hand_group_lead(&group);
    int c = hand_client(&group.hand);
    (void)hand_ask(&group.hand, c, "HELLO 3\r\nSUBSCRIBE x\r\n");
    RG_CHECK_STR(hand_ask(&group.hand, c, "SET a 1\r\nPUBLISH x y\r\n"), "");
    hand_group_ack(&group, 1);
    RG_CHECK_STR(hand_ask(&group.hand, c, "PING\r\n"),
                 "+OK\r\n>3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\ny\r\n:1\r\n+PONG\r\n");
    hand_group_end(&group);
}

RG_TEST(who_waits_for_replicas_of_a_deposed_primary_is_told)
{
    struct hand_group group;

    hand_group_start(&group, "replication-mode async");
    hand_group_lead(&group);
    int c = hand_client(&group.hand);
    RG_CHECK_STR(hand_ask(&group.hand, c, "SET a 1\r\nWAIT 2 0\r\n"), "+OK\r\n");
    group.peers[2].term = 2;
    group.peers[2].state = RG_MEMBER_HEALTHY;
    group.peers[2].role = RG_ROLE_PRIMARY;
    hand_group_ping(&group, 2);
    RG_CHECK(starts(hand_take(&group.hand, c), "-UNBLOCKED "));
    RG_CHECK(group.hand.conns[c].closed);
    hand_group_end(&group);
}

RG_TEST(a_broken_stream_does_not_stop_the_log)
{
    struct hand_group group;
    int stream = group_follower(&group, "replication-mode quorum");
    struct hand *hand = &group.hand;

    empty_snapshot(hand, stream);
    hand_send(hand, stream, record);
    hand_send(hand, stream, "*1\r\n$6\r\nNOSUCH\r\n");
    RG_CHECK(hand->conns[stream].closed);
    /* b is gone, and this node is elected by c: its record has to be in the log. */
    uint64_t end = hand_log_end(hand);
    group.peers[1].mute = true;
    group.peers[2].grants = true;
    group.peers[2].term = 1;
    group.peers[2].state = RG_MEMBER_HEALTHY;
    for (int i = 0; i < 100 && hand_group_view(&group).role != RG_ROLE_PRIMARY; i++) {
        hand_group_ping(&group, 2);
        hand_group_pass(&group, 100);
    }
    RG_CHECK_INT(hand_group_view(&group).role, RG_ROLE_PRIMARY);
    RG_CHECK(hand_log_end(hand) > end);
    hand_group_end(&group);
}

RG_TEST(a_primary_that_loads_its_file_leads_no_more)
{
    struct hand_group group;
    int stream = group_follower(&group, "");
    struct hand *hand = &group.hand;

    empty_snapshot(hand, stream);
    hand_send(hand, stream, record);
    hand_close(hand, stream, RG_CLOSE_EOF);
    hand_run(hand);
    int again = hand->conn_count - 1;
    RG_CHECK(again > stream && hand->conns[again].dialled);
    hand_connect(hand, again);
    hand_run(hand);
    RG_CHECK(!hand_logged(hand, "answers that it is not the primary"));
    hand_send(hand, again, "-LOADING Redis is loading the dataset in memory\r\n");
    RG_CHECK(hand_logged(hand, "answers that it is not the primary"));
    hand_group_end(&group);
}

RG_TEST(a_primary_that_cannot_save_hands_over)
{
    struct hand_group group;

    hand_group_start(&group, "save 1 1");
    hand_group_lead(&group);
    hand_group_ack(&group, 1);
    int c = hand_client(&group.hand);
    RG_CHECK_STR(hand_ask(&group.hand, c, "SET a 1\r\n"), "+OK\r\n");
    group.hand.file_result = RG_ENOSPC;
    for (int i = 0; i < 30 && group.peers[1].seen[RG_MSG_TAKEOVER] == 0; i++) {
        hand_group_ack(&group, 1);
        hand_group_ping(&group, 1);
        hand_group_pass(&group, 100);
    }
    RG_CHECK(hand_logged(&group.hand, "This node cannot save its data"));
    RG_CHECK(group.peers[1].seen[RG_MSG_TAKEOVER] > 0);
    hand_group_end(&group);
}
