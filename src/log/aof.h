#ifndef RG_LOG_AOF_H
#define RG_LOG_AOF_H

#include "log/history.h"
#include "proto/resp.h"

/*
 * A file of the log on disk. It holds the log's bytes as they are in the backlog, between lines
 * that begin with '#', which redis-server and redis-check-aof pass over and which are no bytes of
 * the log. The first lines say where the log stands:
 *
 *   #REGENT-LOG:1:<start>:<db>:<terms>   offset of the first byte; the database that the stream has
 *                                        selected, or -1; how many terms follow
 *   #REGENT-TERM:<term>:<replid>:<start> the history of terms, oldest first
 *
 * Where a database is selected, a SELECT of it follows, for readers other than Regent; it is no
 * byte of the log either. Further on a line of #REGENT-TERM stands where a term began, and
 * "#TS:<seconds>" as Redis writes it. So a byte's offset is `start` and what came before it of the
 * log. A line has at most 126 bytes, for Redis reads no longer ones. A file without the first lines
 * is Redis' own: commands at no offset.
 */
struct rg_aof_head {
    uint64_t start;
    int db; /* -1: none */
    struct rg_history history;
};

void rg_aof_head_format(const struct rg_aof_head *head, struct rg_buf *out);
void rg_aof_term_format(const struct rg_history_term *term, struct rg_buf *out);
void rg_aof_time_format(int64_t unix_s, struct rg_buf *out);

enum rg_aof_item_type {
    RG_AOF_COMMAND,
    RG_AOF_HEAD, /* with its terms and its SELECT */
    RG_AOF_TERM,
    RG_AOF_TIME,
    RG_AOF_NOTE, /* another line */
};

struct rg_aof_item {
    enum rg_aof_item_type type;
    uint64_t position; /* in the file */
    uint64_t size;
    struct rg_bytes raw;            /* borrowed until the next call */
    struct rg_request request;      /* COMMAND: borrowed; at least one argument */
    const struct rg_aof_head *head; /* HEAD: borrowed */
    struct rg_history_term term;    /* TERM */
    int64_t unix_s;                 /* TIME */
};

struct rg_aof_reader;

struct rg_aof_reader *rg_aof_reader_new(uint64_t position);
void rg_aof_reader_free(struct rg_aof_reader *reader);
/* Copies the next piece of the file. */
void rg_aof_reader_feed(struct rg_aof_reader *reader, struct rg_bytes piece);
/* Errors: RG_EAGAIN (feed more), RG_ECORRUPT (rg_aof_reader_error says what and where). */
RG_MUST_USE int rg_aof_reader_next(struct rg_aof_reader *reader, struct rg_aof_item *ret_item);
const char *rg_aof_reader_error(const struct rg_aof_reader *reader);
/* Where the item begins that is not whole yet, or that was wrong. */
uint64_t rg_aof_reader_position(const struct rg_aof_reader *reader);
/* Bytes of an item that is not whole. */
size_t rg_aof_reader_left(const struct rg_aof_reader *reader);

#endif
