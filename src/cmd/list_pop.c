#include "base/number.h"
#include "cmd/handlers.h"
#include "cmd/list_end.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/* Taking elements off lists: off one, off the first of several that has some, and waiting for it.
 */

int rg_list_arg_end(struct rg_cmd_ctx *ctx, int index, enum rg_list_end *ret_end)
{
    bool right = rg_cmd_arg_is(ctx, index, "RIGHT");

    if (!right && !rg_cmd_arg_is(ctx, index, "LEFT")) {
        rg_cmd_reply_syntax(ctx);
        return RG_EINVAL;
    }
    *ret_end = right ? RG_LIST_TAIL : RG_LIST_HEAD;
    return 0;
}

struct rg_bytes rg_list_pop_word(enum rg_list_end end)
{
    return end == RG_LIST_HEAD ? RG_BYTES("LPOP") : RG_BYTES("RPOP");
}

const char *rg_list_pop_event(enum rg_list_end end)
{
    return end == RG_LIST_HEAD ? "lpop" : "rpop";
}

void rg_list_popped(struct rg_cmd_ctx *ctx, struct rg_bytes key, struct rg_entry *entry,
                    enum rg_list_end end, uint64_t count)
{
    rg_cmd_note(ctx, key, RG_NOTE_LIST, rg_list_pop_event(end));
    rg_list_drop_empty(ctx, key, entry);
    ctx->dirty += count;
}

void rg_list_reply_end(struct rg_cmd_ctx *ctx, const struct rg_entry *entry, enum rg_list_end end,
                       uint64_t count)
{
    struct rg_list_iter iter;
    struct rg_bytes element;
    bool backward = end == RG_LIST_TAIL;

    rg_reply_array(ctx->reply, (int64_t)count);
    rg_list_iter_init(&iter, entry, backward ? rg_list_len(entry) - 1 : 0, backward);
    for (uint64_t left = count; left > 0 && rg_list_iter_next(&iter, &element); left--)
        rg_reply_bulk(ctx->reply, element);
}

/* Takes the first elements off an end once they are replied. */
static void pop_finish(struct rg_cmd_ctx *ctx, struct rg_bytes key, struct rg_entry *entry,
                       enum rg_list_end end, uint64_t count)
{
    uint64_t index = end == RG_LIST_HEAD ? 0 : rg_list_len(entry) - count;

    rg_list_delete(ctx->db, &entry, index, count);
    rg_list_popped(ctx, key, entry, end, count);
}

/* Errors: RG_ERANGE (replied). */
static int pop_parse_count(struct rg_cmd_ctx *ctx, int64_t *ret_count)
{
    if (rg_parse_i64(ctx->argv[2], ret_count) == 0 && *ret_count >= 0)
        return 0;
    rg_reply_error(ctx->reply, "ERR value is out of range, must be positive");
    return RG_ERANGE;
}

static void pop_one(struct rg_cmd_ctx *ctx, struct rg_entry *entry, enum rg_list_end end)
{
    struct rg_bytes element;
    char scratch[RG_STRING_SCRATCH];

    if (rg_list_get(entry, end == RG_LIST_HEAD ? 0 : -1, scratch, &element))
        rg_reply_bulk(ctx->reply, element);
    pop_finish(ctx, ctx->argv[1], entry, end, 1);
}

static void pop(struct rg_cmd_ctx *ctx, enum rg_list_end end)
{
    struct rg_entry *entry = NULL;
    int64_t count = 1;
    bool counted = ctx->argc > 2;

    if (ctx->argc > 3) {
        rg_cmd_reply_arity(ctx);
        return;
    }
    if ((counted && pop_parse_count(ctx, &count) < 0) ||
        rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_LIST, &entry) < 0)
        return;
    if (entry == NULL && counted) {
        rg_reply_null_array(ctx->reply);
    } else if (entry == NULL) {
        rg_reply_null(ctx->reply);
    } else if (count == 0) {
        rg_reply_array(ctx->reply, 0);
    } else if (!counted) {
        pop_one(ctx, entry, end);
    } else {
        uint64_t len = rg_list_len(entry);
        uint64_t taken = (uint64_t)count < len ? (uint64_t)count : len;
        rg_list_reply_end(ctx, entry, end, taken);
        pop_finish(ctx, ctx->argv[1], entry, end, taken);
    }
}

void rg_cmd_run_lpop(struct rg_cmd_ctx *ctx)
{
    pop(ctx, RG_LIST_HEAD);
}

void rg_cmd_run_rpop(struct rg_cmd_ctx *ctx)
{
    pop(ctx, RG_LIST_TAIL);
}

/* ---- From the first list of several ---- */

/*
 * The first of the keys that holds a list, and its index in argv; NULL where there is none. A key
 * of another type is an error, unless this client has been waiting. Errors: RG_ETYPE (replied).
 */
static int pop_first(struct rg_cmd_ctx *ctx, int first_key, int keys, int *ret_key,
                     struct rg_entry **ret_entry)
{
    for (int i = first_key; i < first_key + keys; i++) {
        struct rg_entry *entry = rg_lookup_write(ctx, ctx->argv[i]);
        if (entry == NULL)
            continue;
        if (rg_entry_type(entry) == RG_TYPE_LIST) {
            *ret_key = i;
            *ret_entry = entry;
            return 0;
        }
        if (!ctx->resumed) {
            rg_cmd_reply_wrong_type(ctx);
            return RG_ETYPE;
        }
    }
    *ret_entry = NULL;
    return 0;
}

