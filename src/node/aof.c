#include "node/aof_impl.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "core/planted.h"

/*
 * Appending to the log on disk. What the log gained goes to the newest increment at the end of each
 * run, as one piece; while that one is on its way the next one gathers. With appendfsync always a
 * piece is synced at once and the replies wait for it (gate.c), so that everything that came while
 * a sync ran shares the next one.
 */
enum {
    AOF_RETRY_US = 1000 * 1000,
    AOF_LATE_US = 2 * 1000 * 1000,
};
/* So much may wait for a disk that takes nothing; then the chain is given up for a new base. */
static const uint64_t aof_wait_bytes = 256U << 20;

struct rg_aof *aof_new(void)
{
    struct rg_aof *aof = RG_NEW(struct rg_aof);

    aof->rewrite_ok = true;
    aof->rewrite_took_s = -1;
    return aof;
}

void aof_free(struct rg_aof *aof)
{
    if (aof == NULL)
        return;
    RG_ASSERT(aof->load == NULL);
    rg_aof_manifest_fini(&aof->manifest);
    rg_aof_manifest_fini(&aof->next);
    rg_buf_fini(&aof->turn_head);
    rg_free(aof);
}

void aof_path(const struct rg_node *node, const char *name, char out[AOF_PATH_CHARS])
{
    (void)snprintf(out, AOF_PATH_CHARS, "%s/%s", node->config->appenddirname, name);
}

static bool aof_always(const struct rg_node *node)
{
    return node->config->appendfsync == RG_FSYNC_ALWAYS;
}

/* Somebody waits for each sync: this node's clients, or those of its primary. */
static bool aof_prompt(const struct rg_node *node)
{
    return aof_always(node) || node->config->replication_durability == RG_DURABILITY_DISK;
}

/* ---- Pieces ---- */

/* The bytes [from, to) of the log as they are. */
static void aof_copy(const struct rg_node *node, uint64_t from, uint64_t to, struct rg_buf *out)
{
    while (from < to) {
        struct rg_bytes run = rg_backlog_read(node->backlog, from);
        size_t n = run.len < to - from ? run.len : (size_t)(to - from);
        rg_buf_append(out, run.data, n);
        from += n;
    }
}

/* The first term that the file does not name. */
static unsigned aof_untold(const struct rg_node *node)
{
    const struct rg_history *history = &node->history;

    for (unsigned i = history->count; i-- > 0;) {
        if (strcmp(history->terms[i].replid, node->aof->told) == 0)
            return i + 1;
    }
    return history->count; /* all fell off but the present one, which is told below */
}

static void aof_piece(struct rg_node *node, uint64_t end, struct rg_buf *out)
{
    struct rg_aof *aof = node->aof;
    uint64_t at = aof->taken;
    int64_t now_s = node->now.wall_us / RG_S_US;

    if (node->config->aof_timestamp_enabled && now_s != aof->told_s) {
        rg_aof_time_format(now_s, out);
        aof->told_s = now_s;
    }
    for (unsigned i = aof_untold(node); i < node->history.count; i++) {
        const struct rg_history_term *term = &node->history.terms[i];
        /* A term of a group begins with its record, and is told with it. */
        if (term->start > end || (term->start == end && node->members.group != NULL && end > 0))
            break;
        if (term->start > at) {
            aof_copy(node, at, term->start, out);
            at = term->start;
        }
        rg_aof_term_format(term, out);
        memcpy(aof->told, term->replid, sizeof(aof->told));
    }
    aof_copy(node, at, end, out);
}

void aof_sync(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    RG_ASSERT(!aof->syncing && aof->path[0] != '\0');
    aof->syncing = true;
    aof->sync_end = aof->taken;
    aof->sync_us = node->now.mono_us;
    aof->late_told = false;
    node_effect_file(node, RG_EFFECT_LOG_SYNC, aof->path, NULL, NULL, RG_FILE_AOF_SYNC,
                     aof->generation);
}

