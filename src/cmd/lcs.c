#include "base/alloc.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/*
 * LCS by the textbook table of lengths: cell (i, j) holds the length for the first i bytes of a and
 * the first j bytes of b. Walking back from the end finds the subsequence and its runs.
 */

struct lcs_run {
    uint32_t a_first;
    uint32_t a_last;
    uint32_t b_first;
    uint32_t b_last;
};

struct lcs {
    struct rg_bytes a; /* borrowed, as b */
    struct rg_bytes b;
    uint32_t *lengths;    /* owned: (a.len + 1) * (b.len + 1) */
    char *text;           /* owned: the subsequence */
    struct lcs_run *runs; /* owned: from the end of the strings to their beginning */
    size_t run_count;
    size_t run_cap;
};

struct lcs_options {
    bool len;
    bool idx;
    bool with_len;
    int64_t min_len;
};

static uint32_t *lcs_cell(const struct lcs *lcs, size_t i, size_t j)
{
    return &lcs->lengths[i * (lcs->b.len + 1) + j];
}

/* Errors: RG_EINVAL (replied). */
static int lcs_parse(struct rg_cmd_ctx *ctx, struct lcs_options *options)
{
    for (int i = 3; i < ctx->argc; i++) {
        if (rg_cmd_arg_is(ctx, i, "IDX")) {
            options->idx = true;
        } else if (rg_cmd_arg_is(ctx, i, "LEN")) {
            options->len = true;
        } else if (rg_cmd_arg_is(ctx, i, "WITHMATCHLEN")) {
            options->with_len = true;
        } else if (rg_cmd_arg_is(ctx, i, "MINMATCHLEN") && i + 1 < ctx->argc) {
            if (rg_cmd_arg_i64(ctx, ++i, &options->min_len) < 0)
                return RG_EINVAL;
        } else {
            rg_cmd_reply_syntax(ctx);
            return RG_EINVAL;
        }
    }
    if (options->idx && options->len) {
        rg_reply_error(ctx->reply,
                       "ERR If you want both the length and indexes, please just use IDX.");
        return RG_EINVAL;
    }
    return 0;
}

/* Errors: RG_ELIMIT, RG_ENOMEM (replied). */
static int lcs_fill(struct rg_cmd_ctx *ctx, struct lcs *lcs)
{
    size_t cells = 0;
    size_t size = 0;

    if (__builtin_mul_overflow(lcs->a.len + 1, lcs->b.len + 1, &cells) ||
        __builtin_mul_overflow(cells, sizeof(uint32_t), &size) || size > ctx->max_bulk_len) {
        rg_reply_error(ctx->reply, "ERR Insufficient memory, transient memory for LCS exceeds "
                                   "proto-max-bulk-len");
        return RG_ELIMIT;
    }
    lcs->lengths = rg_try_alloc(size);
    if (lcs->lengths == NULL) {
        rg_reply_error(ctx->reply,
                       "ERR Insufficient memory, failed allocating transient memory for LCS");
        return RG_ENOMEM;
    }
    for (size_t i = 0; i <= lcs->a.len; i++) {
        for (size_t j = 0; j <= lcs->b.len; j++) {
            if (i == 0 || j == 0) {
                *lcs_cell(lcs, i, j) = 0;
            } else if (lcs->a.data[i - 1] == lcs->b.data[j - 1]) {
                *lcs_cell(lcs, i, j) = *lcs_cell(lcs, i - 1, j - 1) + 1;
            } else {
                uint32_t up = *lcs_cell(lcs, i - 1, j);
                uint32_t left = *lcs_cell(lcs, i, j - 1);
                *lcs_cell(lcs, i, j) = up > left ? up : left;
            }
        }
    }
    return 0;
}

/* Lengthens the last run by a common byte in front of it, or begins another. */
static void lcs_add(struct lcs *lcs, bool begins_run, uint32_t a, uint32_t b)
{
    enum { FIRST_CAP = 8 };

    if (!begins_run) {
        lcs->runs[lcs->run_count - 1].a_first = a;
        lcs->runs[lcs->run_count - 1].b_first = b;
        return;
    }
    if (lcs->run_count == lcs->run_cap) {
        lcs->run_cap = lcs->run_cap > 0 ? lcs->run_cap * 2 : FIRST_CAP;
        lcs->runs = rg_realloc(lcs->runs, lcs->run_cap * sizeof(*lcs->runs));
    }
    lcs->runs[lcs->run_count++] = (struct lcs_run){a, a, b, b};
}

