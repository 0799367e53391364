#include "base/alloc.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/* BITOP. */

enum bitop { BITOP_AND, BITOP_OR, BITOP_XOR, BITOP_NOT };

/* Errors: RG_EINVAL (replied). */
static int bitop_parse(struct rg_cmd_ctx *ctx, enum bitop *ret_op)
{
    static const char *const names[] = {
        [BITOP_AND] = "AND", [BITOP_OR] = "OR", [BITOP_XOR] = "XOR", [BITOP_NOT] = "NOT"};

    for (enum bitop op = BITOP_AND; op <= BITOP_NOT; op++) {
        if (!rg_cmd_arg_is(ctx, 1, names[op]))
            continue;
        if (op == BITOP_NOT && ctx->argc != 4) {
            rg_reply_error(ctx->reply, "ERR BITOP NOT must be called with a single source key.");
            return RG_EINVAL;
        }
        *ret_op = op;
        return 0;
    }
    rg_cmd_reply_syntax(ctx);
    return RG_EINVAL;
}

/* Puts a source together with what is there, which is at least as long. */
static void bitop_apply(enum bitop op, char *result, size_t len, struct rg_bytes source)
{
    switch (op) {
    case BITOP_AND:
        for (size_t i = 0; i < source.len; i++)
            result[i] = (char)(result[i] & source.data[i]);
        memset(result + source.len, 0, len - source.len);
        break;
    case BITOP_OR:
        for (size_t i = 0; i < source.len; i++)
            result[i] = (char)(result[i] | source.data[i]);
        break;
    case BITOP_XOR:
        for (size_t i = 0; i < source.len; i++)
            result[i] = (char)(result[i] ^ source.data[i]);
        break;
    case BITOP_NOT:
        for (size_t i = 0; i < source.len; i++)
            result[i] = (char)~source.data[i];
        break;
    }
}

/* How long the result is: as the longest source. Errors: RG_ETYPE (replied). */
static int bitop_length(struct rg_cmd_ctx *ctx, size_t *ret_len)
{
    struct rg_entry *entry = NULL;

    *ret_len = 0;
    for (int i = 3; i < ctx->argc; i++) {
        if (rg_lookup_read_type(ctx, ctx->argv[i], RG_TYPE_STRING, &entry) < 0)
            return RG_ETYPE;
        size_t len = entry != NULL ? rg_string_len(entry) : 0;
        if (len > *ret_len)
            *ret_len = len;
    }
    return 0;
}

static void bitop_compute(struct rg_cmd_ctx *ctx, enum bitop op, char *result, size_t len)
{
    char scratch[RG_STRING_SCRATCH];

    for (int i = 3; i < ctx->argc; i++) {
        const struct rg_entry *entry = rg_db_find(ctx->db, ctx->argv[i]);
        /* Not every expired entry was deleted: a replica waits for its primary to do so. */
        bool there = entry != NULL && !rg_lookup_is_expired(ctx, entry);
        struct rg_bytes source = there ? rg_string_get(entry, scratch) : RG_BYTES("");
        if (i > 3 || op == BITOP_NOT) {
            bitop_apply(op, result, len, source);
            continue;
        }
        if (source.len > 0)
            memcpy(result, source.data, source.len);
        memset(result + source.len, 0, len - source.len);
    }
}

/* The result in the place of what is under the key. Errors: RG_ENOMEM (replied). */
static int bitop_store(struct rg_cmd_ctx *ctx, struct rg_bytes result)
{
    struct rg_bytes key = ctx->argv[2];
    bool was_there = rg_lookup_write(ctx, key) != NULL;
    struct rg_entry *entry = rg_db_put_string(ctx->db, key, RG_BYTES(""));

    rg_lookup_touch(ctx, entry);
    if (rg_string_write_at(ctx->db, &entry, 0, result) < 0) {
        rg_db_delete(ctx->db, key);
        rg_cmd_reply_out_of_memory(ctx);
        return RG_ENOMEM;
    }
    if (!was_there)
        rg_cmd_note_new(ctx, ctx->db_index, key);
    rg_cmd_note(ctx, key, RG_NOTE_STRING, "set");
    ctx->dirty++;
    return 0;
}

void rg_cmd_run_bitop(struct rg_cmd_ctx *ctx)
{
    enum bitop op = BITOP_AND;
    size_t len = 0;

    if (bitop_parse(ctx, &op) < 0 || bitop_length(ctx, &len) < 0)
        return;
    if (len == 0) {
        if (rg_db_delete(ctx->db, ctx->argv[2])) {
            rg_cmd_note(ctx, ctx->argv[2], RG_NOTE_GENERIC, "del");
            ctx->dirty++;
        }
        rg_reply_i64(ctx->reply, 0);
        return;
    }
    char *result = rg_try_alloc(len);
    if (result == NULL) {
        rg_cmd_reply_out_of_memory(ctx);
        return;
    }
    bitop_compute(ctx, op, result, len);
    if (bitop_store(ctx, rg_bytes(result, len)) == 0)
        rg_reply_i64(ctx->reply, (int64_t)len);
    rg_free(result);
}
