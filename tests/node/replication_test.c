#include <stdio.h>

#include "tests/harness.h"
#include "tests/node/hand.h"

/* A replica played by hand: introduces itself and asks for everything. Returns its index. */
static int fake_replica(struct hand *hand)
{
    int r = hand_client(hand);

    RG_CHECK_STR(
        hand_ask(hand, r, "REPLCONF listening-port 7000\r\nREPLCONF capa eof capa psync2\r\n"),
        "+OK\r\n+OK\r\n");
    return r;
}

static void ack(struct hand *hand, int r, uint64_t offset)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "REPLCONF ACK %llu\r\n", (unsigned long long)offset);
    hand_send(hand, r, text);
}

static uint64_t log_end(struct hand *hand)
{
    struct rg_node_view view;

    rg_node_view(hand->node, hand->now, &view);
    return view.log_end;
}

RG_TEST(a_full_resync_is_followed_by_the_stream)
{
    struct hand hand;

    hand_start(&hand, "repl-diskless-sync no", NULL);
    int c = hand_client(&hand);
    int r = fake_replica(&hand);
    hand_send(&hand, c, "SET a 1\r\n");
    const char *answer = hand_ask(&hand, r, "PSYNC ? -1\r\n");
    RG_CHECK(strncmp(answer, "+FULLRESYNC ", 12) == 0);
    RG_CHECK(strstr(answer, " 0\r\n$") != NULL);
    (void)hand_take(&hand, c);
    hand_send(&hand, c, "SET b 2\r\n");
    RG_CHECK_STR(hand_take(&hand, r),
                 "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n2\r\n");
    hand_end(&hand);
}

RG_TEST(a_partial_resync_sends_only_what_is_missing)
{
    struct hand hand;
    char request[128];

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    int r = fake_replica(&hand);
    (void)hand_ask(&hand, r, "PSYNC ? -1\r\n");
    hand_send(&hand, c, "SET b 2\r\n");
    uint64_t end = log_end(&hand);
    struct rg_node_view view;
    rg_node_view(hand.node, hand.now, &view);
    (void)snprintf(request, sizeof(request), "PSYNC %s %llu\r\n", view.replid,
                   (unsigned long long)end + 1);
    hand_close(&hand, r, RG_CLOSE_EOF);
    hand_send(&hand, c, "SET c 3\r\n");
    int again = fake_replica(&hand);
    const char *answer = hand_ask(&hand, again, request);
    RG_CHECK(strncmp(answer, "+CONTINUE ", 10) == 0);
    RG_CHECK(strstr(answer, "\r\n*3\r\n$3\r\nSET\r\n$1\r\nc\r\n$1\r\n3\r\n") != NULL);
    /* An offset that this log never had, and an id that nobody has. */
    int third = fake_replica(&hand);
    (void)snprintf(request, sizeof(request), "PSYNC %s 99999\r\n", view.replid);
    RG_CHECK(strncmp(hand_ask(&hand, third, request), "+FULLRESYNC ", 12) == 0);
    hand_end(&hand);
}

RG_TEST(semi_sync_withholds_replies_until_a_replica_acknowledged)
{
    struct hand hand;

    hand_start(&hand, "replication-mode semi-sync", NULL);
    int c = hand_client(&hand);
    int other = hand_client(&hand);
    int r = fake_replica(&hand);
    (void)hand_ask(&hand, r, "PSYNC ? -1\r\n");
    ack(&hand, r, 0);
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 1\r\nGET a\r\n"), "");
    /* A reader sees nothing that is not acknowledged; one that reads nothing is not held up. */
    RG_CHECK_STR(hand_ask(&hand, other, "PING\r\nGET a\r\nPING\r\n"), "+PONG\r\n");
    ack(&hand, r, log_end(&hand));
    RG_CHECK_STR(hand_take(&hand, c), "+OK\r\n$1\r\n1\r\n");
    RG_CHECK_STR(hand_take(&hand, other), "$1\r\n1\r\n+PONG\r\n");
    hand_end(&hand);
}

