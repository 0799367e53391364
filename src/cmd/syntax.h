#ifndef RG_CMD_SYNTAX_H
#define RG_CMD_SYNTAX_H

#include "base/bytes.h"
#include "base/error.h"

/*
 * The syntax column of the command table, read into a tree for COMMAND DOCS. The grammar stands at
 * the top of commands.def. Private to the layer.
 */
enum rg_syntax_kind {
    RG_SYNTAX_ARG,   /* a value the user gives */
    RG_SYNTAX_TOKEN, /* a word as it stands */
    RG_SYNTAX_BLOCK, /* several in order */
    RG_SYNTAX_ONEOF, /* one of several */
};

struct rg_syntax_node {
    enum rg_syntax_kind kind;
    struct rg_bytes name;  /* of ARG and TOKEN */
    struct rg_bytes type;  /* of ARG, where written; otherwise data is NULL */
    struct rg_bytes token; /* in front of it; data NULL for none */
    bool optional;
    bool multiple;
    int first; /* child, or -1 */
    int next;  /* sibling, or -1 */
};

enum { RG_SYNTAX_MAX_NODES = 96 };

struct rg_syntax {
    struct rg_syntax_node nodes[RG_SYNTAX_MAX_NODES];
    int count;
    int first; /* of the top level, or -1 */
};

/* Errors: RG_EINVAL (brackets that do not match), RG_ELIMIT (too many nodes). */
RG_MUST_USE int rg_syntax_parse(struct rg_bytes text, struct rg_syntax *ret_syntax);

/* How many siblings there are from node on. */
int rg_syntax_siblings(const struct rg_syntax *syntax, int node);

#endif
