#include <stdio.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "node/aof_impl.h"

/* A new increment begins, and rewrites, which need one. The states are drawn in aof.h. */

enum { AOF_REWRITE_RETRY_US = 5 * 1000 * 1000 };

void aof_write_manifest(struct rg_node *node, enum rg_file_purpose purpose,
                        const struct rg_aof_manifest *manifest, uint64_t arg)
{
    struct rg_buf text = {0};
    char name[RG_AOF_MAX_NAME];
    char path[AOF_PATH_CHARS];

    (void)snprintf(name, sizeof(name), "%s.manifest", node->config->appendfilename);
    aof_path(node, name, path);
    rg_aof_manifest_format(manifest, &text);
    node_effect_file(node, RG_EFFECT_FILE_REPLACE, path, NULL, &text, purpose, arg);
}

/* A copy with one file more; what it held before is freed. */
static void aof_next_manifest(struct rg_aof *aof)
{
    rg_aof_manifest_fini(&aof->next);
    for (unsigned i = 0; i < aof->manifest.count; i++)
        rg_aof_manifest_put(&aof->next, &aof->manifest.files[i]);
}

/* The increment of the turn follows on the newest one. */
static void aof_next_increment(struct rg_aof *aof)
{
    struct rg_aof_file *before = rg_aof_manifest_newest(&aof->next);

    if (before != NULL && before->placed)
        before->end = aof->turn_at;
    rg_aof_manifest_add(&aof->next, aof->turn_name, aof->turn_seq, RG_AOF_INCR);
    struct rg_aof_file *newest = rg_aof_manifest_newest(&aof->next);
    newest->placed = true;
    newest->start = aof->turn_at;
}

static void aof_adopt_manifest(struct rg_aof *aof)
{
    rg_aof_manifest_fini(&aof->manifest);
    aof->manifest = aof->next;
    aof->next = (struct rg_aof_manifest){0};
}

/* ---- The turn ---- */

void aof_turn_begin(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;
    struct rg_aof_head head = {.start = node_log_end(node), .history = node->history};
    uint64_t seq = rg_aof_manifest_seq(&aof->manifest);

    RG_ASSERT(aof->turn == AOF_TURN_NONE);
    if (node_is_primary(node))
        node->feed_db = -1; /* what follows says its database itself */
    head.db = node_is_primary(node) ? -1 : node->follow.stream_db;
    aof->turn_at = head.start;
    aof->turn_seq = (seq > aof->turn_seq ? seq : aof->turn_seq) + 1;
    aof->turn_generation++;
    rg_buf_reset(&aof->turn_head, 0);
    rg_aof_head_format(&head, &aof->turn_head);
    (void)snprintf(aof->turn_name, sizeof(aof->turn_name), "%.200s.%llu.incr.aof",
                   node->config->appendfilename, (unsigned long long)aof->turn_seq);
    aof->turn = AOF_TURN_DRAIN;
}

void aof_turn_drop(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    aof->turn = AOF_TURN_NONE;
    aof->turn_generation++;
}

static void aof_turn_step(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;
    struct rg_buf head = {0};
    char path[AOF_PATH_CHARS];

    switch (aof->turn) {
    case AOF_TURN_FOLDER:
        node_effect_file(node, RG_EFFECT_FILE_FOLDER, node->config->appenddirname, NULL, NULL,
                         RG_FILE_AOF_TURN, aof->turn_generation);
        return;
    case AOF_TURN_FILE:
        aof_path(node, aof->turn_name, path);
        rg_buf_append_bytes(&head, rg_buf_view(&aof->turn_head));
        node_effect_file(node, RG_EFFECT_FILE_REPLACE, path, NULL, &head, RG_FILE_AOF_TURN,
                         aof->turn_generation);
        return;
    case AOF_TURN_MANIFEST:
        aof_next_manifest(aof);
        aof_next_increment(aof);
        aof_write_manifest(node, RG_FILE_AOF_TURN, &aof->next, aof->turn_generation);
        return;
    case AOF_TURN_NONE:
    case AOF_TURN_DRAIN:
        return;
    }
}

/* All of the log before the turn is synced in the file before it. */
static bool aof_turn_drained(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    if (!aof->whole || aof->path[0] == '\0')
        return true;
    aof_take(node, aof->turn_at);
    if (aof->appending || aof->syncing || aof->written < aof->turn_at)
        return false;
    if (aof->synced < aof->turn_at)
        aof_sync(node);
    return aof->synced >= aof->turn_at;
}

