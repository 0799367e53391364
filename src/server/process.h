#ifndef RG_SERVER_PROCESS_H
#define RG_SERVER_PROCESS_H

#include "server/host_log.h"

/* What concerns the process as a whole. */

/* Leaves the terminal: a new session in a child of its own, standard streams to /dev/null. The
 * caller's process ends. Errors: RG_EIO. */
RG_MUST_USE int rg_process_daemonize(void);
/* Writes the process id and a newline. Errors: RG_EIO; it was logged. */
RG_MUST_USE int rg_process_write_pid(const struct rg_host_log *log, const char *path);
/*
 * Raises the limit of open files for maxclients and the server's own. Returns how many clients fit,
 * which is maxclients or, where the system allows less, fewer (it is logged). Errors: RG_ELIMIT:
 * none would.
 */
RG_MUST_USE int64_t rg_process_raise_files(const struct rg_host_log *log, int64_t maxclients);
/* Two servers must not share a state file. Returns the descriptor that holds the lock. Errors:
 * RG_EEXIST: another process has it; RG_EIO. */
RG_MUST_USE int rg_process_lock(const char *path);
/* From the system's random source. */
uint64_t rg_process_seed(void);

#endif
