#include "store/entry.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "store/db.h"
#include "store/fields.h"
#include "store/footprint.h"
#include "store/packed.h"

/* ---- Layout ---- */

static size_t value_offset(bool expires)
{
    return sizeof(struct rg_entry) + (expires ? sizeof(struct rg_entry_expiry) : 0);
}

static size_t key_offset(enum rg_form form, bool expires)
{
    return value_offset(expires) + (form == RG_FORM_INLINE ? 1 : sizeof(union rg_value));
}

static size_t entry_size(size_t key_len, enum rg_form form, size_t inline_len, bool expires)
{
    return key_offset(form, expires) + key_len + (form == RG_FORM_INLINE ? inline_len : 0);
}

static char *entry_at(const struct rg_entry *entry, size_t offset)
{
    return (char *)(uintptr_t)entry + offset;
}

static uint8_t *inline_len_of(const struct rg_entry *entry)
{
    return (uint8_t *)entry_at(entry, value_offset(entry->expires));
}

static char *inline_of(const struct rg_entry *entry)
{
    return entry_at(entry, key_offset(RG_FORM_INLINE, entry->expires) + entry->key_len);
}

static size_t shell_size(const struct rg_entry *entry)
{
    size_t inline_len = entry->form == RG_FORM_INLINE ? *inline_len_of(entry) : 0;
    return entry_size(entry->key_len, entry->form, inline_len, entry->expires);
}

/* ---- Making and freeing ---- */

struct rg_entry *rg_entry_new(struct rg_bytes key, enum rg_form form, size_t inline_len,
                              bool expires)
{
    RG_ASSERT(key.len <= UINT32_MAX);
    RG_ASSERT(form != RG_FORM_INLINE || inline_len <= RG_INLINE_MAX);
    /* All of what the allocator gives is asked for, so that the inline value may grow into it. */
    struct rg_entry *entry =
        rg_alloc(rg_footprint_room(entry_size(key.len, form, inline_len, expires)));
    *entry = (struct rg_entry){.form = form, .expires = expires, .key_len = (uint32_t)key.len};
    if (expires)
        *rg_entry_expiry(entry) = (struct rg_entry_expiry){.at_ms = RG_NO_EXPIRY};
    if (form == RG_FORM_INLINE)
        *inline_len_of(entry) = (uint8_t)inline_len;
    else
        *rg_entry_value(entry) = (union rg_value){0};
    if (key.len > 0)
        memcpy(entry_at(entry, key_offset(form, expires)), key.data, key.len);
    return entry;
}

void rg_entry_free_shell(struct rg_entry *entry)
{
    rg_free(entry);
}

void rg_entry_free(struct rg_entry *entry)
{
    if (entry == NULL)
        return;
    if (entry->form == RG_FORM_BLOCK)
        rg_free(rg_entry_value(entry)->block);
    else if (entry->form == RG_FORM_PACKED)
        rg_packed_free(rg_entry_value(entry)->packed);
    else if (entry->form == RG_FORM_TABLE)
        rg_fields_free(rg_entry_value(entry)->fields);
    rg_entry_free_shell(entry);
}

struct rg_entry *rg_entry_reshape(const struct rg_entry *old, struct rg_bytes key,
                                  enum rg_form form, size_t inline_len, bool expires)
{
    struct rg_entry *entry = rg_entry_new(key, form, inline_len, expires);
    entry->access = old->access;
    if (expires && old->expires)
        *rg_entry_expiry(entry) = *rg_entry_expiry(old);
    return entry;
}

struct rg_entry *rg_entry_move(const struct rg_entry *old, struct rg_bytes key, bool expires)
{
    size_t inline_len = old->form == RG_FORM_INLINE ? *inline_len_of(old) : 0;
    struct rg_entry *entry = rg_entry_reshape(old, key, old->form, inline_len, expires);
    entry->raw = old->raw;
    if (old->form == RG_FORM_INLINE)
        rg_entry_set_inline(entry, rg_entry_inline(old));
    else
        *rg_entry_value(entry) = *rg_entry_value(old);
    return entry;
}

/* ---- Parts ---- */

bool rg_entry_fits_inline(const struct rg_entry *entry, size_t inline_len)
{
    size_t size = entry_size(entry->key_len, RG_FORM_INLINE, inline_len, entry->expires);
    return entry->form == RG_FORM_INLINE && inline_len <= RG_INLINE_MAX &&
           rg_footprint(size) == rg_footprint(shell_size(entry));
}

