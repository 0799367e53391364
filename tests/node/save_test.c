#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "tests/harness.h"
#include "tests/node/hand.h"

/* Snapshots on disk, by hand. */

static const char misconf[] =
    "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to "
    "disk. Commands that may modify the data set are disabled, because this instance is configured "
    "to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error "
    "option). Please check the Redis logs for details about the RDB error.\r\n";

/* Runs until nothing of the snapshot is left to do. */
static void settle(struct hand *hand)
{
    for (int i = 0; i < 10; i++) {
        if (hand->hold_files)
            hand_release(hand);
        hand_run(hand);
    }
}

static void fill(struct hand *hand, int client, int keys)
{
    char text[64];

    for (int i = 0; i < keys; i++) {
        (void)snprintf(text, sizeof(text), "SET k%d old\r\n", i);
        RG_CHECK_STR(hand_ask(hand, client, text), "+OK\r\n");
    }
}

static bool saved(const struct hand *hand)
{
    return strncmp(hand_file_text(hand, "dump.rdb"), "REDIS", 5) == 0;
}

RG_TEST(bgsave_holds_the_moment_it_was_asked_for)
{
    struct hand hand;
    struct hand again;
    char text[64];

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    fill(&hand, c, 300);
    hand.hold_files = true;
    RG_CHECK_STR(hand_ask(&hand, c, "BGSAVE\r\n"), "+Background saving started\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "BGSAVE\r\n"), "-ERR Background save already in progress\r\n");
    for (int i = 0; i < 300; i += 3) {
        (void)snprintf(text, sizeof(text), "SET k%d new\r\nDEL k%d\r\n", i, i + 1);
        (void)hand_ask(&hand, c, text);
    }
    settle(&hand);
    RG_CHECK(hand_logged(&hand, "Background saving terminated with success"));
    hand_start_again(&again, "", NULL, &hand);
    c = hand_client(&again);
    RG_CHECK_STR(hand_ask(&again, c, "DBSIZE\r\nGET k0\r\nGET k1\r\nGET k299\r\n"),
                 ":300\r\n$3\r\nold\r\n$3\r\nold\r\n$3\r\nold\r\n");
    hand_end(&again);
    hand_end(&hand);
}

RG_TEST(save_answers_when_the_file_is_there)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    int other = hand_client(&hand);
    hand.hold_files = true;
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 1\r\nSAVE\r\nPING\r\n"), "+OK\r\n");
    RG_CHECK_STR(hand_ask(&hand, other, "GET a\r\n"), "$1\r\n1\r\n");
    RG_CHECK(!saved(&hand));
    settle(&hand);
    RG_CHECK(saved(&hand));
    RG_CHECK_STR(hand_take(&hand, c), "+OK\r\n+PONG\r\n");
    hand_end(&hand);
}

RG_TEST(changes_made_meanwhile_are_unsaved)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    fill(&hand, c, 5);
    RG_CHECK(strstr(hand_ask(&hand, c, "INFO persistence\r\n"), "last_save:5\r\n") != NULL);
    hand.hold_files = true;
    (void)hand_ask(&hand, c, "BGSAVE\r\nSET a 1\r\nSET b 1\r\n");
    const char *info = hand_ask(&hand, c, "INFO persistence\r\n");
    RG_CHECK(strstr(info, "rdb_bgsave_in_progress:1\r\n") != NULL);
    RG_CHECK(strstr(info, "last_save:7\r\n") != NULL);
    settle(&hand);
    info = hand_ask(&hand, c, "INFO persistence\r\n");
    RG_CHECK(strstr(info, "last_save:2\r\n") != NULL);
    RG_CHECK(strstr(info, "rdb_saves:1\r\n") != NULL);
    hand_end(&hand);
}

