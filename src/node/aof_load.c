#include <stdio.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "node/aof_impl.h"
#include "node/transfer.h"

/*
 * The log on disk at the start: the base, then each increment in order, applied as the stream of a
 * primary is. Files of Regent say where their bytes lie in the log; Redis' own hold commands at no
 * offset. A transaction is applied when its EXEC was read, so that half of one leaves no trace.
 */
enum { AOF_LOAD_MODES = 64 };

struct aof_load {
    unsigned file;       /* index in the manifest of the one being read; its count: none is left */
    bool begun;          /* of it the first bytes came */
    struct rg_buf first; /* those, until its kind is known */
    struct rg_transfer *rdb;   /* while an RDB is being read */
    struct rg_aof_reader *aof; /* while commands are */
    uint64_t bytes;            /* of the file */
    uint64_t chain_bytes;      /* of the files before */
    struct rg_buf transaction; /* from its MULTI on */
    uint64_t transaction_position;
    struct rg_request_parser parser; /* of transactions */
    bool placed;                     /* the log's offset is known: a file had a head */
    bool headed;                     /* the present file had one */
    uint64_t start;                  /* of it, where the file begins */
    bool truncated;                  /* the present file is to be cut */
    uint64_t cut;
    char told[RG_REPLID_LEN + 1];
    bool noted; /* terms were named in the present file, and no bytes of the log followed */
    uint64_t noted_at;

    /* The modes of a group: those that the base says, and those of records behind it. */
    int base_mode; /* -1: it says none */
    char base_modes[1024];
    struct aof_load_mode {
        enum rg_mode mode;
        uint64_t end;
    } modes[AOF_LOAD_MODES];
    unsigned mode_count; /* also of those for which there was no room */
};

enum { AOF_KIND_BYTES = 5 };

int rg_node_load_manifest(struct rg_node *node, struct rg_bytes manifest)
{
    struct rg_buf error = {0};
    int result = rg_aof_manifest_parse(manifest, &node->aof->manifest, &error);

    if (result < 0)
        (void)snprintf(node->load_error, sizeof(node->load_error), "%.*s", (int)rg_buf_len(&error),
                       rg_buf_view(&error).data);
    rg_buf_fini(&error);
    return result;
}

void rg_node_load_log_begin(struct rg_node *node, uint64_t size_bytes, struct rg_time now)
{
    load_on(node, size_bytes, now);
    node->aof->load = RG_NEW(struct aof_load);
    node->aof->load->parser.max_bulk_len = INT64_MAX / 2;
    node->aof->load->parser.authenticated = true;
    node->aof->load->base_mode = -1;
}

static const struct rg_aof_file *aof_load_at(const struct rg_node *node, unsigned at)
{
    const struct rg_aof_manifest *manifest = &node->aof->manifest;

    if (at >= manifest->count || manifest->files[at].type == RG_AOF_HISTORY)
        return NULL;
    return &manifest->files[at];
}

static const struct rg_aof_file *aof_load_file(const struct rg_node *node)
{
    return aof_load_at(node, node->aof->load->file);
}

static bool aof_load_is_last(const struct rg_node *node)
{
    return aof_load_at(node, node->aof->load->file + 1) == NULL;
}

/*
 * After a clean stop of a member the RDB says more, that nothing was forgotten, unless the newest
 * file ends there, too (aof_seal).
 */
static bool aof_load_is_left(const struct rg_node *node)
{
    const struct rg_group_durable *durable = &node->members.durable;
    const struct rg_aof_file *newest = rg_aof_manifest_newest(&node->aof->manifest);

    return node->config->group_name[0] != '\0' && node->members.had_state && durable->clean &&
           (newest == NULL || !newest->placed || newest->end != durable->clean_offset);
}

bool rg_node_load_log_file(const struct rg_node *node, unsigned index, char *ret_path, size_t size)
{
    const struct rg_aof_file *file = aof_load_at(node, index);

    if (file == NULL || aof_load_is_left(node))
        return false;
    (void)snprintf(ret_path, size, "%s/%s", node->config->appenddirname, file->name);
    return true;
}

