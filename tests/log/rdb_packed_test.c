#include "tests/harness.h"

#include "base/alloc.h"
#include "log/rdb_packed.h"
#include "tests/log/rdb_narrate.h"

/*
 * Packed hashes byte by byte. That valid ones are read as redis-server reads them is checked with
 * its own files (rdb_fixture_test.c); here it is each claim of a blob that is wrong.
 */

/* The pairs of a blob as "field=value,…", or its error. */
static int pairs(enum rdb_form form, struct rg_bytes bytes, struct rg_buf *out)
{
    /* A place of its own, so that a sanitizer sees a read past the end. */
    char *copy = rg_alloc(bytes.len > 0 ? bytes.len : 1);
    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    struct rg_bytes blob = {copy, bytes.len};
    size_t at = 0;
    uint64_t count = 0;
    struct rg_bytes run;
    int rc = rdb_packed_check(form, blob, form == RDB_FORM_INTSET ? 1 : 2, &at, &count, &run);
    if (rc == 0) {
        for (uint64_t i = 0; i < count; i++) {
            struct rdb_item item;
            RG_CHECK_INT(rdb_packed_next(form, blob, &at, i % 2 == 1, &item), 0);
            rdb_narrate_bytes(rdb_item_text(&item), out);
            rg_buf_append_char(out, i % 2 == 0 ? '=' : ',');
        }
        RG_CHECK_INT(at, form == RDB_FORM_INTSET ? bytes.len : bytes.len - 1);
    }
    rg_free(copy);
    return rc;
}

static void check_pairs(enum rdb_form form, struct rg_bytes blob, const char *expected)
{
    struct rg_buf out = {0};
    int rc = pairs(form, blob, &out);
    if (expected == NULL)
        RG_CHECK_INT(rc, RG_ECORRUPT);
    else
        RG_CHECK_BYTES(rg_buf_view(&out), expected);
    rg_buf_fini(&out);
}

/* A blob of elements given as they stand, with a true head. */
static void wrap(enum rdb_form form, struct rg_bytes body, unsigned items, size_t last,
                 struct rg_buf *out)
{
    if (form == RDB_FORM_ZIPMAP) {
        rg_buf_append_char(out, (char)(items / 2));
    } else {
        bool listpack = form == RDB_FORM_LISTPACK;
        uint32_t total = (uint32_t)body.len + (listpack ? 7 : 11);
        uint32_t tail = (uint32_t)last + 10;
        uint16_t count = (uint16_t)items;
        rg_buf_append(out, &total, 4);
        if (!listpack)
            rg_buf_append(out, &tail, 4);
        rg_buf_append(out, &count, 2);
    }
    rg_buf_append_bytes(out, body);
    rg_buf_append_char(out, (char)0xff);
}

static void check_items(enum rdb_form form, struct rg_bytes body, unsigned items, size_t last,
                        const char *expected)
{
    struct rg_buf blob = {0};
    wrap(form, body, items, last, &blob);
    check_pairs(form, rg_buf_view(&blob), expected);
    rg_buf_fini(&blob);
}

static void check_listpack(struct rg_bytes body, unsigned items, const char *expected)
{
    check_items(RDB_FORM_LISTPACK, body, items, 0, expected);
}

static void check_ziplist(struct rg_bytes body, size_t last, const char *expected)
{
    check_items(RDB_FORM_ZIPLIST, body, 2, last, expected);
}

static void check_zipmap(struct rg_bytes body, const char *expected)
{
    check_items(RDB_FORM_ZIPMAP, body, 2, 0, expected);
}

