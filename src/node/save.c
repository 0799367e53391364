#include "base/alloc.h"
#include "base/panic.h"
#include "node/aof.h"
#include "node/snapshot.h"
#include "node/stop.h"

/*
 * Snapshots on disk: BGSAVE, SAVE, save points, and the last one of a stop. The RDB goes to a file
 * beside the old one piece by piece, and takes its name when all of it is safe. Whatever goes wrong
 * on the way costs the new file only, and the next attempt begins with another one: a disk that
 * failed to sync is not asked again about the same bytes.
 *
 *   NONE --save_begin--> WRITING --the walk is over, all is written--> RENAMING --> NONE
 */
enum save_state { SAVE_NONE, SAVE_WRITING, SAVE_RENAMING };

enum {
    SAVE_RETRY_US = 5 * 1000 * 1000, /* after a failure */
    SAVE_HAND_OVER_US = 2 * 1000 * 1000,
};

struct rg_save {
    enum save_state state;
    enum rg_save_for why;
    uint64_t client;           /* who waits for it; 0 */
    struct snapshot_file file; /* while WRITING it has a snapshot */
    uint64_t offset;           /* of the log, that it holds */
    uint64_t changes;
    char *target; /* owned: dbfilename as it was at the beginning */
    int64_t began_us;

    bool scheduled;
    uint64_t queued;  /* the client whose SAVE waits for the end of a rewrite; 0 */
    bool ok;          /* the last one was, or there was none yet */
    int64_t tried_us; /* monotonic */
    int64_t saved_us; /* monotonic: the last that went well, or the start */
    int64_t saved_wall_s;
    int64_t took_s; /* -1: none yet */
    uint64_t saves;
};

struct rg_save *save_new(const struct rg_node *node)
{
    struct rg_save *save = RG_NEW(struct rg_save);

    save->ok = true;
    save->took_s = -1;
    save->saved_us = node->now.mono_us;
    save->saved_wall_s = node->now.wall_us / RG_S_US;
    return save;
}

void save_free(struct rg_save *save)
{
    if (save == NULL)
        return;
    snapshot_file_end(&save->file);
    rg_free(save->target);
    rg_free(save);
}

/* ---- The beginning ---- */

int save_begin(struct rg_node *node, enum rg_save_for why, uint64_t client)
{
    struct rg_save *save = node->save;

    if (save->state != SAVE_NONE)
        return RG_EEXIST;
    /* Replicas get what came later from the log; a file does not. */
    if (node->snapshot != NULL && node->snapshot->changes != node->changes)
        return RG_EAGAIN;
    /* The increment behind a base begins where the log ends now. */
    if (why == RG_SAVE_REWRITE && node->snapshot != NULL &&
        node->snapshot->offset != node_log_end(node))
        return RG_EAGAIN;
    struct rg_snapshot *snapshot = snapshot_share(node);
    if (snapshot == NULL)
        return RG_EAGAIN;
    save->state = SAVE_WRITING;
    save->why = why;
    save->client = client;
    save->offset = snapshot->offset;
    save->changes = snapshot->changes;
    save->scheduled = save->scheduled && why != RG_SAVE_BACKGROUND;
    save->tried_us = save->began_us = node->now.mono_us;
    char path[512];
    const char *target =
        why == RG_SAVE_REWRITE ? aof_base_path(node, path) : node->config->dbfilename;
    rg_free(save->target);
    save->target = rg_alloc_copy(target, strlen(target));
    snapshot_file_begin(node, &save->file, snapshot, RG_FILE_SAVE, "");
    if (why == RG_SAVE_BACKGROUND)
        node_say(node, RG_LOG_NOTICE, "Background saving started");
    return 0;
}

void save_schedule(struct rg_node *node)
{
    node->save->scheduled = true;
}

bool save_is_rewrite(const struct rg_node *node)
{
    return node->save->state != SAVE_NONE && node->save->why == RG_SAVE_REWRITE;
}

bool save_queue(struct rg_node *node, uint64_t client)
{
    const struct rg_conn *other = conn_by_id(node, node->save->queued);

    if (other != NULL && !other->closing)
        return false;
    node->save->queued = client;
    return true;
}