static int aof_load_fail(struct rg_node *node, const char *what, uint64_t position)
{
    (void)snprintf(node->load_error, sizeof(node->load_error), "%.150s (at offset %llu)", what,
                   (unsigned long long)position);
    return RG_ECORRUPT;
}

/* ---- What a file holds ---- */

static int aof_load_head(struct rg_node *node, const struct rg_aof_item *item)
{
    struct aof_load *load = node->aof->load;
    const struct rg_aof_head *head = item->head;

    if (item->position != 0 || load->headed || rg_buf_len(&load->transaction) > 0)
        return aof_load_fail(node, "A head of the log in the middle of a file", item->position);
    if (load->placed && head->start != node_log_end(node)) {
        (void)snprintf(node->load_error, sizeof(node->load_error),
                       "It begins at offset %llu of the log, but the files before it end at %llu",
                       (unsigned long long)head->start, (unsigned long long)node_log_end(node));
        return RG_ECORRUPT;
    }
    if (head->db >= (int)rg_store_databases(node->store))
        return aof_load_fail(node, "DB index is out of range", item->position);
    load->headed = true;
    load->start = head->start;
    node->follow.stream_db = head->db;
    load->told[0] = '\0';
    if (head->history.count > 0)
        memcpy(load->told, head->history.terms[head->history.count - 1].replid, sizeof(load->told));
    if (!load->placed && head->history.count > 0)
        feed_reset(node, &head->history, head->start);
    load->placed = load->placed || head->history.count > 0;
    return 0;
}

static int aof_load_term(struct rg_node *node, const struct rg_aof_item *item)
{
    struct aof_load *load = node->aof->load;
    const struct rg_history *history = &node->history;
    const struct rg_history_term *term = &item->term;

    if (!load->placed)
        return 0;
    if (term->start > node_log_end(node) ||
        (history->count > 0 && term->start < history->terms[history->count - 1].start))
        return aof_load_fail(node, "A term that begins elsewhere", item->position);
    rg_history_push(&node->history, term->term, term->replid, term->start);
    memcpy(load->told, term->replid, sizeof(load->told));
    if (!load->noted)
        load->noted_at = item->position;
    load->noted = true;
    return 0;
}

static int aof_load_command(struct rg_node *node, const struct rg_request *request,
                            uint64_t position)
{
    char what[128];

    if (apply_command(node, request->argv, request->argc) == 0)
        return 0;
    int len = (int)(request->argv[0].len < 64 ? request->argv[0].len : 64);
    (void)snprintf(what, sizeof(what), "Command '%.*s' cannot be applied", len,
                   request->argv[0].data);
    return aof_load_fail(node, what, position);
}

static void aof_load_feed(struct rg_node *node, struct rg_bytes bytes)
{
    node->aof->load->noted = false;
    if (!node->aof->load->placed)
        return;
    feed_raw(node, bytes);
    rg_backlog_trim(node->backlog, UINT64_MAX);
}

/* A record of the group says the mode from there on as its last words. */
static void aof_load_record(struct rg_node *node, const struct rg_request *request)
{
    struct aof_load *load = node->aof->load;
    enum rg_mode mode = RG_MODE_ASYNC;
    struct rg_bytes before = {0};
    struct rg_bytes word = {0};

    if (!load->placed || node->config->group_name[0] == '\0' || request->argc != 3 ||
        !rg_bytes_is_nocase(request->argv[0], "publish") ||
        !rg_bytes_is(request->argv[1], RG_GROUP_CHANNEL))
        return;
    for (struct rg_bytes rest = request->argv[2]; rest.len > 0;) {
        before = word;
        word = rg_bytes_cut(&rest, ' ');
    }
    if (!rg_bytes_is(before, "mode") || rg_mode_of_name(word, &mode) < 0)
        return;
    if (load->mode_count < AOF_LOAD_MODES)
        load->modes[load->mode_count] = (struct aof_load_mode){mode, node_log_end(node)};
    load->mode_count++;
}

