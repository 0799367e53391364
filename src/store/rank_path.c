#include "store/rank_path.h"

/* How many of the scores, which ascend, are less than this: without a branch to guess. */
static unsigned scores_below(const double *scores, unsigned count, double score)
{
    unsigned base = 0;
    while (count > 1) {
        unsigned half = count / 2;
        base += scores[base + half - 1] < score ? half : 0;
        count -= half;
    }
    return base + (count == 1 && scores[base] < score ? 1 : 0);
}

static unsigned scores_through(const double *scores, unsigned count, double score)
{
    unsigned base = 0;
    while (count > 1) {
        unsigned half = count / 2;
        base += scores[base + half - 1] <= score ? half : 0;
        count -= half;
    }
    return base + (count == 1 && scores[base] <= score ? 1 : 0);
}

static bool item_is_before(const struct rg_zset_item *item, const struct rg_rank_key *key)
{
    if (key->by_score) {
        double score = rg_zset_item_score(item);
        if (score != key->score)
            return score < key->score;
    }
    int order = key->by_member ? rg_bytes_compare(rg_zset_item_member(item), key->member) : 0;
    return order < 0 || (order == 0 && key->through);
}

/* Of items [low, high), which are in order, how many, with low, are before the key. */
static unsigned items_before(struct rg_zset_item *const *items, unsigned low, unsigned high,
                             const struct rg_rank_key *key)
{
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (item_is_before(items[middle], key))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The last child whose first item is before the key; the first child where there is none. */
static unsigned inner_search(const struct rg_rank_inner *inner, const struct rg_rank_key *key)
{
    unsigned count = (unsigned)inner->count;
    unsigned low = 0;
    unsigned high = count;
    if (key->by_score) {
        low = scores_below(inner->scores, count, key->score);
        high = low + scores_through(inner->scores + low, count - low, key->score);
    }
    if (low < high)
        low = items_before(inner->firsts, low, high, key);
    return low > 0 ? low - 1 : 0;
}

static void path_descend(struct rg_rank_path *path, struct rg_rank_inner *inner, unsigned slot)
{
    RG_ASSERT(path->height < RG_RANK_MAX_HEIGHT);
    for (unsigned i = 0; i < slot; i++)
        path->rank += inner->counts[i];
    path->inner[path->height] = inner;
    path->slots[path->height++] = slot;
}

/* So that the search in the leaf waits for memory once, not at every step. */
static void leaf_prefetch(const struct rg_rank_leaf *leaf)
{
    for (unsigned i = 0; i < leaf->count; i++)
        __builtin_prefetch(leaf->items[i]);
}

void rg_rank_path_find(struct rg_rank_path *path, const struct rg_rank_tree *tree,
                       const struct rg_rank_key *key)
{
    void *node = tree->root;
    RG_ASSERT(node != NULL);
    path->height = 0;
    path->rank = 0;
    while (path->height < tree->height) {
        struct rg_rank_inner *inner = node;
        unsigned slot = inner_search(inner, key);
        node = inner->nodes[slot];
        path_descend(path, inner, slot);
    }
    path->leaf = node;
    leaf_prefetch(path->leaf);
    path->index = items_before(path->leaf->items, 0, path->leaf->count, key);
    path->rank += path->index;
}

void rg_rank_path_find_item(struct rg_rank_path *path, const struct rg_rank_tree *tree,
                            const struct rg_zset_item *item)
{
    struct rg_rank_key key = {.score = rg_zset_item_score(item),
                              .member = rg_zset_item_member(item),
                              .by_score = true,
                              .by_member = true,
                              .through = true};
    rg_rank_path_find(path, tree, &key);
    RG_ASSERT(path->index > 0 && path->leaf->items[path->index - 1] == item);
}

void rg_rank_path_find_rank(struct rg_rank_path *path, const struct rg_rank_tree *tree,
                            uint64_t rank)
{
    void *node = tree->root;
    uint64_t left = rank;
    RG_ASSERT(rank < tree->count);
    path->height = 0;
    path->rank = 0;
    while (path->height < tree->height) {
        struct rg_rank_inner *inner = node;
        unsigned slot = 0;
        while (left >= inner->counts[slot])
            left -= inner->counts[slot++];
        node = inner->nodes[slot];
        path_descend(path, inner, slot);
    }
    path->leaf = node;
    path->index = (unsigned)left;
    path->rank = rank;
    RG_ASSERT(path->index < path->leaf->count);
}
