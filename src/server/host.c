#include "server/host.h"

#include <stdlib.h>

#include "io/clock.h"

/* The turn of the host, as node/node.h describes it. */

/* How long pending output may still be sent once the node asked for the end of the process. */
enum { HOST_LAST_SEND_US = 500 * 1000 };

static int64_t host_timeout_us(const struct host *host)
{
    int64_t due_us = rg_node_deadline(host->node);
    const struct rg_heap_item *timer = rg_heap_min(&host->timers);

    if (host->more_output || !rg_list_empty(&host->ended))
        return 0;
    if (timer != NULL && timer->key < due_us)
        due_us = timer->key;
    if (host->facts_due_us < due_us)
        due_us = host->facts_due_us;
    int64_t left_us = due_us - rg_clock_mono_us();
    return left_us > 0 ? left_us : 0;
}

static void host_files_answered(struct host *host)
{
    struct rg_files_answer answer;

    while (rg_files_next(host->files, &answer)) {
        bool own = answer.token == HOST_TOKEN_DIR;
        const char *failed = own              ? "Changing to the directory 'dir' failed"
                             : answer.is_read ? "Reading a file failed"
                                              : "Writing a file failed";
        if (answer.result < 0)
            rg_host_logf(&host->log, RG_LOG_WARNING, "%s: %s", failed,
                         strerrordesc_np(answer.error));
        if (answer.is_read)
            rg_node_file_read(host->node, answer.token, answer.result, answer.bytes, answer.size,
                              host->now);
        else if (!own)
            rg_node_file_done(host->node, answer.token, answer.result, host->now);
    }
}

static void host_dispatch(struct host *host, const struct rg_loop_event *event)
{
    enum host_source *source = rg_sock_user(event->sock);

    switch (*source) {
    case HOST_SOURCE_CONN:
        rg_host_on_event(host, RG_CONTAINER_OF(source, struct host_conn, source), event);
        break;
    case HOST_SOURCE_LISTENER:
        if (event->type == RG_LOOP_ACCEPTED)
            rg_host_accept(host, RG_CONTAINER_OF(source, struct host_listener, source),
                           event->peer);
        else
            rg_host_accept_failed(host, event->error);
        break;
    case HOST_SOURCE_SIGNALS:
        rg_host_signals_take(host);
        break;
    case HOST_SOURCE_FILES:
        host_files_answered(host);
        break;
    case HOST_SOURCE_SCRIPT:
        rg_host_script_ended(host, RG_CONTAINER_OF(source, struct host_script, source));
        break;
    case HOST_SOURCE_NAMES:
        rg_host_names_answered(host);
        break;
    }
}

static void host_update_role(struct host *host)
{
    struct rg_node_view view = {0};

    if (rg_node_config(host->node)->sentinel)
        return;
    rg_node_view(host->node, host->now, &view);
    host->log.role = view.primary ? 'M' : 'S';
}

/* A file that cannot be loaded is the end. */
static void host_load(struct host *host)
{
    int result = rg_host_load_step(host);

    if (result == 0)
        return;
    host->exiting = true;
    host->exit_status = result == RG_EAGAIN ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void host_turn(struct host *host)
{
    struct rg_loop_event event;

    rg_loop_wait(host->loop, host_timeout_us(host));
    host->now = rg_clock_now();
    rg_host_sent(host);
    rg_host_tell_ended(host);
    while (rg_loop_next(host->loop, &event))
        host_dispatch(host, &event);
    rg_host_run_timers(host);
    rg_host_facts(host);
    if (host->load != NULL)
        host_load(host);
    rg_node_run(host->node, host->now);
    rg_host_rooms(host);
    host_update_role(host);
    rg_host_effects(host);
    rg_host_send(host);
}

int rg_host_run(struct host *host)
{
    while (!host->exiting)
        host_turn(host);
    rg_host_send_last(host, HOST_LAST_SEND_US);
    return host->exit_status;
}
