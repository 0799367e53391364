#include "proto/resp.h"

/*
 * The quick way for what nearly every client sends nearly always. Whatever is not plainly that is
 * left to the parser that knows all of it, so that nothing here has to agree with it but the plain.
 */

enum {
    PLAIN_MAX_DIGITS = 9,
    PLAIN_MAX_BULK = 1 << 20, /* a larger one is not worth a hurry */
};

/* The number's digits begin at p; there may be no end of line. Returns what stands behind that. */
static __attribute__((noinline)) const char *plain_number(const char *p, const char *end,
                                                          size_t *ret_number)
{
    const char *first = p;
    const char *last = end - p > PLAIN_MAX_DIGITS ? p + PLAIN_MAX_DIGITS : end;
    size_t number = 0;

    for (; p < last && *p >= '0' && *p <= '9'; p++)
        number = number * 10 + (size_t)(*p - '0');
    if (p == first || (p - first > 1 && *first == '0'))
        return NULL;
    if (end - p < 2 || p[0] != '\r' || p[1] != '\n')
        return NULL;
    *ret_number = number;
    return p + 2;
}

/* A header "<type><digits>\r\n" at p. Returns what stands behind it; NULL: it is something else, or
 * not whole. */
static inline const char *plain_header(const char *p, const char *end, char type,
                                       size_t *ret_number)
{
    /* The shortest header has four bytes. */
    if (end - p < 4 || *p++ != type)
        return NULL;
    unsigned first = (unsigned char)p[0] - (unsigned)'0';
    unsigned second = (unsigned char)p[1] - (unsigned)'0';
    if (first <= 9 && p[1] == '\r' && p[2] == '\n') {
        *ret_number = first;
        return p + 3;
    }
    if (first - 1 <= 8 && second <= 9 && end - p >= 4 && p[2] == '\r' && p[3] == '\n') {
        *ret_number = first * 10 + second;
        return p + 4;
    }
    return plain_number(p, end, ret_number);
}

int rg_request_parse_plain(const struct rg_request_parser *parser, struct rg_bytes input,
                           struct rg_bytes *argv, int max_args, size_t *ret_size)
{
    const char *at = input.data;
    const char *end = input.data + input.len;
    size_t limit = PLAIN_MAX_BULK;
    size_t count = 0;
    size_t len = 0;

    if (parser->max_bulk_len != 0 && parser->max_bulk_len < limit)
        limit = parser->max_bulk_len;
    if (!parser->authenticated || parser->args_left != 0 || parser->scanned != 0 ||
        parser->error != NULL)
        return RG_EAGAIN;
    at = plain_header(at, end, '*', &count);
    if (at == NULL || count == 0 || count > (size_t)max_args)
        return RG_EAGAIN;
    for (size_t i = 0; i < count; i++) {
        /* The two bytes behind a bulk are skipped, whichever they are, as in Redis. */
        at = plain_header(at, end, '$', &len);
        if (at == NULL || len > limit || (size_t)(end - at) < len + 2)
            return RG_EAGAIN;
        argv[i] = rg_bytes(at, len);
        at += len + 2;
    }
    *ret_size = (size_t)(at - input.data);
    return (int)count;
}
