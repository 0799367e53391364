#include "tests/harness.h"

#include "base/alloc.h"
#include "base/rand.h"
#include "log/backlog.h"

enum { READERS = 5, START = 1000 };

static char model_byte(uint64_t offset)
{
    return (char)(offset * 2654435761u >> 13);
}

static void append_model(struct rg_backlog *backlog, size_t n)
{
    char *data = rg_alloc(n + 1);
    for (size_t i = 0; i < n; i++)
        data[i] = model_byte(rg_backlog_end(backlog) + i);
    rg_backlog_append(backlog, rg_bytes(data, n));
    rg_free(data);
}

RG_TEST(many_readers_see_the_same_bytes_while_it_is_trimmed)
{
    struct rg_rand rand;
    rg_rand_init(&rand, 7);
    struct rg_backlog *backlog = rg_backlog_new(START, 50000);
    uint64_t at[READERS] = {START, START, START, START, START};
    for (int round = 0; round < 2000; round++) {
        append_model(backlog, rg_rand_below(&rand, 5000));
        uint64_t slowest = rg_backlog_end(backlog);
        for (int r = 0; r < READERS; r++) {
            if (rg_rand_below(&rand, 3) != 0) {
                struct rg_bytes run = rg_backlog_read(backlog, at[r]);
                RG_CHECK((run.len == 0) == (at[r] == rg_backlog_end(backlog)));
                for (size_t i = 0; i < run.len; i++)
                    RG_CHECK_INT(run.data[i], model_byte(at[r] + i));
                at[r] += run.len;
            }
            slowest = at[r] < slowest ? at[r] : slowest;
        }
        rg_backlog_trim(backlog, slowest);
        RG_CHECK(rg_backlog_start(backlog) <= slowest);
    }
    uint64_t end = rg_backlog_end(backlog);
    rg_backlog_trim(backlog, end);
    RG_CHECK(end - rg_backlog_start(backlog) >= 50000);
    RG_CHECK(end - rg_backlog_start(backlog) < 50000 + 16384);
    RG_CHECK(rg_backlog_memory(backlog) < 200000);
    rg_backlog_free(backlog);
}

RG_TEST(an_empty_one_begins_and_ends_at_its_start)
{
    struct rg_backlog *backlog = rg_backlog_new(START, 0);
    RG_CHECK_INT(rg_backlog_read(backlog, START).len, 0);
    rg_backlog_trim(backlog, UINT64_MAX);
    RG_CHECK_INT(rg_backlog_start(backlog), START);
    append_model(backlog, 256);
    rg_backlog_trim(backlog, START + 255);
    RG_CHECK_INT(rg_backlog_start(backlog), START);
    rg_backlog_trim(backlog, START + 256);
    RG_CHECK_INT(rg_backlog_start(backlog), START + 256);
    append_model(backlog, 1);
    RG_CHECK_INT(rg_backlog_read(backlog, START + 256).len, 1);
    rg_backlog_free(backlog);
    rg_backlog_free(NULL);
}

RG_TEST(what_a_short_one_holds_stays_when_it_becomes_long)
{
    struct rg_backlog *backlog = rg_backlog_new(START, 1000);
    uint64_t at = START;

    append_model(backlog, 2000);
    rg_backlog_trim(backlog, UINT64_MAX);
    at = rg_backlog_start(backlog);
    RG_CHECK(at > START && at <= START + 1000);
    rg_backlog_set_limit(backlog, 1 << 20);
    RG_CHECK_INT(rg_backlog_start(backlog), at);
    append_model(backlog, 100000);
    RG_CHECK_INT(rg_backlog_end(backlog), START + 102000);
    RG_CHECK_INT(rg_backlog_read(backlog, at).len, 16384);
    while (at < rg_backlog_end(backlog)) {
        struct rg_bytes run = rg_backlog_read(backlog, at);
        for (size_t i = 0; i < run.len; i++)
            RG_CHECK_INT(run.data[i], model_byte(at + i));
        at += run.len;
    }
    rg_backlog_free(backlog);
}
