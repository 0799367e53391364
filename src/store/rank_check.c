#include "store/rank_path.h"

/* The rules of a rank tree, checked over all of it. */

struct check {
    const struct rg_rank_tree *tree;
    const struct rg_rank_leaf *leaf; /* the next one of the row */
    const struct rg_zset_item *last;
    uint64_t seen;
};

static void check_leaf(struct check *check, const struct rg_rank_leaf *leaf)
{
    RG_ASSERT(leaf == check->leaf && leaf->count > 0);
    RG_ASSERT(leaf->next != NULL ? leaf->next->prev == leaf : check->tree->last == leaf);
    check->leaf = leaf->next;
    for (unsigned i = 0; i < leaf->count; i++) {
        const struct rg_zset_item *item = leaf->items[i];
        if (check->last != NULL)
            RG_ASSERT(rg_zset_compare(rg_zset_item_score(check->last),
                                      rg_zset_item_member(check->last), rg_zset_item_score(item),
                                      rg_zset_item_member(item)) < 0);
        check->last = item;
        check->seen++;
    }
}

static void check_inner(const struct rg_rank_inner *inner, unsigned slot, unsigned levels_below)
{
    const void *node = inner->nodes[slot];
    const struct rg_zset_item *first = NULL;
    uint64_t count = 0;
    if (levels_below == 0) {
        const struct rg_rank_leaf *leaf = node;
        first = leaf->items[0];
        count = leaf->count;
    } else {
        const struct rg_rank_inner *below = node;
        RG_ASSERT(below->count > 0 && below->count <= RG_RANK_INNER_CHILDREN);
        first = below->firsts[0];
        for (unsigned i = 0; i < below->count; i++)
            count += below->counts[i];
    }
    RG_ASSERT(inner->counts[slot] == count);
    RG_ASSERT(inner->firsts[slot] == first && inner->scores[slot] == rg_zset_item_score(first));
}

void rg_rank_tree_check(const struct rg_rank_tree *tree)
{
    const struct rg_rank_inner *inner[RG_RANK_MAX_HEIGHT] = {NULL};
    unsigned slots[RG_RANK_MAX_HEIGHT] = {0};
    struct check check = {.tree = tree, .leaf = tree->first};
    unsigned level = 0;

    RG_ASSERT((tree->root == NULL) == (tree->count == 0));
    if (tree->height == 0 && tree->root != NULL)
        check_leaf(&check, tree->root);
    inner[0] = tree->root;
    while (tree->height > 0) {
        if (slots[level] == inner[level]->count) {
            if (level == 0)
                break;
            level--;
            continue;
        }
        unsigned slot = slots[level]++;
        check_inner(inner[level], slot, tree->height - 1 - level);
        if (level + 1 == tree->height) {
            check_leaf(&check, inner[level]->nodes[slot]);
        } else {
            inner[level + 1] = inner[level]->nodes[slot];
            slots[++level] = 0;
        }
    }
    RG_ASSERT(check.leaf == NULL && check.seen == tree->count);
}
