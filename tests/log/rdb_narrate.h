#ifndef RG_TESTS_LOG_RDB_NARRATE_H
#define RG_TESTS_LOG_RDB_NARRATE_H

#include "base/buf.h"

/*
 * Reads a file in pieces of a size and tells each event in a line of its own that depends on no
 * other line ("3 hash.field=value @expiry"), so that order may be left out of a comparison. Bytes
 * outside printable ASCII are \xNN; nine or more equal characters c are {n*c}. After an error, its
 * text is the last line. Returns the reader's last result: RG_EAGAIN where all was well.
 */
int rdb_narrate(struct rg_bytes file, size_t piece, struct rg_buf *out);
/* The same of a payload of DUMP, whose key is empty. */
int rdb_narrate_payload(struct rg_bytes payload, struct rg_buf *out);
/* The bytes as they stand in such lines. */
void rdb_narrate_bytes(struct rg_bytes bytes, struct rg_buf *out);

#endif
