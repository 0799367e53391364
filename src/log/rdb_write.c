#include "log/rdb.h"

#include "base/number.h"
#include "base/panic.h"
#include "log/rdb_format.h"
#include "log/rdb_put.h"

/* The frame of a file or payload; collections are in rdb_write_value.c. */

void rg_rdb_write_begin(struct rg_rdb_writer *writer, struct rg_buf *out, bool compress,
                        bool checksum)
{
    *writer = (struct rg_rdb_writer){.out = out, .compress = compress, .checksum = checksum};
    size_t from = rdb_put_begin(writer);
    rg_buf_printf(out, "REDIS%04d", RG_RDB_VERSION);
    rdb_put_finish(writer, from);
}

void rg_rdb_writer_fini(struct rg_rdb_writer *writer)
{
    rg_buf_fini(&writer->pack);
    rg_buf_fini(&writer->list);
    rg_buf_fini(&writer->spare);
}

void rg_rdb_write_aux(struct rg_rdb_writer *writer, struct rg_bytes name, struct rg_bytes value)
{
    size_t from = rdb_put_begin(writer);
    rdb_put_byte(writer, RDB_OP_AUX);
    rdb_put_string(writer, name);
    rdb_put_string(writer, value);
    rdb_put_finish(writer, from);
}

void rg_rdb_write_aux_i64(struct rg_rdb_writer *writer, const char *name, int64_t value)
{
    char text[RG_I64_CHARS];
    size_t len = rg_format_i64(text, value);
    rg_rdb_write_aux(writer, rg_bytes_str(name), rg_bytes(text, len));
}

void rg_rdb_write_db(struct rg_rdb_writer *writer, unsigned db, uint64_t keys, uint64_t expiring)
{
    size_t from = rdb_put_begin(writer);
    rdb_put_byte(writer, RDB_OP_SELECTDB);
    rdb_put_length(writer, db);
    rdb_put_byte(writer, RDB_OP_RESIZEDB);
    rdb_put_length(writer, keys);
    rdb_put_length(writer, expiring);
    rdb_put_finish(writer, from);
}

void rg_rdb_write_idle(struct rg_rdb_writer *writer, uint64_t idle_s)
{
    size_t from = rdb_put_begin(writer);
    RG_ASSERT(!writer->bare);
    rdb_put_byte(writer, RDB_OP_IDLE);
    rdb_put_length(writer, idle_s);
    rdb_put_finish(writer, from);
}

void rg_rdb_write_freq(struct rg_rdb_writer *writer, uint8_t freq)
{
    size_t from = rdb_put_begin(writer);
    RG_ASSERT(!writer->bare);
    rdb_put_byte(writer, RDB_OP_FREQ);
    rdb_put_byte(writer, freq);
    rdb_put_finish(writer, from);
}

void rg_rdb_write_string(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                         struct rg_bytes value)
{
    size_t from = rdb_put_begin(writer);
    rdb_put_key(writer, RDB_TYPE_STRING, key, expire_ms);
    rdb_put_string(writer, value);
    rdb_put_finish(writer, from);
}

void rg_rdb_write_aside(struct rg_rdb_writer *writer, struct rg_buf *out, bool compress)
{
    *writer = (struct rg_rdb_writer){.out = out, .compress = compress};
}

void rg_rdb_write_raw(struct rg_rdb_writer *writer, struct rg_bytes bytes)
{
    size_t from = rdb_put_begin(writer);
    rg_buf_append_bytes(writer->out, bytes);
    rdb_put_finish(writer, from);
}

void rg_rdb_write_end(struct rg_rdb_writer *writer)
{
    size_t from = rdb_put_begin(writer);
    RG_ASSERT(writer->left == 0 && !writer->bare);
    rdb_put_byte(writer, RDB_OP_EOF);
    rdb_put_finish(writer, from);
    rdb_put_little(writer, writer->crc, 8); /* 0 where none is kept, which means unchecked */
    rg_rdb_writer_fini(writer);
}

void rg_rdb_write_payload_begin(struct rg_rdb_writer *writer, struct rg_buf *out, bool compress)
{
    *writer =
        (struct rg_rdb_writer){.out = out, .compress = compress, .checksum = true, .bare = true};
}

void rg_rdb_write_payload_end(struct rg_rdb_writer *writer)
{
    size_t from = rdb_put_begin(writer);
    RG_ASSERT(writer->left == 0 && writer->bare);
    rdb_put_little(writer, RG_RDB_VERSION, 2);
    rdb_put_finish(writer, from);
    rdb_put_little(writer, writer->crc, 8);
    rg_rdb_writer_fini(writer);
}
