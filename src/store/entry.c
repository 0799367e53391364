#include "store/entry.h"

#include "base/panic.h"

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
    size_t size = key_offset(form, expires) + key_len + (form == RG_FORM_INLINE ? inline_len : 0);
    /* What holds words of eight bytes is aligned to them. */
    return form == RG_FORM_INLINE && !expires ? size : (size + 7) & ~(size_t)7;
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

struct rg_entry *rg_entry_new(struct rg_pool *pool, struct rg_bytes key, enum rg_form form,
                              size_t inline_len, bool expires)
{
    RG_ASSERT(key.len <= UINT32_MAX);
    RG_ASSERT(form != RG_FORM_INLINE || inline_len <= RG_INLINE_MAX);
    /* All of what the pool gives is asked for, so that the inline value may grow into it. */
    struct rg_entry *entry =
        rg_pool_alloc(pool, rg_pool_room(entry_size(key.len, form, inline_len, expires)));
    *entry =
        (struct rg_entry){.form = form & 15U, .expires = expires, .key_len = (uint32_t)key.len};
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

void rg_entry_free_shell(struct rg_pool *pool, struct rg_entry *entry)
{
    rg_pool_free(pool, entry, shell_size(entry));
}

void rg_entry_free(struct rg_pool *pool, struct rg_entry *entry)
{
    if (entry == NULL)
        return;
    void *value = rg_entry_pointer(entry);
    if (value != NULL)
        rg_form_ops(entry->form)->free(pool, value);
    rg_entry_free_shell(pool, entry);
}

struct rg_entry *rg_entry_reshape(struct rg_pool *pool, const struct rg_entry *old,
                                  struct rg_bytes key, enum rg_form form, size_t inline_len,
                                  bool expires)
{
    struct rg_entry *entry = rg_entry_new(pool, key, form, inline_len, expires);
    entry->access = old->access;
    if (expires && old->expires)
        *rg_entry_expiry(entry) = *rg_entry_expiry(old);
    return entry;
}

struct rg_entry *rg_entry_move(struct rg_pool *pool, const struct rg_entry *old,
                               struct rg_bytes key, bool expires)
{
    size_t inline_len = old->form == RG_FORM_INLINE ? *inline_len_of(old) : 0;
    struct rg_entry *entry = rg_entry_reshape(pool, old, key, old->form, inline_len, expires);
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
           rg_pool_cost(size) == rg_pool_cost(shell_size(entry));
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

void *rg_entry_pointer(const struct rg_entry *entry)
{
    return rg_form_ops(entry->form)->free != NULL ? rg_entry_value(entry)->pointer : NULL;
}

struct rg_entry_expiry *rg_entry_expiry(const struct rg_entry *entry)
{
    RG_ASSERT(entry->expires);
    return (struct rg_entry_expiry *)(void *)entry_at(entry, sizeof(*entry));
}

size_t rg_entry_bytes(const struct rg_entry *entry)
{
    return rg_pool_cost(shell_size(entry));
}

struct rg_bytes rg_entry_key(const struct rg_entry *entry)
{
    return rg_bytes(entry_at(entry, key_offset(entry->form, entry->expires)), entry->key_len);
}

enum rg_type rg_entry_type(const struct rg_entry *entry)
{
    return rg_form_ops(entry->form)->type;
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
    const struct rg_form_ops *ops = rg_form_ops(entry->form);
    return ops->encoding != NULL ? ops->encoding : ops->encoding_of(entry);
}

uint64_t rg_entry_memory(const struct rg_entry *entry, uint64_t samples)
{
    /* Every value keeps count of what it holds, so that no sample is needed. */
    (void)samples;
    const void *value = rg_entry_pointer(entry);
    return rg_entry_bytes(entry) + (value != NULL ? rg_form_ops(entry->form)->memory(value) : 0);
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
