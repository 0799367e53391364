#include "server/serve.h"
#include "server/allocator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/clock.h"
#include "server/configure.h"
#include "server/host.h"
#include "server/options.h"
#include "server/process.h"
#include "server/self.h"

#define SERVE_LOCK_FILE RG_NODE_STATE_FILE ".lock"

static void serve_help(void)
{
    (void)puts("Usage: regent server [CONF] [--directive value ...] [-]\n"
               "\n"
               "CONF is a file in the syntax of redis.conf; '-' as the last word reads more of it\n"
               "from standard input. Directives on the command line win over the file.\n"
               "\n"
               "Examples:\n"
               "  regent server\n"
               "  regent server /etc/regent.conf --port 6380\n"
               "  regent server --port 6380 --replicaof 127.0.0.1 6379\n"
               "  echo 'maxmemory 128mb' | regent server -");
}

/* The answers that need no server. Negative: there is one to run. */
static int serve_answer(const struct rg_options *options)
{
    char allocator[32];

    switch (options->action) {
    case RG_OPTIONS_VERSION:
        rg_allocator_name(allocator, sizeof(allocator));
        (void)printf("Redis server v=7.0.15 sha=00000000:0 malloc=%s bits=64 build=0 "
                     "(Regent " RG_VERSION ")\n",
                     allocator);
        return EXIT_SUCCESS;
    case RG_OPTIONS_HELP:
        serve_help();
        return EXIT_SUCCESS;
    case RG_OPTIONS_TEST_MEMORY:
        (void)fputs("--test-memory is not offered here; memtester(8) tests a machine's memory.\n",
                    stderr);
        return EXIT_FAILURE;
    case RG_OPTIONS_CHECK_SYSTEM:
        (void)fputs("--check-system is not offered here.\n", stderr);
        return EXIT_FAILURE;
    case RG_OPTIONS_RUN:
        break;
    }
    return RG_EAGAIN;
}

/* ---- Steps of the start; each logs or prints what went wrong ---- */

static int serve_enter_dir(const struct rg_config *config)
{
    struct rg_buf why = {0};

    if (config->dir[0] == '\0' || chdir(config->dir) == 0)
        return 0;
    rg_buf_printf(&why, ">>> 'dir \"%s\"'\n%s", config->dir, strerrordesc_np(errno));
    rg_configure_fail(rg_buf_view(&why));
    rg_buf_fini(&why);
    return RG_EIO;
}

static int serve_open_log(struct rg_host_log *log, const struct rg_config *config)
{
    struct rg_buf why = {0};

    rg_host_log_configure(log, config);
    if (rg_host_log_try(log) == 0)
        return 0;
    rg_buf_printf(&why, "Can't open the log file: %s", strerrordesc_np(errno));
    rg_configure_fail(rg_buf_view(&why));
    rg_buf_fini(&why);
    return RG_EIO;
}

static void serve_greet(const struct host *host, const struct rg_options *options)
{
    int pid = (int)getpid();

    rg_host_logf(&host->log, RG_LOG_WARNING, "oO0OoO0OoO0Oo Regent is starting oO0OoO0OoO0Oo");
    rg_host_logf(&host->log, RG_LOG_WARNING,
                 "Regent version=" RG_VERSION ", compatible with Redis version=7.0.15, bits=64, "
                 "pid=%d, just started",
                 pid);
    if (options->file == NULL && !options->from_stdin && rg_buf_len(&options->text) == 0)
        rg_host_logf(&host->log, RG_LOG_WARNING,
                     "Warning: no config file specified, using the default config. In order to "
                     "specify a config file use regent server /path/to/redis.conf");
    else
        rg_host_logf(&host->log, RG_LOG_WARNING, "Configuration loaded");
}

static int serve_open_loop(struct host *host, int64_t backend)
{
    if (backend != RG_IO_EPOLL && rg_loop_new(RG_LOOP_URING, &host->loop) == 0)
        return 0;
    if (backend == RG_IO_URING) {
        rg_host_logf(&host->log, RG_LOG_WARNING,
                     "The kernel does not offer what io-backend io_uring needs; use auto or "
                     "epoll. Exiting.");
        return RG_ENOENT;
    }
    if (backend == RG_IO_AUTO)
        rg_host_logf(&host->log, RG_LOG_NOTICE,
                     "io_uring is not available here (old kernel, or not allowed), using epoll");
    if (rg_loop_new(RG_LOOP_EPOLL, &host->loop) == 0)
        return 0;
    rg_host_logf(&host->log, RG_LOG_WARNING, "Failed creating the event loop. Exiting.");
    return RG_ENOENT;
}

