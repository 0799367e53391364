#include "node/wanted.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/panic.h"

enum { WANTED_BUCKETS = 1024 };

struct rg_wanted {
    struct rg_list buckets[WANTED_BUCKETS];
    struct rg_list all;
    uint64_t seed;
};

struct rg_wanted *wanted_new(uint64_t seed)
{
    struct rg_wanted *wanted = RG_NEW(struct rg_wanted);

    for (int i = 0; i < WANTED_BUCKETS; i++)
        rg_list_init(&wanted->buckets[i]);
    rg_list_init(&wanted->all);
    wanted->seed = seed;
    return wanted;
}

void wanted_free(struct rg_wanted *wanted)
{
    if (wanted == NULL)
        return;
    RG_ASSERT(rg_list_empty(&wanted->all));
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
    return &wanted->buckets[rg_hash64(key, wanted->seed + db) % WANTED_BUCKETS];
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
    (void)node;
    if (!rg_list_empty(&key->watchers) || !rg_list_empty(&key->waiters))
        return;
    rg_list_remove(&key->bucket);
    rg_list_remove(&key->all);
    rg_list_remove(&key->ready);
    rg_free(key);
}

struct rg_entry *wanted_entry(const struct rg_node *node, const struct wanted_key *key)
{
    return rg_db_find(rg_store_db(node->store, key->db), wanted_name(key));
}