static void lcs_walk(struct lcs *lcs)
{
    size_t i = lcs->a.len;
    size_t j = lcs->b.len;
    size_t left = *lcs_cell(lcs, i, j);
    bool in_run = false;

    lcs->text = rg_alloc(left + 1);
    while (i > 0 && j > 0) {
        if (lcs->a.data[i - 1] == lcs->b.data[j - 1]) {
            i--;
            j--;
            lcs->text[--left] = lcs->a.data[i];
            lcs_add(lcs, !in_run, (uint32_t)i, (uint32_t)j);
            in_run = true;
            continue;
        }
        in_run = false;
        if (*lcs_cell(lcs, i - 1, j) > *lcs_cell(lcs, i, j - 1))
            i--;
        else
            j--;
    }
}

static int64_t lcs_run_len(const struct lcs_run *run)
{
    return (int64_t)run->a_last - run->a_first + 1;
}

static void lcs_reply_runs(struct rg_cmd_ctx *ctx, const struct lcs *lcs,
                           const struct lcs_options *options)
{
    int64_t count = 0;

    for (size_t i = 0; i < lcs->run_count; i++)
        count += lcs_run_len(&lcs->runs[i]) >= options->min_len;
    rg_reply_map(ctx->reply, 2);
    rg_reply_bulk_str(ctx->reply, "matches");
    rg_reply_array(ctx->reply, count);
    for (size_t i = 0; i < lcs->run_count; i++) {
        const struct lcs_run *run = &lcs->runs[i];
        if (lcs_run_len(run) < options->min_len)
            continue;
        rg_reply_array(ctx->reply, options->with_len ? 3 : 2);
        rg_reply_array(ctx->reply, 2);
        rg_reply_i64(ctx->reply, run->a_first);
        rg_reply_i64(ctx->reply, run->a_last);
        rg_reply_array(ctx->reply, 2);
        rg_reply_i64(ctx->reply, run->b_first);
        rg_reply_i64(ctx->reply, run->b_last);
        if (options->with_len)
            rg_reply_i64(ctx->reply, lcs_run_len(run));
    }
    rg_reply_bulk_str(ctx->reply, "len");
    rg_reply_i64(ctx->reply, *lcs_cell(lcs, lcs->a.len, lcs->b.len));
}

static void lcs_reply(struct rg_cmd_ctx *ctx, struct lcs *lcs, const struct lcs_options *options)
{
    uint32_t len = *lcs_cell(lcs, lcs->a.len, lcs->b.len);

    if (options->len) {
        rg_reply_i64(ctx->reply, len);
        return;
    }
    lcs_walk(lcs);
    if (options->idx)
        lcs_reply_runs(ctx, lcs, options);
    else
        rg_reply_bulk(ctx->reply, rg_bytes(lcs->text, len));
}

void rg_cmd_run_lcs(struct rg_cmd_ctx *ctx)
{
    char scratch[2][RG_STRING_SCRATCH];
    struct rg_bytes texts[2] = {RG_BYTES(""), RG_BYTES("")};
    struct lcs_options options = {0};
    bool strings = true;

    /* The first lookup may delete what the second finds moved, so both are made before reading. */
    for (int i = 0; i < 2; i++)
        (void)rg_lookup_read(ctx, ctx->argv[i + 1]);
    for (int i = 0; i < 2; i++) {
        struct rg_entry *entry = rg_db_find(ctx->db, ctx->argv[i + 1]);
        if (entry == NULL || rg_lookup_is_expired(ctx, entry))
            continue;
        if (rg_entry_type(entry) == RG_TYPE_STRING)
            texts[i] = rg_string_get(entry, scratch[i]);
        else
            strings = false;
    }
    if (!strings) {
        rg_reply_error(ctx->reply, "ERR The specified keys must contain string values");
        return;
    }
    if (lcs_parse(ctx, &options) < 0)
        return;
    struct lcs lcs = {.a = texts[0], .b = texts[1]};
    if (lcs_fill(ctx, &lcs) == 0)
        lcs_reply(ctx, &lcs, &options);
    rg_free(lcs.lengths);
    rg_free(lcs.text);
    rg_free(lcs.runs);
}
