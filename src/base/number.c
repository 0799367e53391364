#include "base/number.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/panic.h"

int rg_parse_u64(struct rg_bytes text, uint64_t *ret_value)
{
    uint64_t value = 0;

    enum { SAFE_DIGITS = 19 }; /* no number of so many is too large */

    if (text.len == 0 || text.len > 20 || (text.data[0] == '0' && text.len > 1))
        return RG_EINVAL;
    if (text.len <= SAFE_DIGITS) {
        for (size_t i = 0; i < text.len; i++) {
            unsigned digit = (unsigned)(unsigned char)text.data[i] - '0';
            if (digit > 9)
                return RG_EINVAL;
            value = value * 10 + digit;
        }
        *ret_value = value;
        return 0;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)(unsigned char)text.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return RG_EINVAL;
    }
    *ret_value = value;
    return 0;
}

int rg_parse_i64(struct rg_bytes text, int64_t *ret_value)
{
    uint64_t magnitude = 0;

    if (text.len == 0)
        return RG_EINVAL;
    bool negative = text.data[0] == '-';

    if (rg_parse_u64(rg_bytes(text.data + negative, text.len - negative), &magnitude) < 0)
        return RG_EINVAL;
    if (negative) {
        if (magnitude == 0 || magnitude > (uint64_t)INT64_MAX + 1)
            return RG_EINVAL;
        *ret_value = (int64_t)(0 - magnitude);
        return 0;
    }
    if (magnitude > INT64_MAX)
        return RG_EINVAL;
    *ret_value = (int64_t)magnitude;
    return 0;
}

static const char number_pairs[] = /* 00 to 99 */
    "0001020304050607080910111213141516171819"
    "2021222324252627282930313233343536373839"
    "4041424344454647484950515253545556575859"
    "6061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

static size_t number_digits(uint64_t value)
{
    static const uint64_t tens[] = {
        0,
        10,
        100,
        1000,
        10000,
        100000,
        1000000,
        10000000,
        100000000,
        1000000000,
        10000000000,
        100000000000,
        1000000000000,
        10000000000000,
        100000000000000,
        1000000000000000,
        10000000000000000,
        100000000000000000,
        1000000000000000000,
        10000000000000000000U,
    };
    /* The logarithm to ten from the one to two: 1233 / 4096 is a little more than their ratio. */
    unsigned bits = 64U - (unsigned)__builtin_clzll(value | 1);
    unsigned digits = bits * 1233 >> 12;

    return digits + (value >= tens[digits]);
}

size_t rg_format_u64(char *out, uint64_t value)
{
    size_t n = number_digits(value);
    char *at = out + n;

    *at = '\0';
    for (; value >= 100; value /= 100) {
        at -= 2;
        memcpy(at, &number_pairs[value % 100 * 2], 2);
    }
    if (value >= 10)
        memcpy(at - 2, &number_pairs[value * 2], 2);
    else
        at[-1] = (char)('0' + value);
    return n;
}

size_t rg_format_i64(char *out, int64_t value)
{
    if (value >= 0)
        return rg_format_u64(out, (uint64_t)value);
    out[0] = '-';
    return 1 + rg_format_u64(out + 1, 0 - (uint64_t)value);
}

static bool number_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

int rg_parse_long_double(struct rg_bytes text, long double *ret_value)
{
    char copy[RG_LONG_DOUBLE_CHARS];
    char *end = NULL;

    if (text.len == 0 || text.len >= sizeof(copy) || number_is_space(text.data[0]))
        return RG_EINVAL;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    errno = 0;
    long double value = strtold(copy, &end);
    if (end != copy + text.len || isnan(value))
        return RG_EINVAL;
    if (errno == ERANGE &&
        (value == HUGE_VALL || value == -HUGE_VALL || fpclassify(value) == FP_ZERO))
        return RG_EINVAL;
    *ret_value = value;
    return 0;
}

/*
 * Up to 19 digits with at most 27 of them behind the point, which is nearly every fraction that is
 * written anywhere. Digits and the power of ten are exact in 64 bits, so their quotient is off by
 * half of its last bit at most. Where that may decide how it is rounded to a double: false.
 */
