#include "log/rdb.h"

#include <lzf.h>

#include "base/crc64.h"
#include "base/number.h"
#include "log/rdb_format.h"

enum { COMPRESS_OVER = 20, COMPRESS_SAVES = 4, COMPRESS_MAX = 1 << 30 };

static void put(struct rg_rdb_writer *writer, const void *data, size_t len)
{
    rg_buf_append(writer->out, data, len);
    if (writer->checksum)
        writer->crc = rg_crc64(writer->crc, data, len);
}

static void put_byte(struct rg_rdb_writer *writer, unsigned byte)
{
    unsigned char b = (unsigned char)byte;
    put(writer, &b, 1);
}

static void put_little(struct rg_rdb_writer *writer, uint64_t value, unsigned size)
{
    unsigned char b[8];
    for (unsigned i = 0; i < size; i++)
        b[i] = (unsigned char)(value >> 8 * i);
    put(writer, b, size);
}

static void put_big(struct rg_rdb_writer *writer, uint64_t value, unsigned size)
{
    put_little(writer, __builtin_bswap64(value) >> (64 - 8 * size), size);
}

static void put_length(struct rg_rdb_writer *writer, uint64_t len)
{
    if (len < 1 << 6) {
        put_byte(writer, (unsigned)len);
    } else if (len < 1 << 14) {
        put_big(writer, len | 1 << 14, 2);
    } else if (len <= UINT32_MAX) {
        put_byte(writer, RDB_LEN_32);
        put_big(writer, len, 4);
    } else {
        put_byte(writer, RDB_LEN_64);
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
    put_byte(writer, encoding);
    put_little(writer, (uint64_t)value, 1u << (encoding - RDB_ENC_INT8));
    return true;
}

static bool put_compressed(struct rg_rdb_writer *writer, struct rg_bytes text)
{
    struct rg_buf packed = {0};
    char *room;
    if (!writer->compress || text.len <= COMPRESS_OVER || text.len > COMPRESS_MAX)
        return false;
    /* Without the memory to compress it goes out as it is. */
    if (rg_buf_try_reserve(&packed, text.len, &room) < 0)
        return false;
    unsigned len =
        lzf_compress(text.data, (unsigned)text.len, room, (unsigned)(text.len - COMPRESS_SAVES));
    if (len > 0) {
        put_byte(writer, RDB_ENC_LZF);
        put_length(writer, len);
        put_length(writer, text.len);
        put(writer, room, len);
    }
    rg_buf_fini(&packed);
    return len > 0;
}

static void put_string(struct rg_rdb_writer *writer, struct rg_bytes text)
{
    if (put_integer(writer, text) || put_compressed(writer, text))
        return;
    put_length(writer, text.len);
    if (text.len > 0)
        put(writer, text.data, text.len);
}

static void put_key(struct rg_rdb_writer *writer, unsigned type, struct rg_bytes key,
                    int64_t expire_ms)
{
    if (expire_ms != -1) {
        put_byte(writer, RDB_OP_EXPIRETIME_MS);
        put_little(writer, (uint64_t)expire_ms, 8);
    }
    put_byte(writer, type);
    put_string(writer, key);
}

void rg_rdb_write_begin(struct rg_rdb_writer *writer, struct rg_buf *out, bool compress,
                        bool checksum)
{
    *writer = (struct rg_rdb_writer){.out = out, .compress = compress, .checksum = checksum};
    put(writer, "REDIS0010", 9);
}

void rg_rdb_write_aux(struct rg_rdb_writer *writer, struct rg_bytes name, struct rg_bytes value)
{
    put_byte(writer, RDB_OP_AUX);
    put_string(writer, name);
    put_string(writer, value);
}

void rg_rdb_write_aux_i64(struct rg_rdb_writer *writer, const char *name, int64_t value)
{
    char text[RG_I64_CHARS];
    size_t len = rg_format_i64(text, value);
    rg_rdb_write_aux(writer, rg_bytes_str(name), rg_bytes(text, len));
}

void rg_rdb_write_db(struct rg_rdb_writer *writer, unsigned db, uint64_t keys, uint64_t expiring)
{
    put_byte(writer, RDB_OP_SELECTDB);
    put_length(writer, db);
    put_byte(writer, RDB_OP_RESIZEDB);
    put_length(writer, keys);
    put_length(writer, expiring);
}

void rg_rdb_write_string(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                         struct rg_bytes value)
{
    put_key(writer, RDB_TYPE_STRING, key, expire_ms);
    put_string(writer, value);
}

void rg_rdb_write_hash(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                       uint64_t fields)
{
    put_key(writer, RDB_TYPE_HASH, key, expire_ms);
    put_length(writer, fields);
}

void rg_rdb_write_hash_field(struct rg_rdb_writer *writer, struct rg_bytes field,
                             struct rg_bytes value)
{
    put_string(writer, field);
    put_string(writer, value);
}

void rg_rdb_write_end(struct rg_rdb_writer *writer)
{
    put_byte(writer, RDB_OP_EOF);
    uint64_t crc = writer->crc; /* 0 where none is kept, which means unchecked */
    put_little(writer, crc, 8);
}
