#include "tests/harness.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/crc64.h"
#include "base/number.h"
#include "base/rand.h"
#include "log/rdb.h"
#include "tests/log/rdb_narrate.h"

static void sample(struct rg_buf *out)
{
    struct rg_rdb_writer w;
    char big[500];
    memset(big, 'x', sizeof(big));
    rg_rdb_write_begin(&w, out, true, true);
    rg_rdb_write_aux_i64(&w, "ctime", 123456);
    rg_rdb_write_db(&w, 3, 4, 1);
    rg_rdb_write_string(&w, RG_BYTES("int"), 4102444800000, RG_BYTES("-70000"));
    rg_rdb_write_string(&w, RG_BYTES("big"), -1, rg_bytes(big, sizeof(big)));
    rg_rdb_write_string(&w, RG_BYTES(""), -1, RG_BYTES(""));
    rg_rdb_write_hash(&w, RG_BYTES("h"), -1, 2, false);
    rg_rdb_write_hash_field(&w, RG_BYTES("f"), RG_BYTES("300"));
    rg_rdb_write_hash_field(&w, RG_BYTES("g"), RG_BYTES("value"));
    rg_rdb_write_end(&w);
}

RG_TEST(round_trip_in_pieces_of_any_size)
{
    struct rg_buf file = {0};
    sample(&file);
    for (size_t piece = 1; piece < 40; piece++) {
        struct rg_buf told = {0};
        RG_CHECK_INT(rdb_narrate(rg_buf_view(&file), piece, &told), RG_EAGAIN);
        RG_CHECK_BYTES(rg_buf_view(&told), "aux ctime=123456\n3 int=-70000 @4102444800000\n"
                                           "3 big={500*x}\n3 =\n3 h: 2\n3 h.f=300\n"
                                           "3 h.g=value\nend\n");
        rg_buf_fini(&told);
    }
    rg_buf_fini(&file);
}

RG_TEST(what_follows_the_end_mark_is_left_to_the_caller)
{
    struct rg_buf file = {0};
    sample(&file);
    uint64_t len = rg_buf_len(&file);
    rg_buf_append_str(&file, "*1\r\n");
    for (int pieces = 1; pieces <= 2; pieces++) {
        struct rg_rdb_reader *r = rg_rdb_reader_new();
        struct rg_rdb_event e = {.type = RG_RDB_AUX};
        struct rg_bytes all = rg_buf_view(&file);
        RG_CHECK_INT(rg_rdb_reader_rest(r).len, 0);
        rg_rdb_reader_feed(r, rg_bytes(all.data, all.len / (unsigned)pieces));
        while (rg_rdb_reader_next(r, &e) == 0)
            continue;
        if (pieces == 2) {
            RG_CHECK(e.type != RG_RDB_END);
            rg_rdb_reader_feed(r, rg_bytes(all.data + all.len / 2, all.len - all.len / 2));
            while (rg_rdb_reader_next(r, &e) == 0)
                continue;
        }
        RG_CHECK_INT(e.type, RG_RDB_END);
        RG_CHECK_BYTES(rg_rdb_reader_rest(r), "*1\r\n");
        RG_CHECK_INT(rg_rdb_reader_offset(r), len);
        rg_rdb_reader_free(r);
    }
    rg_buf_fini(&file);
}

RG_TEST(a_corrupt_byte_anywhere_is_never_taken_for_the_file)
{
    struct rg_buf file = {0};
    sample(&file);
    struct rg_bytes all = rg_buf_view(&file);
    for (size_t i = 0; i < all.len; i++) {
        char *bad = rg_alloc_copy(all.data, all.len);
        struct rg_buf one = {0};
        struct rg_buf other = {0};
        bad[i] = (char)(bad[i] ^ 0x41);
        int rc = rdb_narrate(rg_bytes(bad, all.len), all.len, &one);
        RG_CHECK_INT(rdb_narrate(rg_bytes(bad, all.len), 1, &other), rc);
        RG_CHECK(rg_bytes_equal(rg_buf_view(&one), rg_buf_view(&other)));
        rg_buf_append_char(&one, 0);
        RG_CHECK(strstr(rg_buf_view(&one).data, "\nend\n") == NULL);
        rg_buf_fini(&one);
        rg_buf_fini(&other);
        rg_free(bad);
    }
    rg_buf_fini(&file);
}

