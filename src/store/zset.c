#include "store/zset.h"

#include "base/panic.h"
#include "store/db.h"
#include "store/run.h"
#include "store/zset_packed.h"
#include "store/zset_tree.h"

static struct rg_zset_packed *packed_of(const struct rg_entry *entry)
{
    RG_ASSERT(entry->form == RG_FORM_ZSET_PACKED);
    return rg_entry_value(entry)->pointer;
}

static struct rg_zset_tree *tree_of(const struct rg_entry *entry)
{
    RG_ASSERT(entry->form == RG_FORM_ZSET_TREE);
    return rg_entry_value(entry)->pointer;
}

static bool is_packed(const struct rg_entry *entry)
{
    return entry->form == RG_FORM_ZSET_PACKED;
}

/* ---- Forms ---- */

static void packed_form_free(struct rg_pool *pool, void *value)
{
    rg_zset_packed_free(pool, value);
}

static uint64_t packed_form_memory(const void *value)
{
    return rg_zset_packed_memory(value);
}

static void *packed_form_copy(struct rg_pool *pool, const void *value)
{
    return rg_zset_packed_copy(pool, value);
}

static void tree_form_free(struct rg_pool *pool, void *value)
{
    (void)pool; /* the table knows it */
    rg_zset_tree_free(value);
}

static uint64_t tree_form_memory(const void *value)
{
    return rg_zset_tree_memory(value);
}

static void *tree_form_copy(struct rg_pool *pool, const void *value)
{
    return rg_zset_tree_copy(pool, value);
}

static uint64_t tree_form_elements(const void *value)
{
    const struct rg_zset_tree *zset = value;
    return zset->order.count;
}

static bool tree_form_free_step(struct rg_pool *pool, void *value, uint64_t *budget)
{
    (void)pool;
    return rg_zset_tree_free_step(value, budget);
}

const struct rg_form_ops rg_form_zset_packed = {.type = RG_TYPE_ZSET,
                                                .encoding = "listpack",
                                                .free = packed_form_free,
                                                .memory = packed_form_memory,
                                                .copy = packed_form_copy};
const struct rg_form_ops rg_form_zset_tree = {.type = RG_TYPE_ZSET,
                                              .encoding = "skiplist",
                                              .free = tree_form_free,
                                              .memory = tree_form_memory,
                                              .copy = tree_form_copy,
                                              .elements = tree_form_elements,
                                              .free_step = tree_form_free_step,
                                              .capture = &rg_capture_zset};

/* ---- Whole sets ---- */

/* Takes over the row of pairs. */
static struct rg_entry *packed_put(struct rg_db *db, struct rg_bytes key,
                                   struct rg_zset_packed *packed)
{
    struct rg_entry *entry = rg_entry_new(rg_db_pool(db), key, RG_FORM_ZSET_PACKED, 0, false);
    rg_entry_value(entry)->pointer = packed;
    rg_db_put_entry(db, entry);
    return entry;
}

struct rg_entry *rg_db_put_zset(struct rg_db *db, struct rg_bytes key)
{
    return packed_put(db, key, rg_zset_packed_new(rg_db_pool(db)));
}

uint64_t rg_zset_len(const struct rg_entry *entry)
{
    return is_packed(entry) ? packed_of(entry)->count : tree_of(entry)->order.count;
}

/* For good: a set that shrinks again stays a tree, as in Redis. */
static void zset_unpack(struct rg_db *db, struct rg_entry *entry)
{
    struct rg_zset_packed *packed = packed_of(entry);
    struct rg_zset_tree *zset = rg_zset_tree_new(rg_db_pool(db), db->store->seed);
    for (uint32_t offset = 0; offset < packed->len;) {
        char scratch[RG_I64_CHARS];
        struct rg_zset_pair pair;
        offset = rg_zset_packed_next(packed, offset, scratch, &pair);
        rg_zset_tree_set(zset, pair.member, pair.score);
    }
    entry->form = RG_FORM_ZSET_TREE;
    rg_entry_value(entry)->pointer = zset;
    rg_zset_packed_free(rg_db_pool(db), packed);
}

void rg_zset_expect(struct rg_db *db, struct rg_entry **entry, uint64_t members, size_t longest)
{
    const struct rg_store_limits *limits = &db->store->limits;
    RG_ASSERT(rg_zset_len(*entry) == 0);
    if (is_packed(*entry) && (members > limits->zset_max_listpack_entries ||
                              longest > limits->zset_max_listpack_value)) {
        rg_db_before_change(db, *entry);
        zset_unpack(db, *entry);
    }
}

/* ---- Single members ---- */

/* Whether the set stays packed with this new member in it. */
static bool packed_may_hold(const struct rg_zset_packed *packed,
                            const struct rg_store_limits *limits, struct rg_bytes member)
{
    return packed->count < limits->zset_max_listpack_entries &&
           member.len <= limits->zset_max_listpack_value && member.len <= RG_ZSET_PACKED_MAX &&
           packed->len + rg_zset_pair_size_max(member) <= RG_ZSET_PACKED_MAX;
}