RG_TEST(save_points_fire_and_wait_after_a_failure)
{
    struct hand hand;

    hand_start(&hand, "save 2 3", NULL);
    int c = hand_client(&hand);
    fill(&hand, c, 2);
    hand_advance_ms(&hand, 4000);
    settle(&hand);
    RG_CHECK(!saved(&hand));
    fill(&hand, c, 1);
    hand.file_result = RG_ENOSPC;
    hand_advance_ms(&hand, 200);
    settle(&hand);
    RG_CHECK(hand_logged(&hand, "3 changes in 2 seconds. Saving..."));
    RG_CHECK(hand_logged(&hand, "Background saving error"));
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 1\r\n"), misconf);
    RG_CHECK_STR(hand_ask(&hand, c, "PING\r\n"), misconf);
    RG_CHECK_STR(hand_ask(&hand, c, "GET k0\r\n"), "$3\r\nold\r\n");
    hand.file_result = 0;
    hand_advance_ms(&hand, 3000);
    settle(&hand);
    RG_CHECK(!saved(&hand));
    hand_advance_ms(&hand, 3000);
    settle(&hand);
    RG_CHECK(saved(&hand));
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 1\r\n"), "+OK\r\n");
    hand_end(&hand);
}

RG_TEST(a_failure_costs_the_new_file_only)
{
    struct hand hand;
    char before[4096];

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    hand_send(&hand, c, "SET a 1\r\nSAVE\r\n");
    settle(&hand);
    RG_CHECK_STR(hand_take(&hand, c), "+OK\r\n+OK\r\n");
    (void)snprintf(before, sizeof(before), "%s", hand_file_text(&hand, "dump.rdb"));
    hand.file_result = RG_EIO;
    hand_send(&hand, c, "SET a 2\r\nSAVE\r\n");
    settle(&hand);
    RG_CHECK_STR(hand_take(&hand, c), "+OK\r\n-ERR\r\n");
    RG_CHECK_STR(hand_file_text(&hand, "dump.rdb"), before);
    /* Without save points nobody asked for safety. */
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 3\r\n"), "+OK\r\n");
    RG_CHECK(strstr(hand_ask(&hand, c, "INFO persistence\r\n"), "bgsave_status:err") != NULL);
    RG_CHECK(memmem(hand.files.data, hand.files.tail, "REMOVE temp-", 12) != NULL);
    hand_end(&hand);
}

RG_TEST(in_a_transaction_the_snapshot_comes_behind_it)
{
    struct hand hand;
    struct hand again;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "MULTI\r\nSET a 1\r\nBGSAVE\r\nSET b 1\r\nEXEC\r\n"),
                 "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n+Background saving "
                 "scheduled\r\n+OK\r\n");
    hand_advance_ms(&hand, 200);
    settle(&hand);
    hand_start_again(&again, "", NULL, &hand);
    c = hand_client(&again);
    RG_CHECK_STR(hand_ask(&again, c, "GET a\r\nGET b\r\n"), "$1\r\n1\r\n$1\r\n1\r\n");
    hand_end(&again);
    hand_end(&hand);
}

RG_TEST(the_name_is_that_of_the_beginning)
{
    struct hand hand;

    hand_start(&hand, "enable-protected-configs yes", NULL);
    int c = hand_client(&hand);
    hand.hold_files = true;
    RG_CHECK_STR(hand_ask(&hand, c, "BGSAVE\r\nCONFIG SET dbfilename other.rdb\r\n"),
                 "+Background saving started\r\n+OK\r\n");
    settle(&hand);
    RG_CHECK(saved(&hand));
    RG_CHECK_STR(hand_file_text(&hand, "other.rdb"), "");
    hand_end(&hand);
}