/* What is told of bytes behind a valid head, whole and byte by byte. */
static void check_told(const char *magic, struct rg_bytes body, int want, const char *text)
{
    struct rg_buf file = {0};
    rg_buf_append_str(&file, magic);
    rg_buf_append_bytes(&file, body);
    for (size_t piece = 1; piece <= 1000; piece += 999) {
        struct rg_buf told = {0};
        int rc = rdb_narrate(rg_buf_view(&file), piece, &told);
        RG_CHECK_BYTES(rg_buf_view(&told), text);
        RG_CHECK_INT(rc, want);
        rg_buf_fini(&told);
    }
    rg_buf_fini(&file);
}

RG_TEST(only_known_heads)
{
    check_told("REDIX", RG_BYTES("0010"), RG_ECORRUPT,
               "Wrong signature trying to load DB from file at offset 9");
    check_told("REDIS", RG_BYTES("001x"), RG_ECORRUPT, "The version is not a number at offset 9");
    check_told("REDIS", RG_BYTES("0000"), RG_ECORRUPT,
               "Can't handle RDB format version 0 at offset 9");
    check_told("REDIS", RG_BYTES("0012"), RG_ECORRUPT,
               "Can't handle RDB format version 12 at offset 9");
    check_told("REDIS", RG_BYTES("0010"), RG_EAGAIN, "");
}

RG_TEST(a_checksum_from_version_5_on_unless_it_is_zero)
{
    check_told("REDIS0004", RG_BYTES("\xff"), RG_EAGAIN, "end\n");
    check_told("REDIS0005", RG_BYTES("\xff"), RG_EAGAIN, "");
    check_told("REDIS0005", RG_BYTES("\xff\0\0\0\0\0\0\0\0"), RG_EAGAIN, "end\n");
    check_told("REDIS0005", RG_BYTES("\xff\1\0\0\0\0\0\0\0"), RG_ECORRUPT,
               "Wrong RDB checksum expected: (1) but got (e7915a0e3c12410c) at offset 18");
}

RG_TEST(lengths_that_no_file_has)
{
    check_told("REDIS0009", RG_BYTES("\xfe\x82"), RG_ECORRUPT,
               "Unknown length encoding 0x82 at offset 11");
    check_told("REDIS0009", RG_BYTES("\xfe\xc0\1"), RG_ECORRUPT,
               "A string's encoding where a length belongs at offset 11");
    check_told("REDIS0009", RG_BYTES("\xfe\x80\x80\0\0\0"), RG_ECORRUPT,
               "Impossible database number at offset 15");
    check_told("REDIS0009", RG_BYTES("\0\xc4"), RG_ECORRUPT,
               "Unknown length encoding 0xc4 at offset 11");
}

