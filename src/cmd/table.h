#ifndef RG_CMD_TABLE_H
#define RG_CMD_TABLE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/*
 * The one command table: lookup, arity, flags, key positions, documentation and the replies of
 * COMMAND all come from it. Commands of the node itself (INFO, REPLICAOF, …) stand in it too; their
 * handlers live in src/node, found by id.
 */

/* Bits as COMMAND INFO names them. */
enum rg_cmd_flag {
    RG_CMD_WRITE = 1 << 0,
    RG_CMD_READONLY = 1 << 1,
    RG_CMD_DENYOOM = 1 << 2,
    RG_CMD_ADMIN = 1 << 3,
    RG_CMD_PUBSUB = 1 << 4,
    RG_CMD_NOSCRIPT = 1 << 5,
    RG_CMD_BLOCKING = 1 << 6,
    RG_CMD_LOADING = 1 << 7, /* allowed while loading */
    RG_CMD_STALE = 1 << 8,   /* allowed on a replica that lost its primary */
    RG_CMD_SKIP_MONITOR = 1 << 9,
    RG_CMD_SKIP_SLOWLOG = 1 << 10,
    RG_CMD_FAST = 1 << 11,
    RG_CMD_NO_AUTH = 1 << 12,
    RG_CMD_MAY_REPLICATE = 1 << 13,
    RG_CMD_NO_MULTI = 1 << 14,
    RG_CMD_MOVABLEKEYS = 1 << 15,
    RG_CMD_ALLOW_BUSY = 1 << 16,
    RG_CMD_CONTAINER = 1 << 17, /* has subcommands and no handler of its own */
    RG_CMD_HIDDEN = 1 << 18,    /* between Regent's own nodes; not listed by COMMAND */
    RG_CMD_NO_ASYNC_LOADING = 1 << 19,
    RG_CMD_NO_MANDATORY_KEYS = 1 << 20,
};

struct rg_cmd_ctx;

struct rg_command {
    const char *name;  /* lower case; of a subcommand "config|get" */
    int16_t arity;     /* as Redis: negative is a minimum; counts the container's name too */
    uint32_t flags;    /* enum rg_cmd_flag */
    int16_t first_key; /* 0: no keys */
    int16_t last_key;  /* negative counts from the end */
    int16_t key_step;
    const char *key_flags; /* of the key specifications, as commands.def says */
    const char *tips;      /* as COMMAND INFO gives them, by spaces */
    const char *acl;       /* ACL categories, without '@', by spaces */
    const char *group;     /* string, hash, generic, connection, server, pubsub … */
    const char *since;     /* version of Redis that introduced it */
    const char *complexity;
    const char *summary; /* our words */
    const char *syntax;  /* arguments, as documentation writes them: "key value [NX | XX] [GET]" */
    void (*run)(struct rg_cmd_ctx *ctx); /* NULL: the node's own, found by id */
    const struct rg_command *parent;     /* of a subcommand; NULL otherwise */
    uint16_t id;                         /* index in the table; enum rg_cmd_id */
};

/* Names every row of the table: RG_CMD_ID_get, RG_CMD_ID_config_get …; generated from the rows. */
#include "cmd/ids.h"

/* The rows in table order; subcommands follow their container. */
const struct rg_command *rg_cmd_table(unsigned *ret_count);
const struct rg_command *rg_cmd_by_id(unsigned id);
/* Any case; "config|get" for subcommands. NULL where unknown. */
const struct rg_command *rg_cmd_by_name(struct rg_bytes name);
/*
 * The command that argv names, its subcommand where it has them. Errors: RG_ENOENT (unknown
 * command), RG_EINVAL (unknown subcommand of *ret_command, which is then the container).
 */
RG_MUST_USE int rg_cmd_lookup(const struct rg_bytes *argv, int argc,
                              const struct rg_command **ret_command);
static inline bool rg_cmd_arity_ok(const struct rg_command *command, int argc)
{
    return command->arity >= 0 ? argc == command->arity : argc >= -command->arity;
}
/* A key among the words of a request, and what the command does with it: words, as COMMAND
 * GETKEYSANDFLAGS gives them. */
struct rg_key_use {
    int position; /* in argv */
    struct rg_bytes flags;
};
/*
 * The keys of a request. Returns their number, which is less than argc; at most max are written.
 * Errors: RG_EINVAL (argv does not fit the command).
 */
RG_MUST_USE int rg_cmd_keys(const struct rg_command *command, const struct rg_bytes *argv, int argc,
                            struct rg_key_use *ret_keys, int max);
/* Whether its requests can name keys. */
bool rg_cmd_has_keys(const struct rg_command *command);

#endif
