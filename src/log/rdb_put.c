#include "log/rdb_put.h"

#include <lzf.h>

#include "base/crc64.h"
#include "base/number.h"
#include "log/rdb_format.h"

enum { COMPRESS_OVER = 20, COMPRESS_SAVES = 4, COMPRESS_MAX = 1 << 30, SPARE_KEPT = 1 << 20 };

void rdb_put_finish(struct rg_rdb_writer *writer, size_t from)
{
    struct rg_bytes all = rg_buf_view(writer->out);
    if (writer->checksum && all.len > from)
        writer->crc = rg_crc64(writer->crc, all.data + from, all.len - from);
}

void rdb_put_byte(struct rg_rdb_writer *writer, unsigned byte)
{
    rg_buf_append_char(writer->out, (char)byte);
}

void rdb_put_little(struct rg_rdb_writer *writer, uint64_t value, unsigned size)
{
    char *room = rg_buf_reserve(writer->out, size);
    for (unsigned i = 0; i < size; i++)
        room[i] = (char)(value >> 8 * i);
    rg_buf_commit(writer->out, size);
}

static void put_big(struct rg_rdb_writer *writer, uint64_t value, unsigned size)
{
    rdb_put_little(writer, __builtin_bswap64(value) >> (64 - 8 * size), size);
}

void rdb_put_length(struct rg_rdb_writer *writer, uint64_t len)
{
    if (len < 1 << 6) {
        rdb_put_byte(writer, (unsigned)len);
    } else if (len < 1 << 14) {
        put_big(writer, len | 1 << 14, 2);
    } else if (len <= UINT32_MAX) {
        rdb_put_byte(writer, RDB_LEN_32);
        put_big(writer, len, 4);
    } else {
        rdb_put_byte(writer, RDB_LEN_64);
        put_big(writer, len, 8);
    }
}

static bool put_integer(struct rg_rdb_writer *writer, struct rg_bytes text)
{
    int64_t value;
    if (text.len == 0 || text.len > 11 || rg_parse_i64(text, &value) < 0 || value < INT32_MIN ||
        value > INT32_MAX)
        return false;
    unsigned encoding = value >= INT8_MIN && value <= INT8_MAX     ? RDB_ENC_INT8
                        : value >= INT16_MIN && value <= INT16_MAX ? RDB_ENC_INT16
                                                                   : RDB_ENC_INT32;
    rdb_put_byte(writer, encoding);
    rdb_put_little(writer, (uint64_t)value, 1u << (encoding - RDB_ENC_INT8));
    return true;
}

static bool put_compressed(struct rg_rdb_writer *writer, struct rg_bytes text)
{
    char *room;
    if (!writer->compress || text.len <= COMPRESS_OVER || text.len > COMPRESS_MAX)
        return false;
    rg_buf_reset(&writer->spare, SPARE_KEPT);
    /* Without the memory to compress it goes out as it is. */
    if (rg_buf_try_reserve(&writer->spare, text.len, &room) < 0)
        return false;
    unsigned len =
        lzf_compress(text.data, (unsigned)text.len, room, (unsigned)(text.len - COMPRESS_SAVES));
    if (len == 0)
        return false;
    rdb_put_byte(writer, RDB_ENC_LZF);
    rdb_put_length(writer, len);
    rdb_put_length(writer, text.len);
    rg_buf_append(writer->out, room, len);
    return true;
}

void rdb_put_string(struct rg_rdb_writer *writer, struct rg_bytes text)
{
    if (put_integer(writer, text) || put_compressed(writer, text))
        return;
    rdb_put_length(writer, text.len);
    rg_buf_append_bytes(writer->out, text);
}

void rdb_put_double(struct rg_rdb_writer *writer, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    rdb_put_little(writer, bits, 8);
}

void rdb_put_key(struct rg_rdb_writer *writer, unsigned type, struct rg_bytes key,
                 int64_t expire_ms)
{
    if (expire_ms != -1 && !writer->bare) {
        rdb_put_byte(writer, RDB_OP_EXPIRETIME_MS);
        rdb_put_little(writer, (uint64_t)expire_ms, 8);
    }
    rdb_put_byte(writer, type);
    if (!writer->bare)
        rdb_put_string(writer, key);
}
