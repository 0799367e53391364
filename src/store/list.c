#include "store/list.h"

#include "base/panic.h"
#include "store/db.h"
#include "store/list_dir.h"

/*
 * Lists as values: a short one is a single chunk, a long one a directory of chunks. All changes are
 * made to directories; that of a short list lives on the stack meanwhile.
 */

static struct rg_list_chunk *chunk_of(const struct rg_entry *entry)
{
    RG_ASSERT(entry->form == RG_FORM_LIST_CHUNK);
    return rg_entry_value(entry)->pointer;
}

static struct rg_list_dir *dir_of(const struct rg_entry *entry)
{
    RG_ASSERT(entry->form == RG_FORM_LIST_DIR);
    return rg_entry_value(entry)->pointer;
}

/* ---- Forms ---- */

static void chunk_form_free(struct rg_pool *pool, void *value)
{
    rg_list_chunk_free(pool, value);
}

static uint64_t chunk_form_memory(const void *value)
{
    return rg_list_chunk_memory(value);
}

static void *chunk_form_copy(struct rg_pool *pool, const void *value)
{
    return rg_list_chunk_copy(pool, value);
}

static bool dir_form_free_step(struct rg_pool *pool, void *value, uint64_t *budget)
{
    if (!rg_list_dir_free_step(pool, value, budget))
        return false;
    rg_pool_free(pool, value, sizeof(struct rg_list_dir));
    return true;
}

static void dir_form_free(struct rg_pool *pool, void *value)
{
    uint64_t budget = UINT64_MAX;
    dir_form_free_step(pool, value, &budget);
}

static uint64_t dir_form_memory(const void *value)
{
    return rg_list_dir_memory(value);
}

static void *dir_form_copy(struct rg_pool *pool, const void *value)
{
    return rg_list_dir_copy(pool, value);
}

static uint64_t dir_form_elements(const void *value)
{
    /* A chunk goes as one, so they are what is counted, and their bytes. */
    const struct rg_list_dir *dir = value;
    return dir->count + rg_form_free_cost(dir->memory);
}

const struct rg_form_ops rg_form_list_chunk = {.type = RG_TYPE_LIST,
                                               .encoding = "quicklist",
                                               .free = chunk_form_free,
                                               .memory = chunk_form_memory,
                                               .copy = chunk_form_copy};
const struct rg_form_ops rg_form_list_dir = {.type = RG_TYPE_LIST,
                                             .encoding = "quicklist",
                                             .free = dir_form_free,
                                             .memory = dir_form_memory,
                                             .copy = dir_form_copy,
                                             .elements = dir_form_elements,
                                             .free_step = dir_form_free_step,
                                             .capture = &rg_capture_list};

/* ---- A change ---- */

struct change {
    struct rg_pool *pool;
    struct rg_entry *entry;
    struct rg_list_limit limit;
    struct rg_list_dir *dir;  /* of the entry, or own */
    struct rg_list_dir own;   /* of a short list */
    struct rg_list_item item; /* own's, as long as one is enough */
};

static void change_begin(struct change *change, struct rg_db *db, struct rg_entry *entry)
{
    rg_db_before_change(db, entry);
    change->pool = rg_db_pool(db);
    change->entry = entry;
    change->limit = rg_list_limit(db->store->limits.list_max_listpack_size);
    if (entry->form == RG_FORM_LIST_DIR) {
        change->dir = dir_of(entry);
        return;
    }
    struct rg_list_chunk *chunk = chunk_of(entry);
    change->item = (struct rg_list_item){.chunk = chunk, .count = chunk->count};
    change->own = (struct rg_list_dir){
        .len = chunk->count,
        .memory = rg_list_chunk_memory(chunk),
        .items = &change->item,
        .count = 1,
        .cap = 1,
    };
    change->dir = &change->own;
}

/* A directory of one chunk or none becomes a short list. */
static void change_shorten(struct change *change)
{
    struct rg_list_dir *dir = change->dir;
    rg_list_dir_unwatch(dir);
    struct rg_list_chunk *chunk =
        dir->count > 0 ? rg_list_dir_item(dir, 0)->chunk : rg_list_chunk_new(change->pool, 0);
    dir->count = 0;
    rg_list_dir_fini(change->pool, dir);
    if (dir != &change->own)
        rg_pool_free(change->pool, dir, sizeof(*dir));
    change->entry->form = RG_FORM_LIST_CHUNK;
    rg_entry_value(change->entry)->pointer = chunk;
}

