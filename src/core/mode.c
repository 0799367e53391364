#include "core/mode.h"

#include "base/panic.h"

const char *rg_mode_name(enum rg_mode mode)
{
    static const char *const names[RG_MODES] = {"async", "semi-sync", "sync", "quorum"};

    RG_ASSERT((unsigned)mode < RG_MODES);
    return names[mode];
}

int rg_mode_of_name(struct rg_bytes name, enum rg_mode *ret_mode)
{
    for (int mode = 0; mode < RG_MODES; mode++) {
        if (rg_bytes_is(name, rg_mode_name((enum rg_mode)mode))) {
            *ret_mode = (enum rg_mode)mode;
            return 0;
        }
    }
    return RG_EINVAL;
}

static unsigned mode_majority(unsigned members)
{
    return members / 2 + 1;
}

unsigned rg_mode_copies(enum rg_mode mode, unsigned members)
{
    RG_ASSERT(members > 0);
    switch (mode) {
    case RG_MODE_ASYNC:
        return 1;
    case RG_MODE_SEMI_SYNC:
        return members < 2 ? members : 2;
    case RG_MODE_SYNC:
        return members;
    case RG_MODE_QUORUM:
        return mode_majority(members);
    case RG_MODES:
        break;
    }
    RG_UNREACHABLE();
}

unsigned rg_mode_promises(enum rg_mode mode, unsigned members)
{
    unsigned majority = mode_majority(members);
    unsigned overlap = members - rg_mode_copies(mode, members) + 1;

    /* async promises nothing about the newest writes, so a majority is all that it needs. */
    if (mode == RG_MODE_ASYNC || overlap < majority)
        return majority;
    return overlap;
}