RG_TEST(a_write_that_nobody_acknowledges_ends_in_an_error_that_says_so)
{
    struct hand hand;

    hand_start(&hand, "replication-mode semi-sync\nreplication-timeout 200", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 1\r\nGET a\r\n"), "");
    RG_CHECK(rg_node_deadline(hand.node) <= hand.now.mono_us + 200 * RG_MS_US);
    hand_advance_ms(&hand, 201);
    const char *answer = hand_take(&hand, c);
    RG_CHECK(strncmp(answer, "-UNCERTAIN ", 11) == 0);
    RG_CHECK(strstr(answer, "\r\n-MASTERDOWN ") != NULL);
    hand_end(&hand);
}

RG_TEST(a_connection_may_choose_a_mode_of_its_own)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "CLIENT REPLICATION-MODE semi-sync\r\n"), "+OK\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 1\r\n"), "");
    int other = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, other, "SET b 1\r\n"), "+OK\r\n");
    hand_end(&hand);
}

RG_TEST(wait_counts_the_replicas_that_hold_the_clients_writes)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    int r = fake_replica(&hand);
    (void)hand_ask(&hand, r, "PSYNC ? -1\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 1\r\nWAIT 1 0\r\n"), "+OK\r\n");
    ack(&hand, r, log_end(&hand));
    RG_CHECK_STR(hand_take(&hand, c), ":1\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "SET a 2\r\nWAIT 2 100\r\n"), "+OK\r\n");
    hand_advance_ms(&hand, 101);
    RG_CHECK_STR(hand_take(&hand, c), ":0\r\n");
    hand_end(&hand);
}

/* A primary played by hand, up to the answer to PSYNC. Returns the link. */
static int fake_primary(struct hand *hand)
{
    int p = hand_dialled(hand);

    RG_CHECK(p >= 0);
    RG_CHECK_STR(hand->conns[p].host, "primary.example");
    hand_connect(hand, p);
    const char *asked = hand_take(hand, p);
    RG_CHECK(strncmp(asked, "*1\r\n$4\r\nPING\r\n", 14) == 0);
    /* Redis refuses PSYNC while it owes replies. */
    RG_CHECK(strstr(asked, "PSYNC") == NULL);
    hand_send(hand, p, "+PONG\r\n+OK\r\n+OK\r\n");
    RG_CHECK(strstr(hand_take(hand, p), "PSYNC") != NULL);
    return p;
}

/* An RDB with a key, taken from another node that plays no further part. */
static void donor_snapshot(struct rg_buf *out, bool damage)
{
    struct hand donor;

    hand_start(&donor, "repl-diskless-sync no", NULL);
    int c = hand_client(&donor);
    hand_send(&donor, c, "SET from-primary yes\r\n");
    int r = fake_replica(&donor);
    hand_send(&donor, r, "PSYNC ? -1\r\n");
    rg_buf_append_bytes(out, rg_buf_view(&donor.conns[r].sent));
    if (damage)
        out->data[out->tail - 12] ^= 1;
    hand_end(&donor);
}

RG_TEST(a_replica_loads_saves_acknowledges_and_then_streams)
{
    struct hand hand;
    struct rg_buf snapshot = {0};

    hand_start(&hand, "replicaof primary.example 6379", NULL);
    int p = fake_primary(&hand);
    donor_snapshot(&snapshot, false);
    hand.hold_files = true;
    rg_node_received(hand.node, hand.conns[p].conn, rg_buf_view(&snapshot), hand.now);
    hand_run(&hand);
    /* Not before the file is safe. */
    RG_CHECK_STR(hand_take(&hand, p), "");
    hand.hold_files = false;
    hand_run(&hand);
    RG_CHECK(strstr(hand_take(&hand, p), "REPLCONF\r\n$3\r\nACK") != NULL);
    RG_CHECK(memmem(hand.files.data, hand.files.tail, "dump.rdb", 8) != NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "GET from-primary\r\nSET x 1\r\n"),
                 "$3\r\nyes\r\n-READONLY You can't write against a read only replica.\r\n");
    hand_send(&hand, p,
              "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"
              "*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n");
    RG_CHECK(strstr(hand_take(&hand, p), "ACK") != NULL);
    RG_CHECK_STR(hand_ask(&hand, c, "GET k\r\n"), "$1\r\nv\r\n");
    rg_buf_fini(&snapshot);
    hand_end(&hand);
}