static int serve_open_io(struct host *host, const struct rg_config *config)
{
    if (serve_open_loop(host, config->io_backend) < 0)
        return RG_EIO;
    host->files = rg_files_new();
    host->names = rg_names_new();
    if (host->files == NULL || host->names == NULL || rg_host_signals_open(host) < 0) {
        rg_host_logf(&host->log, RG_LOG_WARNING, "Can't start the server's threads. Exiting.");
        return RG_EIO;
    }
    return rg_host_listen(host, config);
}

/* A group's state file holds a node's vote: two processes on one file could vote twice. */
static int serve_lock(struct host *host, const struct rg_config *config)
{
    if (config->group_name[0] == '\0')
        return 0;
    host->lock_fd = rg_process_lock(SERVE_LOCK_FILE);
    if (host->lock_fd == RG_EEXIST)
        rg_host_logf(&host->log, RG_LOG_WARNING,
                     "Another server of a group runs in the directory %s (it holds %s). Give each "
                     "its own with 'dir'. Exiting.",
                     config->dir, SERVE_LOCK_FILE);
    else if (host->lock_fd < 0)
        rg_host_logf(&host->log, RG_LOG_WARNING, "Can't lock %s in the directory %s. Exiting.",
                     SERVE_LOCK_FILE, config->dir);
    return host->lock_fd < 0 ? RG_EIO : 0;
}

static void serve_pidfile(struct host *host, const struct rg_config *config)
{
    const char *path = config->pidfile;

    if (path[0] == '\0' && !config->daemonize)
        return;
    if (path[0] == '\0')
        path = "/var/run/redis.pid";
    if (rg_process_write_pid(&host->log, path) == 0)
        host->pidfile = rg_alloc_copy(path, strlen(path));
}

static int64_t serve_measure(void *arg)
{
    return rg_ticks_us(arg);
}

/* The node takes the configuration over; self is borrowed from it. */
static void serve_new_node(struct host *host, struct rg_config *config, const char *executable,
                           const char *self)
{
    struct rg_node_init init = {.config = config,
                                .self_member = self,
                                .clock_us = serve_measure,
                                .clock_arg = &host->ticks,
                                .seed = rg_process_seed(),
                                .now = rg_clock_now(),
                                .pid = getpid(),
                                .executable = executable};

    host->now = init.now;
    host->node = rg_node_new(&init);
    host->log.role = config->replicaof_host[0] == '\0' ? 'M' : 'S';
    if (config->sentinel)
        host->log.role = 'X';
}

static void serve_watch(struct host *host)
{
    host->signals_source = HOST_SOURCE_SIGNALS;
    host->files_source = HOST_SOURCE_FILES;
    host->names_source = HOST_SOURCE_NAMES;
    (void)rg_loop_watch(host->loop, host->signal_fd, &host->signals_source);
    /* The loop closes what it watches; these two stay their owners'. */
    (void)rg_loop_watch(host->loop, dup(rg_files_fd(host->files)), &host->files_source);
    (void)rg_loop_watch(host->loop, dup(rg_names_fd(host->names)), &host->names_source);
}

static void serve_name_inert(const struct host *host, const struct rg_config *config)
{
    struct rg_buf names = {0};

    for (unsigned i = 0; rg_config_inert(config, i) != NULL; i++)
        rg_buf_printf(&names, "%s%s", i == 0 ? "" : ", ", rg_config_inert(config, i));
    if (rg_buf_len(&names) > 0)
        rg_host_logf(&host->log, RG_LOG_NOTICE, "Directives that have no effect here yet: %.*s",
                     (int)rg_buf_len(&names), rg_buf_view(&names).data);
    rg_buf_fini(&names);
}

/* A sentinel's votes are in its file: without one, or where it cannot be written, there is none. */
static int serve_check_sentinel(const struct host *host, const struct rg_config *config)
{
    const char *file = rg_config_file(config);

    if (!config->sentinel)
        return 0;
    if (file[0] == '\0') {
        rg_host_logf(&host->log, RG_LOG_WARNING,
                     "Sentinel needs config file on disk, where it keeps its state. Exiting...");
        return RG_EINVAL;
    }
    if (access(file, W_OK) == 0)
        return 0;
    rg_host_logf(&host->log, RG_LOG_WARNING,
                 "Sentinel config file %s is not writable: %s. Exiting...", file,
                 strerrordesc_np(errno));
    return RG_EIO;
}