RG_TEST(each_form_of_a_listpack_element)
{
    check_listpack(RG_BYTES("\x00\1\x7f\1"), 2, "0=127,");
    check_listpack(RG_BYTES("\x80\1\x81x\2"), 2, "=x,");
    check_listpack(RG_BYTES("\xc0\x80\2\xcf\xff\2"), 2, "128=4095,");
    check_listpack(RG_BYTES("\xd0\x00\2\xdf\xff\2"), 2, "-4096=-1,");
    check_listpack(RG_BYTES("\xf1\xff\x7f\3\xf1\x00\x80\3"), 2, "32767=-32768,");
    check_listpack(RG_BYTES("\xf2\xff\xff\x7f\4\xf2\x00\x00\x80\4"), 2, "8388607=-8388608,");
    check_listpack(RG_BYTES("\xf3\xff\xff\xff\x7f\5\xf3\x00\x00\x00\x80\5"), 2,
                   "2147483647=-2147483648,");
    check_listpack(RG_BYTES("\xf4\xff\xff\xff\xff\xff\xff\xff\x7f\x09"
                            "\xf4\x00\x00\x00\x00\x00\x00\x00\x80\x09"),
                   2, "9223372036854775807=-9223372036854775808,");
    /* Longer forms than needed are read all the same. */
    check_listpack(RG_BYTES("\xe0\1a\3\xf0\1\0\0\0b\6"), 2, "a=b,");
}

RG_TEST(listpack_elements_that_do_not_hold)
{
    check_listpack(RG_BYTES("\x00\1\x7f"), 2, NULL);                   /* no length behind */
    check_listpack(RG_BYTES("\x00\2\x7f\1"), 2, NULL);                 /* a wrong one */
    check_listpack(RG_BYTES("\x00\x81\x7f\1"), 2, NULL);               /* one that goes on */
    check_listpack(RG_BYTES("\x00\1\xf5\1"), 2, NULL);                 /* no such form */
    check_listpack(RG_BYTES("\x00\1\xff\1"), 2, NULL);                 /* the end in the middle */
    check_listpack(RG_BYTES("\x00\1\xbfx\2"), 2, NULL);                /* text past the end */
    check_listpack(RG_BYTES("\x00\1\xef\xffx\3"), 2, NULL);            /* the same, 12 bits */
    check_listpack(RG_BYTES("\x00\1\xf0\xff\xff\xff\xff\6"), 2, NULL); /* the same, 32 bits */
    check_listpack(RG_BYTES("\x00\1\xf4\1\2\3\4"), 2, NULL);           /* integer past the end */
    check_listpack(RG_BYTES("\x00\1"), 1, NULL);                       /* a field without value */
    check_listpack(RG_BYTES("\x00\1\x00\1"), 3, NULL);                 /* a wrong count */
    check_listpack(RG_BYTES("\x00\1\x00\1"), 65535, "0=0,");           /* a count not known */
}

RG_TEST(each_length_of_a_listpack_back_link)
{
    static const size_t lengths[] = {125, 126, 16377, 16378, 2097145, 2097146};
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct rg_buf body = {0};
        struct rg_buf want = {0};
        size_t n = lengths[i];
        size_t size = n + (n < 4096 ? 2 : 5);
        unsigned groups = size <= 127 ? 1 : size < 16383 ? 2 : size < 2097151 ? 3 : 4;
        if (n < 4096)
            rg_buf_printf(&body, "%c%c", (char)(0xe0 | n >> 8), (char)n);
        else
            rg_buf_append(&body, (char[]){(char)0xf0, (char)n, (char)(n >> 8), (char)(n >> 16), 0},
                          5);
        memset(rg_buf_reserve(&body, n), 'x', n);
        rg_buf_commit(&body, n);
        for (unsigned g = groups; g-- > 0;)
            rg_buf_append_char(&body, (char)((size >> 7 * g & 127) | (g + 1 < groups ? 128 : 0)));
        rg_buf_append_bytes(&body, RG_BYTES("\1\1"));
        rg_buf_printf(&want, "{%zu*x}=1,", n);
        rg_buf_append_char(&want, '\0');
        check_listpack(rg_buf_view(&body), 2, rg_buf_view(&want).data);
        rg_buf_fini(&body);
        rg_buf_fini(&want);
    }
}

