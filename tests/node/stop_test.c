#include <string.h>

#include "tests/harness.h"
#include "tests/node/hand_group.h"

/* How a node ends, and what the next one starts from. */

RG_TEST(without_save_points_nothing_is_written)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 1\r\nSHUTDOWN\r\nPING\r\n"), "+OK\r\n");
    RG_CHECK(hand.exited);
    RG_CHECK_INT(rg_buf_len(&hand.files), 0);
    hand_end(&hand);
}

RG_TEST(shutdown_save_writes_what_the_next_start_reads)
{
    struct hand hand;
    struct hand again;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    hand.hold_files = true;
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 1\r\nSHUTDOWN SAVE\r\n"), "+OK\r\n");
    RG_CHECK(!hand.exited);
    /* Only the file is waited for. */
    RG_CHECK_INT(rg_node_deadline(hand.node), RG_NEVER);
    hand_release(&hand); /* the pieces */
    hand_run(&hand);
    RG_CHECK(!hand.exited);
    hand_release(&hand); /* the name */
    hand_run(&hand);
    RG_CHECK(hand.exited);
    hand_start_again(&again, "", NULL, &hand);
    c = hand_client(&again);
    RG_CHECK_STR(hand_ask(&again, c, "GET a\r\n"), "$1\r\n1\r\n");
    hand_end(&again);
    hand_end(&hand);
}

RG_TEST(a_stop_that_cannot_save_is_off_and_says_so)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    hand.file_result = RG_ENOSPC;
    RG_CHECK_STR(hand_ask(&hand, c, "SHUTDOWN SAVE\r\nPING\r\n"),
                 "-ERR Errors trying to SHUTDOWN. Check logs.\r\n+PONG\r\n");
    RG_CHECK(!hand.exited);
    RG_CHECK(hand_logged(&hand, "can't exit: No space left on device"));
    hand.file_result = 0;
    hand_send(&hand, c, "SHUTDOWN SAVE\r\n");
    RG_CHECK(hand.exited);
    hand_end(&hand);
}

RG_TEST(a_replica_whose_stop_failed_is_a_replica_still)
{
    struct hand hand;

    hand_start(&hand, "replicaof primary.example 6379", NULL);
    int c = hand_client(&hand);
    hand.file_result = RG_ENOSPC;
    hand_send(&hand, c, "SHUTDOWN SAVE\r\n");
    (void)hand_take(&hand, c);
    hand.file_result = 0;
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 1\r\n"),
                 "-READONLY You can't write against a read only replica.\r\n");
    hand_advance_ms(&hand, 1100);
    RG_CHECK(hand_dialled(&hand) >= 0);
    hand_end(&hand);
}

RG_TEST(a_members_clean_stop_marks_the_log_once_the_snapshot_is_safe)
{
    struct hand_group group;
    struct hand_group again;

    hand_group_start(&group, "replication-mode quorum");
    hand_group_lead(&group);
    struct hand *hand = &group.hand;
    int c = hand_client(hand);
    (void)hand_ask(hand, c, "SET a 1\r\n");
    hand_group_ack(&group, 1);
    /* Nobody can take over: b forgot. */
    group.peers[1].state = RG_MEMBER_FORGOT_LOG;
    hand_group_ping(&group, 1);
    hand->hold_files = true;
    hand_send(hand, c, "SHUTDOWN SAVE\r\n");
    hand_release(hand);
    hand_run(hand); /* the name is asked for */
    RG_CHECK(!hand->exited);
    RG_CHECK(hand_file_text(hand, "dump.rdb")[0] == '\0');
    hand_release(hand);
    RG_CHECK(strncmp(hand_file_text(hand, "dump.rdb"), "REDIS", 5) == 0);
    hand_run(hand);
    RG_CHECK(!hand->exited);
    RG_CHECK(strstr(hand_file_text(hand, RG_NODE_STATE_FILE), "\nclean 0\n") != NULL);
    hand_release(hand);
    hand_run(hand);
    RG_CHECK(hand->exited);
    RG_CHECK(strstr(hand_file_text(hand, RG_NODE_STATE_FILE), "\nclean 1\n") != NULL);
    uint64_t end = hand_log_end(hand);
    hand_group_start_again(&again, "replication-mode quorum", hand);
    RG_CHECK_INT(hand_group_view(&again).state, RG_MEMBER_HEALTHY);
    RG_CHECK_INT(hand_log_end(&again.hand), end);
    RG_CHECK(strstr(hand_file_text(&again.hand, RG_NODE_STATE_FILE), "\nclean 0\n") != NULL);
    hand_group_end(&again);
    hand_group_end(&group);
}

RG_TEST(what_was_forgotten_before_the_stop_is_forgotten_after_it)
{
    struct hand_group group;
    struct hand_group forgetful;
    struct hand_group again;

    hand_group_start(&group, "");
    hand_group_lead(&group);
    /* A crash: the state file is all there is. */
    hand_group_start_again(&forgetful, "", &group.hand);
    RG_CHECK_INT(hand_group_view(&forgetful).state, RG_MEMBER_FORGOT_LOG);
    int c = hand_client(&forgetful.hand);
    hand_send(&forgetful.hand, c, "SHUTDOWN SAVE\r\n");
    RG_CHECK(forgetful.hand.exited);
    hand_group_start_again(&again, "", &forgetful.hand);
    RG_CHECK_INT(hand_group_view(&again).state, RG_MEMBER_FORGOT_LOG);
    hand_group_end(&again);
    hand_group_end(&forgetful);
    hand_group_end(&group);
}

RG_TEST(a_mark_that_the_failed_stop_left_is_taken_back)
{
    struct hand_group group;

    hand_group_start(&group, "");
    hand_group_lead(&group);
    struct hand *hand = &group.hand;
    group.peers[1].state = RG_MEMBER_FORGOT_LOG;
    hand_group_ping(&group, 1);
    int c = hand_client(hand);
    hand->hold_files = true;
    hand_send(hand, c, "SHUTDOWN SAVE\r\n");
    hand_release(hand); /* the snapshot */
    hand_run(hand);
    hand_release(hand); /* its name; then the mark fails */
    hand_run(hand);
    hand->file_result = RG_EIO;
    hand_release_one(hand);
    hand->file_result = 0;
    hand->hold_files = false;
    hand_run(hand);
    hand_run(hand);
    RG_CHECK(!hand->exited);
    RG_CHECK(strstr(hand_file_text(hand, RG_NODE_STATE_FILE), "\nclean 0\n") != NULL);
    hand_group_end(&group);
}

RG_TEST(a_primary_hands_over_before_it_stops)
{
    struct hand_group group;

    hand_group_start(&group, "");
    hand_group_lead(&group);
    hand_group_ack(&group, 1);
    int c = hand_client(&group.hand);
    hand_send(&group.hand, c, "SHUTDOWN NOSAVE\r\n");
    hand_group_pass(&group, 10);
    RG_CHECK(!group.hand.exited);
    RG_CHECK(group.peers[1].seen[RG_MSG_TAKEOVER] > 0);
    /* It does not come to that in time: the stop goes on without. */
    hand_group_pass(&group, 2100);
    RG_CHECK(group.hand.exited);
    hand_group_end(&group);
}
