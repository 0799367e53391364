#include "tests/harness.h"

#include "base/alloc.h"
#include "log/rdb.h"

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
    rg_rdb_write_hash(&w, RG_BYTES("h"), -1, 2);
    rg_rdb_write_hash_field(&w, RG_BYTES("f"), RG_BYTES("300"));
    rg_rdb_write_hash_field(&w, RG_BYTES("g"), RG_BYTES("value"));
    rg_rdb_write_end(&w);
}

/* Reads all of it in pieces of a size; writes the events as text. */
static int narrate(struct rg_bytes file, size_t piece, struct rg_buf *out)
{
    struct rg_rdb_reader *r = rg_rdb_reader_new();
    struct rg_rdb_event e;
    int rc = RG_EAGAIN;
    for (size_t at = 0; rc == RG_EAGAIN && at < file.len; at += piece) {
        size_t n = file.len - at < piece ? file.len - at : piece;
        rg_rdb_reader_feed(r, rg_bytes(file.data + at, n));
        while ((rc = rg_rdb_reader_next(r, &e)) == 0) {
            rg_buf_printf(out, "%d %u %lld %llu ", (int)e.type, e.db, (long long)e.expire_ms,
                          (unsigned long long)e.count);
            rg_buf_append_bytes(out, e.key);
            rg_buf_append_char(out, '=');
            rg_buf_append_bytes(out, e.value);
            rg_buf_append_char(out, '\n');
        }
    }
    rg_buf_append_str(out, rg_rdb_reader_error(r));
    rg_rdb_reader_free(r);
    return rc;
}

RG_TEST(round_trip_in_pieces_of_any_size)
{
    struct rg_buf file = {0};
    struct rg_buf whole = {0};
    sample(&file);
    RG_CHECK_INT(narrate(rg_buf_view(&file), SIZE_MAX / 2, &whole), RG_EAGAIN);
    rg_buf_append_char(&whole, 0);
    const char *text = rg_buf_view(&whole).data;
    RG_CHECK(strstr(text, "2 0 4102444800000 0 int=-70000\n") != NULL);
    RG_CHECK(strstr(text, "3 0 -1 2 h=\n4 0 -1 0 f=300\n4 0 -1 0 g=value\n6 ") != NULL);
    for (size_t piece = 1; piece < 40; piece++) {
        struct rg_buf some = {0};
        (void)narrate(rg_buf_view(&file), piece, &some);
        rg_buf_append_char(&some, 0);
        RG_CHECK(rg_bytes_equal(rg_buf_view(&some), rg_buf_view(&whole)));
        rg_buf_fini(&some);
    }
    rg_buf_fini(&file);
    rg_buf_fini(&whole);
}

RG_TEST(a_corrupt_byte_anywhere_is_never_taken_for_the_file)
{
    struct rg_buf file = {0};
    sample(&file);
    struct rg_bytes all = rg_buf_view(&file);
    for (size_t i = 0; i < all.len - 8; i++) {
        char *bad = rg_alloc_copy(all.data, all.len);
        struct rg_buf one = {0};
        struct rg_buf other = {0};
        bad[i] = (char)(bad[i] ^ 0x41);
        int rc = narrate(rg_bytes(bad, all.len), all.len, &one);
        RG_CHECK_INT(narrate(rg_bytes(bad, all.len), 1, &other), rc);
        RG_CHECK(rg_bytes_equal(rg_buf_view(&one), rg_buf_view(&other)));
        rg_buf_append_char(&one, 0);
        RG_CHECK(strstr(rg_buf_view(&one).data, "\n6 ") == NULL);
        rg_buf_fini(&one);
        rg_buf_fini(&other);
        rg_free(bad);
    }
    rg_buf_fini(&file);
}
