#ifndef RG_LOG_RDB_PUT_H
#define RG_LOG_RDB_PUT_H

#include "log/rdb.h"

/*
 * The parts that values are written with. The checksum is carried on once per call from outside,
 * over all that the call wrote: between rdb_put_begin and rdb_put_finish. Private to the writer's
 * files.
 */
static inline size_t rdb_put_begin(const struct rg_rdb_writer *writer)
{
    return rg_buf_len(writer->out);
}
/* from: what rdb_put_begin returned. */
void rdb_put_finish(struct rg_rdb_writer *writer, size_t from);

void rdb_put_byte(struct rg_rdb_writer *writer, unsigned byte);
/* The lowest byte first. */
void rdb_put_little(struct rg_rdb_writer *writer, uint64_t value, unsigned size);
void rdb_put_length(struct rg_rdb_writer *writer, uint64_t len);
/* As an integer, compressed, or as it is. */
void rdb_put_string(struct rg_rdb_writer *writer, struct rg_bytes text);
void rdb_put_double(struct rg_rdb_writer *writer, double value);
/* Type, key and expiry; of a payload the type only. */
void rdb_put_key(struct rg_rdb_writer *writer, unsigned type, struct rg_bytes key,
                 int64_t expire_ms);

#endif
