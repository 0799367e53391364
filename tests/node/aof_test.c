#include <stdio.h>
#include <string.h>

#include "tests/harness.h"
#include "tests/node/hand.h"

/* The log on disk of one node: what it waits for, what is on disk when, and what a start finds. */

static const char aof_always[] = "appendonly yes\nappendfsync always";

RG_TEST(a_start_makes_a_base_and_an_increment)
{
    struct hand hand;

    hand_start(&hand, "appendonly yes", NULL);
    RG_CHECK_STR(hand_file_text(&hand, "appendonlydir/appendonly.aof.manifest"),
                 "file appendonly.aof.1.base.rdb seq 1 type b\n"
                 "file appendonly.aof.1.incr.aof seq 1 type i start 0\n");
    hand_end(&hand);
}

RG_TEST(with_always_replies_wait_for_the_sync_and_share_it)
{
    struct hand hand;

    hand_start(&hand, aof_always, NULL);
    int a = hand_client(&hand);
    int b = hand_client(&hand);
    int c = hand_client(&hand);
    hand.hold_files = true;
    rg_buf_reset(&hand.files, 0);
    RG_CHECK_STR(hand_ask(&hand, a, "SET a 1\r\nPING\r\n"), "");
    RG_CHECK_STR(hand_ask(&hand, b, "SET b 1\r\n"), "");
    RG_CHECK_STR(hand_ask(&hand, c, "GET a\r\n"), ""); /* a read of what may be gone */
    RG_CHECK_INT(hand.held_count, 2);                  /* one piece and its sync */
    hand_release_one(&hand);
    hand_run(&hand);
    RG_CHECK_STR(hand_take(&hand, a), "");
    hand_release_one(&hand);
    hand_run(&hand);
    RG_CHECK_STR(hand_take(&hand, a), "+OK\r\n+PONG\r\n");
    RG_CHECK_STR(hand_take(&hand, b), "");
    RG_CHECK_INT(hand.held_count, 2); /* what gathered meanwhile */
    hand_release(&hand);
    hand_run(&hand);
    RG_CHECK_STR(hand_take(&hand, b), "+OK\r\n");
    RG_CHECK_STR(hand_take(&hand, c), "$1\r\n1\r\n");
    hand_release(&hand);
    hand_end(&hand);
}

RG_TEST(bytes_that_could_not_be_written_are_cut_and_tried_again)
{
    struct hand hand;

    hand_start(&hand, "appendonly yes", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 1\r\n"), "+OK\r\n");
    hand.file_result = RG_ENOSPC;
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 2\r\n"), "+OK\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 3\r\n"),
                 "-MISCONF Errors writing to the AOF file: No space left on device\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "GET a\r\n"), "$1\r\n2\r\n");
    hand.file_result = 0;
    hand_advance_ms(&hand, 1100);
    hand_advance_ms(&hand, 1100);
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 4\r\n"), "+OK\r\n");
    RG_CHECK(hand_logged(&hand, "AOF write error looks solved"));
    struct hand again;
    hand_start_again(&again, "appendonly yes", NULL, &hand);
    c = hand_client(&again);
    RG_CHECK_STR(hand_ask(&again, c, "GET a\r\n"), "$1\r\n4\r\n");
    hand_end(&again);
    hand_end(&hand);
}

RG_TEST(a_sync_that_failed_is_never_believed_later)
{
    struct hand hand;

    hand_start(&hand, aof_always, NULL);
    int c = hand_client(&hand);
    hand.hold_files = true;
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 1\r\n"), "");
    hand_release_one(&hand); /* it is written */
    hand.file_result = RG_EIO;
    hand_release_one(&hand); /* and not synced */
    hand_run(&hand);
    RG_CHECK_STR(hand_take(&hand, c),
                 "-UNCERTAIN The AOF file did not take this write; its outcome is unknown\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 2\r\n"),
                 "-MISCONF Errors writing to the AOF file: Input/output error\r\n");
    hand.file_result = 0;
    hand.hold_files = false;
    rg_buf_reset(&hand.files, 0);
    hand_advance_ms(&hand, 1100);
    hand_advance_ms(&hand, 1100);
    /* A file of its own, and nothing more for the one that failed. */
    rg_buf_append_char(&hand.files, '\0');
    RG_CHECK(strstr(rg_buf_view(&hand.files).data, "LOG appendonlydir/appendonly.aof.1.") == NULL);
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 3\r\n"), "+OK\r\n");
    RG_CHECK_STR(hand_file_text(&hand, "appendonlydir/appendonly.aof.manifest"),
                 "file appendonly.aof.2.base.rdb seq 2 type b\n"
                 "file appendonly.aof.2.incr.aof seq 2 type i start 50\n");
    hand_end(&hand);
}

/* ---- Crashes ---- */

/* After so many file operations of a life with a rewrite the node is gone: what was acknowledged is
 * in what the next one starts from. False: there were fewer operations. */
