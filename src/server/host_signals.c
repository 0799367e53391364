#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "server/host.h"

int rg_host_signals_open(struct host *host)
{
    sigset_t set;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* the write fails, and who asked for it is told */
    (void)signal(SIGHUP, SIG_IGN);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return RG_EIO;
    host->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return host->signal_fd < 0 ? RG_EIO : 0;
}

static bool host_signals_next(struct host *host, struct signalfd_siginfo *ret_info)
{
    return read(host->signal_fd, ret_info, sizeof(*ret_info)) == (ssize_t)sizeof(*ret_info);
}

void rg_host_signals_take(struct host *host)
{
    struct signalfd_siginfo info;

    while (host_signals_next(host, &info)) {
        bool interrupt = info.ssi_signo == SIGINT;
        if (interrupt && host->stops > 0) {
            rg_host_logf(&host->log, RG_LOG_WARNING, "You insist... exiting now.");
            host->exiting = true;
            host->exit_status = EXIT_FAILURE;
            return;
        }
        rg_host_logf(&host->log, RG_LOG_WARNING, "Received %s scheduling shutdown...",
                     interrupt ? "SIGINT" : "SIGTERM");
        host->stops++;
        rg_node_stop(host->node, interrupt, host->now);
    }
}

bool rg_host_signals_pending(struct host *host)
{
    struct signalfd_siginfo info;

    return host_signals_next(host, &info);
}