void aof_turn_run(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    if (aof->turn != AOF_TURN_DRAIN || aof->trouble == AOF_UNWRITTEN || !aof_turn_drained(node))
        return;
    aof->turn = AOF_TURN_FOLDER;
    aof_turn_step(node);
}

static void aof_turn_over(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;
    const struct rg_history *history = &node->history;

    if (aof->whole)
        aof_adopt_manifest(aof);
    aof->turn = AOF_TURN_NONE;
    aof->generation++;
    aof->earlier_bytes += aof->size;
    aof_path(node, aof->turn_name, aof->path);
    aof->taken = aof->written = aof->synced = aof->turn_at;
    aof->size = aof->written_size = rg_buf_len(&aof->turn_head);
    aof->told[0] = '\0';
    for (unsigned i = 0; i < history->count; i++) {
        if (history->terms[i].start <= aof->turn_at &&
            memmem(rg_buf_view(&aof->turn_head).data, rg_buf_len(&aof->turn_head),
                   history->terms[i].replid, RG_REPLID_LEN) != NULL)
            memcpy(aof->told, history->terms[i].replid, sizeof(aof->told));
    }
    memcpy(aof->written_told, aof->told, sizeof(aof->told));
}

void aof_turn_done(struct rg_node *node, uint64_t generation, int result)
{
    struct rg_aof *aof = node->aof;

    if (generation != aof->turn_generation || aof->turn == AOF_TURN_NONE)
        return;
    if (result < 0) {
        node_say(node, RG_LOG_WARNING, "A new AOF file could not be begun: %s",
                 node_file_error(result));
        aof_rewrite_failed(node);
        return;
    }
    if (aof->turn == AOF_TURN_MANIFEST || (aof->turn == AOF_TURN_FILE && !aof->whole)) {
        aof_turn_over(node);
        return;
    }
    aof->turn++;
    aof_turn_step(node);
}

/* ---- Rewrites ---- */

uint64_t aof_size(const struct rg_aof *aof)
{
    return aof->earlier_bytes + aof->size;
}

const char *aof_base_path(struct rg_node *node, char out[512])
{
    struct rg_aof *aof = node->aof;
    uint64_t seq = rg_aof_manifest_seq(&aof->manifest);

    aof->base_seq = (seq > aof->base_seq ? seq : aof->base_seq) + 1;
    (void)snprintf(aof->base_name, sizeof(aof->base_name), "%.200s.%llu.base.rdb",
                   node->config->appendfilename, (unsigned long long)aof->base_seq);
    aof_path(node, aof->base_name, out);
    return out;
}

void aof_rewrite_cancel(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    if (!aof->rewriting)
        return;
    aof->rewriting = aof->base_written = aof->finishing = false;
    save_abort(node, "the AOF begins anew");
}

/* Errors: those of save_begin. */
static int aof_rewrite_begin(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    if (aof->turn != AOF_TURN_NONE || aof->rewriting)
        return RG_EAGAIN;
    int result = save_begin(node, RG_SAVE_REWRITE, 0);
    if (result < 0)
        return result;
    /* The base takes its name much later. */
    node_effect_file(node, RG_EFFECT_FILE_FOLDER, node->config->appenddirname, NULL, NULL,
                     RG_FILE_IGNORED, 0);
    aof->rewriting = true;
    aof->scheduled = false;
    aof->base_written = false;
    aof->rewrite_began_us = node->now.mono_us;
    node_say(node, RG_LOG_NOTICE, "Background append only file rewriting started");
    if (aof->on) {
        aof_turn_begin(node);
        aof_turn_run(node);
    }
    return 0;
}

static void aof_rewrite_over(struct rg_node *node, bool ok)
{
    struct rg_aof *aof = node->aof;

    aof->rewriting = aof->base_written = aof->finishing = false;
    aof->rewrite_ok = ok;
    aof->rewrite_took_s = (node->now.mono_us - aof->rewrite_began_us) / RG_S_US;
    aof->failures = ok ? 0 : aof->failures + 1;
    aof->rewrites += ok;
}

