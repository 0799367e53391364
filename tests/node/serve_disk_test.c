#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/rand.h"
#include "tests/harness.h"
#include "tests/node/hand.h"

/*
 * Replicas that were away for longer than the log in memory reaches back: what they are sent from
 * disk is the log, byte for byte, whatever happens to the files meanwhile.
 */

static const char small[] =
    "appendonly yes\nrepl-backlog-size 2000\nauto-aof-rewrite-percentage 0\nloglevel warning\n";

/* What the log held since the test began: the onlooker reads it out of memory as it comes. */
struct onlooker {
    struct rg_buf log; /* from offset 0 on */
};

static void look(struct onlooker *onlooker, struct hand *hand)
{
    for (uint64_t end = hand_log_end(hand); rg_buf_len(&onlooker->log) < end;) {
        struct rg_bytes run = rg_node_log_read(hand->node, rg_buf_len(&onlooker->log));
        RG_CHECK(run.len > 0);
        rg_buf_append_bytes(&onlooker->log, run);
    }
}

static void write_some(struct hand *hand, struct onlooker *onlooker, int client, unsigned count,
                       unsigned *number)
{
    char text[700];

    for (unsigned i = 0; i < count; i++) {
        int len = (int)((*number)++ % 500);
        (void)snprintf(text, sizeof(text), "SELECT %u\r\nSET k%u %u%0*u\r\n", *number % 3,
                       *number % 50, *number, len + 1, 7U);
        hand_send(hand, client, text);
        look(onlooker, hand);
        (void)hand_take(hand, client);
    }
}

/* A replica that asks for the log of that id from `from` on. */
static int attach_by_id(struct hand *hand, const char *replid, uint64_t from)
{
    char text[160];
    int r = hand_client(hand);

    hand_send(hand, r, "REPLCONF listening-port 7000 capa eof capa psync2\r\n");
    (void)snprintf(text, sizeof(text), "PSYNC %s %" PRIu64 "\r\n", replid, from + 1);
    hand_send(hand, r, text);
    return r;
}

static int attach(struct hand *hand, uint64_t from)
{
    struct rg_node_view view;

    rg_node_view(hand->node, hand->now, &view);
    return attach_by_id(hand, view.replid, from);
}

static struct rg_bytes received(struct hand *hand, int r, bool *ret_continues)
{
    static const char ok[] = "+OK\r\n";
    struct rg_bytes all = rg_buf_view(&hand->conns[r].sent);

    *ret_continues = false;
    if (all.len < strlen(ok))
        return rg_bytes("", 0);
    all = rg_bytes(all.data + strlen(ok), all.len - strlen(ok));
    *ret_continues = all.len > 10 && memcmp(all.data, "+CONTINUE ", 10) == 0;
    if (!*ret_continues)
        return all;
    struct rg_bytes rest = all;
    (void)rg_bytes_cut(&rest, '\n');
    return rest;
}

/* It was sent exactly the log from there on, so far as it was sent anything. */
static uint64_t check_sent(struct hand *hand, const struct onlooker *onlooker, int r, uint64_t from)
{
    bool continues = false;
    struct rg_bytes got = received(hand, r, &continues);
    struct rg_bytes log = rg_buf_view(&onlooker->log);

    RG_CHECK(continues);
    RG_CHECK(got.len <= log.len - from);
    for (size_t i = 0; i < got.len; i++) {
        if (got.data[i] != log.data[from + i])
            rg_test_fail(__FILE__, __LINE__, "byte %zu of %zu behind offset %" PRIu64 " differs", i,
                         got.len, from);
    }
    return got.len;
}

static void check_all_sent(struct hand *hand, const struct onlooker *onlooker, int r, uint64_t from)
{
    uint64_t log = rg_buf_len(&onlooker->log);

    for (int turn = 0; turn < 200 && check_sent(hand, onlooker, r, from) < log - from; turn++)
        hand_run(hand);
    RG_CHECK_INT(check_sent(hand, onlooker, r, from), log - from);
}

