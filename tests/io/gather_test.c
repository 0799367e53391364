#include "io/gather.h"

#include "tests/harness.h"

/* A client alone, also one that is answered at once, never waits for others. */
RG_TEST(gather_leaves_one_alone)
{
    struct rg_gather gather = {0};

    for (int i = 0; i < 1000; i++) {
        RG_CHECK(rg_gather_want(&gather) == 1);
        rg_gather_note(&gather, 1);
    }
}

RG_TEST(gather_waits_for_many_that_come)
{
    struct rg_gather gather = {0};

    rg_gather_note(&gather, 2);
    RG_CHECK(rg_gather_want(&gather) == RG_GATHER_MIN);
    for (int i = 0; i < 100; i++)
        rg_gather_note(&gather, rg_gather_want(&gather) + 2);
    RG_CHECK(rg_gather_want(&gather) == RG_GATHER_MAX);
    /* Not all came in time: that many are waited for next. */
    rg_gather_note(&gather, 5);
    RG_CHECK(rg_gather_want(&gather) == 5);
    rg_gather_note(&gather, RG_GATHER_MIN - 1);
    RG_CHECK(rg_gather_want(&gather) == 1);
}

/* Where two come together now and then, and others never, waits in vain become rare. */
RG_TEST(gather_gives_up_what_is_in_vain)
{
    struct rg_gather gather = {0};
    unsigned in_vain = 0;

    for (int i = 0; i < 100 * 1000; i++) {
        in_vain += rg_gather_want(&gather) > 1;
        rg_gather_note(&gather, 2);
    }
    RG_CHECK(in_vain > 0);
    RG_CHECK(in_vain < 150);
}

/* And it comes back when there are many again. */
RG_TEST(gather_comes_back)
{
    struct rg_gather gather = {0};
    unsigned waits = 0;

    for (int i = 0; i < 10 * 1000; i++)
        rg_gather_note(&gather, 2);
    for (; rg_gather_want(&gather) < RG_GATHER_MAX; waits++)
        rg_gather_note(&gather, RG_GATHER_MAX);
    RG_CHECK(waits <= RG_GATHER_MAX_PAUSE + RG_GATHER_MAX);
}
