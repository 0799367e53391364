#include "store/rank_tree.h"

#include "store/rank_path.h"

/*
 * A node that is at most half full joins a neighbour where the two together leave some room: not
 * all, so that an insertion right after does not part them again.
 */
enum {
    LEAF_LOW = RG_RANK_LEAF_ITEMS / 2,
    LEAF_JOINED_MAX = RG_RANK_LEAF_ITEMS - 3,
    INNER_LOW = RG_RANK_INNER_CHILDREN / 2,
    INNER_JOINED_MAX = RG_RANK_INNER_CHILDREN - 3,
};
_Static_assert(RG_RANK_TREE_TAKE_MAX == (int)RG_RANK_LEAF_ITEMS, "a leaf is taken at once at most");

/* ---- Nodes ---- */

static struct rg_rank_leaf *leaf_new(struct rg_pool *pool, struct rg_rank_tree *tree)
{
    struct rg_rank_leaf *leaf = rg_pool_alloc_lines(pool, sizeof(*leaf));
    tree->nodes_cost += rg_pool_cost(sizeof(*leaf));
    leaf->prev = NULL;
    leaf->next = NULL;
    leaf->count = 0;
    leaf->seen = tree->watches; /* what it gets was shown, or is new */
    return leaf;
}

static struct rg_rank_inner *inner_new(struct rg_pool *pool, struct rg_rank_tree *tree)
{
    struct rg_rank_inner *inner = rg_pool_alloc_lines(pool, sizeof(*inner));
    tree->nodes_cost += rg_pool_cost(sizeof(*inner));
    inner->count = 0;
    return inner;
}

static void inner_free(struct rg_pool *pool, struct rg_rank_tree *tree, struct rg_rank_inner *inner)
{
    tree->nodes_cost -= rg_pool_cost(sizeof(*inner));
    rg_pool_free(pool, inner, sizeof(*inner));
}

/* Takes it out of the row of leaves, too. */
static void leaf_free(struct rg_pool *pool, struct rg_rank_tree *tree, struct rg_rank_leaf *leaf)
{
    if (tree->watch != NULL && tree->watch->next == leaf)
        tree->watch->next = leaf->prev;
    if (leaf->prev != NULL)
        leaf->prev->next = leaf->next;
    else
        tree->first = leaf->next;
    if (leaf->next != NULL)
        leaf->next->prev = leaf->prev;
    else
        tree->last = leaf->prev;
    tree->nodes_cost -= rg_pool_cost(sizeof(*leaf));
    rg_pool_free(pool, leaf, sizeof(*leaf));
}

static struct rg_rank_leaf *leaf_new_behind(struct rg_pool *pool, struct rg_rank_tree *tree,
                                            struct rg_rank_leaf *left)
{
    struct rg_rank_leaf *leaf = leaf_new(pool, tree);
    leaf->prev = left;
    leaf->next = left->next;
    if (left->next != NULL)
        left->next->prev = leaf;
    else
        tree->last = leaf;
    left->next = leaf;
    return leaf;
}

/* ---- Watching ---- */

/* Returns how many items were shown, in the tree's order from behind. */
static unsigned watch_show(struct rg_rank_tree *tree, struct rg_rank_leaf *leaf)
{
    const struct rg_rank_watch *watch = tree->watch;
    if (leaf->seen == tree->watches)
        return 0;
    leaf->seen = tree->watches;
    for (unsigned i = leaf->count; i-- > 0;)
        watch->show(watch->arg, leaf->items[i]);
    return leaf->count;
}

/* The leaf, or an item of it, is about to change. */
static void leaf_touch(struct rg_rank_tree *tree, struct rg_rank_leaf *leaf)
{
    if (__builtin_expect(tree->watch != NULL, 0))
        watch_show(tree, leaf);
}

void rg_rank_watch_begin(struct rg_rank_tree *tree, struct rg_rank_watch *watch,
                         void (*show)(void *arg, const struct rg_zset_item *item), void *arg)
{
    RG_ASSERT(tree->watch == NULL);
    *watch = (struct rg_rank_watch){.show = show, .arg = arg, .next = tree->last};
    tree->watch = watch;
    tree->watches++;
}

