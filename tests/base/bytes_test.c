#include "base/bytes.h"

#include "base/crc64.h"
#include "base/glob.h"
#include "base/rand.h"
#include "tests/harness.h"

RG_TEST(compare_orders_like_memcmp_then_length)
{
    RG_CHECK(rg_bytes_compare(RG_BYTES("a"), RG_BYTES("b")) < 0);
    RG_CHECK(rg_bytes_compare(RG_BYTES("ab"), RG_BYTES("a")) > 0);
    RG_CHECK_INT(rg_bytes_compare(RG_BYTES(""), RG_BYTES("")), 0);
    RG_CHECK(rg_bytes_equal_nocase(RG_BYTES("GeT"), RG_BYTES("gEt")));
    RG_CHECK(!rg_bytes_is_nocase(RG_BYTES("get"), "gets"));
}

RG_TEST(crc64_has_the_check_value_of_rdb_files)
{
    RG_CHECK(rg_crc64(0, "123456789", 9) == UINT64_C(0xe9c6d914c4b8d9ca));
    uint64_t crc = rg_crc64(0, "1234", 4);
    RG_CHECK(rg_crc64(crc, "56789", 5) == UINT64_C(0xe9c6d914c4b8d9ca));
}

static bool glob(const char *pattern, const char *text)
{
    return rg_glob_match(rg_bytes_str(pattern), rg_bytes_str(text), false);
}

RG_TEST(glob_matches_as_redis_does)
{
    RG_CHECK(glob("*", ""));
    RG_CHECK(glob("h?llo", "hello") && !glob("h?llo", "hllo"));
    RG_CHECK(glob("h[ae]llo", "hallo") && !glob("h[ae]llo", "hillo"));
    RG_CHECK(glob("h[^e]llo", "hallo") && !glob("h[^e]llo", "hello"));
    RG_CHECK(glob("h[a-c]llo", "hbllo") && !glob("h[a-c]llo", "hdllo"));
    RG_CHECK(glob("a\\*b", "a*b") && !glob("a\\*b", "axb"));
    RG_CHECK(glob("*a*b*c", "xxaxxbxxc") && !glob("*a*b*c", "xxaxxbxx"));
    RG_CHECK(rg_glob_match(RG_BYTES("FOO*"), RG_BYTES("foobar"), true));
    /* Exponential in a matcher that retries every star. */
    RG_CHECK(
        !glob("a*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

RG_TEST(random_numbers_are_the_same_for_the_same_seed)
{
    struct rg_rand a;
    struct rg_rand b;
    char hex[41];

    rg_rand_init(&a, 7);
    rg_rand_init(&b, 7);
    for (int i = 0; i < 1000; i++) {
        RG_CHECK(rg_rand_u64(&a) == rg_rand_u64(&b));
        RG_CHECK(rg_rand_below(&a, 10) < 10 && rg_rand_below(&b, 10) < 10);
        double unit = rg_rand_unit(&a);
        RG_CHECK(unit >= 0 && unit < 1 && rg_rand_unit(&b) == unit);
    }
    rg_rand_hex(&a, hex, 40);
    RG_CHECK_INT(strlen(hex), 40);
}

RG_TEST(cut)
{
    struct rg_bytes rest = RG_BYTES("a:bc::d");

    RG_CHECK_BYTES(rg_bytes_cut(&rest, ':'), "a");
    RG_CHECK_BYTES(rg_bytes_cut(&rest, ':'), "bc");
    RG_CHECK_BYTES(rg_bytes_cut(&rest, ':'), "");
    RG_CHECK_BYTES(rg_bytes_cut(&rest, ':'), "d");
    RG_CHECK_INT(rest.len, 0);
    RG_CHECK_BYTES(rg_bytes_cut(&rest, ':'), "");
    rest = RG_BYTES("x ");
    RG_CHECK_BYTES(rg_bytes_cut(&rest, ' '), "x");
    RG_CHECK_INT(rest.len, 0);
}
