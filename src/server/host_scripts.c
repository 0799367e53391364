#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/clock.h"
#include "server/host.h"

/*
 * Programs that the node wants run. Each is in a process group of its own, with the signals that a
 * program expects, and without this process' descriptors, which are all closed on exec.
 */

enum { SCRIPT_STATUS_NONE = 127 }; /* as shells say that there is no such program */

static int script_spawn(char *const *argv, pid_t *ret_pid)
{
    posix_spawnattr_t attr;
    sigset_t none;
    sigset_t usual;

    (void)sigemptyset(&none);
    (void)sigemptyset(&usual);
    (void)sigaddset(&usual, SIGPIPE);
    (void)sigaddset(&usual, SIGHUP);
    if (posix_spawnattr_init(&attr) != 0)
        return RG_EIO;
    (void)posix_spawnattr_setsigmask(&attr, &none);
    (void)posix_spawnattr_setsigdefault(&attr, &usual);
    (void)posix_spawnattr_setpgroup(&attr, 0);
    (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    int error = posix_spawn(ret_pid, argv[0], NULL, &attr, argv, environ);
    (void)posix_spawnattr_destroy(&attr);
    return error == 0 ? 0 : RG_EIO;
}

void rg_host_script_run(struct host *host, uint64_t token, char *const *argv)
{
    pid_t pid = 0;

    if (script_spawn(argv, &pid) < 0) {
        rg_host_logf(&host->log, RG_LOG_WARNING, "Can't run the script %s", argv[0]);
        rg_node_script_ended(host->node, token, SCRIPT_STATUS_NONE, 0, rg_clock_now());
        return;
    }
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) {
        /* Without the descriptor nothing says when it ends: it is waited for here. */
        int status = 0;
        (void)waitpid(pid, &status, 0);
        rg_node_script_ended(host->node, token, WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                             WIFSIGNALED(status) ? WTERMSIG(status) : 0, rg_clock_now());
        return;
    }
    struct host_script *script = RG_NEW(struct host_script);
    script->source = HOST_SOURCE_SCRIPT;
    script->token = token;
    script->pid = pid;
    rg_list_append(&host->scripts, &script->node);
    script->sock = rg_loop_watch(host->loop, fd, &script->source);
}

void rg_host_script_kill(struct host *host, uint64_t token)
{
    RG_LIST_EACH(at, &host->scripts)
    {
        const struct host_script *script = RG_CONTAINER_OF(at, struct host_script, node);
        if (script->token == token)
            (void)kill(-script->pid, SIGKILL);
    }
}

void rg_host_script_ended(struct host *host, struct host_script *script)
{
    int status = 0;

    if (waitpid(script->pid, &status, WNOHANG) == 0)
        return;
    rg_loop_close(host->loop, script->sock);
    rg_list_remove(&script->node);
    rg_node_script_ended(host->node, script->token, WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                         WIFSIGNALED(status) ? WTERMSIG(status) : 0, host->now);
    rg_free(script);
}

void rg_host_scripts_free(struct host *host)
{
    RG_LIST_EACH(at, &host->scripts)
    {
        rg_free(RG_CONTAINER_OF(at, struct host_script, node));
    }
}
