#include "log/rdb_source.h"

#include <lzf.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/crc64.h"
#include "base/number.h"
#include "log/rdb_format.h"

/* At its densest, LZF stands for 264 bytes with 3. */
enum { LZF_RATIO_MAX = 88, SCRATCH_KEPT = 1 << 16 };

void rdb_source_fini(struct rdb_source *s)
{
    rg_buf_fini(&s->in);
}

static uint64_t sum_to(const struct rdb_source *s, size_t end)
{
    /* An empty buffer has no memory, and adding even 0 to NULL is undefined. */
    return end == 0 ? s->crc : rg_crc64(s->crc, rg_buf_view(&s->in).data, end);
}

uint64_t rdb_source_crc(const struct rdb_source *s)
{
    return sum_to(s, s->pos);
}

void rdb_source_feed(struct rdb_source *s, struct rg_bytes piece)
{
    char *room;

    if (s->summed)
        s->crc = sum_to(s, s->taken);
    rg_buf_consume(&s->in, s->taken);
    s->offset += s->taken;
    s->need = s->need > s->taken ? s->need - s->taken : 0;
    s->pos = s->taken = 0;
    if (piece.len == 0 || s->failed < 0)
        return;
    if (rg_buf_try_reserve(&s->in, piece.len, &room) < 0) {
        (void)rdb_source_fail(s, RG_ENOMEM, "No memory for the bytes that came");
        return;
    }
    memcpy(room, piece.data, piece.len);
    rg_buf_commit(&s->in, piece.len);
}

int rdb_source_fail(struct rdb_source *s, int error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(s->error, sizeof(s->error), format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof(s->error))
        (void)snprintf(s->error + len, sizeof(s->error) - (size_t)len, " at offset %llu",
                       (unsigned long long)s->offset + s->pos);
    s->failed = error;
    return error;
}

int rdb_take_little(struct rdb_source *s, unsigned size, uint64_t *ret_value)
{
    const unsigned char *p = NULL;
    uint64_t value = 0;
    int rc = rdb_take(s, size, &p);
    if (rc < 0)
        return rc;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)p[i] << 8 * i;
    *ret_value = value;
    return 0;
}

/* *ret_encoding is 0 for a plain length, else the byte that names the encoding. */
static int take_encoded(struct rdb_source *s, uint64_t *ret_len, unsigned *ret_encoding)
{
    unsigned b = 0;
    unsigned low = 0;
    uint64_t more = 0;
    int rc = rdb_take_byte(s, &b);
    if (rc < 0)
        return rc;
    *ret_encoding = 0;
    if (b < 0x40) {
        *ret_len = b;
    } else if (b < 0x80) {
        rc = rdb_take_byte(s, &low);
        *ret_len = (b & 0x3f) << 8 | low;
    } else if (b == RDB_LEN_32) {
        rc = rdb_take_little(s, 4, &more);
        *ret_len = __builtin_bswap32((uint32_t)more);
    } else if (b == RDB_LEN_64) {
        rc = rdb_take_little(s, 8, &more);
        *ret_len = __builtin_bswap64(more);
    } else if (b >= RDB_ENC_INT8 && b <= RDB_ENC_LZF) {
        *ret_encoding = b;
    } else {
        return rdb_source_fail(s, RG_ECORRUPT, "Unknown length encoding 0x%02x", b);
    }
    return rc;
}

int rdb_take_length(struct rdb_source *s, uint64_t *ret_len)
{
    unsigned encoding;
    uint64_t len = 0;
    int rc = take_encoded(s, &len, &encoding);
    if (rc == 0 && encoding != 0)
        return rdb_source_fail(s, RG_ECORRUPT, "A string's encoding where a length belongs");
    if (rc == 0)
        *ret_len = len;
    return rc;
}

