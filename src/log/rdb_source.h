#ifndef RG_LOG_RDB_SOURCE_H
#define RG_LOG_RDB_SOURCE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/error.h"

/*
 * The bytes that a reader was fed, and the numbers and strings that are taken from them. An item is
 * parsed whole or not at all: with too few bytes it starts over once as many came as were missing,
 * so a large value costs no more than a few attempts, however small the pieces are. Private to the
 * reader's files.
 */
enum { RDB_ERROR_CHARS = 256 };

struct rdb_source {
    struct rg_buf in;
    size_t taken;    /* of in: items that are done; they stay until more is fed */
    size_t pos;      /* in in, from taken on: what the item being parsed has used */
    size_t need;     /* length of in without which that item cannot be whole */
    uint64_t offset; /* of the front of in, in the file */
    bool summed;     /* crc is kept, over all that is taken before the front of in */
    uint64_t crc;
    int failed; /* the error that ended it, or 0 */
    char error[RDB_ERROR_CHARS];
};

void rdb_source_fini(struct rdb_source *s);
/* Copies the piece. What was taken before is gone with it. */
void rdb_source_feed(struct rdb_source *s, struct rg_bytes piece);
/* Writes the error with the place it was found at, and returns it. */
int rdb_source_fail(struct rdb_source *s, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The checksum of everything from the first byte to pos. */
uint64_t rdb_source_crc(const struct rdb_source *s);

/* The item is whole: its bytes are done. */
static inline void rdb_source_accept(struct rdb_source *s)
{
    s->taken = s->pos;
}

/* An item begins. False: the bytes that the last attempt missed have not come yet. */
static inline bool rdb_source_retry(struct rdb_source *s)
{
    if (rg_buf_len(&s->in) < s->need)
        return false;
    s->pos = s->taken;
    s->need = 0;
    return true;
}

/* All that follow: Errors: RG_EAGAIN, RG_ECORRUPT, RG_ENOMEM. */
RG_MUST_USE static inline int rdb_take(struct rdb_source *s, uint64_t n, const unsigned char **ret)
{
    size_t len = rg_buf_len(&s->in);
    if (__builtin_expect(n > len - s->pos, 0)) {
        s->need = n > SIZE_MAX - s->pos ? SIZE_MAX : s->pos + (size_t)n;
        return RG_EAGAIN;
    }
    *ret = (const unsigned char *)s->in.data + s->in.head + s->pos;
    s->pos += (size_t)n;
    return 0;
}

RG_MUST_USE static inline int rdb_take_byte(struct rdb_source *s, unsigned *ret_byte)
{
    const unsigned char *p = NULL;
    int rc = rdb_take(s, 1, &p);
    if (rc == 0)
        *ret_byte = *p;
    return rc;
}

/* A number of `size` bytes, the lowest first. */
RG_MUST_USE int rdb_take_little(struct rdb_source *s, unsigned size, uint64_t *ret_value);
RG_MUST_USE int rdb_take_length(struct rdb_source *s, uint64_t *ret_len);
/* The text is a view of the bytes fed, or of `scratch` where it does not lie in them as it is. */
RG_MUST_USE int rdb_take_string(struct rdb_source *s, struct rg_buf *scratch,
                                struct rg_bytes *ret_text);
/* A score as text with its length in one byte, as versions before 8 have them; never NaN. */
RG_MUST_USE int rdb_take_text_double(struct rdb_source *s, double *ret_value);
/* A score as the 8 bytes of an IEEE double; never NaN. */
RG_MUST_USE int rdb_take_double(struct rdb_source *s, double *ret_value);

#endif
