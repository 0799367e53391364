#include <stdio.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "core/planted.h"
#include "log/aof.h"
#include "log/aof_strip.h"
#include "node/aof.h"
#include "node/serve_disk.h"

/*
 * A replica that was away for longer than the log in memory reaches back is fed from the log on
 * disk (aof_segments.c), piece by piece, until what it lacks begins in memory. While the pieces are
 * on their way nothing is held up. A replica keeps no part of the log in memory until it gets
 * there, from then on what it needs stays (serve_slowest).
 *
 *   OPENING --a file's head came--> PLAIN, of a file without notes between its commands: a place in
 *      ^                    |       it follows from the offset
 *      |                    +-----> STRIPPING, of another: it is passed through from its beginning
 *      +--- its end was reached; the next one holds what follows
 */
enum disk_state { DISK_OPENING, DISK_PLAIN, DISK_STRIPPING };

enum {
    DISK_PIECE_BYTES = 256 * 1024, /* more than the longest head */
    DISK_AHEAD_BYTES = 512 * 1024, /* gathered for a replica */
};

struct rg_serve_disk {
    enum disk_state state;
    struct aof_segment segment; /* being read; path "": none */
    bool reading;
    bool met;          /* what follows is in memory, and stays there */
    uint64_t position; /* in the file, of the next piece */
    uint64_t at;       /* STRIPPING: the offset that it begins with */
    uint64_t end;      /* of what is gathered */
    struct rg_aof_strip strip;
    struct rg_buf bytes; /* gathered; sent next */
};

void serve_disk_begin(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_serve_disk *disk = RG_NEW(struct rg_serve_disk);

    RG_ASSERT(conn->serve->disk == NULL);
    disk->end = conn->serve->sent;
    conn->serve->disk = disk;
    node->disk_readers++;
}

void serve_disk_end(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_serve_disk *disk = conn->serve->disk;

    if (disk == NULL)
        return;
    RG_ASSERT(node->disk_readers > 0);
    node->disk_readers--;
    rg_buf_fini(&disk->bytes);
    rg_free(disk);
    conn->serve->disk = NULL;
}

/* ---- Reading ---- */

static void disk_fail(struct rg_node *node, struct rg_conn *conn, const char *why)
{
    struct rg_serve_disk *disk = conn->serve->disk;

    node_say(node, RG_LOG_WARNING,
             "Closing the link of replica %s: the log on disk from offset %llu on: %s (%s)",
             conn->peer, (unsigned long long)disk->end, why, disk->segment.path);
    /* It would fail the next time, too; without it the replica gets all data. */
    if (disk->segment.path[0] != '\0')
        aof_segment_lost(node, disk->segment.start);
    conn_close(node, conn, false);
}

/* Every byte of the log in the file is of commands: it is as long as its head and those. */
static bool disk_is_plain(const struct aof_segment *segment, uint64_t head, uint64_t size)
{
    return size == head + (segment->end - segment->start);
}

/* The file may have grown, or been taken away, since the last piece. */
static bool disk_find(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_serve_disk *disk = conn->serve->disk;
    struct aof_segment found = {.path = ""};

    if (!aof_segment_at(node, disk->end, &found)) {
        disk->segment.path[0] = '\0';
        disk_fail(node, conn, "it is not kept any more");
        return false;
    }
    found.head = disk->segment.head;
    bool same = disk->segment.path[0] != '\0' && disk->segment.start == found.start &&
                strcmp(disk->segment.path, found.path) == 0;
    /* A note may stand behind what was read so far. How long a file is that was appended to until
     * now, its opening tells. */
    bool noted = same && disk->state == DISK_PLAIN && disk->segment.size > 0 &&
                 (found.size == 0 || !disk_is_plain(&found, found.head, found.size));
    if (!same || noted)
        disk->state = DISK_OPENING;
    disk->segment = found;
    return true;
}

static void disk_ask(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_serve_disk *disk = conn->serve->disk;
    const struct aof_segment *segment = &disk->segment;
    uint64_t length = DISK_PIECE_BYTES;

    if (disk->state == DISK_OPENING)
        disk->position = 0;
    else if (disk->state == DISK_PLAIN && segment->end - disk->end < length)
        length = segment->end - disk->end;
    if (segment->size > 0 && segment->size - disk->position < length)
        length = segment->size - disk->position;
    disk->reading = true;
    node_effect_read(node, segment->path, disk->position, (size_t)length, RG_FILE_SERVE, conn->id);
}

static bool disk_wants(const struct rg_serve_disk *disk)
{
    return !disk->reading && rg_buf_len(&disk->bytes) < DISK_AHEAD_BYTES &&
           (!disk->met || rg_buf_len(&disk->bytes) == 0);
}

static void disk_step(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_serve_disk *disk = conn->serve->disk;

    if (!disk_wants(disk))
        return;
    disk->met = disk->end >= rg_backlog_start(node->backlog);
    if (!disk->met) {
        if (disk_find(node, conn))
            disk_ask(node, conn);
    } else if (rg_buf_len(&disk->bytes) == 0) {
        serve_disk_end(node, conn);
        conn_wants_output(node, conn);
    }
}

void serve_disk_run(struct rg_node *node)
{
    if (node->disk_readers == 0)
        return;
    RG_LIST_EACH(link, &node->serving)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (conn->kind == RG_CONN_REPLICA && !conn->closing && conn->serve->disk != NULL)
            disk_step(node, conn);
    }
}

int64_t serve_disk_deadline(const struct rg_node *node)
{
    if (node->disk_readers == 0)
        return RG_NEVER;
    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (conn->kind == RG_CONN_REPLICA && !conn->closing && conn->serve->disk != NULL &&
            disk_wants(conn->serve->disk))
            return node->now.mono_us;
    }
    return RG_NEVER;
}