RG_TEST(what_memory_lacks_comes_from_disk)
{
    struct hand hand;
    struct onlooker onlooker = {0};
    struct rg_node_view view;
    unsigned number = 0;

    hand_start(&hand, small, NULL);
    int c = hand_client(&hand);
    write_some(&hand, &onlooker, c, 400, &number);
    rg_node_view(hand.node, hand.now, &view);
    RG_CHECK(view.log_start > 50000);
    for (uint64_t from = 0; from < view.log_end; from += 9973) {
        int r = attach(&hand, from);
        check_all_sent(&hand, &onlooker, r, from);
        hand_close(&hand, r, RG_CLOSE_EOF);
        rg_buf_fini(&hand.conns[r].sent);
        hand.conns[r] = (struct hand_conn){.conn = NULL};
        hand.conn_count--;
    }
    rg_buf_fini(&onlooker.log);
    hand_end(&hand);
}

RG_TEST(the_stream_goes_on_where_the_disk_ends)
{
    struct hand hand;
    struct onlooker onlooker = {0};
    unsigned number = 0;

    hand_start(&hand, small, NULL);
    int c = hand_client(&hand);
    write_some(&hand, &onlooker, c, 300, &number);
    hand.hold_files = true;
    int r = attach(&hand, 0);
    RG_CHECK_INT(check_sent(&hand, &onlooker, r, 0), 0);
    for (int i = 0; i < 100; i++) {
        write_some(&hand, &onlooker, c, 3, &number);
        hand_release_one(&hand);
        hand_run(&hand);
        (void)check_sent(&hand, &onlooker, r, 0);
    }
    hand.hold_files = false;
    hand_release(&hand);
    check_all_sent(&hand, &onlooker, r, 0);
    /* And from memory from then on: nothing more is read. */
    rg_buf_reset(&hand.files, 0);
    write_some(&hand, &onlooker, c, 20, &number);
    check_all_sent(&hand, &onlooker, r, 0);
    rg_buf_append_char(&hand.files, '\0');
    RG_CHECK(strstr(rg_buf_view(&hand.files).data, "READ") == NULL);
    rg_buf_fini(&onlooker.log);
    hand_end(&hand);
}

static unsigned history_count(const struct hand *hand)
{
    const char *text = hand_file_text(hand, "appendonlydir/appendonly.aof.manifest");
    unsigned count = 0;

    while ((text = strstr(text, " type h")) != NULL) {
        text++;
        count++;
    }
    return count;
}

static unsigned disk_files(const struct hand *hand)
{
    unsigned count = 0;

    for (int i = 0; i < HAND_MAX_FILES; i++)
        count += strncmp(hand->disk[i].name, "appendonlydir/", 14) == 0;
    return count;
}

RG_TEST(increments_of_before_a_rewrite_stay_within_the_bound)
{
    struct hand hand;
    struct hand again;
    struct onlooker onlooker = {0};
    char config[300];
    unsigned number = 0;

    (void)snprintf(config, sizeof(config), "%srepl-disk-backlog-size 100000", small);
    hand_start(&hand, config, NULL);
    int c = hand_client(&hand);
    for (int i = 0; i < 6; i++) {
        write_some(&hand, &onlooker, c, 60, &number);
        hand_send(&hand, c, "BGREWRITEAOF\r\n");
        (void)hand_take(&hand, c);
        hand_advance_ms(&hand, 200);
        hand_advance_ms(&hand, 200);
        look(&onlooker, &hand);
    }
    uint64_t end = hand_log_end(&hand);
    RG_CHECK(history_count(&hand) >= 3);
    /* The manifest, a base, an increment, and history; nothing else. */
    RG_CHECK_INT(disk_files(&hand), 3 + history_count(&hand));
    int r = attach(&hand, end - 80000);
    check_all_sent(&hand, &onlooker, r, end - 80000);
    bool continues = true;
    r = attach(&hand, end - 100001);
    (void)received(&hand, r, &continues);
    RG_CHECK(!continues);
    /* A node that starts from these files serves them, too. */
    hand_start_again(&again, config, NULL, &hand);
    c = hand_client(&again);
    hand_send(&again, c, "SET again 1\r\n");
    look(&onlooker, &again);
    RG_CHECK(history_count(&again) >= 3);
    struct rg_node_view before;
    rg_node_view(hand.node, hand.now, &before);
    r = attach_by_id(&again, before.replid, end - 60000);
    check_all_sent(&again, &onlooker, r, end - 60000);
    hand_close(&again, r, RG_CLOSE_EOF);
    hand_send(&again, c, "CONFIG SET repl-disk-backlog-size 0\r\n");
    hand_advance_ms(&again, 200);
    RG_CHECK_INT(history_count(&again), 0);
    RG_CHECK_INT(disk_files(&again), 3);
    hand_end(&again);
    rg_buf_fini(&onlooker.log);
    hand_end(&hand);
}

