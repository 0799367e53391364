#include "log/aof.h"

#include <stdio.h>
#include <string.h>

#include "base/rand.h"
#include "log/aof_manifest.h"
#include "log/aof_strip.h"
#include "tests/harness.h"

/* The files of the log on disk: heads, lines and commands, and the manifest that names them. */

static const char replid_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char replid_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

static void sample(struct rg_buf *out)
{
    struct rg_aof_head head = {.start = 500, .db = 3};
    struct rg_history_term later = {.term = 7, .start = 512};

    rg_history_push(&head.history, 0, replid_a, 0);
    rg_history_push(&head.history, 6, replid_b, 400);
    rg_aof_head_format(&head, out);
    rg_request_write_strs(out, "SET", "a", "1", NULL);
    memcpy(later.replid, replid_a, sizeof(later.replid));
    rg_aof_term_format(&later, out);
    rg_aof_time_format(1700000000, out);
    rg_buf_append_str(out, "# somebody's words\n");
    rg_request_write_strs(out, "PING", NULL);
}

/* What a reader shows of a file that comes in pieces of `step` bytes. */
static void narrate(struct rg_bytes file, size_t step, struct rg_buf *out)
{
    struct rg_aof_reader *reader = rg_aof_reader_new(0);
    struct rg_aof_item item;
    int result = RG_EAGAIN;

    for (size_t at = 0; at < file.len && result == RG_EAGAIN; at += step) {
        size_t n = file.len - at < step ? file.len - at : step;
        rg_aof_reader_feed(reader, rg_bytes(file.data + at, n));
        while ((result = rg_aof_reader_next(reader, &item)) == 0) {
            rg_buf_printf(out, "%llu+%llu:%d", (unsigned long long)item.position,
                          (unsigned long long)item.size, (int)item.type);
            if (item.type == RG_AOF_COMMAND)
                rg_buf_printf(out, " %.*s/%d", (int)item.request.argv[0].len,
                              item.request.argv[0].data, item.request.argc);
            if (item.type == RG_AOF_HEAD)
                rg_buf_printf(out, " %llu db %d terms %u", (unsigned long long)item.head->start,
                              item.head->db, item.head->history.count);
            if (item.type == RG_AOF_TERM)
                rg_buf_printf(out, " %llu at %llu", (unsigned long long)item.term.term,
                              (unsigned long long)item.term.start);
            rg_buf_append_char(out, '\n');
        }
    }
    if (result != RG_EAGAIN)
        rg_buf_printf(out, "%s\n", rg_aof_reader_error(reader));
    else
        rg_buf_printf(out, "left %zu at %llu\n", rg_aof_reader_left(reader),
                      (unsigned long long)rg_aof_reader_position(reader));
    rg_buf_append_char(out, '\0');
    rg_aof_reader_free(reader);
}

RG_TEST(a_file_is_read_as_it_was_written_in_pieces_of_any_size)
{
    struct rg_buf file = {0};
    struct rg_buf whole = {0};

    sample(&file);
    narrate(rg_buf_view(&file), 100000, &whole);
    RG_CHECK_STR(rg_buf_view(&whole).data, "0+166:1 500 db 3 terms 2\n166+27:0 SET/3\n"
                                           "193+61:2 7 at 512\n254+16:3\n270+19:4\n"
                                           "289+14:0 PING/1\nleft 0 at 303\n");
    for (size_t step = 1; step < 40; step++) {
        struct rg_buf pieces = {0};
        narrate(rg_buf_view(&file), step, &pieces);
        RG_CHECK_STR(rg_buf_view(&pieces).data, rg_buf_view(&whole).data);
        rg_buf_fini(&pieces);
    }
    rg_buf_fini(&whole);
    rg_buf_fini(&file);
}

RG_TEST(a_file_that_is_cut_anywhere_ends_in_the_item_that_is_not_whole)
{
    struct rg_buf file = {0};
    static const size_t ends[] = {0, 166, 193, 254, 270, 289, 303};

    sample(&file);
    for (size_t len = 0; len < rg_buf_len(&file); len++) {
        struct rg_aof_reader *reader = rg_aof_reader_new(0);
        struct rg_aof_item item;
        size_t at = 0;
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]) && ends[i] <= len; i++)
            at = ends[i];
        rg_aof_reader_feed(reader, rg_bytes(rg_buf_view(&file).data, len));
        int result = 0;
        while (result == 0)
            result = rg_aof_reader_next(reader, &item);
        RG_CHECK_INT(result, RG_EAGAIN);
        RG_CHECK_INT(rg_aof_reader_position(reader), at);
        RG_CHECK_INT(rg_aof_reader_left(reader), len - at);
        rg_aof_reader_free(reader);
    }
    rg_buf_fini(&file);
}