static void change_end(struct change *change)
{
    if (change->dir->count <= 1) {
        change_shorten(change);
    } else if (change->dir == &change->own) {
        struct rg_list_dir *dir = rg_pool_alloc(change->pool, sizeof(*dir));
        *dir = change->own;
        change->entry->form = RG_FORM_LIST_DIR;
        rg_entry_value(change->entry)->pointer = dir;
    }
}

/* ---- Elements ---- */

struct rg_entry *rg_db_put_list(struct rg_db *db, struct rg_bytes key)
{
    enum { FIRST_BYTES = 24 }; /* of most lists the first few elements */
    struct rg_entry *entry = rg_entry_new(rg_db_pool(db), key, RG_FORM_LIST_CHUNK, 0, false);
    rg_entry_value(entry)->pointer = rg_list_chunk_new(rg_db_pool(db), FIRST_BYTES);
    rg_db_put_entry(db, entry);
    return entry;
}

uint64_t rg_list_len(const struct rg_entry *entry)
{
    return entry->form == RG_FORM_LIST_CHUNK ? chunk_of(entry)->count : dir_of(entry)->len;
}

/* A push to a short list that stays one. */
static bool chunk_push(struct rg_db *db, struct rg_entry *entry, enum rg_list_end end,
                       const struct rg_element *element)
{
    if (entry->form != RG_FORM_LIST_CHUNK)
        return false;
    struct rg_list_chunk *chunk = chunk_of(entry);
    struct rg_list_limit limit = rg_list_limit(db->store->limits.list_max_listpack_size);
    uint32_t offset = end == RG_LIST_HEAD ? chunk->head : chunk->tail;
    if (chunk->count > 0 &&
        !rg_list_chunk_takes(chunk, &limit, offset, rg_list_element_size(element)))
        return false;
    rg_db_before_change(db, entry);
    rg_entry_value(entry)->pointer =
        rg_list_chunk_insert(rg_db_pool(db), chunk, &limit, offset, element);
    return true;
}

void rg_list_push(struct rg_db *db, struct rg_entry **entry, enum rg_list_end end,
                  struct rg_bytes element)
{
    struct change change;
    struct rg_element coded;
    rg_element_of_text(&coded, element);
    if (chunk_push(db, *entry, end, &coded))
        return;
    change_begin(&change, db, *entry);
    rg_list_dir_push(change.pool, change.dir, &change.limit, end, &coded);
    change_end(&change);
}

void rg_list_append_run(struct rg_db *db, struct rg_entry **entry, struct rg_bytes run,
                        uint32_t count)
{
    struct change change;
    if (count == 0)
        return;
    change_begin(&change, db, *entry);
    rg_list_dir_append_run(change.pool, change.dir, &change.limit, run, count);
    change_end(&change);
}

/* The place of a signed position; false where there is none. */
static bool list_index(const struct rg_entry *entry, int64_t index, uint64_t *ret_index)
{
    uint64_t len = rg_list_len(entry);
    uint64_t place = index < 0 ? len - (0 - (uint64_t)index) : (uint64_t)index;
    if (index < 0 && 0 - (uint64_t)index > len)
        return false;
    *ret_index = place;
    return place < len;
}

/* The chunk that holds a position below the length. */
static const struct rg_list_chunk *list_find(const struct rg_entry *entry, uint64_t index,
                                             uint32_t *ret_at, uint32_t *ret_within)
{
    if (entry->form == RG_FORM_LIST_CHUNK) {
        *ret_at = 0;
        *ret_within = (uint32_t)index;
        return chunk_of(entry);
    }
    *ret_at = rg_list_dir_find(dir_of(entry), index, ret_within);
    return rg_list_dir_item(dir_of(entry), *ret_at)->chunk;
}

bool rg_list_get(const struct rg_entry *entry, int64_t index, char scratch[RG_STRING_SCRATCH],
                 struct rg_bytes *ret_element)
{
    uint64_t place = 0;
    uint32_t at = 0;
    uint32_t within = 0;
    if (!list_index(entry, index, &place))
        return false;
    const struct rg_list_chunk *chunk = list_find(entry, place, &at, &within);
    rg_list_chunk_next(chunk, rg_list_chunk_seek(chunk, within), scratch, ret_element);
    return true;
}

