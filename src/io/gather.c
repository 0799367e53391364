#include "io/gather.h"

static void gather_give_up(struct rg_gather *gather)
{
    unsigned pause = gather->next_pause == 0 ? 1 : gather->next_pause;

    gather->want = 0;
    gather->pause = pause;
    gather->next_pause = pause < RG_GATHER_MAX_PAUSE ? pause * 2 : pause;
}

void rg_gather_note(struct rg_gather *gather, unsigned arrived)
{
    if (gather->want < RG_GATHER_MIN) {
        if (gather->pause > 0)
            gather->pause--;
        else if (arrived > 1)
            gather->want = RG_GATHER_MIN;
    } else if (arrived < gather->want) {
        if (gather->want > RG_GATHER_MIN && arrived >= RG_GATHER_MIN)
            gather->want = arrived;
        else
            gather_give_up(gather);
    } else {
        gather->want += gather->want < RG_GATHER_MAX ? 1 : 0;
        gather->next_pause /= 2;
    }
}
