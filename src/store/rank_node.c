#include "store/rank_node.h"

struct rg_rank_child rg_rank_leaf_child(struct rg_rank_leaf *leaf)
{
    RG_ASSERT(leaf->count > 0);
    return (struct rg_rank_child){leaf, leaf->items[0], leaf->count};
}

struct rg_rank_child rg_rank_inner_child(struct rg_rank_inner *inner)
{
    struct rg_rank_child child = {inner, inner->firsts[0], 0};
    RG_ASSERT(inner->count > 0);
    for (unsigned i = 0; i < inner->count; i++)
        child.count += inner->counts[i];
    return child;
}

void rg_rank_leaf_insert(struct rg_rank_leaf *leaf, unsigned at, struct rg_zset_item *item)
{
    RG_ASSERT(leaf->count < RG_RANK_LEAF_ITEMS && at <= leaf->count);
    memmove(leaf->items + at + 1, leaf->items + at, (leaf->count - at) * sizeof(void *));
    leaf->items[at] = item;
    leaf->count++;
}

void rg_rank_leaf_erase(struct rg_rank_leaf *leaf, unsigned at, unsigned count)
{
    RG_ASSERT(at + count <= leaf->count);
    leaf->count -= count;
    memmove(leaf->items + at, leaf->items + at + count, (leaf->count - at) * sizeof(void *));
}

void rg_rank_leaf_move(struct rg_rank_leaf *from, unsigned at, struct rg_rank_leaf *to)
{
    unsigned count = from->count - at;
    RG_ASSERT(at <= from->count && to->count + count <= RG_RANK_LEAF_ITEMS);
    memcpy(to->items + to->count, from->items + at, count * sizeof(void *));
    to->count += count;
    from->count = at;
}

void rg_rank_leaf_level(struct rg_rank_leaf *left, struct rg_rank_leaf *right, unsigned left_count)
{
    unsigned total = left->count + right->count;
    RG_ASSERT(left_count <= RG_RANK_LEAF_ITEMS && total - left_count <= RG_RANK_LEAF_ITEMS);
    if (left_count >= left->count) {
        unsigned moved = left_count - left->count;
        memcpy(left->items + left->count, right->items, moved * sizeof(void *));
        rg_rank_leaf_erase(right, 0, moved);
    } else {
        unsigned moved = left->count - left_count;
        memmove(right->items + moved, right->items, right->count * sizeof(void *));
        memcpy(right->items, left->items + left_count, moved * sizeof(void *));
    }
    left->count = left_count;
    right->count = total - left_count;
}

void rg_rank_inner_set(struct rg_rank_inner *inner, unsigned at, struct rg_rank_child child)
{
    RG_ASSERT(at < inner->count);
    inner->scores[at] = rg_zset_item_score(child.first);
    inner->counts[at] = child.count;
    inner->nodes[at] = child.node;
    inner->firsts[at] = child.first;
}

/* Both may be the same node. */
static void inner_copy(struct rg_rank_inner *to, unsigned to_at, const struct rg_rank_inner *from,
                       unsigned from_at, size_t count)
{
    memmove(to->scores + to_at, from->scores + from_at, count * sizeof(to->scores[0]));
    memmove(to->counts + to_at, from->counts + from_at, count * sizeof(to->counts[0]));
    memmove(to->nodes + to_at, from->nodes + from_at, count * sizeof(to->nodes[0]));
    memmove(to->firsts + to_at, from->firsts + from_at, count * sizeof(void *));
}

void rg_rank_inner_insert(struct rg_rank_inner *inner, unsigned at, struct rg_rank_child child)
{
    RG_ASSERT(inner->count < RG_RANK_INNER_CHILDREN && at <= inner->count);
    inner_copy(inner, at + 1, inner, at, inner->count - at);
    inner->count++;
    rg_rank_inner_set(inner, at, child);
}

void rg_rank_inner_erase(struct rg_rank_inner *inner, unsigned at)
{
    RG_ASSERT(at < inner->count);
    inner->count--;
    inner_copy(inner, at, inner, at + 1, inner->count - at);
}

void rg_rank_inner_move(struct rg_rank_inner *from, unsigned at, struct rg_rank_inner *to)
{
    uint64_t count = from->count - at;
    RG_ASSERT(at <= from->count && to->count + count <= RG_RANK_INNER_CHILDREN);
    inner_copy(to, (unsigned)to->count, from, at, count);
    to->count += count;
    from->count = at;
}
