#include <math.h>

#include "base/alloc.h"
#include "node/evict.h"
#include "node/latency.h"
#include "node/node_impl.h"

/*
 * Eviction: keys that a primary gives up to stay below maxmemory. Each goes to the log as a DEL, so
 * that everybody who follows gives up the same ones; replicas never choose for themselves.
 *
 * For LRU and LFU a few keys are drawn (maxmemory-samples), and the best of them are kept beside
 * the best of earlier draws, which comes near to the true order at little cost. For volatile-ttl
 * the index of expiries names the earliest, so that nothing has to be drawn.
 */

enum { EVICT_POOL = 16, EVICT_LOOK_AT_CLOCK = 16 };

struct evict_candidate {
    uint64_t staleness;
    unsigned db;
    char *key; /* owned */
    size_t key_len;
};

struct evict_pool {
    struct evict_candidate items[EVICT_POOL]; /* the stalest last */
    unsigned count;
    unsigned next_db;          /* random policies take the databases in turns */
    bool unfinished;           /* the time for one go was over before there was room */
    int64_t exceeded_since_us; /* memory has been above the limit since; 0: it is not */
    int64_t exceeded_us;       /* how long it was in earlier times */
};

struct evict_pool *evict_new(void)
{
    return RG_NEW(struct evict_pool);
}

static void evict_forget(struct evict_pool *pool, unsigned index)
{
    rg_free(pool->items[index].key);
    pool->count--;
    memmove(&pool->items[index], &pool->items[index + 1],
            (pool->count - index) * sizeof(pool->items[0]));
}

void evict_free(struct evict_pool *pool)
{
    if (pool == NULL)
        return;
    while (pool->count > 0)
        evict_forget(pool, pool->count - 1);
    rg_free(pool);
}

/* ---- The choice ---- */

static bool evict_is_volatile(const struct rg_node *node)
{
    return node->config->maxmemory_policy <= RG_POLICY_VOLATILE_TTL;
}

static uint64_t evict_db_count(const struct rg_node *node, const struct rg_db *db)
{
    return evict_is_volatile(node) ? rg_db_count_expiring(db) : rg_db_count(db);
}

static uint64_t evict_count(const struct rg_node *node)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < rg_store_databases(node->store); i++)
        count += evict_db_count(node, rg_store_db(node->store, i));
    return count;
}

static struct rg_entry *evict_draw(struct rg_node *node, struct rg_db *db)
{
    return evict_is_volatile(node) ? rg_db_random_expiring(db, &node->rand)
                                   : rg_db_random(db, &node->rand);
}

static void evict_offer(struct evict_pool *pool, unsigned db, struct rg_bytes key,
                        uint64_t staleness)
{
    unsigned at = 0;

    while (at < pool->count && pool->items[at].staleness < staleness)
        at++;
    if (pool->count == EVICT_POOL) {
        if (at == 0)
            return; /* fresher than all that are there */
        evict_forget(pool, 0);
        at--;
    }
    memmove(&pool->items[at + 1], &pool->items[at], (pool->count - at) * sizeof(pool->items[0]));
    pool->items[at] = (struct evict_candidate){
        .staleness = staleness,
        .db = db,
        .key = rg_alloc_copy(key.data, key.len),
        .key_len = key.len,
    };
    pool->count++;
}

static void evict_sample(struct rg_node *node, unsigned index)
{
    struct rg_db *db = rg_store_db(node->store, index);
    uint64_t samples = (uint64_t)node->config->maxmemory_samples;

    if (evict_db_count(node, db) < samples)
        samples = evict_db_count(node, db);
    for (uint64_t i = 0; i < samples; i++) {
        struct rg_entry *entry = evict_draw(node, db);
        evict_offer(node->evict, index, rg_entry_key(entry),
                    rg_access_staleness(&node->access, rg_entry_access(entry), node->now.mono_us));
    }
}

static bool evict_still_there(const struct rg_node *node, const struct evict_candidate *candidate)
{
    struct rg_db *db = NULL;

    if (candidate->db >= rg_store_databases(node->store))
        return false;
    db = rg_store_db(node->store, candidate->db);
    const struct rg_entry *entry = rg_db_find(db, rg_bytes(candidate->key, candidate->key_len));
    return entry != NULL && (!evict_is_volatile(node) || rg_entry_expire_ms(entry) != RG_NO_EXPIRY);
}

/* Evicts the stalest key known. False: there is none. */
static bool evict_stalest(struct rg_node *node, struct rg_cmd_ctx *ctx)
{
    struct evict_pool *pool = node->evict;

    do {
        for (unsigned i = 0; i < rg_store_databases(node->store); i++)
            evict_sample(node, i);
        while (pool->count > 0) {
            struct evict_candidate best = pool->items[pool->count - 1];
            bool there = evict_still_there(node, &best);
            if (there)
                rg_cmd_evict(ctx, best.db, rg_bytes(best.key, best.key_len));
            evict_forget(pool, pool->count - 1);
            if (there)
                return true;
        }
        /* All that were kept had gone meanwhile: others are drawn, where there are any. */
    } while (evict_count(node) > 0);
    return false;
}