void aof_take(struct rg_node *node, uint64_t end)
{
    struct rg_aof *aof = node->aof;
    struct rg_buf piece = {0};

    if (aof->path[0] == '\0' || aof->trouble != AOF_WELL || aof->appending || aof->taken >= end ||
        (aof->syncing && aof_prompt(node)))
        return;
    aof_piece(node, end, &piece);
    aof->size += rg_buf_len(&piece);
    aof->taken = aof->append_end = end;
    aof->appending = true;
    node_effect_file(node, RG_EFFECT_LOG_APPEND, aof->path, NULL, &piece, RG_FILE_AOF_APPEND,
                     aof->generation);
    if (aof_prompt(node) && !aof->syncing)
        aof_sync(node);
}

/* ---- Trouble ---- */

/* Nothing is appended any more: the present file is not believed, or its log is another now. */
static void aof_let_go(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    aof_turn_drop(node);
    aof_rewrite_cancel(node);
    aof_segments_forget(aof);
    aof->whole = false;
    aof->path[0] = '\0';
    aof->generation++;
    aof->appending = aof->syncing = aof->cutting = false;
    /* What could not be written has no file any more that it could be tried again on. */
    if (aof->trouble == AOF_UNWRITTEN)
        aof->trouble = AOF_BROKEN;
    aof->scheduled = true;
}

static void aof_break(struct rg_node *node, const char *why, int result)
{
    struct rg_aof *aof = node->aof;

    node_say(node, RG_LOG_WARNING, "%s: %s. The log on disk begins anew with a rewrite.", why,
             node_file_error(result));
    aof_let_go(node);
    aof->trouble = AOF_BROKEN;
    aof->error = result;
    aof->retry_us = node->now.mono_us + AOF_RETRY_US;
    gate_fail_all(node);
}

static void aof_unwritten(struct rg_node *node, int result)
{
    struct rg_aof *aof = node->aof;

    if (aof->trouble == AOF_WELL)
        node_say(node, RG_LOG_WARNING, "Error writing to the AOF file: %s",
                 node_file_error(result));
    aof->trouble = AOF_UNWRITTEN;
    aof->error = result;
    aof->taken = aof->written;
    aof->size = aof->written_size;
    memcpy(aof->told, aof->written_told, sizeof(aof->told));
    aof->retry_us = node->now.mono_us + AOF_RETRY_US;
    if (aof->turn != AOF_TURN_NONE)
        aof_rewrite_failed(node);
    if (aof_always(node))
        gate_fail_all(node);
}

/* The rest of a piece that was not written whole is cut off before anything follows. */
static void aof_retry(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    if (aof->trouble != AOF_UNWRITTEN || aof->cutting || aof->syncing ||
        node->now.mono_us < aof->retry_us)
        return;
    if (node_log_end(node) - aof->written > aof_wait_bytes) {
        aof_break(node, "Too much waits to be written to the AOF file", aof->error);
        return;
    }
    aof->cutting = true;
    node_effect_cut(node, aof->path, aof->written_size, RG_FILE_AOF_CUT, aof->generation);
}

static void aof_cut(struct rg_node *node, int result)
{
    struct rg_aof *aof = node->aof;

    aof->cutting = false;
    if (result < 0) {
        aof->error = result;
        aof->retry_us = node->now.mono_us + AOF_RETRY_US;
        return;
    }
    if (aof->trouble == AOF_UNWRITTEN) {
        aof->trouble = AOF_WELL;
        if (aof->error < 0)
            node_say(node, RG_LOG_WARNING, "AOF write error looks solved, Redis can write again.");
    }
}

