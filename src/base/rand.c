#include "base/rand.h"

#include "base/panic.h"

static uint64_t rand_splitmix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rand_rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void rg_rand_init(struct rg_rand *rand, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        rand->s[i] = rand_splitmix(&seed);
}

uint64_t rg_rand_u64(struct rg_rand *rand)
{
    uint64_t *s = rand->s;
    uint64_t result = rand_rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rand_rotl(s[3], 45);
    return result;
}

uint64_t rg_rand_below(struct rg_rand *rand, uint64_t bound)
{
    RG_ASSERT(bound > 0);
    /* Draws below the largest multiple of bound, so that no value is favoured. */
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t x = rg_rand_u64(rand);
    while (x >= limit)
        x = rg_rand_u64(rand);
    return x % bound;
}

double rg_rand_unit(struct rg_rand *rand)
{
    return (double)(rg_rand_u64(rand) >> 11) * 0x1.0p-53;
}

void rg_rand_hex(struct rg_rand *rand, char *out, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t bits = 0;

    for (size_t i = 0; i < len; i++) {
        if (i % 16 == 0)
            bits = rg_rand_u64(rand);
        out[i] = digits[bits & 15];
        bits >>= 4;
    }
    out[len] = '\0';
}
