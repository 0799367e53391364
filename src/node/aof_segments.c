#include <stdio.h>

#include "base/panic.h"
#include "node/aof_impl.h"
#include "node/serve_disk.h"

/*
 * Which part of the log lies on disk, to serve replicas from (serve_disk.c). The increments of the
 * chain hold it from the last rewrite on. Those of before stay as history of the manifest while
 * they and all behind them are not longer than repl-disk-backlog-size, or a replica still reads
 * them; so that they go in small steps, a new increment begins each time the newest has grown by a
 * share of that.
 */
enum { SEGMENTS_SHARE = 8, SEGMENT_LEAST_BYTES = 4096, SEGMENT_MOST_BYTES = 256 << 20 };

/* One past the last byte that can be read of the file; 0: that is not known. */
static uint64_t segment_end(const struct rg_aof *aof, const struct rg_aof_file *file)
{
    const struct rg_aof_file *newest = rg_aof_manifest_newest(&aof->manifest);

    if (!file->placed || file->end > 0)
        return file->end;
    return file == newest && aof->whole && aof->path[0] != '\0' ? aof->written : 0;
}

static const struct rg_aof_file *segment_find(const struct rg_aof *aof, uint64_t offset)
{
    for (unsigned i = 0; i < aof->manifest.count; i++) {
        const struct rg_aof_file *file = &aof->manifest.files[i];
        if (file->placed && file->start <= offset && offset < segment_end(aof, file))
            return file;
    }
    return NULL;
}

uint64_t aof_log_start(const struct rg_node *node)
{
    const struct rg_aof *aof = node->aof;
    const struct rg_aof_file *file = rg_aof_manifest_newest(&aof->manifest);
    uint64_t memory = rg_backlog_start(node->backlog);

    if (!aof->on || file == NULL || !file->placed || segment_end(aof, file) < memory)
        return memory;
    uint64_t start = file->start;
    while (start > 0 && (file = segment_find(aof, start - 1)) != NULL &&
           segment_end(aof, file) == start)
        start = file->start;
    return start < memory ? start : memory;
}

bool aof_segment_at(const struct rg_node *node, uint64_t offset, struct aof_segment *ret_segment)
{
    const struct rg_aof *aof = node->aof;
    const struct rg_aof_file *file = aof->on ? segment_find(aof, offset) : NULL;

    if (file == NULL)
        return false;
    aof_path(node, file->name, ret_segment->path);
    ret_segment->start = file->start;
    ret_segment->end = segment_end(aof, file);
    ret_segment->size = file->end > 0 ? 0 : aof->written_size;
    return true;
}

void aof_segment_lost(struct rg_node *node, uint64_t start)
{
    struct rg_aof_manifest *manifest = &node->aof->manifest;

    for (unsigned i = 0; i < manifest->count; i++) {
        if (manifest->files[i].placed && manifest->files[i].start == start)
            manifest->files[i].placed = false;
    }
}

void aof_segments_forget(struct rg_aof *aof)
{
    for (unsigned i = 0; i < aof->manifest.count; i++)
        aof->manifest.files[i].placed = false;
    for (unsigned i = 0; i < aof->next.count; i++)
        aof->next.files[i].placed = false;
}

/* ---- What stays ---- */

/* Where the disk is full, what is kept for replicas only is given up first. */
static uint64_t segments_limit(const struct rg_node *node)
{
    const struct rg_aof *aof = node->aof;
    bool full = aof->trouble != AOF_WELL && aof->error == RG_ENOSPC;

    return full ? 0 : (uint64_t)node->config->repl_disk_backlog_size;
}

void aof_segments_trim(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;
    char path[AOF_PATH_CHARS];
    uint64_t start = aof_log_start(node);
    uint64_t needed = serve_disk_oldest(node);
    bool any = false;

    /* A manifest that is on its way names them still. */
    if (!aof->on || aof->turn != AOF_TURN_NONE || aof->finishing)
        return;
    for (unsigned i = aof->manifest.count; i-- > 0;) {
        const struct rg_aof_file *file = &aof->manifest.files[i];
        if (file->type != RG_AOF_HISTORY)
            continue;
        if (file->placed && file->start >= start && file->end > 0 &&
            (file->end > needed || node_log_end(node) - file->start <= segments_limit(node)))
            continue;
        any = true;
        aof_path(node, file->name, path);
        node_effect_file(node, RG_EFFECT_FILE_REMOVE, path, NULL, NULL, RG_FILE_IGNORED, 0);
        rg_aof_manifest_drop(&aof->manifest, file);
    }
    if (any)
        aof_write_manifest(node, RG_FILE_IGNORED, &aof->manifest, 0);
}

void aof_seal(struct rg_node *node, uint64_t end)
{
    struct rg_aof *aof = node->aof;
    struct rg_aof_file *newest = rg_aof_manifest_newest(&aof->manifest);

    if (!aof->on || newest == NULL || segment_end(aof, newest) != end || aof->trouble != AOF_WELL ||
        aof->synced != end)
        return;
    newest->end = end;
    aof_write_manifest(node, RG_FILE_IGNORED, &aof->manifest, 0);
    newest->end = 0; /* a stop that fails goes on with it */
}

/* A share of the limit, but neither so small that little else is done, nor so many files. */
static uint64_t segment_full_bytes(const struct rg_node *node)
{
    uint64_t limit = (uint64_t)node->config->repl_disk_backlog_size;
    uint64_t bytes = limit / SEGMENTS_SHARE;
    uint64_t least = limit / (RG_AOF_MAX_FILES / 4);

    bytes = bytes < SEGMENT_MOST_BYTES ? bytes : SEGMENT_MOST_BYTES;
    bytes = bytes > least ? bytes : least;
    return bytes > SEGMENT_LEAST_BYTES ? bytes : SEGMENT_LEAST_BYTES;
}

bool aof_segment_full(const struct rg_node *node)
{
    const struct rg_aof *aof = node->aof;

    return aof->on && aof->whole && aof->path[0] != '\0' && aof->trouble == AOF_WELL &&
           aof->turn == AOF_TURN_NONE && !aof->rewriting && !aof->scheduled && !node->stopping &&
           node->config->repl_disk_backlog_size > 0 && aof->manifest.count < RG_AOF_MAX_FILES / 2 &&
           aof->size >= segment_full_bytes(node);
}

void aof_segments_info(const struct rg_node *node, struct rg_buf *out)
{
    uint64_t start = aof_log_start(node);
    uint64_t memory = rg_backlog_start(node->backlog);

    rg_buf_printf(out,
                  "repl_disk_backlog_size:%lld\r\nrepl_disk_backlog_first_byte_offset:%llu\r\n"
                  "repl_disk_backlog_histlen:%llu\r\n",
                  (long long)node->config->repl_disk_backlog_size,
                  start < memory ? (unsigned long long)start + 1 : 0,
                  start < memory ? (unsigned long long)(node->aof->written - start) : 0);
}