static int take_lzf(struct rdb_source *s, struct rg_buf *scratch, struct rg_bytes *ret_text)
{
    uint64_t packed_len = 0;
    uint64_t len = 0;
    const unsigned char *p = NULL;
    char *room;
    int rc = rdb_take_length(s, &packed_len);
    if (rc == 0)
        rc = rdb_take_length(s, &len);
    if (rc < 0)
        return rc;
    if (len == 0 || packed_len > UINT32_MAX || len > UINT32_MAX || len > packed_len * LZF_RATIO_MAX)
        return rdb_source_fail(s, RG_ECORRUPT, "Impossible lengths of a compressed string");
    rc = rdb_take(s, packed_len, &p);
    if (rc < 0)
        return rc;
    /* Only now: the bytes that came bound what is allocated, not what a length claims. */
    rg_buf_reset(scratch, SCRATCH_KEPT);
    if (rg_buf_try_reserve(scratch, (size_t)len, &room) < 0)
        return rdb_source_fail(s, RG_ENOMEM, "No memory for a compressed string");
    if (lzf_decompress(p, (unsigned)packed_len, room, (unsigned)len) != len)
        return rdb_source_fail(s, RG_ECORRUPT, "Invalid compressed string");
    rg_buf_commit(scratch, (size_t)len);
    *ret_text = rg_buf_view(scratch);
    return 0;
}

static int take_integer(struct rdb_source *s, unsigned size, struct rg_buf *scratch,
                        struct rg_bytes *ret_text)
{
    uint64_t value = 0;
    unsigned unused = 64 - 8 * size;
    int rc = rdb_take_little(s, size, &value);
    if (rc < 0)
        return rc;
    rg_buf_reset(scratch, SCRATCH_KEPT);
    char *digits = rg_buf_reserve(scratch, RG_I64_CHARS);
    rg_buf_commit(scratch, rg_format_i64(digits, (int64_t)(value << unused) >> unused));
    *ret_text = rg_buf_view(scratch);
    return 0;
}

int rdb_take_string(struct rdb_source *s, struct rg_buf *scratch, struct rg_bytes *ret_text)
{
    uint64_t len = 0;
    unsigned encoding;
    const unsigned char *p = NULL;
    int rc = take_encoded(s, &len, &encoding);
    if (rc < 0)
        return rc;
    if (encoding == RDB_ENC_LZF)
        return take_lzf(s, scratch, ret_text);
    if (encoding != 0)
        return take_integer(s, 1u << (encoding - RDB_ENC_INT8), scratch, ret_text);
    rc = rdb_take(s, len, &p);
    if (rc == 0)
        *ret_text = rg_bytes(p, (size_t)len);
    return rc;
}

int rdb_take_text_double(struct rdb_source *s, double *ret_value)
{
    unsigned len = 0;
    const unsigned char *p = NULL;
    int rc = rdb_take_byte(s, &len);
    if (rc < 0)
        return rc;
    if (len == RDB_DOUBLE_NAN)
        return rdb_source_fail(s, RG_ECORRUPT, "A score that is not a number");
    if (len == RDB_DOUBLE_INF || len == RDB_DOUBLE_MINUS_INF) {
        *ret_value = len == RDB_DOUBLE_INF ? INFINITY : -INFINITY;
        return 0;
    }
    rc = rdb_take(s, len, &p);
    if (rc < 0)
        return rc;
    if (rg_parse_double(rg_bytes(p, len), ret_value) < 0)
        return rdb_source_fail(s, RG_ECORRUPT, "A score that is not a number");
    return 0;
}

int rdb_take_double(struct rdb_source *s, double *ret_value)
{
    uint64_t bits = 0;
    double value = 0;
    int rc = rdb_take_little(s, 8, &bits);
    if (rc < 0)
        return rc;
    memcpy(&value, &bits, sizeof(value));
    if (isnan(value))
        return rdb_source_fail(s, RG_ECORRUPT, "A score that is not a number");
    *ret_value = value;
    return 0;
}