/* A length of all ones must neither overflow nor allocate: the bytes just do not come. */
RG_TEST(a_promised_length_waits_for_its_bytes)
{
    check_told("REDIS0009", RG_BYTES("\0\x81\xff\xff\xff\xff\xff\xff\xff\xffkey"), RG_EAGAIN, "");
    check_told("REDIS0009", RG_BYTES("\0\1k\x80\xff\xff\xff\xffvalue"), RG_EAGAIN, "");
    check_told("REDIS0009", RG_BYTES("\4\1h\x81\xff\xff\xff\xff\xff\xff\xff\xff\1f\1v\1g"),
               RG_EAGAIN, "0 h: 18446744073709551615\n0 h.f=v\n");
}

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* What a reader holds after such a file was fed in small pieces. Sanitizers' heaps do not tell. */
static size_t reader_bytes(struct rg_bytes head, size_t len)
{
    static const char piece[4096];
    size_t before = heap_bytes();
    struct rg_rdb_reader *r = rg_rdb_reader_new();
    struct rg_rdb_event e;
    int rc;
    rg_rdb_reader_feed(r, head);
    while ((rc = rg_rdb_reader_next(r, &e)) == 0)
        continue;
    RG_CHECK_INT(rc, RG_EAGAIN);
    for (size_t fed = 0; fed < len; fed += sizeof(piece)) {
        rg_rdb_reader_feed(r, rg_bytes(piece, sizeof(piece)));
        while ((rc = rg_rdb_reader_next(r, &e)) == 0)
            continue;
        RG_CHECK_INT(rc, RG_EAGAIN);
    }
    size_t held = heap_bytes() - before;
    rg_rdb_reader_free(r);
    return held;
}

RG_TEST(memory_grows_with_the_bytes_that_came)
{
    static const struct rg_bytes promises[] = {
        {"REDIS0009\0\1k\x80\xff\xff\xff\xff", 17},               /* a value of 4 GiB */
        {"REDIS0009\0\x81\0\0\1\0\0\0\0\0", 19},                  /* a key of 1 TiB */
        {"REDIS0009\4\1h\x81\0\0\1\0\0\0\0\0\x80\x7f\0\0\0", 26}, /* and many fields */
        {"REDIS0009\0\1k\xc3\x80\2\0\0\0\x80\xa0\0\0\0", 23},     /* 2.5 GiB compressed */
        {"REDIS0009\x10\1h\x80\x7f\0\0\0", 17},                   /* a listpack of 2 GiB */
    };
    for (unsigned i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
        RG_CHECK(reader_bytes(promises[i], 0) < 4096);
        RG_CHECK(reader_bytes(promises[i], 1 << 20) < 5 << 20);
    }
    /* What was taken is given back: 16 MiB of keys "" with the value "" pass through. */
    RG_CHECK(reader_bytes(RG_BYTES("REDIS0009"), 16 << 20) < 1 << 17);
}

RG_TEST(compressed_strings)
{
    /* One literal and a reference of 264 bytes is as dense as it gets. */
    check_told("REDIS0009", RG_BYTES("\0\1k\xc3\5\x41\x09\0x\xe0\xff\0"), RG_EAGAIN,
               "0 k={265*x}\n");
    check_told("REDIS0009", RG_BYTES("\0\1k\xc3\5\x41\xb9"), RG_ECORRUPT,
               "Impossible lengths of a compressed string at offset 16");
    check_told("REDIS0009", RG_BYTES("\0\1k\xc3\5\x41\xb8"), RG_EAGAIN, "");
    check_told("REDIS0009", RG_BYTES("\0\1k\xc3\5\x41\xb8\0x\xe0\xff\0"), RG_ECORRUPT,
               "Invalid compressed string at offset 21");
    check_told("REDIS0009", RG_BYTES("\0\1k\xc3\5\x41\x09\0x\xe0\xff\1"), RG_ECORRUPT,
               "Invalid compressed string at offset 21");
    check_told("REDIS0009", RG_BYTES("\0\1k\xc3\2\0\0x"), RG_ECORRUPT,
               "Impossible lengths of a compressed string at offset 15");
    check_told("REDIS0009", RG_BYTES("\0\1k\xc3\xc0\1\1"), RG_ECORRUPT,
               "A string's encoding where a length belongs at offset 14");
}

