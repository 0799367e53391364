#ifndef RG_CMD_EXPIRY_H
#define RG_CMD_EXPIRY_H

#include "cmd/cmd.h"

/* Times to live as commands take and log them. Private to the layer. */

enum rg_expiry_unit { RG_EXPIRY_SECONDS, RG_EXPIRY_MILLISECONDS };

/*
 * The Unix time in milliseconds that a command's expiry argument means; base_ms is now, or 0 where
 * the argument is a Unix time itself. Errors: RG_EOVERFLOW (the error is replied).
 */
RG_MUST_USE int rg_expiry_resolve(struct rg_cmd_ctx *ctx, int64_t value, enum rg_expiry_unit unit,
                                  int64_t base_ms, int64_t *ret_at_ms);

/*
 * The options that SET and GETEX share: EX, PX, EXAT, PXAT with their argument, KEEPTTL, PERSIST;
 * at most one of them in a command.
 */
struct rg_expiry_option {
    bool given;   /* one that names a time */
    bool keep;    /* KEEPTTL */
    bool persist; /* PERSIST */
    bool absolute;
    enum rg_expiry_unit unit;
    int arg; /* index of the time in argv */
};

/*
 * Takes argv[*index] where it is one of these options, and leaves *index on its last word.
 * Errors: RG_ENOENT (another word, a second option, or an argument is missing).
 */
RG_MUST_USE int rg_expiry_option_parse(const struct rg_cmd_ctx *ctx, int *index,
                                       struct rg_expiry_option *option);
/* Errors: RG_EINVAL, RG_ERANGE (not a time; the error is replied). The option names a time. */
RG_MUST_USE int rg_expiry_option_resolve(struct rg_cmd_ctx *ctx,
                                         const struct rg_expiry_option *option, int64_t *ret_at_ms);

/* Whether an expiry lies behind us so that a primary deletes the key instead of setting it. */
bool rg_expiry_is_past(const struct rg_cmd_ctx *ctx, int64_t at_ms);

/* Logs "PEXPIREAT key at_ms" in place of the command. */
void rg_expiry_log(struct rg_cmd_ctx *ctx, struct rg_bytes key, int64_t at_ms);
/* Deletes the key and logs "DEL key" in place of the command. */
void rg_expiry_delete(struct rg_cmd_ctx *ctx, struct rg_bytes key);

#endif
