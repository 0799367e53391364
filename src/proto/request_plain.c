#include "proto/resp.h"

/*
 * The quick way for what nearly every client sends nearly always. Whatever is not plainly that is
 * left to the parser that knows all of it, so that nothing here has to agree with it but the plain.
 */

enum {
    PLAIN_MAX_DIGITS = 9,
    PLAIN_MAX_BULK = 1 << 20, /* a larger one is not worth a hurry */
};

/* A header "<type><digits>\r\n" at *at. False: it is something else, or not whole. */
static bool plain_header(const char **at, const char *end, char type, size_t *ret_number)
{
    const char *p = *at + 1;
    size_t number = 0;

    /* The shortest header has four bytes. */
    if (end - p < 3 || **at != type)
        return false;
    const char *last = end - p > PLAIN_MAX_DIGITS ? p + PLAIN_MAX_DIGITS : end;
    for (; p < last && *p >= '0' && *p <= '9'; p++)
        number = number * 10 + (size_t)(*p - '0');
    ptrdiff_t digits = p - *at - 1;
    if (digits == 0 || (digits > 1 && (*at)[1] == '0'))
        return false;
    if (end - p < 2 || p[0] != '\r' || p[1] != '\n')
        return false;
    *at = p + 2;
    *ret_number = number;
    return true;
}

int rg_request_parse_plain(const struct rg_request_parser *parser, struct rg_bytes input,
                           struct rg_bytes *argv, int max_args, size_t *ret_size)
{
    const char *at = input.data;
    const char *end = input.data + input.len;
    size_t count = 0;
    size_t len = 0;

    if (!parser->authenticated || parser->args_left != 0 || parser->scanned != 0 ||
        parser->error != NULL)
        return RG_EAGAIN;
    if (!plain_header(&at, end, '*', &count) || count == 0 || count > (size_t)max_args)
        return RG_EAGAIN;
    for (size_t i = 0; i < count; i++) {
        /* The two bytes behind a bulk are skipped, whichever they are, as in Redis. */
        if (!plain_header(&at, end, '$', &len) || (size_t)(end - at) < len + 2 ||
            len > PLAIN_MAX_BULK || (parser->max_bulk_len != 0 && len > parser->max_bulk_len))
            return RG_EAGAIN;
        argv[i] = rg_bytes(at, len);
        at += len + 2;
    }
    *ret_size = (size_t)(at - input.data);
    return (int)count;
}