RG_TEST(opcodes_and_types)
{
    check_told("REDIS0003", RG_BYTES("\xfd\xff\xff\xff\xff\0\1k\1v\0\1l\1w"), RG_EAGAIN,
               "0 k=v @-1000\n0 l=w\n");
    check_told("REDIS0009",
               RG_BYTES("\xfc\2\0\0\0\0\0\0\0\xf8\x40\x80\xf9\7\4\1k\1\1f\1v\xfe\7\0\1l\1w"),
               RG_EAGAIN, "0 k: 1 @2 idle 128 freq 7\n0 k.f=v\n7 l=w\n");
    check_told("REDIS0010", RG_BYTES("\xf5\3lib"), RG_EAGAIN, "function lib\n");
    check_told("REDIS0010", RG_BYTES("\xf5\xc5"), RG_ECORRUPT,
               "Unknown length encoding 0xc5 at offset 11");
    check_told("REDIS0010", RG_BYTES("\xf6"), RG_ETYPE,
               "A function library of a pre-release, which is not supported, at offset 10");
    check_told("REDIS0010", RG_BYTES("\xf7"), RG_ETYPE,
               "Data of a module, which is not supported, at offset 10");
    check_told("REDIS0010", RG_BYTES("\7\1m"), RG_ETYPE,
               "Key \"m\" holds a module (type 7), which is not supported, at offset 12");
    check_told("REDIS0010", RG_BYTES("\x08"), RG_ECORRUPT, "Unknown type or opcode 8 at offset 10");
    check_told("REDIS0010", RG_BYTES("\x16"), RG_ECORRUPT,
               "Unknown type or opcode 22 at offset 10");
}

/* An expiry belongs to the key it came with, also where that key is passed over. */
RG_TEST(a_hash_without_fields_is_passed_over)
{
    check_told("REDIS0009", RG_BYTES("\xfc\2\0\0\0\0\0\0\0\4\1h\0\0\1k\1v"), RG_EAGAIN, "0 k=v\n");
    check_told("REDIS0009", RG_BYTES("\x10\1h\7\7\0\0\0\0\0\xff\0\1k\1v"), RG_EAGAIN, "0 k=v\n");
    check_told("REDIS0009",
               RG_BYTES("\x0d\1h\x0b\x0b\0\0\0\x0a\0\0\0\0\0\xff\x09\1h\2\0\xff\0\1k\1v"),
               RG_EAGAIN, "0 k=v\n");
}

RG_TEST(nothing_follows_an_error)
{
    struct rg_rdb_reader *r = rg_rdb_reader_new();
    struct rg_rdb_event e;
    rg_rdb_reader_feed(r, RG_BYTES("REDIS0009\0\x82\0\1k\1v"));
    RG_CHECK_INT(rg_rdb_reader_next(r, &e), RG_ECORRUPT);
    rg_rdb_reader_feed(r, RG_BYTES("\0\1k\1v"));
    RG_CHECK_INT(rg_rdb_reader_next(r, &e), RG_ECORRUPT);
    RG_CHECK_STR(rg_rdb_reader_error(r), "Unknown length encoding 0x82 at offset 11");
    rg_rdb_reader_free(r);
    rg_rdb_reader_free(NULL);
}

/* Integers are written as such only where reading gives the same text back. */
RG_TEST(strings_that_look_like_numbers_come_back_as_they_were)
{
    static const char *const texts[] = {
        "0",      "-0",     "+0",         "00",         "-1",          "-01",
        "127",    "128",    "-128",       "-129",       "32767",       "32768",
        "-32768", "-32769", "2147483647", "2147483648", "-2147483648", "-2147483649",
        " 1",     "1 ",     "1e3",        "-",          "0x1",         "-00000000001"};
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct rg_buf file = {0};
        struct rg_buf told = {0};
        struct rg_buf want = {0};
        struct rg_rdb_writer w;
        rg_rdb_write_begin(&w, &file, true, true);
        rg_rdb_write_string(&w, rg_bytes_str(texts[i]), 0, rg_bytes_str(texts[i]));
        rg_rdb_write_end(&w);
        RG_CHECK_INT(rdb_narrate(rg_buf_view(&file), 1, &told), RG_EAGAIN);
        rg_buf_append_str(&want, "0 ");
        rdb_narrate_bytes(rg_bytes_str(texts[i]), &want);
        rg_buf_append_char(&want, '=');
        rdb_narrate_bytes(rg_bytes_str(texts[i]), &want);
        rg_buf_append_str(&want, " @0\nend\n");
        RG_CHECK(rg_bytes_equal(rg_buf_view(&told), rg_buf_view(&want)));
        rg_buf_fini(&file);
        rg_buf_fini(&told);
        rg_buf_fini(&want);
    }
}

