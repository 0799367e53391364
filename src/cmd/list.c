#include "store/list.h"

#include "cmd/handlers.h"
#include "cmd/list_end.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/* Lists: pushing, looking, changing in place. */

/* ---- Shared by the list commands ---- */

bool rg_list_takes(struct rg_cmd_ctx *ctx, int first)
{
    for (int i = first; i < ctx->argc; i++) {
        if (ctx->argv[i].len > RG_LIST_ELEMENT_MAX) {
            rg_cmd_reply_out_of_memory(ctx);
            return false;
        }
    }
    return true;
}

int rg_list_find_or_create(struct rg_cmd_ctx *ctx, struct rg_bytes key, struct rg_entry **ret_entry)
{
    struct rg_entry *entry = NULL;

    if (rg_lookup_write_type(ctx, key, RG_TYPE_LIST, &entry) < 0)
        return RG_ETYPE;
    if (entry == NULL) {
        entry = rg_db_put_list(ctx->db, key);
        rg_lookup_touch(ctx, entry);
        rg_cmd_note_new(ctx, ctx->db_index, key);
    }
    *ret_entry = entry;
    return 0;
}

const char *rg_list_push_event(enum rg_list_end end)
{
    return end == RG_LIST_HEAD ? "lpush" : "rpush";
}

bool rg_list_drop_empty(struct rg_cmd_ctx *ctx, struct rg_bytes key, struct rg_entry *entry)
{
    if (rg_list_len(entry) > 0)
        return false;
    rg_db_delete(ctx->db, key);
    rg_cmd_note(ctx, key, RG_NOTE_GENERIC, "del");
    return true;
}

/* ---- Pushing ---- */

static void list_push(struct rg_cmd_ctx *ctx, enum rg_list_end end, bool only_existing)
{
    struct rg_entry *entry = NULL;

    if (rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_LIST, &entry) < 0 || !rg_list_takes(ctx, 2))
        return;
    if (entry == NULL && only_existing) {
        rg_reply_i64(ctx->reply, 0);
        return;
    }
    if (entry == NULL) {
        entry = rg_db_put_list(ctx->db, ctx->argv[1]);
        rg_lookup_touch(ctx, entry);
        rg_cmd_note_new(ctx, ctx->db_index, ctx->argv[1]);
    }
    for (int i = 2; i < ctx->argc; i++)
        rg_list_push(ctx->db, &entry, end, ctx->argv[i]);
    rg_reply_i64(ctx->reply, (int64_t)rg_list_len(entry));
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_LIST, rg_list_push_event(end));
    ctx->dirty += (uint64_t)ctx->argc - 2;
}

void rg_cmd_run_lpush(struct rg_cmd_ctx *ctx)
{
    list_push(ctx, RG_LIST_HEAD, false);
}

void rg_cmd_run_rpush(struct rg_cmd_ctx *ctx)
{
    list_push(ctx, RG_LIST_TAIL, false);
}

void rg_cmd_run_lpushx(struct rg_cmd_ctx *ctx)
{
    list_push(ctx, RG_LIST_HEAD, true);
}

void rg_cmd_run_rpushx(struct rg_cmd_ctx *ctx)
{
    list_push(ctx, RG_LIST_TAIL, true);
}

/* ---- Looking ---- */

static int list_read(struct rg_cmd_ctx *ctx, struct rg_entry **ret_entry)
{
    return rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_LIST, ret_entry);
}

void rg_cmd_run_llen(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    if (list_read(ctx, &entry) == 0)
        rg_reply_i64(ctx->reply, entry != NULL ? (int64_t)rg_list_len(entry) : 0);
}

void rg_cmd_run_lindex(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    struct rg_bytes element;
    char scratch[RG_STRING_SCRATCH];
    int64_t index = 0;

    if (list_read(ctx, &entry) < 0)
        return;
    if (entry == NULL) {
        rg_reply_null(ctx->reply);
        return;
    }
    if (rg_cmd_arg_i64(ctx, 2, &index) < 0)
        return;
    if (rg_list_get(entry, index, scratch, &element))
        rg_reply_bulk(ctx->reply, element);
    else
        rg_reply_null(ctx->reply);
}

/* The elements that two signed positions, both inclusive, mean in a list of this length. */
struct list_range {
    uint64_t start;
    uint64_t count;
};

static struct list_range list_range(int64_t start, int64_t stop, uint64_t len)
{
    int64_t signed_len = (int64_t)len;

    if (start < 0)
        start += signed_len;
    if (stop < 0)
        stop += signed_len;
    if (start < 0)
        start = 0;
    if (stop >= signed_len)
        stop = signed_len - 1;
    if (start > stop)
        return (struct list_range){0};
    return (struct list_range){(uint64_t)start, (uint64_t)(stop - start) + 1};
}

