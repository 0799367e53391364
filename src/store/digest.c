#include <stdio.h>

#include "base/hash.h"
#include "base/panic.h"
#include "store/db.h"
#include "store/list.h"
#include "store/set.h"
#include "store/zset.h"

/* What is hashed of an entry; the layout has no padding, so that its bytes are the value. */
struct summary {
    uint64_t db;
    uint64_t type;
    int64_t expire_ms;
    uint64_t key[2];
    uint64_t value[2];
};
_Static_assert(sizeof(struct summary) == 7 * sizeof(uint64_t), "no padding in what is hashed");

/* Any fixed numbers: equal keyspaces have the same digest whatever seeds their tables have. */
static const uint64_t seed_bytes = UINT64_C(0x9d3f0c5a61b7e284);
static const uint64_t seed_whole = UINT64_C(0x27c8e15fb0946d3a);
static const uint64_t seed_tail = UINT64_C(0xe46b82d7130fa95c);

static void bytes_hash(uint64_t out[2], struct rg_bytes bytes)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data, bytes.len, seed_bytes);
    out[0] = hash.low64;
    out[1] = hash.high64;
}

/* Sums do not depend on the order, and an item that counts twice does not cancel itself out. */
static void sum_add(uint64_t sum[2], XXH128_hash_t hash)
{
    sum[0] += hash.low64;
    sum[1] += hash.high64 + (sum[0] < hash.low64 ? 1 : 0);
}

static void sum_add_pair(uint64_t out[2], struct rg_bytes one, struct rg_bytes other)
{
    uint64_t pair[4];
    bytes_hash(pair, one);
    bytes_hash(pair + 2, other);
    sum_add(out, XXH3_128bits_withSeed(pair, sizeof(pair), seed_whole));
}

static void hash_value(uint64_t out[2], const struct rg_entry *entry)
{
    struct rg_hash_iter iter;
    struct rg_bytes field;
    struct rg_bytes value;
    rg_hash_iter_init(&iter, entry);
    while (rg_hash_iter_next(&iter, &field, &value))
        sum_add_pair(out, field, value);
}

static void set_value(uint64_t out[2], const struct rg_entry *entry)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_set_iter iter;
    struct rg_bytes member;
    rg_set_iter_init(&iter, entry);
    while (rg_set_iter_next(&iter, scratch, &member))
        sum_add_pair(out, member, RG_BYTES(""));
}

static void zset_value(uint64_t out[2], const struct rg_entry *entry)
{
    struct rg_zset_iter iter;
    struct rg_bytes member;
    double score = 0;
    rg_zset_iter_init(&iter, entry, 0, false);
    while (rg_zset_iter_next(&iter, &member, &score)) {
        double equal = score + 0.0; /* 0 for -0, which is equal to it */
        sum_add_pair(out, member, rg_bytes(&equal, sizeof(equal)));
    }
}

/* The order counts: each element is hashed together with what stands before it. */
static void list_value(uint64_t out[2], const struct rg_entry *entry)
{
    struct rg_list_iter iter;
    struct rg_bytes element;
    uint64_t chain[4] = {0};
    rg_list_iter_init(&iter, entry, 0, false);
    while (rg_list_iter_next(&iter, &element)) {
        bytes_hash(chain + 2, element);
        bytes_hash(chain, rg_bytes(chain, sizeof(chain)));
    }
    memcpy(out, chain, 2 * sizeof(*out));
}

static void value_digest(uint64_t out[2], const struct rg_entry *entry)
{
    char scratch[RG_STRING_SCRATCH];
    switch (rg_entry_type(entry)) {
    case RG_TYPE_STRING:
        bytes_hash(out, rg_string_get(entry, scratch));
        return;
    case RG_TYPE_LIST:
        list_value(out, entry);
        return;
    case RG_TYPE_SET:
        set_value(out, entry);
        return;
    case RG_TYPE_ZSET:
        zset_value(out, entry);
        return;
    case RG_TYPE_HASH:
        hash_value(out, entry);
        return;
    case RG_TYPES:
        break;
    }
    RG_UNREACHABLE();
}

static struct summary entry_summary(unsigned db, const struct rg_entry *entry)
{
    struct summary summary = {
        .db = db,
        .type = rg_entry_type(entry),
        .expire_ms = rg_entry_expire_ms(entry),
    };
    bytes_hash(summary.key, rg_entry_key(entry));
    value_digest(summary.value, entry);
    return summary;
}

/* Adds an entry's summary to the sums. */
static void digest_add(uint64_t sum[2], uint64_t *tail, const struct summary *summary)
{
    sum_add(sum, XXH3_128bits_withSeed(summary, sizeof(*summary), seed_whole));
    *tail += XXH3_64bits_withSeed(summary, sizeof(*summary), seed_tail);
}

static void digest_print(const uint64_t sum[2], uint64_t tail, char ret_hex[41])
{
    (void)snprintf(ret_hex, 41, "%016llx%016llx%08llx", (unsigned long long)sum[1],
                   (unsigned long long)sum[0], (unsigned long long)(tail >> 32));
}

void rg_store_digest(struct rg_store *store, char ret_hex[41])
{
    uint64_t sum[2] = {0};
    uint64_t tail = 0;
    for (unsigned i = 0; i < rg_store_databases(store); i++) {
        struct rg_db_iter iter;
        const struct rg_entry *entry = NULL;
        rg_db_iter_init(&iter, rg_store_db(store, i));
        while ((entry = rg_db_iter_next(&iter)) != NULL) {
            struct summary summary = entry_summary(i, entry);
            digest_add(sum, &tail, &summary);
        }
    }
    digest_print(sum, tail, ret_hex);
}

void rg_entry_digest(const struct rg_entry *entry, char ret_hex[41])
{
    uint64_t sum[2] = {0};
    uint64_t tail = 0;
    struct summary summary = {.type = rg_entry_type(entry)};
    value_digest(summary.value, entry);
    digest_add(sum, &tail, &summary);
    digest_print(sum, tail, ret_hex);
}
