#ifndef RG_TOOL_NODE_TABLE_H
#define RG_TOOL_NODE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/*
 * A list of nodes {id, ip, port, type, slaves}, and the rule that makes one of them the master of
 * all others: the master with the lowest id stays it; where there is none, the node with the lowest
 * id becomes it. The words are those of the list's format: a type is "master" or "slave" ("primary"
 * and "replica" are taken too), slaves are ids.
 */

struct rg_table_node {
    int64_t id;
    char *ip; /* owned */
    uint16_t port;
    bool master;
    size_t slaves; /* how many slaves the list gave it; afterwards: how many it has */
};

struct rg_node_table {
    struct rg_table_node *nodes; /* owned; in the order of their ids */
    size_t count;
};

enum rg_election_outcome {
    RG_ELECTION_KEPT,    /* there was one master, and it stays */
    RG_ELECTION_CHOSEN,  /* there was none */
    RG_ELECTION_SETTLED, /* there were several */
};

/*
 * Reads the list: an array of nodes, or an object with such an array as its "nodes". Errors:
 * RG_EINVAL; ret_error says where and what is wrong: no JSON, no node, a field missing or of the
 * wrong kind, an unknown type, an id twice, a slave that is not in the list.
 */
RG_MUST_USE int rg_node_table_parse(const char *text, size_t len, struct rg_node_table *ret_table,
                                    struct rg_buf *ret_error);
void rg_node_table_fini(struct rg_node_table *table);

/* Applies the rule; ret_master is the index of the one that is master then. */
enum rg_election_outcome rg_node_table_elect(struct rg_node_table *table, size_t *ret_master);

/* The table for a person, and as JSON in the form in which it came. */
void rg_node_table_print(struct rg_buf *out, const struct rg_node_table *table);
void rg_node_table_json(struct rg_buf *out, const struct rg_node_table *table);

#endif
