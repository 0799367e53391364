#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "cmd/set_value.h"
#include "store/set.h"

/* SPOP and SRANDMEMBER. */

/* ---- SPOP ---- */

/*
 * The log gets what was drawn, not the drawing: SREM with the members, a number of them in one
 * command.
 */
enum { SET_POP_BATCH = 256 };

struct set_pop {
    struct rg_cmd_ctx *ctx;
    struct rg_buf members; /* of this batch, one after the other */
    size_t lens[SET_POP_BATCH];
    int count;
};

static void set_pop_flush(struct set_pop *pop)
{
    struct rg_bytes words[SET_POP_BATCH + 2] = {RG_BYTES("SREM"), pop->ctx->argv[1]};
    const char *at = rg_buf_view(&pop->members).data;

    if (pop->count == 0)
        return;
    for (int i = 0; i < pop->count; i++) {
        words[i + 2] = rg_bytes(at, pop->lens[i]);
        at += pop->lens[i];
    }
    rg_cmd_log_instead(pop->ctx, words, pop->count + 2);
    rg_buf_truncate(&pop->members, 0);
    pop->count = 0;
}

static void set_pop_add(struct set_pop *pop, struct rg_bytes member)
{
    rg_reply_bulk(pop->ctx->reply, member);
    rg_buf_append_bytes(&pop->members, member);
    pop->lens[pop->count++] = member.len;
    if (pop->count == SET_POP_BATCH)
        set_pop_flush(pop);
}

static void set_pop_drawing(struct set_pop *pop, struct rg_entry *entry, uint64_t count)
{
    struct rg_cmd_ctx *ctx = pop->ctx;
    char scratch[RG_STRING_SCRATCH];

    for (; count > 0; count--) {
        struct rg_bytes member = rg_set_random(entry, ctx->rand, scratch);
        set_pop_add(pop, member);
        rg_set_remove(ctx->db, &entry, member);
    }
}

/* Where few remain, it is those that are drawn. */
static void set_pop_keeping(struct set_pop *pop, struct rg_entry *entry, uint64_t keep)
{
    struct rg_cmd_ctx *ctx = pop->ctx;
    struct rg_entry *kept = rg_set_draft(ctx->db, ctx->argv[1]);
    char scratch[RG_STRING_SCRATCH];
    struct rg_set_iter iter;
    struct rg_bytes member;
    uint64_t left = rg_set_len(entry);

    rg_set_iter_init(&iter, entry);
    while (rg_set_iter_next(&iter, scratch, &member)) {
        /* Selection sampling, as for HRANDFIELD. */
        if (rg_rand_below(ctx->rand, left--) < keep) {
            rg_set_add(ctx->db, &kept, member);
            keep--;
        } else {
            set_pop_add(pop, member);
        }
    }
    rg_set_exchange(ctx->db, &entry, kept);
    rg_set_draft_free(ctx->db, kept);
}

static void set_pop_all(struct rg_cmd_ctx *ctx, const struct rg_entry *entry)
{
    struct rg_bytes words[] = {RG_BYTES("DEL"), ctx->argv[1]};

    rg_set_reply(ctx, entry);
    rg_db_delete(ctx->db, ctx->argv[1]);
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_GENERIC, "del");
    rg_cmd_log_instead(ctx, words, 2);
}

static void set_pop_many(struct rg_cmd_ctx *ctx)
{
    enum { KEEP_RATIO = 5 };
    struct rg_entry *entry = NULL;
    struct set_pop pop = {.ctx = ctx};
    int64_t count = 0;

    if (rg_cmd_arg_i64_in(ctx, 2, 0, INT64_MAX, "ERR value is out of range, must be positive",
                          &count) < 0)
        return;
    if (rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_SET, &entry) < 0)
        return;
    if (entry == NULL || count == 0) {
        rg_reply_set(ctx->reply, 0);
        return;
    }
    uint64_t len = rg_set_len(entry);
    uint64_t popped = (uint64_t)count < len ? (uint64_t)count : len;
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_SET, "spop");
    ctx->dirty += popped;
    if (popped == len) {
        set_pop_all(ctx, entry);
        return;
    }
    rg_reply_set(ctx->reply, (int64_t)popped);
    if ((len - popped) * KEEP_RATIO > popped)
        set_pop_drawing(&pop, entry, popped);
    else
        set_pop_keeping(&pop, entry, len - popped);
    set_pop_flush(&pop);
    rg_buf_fini(&pop.members);
}

