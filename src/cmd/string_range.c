#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "cmd/string_value.h"

/* Lengths and parts of strings: STRLEN, APPEND, GETRANGE, SETRANGE. */

void rg_cmd_run_strlen(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_STRING, &entry) == 0)
        rg_reply_i64(ctx->reply, entry != NULL ? (int64_t)rg_string_len(entry) : 0);
}

void rg_cmd_run_append(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;

    if (rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_STRING, &entry) < 0)
        return;
    if (entry == NULL) {
        rg_string_store(ctx, ctx->argv[1], ctx->argv[2], false);
        rg_cmd_note_new(ctx, ctx->db_index, ctx->argv[1]);
        rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_STRING, "append");
        rg_reply_i64(ctx->reply, (int64_t)ctx->argv[2].len);
        ctx->dirty++;
        return;
    }
    if (rg_string_check_len(ctx, rg_string_len(entry), ctx->argv[2].len) < 0)
        return;
    if (rg_string_append(ctx->db, &entry, ctx->argv[2]) < 0) {
        rg_cmd_reply_out_of_memory(ctx);
        return;
    }
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_STRING, "append");
    rg_reply_i64(ctx->reply, (int64_t)rg_string_len(entry));
    ctx->dirty++;
}

void rg_cmd_run_setrange(struct rg_cmd_ctx *ctx)
{
    struct rg_bytes value = ctx->argv[3];
    struct rg_entry *entry = NULL;
    int64_t offset = 0;

    if (rg_cmd_arg_i64(ctx, 2, &offset) < 0)
        return;
    if (offset < 0) {
        rg_reply_error(ctx->reply, "ERR offset is out of range");
        return;
    }
    if (rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_STRING, &entry) < 0)
        return;
    if (value.len == 0) {
        rg_reply_i64(ctx->reply, entry != NULL ? (int64_t)rg_string_len(entry) : 0);
        return;
    }
    if (rg_string_check_len(ctx, (uint64_t)offset, value.len) < 0)
        return;
    bool created = entry == NULL;
    if (created) {
        entry = rg_db_put_string(ctx->db, ctx->argv[1], RG_BYTES(""));
        rg_lookup_touch(ctx, entry);
    }
    if (rg_string_write_at(ctx->db, &entry, (size_t)offset, value) < 0) {
        if (created)
            rg_db_delete(ctx->db, ctx->argv[1]);
        rg_cmd_reply_out_of_memory(ctx);
        return;
    }
    if (created)
        rg_cmd_note_new(ctx, ctx->db_index, ctx->argv[1]);
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_STRING, "setrange");
    rg_reply_i64(ctx->reply, (int64_t)rg_string_len(entry));
    ctx->dirty++;
}

/* The bytes from start to end, both inclusive; negative offsets count from the end. */
static struct rg_bytes string_part(struct rg_bytes text, int64_t start, int64_t end)
{
    int64_t len = (int64_t)text.len;

    if (start < 0 && end < 0 && start > end)
        return RG_BYTES("");
    if (start < 0)
        start = start + len > 0 ? start + len : 0;
    if (end < 0)
        end = end + len > 0 ? end + len : 0;
    if (end >= len)
        end = len - 1;
    if (start > end || len == 0)
        return RG_BYTES("");
    return rg_bytes(text.data + start, (size_t)(end - start + 1));
}

void rg_cmd_run_getrange(struct rg_cmd_ctx *ctx)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_entry *entry = NULL;
    int64_t start = 0;
    int64_t end = 0;

    if (rg_cmd_arg_i64(ctx, 2, &start) < 0 || rg_cmd_arg_i64(ctx, 3, &end) < 0 ||
        rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_STRING, &entry) < 0)
        return;
    struct rg_bytes text = entry != NULL ? rg_string_get(entry, scratch) : RG_BYTES("");
    rg_reply_bulk(ctx->reply, string_part(text, start, end));
}

void rg_cmd_run_substr(struct rg_cmd_ctx *ctx)
{
    rg_cmd_run_getrange(ctx);
}
