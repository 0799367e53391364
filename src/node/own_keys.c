#include "node/own_keys.h"

#include "node/blocked.h"
#include "node/notify.h"

/*
 * The names are entries without a value in a store of their own, with the expiry that the key had
 * when it was noted: its index says which is due first. What the key is by then, the data set says.
 */

enum { OWN_KEYS_A_COMMAND = 64, OWN_KEYS_A_CRON = 200 };

static void own_keys_put(struct rg_node *node, unsigned db, struct rg_bytes key, int64_t at_ms)
{
    struct rg_store_limits limits = node_store_limits(node);

    if (node->own_keys == NULL)
        node->own_keys =
            rg_store_new((unsigned)node->config->databases, rg_rand_u64(&node->rand), &limits);
    struct rg_db *names = rg_store_db(node->own_keys, db);
    struct rg_entry *name = rg_db_find(names, key);
    if (name == NULL)
        name = rg_db_put_string(names, key, RG_BYTES(""));
    rg_entry_set_expire_ms(names, &name, at_ms);
}

void own_keys_note(const struct rg_call *call)
{
    struct rg_node *node = call->node;
    struct rg_key_use keys[OWN_KEYS_A_COMMAND];
    struct rg_db *db = rg_store_db(node->store, call->conn->db);
    int count = rg_cmd_keys(call->command, call->argv, call->argc, keys, OWN_KEYS_A_COMMAND);

    for (int i = 0; i < count && i < OWN_KEYS_A_COMMAND; i++) {
        struct rg_bytes key = call->argv[keys[i].position];
        const struct rg_entry *entry = rg_db_find(db, key);
        if (entry != NULL && rg_entry_expire_ms(entry) != RG_NO_EXPIRY)
            own_keys_put(node, call->conn->db, key, rg_entry_expire_ms(entry));
    }
}

/* The name is due: the key goes, where it is due as well. */
static void own_keys_expire(struct rg_node *node, unsigned db, struct rg_entry *name)
{
    struct rg_bytes key = rg_entry_key(name);
    const struct rg_entry *entry = rg_db_find(rg_store_db(node->store, db), key);
    int64_t at_ms = entry != NULL ? rg_entry_expire_ms(entry) : RG_NO_EXPIRY;

    if (at_ms != RG_NO_EXPIRY && at_ms > rg_entry_expire_ms(name)) {
        rg_entry_set_expire_ms(rg_store_db(node->own_keys, db), &name, at_ms);
        return;
    }
    if (at_ms != RG_NO_EXPIRY) {
        struct rg_cmd_ctx ctx = node_upkeep_ctx(node, db);
        rg_cmd_expire(&ctx, db, key);
        rg_propagation_reset(&node->propagation); /* nobody else has it */
        notify_deliver(node, NULL);
        blocked_serve(node);
    }
    (void)rg_db_delete(rg_store_db(node->own_keys, db), key);
}

void own_keys_cron(struct rg_node *node)
{
    int64_t now_ms = node->now.wall_us / RG_MS_US;

    if (node->own_keys == NULL || !node->config->active_expire)
        return;
    for (unsigned db = 0; db < rg_store_databases(node->own_keys); db++) {
        for (unsigned n = 0; n < OWN_KEYS_A_CRON; n++) {
            struct rg_entry *name = rg_db_due(rg_store_db(node->own_keys, db), now_ms - 1);
            if (name == NULL)
                break;
            own_keys_expire(node, db, name);
        }
    }
    if (own_keys_count(node) == 0)
        own_keys_forget(node);
}

void own_keys_forget(struct rg_node *node)
{
    rg_store_free(node->own_keys);
    node->own_keys = NULL;
}

uint64_t own_keys_count(const struct rg_node *node)
{
    return node->own_keys != NULL ? rg_store_count(node->own_keys) : 0;
}