/* ---- Collections of any content ---- */

enum { ELEMENTS_MAX = 300, TEXT_MAX = 9000 };

/* Different for each index: a number, a short text, or now and then a long one. */
static struct rg_bytes random_text(struct rg_rand *rand, unsigned index, char *room)
{
    static const int64_t bases[] = {
        0, 100, 4000, 30000, 8000000, 2147000000, 1 + (INT64_C(1) << 62)};
    unsigned kind = (unsigned)rg_rand_below(rand, 8);
    if (kind < 4) {
        int64_t value = bases[rg_rand_below(rand, 7)] + index * 7;
        return rg_bytes(room, rg_format_i64(room, rg_rand_below(rand, 2) ? value : -value - 1));
    }
    size_t len = kind < 7 ? rg_rand_below(rand, 80) : rg_rand_below(rand, TEXT_MAX);
    int head = snprintf(room, TEXT_MAX, "t%u:", index);
    if (len < (size_t)head)
        len = (size_t)head;
    for (size_t i = (size_t)head; i < len; i++)
        room[i] = kind == 7 ? 'z' : (char)rg_rand_below(rand, 256);
    return rg_bytes(room, len);
}

static double random_score(struct rg_rand *rand)
{
    static const double scores[] = {0, -1, 1.5, 1e300, -INFINITY, INFINITY, 127, 4096, 5e-324};
    uint64_t kind = rg_rand_below(rand, 12);
    return kind < 9 ? scores[kind] : (double)(int64_t)rg_rand_u64(rand) / 1024;
}

struct model {
    struct rg_rdb_writer writer;
    struct rg_buf file;
    struct rg_buf told; /* what the reader has to tell */
    struct rg_rand rand;
    char room[2][TEXT_MAX];
};

static void model_say(struct model *m, const char *before, struct rg_bytes bytes)
{
    rg_buf_append_str(&m->told, before);
    rdb_narrate_bytes(bytes, &m->told);
}

static void random_list(struct model *m, struct rg_bytes key, unsigned count)
{
    rg_rdb_write_list(&m->writer, key, -1);
    model_say(m, "0 ", key);
    rg_buf_append_str(&m->told, ": list\n");
    for (unsigned i = 0; i < count; i++) {
        struct rg_bytes text = random_text(&m->rand, i, m->room[0]);
        rg_rdb_write_list_element(&m->writer, text);
        rg_buf_printf(&m->told, "0 %.*s[%u]=", (int)key.len, key.data, i);
        model_say(m, "", text);
        rg_buf_append_char(&m->told, '\n');
    }
    rg_rdb_write_list_end(&m->writer);
}

static void random_set(struct model *m, struct rg_bytes key, unsigned count, bool packed)
{
    static const int64_t widths[] = {1, 100, INT64_C(1) << 40};
    int64_t step = widths[rg_rand_below(&m->rand, 3)];
    rg_rdb_write_set(&m->writer, key, 5, count, packed);
    rg_buf_printf(&m->told, "0 %.*s: %u @5\n", (int)key.len, key.data, count);
    for (unsigned i = 0; i < count; i++) {
        struct rg_bytes text =
            packed ? rg_bytes(m->room[0], rg_format_i64(m->room[0], ((int64_t)i - 20) * step))
                   : random_text(&m->rand, i, m->room[0]);
        rg_rdb_write_set_member(&m->writer, text);
        rg_buf_printf(&m->told, "0 %.*s ", (int)key.len, key.data);
        model_say(m, "", text);
        rg_buf_append_char(&m->told, '\n');
    }
}