RG_TEST(each_form_of_a_ziplist_element)
{
    check_ziplist(RG_BYTES("\0\xf1\2\xfd"), 2, "0=12,");
    check_ziplist(RG_BYTES("\0\xfe\x80\3\xfe\x7f"), 3, "-128=127,");
    check_ziplist(RG_BYTES("\0\xc0\x00\x80\4\xc0\xff\x7f"), 4, "-32768=32767,");
    check_ziplist(RG_BYTES("\0\xf0\x00\x00\x80\5\xf0\xff\xff\x7f"), 5, "-8388608=8388607,");
    check_ziplist(RG_BYTES("\0\xd0\x00\x00\x00\x80\6\xd0\xff\xff\xff\x7f"), 6,
                  "-2147483648=2147483647,");
    check_ziplist(RG_BYTES("\0\xe0\x00\x00\x00\x00\x00\x00\x00\x80"
                           "\x0a\xe0\xff\xff\xff\xff\xff\xff\xff\x7f"),
                  10, "-9223372036854775808=9223372036854775807,");
    check_ziplist(RG_BYTES("\0\1a\3\x40\1b"), 3, "a=b,");
    check_ziplist(RG_BYTES("\0\x80\0\0\0\1a\xfe\7\0\0\0\0"), 7, "a=,");
}

RG_TEST(ziplist_elements_that_do_not_hold)
{
    check_ziplist(RG_BYTES("\0\xf1\2\xf1"), 0, NULL);           /* the last is elsewhere */
    check_ziplist(RG_BYTES("\0\xf1\3\xf1"), 2, NULL);           /* a wrong back link */
    check_ziplist(RG_BYTES("\1\xf1\2\xf1"), 2, NULL);           /* one before the first */
    check_ziplist(RG_BYTES("\0\xf1\xfe\3\0\0\0\xf1"), 2, NULL); /* a wrong one in 5 bytes */
    check_ziplist(RG_BYTES("\0\xf1\xfe\2\0"), 2, NULL);         /* cut */
    check_ziplist(RG_BYTES("\0\xf1\xff\xf1"), 2, NULL);         /* the end in the middle */
    check_ziplist(RG_BYTES("\0\xf1\2"), 2, NULL);               /* nothing behind the link */
    check_ziplist(RG_BYTES("\0\xf1\2\xff"), 2, NULL);           /* no such form */
    check_ziplist(RG_BYTES("\0\xf1\2\xc1"), 2, NULL);           /* nor that */
    check_ziplist(RG_BYTES("\0\xf1\2\5abc"), 2, NULL);          /* text past the end */
    check_ziplist(RG_BYTES("\0\xf1\2\x40"), 2, NULL);           /* its length past the end */
    check_ziplist(RG_BYTES("\0\xf1\2\x80\xff\xff\xff\xff"), 2, NULL);
    check_ziplist(RG_BYTES("\0\xf1\2\xe0\1"), 2, NULL); /* an integer past the end */
    check_items(RDB_FORM_ZIPLIST, RG_BYTES("\0\xf1"), 1, 0, NULL);
    check_items(RDB_FORM_ZIPLIST, RG_BYTES("\0\xf1\2\xf1"), 4, 2, NULL);
    check_items(RDB_FORM_ZIPLIST, RG_BYTES("\0\xf1\2\xf1"), 65535, 2, "0=0,");
}

RG_TEST(zipmap_elements)
{
    check_zipmap(RG_BYTES("\1f\1\0v"), "f=v,");
    check_zipmap(RG_BYTES("\0\0\3..."), "=,");
    check_zipmap(RG_BYTES("\xfe\1\0\0\0f\xfe\1\0\0\0\1v."), "f=v,");
    check_zipmap(RG_BYTES("\1f\1\1v"), NULL);   /* its spare bytes past the end */
    check_zipmap(RG_BYTES("\1f\2\0v"), NULL);   /* text past the end */
    check_zipmap(RG_BYTES("\1f\1"), NULL);      /* no number of spare bytes */
    check_zipmap(RG_BYTES("\1f"), NULL);        /* a field without value */
    check_zipmap(RG_BYTES("\1f\xff\0v"), NULL); /* the end in the middle */
    check_zipmap(RG_BYTES("\xfe\xff\xff\xff\xff"
                          "f"),
                 NULL);                       /* a long length past the end */
    check_zipmap(RG_BYTES("\xfe\1\0"), NULL); /* cut */
    check_items(RDB_FORM_ZIPMAP, RG_BYTES("\1f\1\0v"), 4, 0, NULL);
    check_items(RDB_FORM_ZIPMAP, RG_BYTES("\1f\1\0v"), 508, 0, "f=v,");
}

