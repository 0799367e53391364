#ifndef RG_IO_LOCAL_H
#define RG_IO_LOCAL_H

#include <stdbool.h>

/*
 * Does host (a name or a numeric address) lead to this machine? A name is resolved, which may take
 * as long as the resolver does: for the start of a program only.
 */
bool rg_local_is(const char *host);
/* Do two hosts have an address in common? */
bool rg_local_same(const char *a, const char *b);

#endif