static bool parse_short_decimal(struct rg_bytes text, double *ret_value)
{
#if LDBL_MANT_DIG == 64
    enum { DIGITS = 19, PLACES = 27, BEYOND = 0x7ff, HALF = 0x400 };
    static const long double powers[PLACES + 1] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,
                                                   1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
                                                   1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L,
                                                   1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
    bool negative = text.len > 0 && text.data[0] == '-';
    uint64_t digits = 0;
    unsigned counted = 0; /* digits from the first that is not 0 */
    unsigned places = 0;
    bool point = false;
    bool any = false;

    for (size_t i = negative; i < text.len; i++) {
        unsigned digit = (unsigned)(unsigned char)text.data[i] - '0';
        if (digit > 9) {
            if (text.data[i] != '.' || point)
                return false;
            point = true;
            continue;
        }
        any = true;
        digits = digits * 10 + digit;
        counted += digits > 0;
        places += point;
        if (counted > DIGITS || places > PLACES)
            return false;
    }
    long double quotient = (long double)digits / powers[places];
    uint64_t bits = 0;
    memcpy(&bits, &quotient, sizeof(bits));
    unsigned beyond = bits & BEYOND;
    if (!any || (beyond >= HALF - 1 && beyond <= HALF + 1))
        return false;
    *ret_value = (double)(negative ? -quotient : quotient);
    return true;
#else
    return false;
#endif
}

/* text ends with a zero byte. */
static int parse_double_at(const char *text, size_t len, double *ret_value)
{
    char *end = NULL;

    errno = 0;
    double value = strtod(text, &end);
    if (end != text + len || isnan(value))
        return RG_EINVAL;
    if (errno == ERANGE &&
        (value == HUGE_VAL || value == -HUGE_VAL || fpclassify(value) == FP_ZERO))
        return RG_EINVAL;
    *ret_value = value;
    return 0;
}

int rg_parse_double(struct rg_bytes text, double *ret_value)
{
    enum { EXACT_MAX = 15 }; /* an integer of so many characters is a double as it is */
    char few[512];
    int64_t integer = 0;

    if (text.len <= EXACT_MAX && rg_parse_i64(text, &integer) == 0) {
        *ret_value = (double)integer;
        return 0;
    }
    if (text.len == 0 || number_is_space(text.data[0]))
        return RG_EINVAL;
    if (parse_short_decimal(text, ret_value))
        return 0;
    char *copy = text.len < sizeof(few) ? few : rg_alloc(text.len + 1);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    int result = parse_double_at(copy, text.len, ret_value);
    if (copy != few)
        rg_free(copy);
    return result;
}

size_t rg_format_double(char out[RG_DOUBLE_CHARS], double value)
{
    int len = 0;

    /* Integers of up to 17 digits have neither a point nor an exponent. */
    if (fabs(value) < 1e17 && value == (double)(int64_t)value && !(value == 0 && signbit(value)))
        return rg_format_i64(out, (int64_t)value);
    if (isinf(value))
        len = snprintf(out, RG_DOUBLE_CHARS, value > 0 ? "inf" : "-inf");
    else if (isnan(value))
        len = snprintf(out, RG_DOUBLE_CHARS, "nan");
    else
        len = snprintf(out, RG_DOUBLE_CHARS, "%.17g", value);
    RG_ASSERT(len > 0 && len < RG_DOUBLE_CHARS);
    return (size_t)len;
}

size_t rg_format_long_double(char out[RG_LONG_DOUBLE_CHARS], long double value)
{
    if (isinf(value)) {
        memcpy(out, value > 0 ? "inf" : "-inf", 5);
        return strlen(out);
    }
    int len = snprintf(out, RG_LONG_DOUBLE_CHARS, "%.17Lf", value);
    RG_ASSERT(len > 0 && len < RG_LONG_DOUBLE_CHARS);
    while (out[len - 1] == '0')
        len--;
    if (out[len - 1] == '.')
        len--;
    out[len] = '\0';
    if (len == 2 && out[0] == '-' && out[1] == '0') {
        out[0] = '0';
        out[--len] = '\0';
    }
    return (size_t)len;
}

int rg_parse_memory(struct rg_bytes text, uint64_t *ret_bytes)
{
    static const struct {
        const char *name;
        uint64_t factor;
    } units[] = {
        {"", 1},        {"b", 1},        {"k", 1000},       {"kb", 1024},
        {"m", 1000000}, {"mb", 1048576}, {"g", 1000000000}, {"gb", 1073741824},
    };
    size_t digits = 0;
    uint64_t value = 0;

    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    if (rg_parse_u64(rg_bytes(text.data, digits), &value) < 0)
        return RG_EINVAL;
    struct rg_bytes unit = rg_bytes(text.data + digits, text.len - digits);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (rg_bytes_is_nocase(unit, units[i].name))
            return __builtin_mul_overflow(value, units[i].factor, ret_bytes) ? RG_EINVAL : 0;
    }
    return RG_EINVAL;
}