void rg_entry_set_inline(struct rg_entry *entry, struct rg_bytes value)
{
    RG_ASSERT(rg_entry_fits_inline(entry, value.len));
    if (value.len > 0)
        memmove(inline_of(entry), value.data, value.len);
    *inline_len_of(entry) = (uint8_t)value.len;
}

struct rg_bytes rg_entry_inline(const struct rg_entry *entry)
{
    RG_ASSERT(entry->form == RG_FORM_INLINE);
    return rg_bytes(inline_of(entry), *inline_len_of(entry));
}

union rg_value *rg_entry_value(const struct rg_entry *entry)
{
    RG_ASSERT(entry->form != RG_FORM_INLINE);
    return (union rg_value *)(void *)entry_at(entry, value_offset(entry->expires));
}

struct rg_entry_expiry *rg_entry_expiry(const struct rg_entry *entry)
{
    RG_ASSERT(entry->expires);
    return (struct rg_entry_expiry *)(void *)entry_at(entry, sizeof(*entry));
}

size_t rg_entry_bytes(const struct rg_entry *entry)
{
    return rg_footprint(shell_size(entry));
}

struct rg_bytes rg_entry_key(const struct rg_entry *entry)
{
    return rg_bytes(entry_at(entry, key_offset(entry->form, entry->expires)), entry->key_len);
}

enum rg_type rg_entry_type(const struct rg_entry *entry)
{
    return entry->form <= RG_FORM_BLOCK ? RG_TYPE_STRING : RG_TYPE_HASH;
}

const char *rg_type_name(enum rg_type type)
{
    static const char *const names[RG_TYPES] = {[RG_TYPE_STRING] = "string",
                                                [RG_TYPE_HASH] = "hash",
                                                [RG_TYPE_LIST] = "list",
                                                [RG_TYPE_SET] = "set",
                                                [RG_TYPE_ZSET] = "zset"};
    return names[type];
}

const char *rg_entry_encoding(const struct rg_entry *entry)
{
    enum { EMBSTR_MAX = 44 };
    switch ((enum rg_form)entry->form) {
    case RG_FORM_INT:
        return "int";
    case RG_FORM_INLINE:
        return entry->raw || *inline_len_of(entry) > EMBSTR_MAX ? "raw" : "embstr";
    case RG_FORM_BLOCK:
        return "raw";
    case RG_FORM_PACKED:
        return "listpack";
    case RG_FORM_TABLE:
        return "hashtable";
    }
    RG_UNREACHABLE();
}

uint64_t rg_entry_memory(const struct rg_entry *entry, uint64_t samples)
{
    /* Every value keeps count of what it holds, so that no sample is needed. */
    (void)samples;
    size_t bytes = rg_entry_bytes(entry);
    if (entry->form == RG_FORM_BLOCK)
        bytes += rg_block_memory(rg_entry_value(entry)->block);
    else if (entry->form == RG_FORM_PACKED)
        bytes += rg_packed_memory(rg_entry_value(entry)->packed);
    else if (entry->form == RG_FORM_TABLE)
        bytes += rg_fields_memory(rg_entry_value(entry)->fields);
    return bytes;
}

int64_t rg_entry_expire_ms(const struct rg_entry *entry)
{
    return entry->expires ? rg_entry_expiry(entry)->at_ms : RG_NO_EXPIRY;
}

uint32_t rg_entry_access(const struct rg_entry *entry)
{
    return entry->access;
}

void rg_entry_set_access(struct rg_entry *entry, uint32_t access)
{
    entry->access = access & 0xffffffU;
}

/* ---- String blocks ---- */

struct rg_block *rg_block_try_new(struct rg_bytes bytes, size_t cap)
{
    RG_ASSERT(cap >= bytes.len);
    if (cap > RG_BLOCK_MAX)
        return NULL;
    size_t room = rg_footprint_room(sizeof(struct rg_block) + cap);
    struct rg_block *block = rg_try_alloc(room);
    if (block == NULL)
        return NULL;
    block->len = bytes.len;
    block->cap = room - sizeof(*block);
    if (bytes.len > 0)
        memcpy(block->data, bytes.data, bytes.len);
    return block;
}

struct rg_block *rg_block_new(struct rg_bytes bytes, size_t cap)
{
    struct rg_block *block = rg_block_try_new(bytes, cap);
    if (block == NULL)
        rg_panic(__FILE__, __LINE__, "out of memory");
    return block;
}

size_t rg_block_memory(const struct rg_block *block)
{
    return rg_footprint(sizeof(*block) + block->cap);
}
