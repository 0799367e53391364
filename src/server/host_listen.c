#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/clock.h"
#include "server/host.h"

enum { LISTEN_PATIENCE_US = RG_S_US };

static void host_listen_add(struct host *host, int fd, enum rg_conn_origin origin, const char *name,
                            uint16_t port)
{
    struct host_listener *listener = RG_NEW(struct host_listener);

    listener->source = HOST_SOURCE_LISTENER;
    listener->origin = origin;
    listener->name = rg_alloc_copy(name, strlen(name));
    listener->port = port;
    rg_list_append(&host->listeners, &listener->node);
    listener->sock = rg_loop_listen(host->loop, fd, &listener->source);
}

static void host_listener_free(struct host *host, struct host_listener *listener)
{
    rg_list_remove(&listener->node);
    rg_loop_close(host->loop, listener->sock);
    rg_free(listener->name);
    rg_free(listener);
}

/*
 * The kernel gives up the sockets of a killed process a moment after the process itself where they
 * were in an io_uring. A server that is started again at once has the patience to wait for that.
 */
static int host_listen_socket(const char *address, uint16_t port, int backlog, int64_t patience_us,
                              struct rg_buf *error)
{
    const struct timespec pause = {.tv_nsec = 20 * RG_MS_US * 1000};
    int64_t until_us = rg_clock_mono_us() + patience_us;

    for (;;) {
        int fd = rg_socket_listen_tcp(address, port, backlog, error);
        if (fd != RG_EEXIST || rg_clock_mono_us() >= until_us)
            return fd;
        rg_buf_reset(error, 0);
        (void)nanosleep(&pause, NULL); /* a signal only shortens it */
    }
}

/* One address of `bind`; a leading '-' says that it may be missing. */
static int host_listen_address(struct host *host, const char *name, uint16_t port, int backlog,
                               int64_t patience_us)
{
    struct rg_buf error = {0};
    bool optional = name[0] == '-';
    const char *address = name + (optional ? 1 : 0);
    int fd = host_listen_socket(address, port, backlog, patience_us, &error);

    if (fd >= 0)
        host_listen_add(host, fd, RG_CONN_TCP, name, port);
    else if (fd == RG_ENOENT && optional)
        fd = 0;
    else
        rg_host_logf(&host->log, RG_LOG_WARNING,
                     "Warning: Could not create server TCP listening socket %s:%d: %.*s", address,
                     port, (int)rg_buf_len(&error), rg_buf_view(&error).data);
    rg_buf_fini(&error);
    return fd < 0 ? fd : 0;
}

static int host_listen_tcp(struct host *host, const struct rg_config *config, int64_t patience_us)
{
    int result = 0;

    if (config->port == 0)
        return 0;
    for (int i = 0; i < config->bind_count && result == 0; i++)
        result = host_listen_address(host, config->bind[i], (uint16_t)config->port,
                                     (int)config->tcp_backlog, patience_us);
    return result;
}

static int host_listen_unix(struct host *host, const struct rg_config *config)
{
    struct rg_buf error = {0};

    if (config->unixsocket[0] == '\0')
        return 0;
    int fd = rg_socket_listen_unix(config->unixsocket, (unsigned)config->unixsocketperm,
                                   (int)config->tcp_backlog, &error);
    if (fd < 0) {
        rg_host_logf(&host->log, RG_LOG_WARNING, "Failed opening Unix socket: %.*s",
                     (int)rg_buf_len(&error), rg_buf_view(&error).data);
    } else {
        host->unixsocket = rg_alloc_copy(config->unixsocket, strlen(config->unixsocket));
        host_listen_add(host, fd, RG_CONN_UNIX, config->unixsocket, 0);
    }
    rg_buf_fini(&error);
    return fd < 0 ? fd : 0;
}

int rg_host_listen(struct host *host, const struct rg_config *config)
{
    if (host_listen_tcp(host, config, LISTEN_PATIENCE_US) < 0) {
        rg_host_logf(&host->log, RG_LOG_WARNING, "Failed listening on port %d (TCP), aborting.",
                     (int)config->port);
        return RG_EIO;
    }
    if (host_listen_unix(host, config) < 0)
        return RG_EIO;
    if (rg_list_empty(&host->listeners)) {
        rg_host_logf(&host->log, RG_LOG_WARNING, "Configured to not listen anywhere, exiting.");
        return RG_EIO;
    }
    return 0;
}

/* Frees the TCP listeners; what they were goes to ret_old, without sockets. */
static void host_listen_drop(struct host *host, struct rg_list *ret_old)
{
    RG_LIST_EACH(it, &host->listeners)
    {
        struct host_listener *listener = RG_CONTAINER_OF(it, struct host_listener, node);
        if (listener->origin != RG_CONN_TCP)
            continue;
        rg_loop_close(host->loop, listener->sock);
        listener->sock = NULL;
        rg_list_remove(it);
        rg_list_append(ret_old, it);
    }
}

static void host_listen_free_list(struct host *host, struct rg_list *list)
{
    RG_LIST_EACH(it, list)
    {
        host_listener_free(host, RG_CONTAINER_OF(it, struct host_listener, node));
    }
}

/* The old addresses may overlap the new ones, so they are given up first. */
void rg_host_listen_again(struct host *host)
{
    const struct rg_config *config = rg_node_config(host->node);
    struct rg_list old;
    struct rg_list failed;

    rg_list_init(&old);
    rg_list_init(&failed);
    host_listen_drop(host, &old);
    if (host_listen_tcp(host, config, 0) < 0) {
        host_listen_drop(host, &failed);
        rg_host_logf(&host->log, RG_LOG_WARNING,
                     "Failed listening on port %d (TCP), listening as before.", (int)config->port);
        RG_LIST_EACH(it, &old)
        {
            struct host_listener *listener = RG_CONTAINER_OF(it, struct host_listener, node);
            /* A failure is logged; the other addresses still serve. */
            if (host_listen_address(host, listener->name, listener->port, (int)config->tcp_backlog,
                                    0) < 0)
                continue;
        }
    }
    host_listen_free_list(host, &failed);
    host_listen_free_list(host, &old);
}

void rg_host_listen_close(struct host *host)
{
    host_listen_free_list(host, &host->listeners);
    if (host->unixsocket != NULL)
        (void)unlink(host->unixsocket);
}