bool rg_zset_set(struct rg_db *db, struct rg_entry **entry, struct rg_bytes member, double score)
{
    struct rg_entry *zset = *entry;
    uint32_t offset = 0;
    RG_ASSERT(score == score);
    rg_db_before_change(db, zset);
    if (is_packed(zset) && rg_zset_packed_find(packed_of(zset), member, &offset, NULL, NULL)) {
        rg_entry_value(zset)->pointer =
            rg_zset_packed_rescore(rg_db_pool(db), packed_of(zset), offset, score, member);
        return false;
    }
    if (is_packed(zset) && packed_may_hold(packed_of(zset), &db->store->limits, member)) {
        rg_entry_value(zset)->pointer =
            rg_zset_packed_insert(rg_db_pool(db), packed_of(zset), score, member);
        return true;
    }
    if (is_packed(zset))
        zset_unpack(db, zset);
    return rg_zset_tree_set(tree_of(zset), member, score);
}

/* Errors: RG_EEXIST, RG_EINVAL. */
static int run_set_each(struct rg_db *db, struct rg_bytes key, struct rg_bytes run,
                        struct rg_entry **ret_entry)
{
    struct rg_entry *entry = rg_db_put_zset(db, key);
    int result = 0;
    for (const char *at = run.data; result == 0 && at < run.data + run.len;) {
        char scratch[RG_I64_CHARS];
        struct rg_bytes member;
        double score = 0;
        const char *behind = rg_element_skip_both(at);
        rg_element_read(at, scratch, &member);
        if (!rg_zset_score_of_element(behind, &score))
            result = RG_EINVAL;
        else if (!rg_zset_set(db, &entry, member, score))
            result = RG_EEXIST;
        at = rg_element_skip_both(behind);
    }
    if (result < 0)
        rg_db_delete(db, key);
    else
        *ret_entry = entry;
    return result;
}

int rg_db_put_zset_run(struct rg_db *db, struct rg_bytes key, struct rg_bytes run, uint64_t pairs,
                       struct rg_entry **ret_entry)
{
    enum { PAIR_MORE = RG_ELEMENT_HEAD_MAX }; /* what a pair may take beyond its own in the run */
    const struct rg_store_limits *limits = &db->store->limits;
    size_t len = 0;
    int result = RG_EINVAL;
    if (pairs <= limits->zset_max_listpack_entries &&
        run.len + pairs * PAIR_MORE <= RG_ZSET_PACKED_MAX)
        result =
            rg_run_judge(run, pairs, limits->zset_max_listpack_value, true, db->store->seed, &len);
    if (result < 0)
        return result == RG_EEXIST ? RG_EEXIST : run_set_each(db, key, run, ret_entry);
    struct rg_zset_packed *packed = rg_zset_packed_of_run(rg_db_pool(db), run, (uint32_t)pairs);
    if (packed == NULL)
        return run_set_each(db, key, run, ret_entry);
    *ret_entry = packed_put(db, key, packed);
    return 0;
}

bool rg_zset_score(const struct rg_entry *entry, struct rg_bytes member, double *ret_score)
{
    if (is_packed(entry))
        return rg_zset_packed_find(packed_of(entry), member, NULL, NULL, ret_score);
    const struct rg_zset_item *item = rg_zset_tree_find(tree_of(entry), member);
    if (item != NULL)
        *ret_score = rg_zset_item_score(item);
    return item != NULL;
}

bool rg_zset_rank(const struct rg_entry *entry, struct rg_bytes member, uint64_t *ret_rank)
{
    if (is_packed(entry))
        return rg_zset_packed_find(packed_of(entry), member, NULL, ret_rank, NULL);
    const struct rg_zset_item *item = rg_zset_tree_find(tree_of(entry), member);
    if (item != NULL)
        *ret_rank = rg_rank_tree_rank(&tree_of(entry)->order, item);
    return item != NULL;
}

bool rg_zset_remove(struct rg_db *db, struct rg_entry **entry, struct rg_bytes member)
{
    struct rg_entry *zset = *entry;
    uint32_t offset = 0;
    rg_db_before_change(db, zset);
    if (!is_packed(zset))
        return rg_zset_tree_remove(tree_of(zset), member);
    if (!rg_zset_packed_find(packed_of(zset), member, &offset, NULL, NULL))
        return false;
    uint32_t end = rg_zset_packed_skip(packed_of(zset), offset);
    rg_entry_value(zset)->pointer =
        rg_zset_packed_erase(rg_db_pool(db), packed_of(zset), offset, end, 1);
    return true;
}

void rg_zset_remove_ranks(struct rg_db *db, struct rg_entry **entry, uint64_t rank, uint64_t count)
{
    struct rg_entry *zset = *entry;
    RG_ASSERT(rank + count <= rg_zset_len(zset));
    rg_db_before_change(db, zset);
    if (!is_packed(zset)) {
        rg_zset_tree_remove_ranks(tree_of(zset), rank, count);
        return;
    }
    struct rg_zset_packed *packed = packed_of(zset);
    rg_entry_value(zset)->pointer =
        rg_zset_packed_erase(rg_db_pool(db), packed, rg_zset_packed_seek(packed, rank),
                             rg_zset_packed_seek(packed, rank + count), count);
}

