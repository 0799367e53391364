#include "tests/harness.h"
#include "tests/node/hand.h"

RG_TEST(answers_inline_and_pipelined_commands_in_order)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "PING\r\nECHO hi\r\n*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n"),
                 "+PONG\r\n$2\r\nhi\r\n$1\r\nx\r\n");
    hand_end(&hand);
}

RG_TEST(half_a_command_waits_for_its_rest)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "*2\r\n$4\r\nEC"), "");
    RG_CHECK_STR(hand_ask(&hand, c, "HO\r\n$2\r\nok"), "");
    RG_CHECK_STR(hand_ask(&hand, c, "\r\n"), "$2\r\nok\r\n");
    hand_end(&hand);
}

RG_TEST(a_broken_protocol_is_answered_and_closed)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "PING\r\n*1\r\n!oops\r\n"),
                 "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n");
    RG_CHECK(hand.conns[c].closed);
    hand_end(&hand);
}

RG_TEST(errors_are_those_of_redis)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "NOSUCH a b\r\n"),
                 "-ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' \r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "GET\r\n"),
                 "-ERR wrong number of arguments for 'get' command\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "CONFIG NOSUCH\r\n"),
                 "-ERR unknown subcommand 'NOSUCH'. Try CONFIG HELP.\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "SELECT 99\r\n"), "-ERR DB index is out of range\r\n");
    hand_end(&hand);
}

RG_TEST(a_password_is_asked_for)
{
    struct hand hand;

    hand_start(&hand, "requirepass secret", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "GET a\r\n"), "-NOAUTH Authentication required.\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "AUTH wrong\r\n"),
                 "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "AUTH secret\r\nGET a\r\n"), "+OK\r\n$-1\r\n");
    hand_end(&hand);
}

RG_TEST(client_reply_skip_and_off_leave_replies_out)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "CLIENT REPLY SKIP\r\nPING\r\nECHO a\r\n"), "$1\r\na\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "CLIENT REPLY OFF\r\nPING\r\n"), "");
    RG_CHECK_STR(hand_ask(&hand, c, "CLIENT REPLY ON\r\n"), "+OK\r\n");
    hand_end(&hand);
}

RG_TEST(client_pause_holds_commands_back_until_it_ends)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int a = hand_client(&hand);
    int b = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, a, "CLIENT PAUSE 100 WRITE\r\n"), "+OK\r\n");
    RG_CHECK_STR(hand_ask(&hand, b, "GET k\r\nSET k v\r\nGET k\r\n"), "$-1\r\n");
    hand_advance_ms(&hand, 101);
    RG_CHECK_STR(hand_take(&hand, b), "+OK\r\n$1\r\nv\r\n");
    hand_end(&hand);
}

RG_TEST(messages_reach_subscribers_by_channel_and_pattern)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int a = hand_client(&hand);
    int b = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, a, "SUBSCRIBE news\r\nPSUBSCRIBE n*\r\n"),
                 "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"
                 "*3\r\n$10\r\npsubscribe\r\n$2\r\nn*\r\n:2\r\n");
    RG_CHECK_STR(hand_ask(&hand, b, "PUBLISH news hello\r\n"), ":2\r\n");
    RG_CHECK_STR(hand_take(&hand, a),
                 "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n"
                 "*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$5\r\nhello\r\n");
    RG_CHECK_STR(hand_ask(&hand, a, "GET x\r\n"),
                 "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / "
                 "RESET are allowed in this context\r\n");
    hand_end(&hand);
}

RG_TEST(maxclients_and_protected_mode_refuse)
{
    struct hand hand;
    const char *refusal = NULL;
    struct rg_conn_info info = {.peer_host = "10.0.0.9", .local_host = "10.0.0.1", .fd = -1};

    hand_start(&hand, "maxclients 1", NULL);
    RG_CHECK(rg_node_accepted(hand.node, &info, hand.now, &refusal) == NULL);
    RG_CHECK(strncmp(refusal, "-DENIED", 7) == 0);
    (void)hand_client(&hand);
    info.loopback = true;
    RG_CHECK(rg_node_accepted(hand.node, &info, hand.now, &refusal) == NULL);
    RG_CHECK_STR(refusal, "-ERR max number of clients reached\r\n");
    hand_end(&hand);
}

RG_TEST(keys_expire_by_themselves_at_their_time)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c, "SET k v PX 50\r\nDBSIZE\r\n"), "+OK\r\n:1\r\n");
    RG_CHECK(rg_node_deadline(hand.node) <= hand.now.mono_us + 50 * RG_MS_US);
    hand_advance_ms(&hand, 51);
    RG_CHECK_STR(hand_ask(&hand, c, "DBSIZE\r\n"), ":0\r\n");
    hand_end(&hand);
}
