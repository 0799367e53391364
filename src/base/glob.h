#ifndef RG_BASE_GLOB_H
#define RG_BASE_GLOB_H

#include "base/bytes.h"

/*
 * Redis' glob: * ? [abc] [a-z] [^…] and \ to escape, over bytes. Time is bounded by the product of
 * the two lengths whatever the pattern.
 */
bool rg_glob_match(struct rg_bytes pattern, struct rg_bytes text, bool nocase);

#endif
