#include "sim/disk.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/panic.h"

static void disk_fire(struct sim_event *event);

void sim_disk_init(struct sim_disk *disk, struct sim_loop *loop)
{
    *disk = (struct sim_disk){.loop = loop, .latency_us = 300};
    sim_event_init(&disk->event, disk_fire);
}

static void disk_drop_queue(struct sim_disk *disk)
{
    for (size_t i = disk->head; i < disk->count; i++)
        rg_buf_fini(&disk->queue[i].bytes);
    disk->head = disk->count = 0;
    sim_event_cancel(disk->loop, &disk->event);
}

void sim_disk_wipe(struct sim_disk *disk)
{
    for (int i = 0; i < SIM_MAX_FILES; i++) {
        rg_buf_fini(&disk->files[i].data);
        disk->files[i] = (struct sim_file){0};
    }
}

void sim_disk_fini(struct sim_disk *disk)
{
    if (disk == NULL || disk->loop == NULL)
        return;
    disk_drop_queue(disk);
    rg_free(disk->queue);
    sim_disk_wipe(disk);
}

static struct sim_file *disk_file(struct sim_disk *disk, const char *name)
{
    for (int i = 0; i < SIM_MAX_FILES; i++) {
        if (strcmp(disk->files[i].name, name) == 0)
            return &disk->files[i];
    }
    return NULL;
}

const struct sim_file *sim_disk_find(const struct sim_disk *disk, const char *name)
{
    for (int i = 0; i < SIM_MAX_FILES; i++) {
        if (strcmp(disk->files[i].name, name) == 0)
            return &disk->files[i];
    }
    return NULL;
}

static struct sim_file *disk_make(struct sim_disk *disk, const char *name)
{
    struct sim_file *file = disk_file(disk, name);

    if (file == NULL)
        file = disk_file(disk, "");
    RG_ASSERT(file != NULL && name[0] != '\0');
    (void)snprintf(file->name, sizeof(file->name), "%s", name);
    rg_buf_reset(&file->data, 0);
    file->synced = 0;
    file->failed = 0;
    file->broken = false;
    return file;
}

static void disk_remove(struct sim_file *file)
{
    if (file == NULL)
        return;
    rg_buf_fini(&file->data);
    *file = (struct sim_file){0};
}

void sim_disk_forget(struct sim_disk *disk, const char *name)
{
    disk_remove(disk_file(disk, name));
}

/* ---- Operations ---- */

static void disk_schedule(struct sim_disk *disk)
{
    if (disk->head < disk->count)
        sim_event_at(disk->loop, &disk->event,
                     disk->loop->now_us + disk->latency_us / 4 +
                         sim_around(disk->loop, disk->latency_us));
}

void sim_disk_submit(struct sim_disk *disk, const struct rg_effect *effect)
{
    if (disk->head == disk->count)
        disk->head = disk->count = 0;
    if (disk->count == disk->cap) {
        disk->cap = disk->cap ? disk->cap * 2 : 8;
        disk->queue = rg_realloc(disk->queue, disk->cap * sizeof(struct sim_disk_op));
    }
    struct sim_disk_op *op = &disk->queue[disk->count++];
    *op = (struct sim_disk_op){.type = effect->type,
                               .token = effect->token,
                               .position = effect->position,
                               .length = effect->length};
    (void)snprintf(op->name, sizeof(op->name), "%s", effect->name);
    if (effect->new_name != NULL)
        (void)snprintf(op->new_name, sizeof(op->new_name), "%s", effect->new_name);
    rg_buf_append_bytes(&op->bytes, effect->bytes);
    if (disk->count - disk->head == 1)
        disk_schedule(disk);
}

/* Errors: RG_EIO, RG_ENOSPC. */
static int disk_log_apply(struct sim_disk *disk, const struct sim_disk_op *op,
                          struct sim_file *file)
{
    bool fails = sim_chance(disk->loop, disk->error);

    if (file == NULL || file->broken)
        return RG_EIO;
    if (op->type == RG_EFFECT_LOG_CUT) {
        if (fails || op->position > rg_buf_len(&file->data))
            return RG_EIO;
        rg_buf_truncate(&file->data, op->position);
        file->synced = op->position;
        file->failed = 0;
        return 0;
    }
    if (file->failed < 0)
        return file->failed;
    if (op->type == RG_EFFECT_LOG_SYNC) {
        file->broken = fails;
        file->failed = fails ? RG_EIO : 0;
        if (!fails)
            file->synced = rg_buf_len(&file->data);
        return file->failed;
    }
    file->failed = disk->full ? RG_ENOSPC : fails ? RG_EIO : 0;
    struct rg_bytes bytes = rg_buf_view(&op->bytes);
    /* A part of what could not be written may be there. */
    size_t n =
        file->failed < 0 ? (size_t)sim_between(disk->loop, 0, (int64_t)bytes.len) : bytes.len;
    rg_buf_append(&file->data, bytes.data, n);
    return file->failed;
}

