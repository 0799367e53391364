#include "server/host_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "io/clock.h"

void rg_host_log_configure(struct rg_host_log *log, const struct rg_config *config)
{
    rg_free(log->file);
    log->file = rg_alloc_copy(config->logfile, strlen(config->logfile));
    log->level = config->loglevel;
    if (config->syslog_enabled && !log->to_syslog) {
        log->syslog_ident = rg_alloc_copy(config->syslog_ident, strlen(config->syslog_ident));
        openlog(log->syslog_ident, LOG_PID | LOG_NDELAY | LOG_NOWAIT, LOG_LOCAL0);
    }
    log->to_syslog = config->syslog_enabled;
}

void rg_host_log_fini(struct rg_host_log *log)
{
    if (log->to_syslog)
        closelog();
    rg_free(log->file);
    rg_free(log->syslog_ident);
    *log = (struct rg_host_log){0};
}

static int host_log_open(const struct rg_host_log *log)
{
    if (log->file == NULL || log->file[0] == '\0')
        return STDOUT_FILENO;
    return open(log->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

static void host_log_close(int fd)
{
    if (fd > STDERR_FILENO)
        (void)close(fd);
}

int rg_host_log_try(const struct rg_host_log *log)
{
    int fd = host_log_open(log);

    if (fd < 0)
        return RG_EIO;
    host_log_close(fd);
    return 0;
}

static int host_log_priority(enum rg_log_level level)
{
    switch (level) {
    case RG_LOG_DEBUG:
        return LOG_DEBUG;
    case RG_LOG_VERBOSE:
        return LOG_INFO;
    case RG_LOG_NOTICE:
        return LOG_NOTICE;
    case RG_LOG_WARNING:
        break;
    }
    return LOG_WARNING;
}

void rg_host_log_line(const struct rg_host_log *log, enum rg_log_level level,
                      struct rg_bytes message)
{
    static const char marks[] = {'.', '-', '*', '#'};
    int64_t wall_us = rg_clock_now().wall_us;
    time_t seconds = (time_t)(wall_us / RG_S_US);
    struct tm tm;
    char stamp[64];
    struct rg_buf line = {0};

    if ((int64_t)level < log->level)
        return;
    int fd = host_log_open(log);
    if (fd < 0)
        return; /* there is nowhere to say so */
    if (localtime_r(&seconds, &tm) == NULL ||
        strftime(stamp, sizeof(stamp), "%d %b %Y %H:%M:%S", &tm) == 0)
        stamp[0] = '\0';
    rg_buf_printf(&line, "%d:%c %s.%03d %c ", (int)getpid(), log->role ? log->role : 'C', stamp,
                  (int)(wall_us / RG_MS_US % 1000), marks[level]);
    rg_buf_append_bytes(&line, message);
    rg_buf_append_char(&line, '\n');
    /* One write: lines of several processes in one file stay whole. A full disk loses the line. */
    if (write(fd, line.data, rg_buf_len(&line)) < 0)
        errno = 0;
    host_log_close(fd);
    rg_buf_fini(&line);
    if (log->to_syslog)
        syslog(host_log_priority(level), "%.*s", (int)message.len, message.data);
}

void rg_host_logf(const struct rg_host_log *log, enum rg_log_level level, const char *format, ...)
{
    struct rg_buf message = {0};
    va_list args;

    va_start(args, format);
    rg_buf_vprintf(&message, format, args);
    va_end(args);
    rg_host_log_line(log, level, rg_buf_view(&message));
    rg_buf_fini(&message);
}