bool rg_rank_watch_step(struct rg_rank_tree *tree, uint64_t *budget)
{
    struct rg_rank_watch *watch = tree->watch;
    while (watch->next != NULL) {
        if (*budget == 0)
            return false;
        struct rg_rank_leaf *leaf = watch->next;
        watch->next = leaf->prev;
        if (leaf->prev != NULL) {
            /* Its items are far apart in memory; by the time that it is next they are here. */
            for (unsigned i = 0; i < leaf->prev->count; i++)
                __builtin_prefetch(leaf->prev->items[i]);
        }
        uint64_t cost = watch_show(tree, leaf) + 1;
        *budget -= cost < *budget ? cost : *budget;
    }
    return true;
}

void rg_rank_watch_end(struct rg_rank_tree *tree)
{
    tree->watch = NULL;
}

/* ---- Insertion ---- */

/* The counts on the way change, and what the leaf begins with may have. */
static void path_update(const struct rg_rank_path *path, int64_t added)
{
    struct rg_zset_item *first = path->leaf->items[0];
    bool is_first = true;
    for (unsigned level = path->height; level-- > 0;) {
        struct rg_rank_inner *inner = path->inner[level];
        unsigned slot = path->slots[level];
        inner->counts[slot] += (uint64_t)added;
        if (is_first) {
            inner->firsts[slot] = first;
            inner->scores[slot] = rg_zset_item_score(first);
            is_first = slot == 0;
        }
    }
}

/* Everything that the nodes above the one at `level` hold of what is on the way is taken anew. */
static void path_refresh(const struct rg_rank_path *path, unsigned level)
{
    for (; level > 0; level--)
        rg_rank_inner_set(path->inner[level - 1], path->slots[level - 1],
                          rg_rank_inner_child(path->inner[level]));
}

/*
 * How much stays to the left when a full node is split. Where the tree grows at one of its ends the
 * full half is left behind, so that insertions in order fill nearly every node.
 */
static unsigned split_point(unsigned count, bool at_end, bool at_begin)
{
    if (at_end)
        return count - 1;
    return at_begin ? 1 : count / 2;
}

static bool path_is_at(const struct rg_rank_path *path, unsigned level, bool end)
{
    for (unsigned i = 0; i <= level; i++) {
        if (path->slots[i] != (end ? path->inner[i]->count - 1 : 0))
            return false;
    }
    return true;
}

/* Splits the full inner node at this level; the one above has room. */
static void inner_split(struct rg_pool *pool, struct rg_rank_tree *tree, struct rg_rank_path *path,
                        unsigned level)
{
    struct rg_rank_inner *left = path->inner[level];
    struct rg_rank_inner *right = inner_new(pool, tree);
    struct rg_rank_inner *above = path->inner[level - 1];
    unsigned keep = split_point((unsigned)left->count, path_is_at(path, level, true),
                                path_is_at(path, level, false));
    rg_rank_inner_move(left, keep, right);
    rg_rank_inner_set(above, path->slots[level - 1], rg_rank_inner_child(left));
    rg_rank_inner_insert(above, path->slots[level - 1] + 1, rg_rank_inner_child(right));
    if (path->slots[level] >= keep) {
        path->inner[level] = right;
        path->slots[level] -= keep;
        path->slots[level - 1]++;
    }
}

static void path_add_root(struct rg_pool *pool, struct rg_rank_tree *tree,
                          struct rg_rank_path *path)
{
    struct rg_rank_inner *root = inner_new(pool, tree);
    RG_ASSERT(path->height < RG_RANK_MAX_HEIGHT);
    rg_rank_inner_insert(root, 0,
                         path->height > 0 ? rg_rank_inner_child(path->inner[0])
                                          : rg_rank_leaf_child(path->leaf));
    memmove(path->inner + 1, path->inner, path->height * sizeof(void *));
    memmove(path->slots + 1, path->slots, path->height * sizeof(path->slots[0]));
    path->inner[0] = root;
    path->slots[0] = 0;
    path->height++;
    tree->root = root;
    tree->height++;
}

/* Splits full nodes so that the one above the leaf has room for another. */
static void path_make_room(struct rg_pool *pool, struct rg_rank_tree *tree,
                           struct rg_rank_path *path)
{
    unsigned level = path->height;
    while (level > 0 && path->inner[level - 1]->count == RG_RANK_INNER_CHILDREN)
        level--;
    if (level == 0) {
        path_add_root(pool, tree, path);
        level = 1;
    }
    for (; level < path->height; level++)
        inner_split(pool, tree, path, level);
}

