#include <stdio.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/panic.h"
#include "node/node_impl.h"
#include "node/notify.h"
#include "node/transfer.h"
#include "node/value.h"

/*
 * An RDB on its way in: from the primary, or from disk at start. It is loaded into a store of its
 * own while it arrives, and takes the place of the node's store only when it is whole, its checksum
 * held and, where it is kept as a file, that file is safely on disk. A broken transfer costs
 * nothing of what was there.
 */

enum { TRANSFER_EOF_MARK = 40 };

struct rg_transfer {
    struct rg_rdb_reader *reader;
    struct rg_store *store; /* owned until adopted */
    struct value_load load;
    struct rg_transfer_log log;
    unsigned libraries; /* of functions, which are passed over */
    char error[256];
    uint64_t attempt;
    uint64_t expired;     /* keys left out */
    uint64_t used_memory; /* as the writer said */
    bool to_file;
    unsigned unwritten; /* file operations without an answer */
    bool whole;         /* the last piece came */
    bool renaming;      /* all pieces are written, and the last operation is under way */
    char file[64];
    int64_t drop_expired_ms; /* entries due before this are not loaded; -1: all are */

    bool by_mark;
    char mark[TRANSFER_EOF_MARK];
    uint64_t total; /* bytes promised; 0: by mark */
    uint64_t taken;
    bool ended;         /* RG_RDB_END came */
    struct rg_buf tail; /* by mark: the last bytes seen, which may be the mark */
};

static void transfer_say_error(struct rg_transfer *transfer, const char *text)
{
    (void)snprintf(transfer->error, sizeof(transfer->error), "%s", text);
}

const char *transfer_error(const struct rg_transfer *transfer)
{
    return transfer->error;
}

bool transfer_ended(const struct rg_transfer *transfer)
{
    return transfer->ended;
}

struct rg_bytes transfer_rest(const struct rg_transfer *transfer)
{
    return rg_rdb_reader_rest(transfer->reader);
}

void transfer_drop_expired(struct rg_transfer *transfer, int64_t now_ms)
{
    transfer->drop_expired_ms = now_ms;
}

uint64_t transfer_expired_keys(const struct rg_transfer *transfer)
{
    return transfer->expired;
}

uint64_t transfer_used_memory(const struct rg_transfer *transfer)
{
    return transfer->used_memory;
}

bool transfer_to_file(const struct rg_transfer *transfer)
{
    return transfer->to_file;
}

const struct rg_transfer_log *transfer_log(const struct rg_transfer *transfer)
{
    return &transfer->log;
}

void transfer_progress(const struct rg_transfer *transfer, uint64_t *ret_total, uint64_t *ret_read)
{
    *ret_total = transfer->total;
    *ret_read = transfer->taken;
}

struct rg_transfer *transfer_new(struct rg_node *node, bool to_file)
{
    struct rg_transfer *transfer = RG_NEW(struct rg_transfer);
    struct rg_store_limits limits = node_store_limits(node);

    transfer->reader = rg_rdb_reader_new();
    rg_rdb_reader_take_runs(transfer->reader);
    transfer->store =
        rg_store_new((unsigned)node->config->databases, rg_rand_u64(&node->rand), &limits);
    transfer->load =
        (struct value_load){.access = &node->access, .now = &node->now, .store = transfer->store};
    value_load_db(&transfer->load, 0);
    transfer->log.stream_db = -1;
    transfer->log.mode = -1;
    transfer->drop_expired_ms = -1;
    transfer->attempt = ++node->next_token;
    transfer->to_file = to_file;
    if (to_file) {
        (void)snprintf(transfer->file, sizeof(transfer->file), "temp-%llu.%lld.rdb",
                       (unsigned long long)transfer->attempt, (long long)node->pid);
        transfer->unwritten++;
        node_effect_file(node, RG_EFFECT_FILE_CREATE, transfer->file, NULL, NULL, RG_FILE_TRANSFER,
                         transfer->attempt);
    }
    return transfer;
}