static bool crash_after(int operations)
{
    struct hand hand;
    struct hand again;
    char text[64];
    int acked = 0;
    int done = 0;

    hand_start(&hand, aof_always, NULL);
    int c = hand_client(&hand);
    hand.hold_files = true;
    for (int step = 1; step <= 12 && done < operations; step++) {
        (void)snprintf(text, sizeof(text), "SET a %d\r\n%s", step,
                       step == 3 || step == 6 ? "BGREWRITEAOF\r\n" : "");
        hand_send(&hand, c, text);
        for (int turn = 0; turn < 40 && done < operations && hand.held_count > 0; turn++) {
            hand_release_one(&hand);
            done++;
            hand_run(&hand);
            if (strstr(hand_take(&hand, c), "+OK") != NULL)
                acked = step;
        }
    }
    bool more = done == operations;
    hand_start_again(&again, aof_always, NULL, &hand);
    c = hand_client(&again);
    int found = 0;
    const char *reply = hand_ask(&again, c, "GET a\r\n");
    if (strcmp(reply, "$-1\r\n") != 0)
        RG_CHECK_INT(sscanf(reply, "$%*d\r\n%d", &found), 1);
    if (found < acked)
        rg_test_fail(__FILE__, __LINE__, "after %d operations: %d was acknowledged, %d is there",
                     operations, acked, found);
    hand_end(&again);
    hand_end(&hand);
    return more;
}

RG_TEST(a_crash_after_any_file_operation_leaves_what_was_acknowledged)
{
    int operations = 0;

    while (crash_after(operations))
        operations++;
    RG_CHECK(operations > 30);
}

RG_TEST(a_member_that_loads_is_looked_at_before_its_log_has_a_name)
{
    static const char text[] = "save ''\nappendonly yes\ngroup-name g\n"
                               "group-members 10.0.0.1:1 10.0.0.2:1 10.0.0.3:1\n";
    static const char manifest[] = "file a seq 1 type b\nfile b seq 1 type i start 0\n";
    static const struct rg_conn_info info = {
        .peer_host = "127.0.0.1", .local_host = "127.0.0.1", .fd = -1, .loopback = true};
    struct rg_time now = {.mono_us = RG_S_US, .wall_us = 1700000000 * RG_S_US};
    struct rg_config *config = rg_config_new();
    struct rg_buf error = {0};
    struct rg_bytes runs[4];
    const char *refusal = NULL;
    struct rg_node_view view;

    RG_CHECK_INT(rg_config_read(config, "test", rg_bytes_str(text), NULL, NULL, &error), 0);
    struct rg_node_init init = {.config = config, .now = now, .self_member = "10.0.0.1:1"};
    struct rg_node *node = rg_node_new(&init);
    RG_CHECK_INT(rg_node_load_manifest(node, rg_bytes_str(manifest)), 0);
    rg_node_load_log_begin(node, 100, now);
    RG_CHECK_INT(rg_node_load_log(node, RG_BYTES("REDIS0010")), 0);
    struct rg_conn *conn = rg_node_accepted(node, &info, now, &refusal);
    rg_node_received(node, conn, RG_BYTES("INFO replication\r\n"), now);
    rg_node_run(node, now);
    rg_node_view(node, now, &view);
    RG_CHECK_STR(view.replid, "");
    RG_CHECK_INT(rg_node_output(node, conn, runs, 4), 1);
    RG_CHECK(memmem(runs[0].data, runs[0].len, "master_replid:0000", 18) != NULL);
    rg_node_free(node);
}

RG_TEST(a_term_whose_record_did_not_get_to_the_disk_is_none_of_the_log)
{
    static const char group[] = "appendonly yes\ngroup-name g\n"
                                "group-members 10.0.0.1:1 10.0.0.2:1 10.0.0.3:1\n";
    static const char begin[] = "#REGENT-LOG:1:0:-1:1\r\n"
                                "#REGENT-TERM:1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:0\r\n"
                                "*1\r\n$4\r\nPING\r\n";
    struct hand before = {0};
    struct hand hand;
    struct rg_node_view view;

    (void)snprintf(before.disk[0].name, sizeof(before.disk[0].name),
                   "appendonlydir/appendonly.aof.manifest");
    rg_buf_append_str(&before.disk[0].bytes, "file a seq 1 type i start 0\n");
    (void)snprintf(before.disk[1].name, sizeof(before.disk[1].name), "appendonlydir/a");
    rg_buf_printf(&before.disk[1].bytes, "%s#REGENT-TERM:2:%s:14\r\n*3\r\n$7\r\nPUBL", begin,
                  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
    hand_start_again(&hand, group, "10.0.0.1:1", &before);
    rg_node_view(hand.node, hand.now, &view);
    RG_CHECK_INT(view.log_end, 14);
    RG_CHECK_INT(view.log_term, 1);
    RG_CHECK_STR(view.replid, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    RG_CHECK_STR(hand_file_text(&hand, "appendonlydir/a"), begin);
    hand_end(&hand);
    rg_buf_fini(&before.disk[0].bytes);
    rg_buf_fini(&before.disk[1].bytes);
}

RG_TEST(the_log_goes_on_under_a_new_id_from_where_it_was)
{
    struct hand hand;
    struct hand again;

    hand_start(&hand, aof_always, NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 1\r\n"), "+OK\r\n");
    uint64_t end = hand_log_end(&hand);
    struct rg_node_view before;
    struct rg_node_view after;
    rg_node_view(hand.node, hand.now, &before);
    hand_start_again(&again, aof_always, NULL, &hand);
    RG_CHECK_INT(hand_log_end(&again), end);
    c = hand_client(&again);
    RG_CHECK_STR(hand_ask(&again, c, "SET b 1\r\n"), "+OK\r\n");
    rg_node_view(again.node, again.now, &after);
    RG_CHECK(strcmp(before.replid, after.replid) != 0);
    hand_end(&again);
    hand_end(&hand);
}
