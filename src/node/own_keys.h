#ifndef RG_NODE_OWN_KEYS_H
#define RG_NODE_OWN_KEYS_H

#include "node/node_impl.h"

/*
 * Keys that clients of a writable replica gave an expiry: no primary will ever say that they are to
 * go, so the replica deletes them itself. What came from the primary waits for the primary's word.
 */

/* A command of a client changed something here. */
void own_keys_note(const struct rg_call *call);
/* Deletes those whose time has come, some at a time. */
void own_keys_cron(struct rg_node *node);
/* The data set is another one, or this node expires all keys by itself from now on. */
void own_keys_forget(struct rg_node *node);
uint64_t own_keys_count(const struct rg_node *node);

#endif
