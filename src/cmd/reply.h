#ifndef RG_CMD_REPLY_H
#define RG_CMD_REPLY_H

#include "cmd/cmd.h"

/* Replies and arguments that many handlers share; the texts are Redis'. Private to the layer. */
void rg_cmd_reply_ok(struct rg_cmd_ctx *ctx);
void rg_cmd_reply_wrong_type(struct rg_cmd_ctx *ctx);
void rg_cmd_reply_syntax(struct rg_cmd_ctx *ctx);
void rg_cmd_reply_not_integer(struct rg_cmd_ctx *ctx);
void rg_cmd_reply_not_float(struct rg_cmd_ctx *ctx);
void rg_cmd_reply_arity(struct rg_cmd_ctx *ctx);
/* "invalid expire time in '…' command" */
void rg_cmd_reply_bad_expire(struct rg_cmd_ctx *ctx);
void rg_cmd_reply_out_of_memory(struct rg_cmd_ctx *ctx);
/*
 * Repetitions make a reply of any length out of a small value: those of a negative count. Rather
 * than end the process for want of memory, such a reply is given up beyond two gigabytes.
 */
struct rg_cmd_repeats {
    size_t start; /* of the reply in the connection's output */
};
/* False where so many cannot fit; the error is replied. */
bool rg_cmd_repeats_begin(struct rg_cmd_repeats *repeats, struct rg_cmd_ctx *ctx, uint64_t count);
/* Before each. False where the reply has become too long: an error has taken its place. */
bool rg_cmd_repeats_go_on(const struct rg_cmd_repeats *repeats, struct rg_cmd_ctx *ctx);

/* The command's name as errors show it. */
const char *rg_cmd_shown_name(const struct rg_cmd_ctx *ctx);

/* argv[index] as a number. Errors: RG_EINVAL (the error is replied). */
RG_MUST_USE int rg_cmd_arg_i64(struct rg_cmd_ctx *ctx, int index, int64_t *ret_value);
/*
 * The same within bounds. error: what is replied in either case; NULL: Redis' general texts.
 * Errors: RG_EINVAL, RG_ERANGE (the error is replied).
 */
RG_MUST_USE int rg_cmd_arg_i64_in(struct rg_cmd_ctx *ctx, int index, int64_t min, int64_t max,
                                  const char *error, int64_t *ret_value);
RG_MUST_USE int rg_cmd_arg_long_double(struct rg_cmd_ctx *ctx, int index, long double *ret_value);
/* error NULL: the general text. Errors: RG_EINVAL (the error is replied). */
RG_MUST_USE int rg_cmd_arg_double(struct rg_cmd_ctx *ctx, int index, const char *error,
                                  double *ret_value);
/*
 * argv[index] as how long to wait, in seconds with a fraction; in whole milliseconds, upwards. 0 is
 * for ever. Errors: RG_EINVAL, RG_ERANGE (the error is replied).
 */
RG_MUST_USE int rg_cmd_arg_timeout(struct rg_cmd_ctx *ctx, int index, int64_t *ret_timeout_us);
/* argv[index] as a database. Errors: RG_EINVAL, RG_ERANGE (the error is replied). */
RG_MUST_USE int rg_cmd_arg_db(struct rg_cmd_ctx *ctx, int index, unsigned *ret_db);
bool rg_cmd_arg_is(const struct rg_cmd_ctx *ctx, int index, const char *word);

/* Puts other words into the log in place of the command's own. */
void rg_cmd_log_instead(struct rg_cmd_ctx *ctx, const struct rg_bytes *argv, int argc);
/* The command changes nothing that the log must carry by itself. */
void rg_cmd_log_replaced(struct rg_cmd_ctx *ctx);

#endif