RG_TEST(temporary_files_are_known_by_their_names)
{
    int64_t pid = 0;

    RG_CHECK(rg_node_is_temporary("temp-17.4711.rdb", &pid));
    RG_CHECK_INT(pid, 4711);
    static const char *const others[] = {"dump.rdb",     "temp-17.rdb",       "temp-a.1.rdb",
                                         "temp-1.b.rdb", "temp-17.1.rdb.bak", "temp-"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        RG_CHECK(!rg_node_is_temporary(others[i], &pid));
}

RG_TEST(what_is_asked_for_while_the_log_is_rewritten)
{
    struct hand hand;

    hand_start(&hand, "appendonly yes", NULL);
    int c = hand_client(&hand);
    int other = hand_client(&hand);
    int third = hand_client(&hand);
    settle(&hand);
    fill(&hand, c, 300);
    hand.hold_files = true;
    RG_CHECK_STR(hand_ask(&hand, c, "BGREWRITEAOF\r\n"),
                 "+Background append only file rewriting started\r\n");
    for (int i = 0; i < 6 && !hand_logged(&hand, "Snapshot at offset"); i++) {
        hand_release(&hand);
        hand_run(&hand);
    }
    RG_CHECK_STR(hand_ask(&hand, c, "BGSAVE\r\n"),
                 "-ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE "
                 "SCHEDULE in order to schedule a BGSAVE whenever possible.\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "BGSAVE SCHEDULE\r\n"), "+Background saving scheduled\r\n");
    RG_CHECK_STR(hand_ask(&hand, other, "SAVE\r\n"), "");
    RG_CHECK_STR(hand_ask(&hand, third, "SAVE\r\n"),
                 "-ERR Background save already in progress\r\n");
    settle(&hand);
    settle(&hand);
    RG_CHECK(saved(&hand));
    RG_CHECK_STR(hand_take(&hand, other), "+OK\r\n");
    hand_advance_ms(&hand, 1000);
    settle(&hand);
    settle(&hand);
    RG_CHECK(hand_logged(&hand, "Background saving terminated with success"));
    hand_end(&hand);
}

/* What was sent to a replica begins with a length and an RDB of that length; returns how much is
 * behind it. */
static size_t behind_rdb(const struct hand *hand, int replica)
{
    struct rg_bytes sent = rg_buf_view(&hand->conns[replica].sent);
    uint64_t len = 0;

    while (sent.len > 0 && sent.data[0] == '\n')
        sent = rg_bytes(sent.data + 1, sent.len - 1);
    struct rg_bytes head = rg_bytes_cut(&sent, '\r');
    RG_CHECK(head.len > 1 && head.data[0] == '$');
    RG_CHECK_INT(rg_parse_u64(rg_bytes(head.data + 1, head.len - 1), &len), 0);
    sent = rg_bytes(sent.data + 1, sent.len - 1);
    RG_CHECK(rg_bytes_starts_with(sent, RG_BYTES("REDIS0010")));
    RG_CHECK(sent.len >= len);
    return sent.len - (size_t)len;
}

static bool file_asked(struct hand *hand, const char *what)
{
    rg_buf_append_char(&hand->files, '\0');
    return strstr(rg_buf_view(&hand->files).data, what) != NULL;
}

RG_TEST(who_needs_the_length_first_is_sent_a_file)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    fill(&hand, c, 300);
    int one = hand_client(&hand);
    int other = hand_client(&hand);
    hand.hold_files = true;
    hand_send(&hand, one, "SYNC\r\n");
    hand_send(&hand, other, "SYNC\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "SET late 1\r\n"), "+OK\r\n");
    RG_CHECK_STR(hand_take(&hand, one), "");
    for (int i = 0; i < 4; i++)
        settle(&hand);
    RG_CHECK(behind_rdb(&hand, one) > 0); /* the log's bytes since */
    RG_CHECK_INT(behind_rdb(&hand, one), behind_rdb(&hand, other));
    RG_CHECK(file_asked(&hand, "REMOVE temp-spool-"));
    int64_t pid = 0;
    RG_CHECK(rg_node_is_temporary("temp-spool-3.17.rdb", &pid) && pid == 17);
    hand_end(&hand);
}

RG_TEST(a_disk_that_does_not_take_the_file_costs_the_replicas_link)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    fill(&hand, c, 300);
    int replica = hand_client(&hand);
    hand.file_result = RG_ENOSPC;
    hand_send(&hand, replica, "SYNC\r\n");
    settle(&hand);
    RG_CHECK(hand.conns[replica].closed);
    RG_CHECK(hand_logged(&hand, "the snapshot for it cannot be written: No space left on device"));
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 1\r\n"), "+OK\r\n");
    hand.file_result = 0;
    replica = hand_client(&hand);
    hand_send(&hand, replica, "SYNC\r\n");
    for (int i = 0; i < 4; i++)
        settle(&hand);
    (void)behind_rdb(&hand, replica);
    hand_end(&hand);
}
