#include <stdio.h>
#include <strings.h>

#include "sentinel/state.h"

/*
 * Who leads a failover: in each epoch a sentinel gives one vote for each primary, to the first who
 * asks, and has it on disk before it tells. Whoever has a majority of all, and the quorum, leads.
 */

enum { VOTE_DESYNC_MS = 1000 };

void sentinel_new_epoch(struct rg_sentinel *s, struct sentinel_inst *primary, uint64_t epoch)
{
    s->current_epoch = epoch;
    sentinel_event(s, RG_SENTINEL_WARNING, "+new-epoch", NULL, "%llu", (unsigned long long)epoch);
    (void)primary;
    sentinel_dirty(s);
}

static bool vote_is_free(const struct rg_sentinel *s, const struct sentinel_inst *primary,
                         uint64_t epoch)
{
#ifdef RG_PLANTED_FAULTS
    if (s->planted == RG_SENTINEL_PLANTED_VOTE_TWICE && s->current_epoch <= epoch)
        return true;
#endif
    return primary->leader_epoch < epoch && s->current_epoch <= epoch;
}

const char *sentinel_vote(struct rg_sentinel *s, struct sentinel_inst *primary, uint64_t epoch,
                          const char *candidate, uint64_t *ret_epoch)
{
    if (epoch > s->current_epoch)
        sentinel_new_epoch(s, primary, epoch);
    if (vote_is_free(s, primary, epoch)) {
        (void)snprintf(primary->leader, sizeof(primary->leader), "%.*s", SENTINEL_ID_LEN,
                       candidate);
        primary->leader_epoch = s->current_epoch;
        sentinel_dirty(s);
        sentinel_event(s, RG_SENTINEL_WARNING, "+vote-for-leader", NULL, "%s %llu", primary->leader,
                       (unsigned long long)primary->leader_epoch);
        /* Who was voted for gets time. */
        if (strcasecmp(primary->leader, s->id) != 0)
            primary->failover_start_ms =
                s->now_ms + (int64_t)rg_rand_below(&s->rand, VOTE_DESYNC_MS);
    }
    *ret_epoch = primary->leader_epoch;
    return primary->leader;
}

/* Votes for that candidate in the epoch, the own one among them. */
static unsigned vote_count(const struct rg_sentinel *s, const struct sentinel_inst *primary,
                           uint64_t epoch, const char *candidate)
{
    unsigned votes = primary->leader_epoch == epoch && strcasecmp(primary->leader, candidate) == 0;

    (void)s;
    RG_LIST_EACH(at, &primary->sentinels)
    {
        const struct sentinel_inst *other = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        votes += other->leader_epoch == epoch && other->leader[0] != '\0' &&
                 strcasecmp(other->leader, candidate) == 0;
    }
    return votes;
}

const char *sentinel_leader(struct rg_sentinel *s, struct sentinel_inst *primary, uint64_t epoch,
                            bool *ret_lost)
{
    unsigned voters = sentinel_count(&primary->sentinels) + 1;
    unsigned needed = voters / 2 + 1 > primary->quorum ? voters / 2 + 1 : primary->quorum;
    unsigned open = 0; /* votes that may still come */

    if (primary->leader_epoch == epoch && primary->leader[0] != '\0' &&
        vote_count(s, primary, epoch, primary->leader) >= needed)
        return primary->leader;
    RG_LIST_EACH(at, &primary->sentinels)
    {
        const struct sentinel_inst *other = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if (other->leader_epoch == epoch && other->leader[0] != '\0') {
            if (vote_count(s, primary, epoch, other->leader) >= needed)
                return other->leader;
        } else if (other->leader_epoch < epoch) {
            open++;
        }
    }
    *ret_lost = s->current_epoch > epoch || vote_count(s, primary, epoch, s->id) + open < needed;
    return NULL;
}