RG_TEST(a_damaged_snapshot_costs_nothing_of_what_was_there)
{
    struct hand hand;
    struct rg_buf snapshot = {0};

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "SET mine 1\r\nREPLICAOF primary.example 6379\r\n"),
                 "+OK\r\n+OK\r\n");
    int p = fake_primary(&hand);
    donor_snapshot(&snapshot, true);
    rg_node_received(hand.node, hand.conns[p].conn, rg_buf_view(&snapshot), hand.now);
    hand_run(&hand);
    RG_CHECK(hand.conns[p].closed);
    RG_CHECK(hand_logged(&hand, "Failed trying to load the MASTER synchronization DB"));
    hand_advance_ms(&hand, 999);
    RG_CHECK_INT(hand_dialled(&hand), -1);
    hand_advance_ms(&hand, 1);
    RG_CHECK(hand_dialled(&hand) >= 0);
    RG_CHECK_STR(hand_ask(&hand, c, "GET mine\r\n"), "$1\r\n1\r\n");
    rg_buf_fini(&snapshot);
    hand_end(&hand);
}

RG_TEST(a_full_disk_stops_the_transfer_and_keeps_the_data)
{
    struct hand hand;
    struct rg_buf snapshot = {0};

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "SET mine 1\r\nREPLICAOF primary.example 6379\r\n"),
                 "+OK\r\n+OK\r\n");
    int p = fake_primary(&hand);
    donor_snapshot(&snapshot, false);
    hand.file_result = RG_ENOSPC;
    rg_node_received(hand.node, hand.conns[p].conn, rg_buf_view(&snapshot), hand.now);
    hand_run(&hand);
    RG_CHECK(hand.conns[p].closed);
    RG_CHECK(hand_logged(&hand, "No space left on device"));
    RG_CHECK_STR(hand_ask(&hand, c, "GET mine\r\n"), "$1\r\n1\r\n");
    rg_buf_fini(&snapshot);
    hand_end(&hand);
}

RG_TEST(a_promoted_replica_goes_on_under_a_name_of_its_own)
{
    struct hand hand;
    struct rg_buf snapshot = {0};
    struct rg_node_view before;
    struct rg_node_view after;

    hand_start(&hand, "replicaof primary.example 6379", NULL);
    int p = fake_primary(&hand);
    donor_snapshot(&snapshot, false);
    rg_node_received(hand.node, hand.conns[p].conn, rg_buf_view(&snapshot), hand.now);
    hand_run(&hand);
    hand_send(&hand, p, "*1\r\n$4\r\nPING\r\n");
    rg_node_view(hand.node, hand.now, &before);
    char replid[41];
    (void)snprintf(replid, sizeof(replid), "%s", before.replid);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "REPLICAOF NO ONE\r\nSET mine 1\r\n"), "+OK\r\n+OK\r\n");
    rg_node_view(hand.node, hand.now, &after);
    RG_CHECK(after.primary && strcmp(after.replid, replid) != 0);
    /* A fellow replica of the old primary needs no snapshot. */
    char request[128];
    (void)snprintf(request, sizeof(request), "PSYNC %s 1\r\n", replid);
    int r = fake_replica(&hand);
    RG_CHECK(strncmp(hand_ask(&hand, r, request), "+CONTINUE ", 10) == 0);
    rg_buf_fini(&snapshot);
    hand_end(&hand);
}

static bool holds(struct hand *hand, const char *part)
{
    int c = hand_client(hand);
    bool found = strstr(hand_ask(hand, c, "INFO replication\r\n"), part) != NULL;

    hand_close(hand, c, RG_CLOSE_EOF);
    return found;
}