bool rg_list_set(struct rg_db *db, struct rg_entry **entry, int64_t index, struct rg_bytes element)
{
    struct change change;
    struct rg_element coded;
    uint64_t place = 0;
    if (!list_index(*entry, index, &place))
        return false;
    rg_element_of_text(&coded, element);
    change_begin(&change, db, *entry);
    rg_list_dir_set(change.pool, change.dir, &change.limit, place, &coded);
    change_end(&change);
    return true;
}

void rg_list_insert(struct rg_db *db, struct rg_entry **entry, uint64_t index,
                    struct rg_bytes element)
{
    struct change change;
    struct rg_element coded;
    RG_ASSERT(index <= rg_list_len(*entry));
    rg_element_of_text(&coded, element);
    change_begin(&change, db, *entry);
    rg_list_dir_insert(change.pool, change.dir, &change.limit, index, &coded);
    change_end(&change);
}

void rg_list_delete(struct rg_db *db, struct rg_entry **entry, uint64_t index, uint64_t count)
{
    struct change change;
    change_begin(&change, db, *entry);
    rg_list_dir_delete(change.pool, change.dir, &change.limit, index, count);
    change_end(&change);
}

uint64_t rg_list_delete_equal(struct rg_db *db, struct rg_entry **entry, struct rg_bytes element,
                              enum rg_list_end from, uint64_t max)
{
    struct change change;
    struct rg_element coded;
    rg_element_of_text(&coded, element);
    change_begin(&change, db, *entry);
    uint64_t removed =
        rg_list_dir_remove(change.pool, change.dir, &change.limit, &coded, from, max);
    change_end(&change);
    return removed;
}

uint64_t rg_list_chunks(const struct rg_entry *entry)
{
    return entry->form == RG_FORM_LIST_CHUNK ? 1 : dir_of(entry)->count;
}

void rg_list_check(const struct rg_entry *entry)
{
    if (entry->form == RG_FORM_LIST_CHUNK)
        rg_list_chunk_check(chunk_of(entry));
    else
        rg_list_dir_check(dir_of(entry));
}

/* ---- Walking ---- */

enum { ITER_CHUNK, ITER_OFFSET };

static const struct rg_list_chunk *iter_chunk(const struct rg_list_iter *iter)
{
    if (iter->entry->form == RG_FORM_LIST_CHUNK)
        return chunk_of(iter->entry);
    return rg_list_dir_item(dir_of(iter->entry), (uint32_t)iter->position[ITER_CHUNK])->chunk;
}

void rg_list_iter_init(struct rg_list_iter *iter, const struct rg_entry *entry, uint64_t index,
                       bool backward)
{
    uint32_t at = 0;
    uint32_t within = 0;
    const struct rg_list_chunk *chunk = list_find(entry, index, &at, &within);
    uint32_t offset = rg_list_chunk_seek(chunk, backward ? within + 1 : within);
    iter->entry = entry;
    iter->backward = backward;
    iter->position[ITER_CHUNK] = at;
    iter->position[ITER_OFFSET] = offset;
}

/* On to the next chunk; NULL at the end of the list. */
static const struct rg_list_chunk *iter_turn(struct rg_list_iter *iter)
{
    const struct rg_entry *entry = iter->entry;
    uint64_t last = iter->backward ? 0 : rg_list_chunks(entry) - 1;
    if (iter->position[ITER_CHUNK] == last)
        return NULL;
    iter->position[ITER_CHUNK] += iter->backward ? UINT64_MAX : 1;
    const struct rg_list_chunk *chunk = iter_chunk(iter);
    iter->position[ITER_OFFSET] = iter->backward ? chunk->tail : chunk->head;
    return chunk;
}

bool rg_list_iter_next(struct rg_list_iter *iter, struct rg_bytes *ret_element)
{
    const struct rg_list_chunk *chunk = iter_chunk(iter);
    if (iter->position[ITER_OFFSET] == (iter->backward ? chunk->head : chunk->tail)) {
        chunk = iter_turn(iter);
        if (chunk == NULL)
            return false;
    }
    uint32_t offset = (uint32_t)iter->position[ITER_OFFSET];
    iter->position[ITER_OFFSET] =
        iter->backward ? rg_list_chunk_prev(chunk, offset, iter->scratch, ret_element)
                       : rg_list_chunk_next(chunk, offset, iter->scratch, ret_element);
    return true;
}
