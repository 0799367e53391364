#include "core/mode.h"

#include "tests/harness.h"

RG_TEST(copies_and_promises_are_those_of_the_documents_table)
{
    static const struct {
        enum rg_mode mode;
        unsigned members, copies, promises;
    } table[] = {
        {RG_MODE_ASYNC, 3, 1, 2},     {RG_MODE_ASYNC, 5, 1, 3},  {RG_MODE_SEMI_SYNC, 3, 2, 2},
        {RG_MODE_SEMI_SYNC, 5, 2, 4}, {RG_MODE_SYNC, 3, 3, 2},   {RG_MODE_SYNC, 5, 5, 3},
        {RG_MODE_QUORUM, 3, 2, 2},    {RG_MODE_QUORUM, 5, 3, 3}, {RG_MODE_SEMI_SYNC, 1, 1, 1},
        {RG_MODE_SEMI_SYNC, 2, 2, 2}, {RG_MODE_QUORUM, 4, 3, 3},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        RG_CHECK_INT(rg_mode_copies(table[i].mode, table[i].members), table[i].copies);
        RG_CHECK_INT(rg_mode_promises(table[i].mode, table[i].members), table[i].promises);
    }
}

RG_TEST(promises_meet_copies_and_each_other)
{
    for (unsigned n = 1; n <= 15; n++) {
        for (int mode = 0; mode < RG_MODES; mode++) {
            unsigned copies = rg_mode_copies((enum rg_mode)mode, n);
            unsigned promises = rg_mode_promises((enum rg_mode)mode, n);
            RG_CHECK(copies >= 1 && copies <= n && promises >= 1 && promises <= n);
            RG_CHECK(2 * promises > n);
            RG_CHECK(mode == RG_MODE_ASYNC || copies + promises > n);
        }
    }
}

RG_TEST(commit_is_what_so_many_have_reached)
{
    static const uint64_t ends[] = {70, 10, 50, 50, 30};

    RG_CHECK_INT(rg_commit_offset(ends, 5, 1), 70);
    RG_CHECK_INT(rg_commit_offset(ends, 5, 2), 50);
    RG_CHECK_INT(rg_commit_offset(ends, 5, 3), 50);
    RG_CHECK_INT(rg_commit_offset(ends, 5, 4), 30);
    RG_CHECK_INT(rg_commit_offset(ends, 5, 5), 10);
    RG_CHECK_INT(rg_commit_offset(ends, 1, 2), 0);
    RG_CHECK_INT(rg_commit_offset(ends, 0, 1), 0);
}

RG_TEST(names_are_those_of_the_configuration)
{
    RG_CHECK_STR(rg_mode_name(RG_MODE_ASYNC), "async");
    RG_CHECK_STR(rg_mode_name(RG_MODE_SEMI_SYNC), "semi-sync");
    RG_CHECK_STR(rg_mode_name(RG_MODE_SYNC), "sync");
    RG_CHECK_STR(rg_mode_name(RG_MODE_QUORUM), "quorum");
}

RG_TEST(a_mode_is_found_by_its_name_only)
{
    for (int i = 0; i < RG_MODES; i++) {
        enum rg_mode mode = RG_MODES;
        RG_CHECK_INT(rg_mode_of_name(rg_bytes_str(rg_mode_name((enum rg_mode)i)), &mode), 0);
        RG_CHECK_INT(mode, i);
    }
    enum rg_mode untouched = RG_MODE_SYNC;
    RG_CHECK_INT(rg_mode_of_name(RG_BYTES("quorums"), &untouched), RG_EINVAL);
    RG_CHECK_INT(rg_mode_of_name(RG_BYTES(""), &untouched), RG_EINVAL);
    RG_CHECK_INT(untouched, RG_MODE_SYNC);
}