static bool evict_earliest(struct rg_node *node, struct rg_cmd_ctx *ctx)
{
    int64_t earliest = RG_NO_EXPIRY;
    unsigned best = 0;

    for (unsigned i = 0; i < rg_store_databases(node->store); i++) {
        int64_t next = rg_db_next_expire_ms(rg_store_db(node->store, i));
        if (next == RG_NO_EXPIRY || (earliest != RG_NO_EXPIRY && next >= earliest))
            continue;
        earliest = next;
        best = i;
    }
    if (earliest == RG_NO_EXPIRY)
        return false;
    rg_cmd_evict(ctx, best, rg_entry_key(rg_db_due(rg_store_db(node->store, best), INT64_MAX)));
    return true;
}

static bool evict_random(struct rg_node *node, struct rg_cmd_ctx *ctx)
{
    unsigned databases = rg_store_databases(node->store);

    for (unsigned i = 0; i < databases; i++) {
        unsigned index = node->evict->next_db++ % databases;
        struct rg_db *db = rg_store_db(node->store, index);
        if (evict_db_count(node, db) == 0)
            continue;
        rg_cmd_evict(ctx, index, rg_entry_key(evict_draw(node, db)));
        return true;
    }
    return false;
}

static bool evict_one(struct rg_node *node, struct rg_cmd_ctx *ctx)
{
    switch ((enum rg_maxmemory_policy)node->config->maxmemory_policy) {
    case RG_POLICY_NOEVICTION:
        return false;
    case RG_POLICY_VOLATILE_TTL:
        return evict_earliest(node, ctx);
    case RG_POLICY_VOLATILE_RANDOM:
    case RG_POLICY_ALLKEYS_RANDOM:
        return evict_random(node, ctx);
    case RG_POLICY_VOLATILE_LRU:
    case RG_POLICY_VOLATILE_LFU:
    case RG_POLICY_ALLKEYS_LRU:
    case RG_POLICY_ALLKEYS_LFU:
        return evict_stalest(node, ctx);
    }
    return false;
}

/* ---- The run ---- */

static bool evict_is_over(const struct rg_node *node)
{
    return node->config->maxmemory > 0 && node_memory(node) > (uint64_t)node->config->maxmemory;
}

static void evict_note_exceeded(struct rg_node *node, bool exceeded)
{
    struct evict_pool *pool = node->evict;

    if (exceeded && pool->exceeded_since_us == 0) {
        pool->exceeded_since_us = node->now.mono_us;
    } else if (!exceeded && pool->exceeded_since_us != 0) {
        pool->exceeded_us += node->now.mono_us - pool->exceeded_since_us;
        pool->exceeded_since_us = 0;
    }
}

/* How long one go may take by maxmemory-eviction-tenacity: half a millisecond at 10, as Redis. */
static int64_t evict_limit_us(const struct rg_node *node)
{
    enum { US_PER_STEP = 50, LINEAR = 10, FOR_EVER = 100 };
    int64_t tenacity = node->config->maxmemory_eviction_tenacity;

    if (tenacity >= FOR_EVER)
        return RG_NEVER;
    if (tenacity <= LINEAR)
        return US_PER_STEP * tenacity;
    return (int64_t)(US_PER_STEP * LINEAR * pow(1.15, (double)(tenacity - LINEAR)));
}

/* True where memory is below the limit, or will be after some more goes. */
static bool evict_go(struct rg_node *node)
{
    struct rg_cmd_ctx ctx = node_upkeep_ctx(node, 0);
    int64_t began_us = node_measure_us(node);
    int64_t limit_us = evict_limit_us(node);
    bool room = true;

    node->evict->unfinished = false;
    for (unsigned done = 1; evict_is_over(node); done++) {
        if (!evict_one(node, &ctx)) {
            room = false;
            break;
        }
        if (done % EVICT_LOOK_AT_CLOCK == 0 && node_measure_us(node) - began_us > limit_us) {
            node->evict->unfinished = evict_is_over(node);
            break;
        }
    }
    node_upkeep_done(node);
    latency_event(node, LATENCY_EVICTION_CYCLE, node_measure_us(node) - began_us);
    return room;
}

bool evict_make_room(struct rg_node *node)
{
    bool room = true;

    if (!node_expires_keys(node))
        return true; /* what a pause or a hand-over holds back is not changed here either */
    if (evict_is_over(node))
        room = evict_go(node);
    evict_note_exceeded(node, node->evict->unfinished || !room);
    return room;
}

void evict_run(struct rg_node *node)
{
    if (node->evict->unfinished && node_is_primary(node))
        (void)evict_make_room(node);
}

int64_t evict_deadline(const struct rg_node *node)
{
    return node->evict->unfinished && node_expires_keys(node) ? node->now.mono_us : RG_NEVER;
}

int64_t evict_exceeded_us(const struct rg_node *node, bool total)
{
    const struct evict_pool *pool = node->evict;
    int64_t now_us = pool->exceeded_since_us != 0 ? node->now.mono_us - pool->exceeded_since_us : 0;

    return total ? pool->exceeded_us + now_us : now_us;
}
