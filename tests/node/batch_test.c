#include <stdio.h>

#include "base/buf.h"
#include "base/rand.h"
#include "tests/harness.h"
#include "tests/node/hand.h"

/* Clients' requests taken many at a time: what comes out must be what one at a time gives. */

static void add_request(struct rg_buf *out, bool plain, const char *a, const char *b, const char *c)
{
    const char *words[] = {a, b, c};
    int count = c != NULL ? 3 : b != NULL ? 2 : 1;

    if (plain)
        rg_buf_printf(out, "*%d\r\n", count);
    for (int i = 0; i < count; i++) {
        if (plain)
            rg_buf_printf(out, "$%zu\r\n%s\r\n", strlen(words[i]), words[i]);
        else
            rg_buf_printf(out, "%s%s", words[i], i == count - 1 ? "\r\n" : " ");
    }
}

/* Requests that depend on each other's order, as arrays or here and there as lines. */
static void add_random(struct rg_rand *rand, struct rg_buf *out, unsigned lines_in_100)
{
    static const char *const keys[] = {"a", "b", "c", "a longer key than the others"};
    const char *key = keys[rg_rand_below(rand, 4)];
    bool plain = rg_rand_below(rand, 100) >= lines_in_100 || strchr(key, ' ') != NULL;
    char text[16];

    (void)snprintf(text, sizeof(text), "%u", (unsigned)rg_rand_below(rand, 1000));
    switch (rg_rand_below(rand, 9)) {
    case 0:
        add_request(out, plain, "SET", key, text);
        break;
    case 1:
        add_request(out, plain, "append", key, text);
        break;
    case 2:
        add_request(out, plain, "GET", key, NULL);
        break;
    case 3:
        add_request(out, plain, "DEL", key, keys[rg_rand_below(rand, 3)]);
        break;
    case 4:
        add_request(out, plain, "MGET", key, key);
        break;
    case 5:
        add_request(out, plain, "SELECT", rg_rand_below(rand, 2) ? "1" : "0", NULL);
        break;
    case 6:
        add_request(out, plain, "PING", NULL, NULL);
        break;
    case 7:
        add_request(out, plain, "GET", NULL, NULL);
        break;
    default:
        add_request(out, plain, "nosuch", key, NULL);
    }
}

/* The bytes arrive in pieces of at most max; returns all replies, to be freed by the caller. */
static struct rg_buf answers(struct rg_bytes input, struct rg_rand *rand, uint64_t max)
{
    struct hand hand;
    struct rg_buf all = {0};
    char piece[4096];

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    while (input.len > 0) {
        size_t len = 1 + rg_rand_below(rand, max);
        len = len < input.len ? len : input.len;
        len = len < sizeof(piece) ? len : sizeof(piece) - 1;
        memcpy(piece, input.data, len);
        piece[len] = '\0';
        hand_send(&hand, c, piece);
        memset(piece, '!', len); /* what was lent is over */
        rg_buf_append_str(&all, hand_take(&hand, c));
        input = rg_bytes(input.data + len, input.len - len);
    }
    hand_end(&hand);
    return all;
}

RG_TEST(pieces_and_batches_give_the_same_answers)
{
    static const uint64_t sizes[] = {4096, 700, 60, 9};

    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct rg_rand rand;
        struct rg_buf input = {0};
        rg_test_note("seed %llu", (unsigned long long)seed);
        rg_rand_init(&rand, seed);
        for (int i = 0; i < 300; i++)
            add_random(&rand, &input, seed % 3 * 20);
        struct rg_buf one = answers(rg_buf_view(&input), &rand, 1);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct rg_buf many = answers(rg_buf_view(&input), &rand, sizes[i]);
            RG_CHECK(rg_bytes_equal(rg_buf_view(&one), rg_buf_view(&many)));
            rg_buf_fini(&many);
        }
        rg_buf_fini(&one);
        rg_buf_fini(&input);
    }
}

RG_TEST(what_follows_a_quit_is_not_run)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int a = hand_client(&hand);
    int b = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, a,
                          "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n1\r\n*1\r\n$4\r\nQUIT\r\n"
                          "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n2\r\n"),
                 "+OK\r\n+OK\r\n");
    RG_CHECK_STR(hand_ask(&hand, b, "GET k\r\n"), "$1\r\n1\r\n");
    hand_end(&hand);
}

