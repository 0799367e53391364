#include "io/ticks.h"

#include "io/clock.h"
#include "tests/harness.h"

RG_TEST(ticks_follow_the_clock_and_never_go_back)
{
    enum { TEST_US = 350 * 1000, OFF_US = 1000 };
    struct rg_ticks ticks = {0};
    int64_t began_us = rg_clock_mono_us();
    int64_t last_us = rg_ticks_us(&ticks);
    int64_t worst_us = 0;

    while (last_us < began_us + TEST_US) {
        int64_t before_us = rg_clock_mono_us();
        int64_t now_us = rg_ticks_us(&ticks);
        int64_t after_us = rg_clock_mono_us();
        RG_CHECK(now_us >= last_us);
        last_us = now_us;
        int64_t off_us = now_us < before_us ? before_us - now_us : now_us - after_us;
        worst_us = off_us > worst_us ? off_us : worst_us;
    }
    rg_test_note("at most %lld us beside the clock", (long long)worst_us);
    RG_CHECK(worst_us < OFF_US);
}

RG_TEST(a_counter_that_jumps_is_measured_anew)
{
    struct rg_ticks ticks = {0};
    int64_t began_us = rg_clock_mono_us();

    while (rg_ticks_us(&ticks) < began_us + 20 * 1000)
        continue;
    ticks.first_ticks /= 2; /* as if the counter ran at another pace since */
    ticks.anchor_ticks -= ticks.valid_ticks;
    for (int64_t now_us = 0; now_us < began_us + 300 * 1000; now_us = rg_clock_mono_us()) {
        int64_t off_us = rg_ticks_us(&ticks) - now_us;
        RG_CHECK(now_us < began_us + 200 * 1000 || (off_us > -10000 && off_us < 10000));
    }
}
