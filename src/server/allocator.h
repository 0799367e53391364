#ifndef RG_SERVER_ALLOCATOR_H
#define RG_SERVER_ALLOCATOR_H

#include "base/buf.h"
#include "node/node.h"

/*
 * The allocator that the program runs on: jemalloc where it is linked, otherwise the C library's.
 */

/* "jemalloc-5.3.0", "libc". */
void rg_allocator_name(char *ret_name, size_t size);
/* Fills in what the facts say of it. */
void rg_allocator_facts(struct rg_node_facts *facts);
/* What is freed and kept goes back to the system. */
void rg_allocator_purge(void);

#endif