void rg_cmd_run_lrange(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    struct list_range range = {0};
    int64_t start = 0;
    int64_t stop = 0;

    if (rg_cmd_arg_i64(ctx, 2, &start) < 0 || rg_cmd_arg_i64(ctx, 3, &stop) < 0 ||
        list_read(ctx, &entry) < 0)
        return;
    if (entry != NULL)
        range = list_range(start, stop, rg_list_len(entry));
    rg_reply_array(ctx->reply, (int64_t)range.count);
    if (range.count == 0)
        return;
    struct rg_list_iter iter;
    struct rg_bytes element;
    rg_list_iter_init(&iter, entry, range.start, false);
    for (uint64_t left = range.count; left > 0 && rg_list_iter_next(&iter, &element); left--)
        rg_reply_bulk(ctx->reply, element);
}

/* ---- Changing ---- */

void rg_cmd_run_lset(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    int64_t index = 0;

    if (rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_LIST, &entry) < 0)
        return;
    if (entry == NULL) {
        rg_reply_error(ctx->reply, "ERR no such key");
        return;
    }
    if (rg_cmd_arg_i64(ctx, 2, &index) < 0 || !rg_list_takes(ctx, 3))
        return;
    if (!rg_list_set(ctx->db, &entry, index, ctx->argv[3])) {
        rg_reply_error(ctx->reply, "ERR index out of range");
        return;
    }
    rg_cmd_reply_ok(ctx);
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_LIST, "lset");
    ctx->dirty++;
}

/* The position of the first element that is equal; false where there is none. */
static bool list_find(const struct rg_entry *entry, struct rg_bytes wanted, uint64_t *ret_index)
{
    struct rg_list_iter iter;
    struct rg_bytes element;

    rg_list_iter_init(&iter, entry, 0, false);
    for (uint64_t index = 0; rg_list_iter_next(&iter, &element); index++) {
        if (rg_bytes_equal(element, wanted)) {
            *ret_index = index;
            return true;
        }
    }
    return false;
}

void rg_cmd_run_linsert(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    uint64_t index = 0;
    bool after = rg_cmd_arg_is(ctx, 2, "AFTER");

    if (!after && !rg_cmd_arg_is(ctx, 2, "BEFORE")) {
        rg_cmd_reply_syntax(ctx);
        return;
    }
    if (rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_LIST, &entry) < 0 || !rg_list_takes(ctx, 4))
        return;
    if (entry == NULL) {
        rg_reply_i64(ctx->reply, 0);
        return;
    }
    if (!list_find(entry, ctx->argv[3], &index)) {
        rg_reply_i64(ctx->reply, -1);
        return;
    }
    rg_list_insert(ctx->db, &entry, index + after, ctx->argv[4]);
    rg_reply_i64(ctx->reply, (int64_t)rg_list_len(entry));
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_LIST, "linsert");
    ctx->dirty++;
}

void rg_cmd_run_lrem(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    int64_t count = 0;
    uint64_t removed = 0;

    if (rg_cmd_arg_i64(ctx, 2, &count) < 0 ||
        rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_LIST, &entry) < 0)
        return;
    if (entry != NULL) {
        uint64_t max = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
        if (max == 0)
            max = UINT64_MAX;
        removed = rg_list_delete_equal(ctx->db, &entry, ctx->argv[3],
                                       count < 0 ? RG_LIST_TAIL : RG_LIST_HEAD, max);
    }
    rg_reply_i64(ctx->reply, (int64_t)removed);
    if (removed == 0)
        return;
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_LIST, "lrem");
    rg_list_drop_empty(ctx, ctx->argv[1], entry);
    ctx->dirty += removed;
}

void rg_cmd_run_ltrim(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    int64_t start = 0;
    int64_t stop = 0;

    if (rg_cmd_arg_i64(ctx, 2, &start) < 0 || rg_cmd_arg_i64(ctx, 3, &stop) < 0 ||
        rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_LIST, &entry) < 0)
        return;
    rg_cmd_reply_ok(ctx);
    if (entry == NULL)
        return;
    uint64_t len = rg_list_len(entry);
    struct list_range range = list_range(start, stop, len);
    uint64_t end = range.start + range.count;
    rg_list_delete(ctx->db, &entry, end, len - end);
    rg_list_delete(ctx->db, &entry, 0, range.start);
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_LIST, "ltrim");
    rg_list_drop_empty(ctx, ctx->argv[1], entry);
    ctx->dirty += len - range.count;
}
