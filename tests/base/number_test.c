#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"
#include "tests/harness.h"

static int parse(const char *text)
{
    int64_t value = 0;

    return rg_parse_i64(rg_bytes_str(text), &value);
}

RG_TEST(integers_have_one_form_only)
{
    static const int64_t values[] = {0, 1, -1, 42, INT64_MAX, INT64_MIN, 1000000007};
    char text[RG_I64_CHARS];

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        int64_t back = 0;
        size_t len = rg_format_i64(text, values[i]);
        RG_CHECK_INT(rg_parse_i64(rg_bytes(text, len), &back), 0);
        RG_CHECK_INT(back, values[i]);
    }
    RG_CHECK_INT(parse(""), RG_EINVAL);
    RG_CHECK_INT(parse("-"), RG_EINVAL);
    RG_CHECK_INT(parse("-0"), RG_EINVAL);
    RG_CHECK_INT(parse("+1"), RG_EINVAL);
    RG_CHECK_INT(parse(" 1"), RG_EINVAL);
    RG_CHECK_INT(parse("01"), RG_EINVAL);
    RG_CHECK_INT(parse("9223372036854775808"), RG_EINVAL);
    RG_CHECK_INT(parse("-9223372036854775809"), RG_EINVAL);
}

/* Each power of ten and of two, and its neighbours, as printf writes them. */
RG_TEST(integers_are_written_digit_by_digit)
{
    char text[RG_I64_CHARS];
    char expected[RG_I64_CHARS + 1];

    for (uint64_t base = 2; base <= 10; base += 8) {
        uint64_t power = 1;
        do {
            for (uint64_t value = power - 1; value != power + 2; value++) {
                uint64_t back = 0;
                size_t len = rg_format_u64(text, value);
                (void)snprintf(expected, sizeof(expected), "%llu", (unsigned long long)value);
                RG_CHECK_INT(len, strlen(expected));
                RG_CHECK_STR(text, expected);
                RG_CHECK_INT(rg_parse_u64(rg_bytes(text, len), &back), 0);
                RG_CHECK(back == value);
            }
        } while (!__builtin_mul_overflow(power, base, &power));
    }
}

RG_TEST(floats_read_and_write_as_redis_has_them)
{
    char text[RG_LONG_DOUBLE_CHARS];
    long double value = 0;
    double small = 0;

    RG_CHECK_INT(rg_parse_long_double(RG_BYTES("10.5"), &value), 0);
    rg_format_long_double(text, value + 0.1L);
    RG_CHECK_STR(text, "10.6");
    rg_format_long_double(text, -0.0L);
    RG_CHECK_STR(text, "0");
    rg_format_long_double(text, 5000.0L);
    RG_CHECK_STR(text, "5000");
    RG_CHECK_INT(rg_parse_double(RG_BYTES("nan"), &small), RG_EINVAL);
    RG_CHECK_INT(rg_parse_double(RG_BYTES(" 1"), &small), RG_EINVAL);
    RG_CHECK_INT(rg_parse_double(RG_BYTES("1x"), &small), RG_EINVAL);
    RG_CHECK_INT(rg_parse_double(RG_BYTES("-inf"), &small), 0);
}

RG_TEST(memory_sizes_take_the_units_of_redis_conf)
{
    uint64_t bytes = 0;

    RG_CHECK_INT(rg_parse_memory(RG_BYTES("10mb"), &bytes), 0);
    RG_CHECK_INT(bytes, 10 * 1024 * 1024);
    RG_CHECK_INT(rg_parse_memory(RG_BYTES("1K"), &bytes), 0);
    RG_CHECK_INT(bytes, 1000);
    RG_CHECK_INT(rg_parse_memory(RG_BYTES("10 mb"), &bytes), RG_EINVAL);
    RG_CHECK_INT(rg_parse_memory(RG_BYTES("99999999999gb"), &bytes), RG_EINVAL);
}

static void check_double(const char *text)
{
    double value = 0;
    double want = strtod(text, NULL);
    int result = rg_parse_double(rg_bytes_str(text), &value);
    RG_CHECK_INT(result, 0);
    if (value != want || signbit(value) != signbit(want))
        rg_test_note("%s: %.17g, not %.17g", text, value, want);
    RG_CHECK(value == want && signbit(value) == signbit(want));
}

/* Decimals of every length, those that lie between two doubles among them, are what strtod says. */
RG_TEST(decimals_are_rounded_rightly)
{
    struct rg_rand rand;
    char text[128];
    rg_test_note("seed %d", 21);
    rg_rand_init(&rand, 21);
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t bits = rg_rand_u64(&rand);
        uint64_t digits = rg_rand_u64(&rand) >> rg_rand_below(&rand, 64);
        unsigned places = (unsigned)rg_rand_below(&rand, 31);
        double value = (double)(bits >> 11) / (double)(UINT64_C(1) << (bits & 63));
        if (i % 4 == 0) /* the shortest and the longest that read as the same */
            (void)snprintf(text, sizeof(text), "%.*g", 15 + (int)(i / 4 % 4), value);
        else if (i % 4 == 1) /* just between two */
            (void)snprintf(text, sizeof(text), "%.1f", (double)(bits >> 12) + 0.5);
        else
            (void)snprintf(text, sizeof(text), "%s%llu.%0*llu", i % 3 ? "" : "-",
                           (unsigned long long)(digits % 1000), (int)places,
                           (unsigned long long)digits);
        check_double(text);
    }
    check_double("9007199254740993");
    check_double("9007199254740993.0000000001");
    check_double("4503599627370497.5");
    check_double("0.000000000000000000000000001");
    check_double("-0.0");
    check_double(".5");
    check_double("5.");
    check_double("18446744073709551615");
    check_double("9999999999999999999");
    check_double("0x1p3");
}

RG_TEST(doubles_of_any_length)
{
    enum { LEN = 20000 };
    static char text[LEN + 1];
    double value = 0;
    memset(text, '0', LEN);
    text[LEN - 1] = '7';
    RG_CHECK_INT(rg_parse_double(rg_bytes(text, LEN), &value), 0);
    RG_CHECK(value == 7);
    text[LEN - 1] = 'x';
    RG_CHECK_INT(rg_parse_double(rg_bytes(text, LEN), &value), RG_EINVAL);
    RG_CHECK_INT(rg_parse_double(rg_bytes_str("."), &value), RG_EINVAL);
    RG_CHECK_INT(rg_parse_double(rg_bytes_str("-"), &value), RG_EINVAL);
    RG_CHECK_INT(rg_parse_double(rg_bytes_str("1.2.3"), &value), RG_EINVAL);
}
