#include "base/number.h"

#include <stdio.h>

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
