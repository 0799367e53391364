#include "sim/check_linear.h"
#include "tests/harness.h"

/* A history by hand: each operation has its beginning and end as moments. */
struct step {
    enum sim_op_kind kind;
    int64_t value;
    uint64_t began;
    uint64_t ended; /* 0: no answer */
};

static bool possible(const struct step *steps, size_t count)
{
    struct sim_loop loop;
    struct sim_op ops[16] = {0};
    struct sim_history history = {.ops = ops, .count = count, .cap = 16};

    sim_loop_init(&loop, 1);
    for (size_t i = 0; i < count; i++)
        ops[i] = (struct sim_op){.kind = steps[i].kind,
                                 .outcome = steps[i].ended ? SIM_OK : SIM_UNKNOWN,
                                 .value = steps[i].value,
                                 .began = steps[i].began,
                                 .ended = steps[i].ended ? steps[i].ended : UINT64_MAX};
    sim_check_linear(&loop, &history);
    bool passed = !loop.failed;
    sim_loop_fini(&loop);
    return passed;
}

#define POSSIBLE(...)                                                                              \
    possible((const struct step[]){__VA_ARGS__},                                                   \
             sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

#define W SIM_OP_WRITE
#define R SIM_OP_READ
#define I SIM_OP_INCR

RG_TEST(order_of_time_is_possible)
{
    RG_CHECK(POSSIBLE({W, 1, 1, 2}, {R, 1, 3, 4}, {W, 2, 5, 6}, {R, 2, 7, 8}));
    RG_CHECK(POSSIBLE({R, SIM_NO_VALUE, 1, 2}, {W, 1, 3, 4}));
}

RG_TEST(concurrent_writes_go_either_way)
{
    RG_CHECK(POSSIBLE({W, 1, 1, 10}, {W, 2, 2, 9}, {R, 1, 11, 12}));
    RG_CHECK(POSSIBLE({W, 1, 1, 10}, {W, 2, 2, 9}, {R, 2, 11, 12}));
    RG_CHECK(POSSIBLE({W, 1, 1, 10}, {W, 2, 2, 9}, {R, 1, 3, 4}, {R, 2, 11, 12}));
}

RG_TEST(a_stale_read_is_not)
{
    RG_CHECK(!POSSIBLE({W, 1, 1, 2}, {W, 2, 3, 4}, {R, 1, 5, 6}));
    RG_CHECK(!POSSIBLE({W, 1, 1, 2}, {R, SIM_NO_VALUE, 3, 4}));
}

RG_TEST(a_value_does_not_come_back)
{
    RG_CHECK(!POSSIBLE({W, 1, 1, 20}, {W, 2, 2, 19}, {R, 1, 3, 4}, {R, 2, 5, 6}, {R, 1, 7, 8}));
}

RG_TEST(an_unknown_write_may_happen_late_or_never)
{
    RG_CHECK(POSSIBLE({W, 1, 1, 2}, {W, 2, 3, 0}, {R, 1, 5, 6}));
    RG_CHECK(POSSIBLE({W, 1, 1, 2}, {W, 2, 3, 0}, {R, 1, 5, 6}, {R, 2, 7, 8}));
    RG_CHECK(!POSSIBLE({W, 1, 1, 2}, {W, 2, 3, 0}, {R, 2, 5, 6}, {R, 1, 7, 8}));
}

RG_TEST(a_read_of_the_future_is_not)
{
    RG_CHECK(!POSSIBLE({R, 1, 1, 2}, {W, 1, 3, 4}));
    RG_CHECK(!POSSIBLE({R, 7, 1, 2}));
}

RG_TEST(counters_count_once_and_upwards)
{
    RG_CHECK(POSSIBLE({I, 1, 1, 2}, {I, 2, 3, 4}, {I, 4, 7, 8}, {I, 0, 5, 0}));
    RG_CHECK(!POSSIBLE({I, 1, 1, 2}, {I, 1, 3, 4}));
    RG_CHECK(!POSSIBLE({I, 2, 1, 2}, {I, 1, 3, 4}));
    RG_CHECK(!POSSIBLE({I, 3, 1, 2}, {I, 1, 3, 4}));
}
