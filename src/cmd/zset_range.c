#include "cmd/zset_range.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cmd/reply.h"

/* ---- Reading ---- */

/*
 * As C's strtod reads it up to the end or a zero byte, so that leading spaces, and nothing at all,
 * are numbers too. Errors: RG_EINVAL.
 */
static int range_number(struct rg_bytes text, double *ret_value)
{
    char *end = NULL;
    char *copy = NULL;
    char small[64];
    double value = 0;

    if (text.len < sizeof(small)) {
        memcpy(small, text.data, text.len);
        small[text.len] = '\0';
        value = strtod(small, &end);
    } else {
        copy = rg_alloc_copy(text.data, text.len);
        value = strtod(copy, &end);
    }
    bool whole = *end == '\0';
    rg_free(copy);
    if (!whole || isnan(value))
        return RG_EINVAL;
    *ret_value = value;
    return 0;
}

/* Errors: RG_EINVAL. */
static int range_score(struct rg_bytes text, double *ret_value, bool *ret_open)
{
    *ret_open = text.len > 0 && text.data[0] == '(';
    if (*ret_open)
        text = rg_bytes(text.data + 1, text.len - 1);
    return range_number(text, ret_value);
}

/* Errors: RG_EINVAL. */
static int range_lex(struct rg_bytes text, struct rg_lex_bound *ret_bound, bool *ret_open)
{
    *ret_open = false;
    if (text.len == 0)
        return RG_EINVAL;
    switch (text.data[0]) {
    case '-':
    case '+':
        ret_bound->infinite = text.data[0] == '-' ? -1 : 1;
        *ret_open = true;
        return text.len == 1 || text.data[1] == '\0' ? 0 : RG_EINVAL;
    case '(':
    case '[':
        *ret_open = text.data[0] == '(';
        *ret_bound = (struct rg_lex_bound){0, rg_bytes(text.data + 1, text.len - 1)};
        return 0;
    default:
        return RG_EINVAL;
    }
}

int rg_zset_range_parse(struct rg_cmd_ctx *ctx, enum rg_zset_range_kind kind, int min, int max,
                        struct rg_zset_range *ret_range)
{
    const struct rg_bytes *argv = ctx->argv;

    *ret_range = (struct rg_zset_range){.kind = kind};
    if (kind == RG_ZSET_BY_RANK) {
        if (rg_cmd_arg_i64(ctx, min, &ret_range->start) < 0)
            return RG_EINVAL;
        return rg_cmd_arg_i64(ctx, max, &ret_range->stop);
    }
    if (kind == RG_ZSET_BY_SCORE) {
        if (range_score(argv[min], &ret_range->min, &ret_range->min_open) == 0 &&
            range_score(argv[max], &ret_range->max, &ret_range->max_open) == 0)
            return 0;
        rg_reply_error(ctx->reply, "ERR min or max is not a float");
        return RG_EINVAL;
    }
    if (range_lex(argv[min], &ret_range->lex_min, &ret_range->min_open) == 0 &&
        range_lex(argv[max], &ret_range->lex_max, &ret_range->max_open) == 0)
        return 0;
    rg_reply_error(ctx->reply, "ERR min or max not valid string range item");
    return RG_EINVAL;
}

/* ---- Ranks ---- */

static struct rg_zset_span span_between(uint64_t first, uint64_t end)
{
    return (struct rg_zset_span){first, end > first ? end - first : 0};
}

static struct rg_zset_span span_by_rank(const struct rg_zset_range *range, uint64_t len,
                                        bool backward)
{
    int64_t count = (int64_t)len;
    int64_t start = range->start < 0 ? range->start + count : range->start;
    int64_t stop = range->stop < 0 ? range->stop + count : range->stop;

    if (start < 0)
        start = 0;
    if (start > stop || start >= count)
        return (struct rg_zset_span){0};
    if (stop >= count)
        stop = count - 1;
    if (backward)
        return span_between((uint64_t)(count - 1 - stop), (uint64_t)(count - start));
    return span_between((uint64_t)start, (uint64_t)stop + 1);
}

