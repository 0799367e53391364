#ifndef RG_STORE_ENTRY_H
#define RG_STORE_ENTRY_H

#include "store/form.h"
#include "store/pool.h"
#include "store/store.h"

/*
 * An entry is one item of its store's pool:
 *
 *   header | expiry, where it has one | value or its length | key | inline value
 *
 * The form (store/form.h) says what the value is: the number itself, bytes behind the key (its
 * length is one byte then), or an owned pointer to something larger, from the same pool.
 */
enum { RG_INLINE_MAX = 128 };

struct rg_entry {
    uint32_t access : 24;
    uint32_t form : 4;    /* enum rg_form */
    uint32_t raw : 1;     /* a string changed in place: OBJECT ENCODING says raw */
    uint32_t expires : 1; /* struct rg_entry_expiry follows */
    uint32_t mark : 1; /* differs from the store's: a snapshot has still to see it (snapshot.c) */
    uint32_t key_len;
};

struct rg_entry_expiry {
    int64_t at_ms;
    uint64_t index; /* in the expiry index; set by it */
};

/* A string of its own allocation. */
struct rg_block {
    size_t len;
    size_t cap;
    char data[];
};

/* Above any address space that a process gets here: a size that is an error in itself. */
#define RG_BLOCK_MAX ((size_t)1 << 39)
_Static_assert(RG_BLOCK_MAX < RG_POOL_ITEM_MAX, "blocks are items");

union rg_value {
    int64_t number;
    void *pointer; /* of the type that the form says */
};

/*
 * A new entry of this shape with its key set and everything else zero; expires: it has room for an
 * expiry. inline_len counts for RG_FORM_INLINE only. The caller owns it.
 */
struct rg_entry *rg_entry_new(struct rg_pool *pool, struct rg_bytes key, enum rg_form form,
                              size_t inline_len, bool expires);
/* Frees the entry and all of its value. NULL is allowed. */
void rg_entry_free(struct rg_pool *pool, struct rg_entry *entry);
/* Frees it but not what its value points at, which another entry owns now. */
void rg_entry_free_shell(struct rg_pool *pool, struct rg_entry *entry);
/* A new entry with the old one's access word and expiry, but the value left to the caller. */
struct rg_entry *rg_entry_reshape(struct rg_pool *pool, const struct rg_entry *old,
                                  struct rg_bytes key, enum rg_form form, size_t inline_len,
                                  bool expires);
/* The same with the value: an inline one is copied, a pointer is taken over. */
struct rg_entry *rg_entry_move(struct rg_pool *pool, const struct rg_entry *old,
                               struct rg_bytes key, bool expires);
/* True where the inline value can become this long without the entry costing more or less. */
bool rg_entry_fits_inline(const struct rg_entry *entry, size_t inline_len);
/* rg_entry_fits_inline must hold. value may lie in the entry. */
void rg_entry_set_inline(struct rg_entry *entry, struct rg_bytes value);
struct rg_bytes rg_entry_inline(const struct rg_entry *entry);

/* Of a form with a number or pointer. */
union rg_value *rg_entry_value(const struct rg_entry *entry);
/* The value that the entry points at, NULL for forms that hold it in the entry. */
void *rg_entry_pointer(const struct rg_entry *entry);
/* Of an entry that expires. */
struct rg_entry_expiry *rg_entry_expiry(const struct rg_entry *entry);
size_t rg_entry_bytes(const struct rg_entry *entry);

/*
 * A string block of the bytes with room for cap (at least the length). The try form returns NULL
 * where there is no memory for it or cap is above RG_BLOCK_MAX.
 */
struct rg_block *rg_block_new(struct rg_pool *pool, struct rg_bytes bytes, size_t cap);
struct rg_block *rg_block_try_new(struct rg_pool *pool, struct rg_bytes bytes, size_t cap);
void rg_block_free(struct rg_pool *pool, struct rg_block *block);

#endif