static void random_zset(struct model *m, struct rg_bytes key, unsigned count, bool packed)
{
    rg_rdb_write_zset(&m->writer, key, -1, count, packed);
    rg_buf_printf(&m->told, "0 %.*s: %u\n", (int)key.len, key.data, count);
    for (unsigned i = 0; i < count; i++) {
        char digits[RG_DOUBLE_CHARS];
        struct rg_bytes text = random_text(&m->rand, i, m->room[0]);
        double score = random_score(&m->rand);
        rg_rdb_write_zset_member(&m->writer, text, score);
        rg_buf_printf(&m->told, "0 %.*s ", (int)key.len, key.data);
        model_say(m, "", text);
        rg_buf_append_char(&m->told, '=');
        rg_buf_append(&m->told, digits, rg_format_double(digits, score));
        rg_buf_append_char(&m->told, '\n');
    }
}

static void random_hash(struct model *m, struct rg_bytes key, unsigned count, bool packed)
{
    rg_rdb_write_hash(&m->writer, key, -1, count, packed);
    rg_buf_printf(&m->told, "0 %.*s: %u\n", (int)key.len, key.data, count);
    for (unsigned i = 0; i < count; i++) {
        struct rg_bytes field = random_text(&m->rand, i, m->room[0]);
        struct rg_bytes value = random_text(&m->rand, i, m->room[1]);
        rg_rdb_write_hash_field(&m->writer, field, value);
        rg_buf_printf(&m->told, "0 %.*s.", (int)key.len, key.data);
        model_say(m, "", field);
        model_say(m, "=", value);
        rg_buf_append_char(&m->told, '\n');
    }
}

static void random_collection(struct model *m, struct rg_bytes key)
{
    unsigned count = 1 + (unsigned)rg_rand_below(&m->rand, ELEMENTS_MAX);
    bool packed = rg_rand_below(&m->rand, 2) == 0;
    switch (rg_rand_below(&m->rand, 4)) {
    case 0:
        random_list(m, key, count);
        break;
    case 1:
        random_set(m, key, count, packed);
        break;
    case 2:
        random_zset(m, key, count, packed);
        break;
    default:
        random_hash(m, key, count, packed);
        break;
    }
}

RG_TEST(collections_come_back_as_they_were)
{
    struct model *m = RG_NEW(struct model);
    rg_test_note("seed 7");
    rg_rand_init(&m->rand, 7);
    for (int round = 0; round < 20; round++) {
        struct rg_buf got = {0};
        rg_rdb_write_begin(&m->writer, &m->file, round % 2 == 0, round % 3 == 0);
        for (int i = 0; i < 10; i++) {
            char name[16];
            (void)snprintf(name, sizeof(name), "k%d", i);
            random_collection(m, rg_bytes_str(name));
        }
        rg_rdb_write_end(&m->writer);
        rg_buf_append_str(&m->told, "end\n");
        size_t piece = 1 + rg_rand_below(&m->rand, 1u << rg_rand_below(&m->rand, 16));
        RG_CHECK_INT(rdb_narrate(rg_buf_view(&m->file), piece, &got), RG_EAGAIN);
        RG_CHECK(rg_bytes_equal(rg_buf_view(&got), rg_buf_view(&m->told)));
        rg_buf_fini(&m->file);
        rg_buf_fini(&m->told);
        rg_buf_fini(&got);
    }
    rg_free(m);
}

/* ---- Payloads of DUMP ---- */

