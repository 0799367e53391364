#include "base/element.h"

#include <stdlib.h>

#include "base/rand.h"
#include "tests/harness.h"

/* The code is whole where it lies between these and nothing may be read behind it. */
static void check_code(struct rg_bytes text, size_t want_size)
{
    char scratch[RG_I64_CHARS];
    struct rg_element element;
    struct rg_bytes back;
    bool exact = true;
    rg_element_of_text(&element, text);
    size_t size = rg_element_size(&element);
    size_t both = size + rg_element_back_size(size);
    char *code = malloc(both);
    RG_CHECK_INT(size, want_size);
    rg_element_back_write(rg_element_write(code, &element), size);
    RG_CHECK(rg_element_read(code, scratch, &back) == code + size);
    RG_CHECK(rg_bytes_equal(back, text));
    RG_CHECK_INT(rg_element_text_len(code), text.len);
    RG_CHECK(rg_element_skip(code) == code + size);
    RG_CHECK(rg_element_skip_both(code) == code + both);
    RG_CHECK(rg_element_back(code + both) == code);
    RG_CHECK(rg_element_is(&element, code));
    RG_CHECK(rg_element_check_both(code, code + both, &exact) == code + both && exact);
    for (size_t cut = 0; cut < both && cut < 300; cut++) {
        char *part = malloc(cut + 1);
        memcpy(part, code, cut);
        RG_CHECK(rg_element_check_both(part, part + cut, &exact) == NULL);
        free(part);
    }
    free(code);
}

static void check_text(const char *text, size_t want_size)
{
    check_code(rg_bytes_str(text), want_size);
}

RG_TEST(integers_are_short)
{
    check_text("0", 1);
    check_text("127", 1);
    check_text("128", 2);
    check_text("-1", 2);
    check_text("4095", 2);
    check_text("-4096", 2);
    check_text("4096", 3);
    check_text("-4097", 3);
    check_text("32767", 3);
    check_text("-32768", 3);
    check_text("32768", 4);
    check_text("8388607", 4);
    check_text("-8388608", 4);
    check_text("8388608", 5);
    check_text("2147483647", 5);
    check_text("-2147483648", 5);
    check_text("2147483648", 9);
    check_text("9223372036854775807", 9);
    check_text("-9223372036854775808", 9);
}

RG_TEST(what_only_looks_like_an_integer_is_text)
{
    static const char *const texts[] = {"",
                                        "-",
                                        "+1",
                                        "007",
                                        "-0",
                                        "1.0",
                                        "1e3",
                                        " 1",
                                        "1 ",
                                        "0x1",
                                        "00",
                                        "--1",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "12a",
                                        "1.",
                                        "-01",
                                        "99999999999999999999",
                                        "18446744073709551615"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_text(texts[i], 1 + strlen(texts[i]));
    check_code(rg_bytes("1\0", 2), 3);
}

RG_TEST(lengths_around_the_borders_come_back)
{
    static const size_t lens[] = {1,     62,    63,    64,      65,      125,    126,   127,
                                  4094,  4095,  4096,  4097,    16376,   16377,  16378, 16379,
                                  16380, 16384, 70000, 2097146, 2097147, 2097152};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        char *text = malloc(lens[i]);
        memset(text, 'x', lens[i]);
        check_code(rg_bytes(text, lens[i]), lens[i] + (lens[i] < 64 ? 1 : lens[i] < 4096 ? 2 : 5));
        free(text);
    }
}

RG_TEST(every_integer_comes_back)
{
    char digits[RG_I64_CHARS];
    char scratch[RG_I64_CHARS];
    struct rg_rand rand;
    rg_rand_init(&rand, 3);
    rg_test_note("seed 3");
    for (int i = 0; i < 200000; i++) {
        char code[RG_ELEMENT_HEAD_MAX];
        struct rg_element element;
        struct rg_element same;
        struct rg_bytes text;
        int64_t value = (int64_t)(rg_rand_u64(&rand) >> rg_rand_below(&rand, 64));
        value = rg_rand_below(&rand, 2) == 0 ? value : -value;
        rg_element_of_text(&element, rg_bytes(digits, rg_format_i64(digits, value)));
        rg_element_of_i64(&same, value);
        RG_CHECK(element.text.len == 0 && element.head_len == same.head_len);
        rg_element_write(code, &same);
        RG_CHECK(rg_element_is(&element, code));
        rg_element_read(code, scratch, &text);
        RG_CHECK(rg_bytes_is(text, digits));
    }
}

static void check_bytes(const char *code, size_t len, bool whole, bool want_exact)
{
    bool exact = true;
    const char *end = rg_element_check(code, code + len, &exact);
    RG_CHECK(end == (whole ? code + len : NULL));
    RG_CHECK(!whole || exact == want_exact);
}

RG_TEST(codes_from_outside_are_judged)
{
    check_bytes("\x05", 1, true, true);
    check_bytes("\xc0\x05", 2, true, false);
    check_bytes("\xdf\xff", 2, true, true);
    check_bytes("\xf1\x05\x00", 3, true, false);
    check_bytes("\xf4\x05\0\0\0\0\0\0\0", 9, true, false);
    check_bytes("\x81"
                "5",
                2, true, false);
    check_bytes("\x81"
                "a",
                2, true, true);
    check_bytes("\xe0\x01"
                "a",
                3, true, false);
    check_bytes("\xf0\x01\0\0\0"
                "a",
                6, true, false);
    check_bytes("\xf0\xff\xff\xff\xff"
                "a",
                6, false, false);
    check_bytes("\x82"
                "a",
                2, false, false);
    check_bytes("\xf5\0\0\0\0\0\0\0\0", 9, false, false);
    check_bytes("\xff", 1, false, false);
    check_bytes("", 0, false, false);
}
