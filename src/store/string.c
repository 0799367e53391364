#include "base/alloc.h"
#include "base/number.h"
#include "base/pages.h"
#include "base/panic.h"
#include "store/db.h"
#include "store/doomed.h"

_Static_assert((int)RG_STRING_SCRATCH >= (int)RG_I64_CHARS, "an integer fits the scratch");

static enum rg_form bytes_form(size_t len)
{
    return len <= RG_INLINE_MAX ? RG_FORM_INLINE : RG_FORM_BLOCK;
}

static bool is_integer(struct rg_bytes value, int64_t *ret_number)
{
    return value.len > 0 && value.len < RG_I64_CHARS && rg_parse_i64(value, ret_number) == 0;
}

/* ---- Blocks ---- */

struct rg_block *rg_block_try_new(struct rg_pool *pool, struct rg_bytes bytes, size_t cap)
{
    RG_ASSERT(cap >= bytes.len);
    if (cap > RG_BLOCK_MAX)
        return NULL;
    size_t room = rg_pool_room(sizeof(struct rg_block) + cap);
    struct rg_block *block = rg_pool_try_alloc(pool, room);
    if (block == NULL)
        return NULL;
    block->len = bytes.len;
    block->cap = room - sizeof(*block);
    if (bytes.len > 0)
        memcpy(block->data, bytes.data, bytes.len);
    return block;
}

struct rg_block *rg_block_new(struct rg_pool *pool, struct rg_bytes bytes, size_t cap)
{
    struct rg_block *block = rg_block_try_new(pool, bytes, cap);
    if (block == NULL)
        rg_panic(__FILE__, __LINE__, "out of memory");
    return block;
}

void rg_block_free(struct rg_pool *pool, struct rg_block *block)
{
    if (block != NULL)
        rg_pool_free(pool, block, sizeof(*block) + block->cap);
}

/* ---- Drafts ---- */

/* What a block is before it belongs to a pool. */
struct rg_string_draft {
    struct rg_block block;
};

struct rg_string_draft *rg_string_draft_new(size_t cap)
{
    RG_ASSERT(cap > RG_STRING_DRAFT_MIN && cap <= RG_BLOCK_MAX);
    size_t room = rg_pool_room(sizeof(struct rg_block) + cap);
    struct rg_string_draft *draft = rg_try_alloc(rg_pool_cost(room));
    if (draft != NULL)
        draft->block = (struct rg_block){.cap = room - sizeof(struct rg_block)};
    return draft;
}

void rg_string_draft_free(struct rg_string_draft *draft)
{
    rg_free(draft);
}

char *rg_string_draft_room(struct rg_string_draft *draft)
{
    return draft->block.data;
}

void rg_store_offer_draft(struct rg_store *store, struct rg_string_draft **draft)
{
    store->offered = draft;
}

/* The block of a value that was offered; NULL: this is none, or not worth its memory. */
static struct rg_block *draft_take(struct rg_db *db, struct rg_bytes value)
{
    struct rg_string_draft **offered = db->store->offered;
    if (offered == NULL || *offered == NULL || value.data != (*offered)->block.data)
        return NULL;
    struct rg_block *block = &(*offered)->block;
    if (value.len > block->cap || value.len <= RG_STRING_DRAFT_MIN)
        return NULL;
    block->len = value.len;
    rg_pool_adopt(rg_db_pool(db), sizeof(*block) + block->cap);
    *offered = NULL;
    return block;
}

static struct rg_block *block_of(const struct rg_entry *entry)
{
    RG_ASSERT(entry->form == RG_FORM_BLOCK);
    return rg_entry_value(entry)->pointer;
}

/* ---- Forms ---- */

static const char *inline_encoding(const struct rg_entry *entry)
{
    enum { EMBSTR_MAX = 44 };
    return entry->raw || rg_entry_inline(entry).len > EMBSTR_MAX ? "raw" : "embstr";
}

static void block_form_free(struct rg_pool *pool, void *value)
{
    rg_block_free(pool, value);
}

static uint64_t block_form_memory(const void *value)
{
    const struct rg_block *block = value;
    return rg_pool_cost(sizeof(*block) + block->cap);
}

static void *block_form_copy(struct rg_pool *pool, const void *value)
{
    const struct rg_block *block = value;
    return rg_block_new(pool, rg_bytes(block->data, block->len), block->len);
}

static uint64_t block_form_elements(const void *value)
{
    enum { LARGE_BYTES = 4 << 20 }; /* less is given back at once, for the next one to use */
    const struct rg_block *block = value;
    return block->cap < LARGE_BYTES ? 0 : rg_form_free_cost(block->cap);
}

/*
 * A large block's pages go back to the system bit by bit, from the end on, with the length as what
 * is left of them; giving back the block takes no time then.
 */
