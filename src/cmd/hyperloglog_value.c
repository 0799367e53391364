#include "cmd/hyperloglog_value.h"

#include <math.h>

#include "base/panic.h"

enum {
    ENCODING_AT = 4,
    ENCODING_DENSE = 0,
    ENCODING_SPARSE = 1,
    INDEX_BITS = 14,
    HASH_BITS = 64 - INDEX_BITS, /* the highest value of a register is one more */
};

/* ---- The header ---- */

bool rg_hll_is_valid(struct rg_bytes bytes)
{
    if (bytes.len < RG_HLL_HEADER_BYTES || memcmp(bytes.data, "HYLL", ENCODING_AT) != 0)
        return false;
    if (bytes.data[ENCODING_AT] == ENCODING_SPARSE)
        return true;
    return bytes.data[ENCODING_AT] == ENCODING_DENSE && bytes.len == RG_HLL_DENSE_BYTES;
}

bool rg_hll_is_sparse(struct rg_bytes bytes)
{
    return bytes.data[ENCODING_AT] == ENCODING_SPARSE;
}

bool rg_hll_cached(struct rg_bytes bytes, uint64_t *ret_count)
{
    const unsigned char *at = (const unsigned char *)bytes.data + RG_HLL_CACHE_AT;
    uint64_t count = 0;

    if (at[RG_HLL_CACHE_BYTES - 1] & 0x80)
        return false;
    for (int i = RG_HLL_CACHE_BYTES - 1; i >= 0; i--)
        count = count << 8 | at[i];
    *ret_count = count;
    return true;
}

void rg_hll_cache_write(char out[RG_HLL_CACHE_BYTES], uint64_t count)
{
    for (int i = 0; i < RG_HLL_CACHE_BYTES; i++)
        out[i] = (char)(count >> (8 * i));
}

void rg_hll_empty_write(char *out)
{
    static const unsigned char all_zeroes[] = {0x40 | (RG_HLL_REGISTERS - 1) >> 8, 0xff};

    memset(out, 0, RG_HLL_HEADER_BYTES);
    memcpy(out, "HYLL", ENCODING_AT);
    out[ENCODING_AT] = ENCODING_SPARSE;
    memcpy(out + RG_HLL_HEADER_BYTES, all_zeroes, sizeof(all_zeroes));
}

/* ---- Elements ---- */

/*
 * MurmurHash64A (Austin Appleby), which the format stands on: another hash would count an element
 * twice that was added on another server.
 */
static uint64_t element_hash(struct rg_bytes element)
{
    const uint64_t multiplier = UINT64_C(0xc6a4a7935bd1e995);
    const uint64_t seed = 0xadc83b19;
    const unsigned char *at = (const unsigned char *)element.data;
    uint64_t hash = seed ^ (element.len * multiplier);
    size_t left = element.len;

    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word = 0;
        for (int i = 7; i >= 0; i--)
            word = word << 8 | at[i];
        word *= multiplier;
        word ^= word >> 47;
        hash = (hash ^ word * multiplier) * multiplier;
    }
    if (left > 0) {
        uint64_t word = 0;
        while (left > 0)
            word = word << 8 | at[--left];
        hash = (hash ^ word) * multiplier;
    }
    hash = (hash ^ hash >> 47) * multiplier;
    return hash ^ hash >> 47;
}

void rg_hll_place(struct rg_bytes element, unsigned *ret_index, unsigned *ret_value)
{
    uint64_t hash = element_hash(element);

    *ret_index = (unsigned)(hash & (RG_HLL_REGISTERS - 1));
    /* The bit above the hash ends a run of zeroes that would be longer. */
    hash = hash >> INDEX_BITS | UINT64_C(1) << HASH_BITS;
    *ret_value = (unsigned)__builtin_ctzll(hash) + 1;
}

/* ---- Registers ---- */

unsigned rg_hll_dense_get(const char *dense, unsigned index)
{
    const unsigned char *at =
        (const unsigned char *)dense + RG_HLL_HEADER_BYTES + index * RG_HLL_BITS / 8;
    unsigned shift = index * RG_HLL_BITS % 8;
    unsigned value = (unsigned)at[0] >> shift;

    if (shift > 8 - RG_HLL_BITS)
        value |= (unsigned)at[1] << (8 - shift);
    return value & (RG_HLL_VALUES - 1);
}

void rg_hll_dense_set(char *dense, unsigned index, unsigned value)
{
    unsigned char *at = (unsigned char *)dense + RG_HLL_HEADER_BYTES + index * RG_HLL_BITS / 8;
    unsigned shift = index * RG_HLL_BITS % 8;
    unsigned mask = RG_HLL_VALUES - 1;

    RG_ASSERT(value <= mask);
    at[0] = (unsigned char)((at[0] & ~(mask << shift)) | value << shift);
    if (shift > 8 - RG_HLL_BITS)
        at[1] = (unsigned char)((at[1] & ~(mask >> (8 - shift))) | value >> (8 - shift));
}