static void set_pop_one(struct rg_cmd_ctx *ctx)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_entry *entry = NULL;

    if (rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_SET, &entry) < 0)
        return;
    if (entry == NULL) {
        rg_reply_null(ctx->reply);
        return;
    }
    struct rg_bytes member = rg_set_random(entry, ctx->rand, scratch);
    struct rg_bytes words[] = {RG_BYTES("SREM"), ctx->argv[1], member};
    rg_reply_bulk(ctx->reply, member);
    rg_cmd_log_instead(ctx, words, 3);
    rg_set_remove(ctx->db, &entry, member);
    rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_SET, "spop");
    rg_set_delete_empty(ctx, ctx->argv[1], entry);
    ctx->dirty++;
}

void rg_cmd_run_spop(struct rg_cmd_ctx *ctx)
{
    if (ctx->argc == 2)
        set_pop_one(ctx);
    else if (ctx->argc == 3)
        set_pop_many(ctx);
    else
        rg_cmd_reply_syntax(ctx);
}

/* ---- SRANDMEMBER ---- */

static void set_random_repeating(struct rg_cmd_ctx *ctx, const struct rg_entry *entry,
                                 int64_t count)
{
    struct rg_cmd_repeats repeats;
    char scratch[RG_STRING_SCRATCH];

    if (!rg_cmd_repeats_begin(&repeats, ctx, (uint64_t)count))
        return;
    rg_reply_array(ctx->reply, count);
    for (int64_t i = 0; i < count && rg_cmd_repeats_go_on(&repeats, ctx); i++)
        rg_reply_bulk(ctx->reply, rg_set_random(entry, ctx->rand, scratch));
}

/* A few of many are drawn until they are enough different ones. */
static void set_random_drawing(struct rg_cmd_ctx *ctx, const struct rg_entry *entry, uint64_t count)
{
    struct rg_entry *drawn = rg_set_draft(ctx->db, ctx->argv[1]);
    char scratch[RG_STRING_SCRATCH];

    rg_reply_array(ctx->reply, (int64_t)count);
    while (count > 0) {
        struct rg_bytes member = rg_set_random(entry, ctx->rand, scratch);
        if (!rg_set_add(ctx->db, &drawn, member))
            continue;
        rg_reply_bulk(ctx->reply, member);
        count--;
    }
    rg_set_draft_free(ctx->db, drawn);
}

/* Selection sampling, as for HRANDFIELD: each is taken with the chance of what is still wanted. */
static void set_random_walking(struct rg_cmd_ctx *ctx, const struct rg_entry *entry, uint64_t count)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_set_iter iter;
    struct rg_bytes member;
    uint64_t left = rg_set_len(entry);

    rg_reply_array(ctx->reply, (int64_t)count);
    rg_set_iter_init(&iter, entry);
    while (count > 0 && rg_set_iter_next(&iter, scratch, &member)) {
        if (rg_rand_below(ctx->rand, left--) < count) {
            rg_reply_bulk(ctx->reply, member);
            count--;
        }
    }
}

static void set_random_many(struct rg_cmd_ctx *ctx)
{
    enum { DRAW_RATIO = 3 };
    struct rg_entry *entry = NULL;
    int64_t count = 0;

    if (rg_cmd_arg_i64_in(ctx, 2, -INT64_MAX, INT64_MAX, NULL, &count) < 0)
        return;
    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_SET, &entry) < 0)
        return;
    if (entry == NULL || count == 0) {
        rg_reply_array(ctx->reply, 0);
        return;
    }
    if (count < 0) {
        set_random_repeating(ctx, entry, -count);
        return;
    }
    uint64_t len = rg_set_len(entry);
    uint64_t wanted = (uint64_t)count < len ? (uint64_t)count : len;
    if (wanted < len / DRAW_RATIO)
        set_random_drawing(ctx, entry, wanted);
    else
        set_random_walking(ctx, entry, wanted);
}

static void set_random_one(struct rg_cmd_ctx *ctx)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_entry *entry = NULL;

    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_SET, &entry) < 0)
        return;
    if (entry != NULL)
        rg_reply_bulk(ctx->reply, rg_set_random(entry, ctx->rand, scratch));
    else
        rg_reply_null(ctx->reply);
}

void rg_cmd_run_srandmember(struct rg_cmd_ctx *ctx)
{
    if (ctx->argc == 2)
        set_random_one(ctx);
    else if (ctx->argc == 3)
        set_random_many(ctx);
    else
        rg_cmd_reply_syntax(ctx);
}
