#ifndef RG_SERVER_HOST_LOG_H
#define RG_SERVER_HOST_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "node/node.h"

/*
 * The log in Redis' format: "PID:ROLE DD Mon YYYY HH:MM:SS.mmm LEVEL message", to a file, which is
 * opened for every line so that it may be moved away at any time, or to standard output.
 */
struct rg_host_log {
    char *file; /* owned; "" or NULL: standard output */
    int64_t level;
    char role; /* M, S, or C before there is a node */
    bool to_syslog;
    char *syslog_ident; /* owned: the system's log keeps the pointer */
};

/* Takes over where and how much to log from the configuration. */
void rg_host_log_configure(struct rg_host_log *log, const struct rg_config *config);
void rg_host_log_fini(struct rg_host_log *log);
/* Errors: RG_EIO: the file cannot be opened; errno says why. */
RG_MUST_USE int rg_host_log_try(const struct rg_host_log *log);
void rg_host_log_line(const struct rg_host_log *log, enum rg_log_level level,
                      struct rg_bytes message);
void rg_host_logf(const struct rg_host_log *log, enum rg_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
