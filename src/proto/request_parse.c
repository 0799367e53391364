#include "proto/resp.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/panic.h"

/*
 * The parser keeps lengths and offsets while a request arrives, since the input may move between
 * calls, and turns them into views once it is whole. What it allocates grows with the arguments
 * that are there, never with a count that a header promises.
 */

enum {
    PARSER_FIRST_CAP = 16,
    PARSER_KEEP_CAP = 1024,   /* argument slots kept between requests */
    PARSER_KEEP_BYTES = 4096, /* inline bytes kept between requests */
    PARSER_UNAUTH_ARGS = 10,  /* Redis' limits before AUTH */
    PARSER_UNAUTH_BULK = 16384,
    PARSER_CRLF = 2,
};

static const uint64_t PARSER_DEFAULT_BULK = UINT64_C(512) * 1024 * 1024;

static void parser_free_args(struct rg_request_parser *parser)
{
    rg_free(parser->argv);
    rg_free(parser->starts);
    parser->argv = NULL;
    parser->starts = NULL;
    parser->argv_cap = 0;
}

void rg_request_parser_fini(struct rg_request_parser *parser)
{
    if (parser == NULL)
        return;
    parser_free_args(parser);
    rg_buf_fini(&parser->inline_copy);
    *parser = (struct rg_request_parser){0};
}

void rg_request_parser_rest(struct rg_request_parser *parser)
{
    RG_ASSERT(parser->args_left == 0 && parser->scanned == 0);
    parser_free_args(parser);
    rg_buf_fini(&parser->inline_copy);
}

static int parser_fail(struct rg_request_parser *parser, const char *error)
{
    parser->error = error;
    return RG_EPROTO;
}

static void parser_grow(struct rg_request_parser *parser, int cap)
{
    if (cap <= parser->argv_cap)
        return;
    parser->argv = rg_realloc(parser->argv, (size_t)cap * sizeof(parser->argv[0]));
    parser->starts = rg_realloc(parser->starts, (size_t)cap * sizeof(parser->starts[0]));
    parser->argv_cap = cap;
}

/* Before a request: forgets the one before it, and gives back what a large one took. */
static void parser_begin(struct rg_request_parser *parser)
{
    parser->argc = 0;
    parser->bulk_len = -1;
    if (parser->argv_cap > PARSER_KEEP_CAP)
        parser_free_args(parser);
    rg_buf_reset(&parser->inline_copy, PARSER_KEEP_BYTES);
}

static void parser_end(struct rg_request_parser *parser, size_t size,
                       struct rg_request *ret_request)
{
    ret_request->argv = parser->argv;
    ret_request->argc = parser->argc;
    ret_request->size = size;
    parser->pos = 0;
    parser->scanned = 0;
    parser->args_left = 0;
}

/*
 * Finds `end` in the line at pos; *ret_line is what stands before it. As in Redis, a zero byte
 * hides what follows it. Errors: RG_EAGAIN, RG_ELIMIT (the line is too long whatever may follow).
 */
static int parser_line(struct rg_request_parser *parser, struct rg_bytes input, char end,
                       struct rg_bytes *ret_line)
{
    const char *line = input.data + parser->pos;
    size_t len = input.len - parser->pos;
    size_t at = parser->scanned;

    if (len > RG_RESP_MAX_LINE + 1)
        len = RG_RESP_MAX_LINE + 1;
    while (at < len && line[at] != end && line[at] != '\0')
        at++;
    if (at < len && line[at] == end) {
        *ret_line = rg_bytes(line, at);
        return 0;
    }
    parser->scanned = at;
    return len > RG_RESP_MAX_LINE ? RG_ELIMIT : RG_EAGAIN;
}

/* The line of a header, of which the byte behind its CR must be there too, whichever it is. */
static int parser_header(struct rg_request_parser *parser, struct rg_bytes input,
                         struct rg_bytes *ret_line)
{
    struct rg_bytes line;
    int rc = parser_line(parser, input, '\r', &line);

    if (rc < 0)
        return rc;
    if (input.len - parser->pos < line.len + PARSER_CRLF)
        return RG_EAGAIN;
    *ret_line = line;
    parser->pos += line.len + PARSER_CRLF;
    parser->scanned = 0;
    return 0;
}

/* The number behind a header's first byte. */
static int parser_number(struct rg_bytes line, int64_t *ret_value)
{
    return rg_parse_i64(rg_bytes(line.data + 1, line.len - 1), ret_value);
}

static int parser_inline(struct rg_request_parser *parser, struct rg_bytes input,
                         struct rg_request *ret_request)
{
    struct rg_bytes line;
    int rc = parser_line(parser, input, '\n', &line);

    if (rc < 0)
        return rc == RG_ELIMIT ? parser_fail(parser, "too big inline request") : rc;
    size_t size = line.len + 1;
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    parser_grow(parser, (int)(line.len / 2) + 1);
    int argc = rg_split_args(line, &parser->inline_copy, parser->starts, parser->argv_cap);
    if (argc < 0)
        return parser_fail(parser, "unbalanced quotes in request");
    const char *next = rg_buf_view(&parser->inline_copy).data;
    for (int i = 0; i < argc; i++) {
        parser->argv[i] = rg_bytes(next, parser->starts[i]);
        if (parser->starts[i] > 0)
            next += parser->starts[i];
        else
            parser->argv[i].data = "";
    }
    parser->argc = argc;
    parser_end(parser, size, ret_request);
    return 0;
}