static bool block_form_free_step(struct rg_pool *pool, void *value, uint64_t *budget)
{
    enum { ALIGN = 1 << 16, PART_BYTES = 1 << 19 };
    struct rg_block *block = value;
    while (block->len > PART_BYTES + ALIGN) {
        if (*budget == 0)
            return false;
        uintptr_t data = (uintptr_t)block->data;
        uintptr_t end = (data + block->len) & ~(uintptr_t)(ALIGN - 1);
        uintptr_t start = (end - PART_BYTES) & ~(uintptr_t)(ALIGN - 1);
        rg_pages_discard(block->data + (start - data), end - start);
        block->len = start - data;
        uint64_t cost = rg_form_free_cost(PART_BYTES);
        *budget -= cost < *budget ? cost : *budget;
    }
    rg_block_free(pool, block);
    return true;
}

const struct rg_form_ops rg_form_int = {.type = RG_TYPE_STRING, .encoding = "int"};
const struct rg_form_ops rg_form_inline = {.type = RG_TYPE_STRING, .encoding_of = inline_encoding};
const struct rg_form_ops rg_form_block = {.type = RG_TYPE_STRING,
                                          .encoding = "raw",
                                          .free = block_form_free,
                                          .memory = block_form_memory,
                                          .copy = block_form_copy,
                                          .elements = block_form_elements,
                                          .free_step = block_form_free_step};

/* ---- Whole values ---- */

/* Puts a value's bytes into an entry that was just made for them. */
static void bytes_fill(struct rg_db *db, struct rg_entry *entry, struct rg_bytes value)
{
    if (entry->form == RG_FORM_INLINE) {
        rg_entry_set_inline(entry, value);
        return;
    }
    struct rg_block *block = draft_take(db, value);
    rg_entry_value(entry)->pointer =
        block != NULL ? block : rg_block_new(rg_db_pool(db), value, value.len);
}

static void string_replace_form(struct rg_db *db, struct rg_entry **entry, struct rg_entry *fresh)
{
    struct rg_block *old = (*entry)->form == RG_FORM_BLOCK ? block_of(*entry) : NULL;
    rg_db_swap_entry(db, entry, fresh);
    if (old != NULL)
        rg_doomed_value(db->store, RG_FORM_BLOCK, old);
}

/* Replaces the value by bytes; value may be a view into the entry. */
static void bytes_store(struct rg_db *db, struct rg_entry **entry, struct rg_bytes value, bool raw)
{
    struct rg_entry *old = *entry;
    if (rg_entry_fits_inline(old, value.len)) {
        rg_entry_set_inline(old, value);
        old->raw = raw;
        return;
    }
    struct rg_entry *fresh = rg_entry_reshape(rg_db_pool(db), old, rg_entry_key(old),
                                              bytes_form(value.len), value.len, old->expires);
    bytes_fill(db, fresh, value);
    fresh->raw = raw;
    string_replace_form(db, entry, fresh);
}

struct rg_entry *rg_db_put_string(struct rg_db *db, struct rg_bytes key, struct rg_bytes value)
{
    int64_t number = 0;
    if (is_integer(value, &number))
        return rg_db_put_i64(db, key, number);
    struct rg_entry *entry = rg_db_find_for_write(db, key);
    if (entry != NULL && !entry->expires && rg_entry_fits_inline(entry, value.len)) {
        rg_entry_set_inline(entry, value);
        entry->raw = false;
        entry->access = 0;
        return entry;
    }
    entry = rg_entry_new(rg_db_pool(db), key, bytes_form(value.len), value.len, false);
    bytes_fill(db, entry, value);
    rg_db_put_entry(db, entry);
    return entry;
}

struct rg_entry *rg_db_put_i64(struct rg_db *db, struct rg_bytes key, int64_t value)
{
    struct rg_entry *entry = rg_entry_new(rg_db_pool(db), key, RG_FORM_INT, 0, false);
    rg_entry_value(entry)->number = value;
    rg_db_put_entry(db, entry);
    return entry;
}

void rg_string_replace(struct rg_db *db, struct rg_entry **entry, struct rg_bytes value)
{
    RG_ASSERT(rg_entry_type(*entry) == RG_TYPE_STRING);
    int64_t number = 0;
    rg_db_before_change(db, *entry);
    if (is_integer(value, &number))
        rg_string_replace_i64(db, entry, number);
    else
        bytes_store(db, entry, value, false);
}

void rg_string_rewrite(struct rg_db *db, struct rg_entry **entry, struct rg_bytes value)
{
    RG_ASSERT(rg_entry_type(*entry) == RG_TYPE_STRING);
    rg_db_before_change(db, *entry);
    struct rg_block *block = (*entry)->form == RG_FORM_BLOCK ? block_of(*entry) : NULL;
    if (block == NULL || value.len > block->cap || value.len < block->cap / 2) {
        bytes_store(db, entry, value, true);
        return;
    }
    if (value.len > 0)
        memmove(block->data, value.data, value.len);
    block->len = value.len;
    (*entry)->raw = true;
}

void rg_string_replace_i64(struct rg_db *db, struct rg_entry **entry, int64_t value)
{
    struct rg_entry *old = *entry;
    RG_ASSERT(rg_entry_type(old) == RG_TYPE_STRING);
    rg_db_before_change(db, old);
    if (old->form == RG_FORM_INT) {
        rg_entry_value(old)->number = value;
        return;
    }
    struct rg_entry *fresh =
        rg_entry_reshape(rg_db_pool(db), old, rg_entry_key(old), RG_FORM_INT, 0, old->expires);
    rg_entry_value(fresh)->number = value;
    string_replace_form(db, entry, fresh);
}

