#ifndef RG_LOG_AOF_MANIFEST_H
#define RG_LOG_AOF_MANIFEST_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/error.h"

/*
 * Which files the log on disk consists of, in the manifest of Redis 7.0: a line each, the newest
 * last,
 *
 *   file appendonly.aof.1.base.rdb seq 1 type b
 *   file appendonly.aof.1.incr.aof seq 1 type i
 *
 * A base is a checkpoint (at most one), increments follow on it in order, and history is what is
 * not needed any more to load the data and may be removed. Of increments, and of those that are
 * history, " start <offset> end <offset>" may follow: the part of the log that they hold. Redis
 * passes over both words.
 */
enum rg_aof_type { RG_AOF_BASE = 'b', RG_AOF_HISTORY = 'h', RG_AOF_INCR = 'i' };

enum { RG_AOF_MAX_NAME = 256, RG_AOF_MAX_FILES = 1024 };

struct rg_aof_file {
    char name[RG_AOF_MAX_NAME]; /* in the folder of the manifest */
    uint64_t seq;
    enum rg_aof_type type;
    bool placed; /* it holds the log from start on */
    uint64_t start;
    uint64_t end; /* 0: not known, as of the one that is appended to */
};

struct rg_aof_manifest {
    struct rg_aof_file *files; /* owned: the base, if any, then the increments, then history */
    unsigned count;
    unsigned cap;
};

void rg_aof_manifest_fini(struct rg_aof_manifest *manifest);
/* Takes the place of the file's kind: a base goes before the increments, history behind them. */
void rg_aof_manifest_add(struct rg_aof_manifest *manifest, const char *name, uint64_t seq,
                         enum rg_aof_type type);
void rg_aof_manifest_put(struct rg_aof_manifest *manifest, const struct rg_aof_file *file);
/* The newest increment; NULL. */
struct rg_aof_file *rg_aof_manifest_newest(const struct rg_aof_manifest *manifest);
/* The base and every increment older than incr_seq are history. */
void rg_aof_manifest_retire(struct rg_aof_manifest *manifest, uint64_t incr_seq);
/* Drops the lines of history. */
void rg_aof_manifest_forget(struct rg_aof_manifest *manifest);
/* Drops the line of file, which is one of its own. */
void rg_aof_manifest_drop(struct rg_aof_manifest *manifest, const struct rg_aof_file *file);
/* The greatest number of a type; 0. History counts for both others. */
uint64_t rg_aof_manifest_seq(const struct rg_aof_manifest *manifest);
void rg_aof_manifest_format(const struct rg_aof_manifest *manifest, struct rg_buf *out);
/*
 * Errors: RG_ECORRUPT; ret_error says what is wrong in which line. The manifest is filled on
 * success only, and is the caller's to fini.
 */
RG_MUST_USE int rg_aof_manifest_parse(struct rg_bytes text, struct rg_aof_manifest *ret_manifest,
                                      struct rg_buf *ret_error);

#endif
