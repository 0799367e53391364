#ifndef RG_CMD_ZSET_RESULT_H
#define RG_CMD_ZSET_RESULT_H

#include "cmd/cmd.h"

/*
 * Members with scores that a command made, to be replied or stored: views into what is there, or
 * copies where that will be gone. Zeroed is empty. Private to the layer.
 */
struct rg_zset_result_item {
    struct rg_bytes member; /* data NULL: copied_at, in the copies */
    size_t copied_at;
    double score;
};

struct rg_zset_result {
    struct rg_zset_result_item *items; /* owned */
    size_t count;
    size_t cap;
    struct rg_buf copies;
};

void rg_zset_result_fini(struct rg_zset_result *result);
/* member is lent until the end. */
void rg_zset_result_add(struct rg_zset_result *result, struct rg_bytes member, double score);
void rg_zset_result_add_copy(struct rg_zset_result *result, struct rg_bytes member, double score);
struct rg_bytes rg_zset_result_member(const struct rg_zset_result *result, size_t index);
/* index is below the count. */
struct rg_zset_result_item *rg_zset_result_item(struct rg_zset_result *result, size_t index);
/* All members become copies, so that the database may change. */
void rg_zset_result_own(struct rg_zset_result *result);
/* By score and member. */
void rg_zset_result_sort(struct rg_zset_result *result);

void rg_zset_result_reply(struct rg_cmd_ctx *ctx, const struct rg_zset_result *result,
                          bool with_scores);
/*
 * When a stored result takes the form of a large set, which shows in the sign of zero: a small one
 * has no -0, so that it is lost where the set grows out of its packed form.
 */
enum rg_zset_store_form {
    RG_ZSET_STORE_GROWING, /* once it has grown */
    RG_ZSET_STORE_COUNTED, /* at once, for its count */
    RG_ZSET_STORE_WHOLE,   /* at once, for its count or its longest member */
};

/*
 * Makes a sorted set of it under key, in the place of what is there, and replies its length. An
 * empty one deletes the key. Of members that are there twice the last one's score counts.
 */
void rg_zset_result_store(struct rg_cmd_ctx *ctx, struct rg_zset_result *result,
                          struct rg_bytes key, enum rg_zset_store_form form, const char *event);

#endif
