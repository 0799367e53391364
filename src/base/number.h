#ifndef RG_BASE_NUMBER_H
#define RG_BASE_NUMBER_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/* Room for any 64-bit integer in decimal with sign and a zero byte. */
enum { RG_I64_CHARS = 21, RG_DOUBLE_CHARS = 128, RG_LONG_DOUBLE_CHARS = 5120 };

/*
 * Exactly the decimal form that rg_format_i64 writes: no spaces, no plus sign, no leading zeros, no
 * "-0". Errors: RG_EINVAL, also out of range.
 */
RG_MUST_USE int rg_parse_i64(struct rg_bytes text, int64_t *ret_value);
RG_MUST_USE int rg_parse_u64(struct rg_bytes text, uint64_t *ret_value);
size_t rg_format_i64(char *out, int64_t value);
size_t rg_format_u64(char *out, uint64_t value);

/*
 * What C's strtod/strtold read over the whole text, inf included, but neither leading spaces nor
 * NaN, as Redis takes floats. Errors: RG_EINVAL.
 */
RG_MUST_USE int rg_parse_double(struct rg_bytes text, double *ret_value);
RG_MUST_USE int rg_parse_long_double(struct rg_bytes text, long double *ret_value);

/* As Redis 7 replies doubles: "%.17g", integers without a point, "inf", "-inf", "nan". */
size_t rg_format_double(char out[RG_DOUBLE_CHARS], double value);
/* "%.17Lf" without trailing zeros or point, and 0 for -0, as INCRBYFLOAT stores its result. */
size_t rg_format_long_double(char out[RG_LONG_DOUBLE_CHARS], long double value);

/*
 * A size with a unit as redis.conf takes it: b, k, kb, m, mb, g, gb in either case (k is 1000, kb
 * is 1024), or none. Errors: RG_EINVAL.
 */
RG_MUST_USE int rg_parse_memory(struct rg_bytes text, uint64_t *ret_bytes);

#endif