RG_TEST(a_log_that_no_replica_asks_for_is_given_up)
{
    struct hand hand;

    hand_start(&hand, "repl-backlog-ttl 10", NULL);
    int c = hand_client(&hand);
    int r = fake_replica(&hand);
    (void)hand_ask(&hand, r, "PSYNC ? -1\r\n");
    hand_send(&hand, c, "SET a 1\r\n");
    struct rg_node_view before;
    rg_node_view(hand.node, hand.now, &before);
    char request[128];
    (void)snprintf(request, sizeof(request), "PSYNC %s %llu\r\n", before.replid,
                   (unsigned long long)before.log_end + 1);
    hand_close(&hand, r, RG_CLOSE_EOF);
    hand_advance_ms(&hand, 100);
    hand_advance_ms(&hand, 9000);
    RG_CHECK(holds(&hand, "repl_backlog_active:1"));
    hand_advance_ms(&hand, 1200);
    RG_CHECK(hand_logged(&hand, "Replication backlog freed after 10 seconds"));
    RG_CHECK(holds(&hand, "repl_backlog_active:0"));
    /* What is written now is in no log: who knows the old id cannot go on from where it was. */
    hand_send(&hand, c, "SET b 2\r\n");
    RG_CHECK_INT((int64_t)hand_log_end(&hand), (int64_t)before.log_end);
    int again = fake_replica(&hand);
    RG_CHECK(strncmp(hand_ask(&hand, again, request), "+FULLRESYNC ", 12) == 0);
    hand_end(&hand);
}

RG_TEST(replicas_that_ask_within_the_delay_share_one_walk)
{
    struct hand hand;

    hand_start(&hand, "repl-diskless-sync-delay 5", NULL);
    int first = fake_replica(&hand);
    int second = fake_replica(&hand);
    RG_CHECK_STR(hand_ask(&hand, first, "PSYNC ? -1\r\n"), "");
    RG_CHECK(holds(&hand, "state=wait_bgsave"));
    hand_advance_ms(&hand, 3000);
    (void)hand_take(&hand, first); /* empty lines, so that it does not give up */
    RG_CHECK_STR(hand_ask(&hand, second, "PSYNC ? -1\r\n"), "");
    hand_advance_ms(&hand, 1900);
    RG_CHECK(strstr(hand_take(&hand, first), "+FULLRESYNC") == NULL);
    hand_advance_ms(&hand, 200);
    RG_CHECK(strstr(hand_take(&hand, first), "+FULLRESYNC") != NULL);
    RG_CHECK(strstr(hand_take(&hand, second), "+FULLRESYNC") != NULL);
    hand_end(&hand);
}

RG_TEST(so_many_replicas_need_not_wait_for_more)
{
    struct hand hand;

    hand_start(&hand, "repl-diskless-sync-delay 3600\nrepl-diskless-sync-max-replicas 2", NULL);
    int first = fake_replica(&hand);
    RG_CHECK_STR(hand_ask(&hand, first, "PSYNC ? -1\r\n"), "");
    int second = fake_replica(&hand);
    RG_CHECK(strstr(hand_ask(&hand, second, "PSYNC ? -1\r\n"), "+FULLRESYNC") != NULL);
    RG_CHECK(strstr(hand_take(&hand, first), "+FULLRESYNC") != NULL);
    hand_end(&hand);
}

RG_TEST(one_that_takes_a_length_only_does_not_wait_for_others)
{
    struct hand hand;

    hand_start(&hand, "repl-diskless-sync-delay 3600", NULL);
    int plain = hand_client(&hand);
    RG_CHECK(strstr(hand_ask(&hand, plain, "PSYNC ? -1\r\n"), "+FULLRESYNC") != NULL);
    hand_end(&hand);
}

RG_TEST(who_wants_the_snapshot_only_gets_no_stream)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int r = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, r, "REPLCONF rdb-only 1\r\n"), "+OK\r\n");
    hand_send(&hand, r, "SYNC\r\n");
    hand_run(&hand);
    RG_CHECK(strstr(hand_take(&hand, r), "REDIS0") != NULL);
    RG_CHECK(hand.conns[r].closed);
    hand_end(&hand);
}

RG_TEST(a_reply_that_is_owed_is_not_mixed_into_the_stream)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int r = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, r, "PING\r\nPSYNC ? -1\r\n"),
                 "+PONG\r\n-ERR SYNC and PSYNC are invalid with pending output\r\n");
    hand_end(&hand);
}