RG_TEST(a_file_that_cannot_be_read_ends_the_link_and_is_not_offered_again)
{
    struct hand hand;
    struct onlooker onlooker = {0};
    unsigned number = 0;
    bool continues = true;

    hand_start(&hand, small, NULL);
    int c = hand_client(&hand);
    write_some(&hand, &onlooker, c, 300, &number);
    hand.hold_files = true;
    int r = attach(&hand, 0);
    hand.file_result = RG_EIO;
    hand_release_one(&hand);
    hand.file_result = 0;
    hand.hold_files = false;
    hand_run(&hand);
    RG_CHECK(hand.conns[r].closed);
    RG_CHECK(hand_logged(&hand, "it cannot be read"));
    r = attach(&hand, 0);
    (void)received(&hand, r, &continues);
    RG_CHECK(!continues);
    rg_buf_fini(&onlooker.log);
    hand_end(&hand);
}

/* ---- At random ---- */

struct story {
    struct hand *hand;
    struct onlooker onlooker;
    struct rg_rand rand;
    int client;
    int replica; /* -1 */
    uint64_t from;
    unsigned number;
};

static void story_step(struct story *story)
{
    struct hand *hand = story->hand;
    uint64_t end = hand_log_end(hand);

    switch (rg_rand_below(&story->rand, 10)) {
    case 0:
        hand_send(hand, story->client, "BGREWRITEAOF\r\n");
        (void)hand_take(hand, story->client);
        break;
    case 1:
        hand->hold_files = !hand->hold_files;
        break;
    case 2:
    case 3:
        hand_advance_ms(hand, (int64_t)rg_rand_below(&story->rand, 1500));
        break;
    case 4:
        if (story->replica < 0) {
            story->from = rg_rand_below(&story->rand, end + 1);
            story->replica = attach(hand, story->from);
        }
        break;
    case 5:
    case 6:
        for (uint64_t n = rg_rand_below(&story->rand, 6); n > 0; n--)
            hand_release_one(hand);
        hand_run(hand);
        break;
    default:
        write_some(hand, &story->onlooker, story->client, (unsigned)rg_rand_below(&story->rand, 40),
                   &story->number);
        break;
    }
    look(&story->onlooker, hand);
    if (hand->held_count > HAND_MAX_HELD / 2)
        hand_release(hand);
}

/* The replica has all in the end, unless it was refused what is not there any more. */
static bool story_end(struct story *story)
{
    struct hand *hand = story->hand;
    bool continues = false;

    hand->hold_files = false;
    hand_release(hand);
    hand_run(hand);
    look(&story->onlooker, hand);
    if (story->replica < 0)
        return false;
    (void)received(hand, story->replica, &continues);
    if (!continues)
        return false;
    RG_CHECK(!hand->conns[story->replica].closed);
    check_all_sent(hand, &story->onlooker, story->replica, story->from);
    return true;
}

static bool story_run(uint64_t seed)
{
    struct hand hand;
    struct story story = {.hand = &hand, .replica = -1};
    char config[300];

    rg_rand_init(&story.rand, seed);
    (void)snprintf(config, sizeof(config), "%srepl-disk-backlog-size %d\naof-timestamp-enabled %s",
                   small, (int)rg_rand_below(&story.rand, 4) * 90000,
                   rg_rand_below(&story.rand, 2) == 0 ? "no" : "yes");
    hand_start(&hand, config, NULL);
    story.client = hand_client(&hand);
    write_some(&hand, &story.onlooker, story.client, 150, &story.number);
    for (int step = 0; step < 60; step++)
        story_step(&story);
    bool served = story_end(&story);
    rg_buf_fini(&story.onlooker.log);
    hand_end(&hand);
    return served;
}

RG_TEST(no_hole_and_no_byte_twice_whatever_happens_to_the_files)
{
    enum { STORIES = 40 };
    unsigned served = 0;

    for (uint64_t seed = 1; seed <= STORIES; seed++) {
        rg_test_note("seed %" PRIu64, seed);
        served += story_run(seed);
    }
    RG_CHECK(served > STORIES / 3);
}
