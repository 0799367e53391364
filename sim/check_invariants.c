#include "sim/check_invariants.h"

#include <stdio.h>

/* More turns in a simulated second than any load here can cause. */
enum { INVARIANTS_MAX_TURNS = 150000 };

/* ---- The log (invariant 4) ---- */

/* The node's bytes from offset to end. Valid until the next call. */
static struct rg_bytes invariants_read(struct sim_check_invariants *check,
                                       const struct rg_node *node, uint64_t offset, uint64_t end)
{
    struct rg_bytes run = rg_node_log_read(node, offset);

    if (run.len >= end - offset)
        return rg_bytes(run.data, (size_t)(end - offset));
    rg_buf_reset(&check->scratch, 1 << 20);
    while (offset < end) {
        run = rg_node_log_read(node, offset);
        if (run.len == 0)
            break;
        size_t len = run.len < end - offset ? run.len : (size_t)(end - offset);
        rg_buf_append(&check->scratch, run.data, len);
        offset += len;
    }
    return rg_buf_view(&check->scratch);
}

/* The node's whole log is new to the onlooker: it restarted, or was resynchronised. */
static void invariants_log_anew(struct sim_check_invariants *check, struct sim_machine *machine,
                                struct sim_watch *watch, const struct rg_node_view *view)
{
    struct sim_branch *branch = sim_log_tree_find(check->tree, view->replid);

    watch->at = (struct sim_place){0};
    if (view->log_end == 0)
        return;
    if (branch == NULL || view->log_end > sim_branch_end(branch) ||
        !sim_log_tree_matches(
            branch, view->log_start,
            invariants_read(check, machine->node, view->log_start, view->log_end))) {
        sim_fail(check->loop,
                 "invariant 4: n%u loaded a log that ends at %s:%llu, which nobody wrote",
                 machine->index, view->replid, (unsigned long long)view->log_end);
        return;
    }
    watch->at = (struct sim_place){branch, view->log_end};
}

static void invariants_log_grew(struct sim_check_invariants *check, struct sim_machine *machine,
                                struct sim_watch *watch, const struct rg_node_view *view)
{
    struct sim_branch *branch = sim_log_tree_find(check->tree, view->replid);
    struct rg_bytes bytes = invariants_read(check, machine->node, watch->at.offset, view->log_end);

    if (branch == NULL || sim_branch_end(branch) < view->log_end) {
        sim_log_tree_extend(check->tree, machine->index, &watch->at, bytes);
    } else if (!sim_log_tree_holds(branch, view->log_end, watch->at)) {
        sim_fail(check->loop,
                 "invariant 4: n%u's log went another way at %s:%llu, and goes on as term %llu's",
                 machine->index, watch->at.branch->replid, (unsigned long long)watch->at.offset,
                 (unsigned long long)branch->term);
    } else if (!sim_log_tree_matches(branch, watch->at.offset, bytes)) {
        sim_fail(check->loop, "invariant 4: n%u's log differs from term %llu's behind offset %llu",
                 machine->index, (unsigned long long)branch->term,
                 (unsigned long long)watch->at.offset);
    } else {
        watch->at = (struct sim_place){branch, view->log_end};
    }
}

static void invariants_log(struct sim_check_invariants *check, struct sim_machine *machine,
                           struct sim_watch *watch, const struct rg_node_view *view)
{
    struct sim_branch *branch = NULL;
    bool reloaded = watch->reloads != machine->reloads || watch->starts != machine->starts;
    bool goes_on = watch->starts == machine->starts && view->log_end >= watch->at.offset &&
                   view->log_start <= watch->at.offset;

    /* A fresh node that found an RDB begins a log of its own, of no term (node.c): nobody shares
     * it. */
    if (view->log_end > 0 && view->log_term == 0) {
        watch->at = (struct sim_place){0};
        watch->starts = machine->starts;
        watch->reloads = machine->reloads;
        return;
    }
    if (goes_on && view->log_end == watch->at.offset &&
        (watch->at.branch == NULL || strcmp(view->replid, watch->at.branch->replid) == 0)) {
        watch->reloads = machine->reloads;
        return;
    }
    if (goes_on && reloaded && watch->at.branch != NULL) {
        branch = sim_log_tree_find(check->tree, view->replid);
        goes_on = branch == NULL || sim_log_tree_holds(branch, view->log_end, watch->at);
    }
    /* So much came at once that its first part left the backlog before anybody looked. */
    bool skipped = view->log_end >= watch->at.offset && view->log_start > watch->at.offset;
    if (!goes_on && !reloaded && !skipped)
        sim_fail(check->loop, "n%u's log went back from %llu to %llu, and nobody reloaded it",
                 machine->index, (unsigned long long)watch->at.offset,
                 (unsigned long long)view->log_end);
    else if (!goes_on)
        invariants_log_anew(check, machine, watch, view);
    else
        invariants_log_grew(check, machine, watch, view);
    watch->starts = machine->starts;
    watch->reloads = machine->reloads;
    if (watch->at.branch != NULL && watch->at.offset > watch->at.branch->held[machine->index])
        watch->at.branch->held[machine->index] = watch->at.offset;
}