void aof_load_tell_mode(struct rg_node *node)
{
    const struct aof_load *load = node->aof->load;

    if (load == NULL || !load->placed || load->mode_count > AOF_LOAD_MODES)
        return;
    if (load->mode_count > 0)
        node->config->replication_mode = load->modes[load->mode_count - 1].mode;
    else if (load->base_mode >= 0)
        node->config->replication_mode = load->base_mode;
}

void aof_load_tell_modes(struct rg_node *node)
{
    const struct aof_load *load = node->aof->load;

    /* What is not known is taken for the worst. */
    if (load == NULL || !load->placed || load->mode_count > AOF_LOAD_MODES || load->base_mode < 0 ||
        rg_group_modes_load(node->members.group, rg_bytes_str(load->base_modes)) < 0)
        return;
    for (unsigned i = 0; i < load->mode_count; i++)
        rg_group_log_mode(node->members.group, load->modes[i].mode, load->modes[i].end);
}

static int aof_load_exec(struct rg_node *node)
{
    struct aof_load *load = node->aof->load;
    struct rg_bytes all = rg_buf_view(&load->transaction);
    struct rg_request request;
    int result = 0;

    for (size_t at = 0; at < all.len && result == 0;) {
        result = rg_request_parse(&load->parser, rg_bytes(all.data + at, all.len - at), &request);
        RG_ASSERT(result == 0); /* it was parsed before */
        at += request.size;
        if (!rg_bytes_is_nocase(request.argv[0], "multi") &&
            !rg_bytes_is_nocase(request.argv[0], "exec"))
            result = aof_load_command(node, &request, load->transaction_position);
    }
    if (result == 0)
        aof_load_feed(node, all);
    rg_buf_reset(&load->transaction, 64 * 1024);
    return result;
}

static int aof_load_request(struct rg_node *node, const struct rg_aof_item *item)
{
    struct aof_load *load = node->aof->load;
    bool multi = rg_bytes_is_nocase(item->request.argv[0], "multi");
    bool exec = rg_bytes_is_nocase(item->request.argv[0], "exec");
    bool open = rg_buf_len(&load->transaction) > 0;

    if (multi == open && (multi || exec))
        return aof_load_fail(node, multi ? "A transaction within another" : "EXEC without MULTI",
                             item->position);
    if (exec && !open)
        return aof_load_fail(node, "EXEC without MULTI", item->position);
    if (multi)
        load->transaction_position = item->position;
    if (!multi && !open) {
        int result = aof_load_command(node, &item->request, item->position);
        if (result == 0) {
            aof_load_feed(node, item->raw);
            aof_load_record(node, &item->request);
        }
        return result;
    }
    rg_buf_append_bytes(&load->transaction, item->raw);
    return exec ? aof_load_exec(node) : 0;
}

static int aof_load_items(struct rg_node *node, struct rg_bytes piece)
{
    struct aof_load *load = node->aof->load;
    struct rg_aof_item item;

    rg_aof_reader_feed(load->aof, piece);
    for (;;) {
        int result = rg_aof_reader_next(load->aof, &item);
        if (result == RG_EAGAIN)
            return 0;
        if (result < 0) {
            (void)snprintf(node->load_error, sizeof(node->load_error), "%s",
                           rg_aof_reader_error(load->aof));
            return result;
        }
        if (item.type == RG_AOF_HEAD)
            result = aof_load_head(node, &item);
        else if (item.type == RG_AOF_TERM)
            result = aof_load_term(node, &item);
        else if (item.type == RG_AOF_COMMAND)
            result = aof_load_request(node, &item);
        if (result < 0)
            return result;
    }
}

/* ---- Pieces and ends ---- */