/* The SAVE that waited for the rewrite, unless its client is gone. */
static void save_unqueue(struct rg_node *node)
{
    uint64_t client = node->save->queued;
    const struct rg_conn *conn = conn_by_id(node, client);

    if (client == 0)
        return;
    if (conn != NULL && !conn->closing && save_begin(node, RG_SAVE_CLIENT, client) == RG_EAGAIN)
        return; /* it stays */
    node->save->queued = 0;
}

/* ---- The end ---- */

static void save_answer(struct rg_node *node, bool ok)
{
    struct rg_conn *conn = conn_by_id(node, node->save->client);
    size_t mark = 0;

    if (conn == NULL || conn->closing)
        return;
    struct rg_reply reply = conn_reply(conn);
    conn_push_begin(conn, &mark);
    if (ok)
        rg_reply_simple(&reply, "OK");
    else
        rg_reply_error(&reply, "ERR");
    conn_push_end(node, conn, mark);
    conn_unblock(node, conn);
}

static void save_over(struct rg_node *node)
{
    struct rg_save *save = node->save;

    save->state = SAVE_NONE;
    if (save->why != RG_SAVE_REWRITE)
        save->took_s = (node->now.mono_us - save->began_us) / RG_S_US;
    snapshot_file_end(&save->file);
}

/* Also where a rename was asked for: it comes first, or nothing is left to remove. */
static void save_remove(struct rg_node *node)
{
    node_effect_file(node, RG_EFFECT_FILE_REMOVE, node->save->file.name, NULL, NULL,
                     RG_FILE_IGNORED, 0);
}

/* A group's primary that refuses writes because of its disk is of less use than another member. */
static void save_hand_over(struct rg_node *node)
{
    if (node->members.group == NULL || node->members.view.role != RG_ROLE_PRIMARY ||
        node->stopping || !save_refuses_writes(node) ||
        member_hand_over(node, -1, SAVE_HAND_OVER_US) < 0)
        return;
    node_say(node, RG_LOG_WARNING,
             "This node cannot save its data: handing over to another member");
    member_drain(node);
}

static void save_failed(struct rg_node *node, int result)
{
    struct rg_save *save = node->save;

    save_remove(node);
    save_over(node);
    save->ok = save->ok && save->why == RG_SAVE_REWRITE;
    node_say(node, RG_LOG_WARNING, "Write error saving DB on disk: %s", node_file_error(result));
    switch (save->why) {
    case RG_SAVE_BACKGROUND:
        node_say(node, RG_LOG_WARNING, "Background saving error");
        break;
    case RG_SAVE_CLIENT:
        save_answer(node, false);
        break;
    case RG_SAVE_STOP:
        stop_saved(node, result, 0);
        break;
    case RG_SAVE_REWRITE:
        aof_base_saved(node, result, 0);
        break;
    }
    save_hand_over(node);
}

static void save_done(struct rg_node *node)
{
    struct rg_save *save = node->save;

    save_over(node);
    if (save->why == RG_SAVE_REWRITE) {
        aof_base_saved(node, 0, save->file.written);
        return;
    }
    save->ok = true;
    save->saves++;
    save->saved_us = node->now.mono_us;
    save->saved_wall_s = node->now.wall_us / RG_S_US;
    node->changes_saved = save->changes;
    node_say(node, RG_LOG_NOTICE, "DB saved on disk");
    switch (save->why) {
    case RG_SAVE_BACKGROUND:
        node_say(node, RG_LOG_NOTICE, "Background saving terminated with success");
        break;
    case RG_SAVE_CLIENT:
        save_answer(node, true);
        break;
    case RG_SAVE_STOP:
        stop_saved(node, 0, save->offset);
        break;
    case RG_SAVE_REWRITE:
        RG_UNREACHABLE();
    }
}

void save_abort(struct rg_node *node, const char *why)
{
    if (node->save->state == SAVE_NONE)
        return;
    node_say(node, RG_LOG_NOTICE, "The snapshot that is being saved is given up: %s", why);
    save_remove(node);
    save_over(node);
    if (node->save->why == RG_SAVE_CLIENT)
        save_answer(node, false);
    if (node->save->why == RG_SAVE_REWRITE)
        aof_base_saved(node, RG_EIO, 0);
}

bool save_on(const struct rg_node *node)
{
    return node->save->state != SAVE_NONE;
}

