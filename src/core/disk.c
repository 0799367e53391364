#include "core/group_state.h"

#include "base/panic.h"

/*
 * The log on disk as the group sees it (docs/failover.md, "Durability"): how much of the own log
 * counts as held, and the claim in the state file that everything this node ever acknowledged is in
 * its files. The claim is
 *
 *            healthy, and the disk has caught up with all that was acknowledged before
 *     NONE <----------------------------------------------------------------------------> MADE
 *            memory is to count; durable before anything in memory alone does
 *
 * and while it may be on disk, nothing but what is durable is acknowledged.
 */

/* The claim stands in the state file, or may. */
static bool disk_claimed(const struct rg_group *group)
{
    return group->durable.on_disk || group->persisted_seq < group->disk.persist;
}

uint64_t rg_group_held(const struct rg_group *group)
{
    uint64_t end = group->position.offset;
    uint64_t synced = group->disk.whole ? group->disk.synced.offset : 0;

    if (RG_PLANTED(group->config.planted, RG_PLANTED_ACK_BEFORE_DURABLE))
        return end;
    if (!group->disk.wanted && !disk_claimed(group))
        return end;
    return synced < end ? synced : end;
}

void rg_disk_note(struct rg_group *group)
{
    struct rg_group_durable *durable = &group->durable;

    if (durable->on_disk && group->disk.whole &&
        rg_group_position_compare(group->disk.synced, durable->disk) > 0)
        durable->disk = group->disk.synced;
}

void rg_disk_forget(struct rg_group *group)
{
    group->disk.from_known = false;
    group->disk.whole = false;
}

static void disk_unclaim(struct rg_group *group)
{
    group->durable.on_disk = false;
    group->durable.disk = (struct rg_group_position){0, 0};
    group->disk.persist = rg_group_persist(group);
}

/* What was acknowledged so far may have been so in memory: it ends where the log ends now. */
static void disk_claim(struct rg_group *group)
{
    struct rg_group_disk *disk = &group->disk;

    if (!disk->from_known) {
        disk->from_known = true;
        disk->from = group->position.offset;
    }
    if (!disk->whole || disk->synced.offset < disk->from)
        return;
    group->durable.on_disk = true;
    disk->persist = rg_group_persist(group);
}

void rg_disk_step(struct rg_group *group)
{
    if (!group->disk.wanted) {
        group->disk.from_known = false;
        if (group->durable.on_disk)
            disk_unclaim(group);
    } else if (group->state != RG_MEMBER_HEALTHY) {
        group->disk.from_known = false;
    } else if (!group->durable.on_disk) {
        disk_claim(group);
    }
}

void rg_group_log_on_disk(struct rg_group *group, bool wanted, bool whole,
                          struct rg_group_position synced, int64_t now_us)
{
    struct rg_group_disk *disk = &group->disk;
    bool more = disk->whole != whole || disk->wanted != wanted ||
                disk->synced.offset != synced.offset || disk->synced.term != synced.term;

    if (!more)
        return;
    RG_ASSERT(!whole || synced.offset <= group->position.offset);
    disk->wanted = wanted;
    disk->whole = whole;
    disk->synced = synced;
    rg_disk_step(group);
    /* Own bytes that became durable may be the last that a commit waited for. */
    rg_commit_step(group, now_us);
}

bool rg_group_disk_complete(const struct rg_group_durable *durable,
                            struct rg_group_position position)
{
    return durable->on_disk && rg_group_position_compare(position, durable->disk) >= 0;
}
