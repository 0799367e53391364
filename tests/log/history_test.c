#include "tests/harness.h"

#include "base/rand.h"
#include "log/history.h"

enum { LOGS = 6, LOG_MAX = 4000 };

/* A real log beside its history: each term writes bytes of its own. */
struct model_log {
    struct rg_history history;
    uint32_t bytes[LOG_MAX];
    uint64_t end;
};

static const char A[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char B[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
static const char C[] = "cccccccccccccccccccccccccccccccccccccccc";

static int agrees(const struct rg_history *h, uint64_t own, const char *id, uint64_t end)
{
    uint64_t agreed = 0;
    int rc = rg_history_agrees(h, own, rg_bytes_str(id), end, &agreed);
    return rc < 0 ? rc : (int)agreed;
}

RG_TEST(agrees_at_its_edges)
{
    struct rg_history h = {.count = 0};
    RG_CHECK_INT(agrees(&h, 0, A, 0), RG_ENOENT);
    rg_history_push(&h, 1, A, 10);
    rg_history_push(&h, 2, B, 50);
    RG_CHECK_INT(agrees(&h, 90, C, 20), RG_ENOENT);
    RG_CHECK_INT(agrees(&h, 90, A, 9), RG_ENOENT);
    RG_CHECK_INT(agrees(&h, 90, A, 10), 10);
    RG_CHECK_INT(agrees(&h, 90, A, 50), 50);
    RG_CHECK_INT(agrees(&h, 90, A, 70), 50);
    RG_CHECK_INT(agrees(&h, 90, B, 49), RG_ENOENT);
    RG_CHECK_INT(agrees(&h, 90, B, 200), 90);
    RG_CHECK(rg_history_at(&h, 10) == NULL);
    RG_CHECK_INT(rg_history_at(&h, 50)->term, 1);
    RG_CHECK_INT(rg_history_at(&h, 51)->term, 2);
    rg_history_push(&h, 3, C, 50);
    RG_CHECK_INT(h.count, 2);
    RG_CHECK_INT(agrees(&h, 90, B, 60), RG_ENOENT);
}

RG_TEST(a_snapshot_before_the_first_byte_keeps_its_id)
{
    struct rg_history h = {.count = 0};
    struct rg_history back = {.count = 0};
    struct rg_buf text = {0};
    rg_history_push(&h, 0, A, 0);
    rg_history_push(&h, 0, B, 0);
    RG_CHECK_INT(h.count, 2);
    RG_CHECK_INT(agrees(&h, 0, A, 0), 0);
    RG_CHECK_INT(agrees(&h, 30, A, 0), 0);
    RG_CHECK_INT(agrees(&h, 30, A, 7), 0);
    RG_CHECK_INT(agrees(&h, 30, B, 7), 7);
    RG_CHECK_INT(rg_history_at(&h, 1)->replid[0], B[0]);
    rg_history_push(&h, 0, C, 30);
    rg_history_format(&h, &text);
    RG_CHECK_INT(rg_history_parse(rg_buf_view(&text), &back), 0);
    RG_CHECK_INT(back.count, 3);
    rg_buf_fini(&text);
}

RG_TEST(diverging_logs_never_agree_beyond_their_common_prefix)
{
    static struct model_log logs[LOGS];
    struct rg_rand rand;
    rg_rand_init(&rand, 11);
    uint32_t term = 0;
    for (int i = 0; i < LOGS; i++)
        logs[i] = (struct model_log){.end = 0};
    for (int round = 0; round < 200; round++) {
        struct model_log *to = &logs[rg_rand_below(&rand, LOGS)];
        *to = logs[rg_rand_below(&rand, LOGS)];
        char replid[RG_REPLID_LEN + 1];
        rg_rand_hex(&rand, replid, RG_REPLID_LEN);
        rg_history_push(&to->history, ++term, replid, to->end);
        uint64_t n = 1 + rg_rand_below(&rand, 15);
        for (; n > 0 && to->end < LOG_MAX; n--)
            to->bytes[to->end++] = term;
        for (int a = 0; a < LOGS; a++)
            for (int b = 0; b < LOGS; b++) {
                const struct rg_history_term *last = rg_history_at(&logs[b].history, logs[b].end);
                uint64_t common = 0;
                uint64_t agreed = 0;
                while (common < logs[a].end && common < logs[b].end &&
                       logs[a].bytes[common] == logs[b].bytes[common])
                    common++;
                if (last == NULL ||
                    rg_history_agrees(&logs[a].history, logs[a].end, rg_bytes_str(last->replid),
                                      logs[b].end, &agreed) < 0)
                    RG_CHECK(last == NULL || common <= last->start);
                else
                    RG_CHECK_INT(agreed, common);
            }
    }
}

RG_TEST(text_form_round_trips_and_the_oldest_fall_off)
{
    static struct rg_history h;
    static struct rg_history back;
    struct rg_buf text = {0};
    for (unsigned i = 0; i < RG_HISTORY_MAX + 3; i++)
        rg_history_push(&h, i, A, i * 10);
    RG_CHECK_INT(h.count, RG_HISTORY_MAX);
    RG_CHECK_INT(h.terms[0].term, 3);
    rg_history_format(&h, &text);
    RG_CHECK_INT(rg_history_parse(rg_buf_view(&text), &back), 0);
    RG_CHECK_INT(back.count, h.count);
    RG_CHECK(memcmp(back.terms, h.terms, sizeof(h.terms)) == 0);
    rg_buf_fini(&text);
    RG_CHECK_INT(rg_history_parse(RG_BYTES(""), &back), 0);
    RG_CHECK_INT(back.count, 0);
    const char *bad[] = {"1", "1:a:2", "x:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:2",
                         "1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:2,", ","};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        RG_CHECK_INT(rg_history_parse(rg_bytes_str(bad[i]), &back), RG_EINVAL);
}
