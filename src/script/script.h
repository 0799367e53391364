#ifndef RG_SCRIPT_SCRIPT_H
#define RG_SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/rand.h"
#include "proto/resp.h"

/*
 * Lua 5.1 scripts as EVAL runs them: LuaJIT's interpreter (its compiler is off, so that a script
 * can be stopped), in a sandbox without files, the system, loaders of bytecode or writable globals.
 * The engine does no I/O and knows no keyspace: commands go through its host.
 */
struct rg_scripts;
/* A script in the cache; it lives until the cache is flushed. */
struct rg_script;

enum { RG_SCRIPT_SHA_LEN = 40 };

/* What the shebang line says ("#!lua flags=no-writes,allow-oom"). */
enum rg_script_flag {
    RG_SCRIPT_NO_WRITES = 1,
    RG_SCRIPT_ALLOW_OOM = 2,
    RG_SCRIPT_ALLOW_STALE = 4,
    RG_SCRIPT_NO_CLUSTER = 8,
    RG_SCRIPT_CROSS_SLOT = 16,
    RG_SCRIPT_PLAIN = 32, /* there is no such line: what it may do is asked command by command */
};

/* What redis.set_repl says of the commands that follow. */
enum rg_script_repl { RG_SCRIPT_REPL_AOF = 1, RG_SCRIPT_REPL_REPLICA = 2, RG_SCRIPT_REPL_ALL = 3 };

struct rg_script_host {
    /*
     * Runs a command of the script, which writes one reply: of `reply`'s protocol. An error that is
     * none of the command's own (it may not be run) sets *ret_refused.
     */
    void (*call)(void *arg, const struct rg_bytes *argv, int argc, struct rg_reply *reply,
                 bool *ret_refused);
    /* level: 0 (debug) to 3 (warning), as Redis counts them. */
    void (*log)(void *arg, int level, struct rg_bytes text);
    /* 1: the command could be run; 0: the user may not; -1: there is no such command. */
    int (*may_call)(void *arg, const struct rg_bytes *argv, int argc);
    void (*set_repl)(void *arg, unsigned repl);
    void *arg;
    struct rg_rand *rand; /* borrowed; math.random draws from it */
};

/* host is borrowed, and so is what it names. */
struct rg_scripts *rg_scripts_new(const struct rg_script_host *host);
void rg_scripts_free(struct rg_scripts *scripts);

/* Lower-case hexadecimal SHA-1, with a zero byte. */
void rg_script_sha(struct rg_bytes body, char ret_sha[RG_SCRIPT_SHA_LEN + 1]);

/*
 * The script of this body, compiled if it is not in the cache. Errors: RG_EINVAL; the error reply's
 * text, with its code, is put into error.
 */
RG_MUST_USE int rg_scripts_load(struct rg_scripts *scripts, struct rg_bytes body,
                                const struct rg_script **ret_script, struct rg_buf *error);
/* By its SHA-1 in any case. NULL: it is not in the cache. */
const struct rg_script *rg_scripts_find(const struct rg_scripts *scripts, struct rg_bytes sha);
void rg_scripts_flush(struct rg_scripts *scripts);
unsigned rg_scripts_count(const struct rg_scripts *scripts);
/* Bytes: of the interpreter, and of the cache beside it. */
uint64_t rg_scripts_vm_bytes(const struct rg_scripts *scripts);
uint64_t rg_scripts_cache_bytes(const struct rg_scripts *scripts);

unsigned rg_script_flags(const struct rg_script *script);   /* enum rg_script_flag */
const char *rg_script_name(const struct rg_script *script); /* its SHA-1 */

/* Runs it to its end; writes one reply. KEYS and ARGV are copied. */
void rg_script_run(struct rg_scripts *scripts, const struct rg_script *script,
                   const struct rg_bytes *keys, int key_count, const struct rg_bytes *args,
                   int arg_count, struct rg_reply *reply);

#endif
