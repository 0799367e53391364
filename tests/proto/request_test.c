#include "proto/resp.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/rand.h"
#include "tests/harness.h"

/* What the quick way takes, the full parser takes too, with the same result. */
static void check_plain(const struct rg_request_parser *before, struct rg_bytes input, int rc,
                        const struct rg_request *request)
{
    enum { MAX_ARGS = 16 };
    struct rg_bytes argv[MAX_ARGS];
    size_t size = 0;
    int argc = rg_request_parse_plain(before, input, argv, MAX_ARGS, &size);

    if (argc == RG_EAGAIN)
        return;
    RG_CHECK_INT(rc, 0);
    RG_CHECK_INT(request->argc, argc);
    RG_CHECK_INT(request->size, size);
    for (int i = 0; i < argc; i++)
        RG_CHECK(rg_bytes_equal(argv[i], request->argv[i]));
}

/* Parses all of input, which arrives in pieces of `step` bytes; each piece in a place of its own,
 * so that a view kept from before shows under a sanitizer. Writes what came out as text. */
static void parse_all(struct rg_bytes input, size_t step, bool authenticated, struct rg_buf *out)
{
    struct rg_request_parser parser = {.authenticated = authenticated};
    struct rg_request request;
    size_t start = 0;
    size_t end = 0;

    while (end < input.len) {
        end = input.len - end < step ? input.len : end + step;
        for (;;) {
            char *copy = rg_alloc_copy(input.data + start, end - start);
            struct rg_request_parser before = parser;
            int rc = rg_request_parse(&parser, rg_bytes(copy, end - start), &request);
            check_plain(&before, rg_bytes(copy, end - start), rc, &request);
            if (rc == 0) {
                rg_buf_append_char(out, '(');
                for (int i = 0; i < request.argc; i++) {
                    rg_buf_append_char(out, '[');
                    rg_buf_append_bytes(out, request.argv[i]);
                    rg_buf_append_char(out, ']');
                }
                rg_buf_append_char(out, ')');
                start += request.size;
            }
            rg_free(copy);
            if (rc == RG_EPROTO) {
                rg_buf_printf(out, "!%s", parser.error);
                end = input.len;
            }
            if (rc < 0)
                break;
        }
    }
    rg_request_parser_fini(&parser);
}

static void check_parse(struct rg_bytes input, bool authenticated, const char *expected)
{
    static const size_t steps[] = {1, 2, 3, 7, 1000000};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct rg_buf out = {0};
        parse_all(input, steps[i], authenticated, &out);
        RG_CHECK_BYTES(rg_buf_view(&out), expected);
        rg_buf_fini(&out);
    }
}

#define CHECK_PARSE(input, expected) check_parse(RG_BYTES(input), true, expected)

RG_TEST(reads_arrays_and_pipelines)
{
    CHECK_PARSE("*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", "([PING])([ECHO][])");
    CHECK_PARSE("*0\r\n*-1\r\n*1\r\n$1\r\na\r\n", "()()([a])");
    CHECK_PARSE("*1\r\n$4\r\n\r\n\r\n\r\n", "([\r\n\r\n])");
    /* What stands in the place of the second byte of an end of line is not looked at. */
    CHECK_PARSE("*1\rx$4\rxPINGxx*1\r\n$1\r\nb\r\n", "([PING])([b])");
}

RG_TEST(the_quick_way_takes_what_is_plain_and_whole)
{
    struct rg_request_parser parser = {.authenticated = true};
    struct rg_bytes input = RG_BYTES("*2\r\n$3\r\nGET\r\n$0\r\n\r\n*1\r\n");
    struct rg_bytes argv[2];
    size_t size = 0;

    RG_CHECK_INT(rg_request_parse_plain(&parser, input, argv, 2, &size), 2);
    RG_CHECK_INT(size, 19);
    RG_CHECK_BYTES(argv[0], "GET");
    RG_CHECK_INT(argv[1].len, 0);
    RG_CHECK_INT(rg_request_parse_plain(&parser, input, argv, 1, &size), RG_EAGAIN);
    for (size_t len = 0; len < 19; len++)
        RG_CHECK_INT(rg_request_parse_plain(&parser, rg_bytes(input.data, len), argv, 2, &size),
                     RG_EAGAIN);
    parser.authenticated = false;
    RG_CHECK_INT(rg_request_parse_plain(&parser, input, argv, 2, &size), RG_EAGAIN);
}