void aof_file_done(struct rg_node *node, enum rg_file_purpose purpose, uint64_t arg, int result)
{
    struct rg_aof *aof = node->aof;

    if (purpose == RG_FILE_AOF_TURN) {
        aof_turn_done(node, arg, result);
    } else if (purpose == RG_FILE_AOF_MANIFEST) {
        aof_manifest_done(node, arg, result);
    } else if (arg != aof->generation) {
        return;
    } else if (purpose == RG_FILE_AOF_CUT) {
        aof_cut(node, result);
    } else if (purpose == RG_FILE_AOF_APPEND) {
        aof->appending = false;
        if (result < 0) {
            aof_unwritten(node, result);
            return;
        }
        aof->written = aof->append_end;
        aof->written_size = aof->size;
        memcpy(aof->written_told, aof->told, sizeof(aof->told));
    } else {
        aof->syncing = false;
        if (result == 0 || RG_PLANTED(node->planted, RG_PLANTED_BELIEVES_SYNC))
            aof->synced = aof->sync_end;
        else if (aof->trouble == AOF_WELL) /* else it was not tried */
            aof_break(node, "Error syncing the AOF file", result);
    }
}

/* ---- Running ---- */

static void aof_sync_due(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;
    const struct rg_config *config = node->config;

    if (aof->path[0] == '\0' || aof->trouble != AOF_WELL)
        return;
    if (aof->syncing) {
        if (!aof->late_told && config->appendfsync == RG_FSYNC_EVERYSEC &&
            node->now.mono_us - aof->sync_us > AOF_LATE_US) {
            aof->late_told = true;
            aof->delayed_syncs++;
        }
        return;
    }
    if (aof->synced >= aof->taken || aof->appending ||
        (config->appendfsync == RG_FSYNC_NO && !aof_prompt(node)))
        return;
    if (!aof_prompt(node) && (node->now.mono_us - aof->sync_us < RG_S_US ||
                              (config->no_appendfsync_on_rewrite && save_on(node))))
        return;
    aof_sync(node);
}

/*
 * A group's primary that is killed with bytes on disk that no other member has comes back with a
 * log that went another way, and needs all data. So, where nobody waits for its disk, they go there
 * once the members that the mode asks for hold them.
 */
static uint64_t aof_due_end(const struct rg_node *node)
{
    const struct rg_group_view *view = &node->members.view;
    uint64_t end = node_log_end(node);

    if (node->members.group == NULL || view->role != RG_ROLE_PRIMARY ||
        view->mode == RG_MODE_ASYNC || aof_prompt(node))
        return end;
    return view->commit < end ? view->commit : end;
}

void aof_run(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    if (aof->on) {
        aof_turn_run(node);
        if (aof->turn == AOF_TURN_NONE)
            aof_take(node, aof_due_end(node));
        aof_sync_due(node);
    }
    aof_rewrite_run(node);
}

void aof_cron(struct rg_node *node)
{
    aof_retry(node);
    aof_segments_trim(node);
    if (node->now.mono_us < node->aof->retry_us)
        return;
    aof_rewrite_cron(node);
    if (aof_segment_full(node))
        aof_turn_begin(node);
}

uint64_t aof_needs(const struct rg_node *node)
{
    const struct rg_aof *aof = node->aof;

    if (!aof->on || (aof->path[0] == '\0' && aof->turn == AOF_TURN_NONE))
        return UINT64_MAX;
    if (aof->path[0] == '\0')
        return aof->turn_at;
    return aof->written;
}

uint64_t aof_released(const struct rg_node *node)
{
    const struct rg_aof *aof = node->aof;

    if (!aof->on || !aof_always(node) || aof->trouble == AOF_BROKEN)
        return UINT64_MAX;
    if (!aof->whole)
        return aof->promised ? 0 : UINT64_MAX;
    return aof->synced;
}

bool aof_durable(const struct rg_node *node, uint64_t offset)
{
    const struct rg_aof *aof = node->aof;

    return aof->on && aof->whole && aof->trouble == AOF_WELL && aof->synced >= offset;
}

bool aof_whole(const struct rg_node *node)
{
    return node->aof->on && node->aof->whole;
}

uint64_t aof_synced(const struct rg_node *node)
{
    return aof_whole(node) ? node->aof->synced : 0;
}