static void check_refused(const char *text, const char *why)
{
    struct rg_buf told = {0};

    narrate(rg_bytes_str(text), 100000, &told);
    if (strstr(rg_buf_view(&told).data, why) == NULL)
        rg_test_fail(__FILE__, __LINE__, "%s: %s", text, rg_buf_view(&told).data);
    rg_buf_fini(&told);
}

RG_TEST(what_is_no_log_is_refused_with_its_place)
{
    check_refused("*1\r\n$4\r\nPING\r\nSET a 1\r\n", "at offset 14");
    check_refused("*0\r\n", "without words at offset 0");
    check_refused("*1\r\n+4\r\n", "A command that is none at offset 0");
    check_refused("#REGENT-LOG:2:0:-1:0\r\n", "A head of the log that is none");
    check_refused("#REGENT-LOG:1:0:-1:257\r\n", "A head of the log that is none");
    check_refused("#REGENT-LOG:1:0:-1:1\r\n*1\r\n$4\r\nPING\r\n", "The head of the file ends");
    check_refused("#REGENT-LOG:1:0:2:0\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n",
                  "The head of the file ends");
    check_refused("#REGENT-LOG:1:0:-1:1\r\n#REGENT-TERM:0:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:"
                  "5\r\n",
                  "does not fit");
}

RG_TEST(no_line_is_longer_than_redis_reads)
{
    struct rg_buf out = {0};
    struct rg_history_term term = {.term = UINT64_MAX, .start = UINT64_MAX};

    memcpy(term.replid, replid_a, sizeof(term.replid));
    rg_aof_term_format(&term, &out);
    RG_CHECK(rg_buf_len(&out) <= 126);
    rg_buf_fini(&out);
}

/* ---- The log's bytes of a file ---- */

static int strip_all(struct rg_bytes file, size_t step, struct rg_buf *out, bool *ret_whole)
{
    struct rg_aof_strip strip;
    int result = RG_EAGAIN;

    rg_aof_strip_init(&strip);
    for (size_t at = 0; at < file.len && result == RG_EAGAIN; at += step) {
        struct rg_bytes piece =
            rg_bytes(file.data + at, file.len - at < step ? file.len - at : step);
        struct rg_bytes run;
        while ((result = rg_aof_strip_next(&strip, &piece, &run)) == 0)
            rg_buf_append_bytes(out, run);
    }
    *ret_whole = rg_aof_strip_whole(&strip);
    return result;
}

RG_TEST(notes_are_left_out_and_values_that_look_like_notes_are_not)
{
    struct rg_buf file = {0};
    struct rg_buf log = {0};
    bool whole = false;

    sample(&file);
    rg_buf_append_str(&file, "*2\r\n$3\r\nSET\r\n$11\r\n#TS:1\r\n#TS:\r\n#TS:3\r\n");
    rg_buf_consume(&file, 166); /* the head */
    rg_request_write_strs(&log, "SET", "a", "1", NULL);
    rg_request_write_strs(&log, "PING", NULL);
    rg_buf_append_str(&log, "*2\r\n$3\r\nSET\r\n$11\r\n#TS:1\r\n#TS:\r\n");
    for (size_t step = 1; step < 60; step++) {
        struct rg_buf out = {0};
        RG_CHECK_INT(strip_all(rg_buf_view(&file), step, &out, &whole), RG_EAGAIN);
        RG_CHECK(whole && rg_bytes_equal(rg_buf_view(&out), rg_buf_view(&log)));
        rg_buf_fini(&out);
    }
    rg_buf_fini(&file);
    rg_buf_fini(&log);
}

RG_TEST(what_is_no_command_is_found_before_it_is_passed_on)
{
    static const char *const wrong[] = {
        "SET a 1\r\n", "*\r\n",        "*0\r\n",        "*1\n",         "*1x\r\n",
        "*1\r\nx",     "*1\r\n+2\r\n", "*1\r\n$-1\r\n", "*1\r\n$1\r\r", "*1111111111111111111\r\n"};
    bool whole = false;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct rg_buf out = {0};
        if (strip_all(rg_bytes_str(wrong[i]), 100, &out, &whole) != RG_ECORRUPT)
            rg_test_fail(__FILE__, __LINE__, "%s", wrong[i]);
        rg_buf_fini(&out);
    }
}

