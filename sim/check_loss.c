#include "sim/check_loss.h"

/* Nodes that held place as part of this term: copies of older terms' bytes do not count by
 * themselves ("The first reply"). */
static unsigned loss_copies(const struct sim_branch *branch, unsigned nodes, uint64_t offset)
{
    unsigned copies = 0;

    for (unsigned node = 0; node < nodes; node++)
        copies += branch->held[node] > branch->start && branch->held[node] >= offset;
    return copies;
}

static const struct sim_branch *loss_left_out(const struct sim_log_tree *tree, uint64_t term,
                                              struct sim_place place)
{
    for (unsigned i = 0; i < tree->count; i++) {
        const struct sim_branch *branch = tree->branches[i];
        if (branch->term > term && !sim_log_tree_holds(branch, branch->start, place))
            return branch;
    }
    return NULL;
}

void sim_check_shown(struct sim_log_tree *tree, unsigned nodes, enum rg_mode mode, unsigned client,
                     int64_t value, bool write)
{
    struct sim_place place = sim_log_tree_value(tree, value);
    const char *what = write ? "its write of" : "reading";
    unsigned need = rg_mode_copies(mode, nodes);
    const struct sim_branch *left_out = NULL;
    unsigned most = 0;

    if (value < 0)
        return;
    if (place.branch == NULL) {
        sim_fail(tree->loop, "client %u was told of %s v%lld, which no log ever held", client, what,
                 (long long)value);
        return;
    }
    if (mode == RG_MODE_ASYNC)
        return;
    for (unsigned i = tree->count; i-- > 0;) {
        struct sim_branch *branch = tree->branches[i];
        if (!sim_log_tree_holds(branch, sim_branch_end(branch), place))
            continue;
        unsigned copies = loss_copies(branch, nodes, place.offset);
        most = copies > most ? copies : most;
        if (copies < need)
            continue;
        left_out = loss_left_out(tree, branch->term, place);
        if (left_out == NULL) {
            if (place.offset > branch->shown)
                branch->shown = place.offset;
            return;
        }
    }
    if (left_out != NULL)
        sim_fail(tree->loop,
                 "invariant 2: client %u was told of %s v%lld of term %llu, which term %llu left "
                 "out",
                 client, what, (long long)value, (unsigned long long)place.branch->term,
                 (unsigned long long)left_out->term);
    else
        sim_fail(tree->loop,
                 "invariant 2: client %u was told of %s v%lld, held by %u nodes in one term where "
                 "%s mode needs %u",
                 client, what, (long long)value, most, rg_mode_name(mode), need);
}