/* Splits the full leaf of the path and inserts the item in the right half of it. */
static void leaf_split_insert(struct rg_pool *pool, struct rg_rank_tree *tree,
                              struct rg_rank_path *path, struct rg_zset_item *item)
{
    struct rg_rank_leaf *left = path->leaf;
    leaf_touch(tree, left);
    unsigned keep = left->count / 2;
    if (left->next == NULL && path->index == left->count)
        keep = left->count;
    else if (left->prev == NULL && path->index == 0)
        keep = 0;
    path_make_room(pool, tree, path);
    struct rg_rank_leaf *right = leaf_new_behind(pool, tree, left);
    rg_rank_leaf_move(left, keep, right);
    if (path->index > keep || (path->index == keep && right->count == 0))
        rg_rank_leaf_insert(right, path->index - keep, item);
    else
        rg_rank_leaf_insert(left, path->index, item);
    struct rg_rank_inner *above = path->inner[path->height - 1];
    unsigned slot = path->slots[path->height - 1];
    rg_rank_inner_set(above, slot, rg_rank_leaf_child(left));
    rg_rank_inner_insert(above, slot + 1, rg_rank_leaf_child(right));
    path_refresh(path, path->height - 1);
}

/*
 * Makes room in the full leaf of the path by what a neighbour can take, so that leaves are split
 * only where those around them are nearly full as well. False where they are.
 */
static bool leaf_share(struct rg_rank_tree *tree, struct rg_rank_path *path)
{
    enum { WORTH_IT = 2 * RG_RANK_LEAF_ITEMS - 4 };
    if (path->height == 0)
        return false;
    struct rg_rank_inner *above = path->inner[path->height - 1];
    unsigned slot = path->slots[path->height - 1];
    unsigned at = slot;
    if (slot + 1 == above->count || above->counts[slot] + above->counts[slot + 1] > WORTH_IT) {
        if (slot == 0 || above->counts[slot - 1] + above->counts[slot] > WORTH_IT)
            return false;
        at = slot - 1;
    }
    struct rg_rank_leaf *left = above->nodes[at];
    struct rg_rank_leaf *right = above->nodes[at + 1];
    leaf_touch(tree, left);
    leaf_touch(tree, right);
    unsigned index = path->index + (at == slot ? 0 : left->count);
    rg_rank_leaf_level(left, right, (left->count + right->count) / 2);
    rg_rank_inner_set(above, at, rg_rank_leaf_child(left));
    rg_rank_inner_set(above, at + 1, rg_rank_leaf_child(right));
    bool is_right = index > left->count;
    path->leaf = is_right ? right : left;
    path->index = is_right ? index - left->count : index;
    path->slots[path->height - 1] = at + is_right;
    return true;
}

void rg_rank_tree_insert(struct rg_pool *pool, struct rg_rank_tree *tree, struct rg_zset_item *item)
{
    struct rg_rank_path path;
    if (tree->root == NULL) {
        tree->first = tree->last = leaf_new(pool, tree);
        tree->root = tree->first;
    }
    struct rg_rank_key key = {.score = rg_zset_item_score(item),
                              .member = rg_zset_item_member(item),
                              .by_score = true,
                              .by_member = true};
    rg_rank_path_find(&path, tree, &key);
    tree->count++;
    bool at_end = path.leaf->next == NULL && path.index == path.leaf->count;
    bool at_begin = path.leaf->prev == NULL && path.index == 0;
    if (path.leaf->count == RG_RANK_LEAF_ITEMS &&
        (at_end || at_begin || !leaf_share(tree, &path))) {
        leaf_split_insert(pool, tree, &path, item);
        return;
    }
    leaf_touch(tree, path.leaf);
    rg_rank_leaf_insert(path.leaf, path.index, item);
    path_update(&path, 1);
}

/* ---- Removal ---- */