static int parser_array_header(struct rg_request_parser *parser, struct rg_bytes input)
{
    struct rg_bytes line;
    int64_t count = 0;
    int rc = parser_header(parser, input, &line);

    if (rc < 0)
        return rc == RG_ELIMIT ? parser_fail(parser, "too big mbulk count string") : rc;
    if (parser_number(line, &count) < 0 || count > RG_RESP_MAX_ARGS)
        return parser_fail(parser, "invalid multibulk length");
    if (count > PARSER_UNAUTH_ARGS && !parser->authenticated)
        return parser_fail(parser, "unauthenticated multibulk length");
    parser->args_left = count < 0 ? 0 : count;
    return 0;
}

static int parser_bulk_header(struct rg_request_parser *parser, struct rg_bytes input)
{
    struct rg_bytes line;
    uint64_t max_len = parser->max_bulk_len == 0 ? PARSER_DEFAULT_BULK : parser->max_bulk_len;
    int64_t len = 0;
    int rc = parser_header(parser, input, &line);

    if (rc < 0)
        return rc == RG_ELIMIT ? parser_fail(parser, "too big bulk count string") : rc;
    if (line.data[0] != '$') {
        (void)snprintf(parser->error_text, sizeof(parser->error_text), "expected '$', got '%c'",
                       line.data[0]);
        return parser_fail(parser, parser->error_text);
    }
    if (parser_number(line, &len) < 0 || len < 0 || (uint64_t)len > max_len)
        return parser_fail(parser, "invalid bulk length");
    if (len > PARSER_UNAUTH_BULK && !parser->authenticated)
        return parser_fail(parser, "unauthenticated bulk length");
    parser->bulk_len = len;
    return 0;
}

static int parser_bulk(struct rg_request_parser *parser, struct rg_bytes input)
{
    if (parser->bulk_len < 0) {
        int rc = parser_bulk_header(parser, input);
        if (rc < 0)
            return rc;
    }
    uint64_t len = (uint64_t)parser->bulk_len;
    if (input.len - parser->pos < len + PARSER_CRLF)
        return RG_EAGAIN;
    if (parser->argc == parser->argv_cap)
        parser_grow(parser, parser->argc < PARSER_FIRST_CAP ? PARSER_FIRST_CAP : parser->argc * 2);
    parser->argv[parser->argc].len = len;
    parser->starts[parser->argc++] = parser->pos;
    parser->pos += len + PARSER_CRLF;
    parser->bulk_len = -1;
    parser->args_left--;
    return 0;
}

static int parser_array(struct rg_request_parser *parser, struct rg_bytes input,
                        struct rg_request *ret_request)
{
    int rc = 0;

    if (parser->args_left == 0)
        rc = parser_array_header(parser, input);
    while (rc == 0 && parser->args_left > 0)
        rc = parser_bulk(parser, input);
    if (rc < 0)
        return rc;
    for (int i = 0; i < parser->argc; i++)
        parser->argv[i].data = input.data + parser->starts[i];
    parser_end(parser, parser->pos, ret_request);
    return 0;
}

int rg_request_parse(struct rg_request_parser *parser, struct rg_bytes input,
                     struct rg_request *ret_request)
{
    RG_ASSERT(parser->pos <= input.len);
    if (parser->error != NULL)
        return RG_EPROTO;
    if (input.len == 0)
        return RG_EAGAIN;
    if (parser->args_left == 0 && parser->scanned == 0)
        parser_begin(parser);
    if (input.data[0] == '*')
        return parser_array(parser, input, ret_request);
    return parser_inline(parser, input, ret_request);
}

size_t rg_request_missing(const struct rg_request_parser *parser, size_t input_len)
{
    if (parser->error != NULL || parser->args_left == 0 || parser->bulk_len < 0)
        return 0;
    size_t end = parser->pos + (size_t)parser->bulk_len + PARSER_CRLF;
    return end > input_len ? end - input_len : 0;
}

size_t rg_request_last(const struct rg_request_parser *parser, size_t *ret_at)
{
    if (parser->error != NULL || parser->args_left != 1 || parser->bulk_len < 0)
        return 0;
    *ret_at = parser->pos;
    return (size_t)parser->bulk_len;
}

void rg_request_end_last(struct rg_request_parser *parser, struct rg_bytes input,
                         struct rg_bytes last, struct rg_request *ret_request)
{
    RG_ASSERT(parser->args_left == 1 && parser->bulk_len == (int64_t)last.len);
    RG_ASSERT(parser->pos <= input.len);
    if (parser->argc == parser->argv_cap)
        parser_grow(parser, parser->argc + 1);
    for (int i = 0; i < parser->argc; i++)
        parser->argv[i].data = input.data + parser->starts[i];
    parser->argv[parser->argc++] = last;
    parser->bulk_len = -1;
    parser_end(parser, parser->pos, ret_request);
}