/* A piece that ends early, as a read may at any place, and one that is not there. */
static int disk_read(struct sim_disk *disk, struct sim_disk_op *op, const struct sim_file *file)
{
    if (file == NULL || sim_chance(disk->loop, disk->error))
        return RG_EIO;
    struct rg_bytes all = rg_buf_view(&file->data);
    size_t at = op->position < all.len ? (size_t)op->position : all.len;
    size_t n = all.len - at < op->length ? all.len - at : op->length;
    op->file_size = all.len;
    rg_buf_append(&op->bytes, all.data + at, n);
    return 0;
}

/* Errors: RG_EIO, RG_ENOSPC. */
static int disk_apply(struct sim_disk *disk, struct sim_disk_op *op)
{
    struct sim_file *file = disk_file(disk, op->name);

    if (op->type == RG_EFFECT_LOG_APPEND || op->type == RG_EFFECT_LOG_SYNC ||
        op->type == RG_EFFECT_LOG_CUT)
        return disk_log_apply(disk, op, file);
    if (op->type == RG_EFFECT_FILE_READ)
        return disk_read(disk, op, file);
    if (disk->full && op->type != RG_EFFECT_FILE_REMOVE && op->type != RG_EFFECT_FILE_RENAME)
        return RG_ENOSPC;
    if (sim_chance(disk->loop, disk->error))
        return RG_EIO;
    switch (op->type) {
    case RG_EFFECT_FILE_REPLACE:
        file = disk_make(disk, op->name);
        rg_buf_append_bytes(&file->data, rg_buf_view(&op->bytes));
        file->synced = rg_buf_len(&file->data);
        return 0;
    case RG_EFFECT_FILE_CREATE:
        (void)disk_make(disk, op->name);
        return 0;
    case RG_EFFECT_FILE_APPEND:
        if (file == NULL)
            return RG_EIO;
        rg_buf_append_bytes(&file->data, rg_buf_view(&op->bytes));
        return 0;
    case RG_EFFECT_FILE_RENAME:
        if (file == NULL)
            return RG_EIO;
        disk_remove(disk_file(disk, op->new_name));
        (void)snprintf(file->name, sizeof(file->name), "%s", op->new_name);
        file->synced = rg_buf_len(&file->data);
        return 0;
    case RG_EFFECT_FILE_REMOVE:
        disk_remove(file);
        return 0;
    case RG_EFFECT_FILE_FOLDER:
        return 0;
    default:
        RG_UNREACHABLE();
    }
}

static void disk_fire(struct sim_event *event)
{
    struct sim_disk *disk = RG_CONTAINER_OF(event, struct sim_disk, event);
    struct sim_disk_op op = disk->queue[disk->head++];
    int result = disk_apply(disk, &op);

    disk->done(disk->arg, &op, result);
    rg_buf_fini(&op.bytes);
    disk_schedule(disk);
}

/* ---- Crashes ---- */

static void disk_tear(struct sim_disk *disk, struct sim_file *file)
{
    size_t len = rg_buf_len(&file->data);

    if (file->name[0] == '\0' || file->synced == len)
        return;
    size_t keep = (size_t)sim_between(disk->loop, (int64_t)file->synced, (int64_t)len);
    rg_buf_truncate(&file->data, keep);
    /* The log's files carry no sums: of them a part of the end is lost, as most file systems have
     * it.
     */
    if (strncmp(file->name, "appendonlydir/", 14) == 0) {
        file->synced = keep;
        return;
    }
    /* The last block that reached the disk may hold anything. */
    for (size_t i = file->synced; i < keep && i < file->synced + 16; i++) {
        if (sim_chance(disk->loop, 0.5))
            file->data.data[file->data.head + i] = (char)rg_rand_u64(&disk->loop->rand);
    }
    file->synced = keep;
}

void sim_disk_crash(struct sim_disk *disk, bool power)
{
    /* The operation under way may have come to its end, though nobody heard of it. */
    if (disk->head < disk->count && sim_chance(disk->loop, 0.5))
        (void)disk_apply(disk, &disk->queue[disk->head]);
    disk_drop_queue(disk);
    for (int i = 0; i < SIM_MAX_FILES; i++) {
        disk->files[i].failed = 0;
        disk->files[i].broken = false;
    }
    if (!power)
        return;
    for (int i = 0; i < SIM_MAX_FILES; i++)
        disk_tear(disk, &disk->files[i]);
}