/* ---- Digests at equal offsets ---- */

static void invariants_digest(struct sim_check_invariants *check, struct sim_machine *machine,
                              const struct sim_watch *watch)
{
    uint64_t mix = (watch->at.offset + watch->at.branch->term) * UINT64_C(0x9e3779b97f4a7c15);
    struct sim_digest *slot = &check->digests[mix >> 58];
    char hex[41];

    /* Which offsets are looked at follows from the offset alone, so that nodes meet there. */
    if (((mix >> 32) & 7) != 0)
        return;
    rg_node_digest(machine->node, hex);
    if (slot->place.branch == watch->at.branch && slot->place.offset == watch->at.offset) {
        check->digests_compared++;
        if (strcmp(slot->hex, hex) != 0)
            sim_fail(check->loop, "n%u and n%u hold different keys at the same offset %s:%llu",
                     slot->node, machine->index, watch->at.branch->replid,
                     (unsigned long long)watch->at.offset);
        return;
    }
    slot->place = watch->at;
    slot->node = machine->index;
    memcpy(slot->hex, hex, sizeof(hex));
}

/* ---- Office, commit ---- */

static void invariants_primary(struct sim_check_invariants *check, struct sim_machine *machine,
                               struct sim_watch *watch, const struct rg_group_view *group)
{
    bool primary = group->role == RG_ROLE_PRIMARY;

    if (group->term < watch->term)
        sim_fail(check->loop, "invariant 1: n%u went back from term %llu to %llu", machine->index,
                 (unsigned long long)watch->term, (unsigned long long)group->term);
    for (unsigned i = 0; i < check->count && primary; i++) {
        const struct sim_watch *other = &check->watches[i];
        if (i != machine->index && check->machines[i].node != NULL && other->primary &&
            other->term == group->term)
            sim_fail(check->loop, "invariant 1: n%u and n%u are both primary of term %llu", i,
                     machine->index, (unsigned long long)group->term);
    }
    watch->term = group->term;
    watch->primary = primary;
    if (!primary || group->commit <= watch->commit)
        return;
    watch->commit = group->commit;
    struct sim_place place = {watch->at.branch, group->commit};
    unsigned need = rg_mode_copies(group->mode, check->count);
    unsigned held = sim_log_tree_copies(check->tree, check->count, place);
    if (group->commit > watch->at.offset || held < need)
        sim_fail(check->loop,
                 "invariant 2: n%u counts offset %llu as committed, which %u nodes hold; %s mode "
                 "needs %u",
                 machine->index, (unsigned long long)group->commit, held, rg_mode_name(group->mode),
                 need);
}

static void invariants_spinning(struct sim_check_invariants *check, struct sim_machine *machine,
                                struct sim_watch *watch)
{
    if (check->loop->now_us - watch->turns_since_us > RG_S_US) {
        watch->turns_since_us = check->loop->now_us;
        watch->turns = machine->turns;
    } else if (machine->turns - watch->turns > INVARIANTS_MAX_TURNS) {
        sim_fail(check->loop, "n%u runs without end: %d turns within a second", machine->index,
                 INVARIANTS_MAX_TURNS);
    }
}

static void invariants_after_turn(void *arg, struct sim_machine *machine)
{
    struct sim_check_invariants *check = arg;
    struct sim_watch *watch = &check->watches[machine->index];
    struct rg_node_view view;
    struct rg_group_view group;

    if (check->loop->failed || !sim_machine_view(machine, &view, &group))
        return;
    if (watch->starts != machine->starts) {
        watch->term = 0;
        watch->commit = 0;
        watch->primary = false;
    }
    uint64_t before = watch->at.offset;
    invariants_log(check, machine, watch, &view);
    if (check->loop->failed)
        return;
    if (watch->at.branch != NULL && watch->at.offset != before)
        invariants_digest(check, machine, watch);
    invariants_primary(check, machine, watch, &group);
    invariants_spinning(check, machine, watch);
}

void sim_check_invariants_init(struct sim_check_invariants *check, struct sim_log_tree *tree,
                               struct sim_machine *machines, unsigned count)
{
    *check = (struct sim_check_invariants){
        .loop = tree->loop, .tree = tree, .machines = machines, .count = count};
    for (unsigned i = 0; i < count; i++) {
        machines[i].after_turn = invariants_after_turn;
        machines[i].after_turn_arg = check;
    }
}

void sim_check_invariants_fini(struct sim_check_invariants *check)
{
    if (check != NULL)
        rg_buf_fini(&check->scratch);
}
