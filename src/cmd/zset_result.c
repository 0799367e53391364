#include "cmd/zset_result.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "cmd/lookup.h"
#include "cmd/zset_value.h"

void rg_zset_result_fini(struct rg_zset_result *result)
{
    rg_free(result->items);
    rg_buf_fini(&result->copies);
}

static struct rg_zset_result_item *result_next(struct rg_zset_result *result)
{
    enum { FIRST_CAP = 16 };

    if (result->count == result->cap) {
        result->cap = result->cap > 0 ? result->cap * 2 : FIRST_CAP;
        result->items = rg_realloc(result->items, result->cap * sizeof(*result->items));
    }
    struct rg_zset_result_item *item = &result->items[result->count++];
    *item = (struct rg_zset_result_item){0};
    return item;
}

void rg_zset_result_add(struct rg_zset_result *result, struct rg_bytes member, double score)
{
    struct rg_zset_result_item *item = result_next(result);

    item->member = member;
    item->score = score;
}

static void item_copy(struct rg_zset_result_item *item, struct rg_buf *copies,
                      struct rg_bytes member)
{
    item->copied_at = rg_buf_len(copies);
    item->member = rg_bytes(NULL, member.len);
    rg_buf_append_bytes(copies, member);
}

void rg_zset_result_add_copy(struct rg_zset_result *result, struct rg_bytes member, double score)
{
    struct rg_zset_result_item *item = result_next(result);

    item->score = score;
    item_copy(item, &result->copies, member);
}

struct rg_zset_result_item *rg_zset_result_item(struct rg_zset_result *result, size_t index)
{
    RG_ASSERT(index < result->count);
    return &result->items[index];
}

struct rg_bytes rg_zset_result_member(const struct rg_zset_result *result, size_t index)
{
    const struct rg_zset_result_item *item = &result->items[index];

    if (item->member.data != NULL || item->member.len == 0)
        return item->member;
    return rg_bytes(rg_buf_view(&result->copies).data + item->copied_at, item->member.len);
}

void rg_zset_result_own(struct rg_zset_result *result)
{
    struct rg_buf copies = {0};

    for (size_t i = 0; i < result->count; i++)
        item_copy(&result->items[i], &copies, rg_zset_result_member(result, i));
    rg_buf_fini(&result->copies);
    result->copies = copies;
}

/* ---- Order ---- */

/* Members are views while they are compared. */
static void result_resolve(struct rg_zset_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        result->items[i].member = rg_zset_result_member(result, i);
}

static int compare_scores(const void *a, const void *b)
{
    const struct rg_zset_result_item *x = a;
    const struct rg_zset_result_item *y = b;

    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return rg_bytes_compare(x->member, y->member);
}

void rg_zset_result_sort(struct rg_zset_result *result)
{
    result_resolve(result);
    if (result->count > 1)
        qsort(result->items, result->count, sizeof(result->items[0]), compare_scores);
}

/* ---- Where it goes ---- */

void rg_zset_result_reply(struct rg_cmd_ctx *ctx, const struct rg_zset_result *result,
                          bool with_scores)
{
    rg_zset_reply_head(ctx, result->count, with_scores);
    for (size_t i = 0; i < result->count; i++)
        rg_zset_reply_member(ctx, rg_zset_result_member(result, i), result->items[i].score,
                             with_scores);
}

void rg_zset_result_store(struct rg_cmd_ctx *ctx, struct rg_zset_result *result,
                          struct rg_bytes key, enum rg_zset_store_form form, const char *event)
{
    size_t longest = 0;

    rg_zset_result_own(result);
    bool was_there = rg_lookup_write(ctx, key) != NULL && rg_db_delete(ctx->db, key);
    if (result->count == 0) {
        rg_reply_i64(ctx->reply, 0);
        ctx->dirty += was_there;
        if (was_there)
            rg_cmd_note(ctx, key, RG_NOTE_GENERIC, "del");
        return;
    }
    struct rg_entry *entry = rg_db_put_zset(ctx->db, key);
    rg_lookup_touch(ctx, entry);
    if (!was_there)
        rg_cmd_note_new(ctx, ctx->db_index, key);
    for (size_t i = 0; form == RG_ZSET_STORE_WHOLE && i < result->count; i++) {
        if (result->items[i].member.len > longest)
            longest = result->items[i].member.len;
    }
    if (form != RG_ZSET_STORE_GROWING)
        rg_zset_expect(ctx->db, &entry, result->count, longest);
    for (size_t i = 0; i < result->count; i++)
        rg_zset_set(ctx->db, &entry, rg_zset_result_member(result, i), result->items[i].score);
    rg_reply_i64(ctx->reply, (int64_t)rg_zset_len(entry));
    rg_cmd_note(ctx, key, RG_NOTE_ZSET, event);
    ctx->dirty++;
}
