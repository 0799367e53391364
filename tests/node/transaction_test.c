#include <stdio.h>

#include "tests/harness.h"
#include "tests/node/hand.h"

/* ---- On the primary ---- */

/* A replica played by hand, past its full resync. */
static int replica(struct hand *hand)
{
    int r = hand_client(hand);

    (void)hand_ask(hand, r, "REPLCONF listening-port 7000\r\nREPLCONF capa eof capa psync2\r\n");
    (void)hand_ask(hand, r, "PSYNC ? -1\r\n");
    hand_send(hand, r, "REPLCONF ACK 0\r\n");
    return r;
}

static void ack(struct hand *hand, int r)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "REPLCONF ACK %llu\r\n",
                   (unsigned long long)hand_log_end(hand));
    hand_send(hand, r, text);
}

RG_TEST(commands_are_queued_and_run_in_one_go)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    int other = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "MULTI\r\nSET a 1\r\nINCR a\r\n"),
                 "+OK\r\n+QUEUED\r\n+QUEUED\r\n");
    RG_CHECK_STR(hand_ask(&hand, other, "GET a\r\n"), "$-1\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "EXEC\r\n"), "*2\r\n+OK\r\n:2\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "EXEC\r\n"), "-ERR EXEC without MULTI\r\n");
    hand_end(&hand);
}

RG_TEST(several_changes_are_one_unit_of_the_log)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    int r = replica(&hand);
    (void)hand_take(&hand, r);
    (void)hand_ask(&hand, c, "MULTI\r\nSET a 1\r\nGET a\r\nEXEC\r\n");
    RG_CHECK_STR(hand_take(&hand, r),
                 "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n");
    (void)hand_ask(&hand, c, "MULTI\r\nSET a 2\r\nSELECT 1\r\nINCR b\r\nPUBLISH c m\r\nEXEC\r\n");
    RG_CHECK_STR(hand_take(&hand, r),
                 "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n2\r\n"
                 "*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n*2\r\n$4\r\nINCR\r\n$1\r\nb\r\n"
                 "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1\r\nm\r\n*1\r\n$4\r\nEXEC\r\n");
    (void)hand_ask(&hand, c, "MULTI\r\nGET a\r\nEXEC\r\nMULTI\r\nSET a 3\r\nDISCARD\r\n");
    RG_CHECK_STR(hand_take(&hand, r), "");
    hand_end(&hand);
}

RG_TEST(its_reply_waits_for_the_replicas_as_one)
{
    struct hand hand;

    hand_start(&hand, "replication-mode semi-sync\nreplication-timeout 200", NULL);
    int c = hand_client(&hand);
    int r = replica(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "MULTI\r\nSET a 1\r\nGET a\r\nEXEC\r\n"),
                 "+OK\r\n+QUEUED\r\n+QUEUED\r\n");
    ack(&hand, r);
    RG_CHECK_STR(hand_take(&hand, c), "*2\r\n+OK\r\n$1\r\n1\r\n");
    /* One reply, so one error. */
    (void)hand_ask(&hand, c, "MULTI\r\nSET a 2\r\nSET b 2\r\nEXEC\r\nPING\r\n");
    hand_advance_ms(&hand, 201);
    const char *answer = hand_take(&hand, c);
    RG_CHECK(strncmp(answer, "-UNCERTAIN ", 11) == 0);
    RG_CHECK_STR(strstr(answer, "\r\n"), "\r\n+PONG\r\n");
    hand_end(&hand);
}

RG_TEST(a_pause_of_writes_holds_it_as_a_whole)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    int admin = hand_client(&hand);
    int reader = hand_client(&hand);
    (void)hand_ask(&hand, c, "MULTI\r\nGET a\r\nSET a 1\r\n");
    (void)hand_ask(&hand, reader, "MULTI\r\nGET a\r\n");
    (void)hand_ask(&hand, admin, "CLIENT PAUSE 100 WRITE\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "EXEC\r\n"), "");
    RG_CHECK_STR(hand_ask(&hand, reader, "EXEC\r\n"), "*1\r\n$-1\r\n");
    hand_advance_ms(&hand, 101);
    RG_CHECK_STR(hand_take(&hand, c), "*2\r\n$-1\r\n+OK\r\n");
    hand_end(&hand);
}

