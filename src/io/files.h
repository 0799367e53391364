#ifndef RG_IO_FILES_H
#define RG_IO_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/*
 * File operations, carried out beside the loop by threads of their own. Each ends with an answer
 * that bears its token. Replacements are done in the order in which they were asked for, and so is
 * all else, but neither waits for the other: a vote is not held up by a snapshot. Names are
 * relative to the working directory as it was then; a file that is written in pieces stays in the
 * one it was created in. Bytes and names are copied.
 */
struct rg_files;

struct rg_files_answer {
    uint64_t token;
    int result; /* 0, RG_EIO or RG_ENOSPC */
    int error;  /* errno of the failure */
    bool is_read;
    struct rg_bytes bytes; /* of a read; lent until the next answer is taken */
    uint64_t size;         /* of a read: the whole file's */
};

/* NULL: no thread could be started. */
struct rg_files *rg_files_new(void);
/* Carries out what was asked first. */
void rg_files_free(struct rg_files *files);

/* name holds bytes, all or nothing, also after a crash: written beside it, synced, renamed, the
 * folder synced. */
void rg_files_replace(struct rg_files *files, const char *name, struct rg_bytes bytes,
                      uint64_t token);
/* Creates name, or empties it. */
void rg_files_create(struct rg_files *files, const char *name, uint64_t token);
/* Bytes go to the end of name, which is kept open for the next ones, until it is renamed or
 * removed. When one could not be written all that follow fail, too, as does a sync that failed
 * once: what it lost is gone. */
void rg_files_append(struct rg_files *files, const char *name, struct rg_bytes bytes,
                     uint64_t token);
/* name is synced, renamed, and the folder of new_name, which is made where it is missing, synced.
 * It is not written to any more. */
void rg_files_rename(struct rg_files *files, const char *name, const char *new_name,
                     uint64_t token);
/* name is a folder from here on; one that is there is none too many. */
void rg_files_folder(struct rg_files *files, const char *name, uint64_t token);

/*
 * The log's file, in an order of its own, beside the two above. Once bytes could not be written the
 * file takes no more, and is not synced, until it is cut; once a sync failed it never is again.
 */
void rg_files_log_append(struct rg_files *files, const char *name, struct rg_bytes bytes,
                         uint64_t token);
void rg_files_log_sync(struct rg_files *files, const char *name, uint64_t token);
void rg_files_log_cut(struct rg_files *files, const char *name, uint64_t position, uint64_t token);

/* Up to len bytes of name from position on, beside all that is written; fewer at its end only. */
void rg_files_read(struct rg_files *files, const char *name, uint64_t position, size_t len,
                   uint64_t token);

/* Missing is no error. */
void rg_files_remove(struct rg_files *files, const char *name, uint64_t token);

/* The working directory of the process changes, for all that is asked for from now on. */
void rg_files_enter(struct rg_files *files, const char *name, uint64_t token);

bool rg_files_next(struct rg_files *files, struct rg_files_answer *ret_answer);
/* Readable while answers wait; lent. */
int rg_files_fd(const struct rg_files *files);
/* Operations without an answer taken yet. */
uint64_t rg_files_pending(const struct rg_files *files);

#endif