static void leaf_join(struct rg_pool *pool, struct rg_rank_tree *tree, struct rg_rank_inner *above,
                      unsigned slot)
{
    if (above->count == 1)
        return;
    unsigned at = slot + 1 < above->count ? slot : slot - 1;
    if (above->counts[at] + above->counts[at + 1] > LEAF_JOINED_MAX)
        return;
    struct rg_rank_leaf *left = above->nodes[at];
    struct rg_rank_leaf *right = above->nodes[at + 1];
    leaf_touch(tree, left);
    leaf_touch(tree, right);
    rg_rank_leaf_move(right, 0, left);
    leaf_free(pool, tree, right);
    rg_rank_inner_set(above, at, rg_rank_leaf_child(left));
    rg_rank_inner_erase(above, at + 1);
}

static void inner_join(struct rg_pool *pool, struct rg_rank_tree *tree, struct rg_rank_inner *above,
                       unsigned slot)
{
    if (above->count == 1)
        return;
    unsigned at = slot + 1 < above->count ? slot : slot - 1;
    struct rg_rank_inner *left = above->nodes[at];
    struct rg_rank_inner *right = above->nodes[at + 1];
    if (left->count + right->count > INNER_JOINED_MAX)
        return;
    rg_rank_inner_move(right, 0, left);
    inner_free(pool, tree, right);
    rg_rank_inner_set(above, at, rg_rank_inner_child(left));
    rg_rank_inner_erase(above, at + 1);
}

/* A root that has no choice goes; an empty one leaves an empty tree. */
static void tree_lower(struct rg_pool *pool, struct rg_rank_tree *tree)
{
    while (tree->height > 0) {
        struct rg_rank_inner *root = tree->root;
        if (root->count > 1)
            return;
        tree->root = root->count == 1 ? root->nodes[0] : NULL;
        tree->height = root->count == 1 ? tree->height - 1 : 0;
        inner_free(pool, tree, root);
    }
}

/* The leaf of the path has become empty, or low: what is above it is put in order again. */
static void path_shrink(struct rg_pool *pool, struct rg_rank_tree *tree,
                        const struct rg_rank_path *path)
{
    unsigned level = path->height - 1;
    struct rg_rank_inner *inner = path->inner[level];
    unsigned slot = path->slots[level];
    if (path->leaf->count == 0) {
        leaf_free(pool, tree, path->leaf);
        rg_rank_inner_erase(inner, slot);
    } else {
        rg_rank_inner_set(inner, slot, rg_rank_leaf_child(path->leaf));
        leaf_join(pool, tree, inner, slot);
    }
    for (; level > 0; level--) {
        struct rg_rank_inner *above = path->inner[level - 1];
        inner = path->inner[level];
        slot = path->slots[level - 1];
        if (inner->count == 0) {
            inner_free(pool, tree, inner);
            rg_rank_inner_erase(above, slot);
            continue;
        }
        rg_rank_inner_set(above, slot, rg_rank_inner_child(inner));
        if (inner->count <= INNER_LOW)
            inner_join(pool, tree, above, slot);
    }
    tree_lower(pool, tree);
}

/* Removes items of the path's leaf, from its index on. */
static void path_remove(struct rg_pool *pool, struct rg_rank_tree *tree,
                        const struct rg_rank_path *path, unsigned count)
{
    leaf_touch(tree, path->leaf);
    rg_rank_leaf_erase(path->leaf, path->index, count);
    tree->count -= count;
    if (path->height == 0) {
        if (path->leaf->count == 0) {
            leaf_free(pool, tree, path->leaf);
            tree->root = NULL;
        }
    } else if (path->leaf->count <= LEAF_LOW) {
        path_shrink(pool, tree, path);
    } else {
        path_update(path, -(int64_t)count);
    }
}

void rg_rank_tree_remove(struct rg_pool *pool, struct rg_rank_tree *tree,
                         const struct rg_zset_item *item)
{
    struct rg_rank_path path;
    rg_rank_path_find_item(&path, tree, item);
    path.index--;
    path_remove(pool, tree, &path, 1);
}

unsigned rg_rank_tree_take(struct rg_pool *pool, struct rg_rank_tree *tree, uint64_t rank,
                           uint64_t max, struct rg_zset_item *ret_items[RG_RANK_TREE_TAKE_MAX])
{
    struct rg_rank_path path;
    RG_ASSERT(max > 0);
    rg_rank_path_find_rank(&path, tree, rank);
    unsigned count = path.leaf->count - path.index;
    count = count < max ? count : (unsigned)max;
    memcpy(ret_items, path.leaf->items + path.index, count * sizeof(void *));
    path_remove(pool, tree, &path, count);
    return count;
}