uint64_t aof_held(const struct rg_node *node)
{
    if (node->members.group != NULL)
        return rg_group_held(node->members.group);
    return node->config->replication_durability == RG_DURABILITY_DISK ? aof_synced(node)
                                                                      : node_log_end(node);
}

bool aof_on(const struct rg_node *node)
{
    return node->aof->on;
}

const char *aof_refuses_writes(const struct rg_node *node)
{
    const struct rg_aof *aof = node->aof;

    if (!aof->on || aof->trouble == AOF_WELL || aof->error == 0)
        return NULL;
    return aof->error == RG_ENOSPC
               ? "MISCONF Errors writing to the AOF file: No space left on device"
               : "MISCONF Errors writing to the AOF file: Input/output error";
}

/* ---- The beginning and the end ---- */

void aof_resume(struct rg_node *node, const char *name, uint64_t size, const char *told)
{
    struct rg_aof *aof = node->aof;

    aof->whole = true;
    aof->taken = aof->written = node_log_end(node);
    aof->synced = 0; /* until a sync says so: a crash of the process left what it wrote */
    if (name == NULL)
        return;
    aof_path(node, name, aof->path);
    aof->size = aof->written_size = size;
    (void)snprintf(aof->told, sizeof(aof->told), "%s", told);
    memcpy(aof->written_told, aof->told, sizeof(aof->told));
}

void aof_resume_torn(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    aof->trouble = AOF_UNWRITTEN;
    aof->error = 0;
    aof->cutting = true;
    node_effect_cut(node, aof->path, aof->written_size, RG_FILE_AOF_CUT, aof->generation);
}

void aof_start(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    if (!aof->whole)
        aof_segments_forget(aof);
    if (!node->config->appendonly)
        return;
    aof->on = true;
    aof->promised = true;
    feed_activate(node);
    aof->sync_us = node->now.mono_us - RG_S_US;
    if (!aof->whole)
        aof->scheduled = true;
    else if (aof->path[0] == '\0')
        aof_turn_begin(node);
    else if (aof->trouble == AOF_WELL)
        aof_sync(node);
    aof_rewrite_cron(node);
}

void aof_configure(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    if (aof->on == node->config->appendonly || !node->running)
        return;
    if (node->config->appendonly) {
        aof->on = true;
        aof->promised = false;
        aof->trouble = AOF_WELL;
        aof->scheduled = true;
        feed_activate(node);
        aof_rewrite_cron(node);
        return;
    }
    /* What is on its way arrives; the rest follows it. */
    aof->appending = aof->syncing = false;
    if (aof->turn == AOF_TURN_NONE)
        aof_take(node, node_log_end(node));
    if (aof->path[0] != '\0' && aof->trouble == AOF_WELL && !aof->syncing)
        aof_sync(node);
    aof_let_go(node);
    aof_segments_trim(node);
    aof->scheduled = aof->on = false;
    aof->trouble = AOF_WELL;
}

void aof_log_replaced(struct rg_node *node)
{
    if (!node->aof->on) {
        /* At the start: what was loaded is of a log that goes on under another name. */
        node->aof->whole = false;
        node->aof->path[0] = '\0';
        return;
    }
    aof_let_go(node);
    node->aof->promised = false;
}

bool aof_settled(const struct rg_node *node)
{
    const struct rg_aof *aof = node->aof;

    if (!aof->on || (aof->trouble != AOF_WELL && !aof->cutting))
        return true;
    if (aof->trouble != AOF_WELL)
        return false; /* it goes on behind what is cut off */
    if (aof->path[0] == '\0')
        return aof->turn == AOF_TURN_NONE;
    return aof->turn == AOF_TURN_NONE && aof->synced >= node_log_end(node);
}

void aof_settle(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    if (aof_settled(node))
        return;
    aof_turn_run(node);
    if (aof->turn != AOF_TURN_NONE)
        return;
    aof_take(node, node_log_end(node));
    if (!aof->syncing && !aof->appending && aof->synced < aof->taken && aof->trouble == AOF_WELL &&
        aof->path[0] != '\0')
        aof_sync(node);
}
