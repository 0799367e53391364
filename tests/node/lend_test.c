#include <stdio.h>

#include "base/buf.h"
#include "base/rand.h"
#include "tests/harness.h"
#include "tests/node/hand.h"

/*
 * Large values go out without a copy. Whatever else is run beside, and however little of the output
 * is taken at a time, clients get what they get where each command has the node for itself.
 */

enum { CLIENTS = 3, TURNS = 60, MOST_COMMANDS = 6, MAX_VALUE = 40000 };

static void add_word(struct rg_buf *out, const char *word, size_t len)
{
    rg_buf_printf(out, "$%zu\r\n", len);
    rg_buf_append(out, word, len);
    rg_buf_append_str(out, "\r\n");
}

static void add_words(struct rg_buf *out, const char *a, const char *b, const char *c)
{
    rg_buf_printf(out, "*%d\r\n", c != NULL ? 3 : 2);
    add_word(out, a, strlen(a));
    add_word(out, b, strlen(b));
    if (c != NULL)
        add_word(out, c, strlen(c));
}

static void add_large(struct rg_rand *rand, struct rg_buf *out, const char *verb, const char *key)
{
    static char value[MAX_VALUE];
    size_t len = 1 + rg_rand_below(rand, MAX_VALUE);

    memset(value, 'a' + (int)rg_rand_below(rand, 26), len);
    rg_buf_append_str(out, "*3\r\n");
    add_word(out, verb, strlen(verb));
    add_word(out, key, strlen(key));
    add_word(out, value, len);
}

/* last: of the clients. What stands behind a MULTI runs when the others had their turn. */
static void add_random(struct rg_rand *rand, struct rg_buf *out, bool last)
{
    static const char *const keys[] = {"a", "b", "c"};
    const char *key = keys[rg_rand_below(rand, 3)];

    switch (rg_rand_below(rand, last ? 16 : 15)) {
    case 0:
    case 1:
        add_large(rand, out, "SET", key);
        break;
    case 2:
        add_large(rand, out, "APPEND", key);
        break;
    case 3:
        rg_buf_append_str(out, "*4\r\n");
        add_word(out, "SETRANGE", 8);
        add_word(out, key, 1);
        add_word(out, "100", 3);
        add_word(out, "changed", 7);
        break;
    case 4:
        add_words(out, "DEL", key, NULL);
        break;
    case 5:
        add_words(out, "GETDEL", key, NULL);
        break;
    case 6:
        add_words(out, "MGET", "a", "b");
        break;
    case 7:
        rg_buf_append_str(out, "*1\r\n$8\r\nFLUSHALL\r\n");
        break;
    case 15:
        rg_buf_append_str(out, "*1\r\n$5\r\nMULTI\r\n");
        add_words(out, "GET", key, NULL);
        add_words(out, "APPEND", key, "more");
        add_words(out, "GET", key, NULL);
        rg_buf_append_str(out, "*1\r\n$4\r\nEXEC\r\n");
        break;
    case 8:
        rg_buf_append_str(out, "*1\r\n$4\r\nPING\r\n");
        break;
    default:
        add_words(out, "GET", key, NULL);
    }
}

/* Takes some of what each connection has; everything where there is no rand. */
static void take(struct hand *hand, struct rg_rand *rand)
{
    struct rg_bytes runs[5];

    for (struct rg_conn *conn = rg_node_next_output(hand->node); conn != NULL;
         conn = rg_node_next_output(hand->node)) {
        struct hand_conn *it = rg_conn_host(conn);
        unsigned count =
            rg_node_output(hand->node, conn, runs, rand ? 1 + (unsigned)rg_rand_below(rand, 5) : 5);
        size_t offered = 0;
        size_t taken = 0;
        for (unsigned i = 0; i < count; i++)
            offered += runs[i].len;
        RG_CHECK(offered > 0);
        size_t limit = rand && rg_rand_below(rand, 3) ? 1 + rg_rand_below(rand, offered) : offered;
        for (unsigned i = 0; i < count; i++) {
            size_t n = runs[i].len < limit - taken ? runs[i].len : limit - taken;
            rg_buf_append(&it->sent, runs[i].data, n);
            taken += n;
        }
        rg_node_sent(hand->node, conn, taken, hand->now);
        if (rand && rg_rand_below(rand, 2))
            return; /* the others wait for the next turn */
    }
}