void transfer_free(struct rg_node *node, struct rg_transfer *transfer)
{
    if (transfer == NULL)
        return;
    if (transfer->to_file)
        node_effect_file(node, RG_EFFECT_FILE_REMOVE, transfer->file, NULL, NULL, RG_FILE_IGNORED,
                         0);
    rg_rdb_reader_free(transfer->reader);
    rg_store_bury(node->store, transfer->store);
    rg_buf_fini(&transfer->tail);
    rg_free(transfer);
}

int transfer_begin(struct rg_transfer *transfer, struct rg_bytes header)
{
    if (header.len == 0 || header.data[0] != '$')
        return RG_EPROTO;
    struct rg_bytes rest = rg_bytes(header.data + 1, header.len - 1);
    if (rg_bytes_starts_with(rest, RG_BYTES("EOF:"))) {
        if (rest.len != 4 + TRANSFER_EOF_MARK)
            return RG_EPROTO;
        transfer->by_mark = true;
        memcpy(transfer->mark, rest.data + 4, TRANSFER_EOF_MARK);
        return 0;
    }
    if (rg_parse_u64(rest, &transfer->total) < 0 || transfer->total == 0)
        return RG_EPROTO;
    return 0;
}

/* ---- Events of the reader ---- */

static void transfer_aux(struct rg_transfer *transfer, const struct rg_rdb_event *event)
{
    struct rg_transfer_log *log = &transfer->log;
    int64_t number = 0;
    enum rg_mode mode = RG_MODE_ASYNC;

    if (rg_bytes_is(event->key, "repl-id") && event->value.len == RG_REPLID_LEN) {
        memcpy(log->replid, event->value.data, RG_REPLID_LEN);
        log->replid[RG_REPLID_LEN] = '\0';
        log->has_replid = true;
    } else if (rg_bytes_is(event->key, "repl-offset")) {
        if (rg_parse_i64(event->value, &number) == 0 && number >= 0)
            log->offset = (uint64_t)number;
    } else if (rg_bytes_is(event->key, "used-mem")) {
        if (rg_parse_i64(event->value, &number) == 0 && number >= 0)
            transfer->used_memory = (uint64_t)number;
    } else if (rg_bytes_is(event->key, "repl-stream-db")) {
        if (rg_parse_i64(event->value, &number) == 0 && number >= -1 &&
            number < (int64_t)rg_store_databases(transfer->store))
            log->stream_db = (int)number;
    } else if (rg_bytes_is(event->key, "regent-history")) {
        log->has_history = rg_history_parse(event->value, &log->history) == 0;
    } else if (rg_bytes_is(event->key, "regent-modes")) {
        (void)snprintf(log->modes, sizeof(log->modes), "%.*s", (int)event->value.len,
                       event->value.data);
    } else if (rg_bytes_is(event->key, "regent-mode")) {
        if (rg_mode_of_name(event->value, &mode) == 0)
            log->mode = (int)mode;
    }
}

static bool transfer_expired(const struct rg_transfer *transfer, const struct rg_rdb_event *event)
{
    return transfer->drop_expired_ms >= 0 && event->expire_ms >= 0 &&
           event->expire_ms < transfer->drop_expired_ms;
}

/* A key, or an element of the last one. */
static int transfer_value(struct rg_transfer *transfer, const struct rg_rdb_event *event)
{
    enum { SHOWN = 64 };
    bool key = value_is_key(event->type);

    if (key && transfer_expired(transfer, event)) {
        transfer->load.entry = NULL;
        transfer->expired++;
        return 0;
    }
    int result = key ? value_load_key(&transfer->load, event->key, event)
                     : value_load_element(&transfer->load, event);
    if (result == 0)
        return 0;
    struct rg_bytes name = key ? event->key : rg_entry_key(transfer->load.entry);
    (void)snprintf(transfer->error, sizeof(transfer->error),
                   result == RG_EEXIST ? "The RDB holds the key \"%.*s\" twice"
                                       : "The value of key \"%.*s\" holds an element twice",
                   (int)(name.len < SHOWN ? name.len : SHOWN), name.data);
    return RG_ECORRUPT;
}