/* Pops up to count elements, replied behind the key; the log gets the pop that it came to. */
static void pop_several(struct rg_cmd_ctx *ctx, int key, struct rg_entry *entry,
                        enum rg_list_end end, int64_t count)
{
    char digits[RG_I64_CHARS];
    uint64_t len = rg_list_len(entry);
    uint64_t taken = (uint64_t)count < len ? (uint64_t)count : len;

    rg_reply_array(ctx->reply, 2);
    rg_reply_bulk(ctx->reply, ctx->argv[key]);
    rg_list_reply_end(ctx, entry, end, taken);
    pop_finish(ctx, ctx->argv[key], entry, end, taken);
    struct rg_bytes words[] = {rg_list_pop_word(end), ctx->argv[key],
                               rg_bytes(digits, rg_format_u64(digits, taken))};
    rg_cmd_log_instead(ctx, words, 3);
}

struct pop_options {
    int first_key;
    int keys;
    enum rg_list_end end;
    int64_t count;
};

/* [COUNT count] from argv[index] on, once. Errors: RG_EINVAL (replied). */
static int pop_parse_count_option(struct rg_cmd_ctx *ctx, int index, int64_t *ret_count)
{
    int64_t count = 0;

    for (; index < ctx->argc; index += 2) {
        if (count != 0 || index + 1 == ctx->argc || !rg_cmd_arg_is(ctx, index, "COUNT")) {
            rg_cmd_reply_syntax(ctx);
            return RG_EINVAL;
        }
        if (rg_parse_i64(ctx->argv[index + 1], &count) < 0 || count <= 0) {
            rg_reply_error(ctx->reply, "ERR count should be greater than 0");
            return RG_EINVAL;
        }
    }
    *ret_count = count != 0 ? count : 1;
    return 0;
}

/* numkeys key... LEFT|RIGHT [COUNT count], from argv[index] on. Errors: RG_EINVAL (replied). */
static int pop_parse_options(struct rg_cmd_ctx *ctx, int index, struct pop_options *ret_options)
{
    int64_t keys = 0;

    if (rg_parse_i64(ctx->argv[index], &keys) < 0 || keys <= 0) {
        rg_reply_error(ctx->reply, "ERR numkeys should be greater than 0");
        return RG_EINVAL;
    }
    if (keys >= ctx->argc - index - 1) {
        rg_cmd_reply_syntax(ctx);
        return RG_EINVAL;
    }
    ret_options->first_key = index + 1;
    ret_options->keys = (int)keys;
    int where = index + 1 + (int)keys;
    if (rg_list_arg_end(ctx, where, &ret_options->end) < 0)
        return RG_EINVAL;
    return pop_parse_count_option(ctx, where + 1, &ret_options->count);
}

void rg_cmd_run_lmpop(struct rg_cmd_ctx *ctx)
{
    struct pop_options options;
    struct rg_entry *entry = NULL;
    int key = 0;

    if (pop_parse_options(ctx, 1, &options) < 0 ||
        pop_first(ctx, options.first_key, options.keys, &key, &entry) < 0)
        return;
    if (entry != NULL)
        pop_several(ctx, key, entry, options.end, options.count);
    else
        rg_reply_null_array(ctx->reply);
}

/* ---- Waiting ---- */

static void pop_wait(struct rg_cmd_ctx *ctx, int first_key, int keys, int64_t timeout_us)
{
    if (ctx->may_wait)
        ctx->wait = (struct rg_cmd_wait){true, first_key, keys, timeout_us};
    else
        rg_reply_null_array(ctx->reply);
}

void rg_cmd_run_blmpop(struct rg_cmd_ctx *ctx)
{
    struct pop_options options;
    struct rg_entry *entry = NULL;
    int64_t timeout_us = 0;
    int key = 0;

    if (pop_parse_options(ctx, 2, &options) < 0 || rg_cmd_arg_timeout(ctx, 1, &timeout_us) < 0 ||
        pop_first(ctx, options.first_key, options.keys, &key, &entry) < 0)
        return;
    if (entry != NULL)
        pop_several(ctx, key, entry, options.end, options.count);
    else
        pop_wait(ctx, options.first_key, options.keys, timeout_us);
}

/* BLPOP, BRPOP: key… timeout */
static void pop_blocking(struct rg_cmd_ctx *ctx, enum rg_list_end end)
{
    struct rg_entry *entry = NULL;
    struct rg_bytes element;
    char scratch[RG_STRING_SCRATCH];
    int64_t timeout_us = 0;
    int keys = ctx->argc - 2;
    int key = 0;

    if (rg_cmd_arg_timeout(ctx, ctx->argc - 1, &timeout_us) < 0 ||
        pop_first(ctx, 1, keys, &key, &entry) < 0)
        return;
    if (entry == NULL) {
        pop_wait(ctx, 1, keys, timeout_us);
        return;
    }
    rg_reply_array(ctx->reply, 2);
    rg_reply_bulk(ctx->reply, ctx->argv[key]);
    if (rg_list_get(entry, end == RG_LIST_HEAD ? 0 : -1, scratch, &element))
        rg_reply_bulk(ctx->reply, element);
    pop_finish(ctx, ctx->argv[key], entry, end, 1);
    struct rg_bytes words[] = {rg_list_pop_word(end), ctx->argv[key]};
    rg_cmd_log_instead(ctx, words, 2);
}

void rg_cmd_run_blpop(struct rg_cmd_ctx *ctx)
{
    pop_blocking(ctx, RG_LIST_HEAD);
}

void rg_cmd_run_brpop(struct rg_cmd_ctx *ctx)
{
    pop_blocking(ctx, RG_LIST_TAIL);
}