uint64_t serve_disk_oldest(const struct rg_node *node)
{
    uint64_t oldest = UINT64_MAX;

    if (node->disk_readers == 0)
        return oldest;
    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (conn->kind == RG_CONN_REPLICA && !conn->closing && conn->serve->disk != NULL &&
            conn->serve->disk->end < oldest)
            oldest = conn->serve->disk->end;
    }
    return oldest;
}

uint64_t serve_disk_keeps(const struct rg_serve_disk *disk)
{
    return disk->met ? disk->end : UINT64_MAX;
}

/* ---- Pieces ---- */

static void disk_gather(struct rg_serve_disk *disk, struct rg_bytes run)
{
    rg_buf_append_bytes(&disk->bytes, run);
    disk->end += run.len;
}

/* What came of the file's commands. Errors: RG_ECORRUPT. */
static int disk_strip(struct rg_serve_disk *disk, struct rg_bytes piece)
{
    struct rg_bytes run;
    int result = 0;

    while ((result = rg_aof_strip_next(&disk->strip, &piece, &run)) == 0) {
        uint64_t end = disk->at + run.len;
        if (end > disk->segment.end)
            return RG_ECORRUPT;
        if (end > disk->end) {
            size_t skip = disk->end > disk->at ? (size_t)(disk->end - disk->at) : 0;
            disk_gather(disk, rg_bytes(run.data + skip, run.len - skip));
        }
        disk->at = end;
    }
    return result == RG_EAGAIN ? 0 : result;
}

/* The head is of the place in the log that the manifest names, and of this log. */
static bool disk_head_fits(const struct rg_node *node, const struct aof_segment *segment,
                           const struct rg_aof_head *head)
{
    const struct rg_history *history = &head->history;
    uint64_t agreed = 0;

    if (head->start != segment->start || history->count == 0)
        return false;
    return rg_history_agrees(&node->history, node_log_end(node),
                             rg_bytes_str(history->terms[history->count - 1].replid), head->start,
                             &agreed) == 0 &&
           agreed == head->start;
}

/* Errors: RG_ECORRUPT. */
static int disk_open(const struct rg_node *node, struct rg_serve_disk *disk, struct rg_bytes piece,
                     uint64_t size)
{
    struct rg_aof_reader *reader = rg_aof_reader_new(0);
    struct aof_segment *segment = &disk->segment;
    struct rg_aof_item item;

    rg_aof_reader_feed(reader, piece);
    bool fits = rg_aof_reader_next(reader, &item) == 0 && item.type == RG_AOF_HEAD &&
                disk_head_fits(node, segment, item.head);
    segment->head = fits ? item.size : 0;
    rg_aof_reader_free(reader);
    if (!fits)
        return RG_ECORRUPT;
    if (segment->size > 0)
        size = segment->size;
    if (disk_is_plain(segment, segment->head, size)) {
        disk->state = DISK_PLAIN;
        disk->position = segment->head + (disk->end - segment->start);
        if (RG_PLANTED(node->planted, RG_PLANTED_DISK_OFF_BY_NOTE))
            disk->position = disk->end - segment->start;
        return 0;
    }
    disk->state = DISK_STRIPPING;
    disk->at = segment->start;
    rg_aof_strip_init(&disk->strip);
    disk->position = piece.len;
    return disk_strip(disk,
                      rg_bytes(piece.data + segment->head, piece.len - (size_t)segment->head));
}

static int disk_take(const struct rg_node *node, struct rg_serve_disk *disk, struct rg_bytes piece,
                     uint64_t size)
{
    uint64_t left = disk->segment.end - disk->end;

    /* The file ends before what it was said to hold. */
    if (piece.len == 0)
        return RG_ECORRUPT;
    if (disk->state == DISK_OPENING)
        return disk_open(node, disk, piece, size);
    disk->position += piece.len;
    if (disk->state == DISK_STRIPPING)
        return disk_strip(disk, piece);
    disk_gather(disk, rg_bytes(piece.data, piece.len < left ? piece.len : (size_t)left));
    return 0;
}

void serve_disk_read(struct rg_node *node, uint64_t client, int result, struct rg_bytes piece,
                     uint64_t size)
{
    struct rg_conn *conn = conn_by_id(node, client);
    struct aof_segment now;

    if (conn == NULL || conn->closing || conn->kind != RG_CONN_REPLICA || conn->serve->disk == NULL)
        return;
    struct rg_serve_disk *disk = conn->serve->disk;
    disk->reading = false;
    if (result < 0) {
        disk_fail(node, conn, "it cannot be read");
        return;
    }
    /* What was read of a log that is another one now is not sent. */
    if (!aof_segment_at(node, disk->end, &now) || now.start != disk->segment.start) {
        disk->segment.path[0] = '\0';
        disk_fail(node, conn, "it is not kept any more");
        return;
    }
    if (disk_take(node, disk, piece, size) < 0)
        disk_fail(node, conn, "it is not what was written");
    else
        conn_wants_output(node, conn);
}

/* ---- Sending ---- */

struct rg_bytes serve_disk_output(const struct rg_serve_disk *disk)
{
    return rg_buf_view(&disk->bytes);
}

void serve_disk_sent(struct rg_serve_disk *disk, size_t n)
{
    RG_ASSERT(n <= rg_buf_len(&disk->bytes));
    rg_buf_consume(&disk->bytes, n);
}

uint64_t serve_disk_memory(const struct rg_serve_disk *disk)
{
    return disk == NULL ? 0 : sizeof(*disk) + disk->bytes.cap;
}
