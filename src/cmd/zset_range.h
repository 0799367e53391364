#ifndef RG_CMD_ZSET_RANGE_H
#define RG_CMD_ZSET_RANGE_H

#include "cmd/cmd.h"
#include "store/zset.h"

/* Ranges of ranks, scores and bytes, as the commands of sorted sets name them. Private. */
enum rg_zset_range_kind { RG_ZSET_BY_RANK, RG_ZSET_BY_SCORE, RG_ZSET_BY_LEX };

/* One end of a range of bytes: "-" and "+" are before and behind everything. */
struct rg_lex_bound {
    int infinite; /* -1, 0 or 1 */
    struct rg_bytes bytes;
};

struct rg_zset_range {
    enum rg_zset_range_kind kind;
    int64_t start; /* by rank: negative counts from the end */
    int64_t stop;
    double min; /* by score */
    double max;
    struct rg_lex_bound lex_min; /* by bytes */
    struct rg_lex_bound lex_max;
    bool min_open; /* the bound itself is outside */
    bool max_open;
};

/* Members in a row, by rank. */
struct rg_zset_span {
    uint64_t first;
    uint64_t count;
};

/* Reads argv[min] and argv[max]. Errors: RG_EINVAL (replied). */
RG_MUST_USE int rg_zset_range_parse(struct rg_cmd_ctx *ctx, enum rg_zset_range_kind kind, int min,
                                    int max, struct rg_zset_range *ret_range);
/*
 * The members in the range. Ranks count from the other end where it is backward; a range of bytes
 * begins there, which makes a difference only where scores are not equal.
 */
struct rg_zset_span rg_zset_range_span(const struct rg_zset_range *range,
                                       const struct rg_entry *entry, bool backward);

#endif
