#ifndef RG_CMD_HYPERLOGLOG_VALUE_H
#define RG_CMD_HYPERLOGLOG_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/*
 * A HyperLogLog as the bytes of a string, in Redis' format, so that its value can be copied from
 * one server to the other:
 *
 *   "HYLL" | encoding | three zero bytes | cardinality, 8 bytes, lowest first | registers
 *
 * The highest bit of the cardinality says that it is out of date. There are 16384 registers of six
 * bits. Dense, they stand one after the other, each byte filled from its lowest bit. Sparse, they
 * are runs of equal registers:
 *
 *   00xxxxxx           x + 1 zeroes
 *   01xxxxxx yyyyyyyy  xy + 1 zeroes
 *   1vvvvvxx           x + 1 times v + 1
 *
 * The estimate is Otmar Ertl's ("New cardinality estimation algorithms for HyperLogLog sketches",
 * 2017). Private to the layer.
 */
enum {
    RG_HLL_REGISTERS = 1 << 14,
    RG_HLL_BITS = 6,
    RG_HLL_HEADER_BYTES = 16,
    RG_HLL_DENSE_BYTES = RG_HLL_HEADER_BYTES + RG_HLL_REGISTERS * RG_HLL_BITS / 8,
    RG_HLL_EMPTY_BYTES = RG_HLL_HEADER_BYTES + 2,
    RG_HLL_VALUES = 1 << RG_HLL_BITS,
};

/* ---- The header ---- */

/* Whether it begins as a HyperLogLog does and is as long as its encoding wants. */
bool rg_hll_is_valid(struct rg_bytes bytes);
bool rg_hll_is_sparse(struct rg_bytes bytes);
/* False where the cardinality in the header is out of date. */
bool rg_hll_cached(struct rg_bytes bytes, uint64_t *ret_count);
/* The eight bytes that keep a cardinality, or that say that there is none. */
enum { RG_HLL_CACHE_AT = 8, RG_HLL_CACHE_BYTES = 8 };
void rg_hll_cache_write(char out[RG_HLL_CACHE_BYTES], uint64_t count);
static inline char rg_hll_stale_byte(char highest)
{
    return (char)(highest | (char)0x80);
}
/* A sparse one without elements: RG_HLL_EMPTY_BYTES. */
void rg_hll_empty_write(char *out);

/* ---- Registers ---- */

/* The register that an element falls into, and the value it asks for. */
void rg_hll_place(struct rg_bytes element, unsigned *ret_index, unsigned *ret_value);
/* Of RG_HLL_DENSE_BYTES. */
unsigned rg_hll_dense_get(const char *dense, unsigned index);
void rg_hll_dense_set(char *dense, unsigned index, unsigned value);
/* All registers of such a one. */
void rg_hll_dense_read(const char *dense, uint8_t ret_registers[RG_HLL_REGISTERS]);
/*
 * Raises max[i] to the register i of each. Errors: RG_EPROTO (the runs are not RG_HLL_REGISTERS
 * long).
 */
RG_MUST_USE int rg_hll_merge(struct rg_bytes bytes, uint8_t max[RG_HLL_REGISTERS]);

/* ---- Cardinality, from how many registers have each value ---- */

/* Adds to the counts. */
void rg_hll_count(const uint8_t registers[RG_HLL_REGISTERS], unsigned counts[RG_HLL_VALUES]);
/* Errors: RG_EPROTO, as above. */
RG_MUST_USE int rg_hll_histogram(struct rg_bytes bytes, unsigned counts[RG_HLL_VALUES]);
uint64_t rg_hll_estimate(const unsigned counts[RG_HLL_VALUES]);

/* ---- Changing a sparse one ---- */

/* A value that is worked on, outside of the store. It may become dense on the way. */
struct rg_hll_work {
    char *bytes; /* owned, where it is not small */
    size_t len;
    size_t cap;
    size_t sparse_max; /* hll-sparse-max-bytes: a longer one becomes dense */
    char small[RG_HLL_DENSE_BYTES + 4096];
};

/* Begins with the bytes, and room for so many changes. */
void rg_hll_work_init(struct rg_hll_work *work, struct rg_bytes bytes, size_t changes,
                      size_t sparse_max);
void rg_hll_work_fini(struct rg_hll_work *work);
/*
 * Raises a register. Returns 1 where it changed, 0 where it is not less. Errors: RG_EPROTO (the
 * runs are not RG_HLL_REGISTERS long).
 */
RG_MUST_USE int rg_hll_work_raise(struct rg_hll_work *work, unsigned index, unsigned value);
/* Errors: RG_EPROTO. */
RG_MUST_USE int rg_hll_work_to_dense(struct rg_hll_work *work);
void rg_hll_work_make_stale(struct rg_hll_work *work);

/* A run of equal registers at the front of what is left of a sparse one. */
struct rg_hll_run {
    unsigned value;
    unsigned len;
    unsigned size; /* bytes it takes */
};
/* left is not empty. The second byte of a torn run counts as zero. */
struct rg_hll_run rg_hll_run_read(struct rg_bytes left);

#endif