static int serve_start(struct host *host, struct rg_config *config, const char *executable,
                       const char *self)
{
    int64_t clients = rg_process_raise_files(&host->log, config->maxclients);

    if (clients < 0 || serve_check_sentinel(host, config) < 0 || serve_lock(host, config) < 0 ||
        serve_open_io(host, config) < 0) {
        rg_config_free(config);
        return RG_EIO;
    }
    config->maxclients = clients;
    serve_pidfile(host, config);
    serve_new_node(host, config, executable, self);
    rg_host_logf(&host->log, RG_LOG_NOTICE, "Running mode=%s, port=%d.",
                 config->sentinel ? "sentinel" : "standalone", (int)config->port);
    rg_host_logf(&host->log, RG_LOG_NOTICE, "Event loop: %s, PID: %d", rg_loop_name(host->loop),
                 (int)getpid());
    rg_host_logf(&host->log, RG_LOG_WARNING, "Server initialized");
    serve_name_inert(host, config);
    int result = rg_host_load(host);
    if (result < 0)
        return result;
    serve_watch(host);
    return 0;
}

/* What was asked of the files is done first. A name that is still being looked up keeps its
 * threads, and what they point at: the process' end ends them. */
static void serve_end(struct host *host)
{
    rg_files_free(host->files);
    if (host->loop != NULL) {
        rg_host_listen_close(host);
        rg_host_free_conns(host);
    }
    rg_host_scripts_free(host);
    rg_loop_free(host->loop);
    rg_host_load_free(host);
    if (host->names != NULL && rg_names_pending(host->names) == 0)
        rg_names_free(host->names);
    rg_node_free(host->node);
    if (host->pidfile != NULL)
        (void)unlink(host->pidfile);
    rg_free(host->pidfile);
    rg_free(host->unixsocket);
}

static int serve_run(struct host *host, const struct rg_options *options, struct rg_config *config,
                     const char *executable, const char *self)
{
    rg_list_init(&host->conns);
    rg_list_init(&host->ended);
    rg_list_init(&host->draining);
    rg_list_init(&host->bulky);
    rg_list_init(&host->scripts);
    rg_list_init(&host->listeners);
    host->lock_fd = -1;
    serve_greet(host, options);
    int result = serve_start(host, config, executable, self);
    int status = result == 0 ? rg_host_run(host) : EXIT_FAILURE;
    serve_end(host);
    return status;
}

static int serve_find_self(const struct rg_config *config, const char **ret_self)
{
    struct rg_buf why = {0};
    int result = rg_self_find(config, ret_self, &why);

    if (result < 0)
        rg_configure_fail(rg_buf_view(&why));
    rg_buf_fini(&why);
    return result;
}

/* What may fail before there is a log: it goes to standard error. */
static int serve_prepare(struct host *host, const struct rg_config *config, const char **ret_self)
{
    if (serve_find_self(config, ret_self) < 0 || serve_enter_dir(config) < 0 ||
        serve_open_log(&host->log, config) < 0)
        return RG_EIO;
    if (!config->daemonize || rg_process_daemonize() == 0)
        return 0;
    (void)fputs("Can't become a daemon\n", stderr);
    return RG_EIO;
}

static int serve_configured(struct host *host, const struct rg_options *options,
                            const char *executable)
{
    struct rg_config *config = rg_configure(options);
    const char *self = NULL;

    if (config == NULL)
        return EXIT_FAILURE;
    if (serve_prepare(host, config, &self) < 0) {
        rg_config_free(config);
        return EXIT_FAILURE;
    }
    return serve_run(host, options, config, executable, self);
}

int rg_serve(int argc, char **argv, const char *executable, bool sentinel)
{
    struct host host = {0};
    struct rg_options options;

    tzset();
    rg_options_read(&options, argc, argv);
    options.sentinel |= sentinel;
    int status = serve_answer(&options);
    if (status < 0)
        status = serve_configured(&host, &options, executable);
    rg_host_log_fini(&host.log);
    rg_options_fini(&options);
    return status;
}
