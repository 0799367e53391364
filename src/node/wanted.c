#include "node/wanted.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/panic.h"

enum { WANTED_FIRST_BUCKETS = 16 };

struct rg_wanted {
    struct rg_list *buckets; /* owned; a power of two of them, more than there are keys */
    size_t bucket_count;
    size_t count;
    struct rg_list all;
    uint64_t seed;
};

static void wanted_make_buckets(struct rg_wanted *wanted, size_t count)
{
    wanted->buckets = RG_NEW_ARRAY(struct rg_list, count);
    wanted->bucket_count = count;
    for (size_t i = 0; i < count; i++)
        rg_list_init(&wanted->buckets[i]);
}

struct rg_wanted *wanted_new(uint64_t seed)
{
    struct rg_wanted *wanted = RG_NEW(struct rg_wanted);

    wanted_make_buckets(wanted, WANTED_FIRST_BUCKETS);
    rg_list_init(&wanted->all);
    wanted->seed = seed;
    return wanted;
}

void wanted_free(struct rg_wanted *wanted)
{
    if (wanted == NULL)
        return;
    RG_ASSERT(rg_list_empty(&wanted->all) && wanted->count == 0);
    rg_free(wanted->buckets);
    rg_free(wanted);
}

bool wanted_any(const struct rg_node *node)
{
    return !rg_list_empty(&node->wanted->all);
}

struct rg_list *wanted_all(struct rg_node *node)
{
    return &node->wanted->all;
}

static struct rg_list *wanted_bucket(struct rg_wanted *wanted, unsigned db, struct rg_bytes key)
{
    return &wanted->buckets[rg_hash64(key, wanted->seed + db) & (wanted->bucket_count - 1)];
}

/* There are hardly ever more keys than clients: all of them may be moved at once. */
static void wanted_grow(struct rg_wanted *wanted)
{
    if (wanted->count < wanted->bucket_count)
        return;
    rg_free(wanted->buckets);
    wanted_make_buckets(wanted, 2 * wanted->bucket_count);
    RG_LIST_EACH(link, &wanted->all)
    {
        struct wanted_key *key = RG_CONTAINER_OF(link, struct wanted_key, all);
        rg_list_append(wanted_bucket(wanted, key->db, wanted_name(key)), &key->bucket);
    }
}

struct wanted_key *wanted_find(const struct rg_node *node, unsigned db, struct rg_bytes key)
{
    const struct rg_list *bucket = wanted_bucket(node->wanted, db, key);

    RG_LIST_EACH(link, bucket)
    {
        struct wanted_key *it = RG_CONTAINER_OF(link, struct wanted_key, bucket);
        if (it->db == db && rg_bytes_equal(wanted_name(it), key))
            return it;
    }
    return NULL;
}

struct wanted_key *wanted_get(struct rg_node *node, unsigned db, struct rg_bytes key)
{
    struct wanted_key *it = wanted_find(node, db, key);

    if (it != NULL)
        return it;
    wanted_grow(node->wanted);
    node->wanted->count++;
    it = rg_alloc(sizeof(*it) + key.len);
    it->db = db;
    it->existed = false;
    it->len = key.len;
    if (key.len > 0)
        memcpy(it->key, key.data, key.len);
    rg_list_init(&it->watchers);
    rg_list_init(&it->waiters);
    rg_list_init(&it->ready);
    rg_list_append(wanted_bucket(node->wanted, db, key), &it->bucket);
    rg_list_append(&node->wanted->all, &it->all);
    return it;
}

void wanted_release(struct rg_node *node, struct wanted_key *key)
{
    if (!rg_list_empty(&key->watchers) || !rg_list_empty(&key->waiters))
        return;
    rg_list_remove(&key->bucket);
    rg_list_remove(&key->all);
    rg_list_remove(&key->ready);
    node->wanted->count--;
    rg_free(key);
}

struct rg_entry *wanted_entry(const struct rg_node *node, const struct wanted_key *key)
{
    return rg_db_find(rg_store_db(node->store, key->db), wanted_name(key));
}