static int aof_load_rdb(struct rg_node *node, struct rg_bytes piece)
{
    struct aof_load *load = node->aof->load;
    int result = transfer_load(load->rdb, piece);

    if (result < 0) {
        (void)snprintf(node->load_error, sizeof(node->load_error), "%s", transfer_error(load->rdb));
        return result;
    }
    if (!transfer_ended(load->rdb))
        return 0;
    struct rg_buf rest = {0};
    rg_buf_append_bytes(&rest, transfer_rest(load->rdb));
    transfer_adopt(node, load->rdb);
    if (node->follow.stream_db < 0)
        node->follow.stream_db = transfer_log(load->rdb)->stream_db;
    load->base_mode = transfer_log(load->rdb)->mode;
    memcpy(load->base_modes, transfer_log(load->rdb)->modes, sizeof(load->base_modes));
    node->loading.keys = rg_store_count(node->store);
    transfer_free(node, load->rdb);
    load->rdb = NULL;
    /* A file of Redis before 7.0 goes on with commands. */
    load->aof = rg_aof_reader_new(load->bytes - rg_buf_len(&rest));
    node->follow.stream_db = node->follow.stream_db < 0 ? 0 : node->follow.stream_db;
    result = aof_load_items(node, rg_buf_view(&rest));
    rg_buf_fini(&rest);
    return result;
}

static int aof_load_piece(struct rg_node *node, struct rg_bytes piece)
{
    struct aof_load *load = node->aof->load;

    if (load->rdb != NULL)
        return aof_load_rdb(node, piece);
    if (load->aof != NULL)
        return aof_load_items(node, piece);
    rg_buf_append_bytes(&load->first, piece);
    if (rg_buf_len(&load->first) < AOF_KIND_BYTES)
        return 0;
    struct rg_buf first = load->first;
    load->first = (struct rg_buf){0};
    bool rdb = rg_bytes_starts_with(rg_buf_view(&first), RG_BYTES("REDIS"));
    if (rdb)
        load->rdb = transfer_new(node, false);
    else
        load->aof = rg_aof_reader_new(0);
    int result =
        rdb ? aof_load_rdb(node, rg_buf_view(&first)) : aof_load_items(node, rg_buf_view(&first));
    rg_buf_fini(&first);
    return result;
}

/* The file ends in the middle of something. Errors: RG_ECORRUPT. */
static int aof_load_torn(struct rg_node *node, uint64_t position)
{
    struct aof_load *load = node->aof->load;
    const char *name = aof_load_file(node)->name;

    if (!aof_load_is_last(node)) {
        (void)snprintf(node->load_error, sizeof(node->load_error),
                       "It ends in the middle of a command or transaction (at offset %llu), but is "
                       "not the last file",
                       (unsigned long long)position);
        return RG_ECORRUPT;
    }
    if (!node->config->aof_load_truncated) {
        (void)snprintf(node->load_error, sizeof(node->load_error),
                       "Unexpected end of file reading the append only file (at offset %llu). Mend "
                       "a copy of it with redis-check-aof --fix, or set aof-load-truncated to yes",
                       (unsigned long long)position);
        return RG_ECORRUPT;
    }
    node_say(node, RG_LOG_WARNING, "!!! Warning: short read while loading the AOF file %s!!!",
             name);
    node_say(node, RG_LOG_WARNING, "AOF %s loaded anyway because aof-load-truncated is enabled",
             name);
    node_say(node, RG_LOG_WARNING, "Truncating the AOF %s at offset %llu", name,
             (unsigned long long)position);
    load->truncated = true;
    load->cut = position;
    rg_buf_reset(&load->transaction, 0);
    return 0;
}

static int aof_load_end(struct rg_node *node)
{
    struct aof_load *load = node->aof->load;
    int result = 0;

    if (load->rdb != NULL) {
        result = aof_load_rdb(node, rg_bytes("", 0));
        if (result < 0)
            return result;
    }
    if (load->aof == NULL) /* shorter than what tells its kind */
        return rg_buf_len(&load->first) > 0 ? aof_load_torn(node, 0) : 0;
    if (rg_buf_len(&load->transaction) > 0)
        result = aof_load_torn(node, load->transaction_position);
    else if (rg_aof_reader_left(load->aof) > 0)
        result = aof_load_torn(node, rg_aof_reader_position(load->aof));
    return result;
}

