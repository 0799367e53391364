#include "base/alloc.h"
#include "cmd/handlers.h"
#include "cmd/list_end.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/* From one list to another, or to the other end of the same, at once or as soon as there is some.
 */

struct move {
    struct rg_bytes source;
    struct rg_bytes target;
    enum rg_list_end from;
    enum rg_list_end to;
};

/* Puts the element, which lies in the source's list, into the target's as well. */
static int move_push(struct rg_cmd_ctx *ctx, const struct move *move, struct rg_bytes element)
{
    enum { SHORT_BYTES = 512 };
    char copy_short[SHORT_BYTES];
    struct rg_entry *target = NULL;

    if (rg_list_find_or_create(ctx, move->target, &target) < 0)
        return RG_ETYPE;
    /* The target may be the source, and then the element would move under the push. */
    char *copy = element.len > sizeof(copy_short) ? rg_alloc_copy(element.data, element.len) : NULL;
    char *at = copy != NULL ? copy : copy_short;
    if (copy == NULL && element.len > 0)
        memcpy(at, element.data, element.len);
    element.data = at;
    rg_list_push(ctx->db, &target, move->to, element);
    rg_reply_bulk(ctx->reply, element);
    rg_free(copy);
    rg_cmd_note(ctx, move->target, RG_NOTE_LIST, rg_list_push_event(move->to));
    return 0;
}

/* The source's list is not empty. False where the target is of another type (replied). */
static bool move_element(struct rg_cmd_ctx *ctx, const struct move *move, struct rg_entry *source)
{
    struct rg_bytes element = {0};
    char scratch[RG_STRING_SCRATCH];
    int64_t place = move->from == RG_LIST_HEAD ? 0 : -1;
    bool same = rg_bytes_equal(move->source, move->target);

    if (!rg_list_get(source, place, scratch, &element) || move_push(ctx, move, element) < 0)
        return false;
    /* A push of another key may have moved the entry. */
    source = rg_db_find_for_write(ctx->db, move->source);
    uint64_t index = move->from == RG_LIST_HEAD ? 0 : rg_list_len(source) - 1;
    /* What was pushed to the end that is popped from lies before it. */
    if (same && move->from == move->to)
        index = move->from == RG_LIST_HEAD ? 1 : index - 1;
    rg_list_delete(ctx->db, &source, index, 1);
    rg_list_popped(ctx, move->source, source, move->from, 1);
    return true;
}

/* LMOVE and RPOPLPUSH. */
static void move_now(struct rg_cmd_ctx *ctx, const struct move *move)
{
    struct rg_entry *source = NULL;

    if (rg_lookup_write_type(ctx, move->source, RG_TYPE_LIST, &source) < 0)
        return;
    if (source == NULL)
        rg_reply_null(ctx->reply);
    else
        move_element(ctx, move, source);
}

void rg_cmd_run_lmove(struct rg_cmd_ctx *ctx)
{
    struct move move = {.source = ctx->argv[1], .target = ctx->argv[2]};

    if (rg_list_arg_end(ctx, 3, &move.from) == 0 && rg_list_arg_end(ctx, 4, &move.to) == 0)
        move_now(ctx, &move);
}

void rg_cmd_run_rpoplpush(struct rg_cmd_ctx *ctx)
{
    struct move move = {ctx->argv[1], ctx->argv[2], RG_LIST_TAIL, RG_LIST_HEAD};

    move_now(ctx, &move);
}

/* ---- Waiting ---- */

/* True where an element was moved. */
static bool move_blocking(struct rg_cmd_ctx *ctx, const struct move *move, int64_t timeout_us)
{
    struct rg_entry *source = rg_lookup_write(ctx, move->source);

    if (source != NULL && rg_entry_type(source) != RG_TYPE_LIST) {
        if (!ctx->resumed) {
            rg_cmd_reply_wrong_type(ctx);
            return false;
        }
        source = NULL;
    }
    if (source != NULL)
        return move_element(ctx, move, source);
    if (ctx->may_wait)
        ctx->wait = (struct rg_cmd_wait){true, 1, 1, timeout_us};
    else
        rg_reply_null(ctx->reply);
    return false;
}

void rg_cmd_run_blmove(struct rg_cmd_ctx *ctx)
{
    struct move move = {.source = ctx->argv[1], .target = ctx->argv[2]};
    int64_t timeout_us = 0;

    if (rg_list_arg_end(ctx, 3, &move.from) < 0 || rg_list_arg_end(ctx, 4, &move.to) < 0 ||
        rg_cmd_arg_timeout(ctx, 5, &timeout_us) < 0 || !move_blocking(ctx, &move, timeout_us))
        return;
    struct rg_bytes words[] = {RG_BYTES("LMOVE"), move.source, move.target, ctx->argv[3],
                               ctx->argv[4]};
    rg_cmd_log_instead(ctx, words, 5);
}

void rg_cmd_run_brpoplpush(struct rg_cmd_ctx *ctx)
{
    struct move move = {ctx->argv[1], ctx->argv[2], RG_LIST_TAIL, RG_LIST_HEAD};
    int64_t timeout_us = 0;

    if (rg_cmd_arg_timeout(ctx, 3, &timeout_us) < 0 || !move_blocking(ctx, &move, timeout_us))
        return;
    struct rg_bytes words[] = {RG_BYTES("RPOPLPUSH"), move.source, move.target};
    rg_cmd_log_instead(ctx, words, 3);
}