static void check_same(struct hand *a, struct hand *b, int client)
{
    struct rg_bytes one = rg_buf_view(&a->conns[client].sent);
    struct rg_bytes other = rg_buf_view(&b->conns[client].sent);

    RG_CHECK_INT(one.len, other.len);
    RG_CHECK(one.len == 0 || memcmp(one.data, other.data, one.len) == 0);
}

static void run_seed(uint64_t seed)
{
    struct rg_rand rand;
    struct hand all;
    struct hand alone;
    struct rg_buf input[CLIENTS] = {0};

    rg_rand_init(&rand, seed);
    hand_start(&all, "", NULL);
    hand_start(&alone, "", NULL);
    for (int c = 0; c < CLIENTS; c++)
        RG_CHECK_INT(hand_client(&all), hand_client(&alone));
    for (int turn = 0; turn < TURNS; turn++) {
        for (int c = 0; c < CLIENTS; c++) {
            rg_buf_reset(&input[c], SIZE_MAX);
            for (uint64_t n = rg_rand_below(&rand, MOST_COMMANDS + 1); n > 0; n--) {
                struct rg_buf one = {0};
                add_random(&rand, &one, c == CLIENTS - 1);
                rg_buf_append_bytes(&input[c], rg_buf_view(&one));
                rg_node_received(alone.node, alone.conns[c].conn, rg_buf_view(&one), alone.now);
                rg_node_run(alone.node, alone.now);
                take(&alone, NULL);
                rg_buf_fini(&one);
            }
            if (rg_buf_len(&input[c]) > 0)
                rg_node_received(all.node, all.conns[c].conn, rg_buf_view(&input[c]), all.now);
        }
        rg_node_run(all.node, all.now);
        take(&all, &rand);
    }
    rg_node_run(all.node, all.now);
    take(&all, NULL);
    for (int c = 0; c < CLIENTS; c++) {
        check_same(&all, &alone, c);
        rg_buf_fini(&input[c]);
    }
    hand_end(&all);
    hand_end(&alone);
}

RG_TEST(what_is_lent_is_what_a_copy_would_be)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        rg_test_note("seed %llu", (unsigned long long)seed);
        run_seed(seed);
    }
}

/* It is no copy: where the next command is not one that changes anything, the reply is three runs.
 */
RG_TEST(a_large_reply_is_not_copied)
{
    struct hand hand;
    struct rg_buf set = {0};
    struct rg_bytes runs[8];
    struct rg_rand rand;

    rg_rand_init(&rand, 1);
    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    do {
        rg_buf_reset(&set, SIZE_MAX);
        add_large(&rand, &set, "SET", "k");
    } while (rg_buf_len(&set) < 20000);
    rg_buf_append_char(&set, '\0');
    RG_CHECK_STR(hand_ask(&hand, c, rg_buf_view(&set).data), "+OK\r\n");
    rg_node_received(hand.node, hand.conns[c].conn, RG_BYTES("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"),
                     hand.now);
    rg_node_run(hand.node, hand.now);
    struct rg_conn *conn = rg_node_next_output(hand.node);
    RG_CHECK(conn == hand.conns[c].conn);
    RG_CHECK_INT(rg_node_output(hand.node, conn, runs, 8), 3);
    RG_CHECK_BYTES(runs[2], "\r\n");
    rg_node_sent(hand.node, conn, 1, hand.now);
    RG_CHECK_INT(rg_node_output(hand.node, conn, runs, 8), 1);
    rg_node_sent(hand.node, conn, runs[0].len, hand.now);
    rg_buf_fini(&set);
    hand_end(&hand);
}
