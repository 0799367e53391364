#ifndef RG_CMD_ZSET_VALUE_H
#define RG_CMD_ZSET_VALUE_H

#include "cmd/cmd.h"
#include "store/zset.h"

/* What the commands of sorted sets share. Private to the layer. */

/* Deletes the entry where it is empty, with its event. True where it is gone. */
bool rg_zset_drop_empty(struct rg_cmd_ctx *ctx, struct rg_bytes key, const struct rg_entry *entry);

/* The head of `count` members, and each of them: with scores flat in RESP2, as pairs in RESP3. */
void rg_zset_reply_head(struct rg_cmd_ctx *ctx, uint64_t count, bool with_scores);
void rg_zset_reply_member(struct rg_cmd_ctx *ctx, struct rg_bytes member, double score,
                          bool with_scores);

/* What ZADD is told in front of the scores. */
struct rg_zset_add_options {
    bool nx;
    bool xx;
    bool gt;
    bool lt;
    bool ch;
    bool incr;
};

/*
 * ZADD's work on argv[1]: checks the options, and sets `pairs` members to scores. get yields them,
 * or replies an error and returns a negative one; it is called twice for each.
 */
struct rg_zset_pairs {
    struct rg_zset_add_options options;
    uint64_t pairs;
    int (*get)(struct rg_cmd_ctx *ctx, const struct rg_zset_pairs *pairs, uint64_t index,
               struct rg_bytes *ret_member, double *ret_score);
    int first; /* of the pairs in argv */
};
void rg_zset_add(struct rg_cmd_ctx *ctx, const struct rg_zset_pairs *pairs);

#endif
