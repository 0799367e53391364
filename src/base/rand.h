#ifndef RG_BASE_RAND_H
#define RG_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

/*
 * xoshiro256** (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators"), seeded by
 * splitmix64. The seed is an input: the host draws it from the system, the simulator from its own.
 * Not for secrets.
 */
struct rg_rand {
    uint64_t s[4];
};

void rg_rand_init(struct rg_rand *rand, uint64_t seed);
uint64_t rg_rand_u64(struct rg_rand *rand);
/* Uniform in [0, bound); bound is at least 1. */
uint64_t rg_rand_below(struct rg_rand *rand, uint64_t bound);
/* Uniform in [0, 1). */
double rg_rand_unit(struct rg_rand *rand);
/* Writes len lower-case hexadecimal digits and a zero byte. */
void rg_rand_hex(struct rg_rand *rand, char *out, size_t len);

#endif
