#ifndef RG_SCRIPT_ENGINE_H
#define RG_SCRIPT_ENGINE_H

#include "script/script.h"

/* Private to the layer: what its files share of the interpreter. */

typedef struct lua_State lua_State; /* as in lua.h, which lies where only this layer looks */

struct rg_script {
    struct rg_script *next; /* in the cache */
    char sha[RG_SCRIPT_SHA_LEN + 1];
    unsigned flags;
    int function; /* reference in the registry */
    size_t body_len;
};

struct rg_scripts {
    lua_State *lua;
    const struct rg_script_host *host;
    struct rg_script *cache; /* owned; hundreds at most, by their SHA-1 */
    unsigned count;
    uint64_t cache_bytes;
    int proto; /* of the replies that the running script sees: redis.setresp */
    struct rg_buf
        scratch; /* the reply of a command, or what a library makes; errors may leave it */
};

/* The engine of a state. */
struct rg_scripts *script_engine(lua_State *lua);

/* ---- sandbox.c ---- */
/* Opens the libraries that scripts may use, and closes everything to writing. */
void script_sandbox(struct rg_scripts *scripts);
/* The table at index is replaced by one that reads like it, and refuses to be written. */
void script_protect(lua_State *lua, int index);
/* The table of the globals as scripts see them, and behind it, where KEYS and ARGV are set. */
void script_push_globals(lua_State *lua);

/* ---- api.c ---- */
void script_open_redis(lua_State *lua);
/* Raises an error of the form that the handler of a run understands: text with its code. */
int script_raise(lua_State *lua, const char *text);

/* ---- Libraries: each leaves its table on the stack ---- */
void script_open_struct(lua_State *lua);
void script_open_msgpack(lua_State *lua);
/* cmsgpack.pack, which has a file of its own. */
int script_msgpack_pack(lua_State *lua);

/* ---- to_lua.c, from_lua.c ---- */
/* Puts a list of the table's keys, and with `values` each one's value behind it, in place of the
 * table on the top. Returns the length of the list. */
int script_flatten(lua_State *lua, bool values);
/* Pushes what a whole reply says. */
void script_push_reply(lua_State *lua, struct rg_bytes reply, int proto);
/* Writes the value on the top of the stack as a reply, and takes it off. */
void script_write_reply(struct rg_scripts *scripts, struct rg_reply *reply);

#endif
