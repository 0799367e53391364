#ifndef RG_LOG_BACKLOG_H
#define RG_LOG_BACKLOG_H

#include <stdint.h>

#include "base/bytes.h"

/*
 * The newest part of the log, in memory: a chain of chunks addressed by offset. One copy serves
 * every replica; each reads at an offset of its own.
 */
struct rg_backlog;

/* start: the offset of the first byte to come. limit_bytes: repl-backlog-size. */
struct rg_backlog *rg_backlog_new(uint64_t start, uint64_t limit_bytes);
void rg_backlog_free(struct rg_backlog *backlog);
void rg_backlog_append(struct rg_backlog *backlog, struct rg_bytes bytes);
uint64_t rg_backlog_start(const struct rg_backlog *backlog); /* oldest byte still held */
uint64_t rg_backlog_end(const struct rg_backlog *backlog);   /* one past the newest */
/* A run that begins at offset (start <= offset <= end), as long as lies together; empty at end.
 * Valid until the next append, trim or limit. */
struct rg_bytes rg_backlog_read(const struct rg_backlog *backlog, uint64_t offset);
/* Drops whole chunks beyond the limit, but nothing at or after keep_from (the slowest reader). */
void rg_backlog_trim(struct rg_backlog *backlog, uint64_t keep_from);
void rg_backlog_set_limit(struct rg_backlog *backlog, uint64_t limit_bytes);
uint64_t rg_backlog_limit(const struct rg_backlog *backlog);
uint64_t rg_backlog_memory(const struct rg_backlog *backlog);

#endif
