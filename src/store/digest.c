#include <stdio.h>

#include "base/hash.h"
#include "store/db.h"

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

static void hash_value(uint64_t out[2], const struct rg_entry *entry)
{
    struct rg_hash_iter iter;
    struct rg_bytes field;
    struct rg_bytes value;
    rg_hash_iter_init(&iter, entry);
    while (rg_hash_iter_next(&iter, &field, &value)) {
        uint64_t pair[4];
        bytes_hash(pair, field);
        bytes_hash(pair + 2, value);
        sum_add(out, XXH3_128bits_withSeed(pair, sizeof(pair), seed_whole));
    }
}

static struct summary entry_summary(unsigned db, const struct rg_entry *entry)
{
    char scratch[RG_STRING_SCRATCH];
    struct summary summary = {
        .db = db,
        .type = rg_entry_type(entry),
        .expire_ms = rg_entry_expire_ms(entry),
    };
    bytes_hash(summary.key, rg_entry_key(entry));
    if (rg_entry_type(entry) == RG_TYPE_STRING)
        bytes_hash(summary.value, rg_string_get(entry, scratch));
    else
        hash_value(summary.value, entry);
    return summary;
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
            sum_add(sum, XXH3_128bits_withSeed(&summary, sizeof(summary), seed_whole));
            tail += XXH3_64bits_withSeed(&summary, sizeof(summary), seed_tail);
        }
    }
    snprintf(ret_hex, 41, "%016llx%016llx%08llx", (unsigned long long)sum[1],
             (unsigned long long)sum[0], (unsigned long long)(tail >> 32));
}
