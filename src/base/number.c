#include "base/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

int rg_parse_double(struct rg_bytes text, double *ret_value)
{
    enum { EXACT_MAX = 15 }; /* an integer of so many characters is a double as it is */
    char copy[512];
    char *end = NULL;
    int64_t integer = 0;

    if (text.len <= EXACT_MAX && rg_parse_i64(text, &integer) == 0) {
        *ret_value = (double)integer;
        return 0;
    }
    if (text.len == 0 || text.len >= sizeof(copy) || number_is_space(text.data[0]))
        return RG_EINVAL;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    errno = 0;
    double value = strtod(copy, &end);
    if (end != copy + text.len || isnan(value))
        return RG_EINVAL;
    if (errno == ERANGE &&
        (value == HUGE_VAL || value == -HUGE_VAL || fpclassify(value) == FP_ZERO))
        return RG_EINVAL;
    *ret_value = value;
    return 0;
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