static struct rg_zset_span span_by_score(const struct rg_zset_range *range,
                                         const struct rg_entry *entry)
{
    if (range->min > range->max)
        return (struct rg_zset_span){0};
    return span_between(rg_zset_count_below(entry, range->min, range->min_open),
                        rg_zset_count_below(entry, range->max, !range->max_open));
}

/* ---- Bytes ---- */

static int lex_compare(const struct rg_lex_bound *a, const struct rg_lex_bound *b)
{
    if (a->infinite != 0 || b->infinite != 0)
        return a->infinite - b->infinite;
    return rg_bytes_compare(a->bytes, b->bytes);
}

static bool lex_reaches_min(const struct rg_zset_range *range, struct rg_bytes member)
{
    struct rg_lex_bound bound = {0, member};
    int order = lex_compare(&bound, &range->lex_min);

    return range->min_open ? order > 0 : order >= 0;
}

static bool lex_reaches_max(const struct rg_zset_range *range, struct rg_bytes member)
{
    struct rg_lex_bound bound = {0, member};
    int order = lex_compare(&bound, &range->lex_max);

    return range->max_open ? order < 0 : order <= 0;
}

/* The member at a rank, a view of the entry or of iter. */
static void entry_end(const struct rg_entry *entry, uint64_t rank, struct rg_zset_iter *iter,
                      struct rg_bytes *ret_member, double *ret_score)
{
    rg_zset_iter_init(iter, entry, rank, false);
    rg_zset_iter_next(iter, ret_member, ret_score);
}

/*
 * Where scores differ there is no order of bytes to search in. What Redis finds in a small set is
 * found here in any: from the end where it begins, the first member that one bound lets in, and
 * those behind it until the other one does not.
 */
static struct rg_zset_span lex_walk(const struct rg_zset_range *range, const struct rg_entry *entry,
                                    bool backward)
{
    uint64_t len = rg_zset_len(entry);
    struct rg_zset_span span = {0};
    struct rg_zset_iter iter;
    struct rg_bytes member;
    double score = 0;
    uint64_t rank = 0;

    rg_zset_iter_init(&iter, entry, backward ? len - 1 : 0, backward);
    for (; rg_zset_iter_next(&iter, &member, &score); rank++) {
        bool above = lex_reaches_min(range, member);
        bool below = lex_reaches_max(range, member);
        if (span.count == 0 && !(backward ? below : above))
            continue;
        if (!(backward ? above : below))
            break;
        if (span.count == 0)
            span.first = rank;
        span.count++;
    }
    if (backward)
        span.first = len - span.first - span.count;
    return span;
}

static uint64_t lex_count(const struct rg_entry *entry, const struct rg_lex_bound *bound,
                          bool through)
{
    if (bound->infinite != 0)
        return bound->infinite < 0 ? 0 : rg_zset_len(entry);
    return rg_zset_count_before(entry, bound->bytes, through);
}

static struct rg_zset_span span_by_lex(const struct rg_zset_range *range,
                                       const struct rg_entry *entry, bool backward)
{
    struct rg_zset_iter ends[2];
    int order = lex_compare(&range->lex_min, &range->lex_max);
    struct rg_bytes first;
    struct rg_bytes last;
    double first_score = 0;
    double last_score = 0;

    if (order > 0 || (order == 0 && (range->min_open || range->max_open)))
        return (struct rg_zset_span){0};
    entry_end(entry, 0, &ends[0], &first, &first_score);
    entry_end(entry, rg_zset_len(entry) - 1, &ends[1], &last, &last_score);
    if (!lex_reaches_min(range, last) || !lex_reaches_max(range, first))
        return (struct rg_zset_span){0};
    if (first_score != last_score)
        return lex_walk(range, entry, backward);
    return span_between(lex_count(entry, &range->lex_min, range->min_open),
                        lex_count(entry, &range->lex_max, !range->max_open));
}

struct rg_zset_span rg_zset_range_span(const struct rg_zset_range *range,
                                       const struct rg_entry *entry, bool backward)
{
    switch (range->kind) {
    case RG_ZSET_BY_RANK:
        return span_by_rank(range, rg_zset_len(entry), backward);
    case RG_ZSET_BY_SCORE:
        return span_by_score(range, entry);
    case RG_ZSET_BY_LEX:
        return span_by_lex(range, entry, backward);
    }
    return (struct rg_zset_span){0};
}