RG_TEST(heads_that_do_not_hold)
{
    check_pairs(RDB_FORM_LISTPACK, RG_BYTES(""), NULL);
    check_pairs(RDB_FORM_LISTPACK, RG_BYTES("\6\0\0\0\0\xff"), NULL);
    check_pairs(RDB_FORM_LISTPACK, RG_BYTES("\7\0\0\0\0\0\xfe"), NULL);
    check_pairs(RDB_FORM_LISTPACK, RG_BYTES("\x08\0\0\0\0\0\xff"), NULL);
    check_pairs(RDB_FORM_LISTPACK, RG_BYTES("\7\0\0\0\0\0\xff"), "");
    check_pairs(RDB_FORM_ZIPLIST, RG_BYTES("\x0a\0\0\0\x0a\0\0\0\0\xff"), NULL);
    check_pairs(RDB_FORM_ZIPLIST, RG_BYTES("\x0b\0\0\0\x0a\0\0\0\0\0\0"), NULL);
    check_pairs(RDB_FORM_ZIPLIST, RG_BYTES("\x0b\0\0\0\x0a\0\0\0\0\0\xff"), "");
    check_pairs(RDB_FORM_ZIPMAP, RG_BYTES("\xff"), NULL);
    check_pairs(RDB_FORM_ZIPMAP, RG_BYTES("\1\xff"), NULL);
    check_pairs(RDB_FORM_ZIPMAP, RG_BYTES("\0\xff"), "");
}

RG_TEST(intsets)
{
    check_pairs(RDB_FORM_INTSET, RG_BYTES("\2\0\0\0\0\0\0\0"), "");
    check_pairs(RDB_FORM_INTSET, RG_BYTES("\2\0\0\0\2\0\0\0\xff\xff\5\0"), "-1=5,");
    check_pairs(RDB_FORM_INTSET, RG_BYTES("\4\0\0\0\1\0\0\0\0\0\0\x80"), "-2147483648=");
    check_pairs(RDB_FORM_INTSET,
                RG_BYTES("\x08\0\0\0\2\0\0\0\0\0\0\0\0\0\0\x80"
                         "\xff\xff\xff\xff\xff\xff\xff\x7f"),
                "-9223372036854775808=9223372036854775807,");
    check_pairs(RDB_FORM_INTSET, RG_BYTES(""), NULL);
    check_pairs(RDB_FORM_INTSET, RG_BYTES("\2\0\0\0\0\0\0"), NULL);           /* cut */
    check_pairs(RDB_FORM_INTSET, RG_BYTES("\3\0\0\0\0\0\0\0"), NULL);         /* no such width */
    check_pairs(RDB_FORM_INTSET, RG_BYTES("\0\0\0\0\0\0\0\0"), NULL);         /* nor this one */
    check_pairs(RDB_FORM_INTSET, RG_BYTES("\2\0\0\0\1\0\0\0\5"), NULL);       /* too short */
    check_pairs(RDB_FORM_INTSET, RG_BYTES("\2\0\0\0\1\0\0\0\5\0\6\0"), NULL); /* too long */
    check_pairs(RDB_FORM_INTSET, RG_BYTES("\2\0\0\0\2\0\0\0\5\0\5\0"), NULL); /* twice */
    check_pairs(RDB_FORM_INTSET, RG_BYTES("\2\0\0\0\2\0\0\0\5\0\4\0"), NULL); /* in disorder */
    check_pairs(RDB_FORM_INTSET, RG_BYTES("\2\0\0\0\xff\xff\xff\xff\5\0"), NULL);
}