void aof_rewrite_failed(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    /* Beside a chain that is whole and goes on the file before, nothing is lost. */
    aof_turn_drop(node);
    aof->retry_us = node->now.mono_us + AOF_REWRITE_RETRY_US;
    if (aof->on && (!aof->whole || aof->path[0] == '\0'))
        aof->scheduled = true;
    if (!aof->rewriting)
        return;
    aof_rewrite_over(node, false);
    node_say(node, RG_LOG_WARNING, "Background AOF rewrite terminated with error");
    save_abort(node, "no new AOF file could be begun");
}

void aof_base_saved(struct rg_node *node, int result, uint64_t bytes)
{
    struct rg_aof *aof = node->aof;

    if (!aof->rewriting)
        return;
    if (result < 0) {
        aof->rewriting = false;
        aof_rewrite_over(node, false);
        aof->retry_us = node->now.mono_us + AOF_REWRITE_RETRY_US;
        if (aof->on && !aof->whole)
            aof->scheduled = true;
        node_say(node, RG_LOG_WARNING, "Background AOF rewrite terminated with error");
        return;
    }
    aof->base_written = true;
    aof->base_bytes = bytes;
}

/* Both halves are there: the manifest names them, and what was before is history. */
void aof_rewrite_run(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    if (!aof->rewriting || !aof->base_written || aof->turn != AOF_TURN_NONE || aof->finishing ||
        (aof->on && aof->path[0] == '\0'))
        return;
    aof->finishing = true;
    aof_next_manifest(aof);
    if (aof->on && !aof->whole)
        aof_next_increment(aof);
    rg_aof_manifest_retire(&aof->next, aof->on ? aof->turn_seq : UINT64_MAX);
    rg_aof_manifest_add(&aof->next, aof->base_name, aof->base_seq, RG_AOF_BASE);
    aof_write_manifest(node, RG_FILE_AOF_MANIFEST, &aof->next, aof->turn_generation);
}

void aof_manifest_done(struct rg_node *node, uint64_t generation, int result)
{
    struct rg_aof *aof = node->aof;

    if (generation != aof->turn_generation || !aof->finishing)
        return;
    if (result < 0) {
        aof_rewrite_failed(node);
        return;
    }
    aof_adopt_manifest(aof);
    aof_rewrite_over(node, true);
    aof->earlier_bytes = aof->base_bytes;
    aof->base_bytes = aof_size(aof);
    aof->whole = aof->on;
    if (aof->trouble == AOF_BROKEN) {
        aof->trouble = AOF_WELL;
        if (aof->error < 0)
            node_say(node, RG_LOG_WARNING, "AOF write error looks solved, Redis can write again.");
    }
    node_say(node, RG_LOG_NOTICE, "Background AOF rewrite finished successfully");
    aof_segments_trim(node);
}

bool aof_rewrite_ask(struct rg_node *node, bool *ret_begun)
{
    struct rg_aof *aof = node->aof;

    if (aof->rewriting)
        return false;
    aof->scheduled = true;
    aof->failures = 0;
    if (aof->trouble != AOF_UNWRITTEN)
        (void)aof_rewrite_begin(node);
    *ret_begun = aof->rewriting;
    return true;
}

/* A file that grew by so many percent since the last rewrite is worth another one. */
static bool aof_grown(const struct rg_node *node)
{
    const struct rg_aof *aof = node->aof;
    uint64_t base = aof->base_bytes > 0 ? aof->base_bytes : 1;
    uint64_t size = aof_size(aof);

    if (!aof->whole || node->config->aof_rewrite_percentage == 0 ||
        size <= (uint64_t)node->config->aof_rewrite_min_size || size <= base)
        return false;
    return (size - base) * 100 / base >= (uint64_t)node->config->aof_rewrite_percentage;
}

void aof_rewrite_cron(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;

    if (aof->rewriting || node->stopping || aof->trouble == AOF_UNWRITTEN)
        return;
    if (!aof->scheduled && aof_grown(node)) {
        node_say(node, RG_LOG_NOTICE, "Starting automatic rewriting of AOF on %llu%% growth",
                 (unsigned long long)((aof_size(aof) - aof->base_bytes) * 100 /
                                      (aof->base_bytes > 0 ? aof->base_bytes : 1)));
        aof->scheduled = true;
    }
    if (aof->scheduled)
        (void)aof_rewrite_begin(node); /* else it stays scheduled */
}
