#include "proto/resp.h"

#include <math.h>

#include "tests/harness.h"

static void write_each(struct rg_reply *reply)
{
    rg_reply_simple(reply, "OK");
    rg_reply_error(reply, "ERR a\r\nb\r\n");
    rg_reply_errorf(reply, "ERR %d", 5);
    rg_reply_i64(reply, INT64_MIN);
    rg_reply_bulk(reply, RG_BYTES("a\r\nb"));
    rg_reply_bulk_str(reply, "");
    rg_reply_bulk_i64(reply, -12);
    rg_reply_null(reply);
    rg_reply_null_array(reply);
    rg_reply_array(reply, 0);
    rg_reply_map(reply, 2);
    rg_reply_set(reply, 3);
    rg_reply_push(reply, 4);
    rg_reply_bool(reply, true);
    rg_reply_bool(reply, false);
    rg_reply_double(reply, 1.5);
    rg_reply_double(reply, (double)-INFINITY);
    rg_reply_verbatim(reply, "txt", RG_BYTES("hi"));
}

RG_TEST(writes_resp2)
{
    struct rg_buf out = {0};
    struct rg_reply reply = {.out = &out, .proto = 2};

    write_each(&reply);
    RG_CHECK_BYTES(rg_buf_view(&out),
                   "+OK\r\n-ERR a  b\r\n-ERR 5\r\n:-9223372036854775808\r\n$4\r\na\r\nb\r\n"
                   "$0\r\n\r\n$3\r\n-12\r\n$-1\r\n*-1\r\n*0\r\n*4\r\n*3\r\n*4\r\n:1\r\n:0\r\n"
                   "$3\r\n1.5\r\n$4\r\n-inf\r\n$2\r\nhi\r\n");
    rg_buf_fini(&out);
}

RG_TEST(writes_resp3)
{
    struct rg_buf out = {0};
    struct rg_reply reply = {.out = &out, .proto = 3};

    write_each(&reply);
    RG_CHECK_BYTES(rg_buf_view(&out),
                   "+OK\r\n-ERR a  b\r\n-ERR 5\r\n:-9223372036854775808\r\n$4\r\na\r\nb\r\n"
                   "$0\r\n\r\n$3\r\n-12\r\n_\r\n_\r\n*0\r\n%2\r\n~3\r\n>4\r\n#t\r\n#f\r\n"
                   ",1.5\r\n,-inf\r\n=6\r\ntxt:hi\r\n");
    rg_buf_fini(&out);
}

/* Reads one frame, and that no shorter input is enough. */
static struct rg_frame read_frame(struct rg_bytes input)
{
    struct rg_frame frame = {0};
    size_t used = 0;

    for (size_t len = 0; len < input.len; len++)
        RG_CHECK_INT(rg_frame_parse(rg_bytes(input.data, len), &used, &frame), RG_EAGAIN);
    RG_CHECK_INT(rg_frame_parse(input, &used, &frame), 0);
    RG_CHECK_INT(used, input.len);
    return frame;
}

RG_TEST(reads_every_type)
{
    RG_CHECK_BYTES(read_frame(RG_BYTES("+OK\r\n")).bytes, "OK");
    RG_CHECK_INT(read_frame(RG_BYTES("-ERR x\r\n")).type, RG_FRAME_ERROR);
    RG_CHECK_INT(read_frame(RG_BYTES(":-5\r\n")).integer, -5);
    RG_CHECK_BYTES(read_frame(RG_BYTES("$4\r\na\r\nb\r\n")).bytes, "a\r\nb");
    RG_CHECK_INT(read_frame(RG_BYTES("$-1\r\n")).type, RG_FRAME_NULL);
    RG_CHECK_INT(read_frame(RG_BYTES("*-1\r\n")).type, RG_FRAME_NULL);
    RG_CHECK_INT(read_frame(RG_BYTES("_\r\n")).type, RG_FRAME_NULL);
    RG_CHECK_INT(read_frame(RG_BYTES("*3\r\n")).len, 3);
    RG_CHECK(read_frame(RG_BYTES(">3\r\n")).push);
    RG_CHECK_INT(read_frame(RG_BYTES("%2\r\n")).type, RG_FRAME_MAP);
    RG_CHECK_INT(read_frame(RG_BYTES("#t\r\n")).integer, 1);
    RG_CHECK(read_frame(RG_BYTES(",1.5\r\n")).number == 1.5);
    RG_CHECK(isinf(read_frame(RG_BYTES(",inf\r\n")).number));
    RG_CHECK(isnan(read_frame(RG_BYTES(",nan\r\n")).number));
    RG_CHECK_BYTES(read_frame(RG_BYTES("=6\r\ntxt:hi\r\n")).bytes, "hi");
    RG_CHECK_BYTES(read_frame(RG_BYTES("(123456789012345678901\r\n")).bytes,
                   "123456789012345678901");
    RG_CHECK_INT(read_frame(RG_BYTES("!5\r\nERR x\r\n")).type, RG_FRAME_ERROR);
}

static void check_broken(struct rg_bytes input)
{
    struct rg_frame frame = {0};
    size_t used = 0;

    RG_CHECK_INT(rg_frame_parse(input, &used, &frame), RG_EPROTO);
    RG_CHECK_INT(used, 0);
}

RG_TEST(broken_frames_are_errors)
{
    check_broken(RG_BYTES("x\r\n"));
    check_broken(RG_BYTES("\0\r\n"));
    check_broken(RG_BYTES("+a\n"));
    check_broken(RG_BYTES("$-2\r\n"));
    check_broken(RG_BYTES("$x\r\n"));
    check_broken(RG_BYTES("$1\r\nabc"));
    check_broken(RG_BYTES("$?\r\n"));
    check_broken(RG_BYTES("=3\r\ntxt\r\n"));
    check_broken(RG_BYTES("~-1\r\n"));
    check_broken(RG_BYTES("*2147483648\r\n"));
    check_broken(RG_BYTES("#x\r\n"));
    check_broken(RG_BYTES("_x\r\n"));
    check_broken(RG_BYTES(",x\r\n"));
    check_broken(RG_BYTES(":1.5\r\n"));
}