/* What was read is what the manifest says of the file from here on. */
static void aof_load_place(struct rg_node *node)
{
    const struct aof_load *load = node->aof->load;
    struct rg_aof_file *file = &node->aof->manifest.files[load->file];

    file->placed = file->type == RG_AOF_INCR && load->headed && load->placed;
    file->start = load->start;
    file->end = aof_load_is_last(node) ? 0 : node_log_end(node);
}

static void aof_load_file_over(struct rg_node *node)
{
    struct aof_load *load = node->aof->load;

    aof_load_place(node);
    load->chain_bytes += load->bytes;
    rg_aof_reader_free(load->aof);
    load->aof = NULL;
    rg_buf_reset(&load->first, 0);
    load->file++;
}

/*
 * A crash left the name of a term at the end, and not the record that begins it in a group. What
 * comes next may be of another term, so that name must go from the history, and from the file
 * (invariant 4).
 */
static bool aof_load_drop_empty_term(struct rg_node *node)
{
    struct rg_history *history = &node->history;
    bool empty = node->config->group_name[0] != '\0' && node->aof->load->placed &&
                 history->count > 1 &&
                 history->terms[history->count - 1].start == node_log_end(node);

    history->count -= empty;
    return empty;
}

/* All was read: the newest file is gone on with, where it is of this log. */
static void aof_load_over(struct rg_node *node)
{
    struct rg_aof *aof = node->aof;
    struct aof_load *load = aof->load;
    const struct rg_aof_file *last = load->file > 0 ? &aof->manifest.files[load->file - 1] : NULL;
    bool ours = last != NULL && last->type == RG_AOF_INCR && load->headed && load->placed;
    bool empty_term = aof_load_drop_empty_term(node);

    if (empty_term && load->noted) {
        load->truncated = true;
        load->cut = load->noted_at;
        memcpy(load->told, feed_replid(node), sizeof(load->told));
    } else if (empty_term) {
        ours = false; /* an older file names it, and a rewrite leaves that behind */
    }
    uint64_t size = load->truncated ? load->cut : load->bytes;

    aof->earlier_bytes = load->chain_bytes - (ours ? load->bytes : 0);
    aof->base_bytes = load->chain_bytes;
    /* Behind a file of Redis' that is torn nothing may follow: a rewrite begins, as where there is
     * none. */
    if (last != NULL && (ours || !(load->truncated || empty_term)))
        aof_resume(node, ours ? last->name : NULL, size, load->told);
    if (ours && load->truncated)
        aof_resume_torn(node);
    if (!ours)
        aof_segments_forget(aof);
}

int rg_node_load_log(struct rg_node *node, struct rg_bytes piece)
{
    struct aof_load *load = node->aof->load;
    int result = 0;

    if (!load->begun) {
        load->begun = true;
        load->bytes = 0;
        load->headed = load->noted = false;
    }
    load->bytes += piece.len;
    node->loading.done_bytes += piece.len;
    if (piece.len > 0)
        return aof_load_piece(node, piece);
    result = aof_load_end(node);
    if (result < 0)
        return result;
    load->begun = false;
    aof_load_file_over(node);
    if (aof_load_file(node) == NULL) {
        aof_load_over(node);
        node->loading.keys = rg_store_count(node->store);
    }
    return 0;
}

bool aof_load_placed(const struct rg_node *node)
{
    return node->aof->load != NULL && node->aof->load->placed;
}

void aof_load_free(struct rg_node *node)
{
    struct aof_load *load = node->aof->load;

    if (load == NULL)
        return;
    transfer_free(node, load->rdb);
    rg_aof_reader_free(load->aof);
    rg_request_parser_fini(&load->parser);
    rg_buf_fini(&load->first);
    rg_buf_fini(&load->transaction);
    rg_free(load);
    node->aof->load = NULL;
}
