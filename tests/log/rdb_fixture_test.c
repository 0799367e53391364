#include "tests/harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "log/rdb.h"
#include "tests/log/rdb_narrate.h"

/*
 * Files of a running redis-server 7.0, and older forms that one has loaded (make_fixtures.py). Each
 * test says in lines what the file holds; the order of keys and fields is the server's.
 */

static void load(const char *name, struct rg_buf *out)
{
    char path[4096];
    char piece[4096];
    size_t n;
    (void)snprintf(path, sizeof(path), "%s/%s.rdb", RDB_FIXTURES, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        rg_test_fail(__FILE__, __LINE__, "no file %s", path);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        rg_buf_append(out, piece, n);
    (void)fclose(f);
}

/* As in make_fixtures.py. */
static void noise(struct rg_buf *out, size_t len)
{
    uint32_t state = 1;
    for (size_t i = 0; i < len; i++) {
        state = state * 1664525 + 1013904223;
        rg_buf_append_char(out, (char)(state >> 24));
    }
}

static void tell_noise(struct rg_buf *out, size_t len)
{
    struct rg_buf bytes = {0};
    noise(&bytes, len);
    rdb_narrate_bytes(rg_buf_view(&bytes), out);
    rg_buf_fini(&bytes);
}

static bool is_aux(struct rg_bytes line)
{
    return rg_bytes_starts_with(line, RG_BYTES("aux "));
}

/* Takes the next line off the front; false at the end. */
static bool next_line(struct rg_bytes *text, struct rg_bytes *ret_line)
{
    if (text->len == 0)
        return false;
    const char *at = memchr(text->data, '\n', text->len);
    size_t len = at != NULL ? (size_t)(at - text->data) : text->len;
    size_t used = at != NULL ? len + 1 : len;
    *ret_line = rg_bytes(text->data, len);
    *text = rg_bytes(text->data + used, text->len - used);
    return true;
}

static unsigned times(struct rg_bytes text, struct rg_bytes line)
{
    struct rg_bytes other;
    unsigned n = 0;
    while (next_line(&text, &other))
        n += rg_bytes_equal(other, line);
    return n;
}

/* The same lines in any order, but for what the server says of itself. */
static void check_lines(struct rg_bytes actual, struct rg_bytes expected)
{
    struct rg_bytes line;
    struct rg_bytes rest = expected;
    while (next_line(&rest, &line))
        if (times(actual, line) != times(expected, line))
            rg_test_fail(__FILE__, __LINE__, "missing: %.*s", (int)line.len, line.data);
    rest = actual;
    while (next_line(&rest, &line))
        if (!is_aux(line) && times(expected, line) == 0)
            rg_test_fail(__FILE__, __LINE__, "too much: %.*s", (int)line.len, line.data);
}

/* Reads the fixture whole and in pieces. */
static void check_fixture(const char *name, struct rg_buf *expected)
{
    static const size_t pieces[] = {1, 2, 3, 7, 64, 1000};
    struct rg_buf file = {0};
    struct rg_buf whole = {0};
    load(name, &file);
    RG_CHECK_INT(rdb_narrate(rg_buf_view(&file), SIZE_MAX / 2, &whole), RG_EAGAIN);
    rg_buf_append_str(expected, "end\n");
    check_lines(rg_buf_view(&whole), rg_buf_view(expected));
    for (unsigned i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct rg_buf some = {0};
        RG_CHECK_INT(rdb_narrate(rg_buf_view(&file), pieces[i], &some), RG_EAGAIN);
        RG_CHECK(rg_bytes_equal(rg_buf_view(&some), rg_buf_view(&whole)));
        rg_buf_fini(&some);
    }
    rg_buf_fini(&file);
    rg_buf_fini(&whole);
    rg_buf_fini(expected);
}

RG_TEST(strings_of_every_encoding)
{
    static const int64_t integers[] = {0,         -1,
                                       127,       128,
                                       -128,      -129,
                                       32767,     32768,
                                       -32768,    -32769,
                                       INT32_MAX, (int64_t)INT32_MAX + 1,
                                       INT32_MIN, (int64_t)INT32_MIN - 1,
                                       INT64_MAX, -INT64_MAX - 1};
    static const char *const texts[] = {"01", "+1", "-0", " 1", "1.0"};
    struct rg_buf e = {0};
    for (unsigned i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
        rg_buf_printf(&e, "0 i%lld=%lld\n", (long long)integers[i], (long long)integers[i]);
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        rg_buf_printf(&e, "0 t%s=%s\n", texts[i], texts[i]);
    rg_buf_append_str(&e, "0 t{10*0}1={10*0}1\n0 12345=a key that is a number\n0 =\n0 binary=");
    for (int i = 0; i < 256; i++)
        rg_buf_printf(&e, i >= ' ' && i < 0x7f ? "%c" : "\\x%02x", i);
    rg_buf_append_str(&e, "\n0 six=");
    tell_noise(&e, 63);
    rg_buf_append_str(&e, "\n0 fourteen=");
    tell_noise(&e, 64);
    rg_buf_append_str(&e, "\n0 most-of-14=");
    tell_noise(&e, 16383);
    rg_buf_append_str(&e, "\n0 thirtytwo=");
    tell_noise(&e, 16384);
    rg_buf_append_str(&e, "\n0 run={500*x}\n0 {300*y}=a key that is compressed\n"
                          "0 due=later @4102444800123\n0 counting=");
    size_t begin = rg_buf_len(&e);
    for (int i = 0; rg_buf_len(&e) < begin + 3000; i++)
        rg_buf_printf(&e, "%s%d", i > 0 ? "," : "", i);
    rg_buf_truncate(&e, begin + 3000);
    rg_buf_append_char(&e, '\n');
    check_fixture("strings", &e);
}

RG_TEST(hashes_packed_and_as_tables)
{
    static const int64_t integers[] = {0,
                                       1,
                                       127,
                                       128,
                                       4095,
                                       4096,
                                       -1,
                                       -4096,
                                       -4097,
                                       32767,
                                       32768,
                                       -32768,
                                       -32769,
                                       8388607,
                                       8388608,
                                       -8388608,
                                       -8388609,
                                       INT32_MAX,
                                       1LL << 31,
                                       INT32_MIN,
                                       -(1LL << 31) - 1,
                                       INT64_MAX,
                                       -INT64_MAX - 1};
    static const unsigned lengths[] = {0, 1, 63, 64, 123, 124, 125, 126, 127, 128, 4095, 4096};
    struct rg_buf e = {0};
    rg_buf_append_str(&e, "0 integers: 23\n0 strings: 12\n");
    for (unsigned i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
        rg_buf_printf(&e, "0 integers.%lld=v%lld\n", (long long)integers[i],
                      (long long)integers[i]);
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        rg_buf_append_str(&e, "0 strings.");
        tell_noise(&e, lengths[i]);
        rg_buf_printf(&e, "=%u\n", lengths[i]);
    }
    rg_buf_append_str(&e,
                      "0 due: 1 @4102444800123\n0 due.f=v\n0 run: 3\n0 run.16377={16377*x}\n0 "
                      "run.16378={16378*x}\n0 run.66000={66000*x}\n"
                      "0 table: 4\n0 table.f=1\n0 table.=\n0 table.long={65*z}\n0 table.noise=");
    tell_noise(&e, 200);
    rg_buf_append_str(&e, "\n0 duetable: 1 @4102444800123\n0 duetable.long=");
    tell_noise(&e, 100);
    rg_buf_append_char(&e, '\n');
    check_fixture("hashes", &e);
}

RG_TEST(several_databases_each_with_an_expiry)
{
    struct rg_buf e = {0};
    rg_buf_append_str(&e, "0 key=of 0\n0 due=0 @4102444800123\n1 key=of 1\n"
                          "1 due=1 @4102444800124\n15 key=of 15\n15 due=15 @4102444800138\n");
    check_fixture("databases", &e);
}

RG_TEST(what_eviction_remembers_of_a_key)
{
    struct rg_buf e = {0};
    rg_buf_append_str(&e, "0 k=v freq 5\n0 h: 1 freq 5\n0 h.f=v\n");
    check_fixture("lfu", &e);
    rg_buf_append_str(&e, "0 k=v @4102444800123\n0 h: 1\n0 h.f=v\n");
    check_fixture("lru", &e);
}

static void tell_lists(struct rg_buf *e)
{
    rg_buf_append_str(e, "0 small: list\n0 small[0]=a\n0 small[1]=\n0 small[2]=-1\n"
                         "0 small[3]=4096\n0 small[4]=");
    tell_noise(e, 63);
    rg_buf_append_str(e, "\n0 small[5]=1099511627776\n0 large: list\n");
    for (int i = 0; i < 2000; i++)
        rg_buf_printf(e, "0 large[%d]=element %d\n", i, i);
    rg_buf_append_str(e, "0 wide: list\n0 wide[0]={9000*x}\n0 wide[1]={9000*y}\n"
                         "0 pairs: list @4102444800123\n0 pairs[0]=0\n0 pairs[1]=1\n0 pairs[2]=2\n"
                         "0 pairs[3]=3\n0 pairs[4]=4\n0 plain: list\n0 plain[0]={500*x}\n"
                         "0 plain[1]=packed\n0 plain[2]={100*z}\n0 plain[3]=");
    tell_noise(e, 100);
    rg_buf_append_char(e, '\n');
}

RG_TEST(lists_of_packed_and_plain_nodes)
{
    struct rg_buf e = {0};
    tell_lists(&e);
    check_fixture("lists", &e);
    tell_lists(&e);
    check_fixture("lists-plain", &e);
}

RG_TEST(sets_as_integers_and_as_tables)
{
    struct rg_buf e = {0};
    rg_buf_append_str(&e, "0 ints16: 5\n0 ints16 5\n0 ints16 -1\n0 ints16 0\n0 ints16 -32768\n"
                          "0 ints16 32767\n0 ints32: 2\n0 ints32 70000\n0 ints32 -70000\n"
                          "0 ints64: 3\n0 ints64 9223372036854775807\n0 ints64 0\n"
                          "0 ints64 -9223372036854775808\n0 many: 600\n");
    for (int i = 0; i < 600; i++)
        rg_buf_printf(&e, "0 many %d\n", i);
    rg_buf_append_str(&e, "0 texts: 6 @4102444800123\n0 texts a\n0 texts \n0 texts 1\n0 texts 01\n"
                          "0 texts {300*x}\n0 texts ");
    tell_noise(&e, 300);
    rg_buf_append_char(&e, '\n');
    check_fixture("sets", &e);
}

RG_TEST(sorted_sets_packed_and_not)
{
    struct rg_buf e = {0};
    rg_buf_append_str(&e, "0 small: 9\n0 small one=1\n0 small half=1.5\n0 small low=-inf\n"
                          "0 small high=inf\n0 small huge=1.0000000000000001e+300\n0 small 5=-7\n"
                          "0 small =4096\n0 small tenth=0.10000000000000001\n"
                          "0 small whole=1000000000000000\n0 large: 203 @4102444800123\n");
    for (int i = 0; i < 200; i++)
        rg_buf_printf(&e, "0 large m%d=%.17g\n", i, i / 4.0);
    rg_buf_append_str(&e, "0 large high=inf\n0 large low=-inf\n0 large ");
    tell_noise(&e, 100);
    rg_buf_append_str(&e, "=0.10000000000000001\n");
    check_fixture("zsets", &e);
}

RG_TEST(older_lists_sets_and_sorted_sets)
{
    static const size_t lengths[] = {250, 300, 1, 20000};
    struct rg_buf e = {0};
    rg_buf_append_str(&e, "0 list: list\n0 list[0]=x\n0 list[1]=12\n0 list[2]=\n0 list[3]=");
    tell_noise(&e, 64);
    rg_buf_append_str(&e, "\n0 set: 3\n0 set x\n0 set 7\n0 set \n0 zset: 5\n0 zset half=0.5\n"
                          "0 zset low=-inf\n0 zset high=inf\n0 zset 17=17\n"
                          "0 zset =-1.0000000000000001e-05\n"
                          "0 zset2: 2\n0 zset2 half=0.5\n0 zset2 low=-inf\n"
                          "0 listziplist: list\n0 listziplist[0]=a\n0 listziplist[1]=5\n"
                          "0 listziplist[2]=-300\n0 listziplist[3]=\n");
    for (int i = 0; i < 4; i++) {
        rg_buf_printf(&e, "0 listziplist[%d]=", 4 + i);
        tell_noise(&e, lengths[i]);
        rg_buf_append_char(&e, '\n');
    }
    rg_buf_append_str(&e, "0 intset16: 3\n0 intset16 -5\n0 intset16 0\n0 intset16 32767\n"
                          "0 intset32: 3\n0 intset32 1\n0 intset32 2\n0 intset32 70000\n"
                          "0 intset64: 2\n0 intset64 -9223372036854775808\n"
                          "0 intset64 1099511627776\n"
                          "0 zsetziplist: 4\n0 zsetziplist low=-inf\n0 zsetziplist m=3\n"
                          "0 zsetziplist 7=3.25\n0 zsetziplist n=1000\n"
                          "0 quicklist: list\n0 quicklist[0]=a\n0 quicklist[1]=1\n"
                          "0 quicklist[2]=");
    tell_noise(&e, 300);
    rg_buf_append_str(&e, "\n0 quicklist[3]=2\n0 quicklist[4]=3\n0 last=one\n");
    check_fixture("older", &e);
}

RG_TEST(a_set_as_redis_7_2_packs_it)
{
    struct rg_buf e = {0};
    rg_buf_append_str(&e, "0 set: 4\n0 set a\n0 set 1\n0 set \n0 set 127\n");
    check_fixture("newer", &e);
}

RG_TEST(a_library_of_functions_is_told)
{
    struct rg_buf e = {0};
    rg_buf_append_str(&e, "function #!lua name=lib\\x0aredis.register_function('f', function() "
                          "return 1 end)\\x0a\n0 k=v\n");
    check_fixture("functions", &e);
}

RG_TEST(without_compression_and_checksum)
{
    struct rg_buf e = {0};
    rg_buf_append_str(&e, "0 run={100*x}\n0 h: 1\n0 h.f={60*y}\n");
    check_fixture("plain", &e);
}

RG_TEST(nothing_but_what_the_server_says_of_itself)
{
    struct rg_buf e = {0};
    rg_buf_append_str(&e, "aux redis-ver=7.0.15\naux redis-bits=64\naux aof-base=0\n");
    check_fixture("empty", &e);
}

RG_TEST(a_type_that_is_not_held_is_named)
{
    for (size_t piece = 1; piece < 200; piece += 13) {
        struct rg_buf file = {0};
        struct rg_buf told = {0};
        load("stream", &file);
        RG_CHECK_INT(rdb_narrate(rg_buf_view(&file), piece, &told), RG_ETYPE);
        rg_buf_append_char(&told, '\0');
        RG_CHECK(strstr(rg_buf_view(&told).data, "\nKey \"queue\" holds a stream (type 19)") !=
                 NULL);
        rg_buf_fini(&file);
        rg_buf_fini(&told);
    }
}

static void expect_zipmap(struct rg_buf *e)
{
    rg_buf_append_str(e, "0 zipmap: 7\n0 zipmap.f=v\n0 zipmap.=\n0 zipmap.spare=kept\n"
                         "0 zipmap.{300*l}=a long field\n");
    for (unsigned n = 252; n <= 254; n++) {
        rg_buf_printf(e, "0 zipmap.l%u=", n);
        tell_noise(e, n);
        rg_buf_append_char(e, '\n');
    }
}

static void expect_ziplist(struct rg_buf *e, bool large)
{
    static const int64_t integers[] = {0,         12,
                                       13,        -1,
                                       127,       -128,
                                       128,       -129,
                                       32767,     -32768,
                                       32768,     -32769,
                                       8388607,   -8388608,
                                       8388608,   -8388609,
                                       INT32_MAX, INT32_MIN,
                                       1LL << 31, -(1LL << 31) - 1,
                                       INT64_MAX, -INT64_MAX - 1};
    static const unsigned lengths[] = {0, 1, 63, 64, 250, 251, 252, 253, 254, 16383, 16384};
    unsigned texts = large ? 11 : 9;
    rg_buf_printf(e, "0 ziplist: %u\n", 22 + texts);
    for (unsigned i = 0; i < 22; i++)
        rg_buf_printf(e, "0 ziplist.i%lld=%lld\n", (long long)integers[i], (long long)integers[i]);
    for (unsigned i = 0; i < texts; i++) {
        rg_buf_printf(e, "0 ziplist.t%u=", lengths[i]);
        tell_noise(e, lengths[i]);
        rg_buf_append_char(e, '\n');
    }
}

RG_TEST(packed_hashes_of_older_versions)
{
    for (int version = 2; version <= 9; version++) {
        char name[32];
        struct rg_buf e = {0};
        (void)snprintf(name, sizeof(name), "version%d", version);
        rg_buf_printf(&e, "0 due=later @%lld\n", version < 3 ? 2145916800000LL : 4102444800123LL);
        if (version >= 7)
            rg_buf_append_str(&e, "aux redis-ver=3.2.0\n");
        expect_zipmap(&e);
        if (version >= 3)
            expect_ziplist(&e, version == 9);
        check_fixture(name, &e);
    }
}
