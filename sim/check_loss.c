#include "sim/check_loss.h"

void sim_check_shown(struct sim_log_tree *tree, unsigned nodes, enum rg_mode mode, unsigned client,
                     int64_t value, bool write)
{
    struct sim_place place = sim_log_tree_value(tree, value);
    const char *what = write ? "its write of" : "reading";
    unsigned copies = rg_mode_copies(mode, nodes);

    if (value < 0)
        return;
    if (place.branch == NULL) {
        sim_fail(tree->loop, "client %u was told of %s v%lld, which no log ever held", client, what,
                 (long long)value);
        return;
    }
    if (mode == RG_MODE_ASYNC)
        return;
    unsigned held = sim_log_tree_copies(tree, nodes, place);
    if (held < copies) {
        sim_fail(tree->loop,
                 "invariant 2: client %u was told of %s v%lld, held by %u nodes where %s mode "
                 "needs %u",
                 client, what, (long long)value, held, rg_mode_name(mode), copies);
        return;
    }
    for (unsigned i = 0; i < tree->count; i++) {
        const struct sim_branch *branch = tree->branches[i];
        if (branch->term > place.branch->term &&
            !sim_log_tree_holds(branch, branch->start, place)) {
            sim_fail(tree->loop,
                     "invariant 2: client %u was told of %s v%lld of term %llu, which term %llu "
                     "left out",
                     client, what, (long long)value, (unsigned long long)place.branch->term,
                     (unsigned long long)branch->term);
            return;
        }
    }
    if (place.offset > place.branch->shown)
        place.branch->shown = place.offset;
}