RG_TEST(a_payload_is_a_value_with_version_and_checksum)
{
    struct rg_buf payload = {0};
    struct rg_buf told = {0};
    struct rg_rdb_writer w;
    rg_rdb_write_payload_begin(&w, &payload, true);
    rg_rdb_write_set(&w, RG_BYTES("ignored"), 5, 2, true);
    rg_rdb_write_set_member(&w, RG_BYTES("1"));
    rg_rdb_write_set_member(&w, RG_BYTES("2"));
    rg_rdb_write_payload_end(&w);
    /* As redis-server 7.0 dumps it. */
    RG_CHECK(rg_bytes_equal(rg_buf_view(&payload),
                            RG_BYTES("\x0b\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x02\x00"
                                     "\x0a\x00\x6f\x79\x38\xb1\x34\xeb\x20\x2e")));
    RG_CHECK_INT(rdb_narrate_payload(rg_buf_view(&payload), &told), RG_EAGAIN);
    RG_CHECK_BYTES(rg_buf_view(&told), "0 : 2\n0  1\n0  2\nend\n");
    rg_buf_fini(&told);
    for (size_t i = 0; i < rg_buf_len(&payload); i++) {
        payload.data[i] = (char)(payload.data[i] ^ 4);
        RG_CHECK_INT(rdb_narrate_payload(rg_buf_view(&payload), &told), RG_ECORRUPT);
        payload.data[i] = (char)(payload.data[i] ^ 4);
        RG_CHECK_INT(rdb_narrate_payload(rg_bytes(payload.data, i), &told), RG_ECORRUPT);
    }
    rg_buf_fini(&payload);
    rg_buf_fini(&told);
}

/* A body with a true foot. */
static int told_payload(struct rg_bytes body, unsigned version, struct rg_buf *told)
{
    struct rg_buf payload = {0};
    rg_buf_append_bytes(&payload, body);
    rg_buf_append_char(&payload, (char)version);
    rg_buf_append_char(&payload, 0);
    uint64_t crc = rg_crc64(0, rg_buf_view(&payload).data, rg_buf_len(&payload));
    rg_buf_append(&payload, &crc, sizeof(crc));
    int rc = rdb_narrate_payload(rg_buf_view(&payload), told);
    rg_buf_fini(&payload);
    return rc;
}

RG_TEST(payloads_that_hold_no_value)
{
    struct rg_buf told = {0};
    RG_CHECK_INT(told_payload(RG_BYTES("\0\1v"), 11, &told), RG_EAGAIN);
    RG_CHECK_BYTES(rg_buf_view(&told), "0 =v\nend\n");
    RG_CHECK_INT(told_payload(RG_BYTES("\0\1v"), 12, &told), RG_ECORRUPT);
    RG_CHECK_INT(told_payload(RG_BYTES(""), 10, &told), RG_ECORRUPT);
    RG_CHECK_INT(told_payload(RG_BYTES("\0\2v"), 10, &told), RG_ECORRUPT);
    RG_CHECK_INT(told_payload(RG_BYTES("\x02\2\1v"), 10, &told), RG_ECORRUPT);
    RG_CHECK_INT(told_payload(RG_BYTES("\xfe\1"), 10, &told), RG_ECORRUPT); /* an opcode */
    RG_CHECK_INT(told_payload(RG_BYTES("\xff"), 10, &told), RG_ECORRUPT);
    RG_CHECK_INT(told_payload(RG_BYTES("\x0f\0"), 10, &told), RG_ETYPE);
    rg_buf_fini(&told);
    RG_CHECK_INT(told_payload(RG_BYTES("\2\0"), 10, &told), RG_EAGAIN); /* an empty set */
    RG_CHECK_BYTES(rg_buf_view(&told), "end\n");
    rg_buf_fini(&told);
}

/* ---- What no file should hold ---- */