/* ---- Another score ---- */

/* Whether the item keeps its place in its leaf; at its ends that would need a look elsewhere. */
static bool leaf_keeps_place(const struct rg_rank_leaf *leaf, unsigned index, double score)
{
    struct rg_bytes member = rg_zset_item_member(leaf->items[index]);
    for (unsigned side = 0; side < 2; side++) {
        if (side == 0 ? index == 0 : index + 1 == leaf->count) {
            if ((side == 0 ? leaf->prev : leaf->next) != NULL)
                return false;
            continue;
        }
        const struct rg_zset_item *next = leaf->items[side == 0 ? index - 1 : index + 1];
        int order =
            rg_zset_compare(rg_zset_item_score(next), rg_zset_item_member(next), score, member);
        if (side == 0 ? order > 0 : order < 0)
            return false;
    }
    return true;
}

void rg_rank_tree_rescore(struct rg_pool *pool, struct rg_rank_tree *tree,
                          struct rg_zset_item *item, double score)
{
    struct rg_rank_path path;
    rg_rank_path_find_item(&path, tree, item);
    path.index--;
    if (leaf_keeps_place(path.leaf, path.index, score)) {
        leaf_touch(tree, path.leaf);
        rg_zset_item_set_score(item, score);
        path_update(&path, 0);
        return;
    }
    path_remove(pool, tree, &path, 1);
    rg_zset_item_set_score(item, score);
    rg_rank_tree_insert(pool, tree, item);
}

/* ---- Reading ---- */

uint64_t rg_rank_tree_rank(const struct rg_rank_tree *tree, const struct rg_zset_item *item)
{
    struct rg_rank_path path;
    rg_rank_path_find_item(&path, tree, item);
    return path.rank - 1;
}

uint64_t rg_rank_tree_count_below(const struct rg_rank_tree *tree, double score, bool through)
{
    struct rg_rank_path path = {0};
    struct rg_rank_key key = {.score = score, .by_score = true, .through = through};
    if (tree->root != NULL)
        rg_rank_path_find(&path, tree, &key);
    return path.rank;
}

uint64_t rg_rank_tree_count_before(const struct rg_rank_tree *tree, struct rg_bytes member,
                                   bool through)
{
    struct rg_rank_path path = {0};
    struct rg_rank_key key = {.member = member, .by_member = true, .through = through};
    if (tree->root != NULL)
        rg_rank_path_find(&path, tree, &key);
    return path.rank;
}

void rg_rank_cursor_init(struct rg_rank_cursor *cursor, const struct rg_rank_tree *tree,
                         uint64_t rank)
{
    struct rg_rank_path path;
    rg_rank_path_find_rank(&path, tree, rank);
    cursor->leaf = path.leaf;
    cursor->index = path.index;
}

static void cursor_enter(struct rg_rank_cursor *cursor, const struct rg_rank_leaf *leaf,
                         bool backward)
{
    cursor->leaf = leaf;
    if (leaf == NULL)
        return;
    cursor->index = backward ? leaf->count - 1 : 0;
    for (unsigned i = 0; i < leaf->count; i++)
        __builtin_prefetch(leaf->items[i]);
}

const struct rg_zset_item *rg_rank_cursor_next(struct rg_rank_cursor *cursor, bool backward)
{
    const struct rg_rank_leaf *leaf = cursor->leaf;
    if (leaf == NULL)
        return NULL;
    const struct rg_zset_item *item = leaf->items[cursor->index];
    if (backward && cursor->index == 0)
        cursor_enter(cursor, leaf->prev, true);
    else if (!backward && cursor->index + 1 == leaf->count)
        cursor_enter(cursor, leaf->next, false);
    else
        cursor->index += backward ? -1U : 1U;
    return item;
}

/* ---- The end ---- */

void rg_rank_tree_fini(struct rg_pool *pool, struct rg_rank_tree *tree)
{
    struct rg_zset_item *items[RG_RANK_TREE_TAKE_MAX];
    while (tree->count > 0)
        rg_rank_tree_take(pool, tree, 0, UINT64_MAX, items);
    RG_ASSERT(tree->watch == NULL);
    *tree = (struct rg_rank_tree){0};
}