RG_TEST(a_reset_brings_the_tighter_limits_back_at_once)
{
    struct hand hand;

    hand_start(&hand, "requirepass secret", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c,
                          "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n*1\r\n$5\r\nRESET\r\n"
                          "*11\r\n"),
                 "+OK\r\n+RESET\r\n-ERR Protocol error: unauthenticated multibulk length\r\n");
    hand_end(&hand);
}

RG_TEST(a_pause_holds_back_what_was_parsed_already)
{
    struct hand hand;

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, c,
                          "*4\r\n$6\r\nCLIENT\r\n$5\r\nPAUSE\r\n$3\r\n100\r\n$5\r\nWRITE"
                          "\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*3\r\n$3\r\nSET\r\n$1\r\nk"
                          "\r\n$1\r\nv\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*2\r\n$3\r\nGE"),
                 "+OK\r\n$-1\r\n");
    hand_advance_ms(&hand, 101);
    RG_CHECK_STR(hand_take(&hand, c), "+OK\r\n$1\r\nv\r\n");
    RG_CHECK_STR(hand_ask(&hand, c, "T\r\n$1\r\nk\r\n"), "$1\r\nv\r\n");
    hand_end(&hand);
}

RG_TEST(a_request_with_more_words_than_a_batch_holds)
{
    struct hand hand;
    struct rg_buf input = {0};

    hand_start(&hand, "", NULL);
    int c = hand_client(&hand);
    rg_buf_append_str(&input, "*1501\r\n$3\r\nDEL\r\n");
    for (int i = 0; i < 1500; i++)
        rg_buf_append_str(&input, "$1\r\nk\r\n");
    rg_buf_append_str(&input, "*1\r\n$4\r\nPING\r\n");
    rg_buf_append_char(&input, '\0');
    RG_CHECK_STR(hand_ask(&hand, c, rg_buf_view(&input).data), ":0\r\n+PONG\r\n");
    rg_buf_fini(&input);
    hand_end(&hand);
}

static void lend(struct hand *hand, int client, const char *text)
{
    rg_node_received(hand->node, hand->conns[client].conn, rg_bytes_str(text), hand->now);
}

RG_TEST(a_reload_in_the_middle_of_a_batch)
{
    struct hand hand;

    hand_start(&hand, "enable-debug-command yes", NULL);
    int a = hand_client(&hand);
    int b = hand_client(&hand);
    RG_CHECK_STR(hand_ask(&hand, a, "MSET k 1 l 2\r\n"), "+OK\r\n");
    lend(&hand, a, "*2\r\n$5\r\nDEBUG\r\n$6\r\nRELOAD\r\n");
    lend(&hand, b, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*2\r\n$4\r\nINCR\r\n$1\r\nl\r\n");
    hand_run(&hand);
    RG_CHECK_STR(hand_take(&hand, a), "+OK\r\n");
    RG_CHECK_STR(hand_take(&hand, b), "$1\r\n1\r\n:3\r\n");
    hand_end(&hand);
}

/* One connection changes what is refused between the commands of another, in one run. */
RG_TEST(what_is_refused_changes_in_the_middle_of_a_batch)
{
    static const char set[] = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
    struct hand hand;

    hand_start(&hand, "", NULL);
    int a = hand_client(&hand);
    int b = hand_client(&hand);
    int c = hand_client(&hand);
    lend(&hand, a, set);
    lend(&hand, b,
         "*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n$21\r\nmin-replicas-to-write\r\n$1\r\n1\r\n");
    lend(&hand, c, set);
    hand_run(&hand);
    RG_CHECK_STR(hand_take(&hand, a), "+OK\r\n");
    RG_CHECK_STR(hand_take(&hand, b), "+OK\r\n");
    RG_CHECK_STR(hand_take(&hand, c), "-NOREPLICAS Not enough good replicas to write.\r\n");
    lend(&hand, a,
         "*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n$21\r\nmin-replicas-to-write\r\n$1\r\n0\r\n");
    lend(&hand, b, set);
    lend(&hand, c, "*3\r\n$9\r\nREPLICAOF\r\n$9\r\n127.0.0.1\r\n$1\r\n1\r\n");
    hand_run(&hand);
    RG_CHECK_STR(hand_take(&hand, a), "+OK\r\n");
    RG_CHECK_STR(hand_take(&hand, b), "+OK\r\n");
    RG_CHECK_STR(hand_ask(&hand, a, set),
                 "-READONLY You can't write against a read only replica.\r\n");
    hand_end(&hand);
}
