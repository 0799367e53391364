#include "proto/resp.h"

#include <math.h>

#include "base/number.h"

/*
 * Attributes and streamed (unbounded) aggregates of RESP3 are errors: Redis 7.0 sends neither.
 */

enum { FRAME_VERBATIM_HEAD = 4 }; /* "txt:" */

/* The line behind the type byte, without its CR LF; *ret_used counts all of it. */
static int frame_line(struct rg_bytes input, size_t *ret_used, struct rg_bytes *ret_line)
{
    size_t len = input.len < RG_RESP_MAX_LINE + 2 ? input.len : RG_RESP_MAX_LINE + 2;
    const char *end = memchr(input.data, '\n', len);

    if (end == NULL)
        return len > RG_RESP_MAX_LINE + 1 ? RG_EPROTO : RG_EAGAIN;
    len = (size_t)(end - input.data);
    if (len < 2 || end[-1] != '\r')
        return RG_EPROTO;
    *ret_used = len + 1;
    *ret_line = rg_bytes(input.data + 1, len - 2);
    return 0;
}

/* A length in a head: -1 is null where that is allowed. */
static int frame_len(struct rg_bytes line, bool nullable, int64_t *ret_len)
{
    int64_t len = 0;

    if (rg_parse_i64(line, &len) < 0 || len < (nullable ? -1 : 0))
        return RG_EPROTO;
    *ret_len = len;
    return 0;
}

/* $, = and !, whose head of `used` bytes was read. */
static int frame_bulk(struct rg_bytes input, struct rg_bytes line, size_t *used,
                      struct rg_frame *frame)
{
    char type = input.data[0];
    int64_t len = 0;

    if (frame_len(line, type == '$', &len) < 0)
        return RG_EPROTO;
    if (len < 0) {
        frame->type = RG_FRAME_NULL;
        return 0;
    }
    if (type == '=' && len < FRAME_VERBATIM_HEAD)
        return RG_EPROTO;
    if (input.len - *used < (uint64_t)len + 2)
        return RG_EAGAIN;
    const char *data = input.data + *used;
    if (data[len] != '\r' || data[len + 1] != '\n')
        return RG_EPROTO;
    *used += (size_t)len + 2;
    frame->type = type == '!' ? RG_FRAME_ERROR : RG_FRAME_BULK;
    frame->bytes = rg_bytes(data, (size_t)len);
    if (type == '=') {
        frame->bytes.data += FRAME_VERBATIM_HEAD;
        frame->bytes.len -= FRAME_VERBATIM_HEAD;
    }
    return 0;
}

static int frame_aggregate(char type, struct rg_bytes line, struct rg_frame *frame)
{
    int64_t len = 0;

    if (frame_len(line, type == '*', &len) < 0 || len > RG_RESP_MAX_ARGS)
        return RG_EPROTO;
    if (len < 0) {
        frame->type = RG_FRAME_NULL;
        return 0;
    }
    frame->type = type == '%' ? RG_FRAME_MAP : RG_FRAME_ARRAY;
    frame->push = type == '>';
    frame->len = len;
    return 0;
}

static int frame_double(struct rg_bytes line, struct rg_frame *frame)
{
    frame->type = RG_FRAME_DOUBLE;
    if (rg_bytes_is(line, "nan") || rg_bytes_is(line, "-nan")) {
        frame->number = (double)NAN;
        return 0;
    }
    return rg_parse_double(line, &frame->number) < 0 ? RG_EPROTO : 0;
}

/* The types that are over with their line. */
static int frame_scalar(char type, struct rg_bytes line, struct rg_frame *frame)
{
    switch (type) {
    case '+':
        frame->type = RG_FRAME_SIMPLE;
        break;
    case '-':
        frame->type = RG_FRAME_ERROR;
        break;
    case '(':
        frame->type = RG_FRAME_BULK;
        break;
    case ':':
        frame->type = RG_FRAME_INTEGER;
        return rg_parse_i64(line, &frame->integer) < 0 ? RG_EPROTO : 0;
    case '_':
        frame->type = RG_FRAME_NULL;
        return line.len == 0 ? 0 : RG_EPROTO;
    case '#':
        frame->type = RG_FRAME_BOOL;
        frame->integer = rg_bytes_is(line, "t");
        return rg_bytes_is(line, "t") || rg_bytes_is(line, "f") ? 0 : RG_EPROTO;
    case ',':
        return frame_double(line, frame);
    default:
        return RG_EPROTO;
    }
    frame->bytes = line;
    return 0;
}

int rg_frame_parse(struct rg_bytes input, size_t *ret_used, struct rg_frame *ret_frame)
{
    struct rg_frame frame = {0};
    struct rg_bytes line;
    size_t used = 0;

    if (input.len == 0)
        return RG_EAGAIN;
    char type = input.data[0];
    if (type == '\0' || strchr("+-:$*_#,(=~>%!", type) == NULL)
        return RG_EPROTO;
    int rc = frame_line(input, &used, &line);
    if (rc < 0)
        return rc;
    if (strchr("$=!", type) != NULL)
        rc = frame_bulk(input, line, &used, &frame);
    else if (strchr("*~>%", type) != NULL)
        rc = frame_aggregate(type, line, &frame);
    else
        rc = frame_scalar(type, line, &frame);
    if (rc < 0)
        return rc;
    *ret_used = used;
    *ret_frame = frame;
    return 0;
}
