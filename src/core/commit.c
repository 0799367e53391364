#include "core/group_state.h"

#include "base/panic.h"

/*
 * What is committed and what may be released: the k-th greatest end among the copies, once the
 * term's own record is among them (docs/failover.md, "Modes" and "The first reply").
 */

uint64_t rg_commit_offset(const uint64_t *ends, unsigned n, unsigned copies)
{
    uint64_t best = 0;

    RG_ASSERT(copies > 0);
    if (n < copies)
        return 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned reached = 0;
        for (unsigned j = 0; j < n; j++)
            reached += ends[j] >= ends[i];
        if (reached >= copies && ends[i] > best)
            best = ends[i];
    }
    return best;
}

/* ---- Modes' records ---- */

void rg_commit_modes_init(struct rg_group *group, enum rg_mode mode, bool unknown)
{
    group->modes.list[0] = (struct group_mode){mode, 0};
    group->modes.count = 1;
    /* A log that is older than this process may hold records that this process was not told of. */
    group->modes.base_unknown = unknown;
}

/* Also the reload of a log begins with this: what it held is gone until it is whole again, so this
 * node may not be counted upon (invariant 5). */
void rg_commit_log_lost(struct rg_group *group)
{
    RG_ASSERT(group->role != RG_ROLE_PRIMARY);
    rg_commit_modes_init(group, group->config.mode, true);
    group->synced = false;
    rg_disk_forget(group);
    rg_election_cancel(group);
    if (group->state == RG_MEMBER_HEALTHY)
        rg_amnesia_set(group, RG_MEMBER_FORGOT_LOG);
}

void rg_group_log_loaded(struct rg_group *group, struct rg_group_position position)
{
    RG_ASSERT(group->role != RG_ROLE_PRIMARY);
    /* What was committed before the snapshot's record is unknown, in a fresh node too. */
    rg_commit_modes_init(group, group->config.mode, true);
    group->synced = false;
    rg_disk_forget(group);
    rg_election_cancel(group);
    group->position = position;
}

void rg_group_log_mode(struct rg_group *group, enum rg_mode mode, uint64_t record_end)
{
    struct group_modes *modes = &group->modes;

    while (modes->count > 1 && modes->list[modes->count - 1].record_end >= record_end)
        modes->count--;
    if (modes->list[0].record_end > record_end) {
        modes->count = 0;
        modes->base_unknown = true;
    } else if (modes->count == GROUP_MODES_MAX) {
        /* So many at once: forgetting the oldest means assuming the worst of it. */
        modes->count--;
        memmove(&modes->list[0], &modes->list[1], modes->count * sizeof(modes->list[0]));
        modes->base_unknown = true;
    }
    modes->list[modes->count++] = (struct group_mode){mode, record_end};
}

static void commit_prune(struct rg_group *group)
{
    struct group_modes *modes = &group->modes;

    while (modes->count > 1 && modes->list[1].record_end <= group->commit) {
        modes->count--;
        memmove(&modes->list[0], &modes->list[1], modes->count * sizeof(modes->list[0]));
        modes->base_unknown = false;
    }
}

enum rg_mode rg_commit_mode(const struct rg_group *group)
{
    return group->modes.list[group->modes.count - 1].mode;
}

unsigned rg_commit_promises_max(const struct rg_group *group)
{
    unsigned n = group->config.members;
    unsigned most = group->modes.base_unknown ? rg_mode_promises(RG_MODE_SEMI_SYNC, n)
                                              : rg_group_majority(group);

    for (unsigned i = 0; i < group->modes.count; i++) {
        unsigned promises = rg_mode_promises(group->modes.list[i].mode, n);
        most = promises > most ? promises : most;
    }
    return most;
}

unsigned rg_commit_promises_min(const struct rg_group *group)
{
    unsigned n = group->config.members;
    unsigned least = group->modes.base_unknown ? rg_group_majority(group) : n;

    for (unsigned i = 0; i < group->modes.count; i++) {
        unsigned promises = rg_mode_promises(group->modes.list[i].mode, n);
        least = promises < least ? promises : least;
    }
    return least;
}

unsigned rg_commit_copies(const struct rg_group *group)
{
    unsigned n = group->config.members;
    unsigned most = n - rg_commit_promises_min(group) + 1;

    for (unsigned i = 0; i < group->modes.count; i++) {
        unsigned copies = rg_mode_copies(group->modes.list[i].mode, n);
        most = copies > most ? copies : most;
    }
    return most;
}

/* ---- The primary's side ---- */

static void commit_form(struct rg_group *group)
{
    if (group->durable.formed)
        return;
    group->durable.formed = true;
    group->formed_persist = rg_group_persist(group);
}

void rg_commit_lead(struct rg_group *group)
{
    group->led = false;
    group->record_end = 0;
    for (unsigned i = 0; i < group->config.members; i++) {
        group->members[i].acked = 0;
        group->members[i].want = 0;
    }
}