RG_TEST(a_watched_key_that_changed_or_expired_stops_it)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    int other = hand_client(&hand);
    (void)hand_ask(&hand, c, "WATCH a\r\nMULTI\r\nSET b 1\r\n");
    (void)hand_ask(&hand, other, "SET a 1\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "EXEC\r\nGET b\r\n"), "*-1\r\n$-1\r\n");
    /* The other database has a key of the same name. */
    (void)hand_ask(&hand, c, "WATCH a\r\nMULTI\r\nSET b 1\r\n");
    (void)hand_ask(&hand, other, "SELECT 1\r\nSET a 1\r\nSELECT 0\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "EXEC\r\n"), "*1\r\n+OK\r\n");
    (void)hand_ask(&hand, c, "SET a 1 PX 50\r\nWATCH a\r\n");
    hand_advance_ms(&hand, 60);
    RG_CHECK_STR(hand_ask(&hand, c, "MULTI\r\nPING\r\nEXEC\r\n"), "+OK\r\n+QUEUED\r\n*-1\r\n");
    (void)hand_ask(&hand, c, "WATCH nothing\r\n");
    (void)hand_ask(&hand, other, "FLUSHALL\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "MULTI\r\nPING\r\nEXEC\r\n"),
                 "+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n");
    (void)hand_ask(&hand, c, "SET a 1\r\nWATCH a\r\n");
    (void)hand_ask(&hand, other, "SWAPDB 0 1\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "MULTI\r\nPING\r\nEXEC\r\n"), "+OK\r\n+QUEUED\r\n*-1\r\n");
    hand_end(&hand);
}

RG_TEST(messages_to_oneself_come_before_the_reply_of_the_transaction)
{
    struct hand hand;

    hand_start(&hand, "notify-keyspace-events E$", NULL);
    int c = hand_client(&hand);
    (void)hand_ask(&hand, c, "HELLO 3\r\nSUBSCRIBE __keyevent@0__:set\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "MULTI\r\nSET a 1\r\nPING\r\nEXEC\r\n"),
                 "+OK\r\n+QUEUED\r\n+QUEUED\r\n"
                 ">3\r\n$7\r\nmessage\r\n$18\r\n__keyevent@0__:set\r\n$1\r\na\r\n"
                 "*2\r\n+OK\r\n+PONG\r\n");
    hand_end(&hand);
}

/* ---- Clients that wait ---- */

RG_TEST(what_a_waiting_client_is_served_waits_for_the_replicas_too)
{
    struct hand hand;

    hand_start(&hand, "replication-mode semi-sync", NULL);
    int c = hand_client(&hand);
    int waiting = hand_client(&hand);
    int r = replica(&hand);
    RG_CHECK_STR(hand_ask(&hand, waiting, "BLPOP k 0\r\nPING\r\n"), "");
    RG_CHECK_STR(hand_ask(&hand, c, "RPUSH k x\r\n"), "");
    RG_CHECK_STR(hand_take(&hand, waiting), "");
    ack(&hand, r);
    RG_CHECK_STR(hand_take(&hand, c), ":1\r\n");
    RG_CHECK_STR(hand_take(&hand, waiting), "*2\r\n$1\r\nk\r\n$1\r\nx\r\n+PONG\r\n");
    hand_end(&hand);
}

RG_TEST(time_ends_a_wait_to_the_millisecond)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "BLPOP k 0.25\r\n"), "");
    RG_CHECK_INT(rg_node_deadline(hand.node) <= hand.now.mono_us + 250 * RG_MS_US, true);
    hand_advance_ms(&hand, 249);
    RG_CHECK_STR(hand_take(&hand, c), "");
    hand_advance_ms(&hand, 1);
    RG_CHECK_STR(hand_take(&hand, c), "*-1\r\n");
    hand_end(&hand);
}

RG_TEST(who_leaves_while_it_waits_leaves_nothing_behind)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    int gone = hand_client(&hand);
    int stays = hand_client(&hand);
    (void)hand_ask(&hand, gone, "WATCH k\r\nBLPOP k k l 0\r\n");
    (void)hand_ask(&hand, stays, "BLPOP l 0\r\n");
    hand_close(&hand, gone, RG_CLOSE_EOF);
    RG_CHECK_STR(hand_ask(&hand, c, "RPUSH l x\r\n"), ":1\r\n");
    RG_CHECK_STR(hand_take(&hand, stays), "*2\r\n$1\r\nl\r\n$1\r\nx\r\n");
    hand_end(&hand);
}

