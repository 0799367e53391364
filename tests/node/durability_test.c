#include <stdio.h>
#include <string.h>

#include "log/aof.h"
#include "tests/harness.h"
#include "tests/node/hand_group.h"

/* replication-durability disk on a primary: whose word counts, and what it does without a disk. */

static const char disk_conf[] =
    "replication-mode quorum\nappendonly yes\nreplication-durability disk\n";

static void peer_says(struct hand_group *group, const char *what, uint64_t acked, uint64_t synced)
{
    char text[128];

    (void)snprintf(text, sizeof(text), "REPLCONF ACK %llu %s %llu\r\n", (unsigned long long)acked,
                   what, (unsigned long long)synced);
    hand_send(&group->hand, group->peers[1].stream, text);
}

RG_TEST(a_replica_counts_with_what_it_says_of_its_disk)
{
    struct hand_group group;

    hand_group_start(&group, disk_conf);
    hand_group_lead(&group);
    int c = hand_client(&group.hand);
    RG_CHECK_STR(hand_ask(&group.hand, c, "SET a 1\r\n"), "");
    uint64_t end = hand_log_end(&group.hand);
    hand_group_ack(&group, 1); /* in memory */
    RG_CHECK_STR(hand_take(&group.hand, c), "");
    RG_CHECK(hand_logged(&group.hand, "does not say what it has on disk"));
    peer_says(&group, "FACK", end, end - 1);
    RG_CHECK_STR(hand_take(&group.hand, c), "");
    peer_says(&group, "FACK", end, end + 1000); /* more than there is */
    RG_CHECK_STR(hand_take(&group.hand, c), "");
    peer_says(&group, "fack", end, end);
    RG_CHECK_STR(hand_take(&group.hand, c), "+OK\r\n");
    hand_group_end(&group);
}

RG_TEST(the_primary_itself_counts_with_what_is_synced)
{
    struct hand_group group;

    hand_group_start(&group, disk_conf);
    hand_group_lead(&group);
    int c = hand_client(&group.hand);
    group.hand.hold_files = true;
    RG_CHECK_STR(hand_ask(&group.hand, c, "SET a 1\r\n"), "");
    uint64_t end = hand_log_end(&group.hand);
    peer_says(&group, "FACK", end, end);
    RG_CHECK_STR(hand_take(&group.hand, c), "");
    RG_CHECK(hand_group_view(&group).held < end);
    hand_release(&group.hand);
    group.hand.hold_files = false;
    hand_run(&group.hand);
    RG_CHECK_STR(hand_take(&group.hand, c), "+OK\r\n");
    RG_CHECK_INT(hand_group_view(&group).held, end);
    RG_CHECK(hand_group_view(&group).on_disk);
    hand_group_end(&group);
}

RG_TEST(a_member_that_says_on_disk_is_healthy_after_a_crash)
{
    static struct hand_group group;
    static struct hand_group again;

    hand_group_start(&group, disk_conf);
    hand_group_lead(&group);
    int c = hand_client(&group.hand);
    (void)hand_ask(&group.hand, c, "SET a 1\r\n");
    uint64_t end = hand_log_end(&group.hand);
    peer_says(&group, "FACK", end, end);
    RG_CHECK_STR(hand_take(&group.hand, c), "+OK\r\n");
    RG_CHECK(strstr(hand_file_text(&group.hand, RG_NODE_STATE_FILE), "\non-disk 1\n") != NULL);
    hand_group_start_again(&again, disk_conf, &group.hand);
    RG_CHECK_INT(hand_group_view(&again).state, RG_MEMBER_HEALTHY);
    RG_CHECK_INT(hand_log_end(&again.hand), end);
    hand_group_end(&again);
    /* The same files where memory is to count: healthy, and the claim goes. */
    hand_group_start_again(&again, "replication-mode quorum\nappendonly yes\n", &group.hand);
    RG_CHECK_INT(hand_group_view(&again).state, RG_MEMBER_HEALTHY);
    hand_group_pass(&again, 100);
    RG_CHECK(strstr(hand_file_text(&again.hand, RG_NODE_STATE_FILE), "\non-disk 0\n") != NULL);
    hand_group_end(&again);
    /* … and without the AOF nothing of it is believed. */
    hand_group_start_again(&again, "replication-mode quorum\n", &group.hand);
    RG_CHECK_INT(hand_group_view(&again).state, RG_MEMBER_FORGOT_LOG);
    RG_CHECK(strstr(hand_file_text(&again.hand, RG_NODE_STATE_FILE), "\non-disk 0\n") != NULL);
    hand_group_end(&again);
    hand_group_end(&group);
}

RG_TEST(a_primary_whose_log_cannot_be_written_hands_over)
{
    struct hand_group group;

    hand_group_start(&group, disk_conf);
    hand_group_lead(&group);
    uint64_t end = hand_log_end(&group.hand);
    peer_says(&group, "FACK", end, end);
    int c = hand_client(&group.hand);
    group.hand.file_result = RG_ENOSPC;
    (void)hand_ask(&group.hand, c, "SET a 1\r\n");
    for (int i = 0; i < 30 && group.peers[1].seen[RG_MSG_TAKEOVER] == 0; i++) {
        hand_group_ack(&group, 1);
        end = hand_log_end(&group.hand);
        peer_says(&group, "FACK", end, end);
        hand_group_ping(&group, 1);
        hand_group_pass(&group, 100);
    }
    RG_CHECK(hand_logged(&group.hand, "this node cannot persist"));
    RG_CHECK(group.peers[1].seen[RG_MSG_TAKEOVER] > 0);
    RG_CHECK_INT(group.peers[1].last[RG_MSG_PING].priority, 0);
    int d = hand_client(&group.hand);
    RG_CHECK(strncmp(hand_ask(&group.hand, d, "SET b 1\r\n"), "-MISCONF", 8) == 0 ||
             hand_group_view(&group).handing_over);
    group.hand.file_result = 0;
    hand_group_pass(&group, 7000);
    RG_CHECK(hand_logged(&group.hand, "this node can persist again"));
    hand_group_end(&group);
}

RG_TEST(the_name_of_a_term_without_its_record_is_dropped)
{
    static struct hand_group group;
    static struct hand_group again;
    struct rg_history_term term = {.term = 2};
    struct rg_buf note = {0};
    static const char path[] = "appendonlydir/appendonly.aof.1.incr.aof";

    hand_group_start(&group, disk_conf);
    hand_group_lead(&group);
    term.start = hand_log_end(&group.hand);
    memset(term.replid, 'e', RG_REPLID_LEN);
    rg_aof_term_format(&term, &note);
    for (int i = 0; i < HAND_MAX_FILES; i++) {
        if (strcmp(group.hand.disk[i].name, path) == 0)
            rg_buf_append_bytes(&group.hand.disk[i].bytes, rg_buf_view(&note));
    }
    rg_buf_append_char(&note, '\0');
    RG_CHECK(strstr(hand_file_text(&group.hand, path), rg_buf_view(&note).data) != NULL);
    hand_group_start_again(&again, disk_conf, &group.hand);
    hand_group_pass(&again, 100);
    RG_CHECK_INT(hand_log_end(&again.hand), term.start);
    int c = hand_client(&again.hand);
    RG_CHECK(strstr(hand_ask(&again.hand, c, "INFO replication\r\n"), term.replid) == NULL);
    /* What follows in the file may be of the term before. */
    RG_CHECK(strstr(hand_file_text(&again.hand, path), term.replid) == NULL);
    rg_buf_fini(&note);
    hand_group_end(&again);
    hand_group_end(&group);
}
