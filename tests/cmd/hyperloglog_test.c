#include "cmd/hyperloglog_value.h"

#include <stdio.h>

#include "base/rand.h"
#include "tests/harness.h"

enum { SPARSE_MAX = 3000 };

static void begin_empty(struct rg_hll_work *work, size_t sparse_max)
{
    char empty[RG_HLL_EMPTY_BYTES];
    rg_hll_empty_write(empty);
    rg_hll_work_init(work, rg_bytes(empty, sizeof(empty)), 0, sparse_max);
}

static struct rg_bytes work_bytes(const struct rg_hll_work *work)
{
    return rg_bytes(work->bytes, work->len);
}

/* The runs behind the header, as PFDEBUG DECODE writes them. */
static const char *runs(const struct rg_hll_work *work)
{
    static char text[512];
    size_t len = 0;
    for (size_t at = RG_HLL_HEADER_BYTES; at < work->len && len < sizeof(text) - 32;) {
        struct rg_hll_run run = rg_hll_run_read(rg_bytes(work->bytes + at, work->len - at));
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u*%u", len > 0 ? " " : "",
                                run.value, run.len);
        at += run.size;
    }
    return text;
}

RG_TEST(a_new_one_is_sparse_valid_and_counts_nothing)
{
    struct rg_hll_work work;
    unsigned counts[RG_HLL_VALUES];
    uint64_t count = 1;
    begin_empty(&work, SPARSE_MAX);
    RG_CHECK(rg_hll_is_valid(work_bytes(&work)) && rg_hll_is_sparse(work_bytes(&work)));
    RG_CHECK(rg_hll_cached(work_bytes(&work), &count));
    RG_CHECK_INT(count, 0);
    RG_CHECK_INT(rg_hll_histogram(work_bytes(&work), counts), 0);
    RG_CHECK_INT(counts[0], RG_HLL_REGISTERS);
    RG_CHECK_INT(rg_hll_estimate(counts), 0);
    RG_CHECK_STR(runs(&work), "0*16384");
    rg_hll_work_fini(&work);
}

RG_TEST(runs_are_taken_apart_and_joined)
{
    struct rg_hll_work work;
    begin_empty(&work, SPARSE_MAX);
    RG_CHECK_INT(rg_hll_work_raise(&work, 100, 3), 1);
    RG_CHECK_STR(runs(&work), "0*100 3*1 0*16283");
    RG_CHECK_INT(rg_hll_work_raise(&work, 102, 3), 1);
    RG_CHECK_STR(runs(&work), "0*100 3*1 0*1 3*1 0*16281");
    RG_CHECK_INT(rg_hll_work_raise(&work, 101, 3), 1);
    RG_CHECK_STR(runs(&work), "0*100 3*3 0*16281");
    RG_CHECK_INT(rg_hll_work_raise(&work, 101, 3), 0);
    RG_CHECK_INT(rg_hll_work_raise(&work, 101, 5), 1);
    RG_CHECK_STR(runs(&work), "0*100 3*1 5*1 3*1 0*16281");
    RG_CHECK_INT(rg_hll_work_raise(&work, 0, 1), 1);
    RG_CHECK_INT(rg_hll_work_raise(&work, 16383, 32), 1);
    RG_CHECK_STR(runs(&work), "1*1 0*99 3*1 5*1 3*1 0*16280 32*1");
    RG_CHECK_INT(rg_hll_work_raise(&work, 200, 33), 1);
    RG_CHECK(!rg_hll_is_sparse(work_bytes(&work)));
    RG_CHECK_INT(rg_hll_dense_get(work.bytes, 16383), 32);
    RG_CHECK_INT(rg_hll_dense_get(work.bytes, 200), 33);
    rg_hll_work_fini(&work);
}