/* ---- On a follower ---- */

/* A primary played by hand; the node has an empty snapshot from it. Returns the link. */
static int primary(struct hand *hand)
{
    struct hand donor;
    int p = hand_dialled(hand);

    hand_connect(hand, p);
    hand_send(hand, p, "+PONG\r\n+OK\r\n+OK\r\n");
    hand_start(&donor, "repl-diskless-sync no", NULL);
    int r = hand_client(&donor);
    (void)hand_ask(&donor, r, "REPLCONF listening-port 7000\r\nREPLCONF capa eof capa psync2\r\n");
    hand_send(&donor, r, "PSYNC ? -1\r\n");
    rg_node_received(hand->node, hand->conns[p].conn, rg_buf_view(&donor.conns[r].sent), hand->now);
    hand_run(hand);
    hand_end(&donor);
    hand_run(hand);
    return p;
}

static const char half[] = "*1\r\n$5\r\nMULTI\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
                           "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
static const char rest[] = "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n1\r\n*1\r\n$4\r\nEXEC\r\n";

RG_TEST(a_follower_shows_and_logs_all_of_it_or_nothing)
{
    struct hand hand;

    hand_start(&hand, "replicaof primary.example 6379", NULL);
    int p = primary(&hand);
    int c = hand_client(&hand);
    uint64_t before = hand_log_end(&hand);
    for (size_t i = 0; i + 1 < sizeof(half); i++) {
        char byte[] = {half[i], '\0'};
        hand_send(&hand, p, byte);
        RG_CHECK_INT((int64_t)hand_log_end(&hand), (int64_t)before);
    }
    RG_CHECK_STR(hand_ask(&hand, c, "MGET a b\r\n"), "*2\r\n$-1\r\n$-1\r\n");
    hand_send(&hand, p, rest);
    RG_CHECK_STR(hand_ask(&hand, c, "MGET a b\r\n"), "*2\r\n$1\r\n1\r\n$1\r\n1\r\n");
    RG_CHECK_INT((int64_t)(hand_log_end(&hand) - before), sizeof(half) + sizeof(rest) - 2);
    hand_end(&hand);
}

RG_TEST(a_stream_that_breaks_in_its_middle_is_resumed_before_it)
{
    struct hand hand;
    char asked[64];

    hand_start(&hand, "replicaof primary.example 6379", NULL);
    int p = primary(&hand);
    int c = hand_client(&hand);
    uint64_t before = hand_log_end(&hand);
    hand_send(&hand, p, half);
    hand_close(&hand, p, RG_CLOSE_EOF);
    hand_run(&hand);
    int again = hand_dialled(&hand);
    RG_CHECK(again >= 0);
    hand_connect(&hand, again);
    (void)hand_take(&hand, again);
    hand_send(&hand, again, "+PONG\r\n+OK\r\n+OK\r\n");
    int len = snprintf(asked, sizeof(asked), "%llu", (unsigned long long)before + 1);
    (void)snprintf(asked, sizeof(asked), "$%d\r\n%llu\r\n", len, (unsigned long long)before + 1);
    RG_CHECK(strstr(hand_take(&hand, again), asked) != NULL);
    hand_send(&hand, again, "+CONTINUE\r\n");
    hand_send(&hand, again, half);
    hand_send(&hand, again, rest);
    RG_CHECK_STR(hand_ask(&hand, c, "MGET a b\r\n"), "*2\r\n$1\r\n1\r\n$1\r\n1\r\n");
    hand_end(&hand);
}

RG_TEST(what_cannot_be_applied_is_found_before_anything_of_it_is)
{
    struct hand hand;

    hand_start(&hand, "replicaof primary.example 6379", NULL);
    int p = primary(&hand);
    int c = hand_client(&hand);
    uint64_t before = hand_log_end(&hand);
    hand_send(&hand, p, half);
    hand_send(&hand, p, "*1\r\n$9\r\nNOSUCHCMD\r\n");
    RG_CHECK_INT((int64_t)hand_log_end(&hand), (int64_t)before);
    RG_CHECK_STR(hand_ask(&hand, c, "GET a\r\n"), "$-1\r\n");
    RG_CHECK(hand_logged(&hand, "Asking for a full resync"));
    hand_end(&hand);
}