void rg_group_led(struct rg_group *group, uint64_t record_end, int64_t now_us)
{
    if (group->role != RG_ROLE_PRIMARY)
        return;
    group->led = true;
    group->record_end = record_end;
    /* Before a second node holds anything the first has nothing to lose, and a fresh group whose
     * first primary dies at once may start afresh; alone, it is the group. */
    if (rg_commit_copies(group) == 1)
        commit_form(group);
    rg_group_tick(group, now_us);
}

void rg_group_acked(struct rg_group *group, unsigned peer, uint64_t offset, int64_t now_us)
{
    if (group->role != RG_ROLE_PRIMARY || peer >= group->config.members ||
        peer == group->config.self || offset > group->position.offset)
        return;
    struct group_member *member = &group->members[peer];
    member->last_seen_us = now_us;
    if (offset > member->acked)
        member->acked = offset;
    commit_form(group);
    rg_group_tick(group, now_us);
}

static uint64_t commit_reached(const struct rg_group *group, unsigned copies)
{
    uint64_t ends[2 * RG_GROUP_MAX_MEMBERS];
    unsigned n = 0;

    for (unsigned i = 0; i < group->config.members; i++) {
        if (i == group->config.self) {
            ends[n++] = rg_group_held(group);
            continue;
        }
        ends[n++] = group->members[i].acked;
        if (RG_PLANTED(group->config.planted, RG_PLANTED_ACK_COUNTED_TWICE))
            ends[n++] = group->members[i].acked;
    }
    uint64_t reached = rg_commit_offset(ends, n, copies);
    return reached < group->record_end ? 0 : reached;
}

static void commit_tell(struct rg_group *group)
{
    for (unsigned i = 0; i < group->config.members; i++) {
        struct group_member *member = &group->members[i];
        if (member->want == 0 || member->want > group->commit)
            continue;
        struct rg_group_msg msg = {.type = RG_MSG_COMMIT,
                                   .term = group->durable.term,
                                   .primary = -1,
                                   .commit = group->commit};
        member->want = 0;
        rg_group_send(group, i, &msg);
    }
}

void rg_commit_step(struct rg_group *group, int64_t now_us)
{
    /* While the old primary's lease may last, nothing newer than what it serves may be shown, on
     * followers neither. */
    if (group->role != RG_ROLE_PRIMARY || !group->led || rg_lease_waits(group, now_us))
        return;
    uint64_t reached = commit_reached(group, rg_commit_copies(group));
    if (reached > group->commit)
        group->commit = reached;
    commit_prune(group);
    commit_tell(group);
}

void rg_commit_wanted(struct rg_group *group, unsigned peer, uint64_t offset)
{
    if (group->role == RG_ROLE_PRIMARY && offset > group->members[peer].want)
        group->members[peer].want = offset;
}

/* ---- The followers' side ---- */

void rg_commit_heard(struct rg_group *group, uint64_t commit)
{
    if (!group->synced || commit <= group->commit)
        return;
    group->commit = commit;
    commit_prune(group);
}

void rg_group_want_commit(struct rg_group *group, uint64_t offset, int64_t now_us)
{
    (void)now_us;
    if (group->role == RG_ROLE_PRIMARY || group->primary < 0 || offset <= group->commit)
        return;
    struct rg_group_msg msg = {
        .type = RG_MSG_WANT, .term = group->durable.term, .primary = -1, .commit = offset};
    /* Before the term is durable it is told to nobody; the next heartbeat brings the commit. */
    if (group->told_term == group->durable.term)
        rg_group_send(group, (unsigned)group->primary, &msg);
}

/* ---- Release ---- */

uint64_t rg_group_released(const struct rg_group *group, enum rg_mode mode, int64_t now_us)
{
    unsigned n = group->config.members;

    if (mode == RG_MODE_ASYNC)
        return UINT64_MAX;
    if (group->role != RG_ROLE_PRIMARY)
        return group->commit;
    if (!group->led || !rg_lease_holds(group, now_us) || rg_lease_waits(group, now_us) ||
        !group->durable.formed || group->persisted_seq < group->formed_persist)
        return 0;
    unsigned copies = n - rg_commit_promises_min(group) + 1;
    if (rg_mode_copies(mode, n) > copies)
        copies = rg_mode_copies(mode, n);
    if (mode == rg_commit_mode(group))
        copies = rg_commit_copies(group);
    if (RG_PLANTED(group->config.planted, RG_PLANTED_EARLY_ACK))
        copies = 1;
    return commit_reached(group, copies);
}

bool rg_group_mode_promises(const struct rg_group *group, enum rg_mode mode)
{
    unsigned n = group->config.members;

    return mode == RG_MODE_ASYNC || rg_mode_copies(mode, n) + rg_commit_promises_min(group) > n;
}