static int transfer_event(struct rg_transfer *transfer, const struct rg_rdb_event *event)
{
    switch (event->type) {
    case RG_RDB_AUX:
        transfer_aux(transfer, event);
        return 0;
    case RG_RDB_DB:
        if (event->db >= rg_store_databases(transfer->store)) {
            (void)snprintf(transfer->error, sizeof(transfer->error),
                           "Data file was created with a Redis server configured to handle more "
                           "than %u databases",
                           rg_store_databases(transfer->store));
            return RG_ECORRUPT;
        }
        value_load_db(&transfer->load, event->db);
        return 0;
    case RG_RDB_SIZE:
        value_load_size(&transfer->load, event->count);
        return 0;
    case RG_RDB_STRING:
    case RG_RDB_LIST:
    case RG_RDB_LIST_ELEMENT:
    case RG_RDB_LIST_RUN:
    case RG_RDB_SET:
    case RG_RDB_SET_MEMBER:
    case RG_RDB_ZSET:
    case RG_RDB_ZSET_MEMBER:
    case RG_RDB_HASH:
    case RG_RDB_HASH_FIELD:
        return transfer_value(transfer, event);
    case RG_RDB_FUNCTION:
        transfer->libraries++;
        return 0;
    case RG_RDB_END:
        transfer->ended = true;
        return 0;
    }
    RG_UNREACHABLE();
}

/* Runs the reader as far as it gets. Errors: RG_EAGAIN, RG_ECORRUPT, RG_ETYPE, RG_ENOMEM. */
static int transfer_read(struct rg_transfer *transfer)
{
    struct rg_rdb_event event;

    while (!transfer->ended) {
        value_load_ahead(&transfer->load, transfer->reader);
        int result = rg_rdb_reader_next(transfer->reader, &event);
        if (result < 0) {
            if (result != RG_EAGAIN)
                transfer_say_error(transfer, rg_rdb_reader_error(transfer->reader));
            return result;
        }
        result = transfer_event(transfer, &event);
        if (result < 0)
            return result;
    }
    return 0;
}

static void transfer_write(struct rg_node *node, struct rg_transfer *transfer,
                           struct rg_bytes piece)
{
    struct rg_buf copy = {0};

    if (!transfer->to_file || piece.len == 0)
        return;
    transfer->unwritten++;
    rg_buf_append_bytes(&copy, piece);
    node_effect_file(node, RG_EFFECT_FILE_APPEND, transfer->file, NULL, &copy, RG_FILE_TRANSFER,
                     transfer->attempt);
}

static int transfer_piece(struct rg_node *node, struct rg_transfer *transfer, struct rg_bytes piece)
{
    transfer_write(node, transfer, piece);
    value_load_moved(&transfer->load);
    rg_rdb_reader_feed(transfer->reader, piece);
    int result = transfer_read(transfer);
    return result == RG_EAGAIN ? 0 : result;
}

/* The file takes its name only when every piece of it is known to be written: one that could not be
 * written leaves a hole, and the old file is worth more than that. */
static void transfer_rename(struct rg_node *node, struct rg_transfer *transfer)
{
    if (!transfer->to_file || !transfer->whole || transfer->unwritten > 0 || transfer->renaming)
        return;
    transfer->renaming = true;
    node_effect_file(node, RG_EFFECT_FILE_RENAME, transfer->file, node->config->dbfilename, NULL,
                     RG_FILE_TRANSFER_END, transfer->attempt);
}

/* All bytes came: was it a whole file? */
static int transfer_end(struct rg_node *node, struct rg_transfer *transfer)
{
    if (!transfer->ended) {
        transfer_say_error(transfer, "the RDB ends before its end mark");
        return RG_ECORRUPT;
    }
    transfer->whole = true;
    transfer_rename(node, transfer);
    return 0;
}

