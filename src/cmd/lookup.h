#ifndef RG_CMD_LOOKUP_H
#define RG_CMD_LOOKUP_H

#include "cmd/cmd.h"

/*
 * How handlers reach entries: past-due entries are treated by ctx->expiry, hits and misses are
 * counted, access data is kept. Private to the layer.
 */
enum rg_lookup_flag {
    RG_LOOKUP_NO_TOUCH = 1 << 0, /* leave the access data alone */
    RG_LOOKUP_NO_STATS = 1 << 1, /* count neither hit nor miss */
    RG_LOOKUP_NO_NOTE = 1 << 2,  /* subscribers are not told of a miss */
};

static inline int64_t rg_cmd_now_ms(const struct rg_cmd_ctx *ctx)
{
    return ctx->now.wall_us / RG_MS_US;
}

/* For reading, in any database; NULL where there is none or it is past its expiry. */
struct rg_entry *rg_lookup_read_in(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key,
                                   unsigned flags);
/* In ctx->db, counted and touched. */
struct rg_entry *rg_lookup_read(struct rg_cmd_ctx *ctx, struct rg_bytes key);
/*
 * For changing. A past-due entry is gone afterwards, also on a replica that takes writes: the
 * command must not build on it.
 */
struct rg_entry *rg_lookup_write_in(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key);
struct rg_entry *rg_lookup_write(struct rg_cmd_ctx *ctx, struct rg_bytes key);

/*
 * The same for one type. *ret_entry is NULL where there is none. Errors: RG_ETYPE (the WRONGTYPE
 * reply is written).
 */
RG_MUST_USE int rg_lookup_read_type(struct rg_cmd_ctx *ctx, struct rg_bytes key, enum rg_type type,
                                    struct rg_entry **ret_entry);
RG_MUST_USE int rg_lookup_write_type(struct rg_cmd_ctx *ctx, struct rg_bytes key, enum rg_type type,
                                     struct rg_entry **ret_entry);

/* Whether clients see the entry as gone. False while the primary's stream is applied. */
bool rg_lookup_is_expired(const struct rg_cmd_ctx *ctx, const struct rg_entry *entry);
/* Deletes a past-due entry as a primary: counted, with a DEL for the log. */
void rg_lookup_delete_expired(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key);

/* Marks the entry as used now; every entry that a command creates is marked too. */
void rg_lookup_touch(struct rg_cmd_ctx *ctx, struct rg_entry *entry);

#endif