RG_TEST(collections_that_do_not_hold)
{
    check_told("REDIS0009", RG_BYTES("\x03\1z\1\1m\xfd"), RG_ECORRUPT,
               "0 z: 1\nA score that is not a number at offset 16");
    check_told("REDIS0009",
               RG_BYTES("\x03\1z\1\1m\x03"
                        "1.x"),
               RG_ECORRUPT, "0 z: 1\nA score that is not a number at offset 19");
    check_told("REDIS0009", RG_BYTES("\x05\1z\1\1m\0\0\0\0\0\0\xf8\x7f"), RG_ECORRUPT,
               "0 z: 1\nA score that is not a number at offset 23");
    check_told("REDIS0010", RG_BYTES("\x12\1l\1\3\1x"), RG_ECORRUPT,
               "Unknown node of a list at offset 14");
    check_told("REDIS0010", RG_BYTES("\x12\1l\1\2\1x"), RG_ECORRUPT,
               "Invalid packed list at offset 16");
    check_told("REDIS0010", RG_BYTES("\x12\1l\2\1\1x\1\1y\0\1s\1v"), RG_EAGAIN,
               "0 l: list\n0 l[0]=x\n0 l[1]=y\n0 s=v\n");
    check_told("REDIS0010", RG_BYTES("\x12\1l\1\1\0"), RG_ECORRUPT,
               "Invalid packed list at offset 15");
    check_told("REDIS0010", RG_BYTES("\x0b\1s\x0c\2\0\0\0\2\0\0\0\2\0\1\0"), RG_ECORRUPT,
               "Invalid packed set at offset 25");
    check_told("REDIS0010", RG_BYTES("\x11\1z\x0b\x0b\0\0\0\2\0\x01\1\x81x\2\xff"), RG_ECORRUPT,
               "Invalid packed zset at offset 24");
    check_told("REDIS0010", RG_BYTES("\x11\1z\x0c\x0c\0\0\0\2\0\x01\1\x81x\2\xff"), RG_ECORRUPT,
               "0 z: 1\nA score that is not a number at offset 25");
}

/* ---- Keys ahead ---- */

static void write_many(struct rg_buf *file)
{
    struct rg_rdb_writer w;
    char key[80];
    rg_rdb_write_begin(&w, file, true, true);
    for (int i = 0; i < 200; i++) {
        size_t len = (size_t)snprintf(key, sizeof(key), i % 7 == 0 ? "%d" : "key %d%*s", i,
                                      i % 5 == 0 ? 60 : 0, "");
        if (i % 3 == 0)
            rg_rdb_write_idle(&w, 100);
        if (i % 11 == 0) {
            rg_rdb_write_set(&w, rg_bytes(key, len), 5, 1, i % 2 == 0);
            rg_rdb_write_set_member(&w, RG_BYTES("5"));
        } else {
            rg_rdb_write_string(&w, rg_bytes(key, len), i % 4 == 0 ? 5 : -1, rg_bytes(key, len));
        }
    }
    rg_rdb_write_end(&w);
}

RG_TEST(keys_are_shown_ahead_once_and_in_order)
{
    enum { AHEAD_MAX = 8 };
    struct rg_buf file = {0};
    struct rg_rdb_reader *r = rg_rdb_reader_new();
    struct rg_rdb_event e = {.type = RG_RDB_AUX};
    struct rg_bytes ahead[AHEAD_MAX];
    size_t count = 0;
    unsigned foretold = 0;
    write_many(&file);
    rg_rdb_reader_feed(r, rg_buf_view(&file));
    while (e.type != RG_RDB_END) {
        struct rg_bytes key;
        while (rg_rdb_reader_ahead(r, &key)) {
            RG_CHECK(count < AHEAD_MAX);
            ahead[count++] = key;
        }
        RG_CHECK_INT(rg_rdb_reader_next(r, &e), 0);
        if ((e.type != RG_RDB_STRING && e.type != RG_RDB_SET) || count == 0)
            continue;
        /* One that is written as an integer or compressed has no bytes to be shown. */
        if (ahead[0].len > 0) {
            RG_CHECK(ahead[0].data == e.key.data);
            RG_CHECK_INT(ahead[0].len, e.key.len);
            foretold++;
        }
        memmove(ahead, ahead + 1, --count * sizeof(*ahead));
    }
    RG_CHECK(foretold > 100);
    rg_rdb_reader_free(r);
    rg_buf_fini(&file);
}
