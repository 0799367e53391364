#include <stdio.h>

#include "base/panic.h"
#include "node/snapshot.h"

/* A snapshot's bytes go to a file piece by piece, as they come. */

enum {
    FILE_PIECE_BYTES = 1 << 20, /* at most; what is copied at once holds up the loop */
};

void snapshot_file_begin(struct rg_node *node, struct snapshot_file *file,
                         struct rg_snapshot *snapshot, enum rg_file_purpose purpose,
                         const char *kind)
{
    *file = (struct snapshot_file){
        .snapshot = snapshot, .purpose = purpose, .attempt = ++node->next_token};
    rg_list_append(&snapshot->files, &file->link);
    (void)snprintf(file->name, sizeof(file->name), "temp-%s%llu.%lld.rdb", kind,
                   (unsigned long long)file->attempt, (long long)node->pid);
    node_effect_file(node, RG_EFFECT_FILE_CREATE, file->name, NULL, NULL, purpose, file->attempt);
}

/* One that does not grow any more; there may be none. */
static void file_piece(struct rg_node *node, struct snapshot_file *file)
{
    const struct snapshot_window *window = &file->snapshot->window;
    uint64_t ready =
        file->snapshot->done ? snapshot_window_end(window) : snapshot_window_closed(window);
    struct rg_buf bytes = {0};

    if (file->taken == ready || file->pieces == SNAPSHOT_FILE_PIECES)
        return;
    struct rg_bytes run = snapshot_window_read(window, file->taken);
    size_t len = run.len < FILE_PIECE_BYTES ? run.len : FILE_PIECE_BYTES;
    rg_buf_append(&bytes, run.data, len);
    file->taken += len;
    file->ends[(file->first + file->pieces++) % SNAPSHOT_FILE_PIECES] = file->taken;
    node_effect_file(node, RG_EFFECT_FILE_APPEND, file->name, NULL, &bytes, file->purpose,
                     file->attempt);
}

bool snapshot_file_run(struct rg_node *node, struct snapshot_file *file)
{
    file_piece(node, file);
    return file->created && file->pieces == 0 && file->snapshot->done &&
           file->taken == snapshot_window_end(&file->snapshot->window);
}

void snapshot_file_done(struct snapshot_file *file)
{
    if (!file->created) {
        file->created = true;
        return;
    }
    RG_ASSERT(file->pieces > 0);
    file->written = file->ends[file->first];
    file->first = (file->first + 1) % SNAPSHOT_FILE_PIECES;
    file->pieces--;
}

void snapshot_file_end(struct snapshot_file *file)
{
    if (file->snapshot == NULL)
        return;
    rg_list_remove(&file->link);
    snapshot_unref(file->snapshot);
    file->snapshot = NULL;
}

uint64_t snapshot_files_need(const struct rg_snapshot *snapshot, bool written)
{
    uint64_t position = UINT64_MAX;

    RG_LIST_EACH(link, &snapshot->files)
    {
        const struct snapshot_file *file = RG_CONTAINER_OF(link, struct snapshot_file, link);
        uint64_t at = written ? file->written : file->taken;
        position = at < position ? at : position;
    }
    return position;
}
