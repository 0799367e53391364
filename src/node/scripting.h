#ifndef RG_NODE_SCRIPTING_H
#define RG_NODE_SCRIPTING_H

#include "node/node_impl.h"

/* What EVAL (script.c) and the running of commands (dispatch.c) know of each other. */

/* ---- dispatch.c ---- */
/* Runs one command of a script. False: it may not be run; the error is replied. */
struct dispatch_script {
    bool reads_only;
    bool out_of_memory; /* as it was when the script began, and it may not go on all the same */
    bool allows_stale;
};
bool dispatch_scripted(struct rg_call *call, const struct dispatch_script *script);
/* Why a script that declared whether it writes, and is not to be refused later on, cannot begin. */
const char *dispatch_script_refusal(const struct rg_node *node, bool writes, bool allows_stale);

/* ---- script.c ---- */
void scripts_free(struct rg_node_scripts *scripts);
struct rg_scripts_use {
    uint64_t vm_bytes;    /* of the interpreter */
    uint64_t cache_bytes; /* of the texts in the cache, and what is known of them */
    unsigned count;
};
/* scripts may be NULL. */
struct rg_scripts_use scripts_use(const struct rg_node_scripts *scripts);

#endif
