#include "base/buf.h"
#include "base/number.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "store/list.h"

/* LPOS: where an element stands. */

struct pos_options {
    bool backward;
    uint64_t rank;  /* the match to begin with, from 1 */
    bool counted;   /* the reply is an array */
    uint64_t count; /* matches at most; 0: all */
    uint64_t max;   /* elements to look at; 0: all */
    bool endless;   /* count is not heeded */
};

/* Errors: RG_EINVAL (replied). */
static int pos_parse_rank(struct rg_cmd_ctx *ctx, int index, struct pos_options *options)
{
    int64_t rank = 0;

    if (rg_cmd_arg_i64(ctx, index, &rank) < 0)
        return RG_EINVAL;
    if (rank == 0) {
        rg_reply_error(ctx->reply,
                       "ERR RANK can't be zero: use 1 to start from the first match, 2 from the "
                       "second ... or use negative to start from the end of the list");
        return RG_EINVAL;
    }
    options->backward = rank < 0;
    /* The least number has no opposite; it finds every match, as in Redis. */
    options->endless = rank == INT64_MIN;
    options->rank = rank == INT64_MIN ? 1 : (uint64_t)(rank < 0 ? -rank : rank);
    return 0;
}

/* Errors: RG_EINVAL (replied). */
static int pos_parse_natural(struct rg_cmd_ctx *ctx, int index, const char *error,
                             uint64_t *ret_value)
{
    int64_t value = 0;

    if (rg_parse_i64(ctx->argv[index], &value) < 0 || value < 0) {
        rg_reply_error(ctx->reply, error);
        return RG_EINVAL;
    }
    *ret_value = (uint64_t)value;
    return 0;
}

/* Errors: RG_EINVAL (replied). */
static int pos_parse_option(struct rg_cmd_ctx *ctx, int index, struct pos_options *options)
{
    bool has_arg = index + 1 < ctx->argc;

    if (has_arg && rg_cmd_arg_is(ctx, index, "RANK"))
        return pos_parse_rank(ctx, index + 1, options);
    if (has_arg && rg_cmd_arg_is(ctx, index, "COUNT")) {
        options->counted = true;
        return pos_parse_natural(ctx, index + 1, "ERR COUNT can't be negative", &options->count);
    }
    if (has_arg && rg_cmd_arg_is(ctx, index, "MAXLEN"))
        return pos_parse_natural(ctx, index + 1, "ERR MAXLEN can't be negative", &options->max);
    rg_cmd_reply_syntax(ctx);
    return RG_EINVAL;
}

/* A walk over the matches that the options ask for. */
struct pos_walk {
    const struct pos_options *options;
    struct rg_bytes wanted;
    struct rg_list_iter iter;
    uint64_t len;
    uint64_t looked;
    uint64_t matches;
};

static void pos_walk_init(struct pos_walk *walk, const struct rg_entry *entry,
                          const struct pos_options *options, struct rg_bytes wanted)
{
    *walk = (struct pos_walk){.options = options, .wanted = wanted, .len = rg_list_len(entry)};
    rg_list_iter_init(&walk->iter, entry, options->backward ? walk->len - 1 : 0, options->backward);
}

static bool pos_walk_next(struct pos_walk *walk, uint64_t *ret_position)
{
    const struct pos_options *options = walk->options;
    struct rg_bytes element;

    if (options->count > 0 && !options->endless &&
        walk->matches >= options->rank - 1 + options->count)
        return false;
    while ((options->max == 0 || walk->looked < options->max) &&
           rg_list_iter_next(&walk->iter, &element)) {
        uint64_t position = options->backward ? walk->len - 1 - walk->looked : walk->looked;
        walk->looked++;
        if (!rg_bytes_equal(element, walk->wanted) || ++walk->matches < options->rank)
            continue;
        *ret_position = position;
        return true;
    }
    return false;
}

static void pos_reply_all(struct rg_cmd_ctx *ctx, const struct rg_entry *entry,
                          const struct pos_options *options)
{
    struct pos_walk walk;
    struct rg_buf found = {0};
    uint64_t position = 0;

    if (entry != NULL) {
        pos_walk_init(&walk, entry, options, ctx->argv[2]);
        while (pos_walk_next(&walk, &position))
            rg_buf_append(&found, &position, sizeof(position));
    }
    rg_reply_array(ctx->reply, (int64_t)(rg_buf_len(&found) / sizeof(position)));
    while (rg_buf_len(&found) > 0) {
        memcpy(&position, rg_buf_view(&found).data, sizeof(position));
        rg_reply_i64(ctx->reply, (int64_t)position);
        rg_buf_consume(&found, sizeof(position));
    }
    rg_buf_fini(&found);
}

void rg_cmd_run_lpos(struct rg_cmd_ctx *ctx)
{
    struct pos_options options = {.rank = 1};
    struct pos_walk walk;
    struct rg_entry *entry = NULL;
    uint64_t position = 0;

    for (int i = 3; i < ctx->argc; i += 2) {
        if (pos_parse_option(ctx, i, &options) < 0)
            return;
    }
    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_LIST, &entry) < 0)
        return;
    if (options.counted) {
        pos_reply_all(ctx, entry, &options);
        return;
    }
    if (entry != NULL)
        pos_walk_init(&walk, entry, &options, ctx->argv[2]);
    if (entry != NULL && pos_walk_next(&walk, &position))
        rg_reply_i64(ctx->reply, (int64_t)position);
    else
        rg_reply_null(ctx->reply);
}
