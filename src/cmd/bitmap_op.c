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

/* Whole words, so that the compiler may take several at once; op is known where it is called. */
static inline __attribute__((always_inline)) void
words_do(enum bitop op, char *restrict result, const char *restrict source, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        uint64_t a = 0;
        uint64_t b = 0;
        if (op != BITOP_NOT)
            memcpy(&a, result + i * sizeof(a), sizeof(a));
        memcpy(&b, source + i * sizeof(b), sizeof(b));
        a = op == BITOP_AND ? a & b : op == BITOP_OR ? a | b : op == BITOP_XOR ? a ^ b : ~b;
        memcpy(result + i * sizeof(a), &a, sizeof(a));
    }
}

static void bitop_words(enum bitop op, char *restrict result, const char *restrict source,
                        size_t words)
{
    switch (op) {
    case BITOP_AND:
        words_do(BITOP_AND, result, source, words);
        return;
    case BITOP_OR:
        words_do(BITOP_OR, result, source, words);
        return;
    case BITOP_XOR:
        words_do(BITOP_XOR, result, source, words);
        return;
    case BITOP_NOT:
        words_do(BITOP_NOT, result, source, words);
        return;
    }
}

/* Puts a source together with what is there, which is at least as long. */
static void bitop_apply(enum bitop op, char *result, size_t len, struct rg_bytes source)
{
    size_t words = source.len / sizeof(uint64_t);
    size_t done = words * sizeof(uint64_t);
    char tail[2][sizeof(uint64_t)] = {{0}};

    bitop_words(op, result, source.data, words);
    if (done < source.len) {
        if (op != BITOP_NOT)
            memcpy(tail[0], result + done, source.len - done);
        memcpy(tail[1], source.data + done, source.len - done);
        bitop_words(op, tail[0], tail[1], 1);
        memcpy(result + done, tail[0], source.len - done);
    }
    if (op == BITOP_AND)
        memset(result + source.len, 0, len - source.len);
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
    bool large = result.len > RG_STRING_DRAFT_MIN;
    /* A small one is written to, so that it is raw. */
    struct rg_entry *entry = rg_db_put_string(ctx->db, key, large ? result : RG_BYTES(""));

    rg_lookup_touch(ctx, entry);
    if (!large && rg_string_write_at(ctx->db, &entry, 0, result) < 0) {
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

/* A large result is made where it stays. */
static void bitop_run(struct rg_cmd_ctx *ctx, enum bitop op, size_t len)
{
    char small[RG_STRING_DRAFT_MIN];
    char *result = small;
    struct rg_string_draft *draft = NULL;

    if (len > sizeof(small)) {
        draft = rg_string_draft_new(len);
        if (draft == NULL) {
            rg_cmd_reply_out_of_memory(ctx);
            return;
        }
        result = rg_string_draft_room(draft);
    }
    bitop_compute(ctx, op, result, len);
    rg_store_offer_draft(ctx->store, &draft);
    if (bitop_store(ctx, rg_bytes(result, len)) == 0)
        rg_reply_i64(ctx->reply, (int64_t)len);
    rg_store_offer_draft(ctx->store, NULL);
    rg_string_draft_free(draft);
}

void rg_cmd_run_bitop(struct rg_cmd_ctx *ctx)
{
    enum bitop op = BITOP_AND;
    size_t len = 0;

    if (bitop_parse(ctx, &op) < 0 || bitop_length(ctx, &len) < 0)
        return;
    if (len > 0) {
        bitop_run(ctx, op, len);
        return;
    }
    if (rg_db_delete(ctx->db, ctx->argv[2])) {
        rg_cmd_note(ctx, ctx->argv[2], RG_NOTE_GENERIC, "del");
        ctx->dirty++;
    }
    rg_reply_i64(ctx->reply, 0);
}
