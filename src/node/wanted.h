#ifndef RG_NODE_WANTED_H
#define RG_NODE_WANTED_H

#include "node/node_impl.h"

/*
 * The keys whose changes matter to somebody, of all databases: a connection watches them (watch.c)
 * or waits for them (blocked.c). A key is here as long as it has one of the two.
 */
struct wanted_key {
    struct rg_list bucket;
    struct rg_list all;      /* in the order they became wanted, so that walks repeat */
    struct rg_list watchers; /* of struct watch */
    struct rg_list waiters;  /* of struct wait_key, first come, first served */
    struct rg_list ready;    /* it changed, and its waiters are to be tried */
    unsigned db;
    bool existed; /* before a command that changes whole databases */
    size_t len;
    char key[];
};

/* All of them; walked with RG_LIST_EACH over wanted_all. */
struct rg_list *wanted_all(struct rg_node *node);
/* NULL where nobody wants it. */
struct wanted_key *wanted_find(const struct rg_node *node, unsigned db, struct rg_bytes key);
/* Borrowed; wanted_release ends it where nobody was entered. */
struct wanted_key *wanted_get(struct rg_node *node, unsigned db, struct rg_bytes key);
/* Frees the key where nobody wants it any more. */
void wanted_release(struct rg_node *node, struct wanted_key *key);

static inline struct rg_bytes wanted_name(const struct wanted_key *key)
{
    return rg_bytes(key->key, key->len);
}

/* The key as the store has it now; past its time or not. NULL: it is not there. */
struct rg_entry *wanted_entry(const struct rg_node *node, const struct wanted_key *key);

#endif