/* ---- Reading ---- */

struct rg_bytes rg_string_get(const struct rg_entry *entry, char scratch[RG_STRING_SCRATCH])
{
    if (entry->form == RG_FORM_INT)
        return rg_bytes(scratch, rg_format_i64(scratch, rg_entry_value(entry)->number));
    if (entry->form == RG_FORM_INLINE)
        return rg_entry_inline(entry);
    const struct rg_block *block = block_of(entry);
    return rg_bytes(block->data, block->len);
}

int rg_string_get_i64(const struct rg_entry *entry, int64_t *ret_value)
{
    if (entry->form == RG_FORM_INT) {
        *ret_value = rg_entry_value(entry)->number;
        return 0;
    }
    char scratch[RG_STRING_SCRATCH];
    return rg_parse_i64(rg_string_get(entry, scratch), ret_value);
}

size_t rg_string_len(const struct rg_entry *entry)
{
    char scratch[RG_STRING_SCRATCH];
    return rg_string_get(entry, scratch).len;
}

/* ---- Changes in place ---- */

/* Twice the length, or a mebibyte more, so that appending is linear and waste is bounded. */
static size_t cap_for(size_t len)
{
    enum { SPARE_MAX_BYTES = 1 << 20 };
    return len + (len < SPARE_MAX_BYTES ? len : SPARE_MAX_BYTES);
}

/* Errors: RG_ENOMEM. */
static int block_grow(struct rg_pool *pool, struct rg_entry *entry, size_t cap)
{
    struct rg_block *block = block_of(entry);
    if (cap > RG_BLOCK_MAX)
        return RG_ENOMEM;
    size_t room = rg_pool_room(sizeof(*block) + cap);
    block = rg_pool_try_realloc(pool, block, sizeof(*block) + block->cap, room);
    if (block == NULL)
        return RG_ENOMEM;
    block->cap = room - sizeof(*block);
    rg_entry_value(entry)->pointer = block;
    return 0;
}

/* A block of what the entry holds with room for len bytes. Errors: RG_ENOMEM. */
static int block_make_room(struct rg_db *db, struct rg_entry **entry, size_t len)
{
    struct rg_entry *old = *entry;
    if (old->form == RG_FORM_BLOCK && len <= block_of(old)->cap)
        return 0;
    if (old->form == RG_FORM_BLOCK)
        return block_grow(rg_db_pool(db), old, cap_for(len));
    char scratch[RG_STRING_SCRATCH];
    struct rg_block *block =
        rg_block_try_new(rg_db_pool(db), rg_string_get(old, scratch), cap_for(len));
    if (block == NULL)
        return RG_ENOMEM;
    struct rg_entry *fresh =
        rg_entry_reshape(rg_db_pool(db), old, rg_entry_key(old), RG_FORM_BLOCK, 0, old->expires);
    rg_entry_value(fresh)->pointer = block;
    string_replace_form(db, entry, fresh);
    return 0;
}

/* The same where everything fits into the entry itself. */
static void inline_write_at(struct rg_db *db, struct rg_entry **entry, size_t offset,
                            struct rg_bytes bytes)
{
    char whole[RG_INLINE_MAX] = {0};
    char scratch[RG_STRING_SCRATCH];
    struct rg_bytes old = rg_string_get(*entry, scratch);
    size_t len = offset + bytes.len > old.len ? offset + bytes.len : old.len;
    RG_ASSERT(len <= sizeof(whole));
    if (old.len > 0)
        memcpy(whole, old.data, old.len);
    if (bytes.len > 0)
        memcpy(whole + offset, bytes.data, bytes.len);
    bytes_store(db, entry, rg_bytes(whole, len), true);
}

int rg_string_write_at(struct rg_db *db, struct rg_entry **entry, size_t offset,
                       struct rg_bytes bytes)
{
    RG_ASSERT(rg_entry_type(*entry) == RG_TYPE_STRING);
    size_t old_len = rg_string_len(*entry);
    size_t end = 0;
    rg_db_before_change(db, *entry);
    if (__builtin_add_overflow(offset, bytes.len, &end) || end > RG_BLOCK_MAX / 2)
        return RG_ENOMEM;
    size_t len = end > old_len ? end : old_len;
    if ((*entry)->form != RG_FORM_BLOCK && len <= RG_INLINE_MAX) {
        inline_write_at(db, entry, offset, bytes);
        return 0;
    }
    int err = block_make_room(db, entry, len);
    if (err < 0)
        return err;
    struct rg_block *block = block_of(*entry);
    if (offset > old_len)
        memset(block->data + old_len, 0, offset - old_len);
    if (bytes.len > 0)
        memmove(block->data + offset, bytes.data, bytes.len);
    block->len = len;
    (*entry)->raw = true;
    return 0;
}

int rg_string_append(struct rg_db *db, struct rg_entry **entry, struct rg_bytes tail)
{
    return rg_string_write_at(db, entry, rg_string_len(*entry), tail);
}
