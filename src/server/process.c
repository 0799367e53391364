#include "server/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/panic.h"

/* Descriptors beside the clients': listeners, files, the group's links. */
enum { PROCESS_OWN_FILES = 32 };

int rg_process_daemonize(void)
{
    pid_t pid = fork();

    if (pid < 0)
        return RG_EIO;
    if (pid > 0)
        _exit(EXIT_SUCCESS);
    (void)setsid();
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return RG_EIO;
    for (int std = STDIN_FILENO; std <= STDERR_FILENO; std++) {
        if (dup2(fd, std) < 0)
            return RG_EIO;
    }
    if (fd > STDERR_FILENO)
        (void)close(fd);
    return 0;
}

int rg_process_write_pid(const struct rg_host_log *log, const char *path)
{
    char text[32];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool written = false;

    if (fd >= 0) {
        int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
        written = write(fd, text, (size_t)len) == len;
        (void)close(fd);
    }
    if (!written)
        rg_host_logf(log, RG_LOG_WARNING, "Failed to write PID file: %s", strerrordesc_np(errno));
    return written ? 0 : RG_EIO;
}

int64_t rg_process_raise_files(const struct rg_host_log *log, int64_t maxclients)
{
    struct rlimit limit = {0};
    rlim_t wanted = (rlim_t)maxclients + PROCESS_OWN_FILES;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return maxclients;
    rlim_t before = limit.rlim_cur;
    /* The hard limit can be raised with the right to do so. */
    struct rlimit raised = {.rlim_cur = wanted,
                            .rlim_max = limit.rlim_max > wanted ? limit.rlim_max : wanted};
    if (setrlimit(RLIMIT_NOFILE, &raised) < 0) {
        raised = (struct rlimit){.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) < 0)
            raised.rlim_cur = before;
    }
    if (raised.rlim_cur >= wanted) {
        rg_host_logf(log, RG_LOG_NOTICE,
                     "Increased maximum number of open files to %llu (it was "
                     "originally set to %llu).",
                     (unsigned long long)wanted, (unsigned long long)before);
        return maxclients;
    }
    if (raised.rlim_cur <= PROCESS_OWN_FILES) {
        rg_host_logf(log, RG_LOG_WARNING,
                     "Your current 'ulimit -n' of %llu is not enough for the server to start. "
                     "Please increase your open file limit to at least %llu. Exiting.",
                     (unsigned long long)raised.rlim_cur, (unsigned long long)wanted);
        return RG_ELIMIT;
    }
    int64_t fit = (int64_t)raised.rlim_cur - PROCESS_OWN_FILES;
    rg_host_logf(log, RG_LOG_WARNING,
                 "Current maximum open files is %llu. maxclients has been reduced to %lld to "
                 "compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.",
                 (unsigned long long)raised.rlim_cur, (long long)fit);
    return fit;
}

int rg_process_lock(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0)
        return RG_EIO;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    int result = errno == EWOULDBLOCK ? RG_EEXIST : RG_EIO;
    (void)close(fd);
    return result;
}

uint64_t rg_process_seed(void)
{
    uint64_t seed = 0;

    RG_ASSERT(getrandom(&seed, sizeof(seed), 0) == (ssize_t)sizeof(seed));
    return seed;
}
