#include <stdio.h>

#include "base/buf.h"
#include "base/rand.h"
#include "tests/harness.h"
#include "tests/node/hand.h"

/* Large values on their way in: in pieces of any size, handed over or put where the node said. */

enum { VALUE = 40 * 1000 };

static void add_set(struct rg_buf *out, const char *verb, const char *key, char fill, size_t len)
{
    rg_buf_printf(out, "*3\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n$%zu\r\n", strlen(verb), verb,
                  strlen(key), key, len);
    memset(rg_buf_reserve(out, len), fill, len);
    rg_buf_commit(out, len);
    rg_buf_append_str(out, "\r\n");
}

/* As a host that asks where bytes should lie, now and then. */
static void deliver(struct hand *hand, int c, struct rg_bytes input, struct rg_rand *rand)
{
    struct rg_conn *conn = hand->conns[c].conn;

    while (input.len > 0) {
        char *room = NULL;
        size_t limit = 1 + rg_rand_below(rand, rg_rand_below(rand, 2) ? 20000 : 200);
        size_t n = limit < input.len ? limit : input.len;
        size_t roomy = rg_rand_below(rand, 3) > 0 ? rg_node_room(hand->node, conn, &room) : 0;
        struct rg_buf piece = {0};
        if (roomy > 0) {
            n = n < roomy ? n : roomy;
            memcpy(room, input.data, n);
            rg_node_received(hand->node, conn, rg_bytes(room, n), hand->now);
        } else {
            rg_buf_append(&piece, input.data, n);
            rg_node_received(hand->node, conn, rg_buf_view(&piece), hand->now);
        }
        hand_run(hand);
        rg_buf_fini(&piece); /* what was lent is over */
        input = rg_bytes(input.data + n, input.len - n);
    }
}

static void check_value(struct hand *hand, int c, const char *key, char fill, size_t len)
{
    char request[64];
    char head[32];

    (void)snprintf(request, sizeof(request), "GET %s\r\n", key);
    (void)snprintf(head, sizeof(head), "$%zu\r\n", len);
    hand_send(hand, c, request);
    struct rg_bytes reply = rg_buf_view(&hand->conns[c].sent);
    RG_CHECK_INT(reply.len, strlen(head) + len + 2);
    RG_CHECK(memcmp(reply.data, head, strlen(head)) == 0);
    for (size_t i = 0; i < len; i++)
        RG_CHECK(reply.data[strlen(head) + i] == fill);
    rg_buf_reset(&hand->conns[c].sent, 0);
}

RG_TEST(large_values_arrive_in_any_pieces)
{
    struct rg_rand rand;
    uint64_t seed = 20261121;

    rg_test_note("seed %llu", (unsigned long long)seed);
    rg_rand_init(&rand, seed);
    for (int round = 0; round < 60; round++) {
        struct hand hand;
        struct rg_buf input = {0};
        hand_start(&hand, "", NULL);
        int c = hand_client(&hand);
        size_t len = VALUE + rg_rand_below(&rand, 90 * 1000);
        add_set(&input, "SET", "a", 'x', len);
        add_set(&input, "APPEND", "a", 'x', VALUE);
        add_set(&input, "GETSET", "b", 'y', VALUE + 1);
        add_set(&input, "LPUSH", "c", 'z', VALUE);
        add_set(&input, "SET", "b", 'w', VALUE);
        add_set(&input, "NOSUCH", "b", 'v', VALUE);
        rg_buf_append_str(&input, "PING\r\n");
        deliver(&hand, c, rg_buf_view(&input), &rand);
        char wanted[64];
        (void)snprintf(wanted, sizeof(wanted), "+OK\r\n:%zu\r\n$-1\r\n:1\r\n+OK\r\n-ERR unknown",
                       len + VALUE);
        const char *replies = hand_take(&hand, c);
        RG_CHECK(strncmp(replies, wanted, strlen(wanted)) == 0);
        RG_CHECK(strcmp(replies + strlen(replies) - 7, "+PONG\r\n") == 0);
        check_value(&hand, c, "a", 'x', len + VALUE);
        check_value(&hand, c, "b", 'w', VALUE);
        RG_CHECK_STR(hand_ask(&hand, c, "LLEN c\r\n"), ":1\r\n");
        rg_buf_fini(&input);
        hand_end(&hand);
    }
}

/* A pause holds the command back: its request is put together again, with what came behind it. */
RG_TEST(a_large_value_waits_for_the_end_of_a_pause)
{
    struct hand hand;
    struct rg_rand rand;
    struct rg_buf input = {0};

    rg_rand_init(&rand, 7);
    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    int other = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, other, "CLIENT PAUSE 100 WRITE\r\n"), "+OK\r\n");
    add_set(&input, "SET", "a", 'x', VALUE);
    rg_buf_append_str(&input, "STRLEN a\r\n");
    deliver(&hand, c, rg_buf_view(&input), &rand);
    RG_CHECK_STR(hand_take(&hand, c), "");
    hand_advance_ms(&hand, 200);
    hand_run(&hand);
    RG_CHECK_STR(hand_take(&hand, c), "+OK\r\n:40000\r\n");
    check_value(&hand, c, "a", 'x', VALUE);
    rg_buf_fini(&input);
    hand_end(&hand);
}

/* The client goes, or the data it was meant for, while its value is on its way. */
RG_TEST(a_large_value_may_never_be_whole)
{
    struct hand hand;
    struct rg_rand rand;
    struct rg_buf input = {0};

    rg_rand_init(&rand, 8);
    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    int other = hand_client(&hand);
    add_set(&input, "SET", "a", 'x', VALUE);
    struct rg_bytes all = rg_buf_view(&input);
    deliver(&hand, c, rg_bytes(all.data, all.len / 2), &rand);
    RG_CHECK_STR(hand_ask(&hand, other, "FLUSHALL\r\n"), "+OK\r\n");
    deliver(&hand, c, rg_bytes(all.data + all.len / 2, all.len - all.len / 2), &rand);
    RG_CHECK_STR(hand_take(&hand, c), "+OK\r\n");
    check_value(&hand, other, "a", 'x', VALUE);
    deliver(&hand, c, rg_bytes(all.data, all.len / 2), &rand);
    hand_close(&hand, c, RG_CLOSE_EOF);
    check_value(&hand, other, "a", 'x', VALUE);
    rg_buf_fini(&input);
    hand_end(&hand);
}