RG_TEST(random_registers_match_a_model_whatever_the_form)
{
    enum { SEED = 12, STEPS = 20000 };
    static uint8_t model[RG_HLL_REGISTERS];
    static uint8_t merged[RG_HLL_REGISTERS];
    static const size_t sparse_max[] = {0, 200, SPARSE_MAX, 1 << 20};
    struct rg_rand rand;
    rg_rand_init(&rand, SEED);
    rg_test_note("seed %d", SEED);
    for (size_t i = 0; i < sizeof(sparse_max) / sizeof(sparse_max[0]); i++) {
        struct rg_hll_work work;
        memset(model, 0, sizeof(model));
        begin_empty(&work, sparse_max[i]);
        for (int step = 0; step < STEPS; step++) {
            /* Near each other, so that values become neighbours. */
            unsigned index = (unsigned)rg_rand_below(&rand, step % 2 == 0 ? 300 : RG_HLL_REGISTERS);
            unsigned value = (unsigned)rg_rand_below(&rand, 4) + 1;
            struct rg_bytes before = work_bytes(&work);
            int result = rg_hll_work_raise(&work, index, value);
            RG_CHECK_INT(result, value > model[index]);
            RG_CHECK(!rg_hll_is_sparse(work_bytes(&work)) || before.len + 3 >= work.len);
            if (value > model[index])
                model[index] = (uint8_t)value;
        }
        memset(merged, 0, sizeof(merged));
        RG_CHECK_INT(rg_hll_merge(work_bytes(&work), merged), 0);
        RG_CHECK(memcmp(merged, model, sizeof(model)) == 0);
        RG_CHECK_INT(rg_hll_work_to_dense(&work), 0);
        for (unsigned j = 0; j < RG_HLL_REGISTERS; j++)
            RG_CHECK_INT(rg_hll_dense_get(work.bytes, j), model[j]);
        rg_hll_work_fini(&work);
    }
}

RG_TEST(the_count_is_about_right)
{
    struct rg_hll_work work;
    unsigned counts[RG_HLL_VALUES];
    begin_empty(&work, SPARSE_MAX);
    for (uint64_t i = 1, next = 10; i <= 1000000; i++) {
        unsigned index = 0;
        unsigned value = 0;
        rg_hll_place(rg_bytes(&i, sizeof(i)), &index, &value);
        RG_CHECK(rg_hll_work_raise(&work, index, value) >= 0);
        if (i < next)
            continue;
        RG_CHECK_INT(rg_hll_histogram(work_bytes(&work), counts), 0);
        double off = (double)rg_hll_estimate(counts) / (double)i - 1;
        RG_CHECK(off < 0.03 && off > -0.03);
        next *= 10;
    }
    rg_hll_work_fini(&work);
}

RG_TEST(what_is_not_as_long_as_the_registers_is_refused)
{
    static uint8_t registers[RG_HLL_REGISTERS];
    static const char *const tails[] = {"", "\x7f", "\x7f\xfe", "\x7f\xff\x80", "\x80\x80"};
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        struct rg_hll_work work;
        unsigned counts[RG_HLL_VALUES];
        char bytes[32];
        size_t len = RG_HLL_HEADER_BYTES + strlen(tails[i]);
        rg_hll_empty_write(bytes);
        memcpy(bytes + RG_HLL_HEADER_BYTES, tails[i], strlen(tails[i]));
        RG_CHECK_INT(rg_hll_merge(rg_bytes(bytes, len), registers), RG_EPROTO);
        RG_CHECK_INT(rg_hll_histogram(rg_bytes(bytes, len), counts), RG_EPROTO);
        rg_hll_work_init(&work, rg_bytes(bytes, len), 1, SPARSE_MAX);
        RG_CHECK_INT(rg_hll_work_to_dense(&work), RG_EPROTO);
        RG_CHECK(i == 3 || rg_hll_work_raise(&work, 16383, 1) == RG_EPROTO);
        rg_hll_work_fini(&work);
    }
    RG_CHECK(!rg_hll_is_valid(RG_BYTES("HYLL")));
    RG_CHECK(!rg_hll_is_valid(RG_BYTES("hyll\1...........")));
    RG_CHECK(!rg_hll_is_valid(RG_BYTES("HYLL\2...........")));
    RG_CHECK(!rg_hll_is_valid(rg_bytes("HYLL\0...........", 16)));
}