void rg_hll_dense_read(const char *dense, uint8_t ret_registers[RG_HLL_REGISTERS])
{
    const unsigned char *at = (const unsigned char *)dense + RG_HLL_HEADER_BYTES;
    unsigned mask = RG_HLL_VALUES - 1;

    /* Three bytes are four registers. */
    for (unsigned i = 0; i < RG_HLL_REGISTERS; i += 4, at += 3) {
        unsigned bits = at[0] | (unsigned)at[1] << 8 | (unsigned)at[2] << 16;
        ret_registers[i] = (uint8_t)(bits & mask);
        ret_registers[i + 1] = (uint8_t)(bits >> RG_HLL_BITS & mask);
        ret_registers[i + 2] = (uint8_t)(bits >> 2 * RG_HLL_BITS & mask);
        ret_registers[i + 3] = (uint8_t)(bits >> 3 * RG_HLL_BITS & mask);
    }
}

struct rg_hll_run rg_hll_run_read(struct rg_bytes left)
{
    unsigned first = (unsigned char)left.data[0];

    if (first & 0x80)
        return (struct rg_hll_run){(first >> 2 & 0x1f) + 1, (first & 3) + 1, 1};
    if (!(first & 0x40))
        return (struct rg_hll_run){0, (first & 0x3f) + 1, 1};
    unsigned second = left.len > 1 ? (unsigned char)left.data[1] : 0;
    return (struct rg_hll_run){0, ((first & 0x3f) << 8 | second) + 1, 2};
}

static struct rg_bytes rest_of(struct rg_bytes bytes, size_t size)
{
    return size < bytes.len ? rg_bytes(bytes.data + size, bytes.len - size) : RG_BYTES("");
}

int rg_hll_merge(struct rg_bytes bytes, uint8_t max[RG_HLL_REGISTERS])
{
    uint8_t registers[RG_HLL_REGISTERS];
    unsigned index = 0;

    if (!rg_hll_is_sparse(bytes)) {
        rg_hll_dense_read(bytes.data, registers);
        for (unsigned i = 0; i < RG_HLL_REGISTERS; i++)
            max[i] = registers[i] > max[i] ? registers[i] : max[i];
        return 0;
    }
    struct rg_bytes left = rest_of(bytes, RG_HLL_HEADER_BYTES);
    while (left.len > 0) {
        struct rg_hll_run run = rg_hll_run_read(left);
        if (run.len > RG_HLL_REGISTERS - index)
            return RG_EPROTO;
        for (; run.len > 0; run.len--, index++) {
            if (run.value > max[index])
                max[index] = (uint8_t)run.value;
        }
        left = rest_of(left, run.size);
    }
    return index == RG_HLL_REGISTERS ? 0 : RG_EPROTO;
}

void rg_hll_count(const uint8_t registers[RG_HLL_REGISTERS], unsigned counts[RG_HLL_VALUES])
{
    /* Neighbours are often equal, and one count would wait for the other's. */
    unsigned odd[RG_HLL_VALUES] = {0};

    for (unsigned i = 0; i < RG_HLL_REGISTERS; i += 2) {
        counts[registers[i]]++;
        odd[registers[i + 1]]++;
    }
    for (unsigned value = 0; value < RG_HLL_VALUES; value++)
        counts[value] += odd[value];
}

int rg_hll_histogram(struct rg_bytes bytes, unsigned counts[RG_HLL_VALUES])
{
    uint8_t dense[RG_HLL_REGISTERS];
    uint64_t registers = 0;

    memset(counts, 0, RG_HLL_VALUES * sizeof(*counts));
    if (!rg_hll_is_sparse(bytes)) {
        rg_hll_dense_read(bytes.data, dense);
        rg_hll_count(dense, counts);
        return 0;
    }
    struct rg_bytes left = rest_of(bytes, RG_HLL_HEADER_BYTES);
    while (left.len > 0) {
        struct rg_hll_run run = rg_hll_run_read(left);
        counts[run.value] += run.len;
        registers += run.len;
        left = rest_of(left, run.size);
    }
    return registers == RG_HLL_REGISTERS ? 0 : RG_EPROTO;
}

/* ---- Cardinality ---- */

/* The sum x + sum over k of x^(2^k) * 2^(k-1), which takes the place of registers that are zero. */
static double estimate_sigma(double x)
{
    double previous = 0;
    double factor = 1;
    double sum = x;

    if (x == 1.0)
        return INFINITY;
    do {
        x *= x;
        previous = sum;
        sum += x * factor;
        factor += factor;
    } while (previous != sum);
    return sum;
}

/* The same for registers that are full. */
static double estimate_tau(double x)
{
    double previous = 0;
    double factor = 1;
    double sum = 1 - x;

    if (x == 0.0 || x == 1.0)
        return 0;
    do {
        x = sqrt(x);
        previous = sum;
        factor *= 0.5;
        sum -= pow(1 - x, 2) * factor;
    } while (previous != sum);
    return sum / 3;
}

uint64_t rg_hll_estimate(const unsigned counts[RG_HLL_VALUES])
{
    const double alpha = 0.721347520444481703680; /* 1 / (2 ln 2) */
    const double m = RG_HLL_REGISTERS;
    double sum = m * estimate_tau((m - counts[HASH_BITS + 1]) / m);

    for (int value = HASH_BITS; value >= 1; value--)
        sum = (sum + counts[value]) * 0.5;
    sum += m * estimate_sigma(counts[0] / m);
    return (uint64_t)llround(alpha * m * m / sum);
}