/*
 * By mark: everything up to the first 40 bytes that equal it is the file. The last 40 bytes are
 * held back, for they may be the mark.
 */
static int transfer_feed_mark(struct rg_node *node, struct rg_transfer *transfer,
                              struct rg_bytes bytes, size_t *ret_used)
{
    size_t before = rg_buf_len(&transfer->tail);

    rg_buf_append_bytes(&transfer->tail, bytes);
    struct rg_bytes all = rg_buf_view(&transfer->tail);
    const char *found = all.len >= TRANSFER_EOF_MARK
                            ? memmem(all.data, all.len, transfer->mark, TRANSFER_EOF_MARK)
                            : NULL;
    size_t ready = found != NULL ? (size_t)(found - all.data)
                                 : (all.len > TRANSFER_EOF_MARK ? all.len - TRANSFER_EOF_MARK : 0);
    int result = transfer_piece(node, transfer, rg_bytes(all.data, ready));
    if (result < 0)
        return result;
    transfer->taken += ready;
    if (found == NULL) {
        *ret_used = bytes.len;
        rg_buf_consume(&transfer->tail, ready);
        return RG_EAGAIN;
    }
    *ret_used = ready + TRANSFER_EOF_MARK - before;
    return transfer_end(node, transfer);
}

int transfer_feed(struct rg_node *node, struct rg_transfer *transfer, struct rg_bytes bytes,
                  size_t *ret_used)
{
    if (transfer->by_mark)
        return transfer_feed_mark(node, transfer, bytes, ret_used);
    uint64_t left = transfer->total - transfer->taken;
    size_t n = bytes.len < left ? bytes.len : (size_t)left;
    int result = transfer_piece(node, transfer, rg_bytes(bytes.data, n));
    if (result < 0)
        return result;
    transfer->taken += n;
    *ret_used = n;
    return transfer->taken < transfer->total ? RG_EAGAIN : transfer_end(node, transfer);
}

int transfer_load(struct rg_transfer *transfer, struct rg_bytes piece)
{
    value_load_moved(&transfer->load);
    rg_rdb_reader_feed(transfer->reader, piece);
    transfer->taken += piece.len;
    int result = transfer_read(transfer);
    if (piece.len > 0)
        return result == RG_EAGAIN ? 0 : result;
    if (result == RG_EAGAIN) {
        (void)snprintf(transfer->error, sizeof(transfer->error),
                       "Unexpected EOF reading RDB file at offset %llu",
                       (unsigned long long)transfer->taken);
        return RG_ECORRUPT;
    }
    return result;
}

void transfer_file_done(struct rg_node *node, enum rg_file_purpose purpose, uint64_t attempt,
                        int result)
{
    struct rg_transfer *transfer = node->follow.transfer;

    if (transfer == NULL || transfer->attempt != attempt)
        return;
    if (result < 0) {
        node_say(node, RG_LOG_WARNING,
                 "Write error or short write writing to the DB dump file needed for MASTER <-> "
                 "REPLICA synchronization: %s",
                 node_file_error(result));
        follow_failed(node, "the RDB cannot be written to disk");
        return;
    }
    if (purpose == RG_FILE_TRANSFER) {
        RG_ASSERT(transfer->unwritten > 0);
        transfer->unwritten--;
        transfer_rename(node, transfer);
    } else {
        transfer->to_file = false; /* the temporary name is gone */
        follow_transferred(node);
    }
}

void transfer_adopt(struct rg_node *node, struct rg_transfer *transfer)
{
    RG_ASSERT(transfer->ended && transfer->store != NULL);
    save_abort(node, "the data set is replaced");
    snapshot_drop(node);
    notify_replace(node);
    rg_store_bury(transfer->store, node->store);
    node->store = transfer->store;
    batch_forget_keys(node);
    transfer->store = NULL;
    notify_replaced(node);
    if (transfer->libraries > 0)
        node_say(node, RG_LOG_WARNING,
                 "The RDB holds %u function libraries, which are not loaded: functions are not "
                 "supported",
                 transfer->libraries);
}