/* ---- In between ---- */

void save_run(struct rg_node *node)
{
    if (node->save->state == SAVE_NONE && !node->stopping)
        save_unqueue(node);
    if (node->save->state != SAVE_WRITING)
        return;
    struct rg_save *save = node->save;
    if (!snapshot_file_run(node, &save->file))
        return;
    snapshot_file_end(&save->file);
    save->state = SAVE_RENAMING;
    node_effect_file(node, RG_EFFECT_FILE_RENAME, save->file.name, save->target, NULL,
                     RG_FILE_SAVE_END, save->file.attempt);
}

void save_file_done(struct rg_node *node, enum rg_file_purpose purpose, uint64_t attempt,
                    int result)
{
    struct rg_save *save = node->save;

    if (save->state == SAVE_NONE || save->file.attempt != attempt)
        return;
    if (result < 0) {
        save_failed(node, result);
    } else if (purpose == RG_FILE_SAVE_END) {
        save_done(node);
    } else {
        snapshot_file_done(&save->file);
    }
}

/* ---- Save points ---- */

static bool save_may_try(const struct rg_node *node)
{
    const struct rg_save *save = node->save;

    return save->state == SAVE_NONE &&
           (save->ok || node->now.mono_us - save->tried_us > SAVE_RETRY_US);
}

static void save_points(struct rg_node *node)
{
    const struct rg_config *config = node->config;
    uint64_t changes = node->changes - node->changes_saved;
    int64_t passed_s = (node->now.mono_us - node->save->saved_us) / RG_S_US;

    for (int i = 0; i < config->save_count; i++) {
        if (changes < (uint64_t)config->save[i].changes || passed_s <= config->save[i].seconds)
            continue;
        if (save_begin(node, RG_SAVE_BACKGROUND, 0) == 0)
            node_say(node, RG_LOG_NOTICE, "%lld changes in %lld seconds. Saving...",
                     (long long)config->save[i].changes, (long long)config->save[i].seconds);
        return;
    }
}

void save_cron(struct rg_node *node)
{
    if (!save_may_try(node))
        return;
    if (!node->save->scheduled) {
        save_points(node);
        return;
    }
    int result = save_begin(node, RG_SAVE_BACKGROUND, 0);
    RG_ASSERT(result == 0 || result == RG_EAGAIN); /* it stays scheduled */
}

bool save_refuses_writes(const struct rg_node *node)
{
    return !node->save->ok && node->config->stop_writes_on_bgsave_error &&
           node->config->save_count > 0;
}

/* ---- Figures ---- */

int64_t save_last_s(const struct rg_node *node)
{
    return node->save->saved_wall_s;
}

void save_info(const struct rg_node *node, struct rg_buf *out)
{
    const struct rg_save *save = node->save;
    const struct rg_snapshot *walk = node->snapshot;
    bool on = save->state != SAVE_NONE && save->why != RG_SAVE_REWRITE;

    rg_buf_printf(out,
                  "current_fork_perc:%.2f\r\ncurrent_save_keys_processed:%llu\r\n"
                  "current_save_keys_total:%llu\r\n",
                  walk != NULL && walk->keys_total > 0
                      ? (double)walk->keys * 100 / (double)walk->keys_total
                      : 0,
                  (unsigned long long)(walk != NULL ? walk->keys : 0),
                  (unsigned long long)(walk != NULL ? walk->keys_total : 0));
    rg_buf_printf(out,
                  "rdb_changes_since_last_save:%llu\r\nrdb_bgsave_in_progress:%d\r\n"
                  "rdb_last_save_time:%lld\r\nrdb_last_bgsave_status:%s\r\n",
                  (unsigned long long)(node->changes - node->changes_saved), on,
                  (long long)save->saved_wall_s, save->ok ? "ok" : "err");
    rg_buf_printf(out,
                  "rdb_last_bgsave_time_sec:%lld\r\nrdb_current_bgsave_time_sec:%lld\r\n"
                  "rdb_saves:%llu\r\nrdb_last_cow_size:0\r\n",
                  (long long)save->took_s,
                  (long long)(on ? (node->now.mono_us - save->began_us) / RG_S_US : -1),
                  (unsigned long long)save->saves);
}
