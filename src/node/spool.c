#include "node/spool.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "node/snapshot.h"

/*
 *   WRITING --all of the snapshot is in the file--> WHOLE --nobody reads it any more--> removed
 *      |                                                                                   ^
 *      +----------- it cannot be written: those who wait are closed, and ask again --------+
 */
struct rg_spool {
    struct rg_list link; /* in node->spools */
    struct snapshot_file file;
    bool whole;
    bool failed;
    uint64_t size; /* of a whole one */
};

enum {
    SPOOL_PIECE_BYTES = 256 * 1024,
    SPOOL_AHEAD_BYTES = 512 * 1024, /* gathered for a replica */
};

static struct rg_spool *spool_of(struct rg_list *link)
{
    return RG_CONTAINER_OF(link, struct rg_spool, link);
}

static struct rg_spool *spool_for(struct rg_node *node, struct rg_snapshot *snapshot)
{
    RG_LIST_EACH(link, &node->spools)
    {
        struct rg_spool *spool = spool_of(link);
        if (!spool->failed && spool->file.snapshot == snapshot)
            return spool;
    }
    return NULL;
}

void spool_join(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_snapshot *snapshot = conn->serve->snapshot;
    struct rg_spool *spool = spool_for(node, snapshot);

    if (spool != NULL) {
        snapshot_unref(snapshot);
    } else {
        spool = RG_NEW(struct rg_spool);
        rg_list_append(&node->spools, &spool->link);
        snapshot_file_begin(node, &spool->file, snapshot, RG_FILE_SPOOL, "spool-");
    }
    conn->serve->snapshot = NULL;
    conn->serve->spool = spool;
    conn->serve->awaits_length = true;
}

/* ---- Readers ---- */

static bool spool_is_read(const struct rg_conn *conn, const struct rg_spool *spool)
{
    return !conn->closing && conn->serve->spool == spool;
}

static void spool_tell_length(struct rg_node *node, struct rg_conn *conn)
{
    rg_buf_printf(&conn->out, "$%llu\r\n", (unsigned long long)conn->serve->spool->size);
    conn->serve->awaits_length = false;
    conn_wants_output(node, conn);
}

/* There is room for the next piece. */
static bool spool_wants(const struct rg_serve *serve)
{
    return serve->spool->whole && !serve->spool_reading && serve->spool_read < serve->spool->size &&
           rg_buf_len(&serve->spooled) < SPOOL_AHEAD_BYTES;
}

static void spool_ask(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_serve *serve = conn->serve;
    const struct rg_spool *spool = serve->spool;
    uint64_t left = spool->size - serve->spool_read;

    serve->spool_reading = true;
    node_effect_read(node, spool->file.name, serve->spool_read,
                     left < SPOOL_PIECE_BYTES ? (size_t)left : SPOOL_PIECE_BYTES,
                     RG_FILE_SPOOL_READ, conn->id);
}

void spool_file_read(struct rg_node *node, uint64_t client, int result, struct rg_bytes bytes)
{
    struct rg_conn *conn = conn_by_id(node, client);

    if (conn == NULL || conn->closing || conn->kind != RG_CONN_REPLICA ||
        conn->serve->spool == NULL)
        return;
    struct rg_serve *serve = conn->serve;
    serve->spool_reading = false;
    if (result < 0 || bytes.len == 0) {
        node_say(node, RG_LOG_WARNING,
                 "Closing the link of replica %s: the snapshot for it cannot be read: %s",
                 conn->peer, result < 0 ? node_file_error(result) : "it is cut short");
        conn_close(node, conn, false);
        return;
    }
    rg_buf_append_bytes(&serve->spooled, bytes);
    serve->spool_read += bytes.len;
    conn_wants_output(node, conn);
}

struct rg_bytes spool_output(const struct rg_conn *conn)
{
    return rg_buf_view(&conn->serve->spooled);
}

bool spool_sent(struct rg_conn *conn, size_t n)
{
    struct rg_serve *serve = conn->serve;

    RG_ASSERT(n <= rg_buf_len(&serve->spooled));
    rg_buf_consume(&serve->spooled, n);
    serve->snapshot_sent += n;
    if (serve->awaits_length || serve->snapshot_sent < serve->spool->size)
        return false;
    rg_buf_fini(&serve->spooled);
    serve->spool = NULL;
    return true;
}

/* ---- The file ---- */

static void spool_remove(struct rg_node *node, struct rg_spool *spool)
{
    rg_list_remove(&spool->link);
    snapshot_file_end(&spool->file);
    node_effect_file(node, RG_EFFECT_FILE_REMOVE, spool->file.name, NULL, NULL, RG_FILE_IGNORED, 0);
    rg_free(spool);
}

static void spool_fail(struct rg_node *node, struct rg_spool *spool, int result)
{
    spool->failed = true;
    RG_LIST_EACH(link, &node->serving)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (!spool_is_read(conn, spool))
            continue;
        node_say(node, RG_LOG_WARNING,
                 "Closing the link of replica %s: the snapshot for it cannot be written: %s",
                 conn->peer, node_file_error(result));
        conn_close(node, conn, false);
    }
}

void spool_file_done(struct rg_node *node, uint64_t attempt, int result)
{
    RG_LIST_EACH(link, &node->spools)
    {
        struct rg_spool *spool = spool_of(link);
        if (spool->file.attempt != attempt || spool->failed)
            continue;
        if (result < 0)
            spool_fail(node, spool, result);
        else
            snapshot_file_done(&spool->file);
        return;
    }
}

static void spool_step(struct rg_node *node, struct rg_spool *spool)
{
    bool wanted = false;

    if (!spool->whole && !spool->failed && snapshot_file_run(node, &spool->file)) {
        spool->whole = true;
        spool->size = spool->file.written;
        snapshot_file_end(&spool->file);
    }
    RG_LIST_EACH(link, &node->serving)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (!spool_is_read(conn, spool))
            continue;
        wanted = true;
        if (spool->whole && conn->serve->awaits_length)
            spool_tell_length(node, conn);
        if (spool_wants(conn->serve))
            spool_ask(node, conn);
    }
    if (!wanted)
        spool_remove(node, spool);
}

void spool_run(struct rg_node *node)
{
    RG_LIST_EACH(link, &node->spools)
    {
        spool_step(node, spool_of(link));
    }
}

int64_t spool_deadline(const struct rg_node *node)
{
    if (rg_list_empty(&node->spools))
        return RG_NEVER;
    RG_LIST_EACH(link, &node->serving)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, serve_link);
        if (!conn->closing && conn->serve->spool != NULL && spool_wants(conn->serve))
            return node->now.mono_us;
    }
    return RG_NEVER;
}

void spool_free_all(struct rg_node *node)
{
    RG_LIST_EACH(link, &node->spools)
    {
        struct rg_spool *spool = spool_of(link);
        rg_list_remove(&spool->link);
        snapshot_file_end(&spool->file);
        rg_free(spool);
    }
}