RG_TEST(what_the_quick_way_leaves_to_the_parser)
{
    static const char *const inputs[] = {
        "PING\r\n",
        "*0\r\n",
        "*-1\r\n",
        "*01\r\n$1\r\na\r\n",
        "*1\r\n$01\r\na\r\n",
        "*1\r\n$00\r\n\r\n",
        "*1\rx$1\r\na\r\n",
        "*1\r\n$-1\r\n\r\n",
        "*1\r\n:1\r\na\r\n",
        "*\r\n$1\r\na\r\n",
        "*1\r\n$1\n\na\r\n",
        "*1000000000\r\n",
        "*1\r\n$1000000000\r\na\r\n",
        "*+1\r\n$1\r\na\r\n",
    };
    struct rg_request_parser parser = {.authenticated = true};
    struct rg_bytes argv[4];
    size_t size = 0;

    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
        RG_CHECK_INT(rg_request_parse_plain(&parser, rg_bytes_str(inputs[i]), argv, 4, &size),
                     RG_EAGAIN);
}

RG_TEST(reads_inline_commands)
{
    CHECK_PARSE("PING\r\nset a  \"b c\"\n\r\n'it\\'s' x\r\n",
                "([PING])([set][a][b c])()([it's][x])");
    CHECK_PARSE("PING \"\\x41\\n\\q\"\r\n", "([PING][A\nq])");
    CHECK_PARSE("PING a\vb\r\n", "([PING][a\vb])");
    CHECK_PARSE("PING a\"b\" ''\r\n", "([PING][ab][])");
    CHECK_PARSE("\"PING\r\n", "!unbalanced quotes in request");
    CHECK_PARSE("PING \"a\"b\r\n", "!unbalanced quotes in request");
    CHECK_PARSE("PING 'a\r\n", "!unbalanced quotes in request");
    CHECK_PARSE("PING\0x\r\nPING\r\n", "");
}

RG_TEST(breaches_have_the_known_texts)
{
    CHECK_PARSE("*1\r\nx4\r\n", "!expected '$', got 'x'");
    CHECK_PARSE("*a\r\n", "!invalid multibulk length");
    CHECK_PARSE("*\r\n", "!invalid multibulk length");
    CHECK_PARSE("*+1\r\n", "!invalid multibulk length");
    CHECK_PARSE("*-0\r\n", "!invalid multibulk length");
    CHECK_PARSE("*2147483648\r\n", "!invalid multibulk length");
    CHECK_PARSE("*2147483647\r\n", "");
    CHECK_PARSE("*1\r\n$-1\r\n", "!invalid bulk length");
    CHECK_PARSE("*1\r\n$\r\n", "!invalid bulk length");
    CHECK_PARSE("*1\r\n$536870912\r\n", "");
    CHECK_PARSE("*1\r\n$536870913\r\n", "!invalid bulk length");
    CHECK_PARSE("*1\r\n$9223372036854775808\r\n", "!invalid bulk length");
}

RG_TEST(before_auth_the_limits_are_tighter)
{
    check_parse(RG_BYTES("*11\r\n"), false, "!unauthenticated multibulk length");
    check_parse(RG_BYTES("*10\r\n"), false, "");
    check_parse(RG_BYTES("*1\r\n$16385\r\n"), false, "!unauthenticated bulk length");
    check_parse(RG_BYTES("*1\r\n$16384\r\n"), false, "");
}

static void check_long(const char *head, char fill, size_t count, const char *expected)
{
    struct rg_buf input = {0};
    struct rg_buf out = {0};

    rg_buf_append_str(&input, head);
    memset(rg_buf_reserve(&input, count), fill, count);
    rg_buf_commit(&input, count);
    for (size_t step = 4096; step < 200000; step *= 7) {
        rg_buf_reset(&out, SIZE_MAX);
        parse_all(rg_buf_view(&input), step, true, &out);
        RG_CHECK_BYTES(rg_buf_view(&out), expected);
    }
    rg_buf_fini(&input);
    rg_buf_fini(&out);
}