/* ---- The manifest ---- */

static void check_manifest(const char *text, const char *expected)
{
    struct rg_aof_manifest manifest = {0};
    struct rg_buf out = {0};

    if (rg_aof_manifest_parse(rg_bytes_str(text), &manifest, &out) == 0)
        rg_aof_manifest_format(&manifest, &out);
    rg_buf_append_char(&out, '\0');
    RG_CHECK_STR(rg_buf_view(&out).data, expected);
    rg_aof_manifest_fini(&manifest);
    rg_buf_fini(&out);
}

RG_TEST(a_manifest_of_redis_is_read_and_written_as_it_is)
{
    static const char text[] = "file a.1.base.rdb seq 1 type b\nfile a.0 seq 4 type h\n"
                               "file \"a b.1.incr.aof\" seq 1 type i\nfile a.2 seq 2 type i\n";
    check_manifest(text, text);
    check_manifest("# a comment\nfile x type i seq 7 more 1\n", "file x seq 7 type i\n");
}

RG_TEST(a_manifest_says_where_files_lie_in_the_log)
{
    static const char text[] = "file a seq 1 type b\nfile b seq 1 type h start 0 end 70\n"
                               "file c seq 2 type i start 70\n";
    check_manifest(text, text);
    check_manifest("file a seq 1 type b start 5\n", "file a seq 1 type b\n");
    check_manifest("file a seq 1 type i start x end 7\n", "file a seq 1 type i\n");
    check_manifest("file a seq 1 type h start 9 end 7\n", "file a seq 1 type h\n");
    check_manifest("file a seq 1 type i end 7\n", "file a seq 1 type i\n");
}

RG_TEST(a_manifest_that_is_none_is_refused_with_its_line)
{
    check_manifest("", "Found an empty AOF manifest at line 1");
    check_manifest("file a seq 1 type b\n\n", "Invalid AOF manifest file format at line 2");
    check_manifest("file a seq 1\n", "Invalid AOF manifest file format at line 1");
    check_manifest("file a seq 0 type b\n", "Invalid AOF manifest file format at line 1");
    check_manifest("file ../a seq 1 type b\n", "File can't be a path, just a filename at line 1");
    check_manifest("file .. seq 1 type b\n", "File can't be a path, just a filename at line 1");
    check_manifest("file a seq 1 type x\n", "Unknown AOF file type at line 1");
    check_manifest("file a seq 1 type b\nfile b seq 2 type b\n",
                   "Found duplicate base file information at line 2");
    check_manifest("file a seq 2 type i\nfile b seq 2 type i\n",
                   "Found a non-monotonic sequence number at line 2");
    check_manifest("file a seq 1 type i", "The AOF manifest file contains an incomplete line at "
                                          "line 1");
}

RG_TEST(a_rewrite_makes_history_of_what_was_before)
{
    struct rg_aof_manifest manifest = {0};
    struct rg_buf out = {0};

    rg_aof_manifest_add(&manifest, "i1", 1, RG_AOF_INCR);
    rg_aof_manifest_add(&manifest, "b1", 1, RG_AOF_BASE);
    rg_aof_manifest_add(&manifest, "i2", 2, RG_AOF_INCR);
    rg_aof_manifest_retire(&manifest, 2);
    rg_aof_manifest_add(&manifest, "b2", 3, RG_AOF_BASE);
    RG_CHECK_INT(rg_aof_manifest_seq(&manifest), 3);
    rg_aof_manifest_format(&manifest, &out);
    rg_aof_manifest_forget(&manifest);
    rg_aof_manifest_format(&manifest, &out);
    rg_buf_append_char(&out, '\0');
    RG_CHECK_STR(rg_buf_view(&out).data,
                 "file b2 seq 3 type b\nfile b1 seq 1 type h\nfile i1 seq 1 type h\n"
                 "file i2 seq 2 type i\nfile b2 seq 3 type b\nfile i2 seq 2 type i\n");
    rg_aof_manifest_fini(&manifest);
    rg_buf_fini(&out);
}
