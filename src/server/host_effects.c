#include <errno.h>
#include <time.h>

#include "server/allocator.h"
#include "server/host.h"
#include "server/process.h"

static void host_sleep(int64_t sleep_us)
{
    struct timespec ts = {.tv_sec = sleep_us / RG_S_US, .tv_nsec = sleep_us % RG_S_US * 1000};

    while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
        continue;
}

static void host_raise_files(struct host *host, const struct rg_config *config)
{
    /* Where the system allows fewer it was logged, and accepting pauses at its limit. */
    if (rg_process_raise_files(&host->log, config->maxclients) < 0)
        rg_host_logf(&host->log, RG_LOG_WARNING, "The limit of open files leaves no clients.");
}

/* CONFIG SET changed a directive; those that the host reads where it uses them need nothing here.
 */
static void host_config_changed(struct host *host, const char *name)
{
    const struct rg_config *config = rg_node_config(host->node);

    if (strcmp(name, "port") == 0 || strcmp(name, "bind") == 0)
        rg_host_listen_again(host);
    else if (strcmp(name, "maxclients") == 0)
        host_raise_files(host, config);
    else if (strcmp(name, "dir") == 0)
        rg_files_enter(host->files, config->dir, HOST_TOKEN_DIR);
    else
        rg_host_log_configure(&host->log, config);
}

static void host_effect(struct host *host, const struct rg_effect *effect)
{
    switch (effect->type) {
    case RG_EFFECT_CONNECT:
        rg_host_connect(host, effect->conn, effect->host, effect->port);
        break;
    case RG_EFFECT_CLOSE:
        rg_host_close(host, effect->conn, effect->drain);
        break;
    case RG_EFFECT_FILE_REPLACE:
        rg_files_replace(host->files, effect->name, effect->bytes, effect->token);
        break;
    case RG_EFFECT_FILE_CREATE:
        rg_files_create(host->files, effect->name, effect->token);
        break;
    case RG_EFFECT_FILE_APPEND:
        rg_files_append(host->files, effect->name, effect->bytes, effect->token);
        break;
    case RG_EFFECT_FILE_RENAME:
        rg_files_rename(host->files, effect->name, effect->new_name, effect->token);
        break;
    case RG_EFFECT_FILE_REMOVE:
        rg_files_remove(host->files, effect->name, effect->token);
        break;
    case RG_EFFECT_FILE_FOLDER:
        rg_files_folder(host->files, effect->name, effect->token);
        break;
    case RG_EFFECT_FILE_READ:
        rg_files_read(host->files, effect->name, effect->position, effect->length, effect->token);
        break;
    case RG_EFFECT_LOG_APPEND:
        rg_files_log_append(host->files, effect->name, effect->bytes, effect->token);
        break;
    case RG_EFFECT_LOG_SYNC:
        rg_files_log_sync(host->files, effect->name, effect->token);
        break;
    case RG_EFFECT_LOG_CUT:
        rg_files_log_cut(host->files, effect->name, effect->position, effect->token);
        break;
    case RG_EFFECT_LOG:
        rg_host_log_line(&host->log, effect->level, effect->bytes);
        break;
    case RG_EFFECT_SLEEP:
        host_sleep(effect->sleep_us);
        break;
    case RG_EFFECT_PURGE:
        rg_allocator_purge();
        break;
    case RG_EFFECT_CONFIG:
        host_config_changed(host, effect->name);
        break;
    case RG_EFFECT_SCRIPT:
        rg_host_script_run(host, effect->token, effect->argv);
        break;
    case RG_EFFECT_SCRIPT_KILL:
        rg_host_script_kill(host, effect->token);
        break;
    case RG_EFFECT_EXIT:
        host->exiting = true;
        host->exit_status = effect->status;
        break;
    }
}

void rg_host_effects(struct host *host)
{
    struct rg_effect effect;

    while (rg_node_next_effect(host->node, &effect))
        host_effect(host, &effect);
}