/* ---- Counting ---- */

uint64_t rg_zset_count_below(const struct rg_entry *entry, double score, bool through)
{
    if (!is_packed(entry))
        return rg_rank_tree_count_below(&tree_of(entry)->order, score, through);
    const struct rg_zset_packed *packed = packed_of(entry);
    uint64_t count = 0;
    for (uint32_t offset = 0; offset < packed->len; count++) {
        double found = rg_zset_packed_score(packed, offset);
        if (through ? found > score : found >= score)
            break;
        offset = rg_zset_packed_skip(packed, offset);
    }
    return count;
}

uint64_t rg_zset_count_before(const struct rg_entry *entry, struct rg_bytes member, bool through)
{
    if (!is_packed(entry))
        return rg_rank_tree_count_before(&tree_of(entry)->order, member, through);
    const struct rg_zset_packed *packed = packed_of(entry);
    uint64_t count = 0;
    for (uint32_t offset = 0; offset < packed->len; count++) {
        char scratch[RG_I64_CHARS];
        struct rg_zset_pair pair;
        offset = rg_zset_packed_next(packed, offset, scratch, &pair);
        int order = rg_bytes_compare(pair.member, member);
        if (through ? order > 0 : order >= 0)
            break;
    }
    return count;
}

/* ---- Many members ---- */

/* position: packed: the offset; tree: leaf and index. */
void rg_zset_iter_init(struct rg_zset_iter *iter, const struct rg_entry *entry, uint64_t rank,
                       bool backward)
{
    iter->entry = entry;
    iter->backward = backward;
    RG_ASSERT(rank < rg_zset_len(entry));
    if (is_packed(entry)) {
        iter->position[0] = rg_zset_packed_seek(packed_of(entry), rank + (backward ? 1 : 0));
        return;
    }
    struct rg_rank_cursor cursor;
    rg_rank_cursor_init(&cursor, &tree_of(entry)->order, rank);
    iter->position[0] = (uintptr_t)cursor.leaf;
    iter->position[1] = cursor.index;
}

static bool packed_iter_next(struct rg_zset_iter *iter, struct rg_zset_pair *ret_pair)
{
    const struct rg_zset_packed *packed = packed_of(iter->entry);
    uint32_t offset = (uint32_t)iter->position[0];
    if (offset == (iter->backward ? 0 : packed->len))
        return false;
    iter->position[0] = iter->backward
                            ? rg_zset_packed_prev(packed, offset, iter->scratch, ret_pair)
                            : rg_zset_packed_next(packed, offset, iter->scratch, ret_pair);
    return true;
}

bool rg_zset_iter_next(struct rg_zset_iter *iter, struct rg_bytes *ret_member, double *ret_score)
{
    if (is_packed(iter->entry)) {
        struct rg_zset_pair pair;
        if (!packed_iter_next(iter, &pair))
            return false;
        *ret_member = pair.member;
        *ret_score = pair.score;
        return true;
    }
    struct rg_rank_cursor cursor = {(const struct rg_rank_leaf *)(uintptr_t)iter->position[0],
                                    (unsigned)iter->position[1]};
    const struct rg_zset_item *item = rg_rank_cursor_next(&cursor, iter->backward);
    if (item == NULL)
        return false;
    iter->position[0] = (uintptr_t)cursor.leaf;
    iter->position[1] = cursor.index;
    *ret_member = rg_zset_item_member(item);
    *ret_score = rg_zset_item_score(item);
    return true;
}

void rg_zset_random(const struct rg_entry *entry, struct rg_rand *rand,
                    char scratch[RG_STRING_SCRATCH], struct rg_bytes *ret_member, double *ret_score)
{
    struct rg_zset_iter iter;
    rg_zset_iter_init(&iter, entry, rg_rand_below(rand, rg_zset_len(entry)), false);
    rg_zset_iter_next(&iter, ret_member, ret_score);
    if (ret_member->data == iter.scratch) {
        memcpy(scratch, iter.scratch, ret_member->len);
        ret_member->data = scratch;
    }
}

struct scan {
    void (*visit)(void *arg, struct rg_bytes member, double score);
    void *arg;
};

static void scan_visit(void *arg, void *item)
{
    const struct scan *scan = arg;
    scan->visit(scan->arg, rg_zset_item_member(item), rg_zset_item_score(item));
}

uint64_t rg_zset_scan(const struct rg_entry *entry, uint64_t cursor, uint64_t count,
                      void (*visit)(void *arg, struct rg_bytes member, double score), void *arg)
{
    if (!is_packed(entry)) {
        struct scan scan = {.visit = visit, .arg = arg};
        return rg_table_scan(&tree_of(entry)->table, cursor, count, scan_visit, &scan);
    }
    const struct rg_zset_packed *packed = packed_of(entry);
    for (uint32_t offset = 0; offset < packed->len;) {
        char scratch[RG_I64_CHARS];
        struct rg_zset_pair pair;
        offset = rg_zset_packed_next(packed, offset, scratch, &pair);
        visit(arg, pair.member, pair.score);
    }
    return 0;
}