RG_TEST(lines_without_an_end_are_refused)
{
    check_long("", '*', 65536, "");
    check_long("", '*', 65537, "!too big mbulk count string");
    check_long("", 'a', 65536, "");
    check_long("", 'a', 65537, "!too big inline request");
    check_long("*1\r\n", '$', 65536, "");
    check_long("*1\r\n", '$', 65537, "!too big bulk count string");
    check_long("", '\0', 65537, "!too big inline request");
}

RG_TEST(a_promised_length_takes_no_memory)
{
    struct rg_request_parser parser = {.authenticated = true};
    struct rg_request request;
    struct rg_bytes input = RG_BYTES("*2147483647\r\n$1\r\na\r\n$536870912\r\nabc");

    RG_CHECK_INT(rg_request_parse(&parser, input, &request), RG_EAGAIN);
    RG_CHECK(parser.argv_cap <= 16);
    rg_request_parser_fini(&parser);
}

RG_TEST(a_broken_connection_stays_broken)
{
    struct rg_request_parser parser = {0};
    struct rg_request request;

    RG_CHECK_INT(rg_request_parse(&parser, RG_BYTES("*x\r\n"), &request), RG_EPROTO);
    RG_CHECK_INT(rg_request_parse(&parser, RG_BYTES("*1\r\n$1\r\na\r\n"), &request), RG_EPROTO);
    RG_CHECK_STR(parser.error, "invalid multibulk length");
    rg_request_parser_fini(&parser);
}

RG_TEST(what_is_written_is_read_back)
{
    struct rg_rand rand;

    rg_rand_init(&rand, 7);
    for (int round = 0; round < 200; round++) {
        struct rg_buf wire = {0};
        struct rg_buf expected = {0};
        struct rg_buf out = {0};
        for (int i = 0; i < 5; i++) {
            char bytes[64];
            struct rg_bytes argv[30];
            int argc = (int)rg_rand_below(&rand, 30);
            for (size_t j = 0; j < sizeof(bytes); j++)
                bytes[j] = (char)rg_rand_below(&rand, 256);
            rg_buf_append_char(&expected, '(');
            for (int j = 0; j < argc; j++) {
                argv[j] = rg_bytes(bytes + j, rg_rand_below(&rand, 30));
                rg_buf_append_char(&expected, '[');
                rg_buf_append_bytes(&expected, argv[j]);
                rg_buf_append_char(&expected, ']');
            }
            rg_buf_append_char(&expected, ')');
            rg_request_write(&wire, argv, argc);
        }
        parse_all(rg_buf_view(&wire), 1 + rg_rand_below(&rand, 40), true, &out);
        RG_CHECK(rg_bytes_equal(rg_buf_view(&out), rg_buf_view(&expected)));
        rg_buf_fini(&wire);
        rg_buf_fini(&expected);
        rg_buf_fini(&out);
    }
}

RG_TEST(requests_from_strings)
{
    struct rg_buf out = {0};

    rg_request_write_strs(&out, "REPLCONF", "ACK", "", NULL);
    rg_request_write_strs(&out, "PING", NULL);
    RG_CHECK_BYTES(rg_buf_view(&out), "*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$0\r\n\r\n"
                                      "*1\r\n$4\r\nPING\r\n");
    rg_buf_fini(&out);
}

RG_TEST(splitting_is_bounded)
{
    struct rg_buf out = {0};
    size_t lens[2];

    RG_CHECK_INT(rg_split_args(RG_BYTES("a bc"), &out, lens, 2), 2);
    RG_CHECK_BYTES(rg_buf_view(&out), "abc");
    RG_CHECK_INT(lens[1], 2);
    RG_CHECK_INT(rg_split_args(RG_BYTES("a b c"), &out, lens, 2), RG_ELIMIT);
    RG_CHECK_INT(rg_split_args(RG_BYTES(" \t "), &out, lens, 0), 0);
    RG_CHECK_INT(rg_split_args(RG_BYTES("\"a\\"), &out, lens, 2), RG_EINVAL);
    rg_buf_fini(&out);
}
