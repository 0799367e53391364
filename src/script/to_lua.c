#include <lauxlib.h>

#include "base/panic.h"
#include "script/engine.h"

/*
 * A reply as a Lua value, by the rules of EVAL: a status is {ok=…}, an error {err=…}, nothing is
 * false; and where the script asked for RESP3, {map=…}, {set=…}, {double=…}, {big_number=…},
 * {verbatim_string={string=…, format=…}}, booleans and nil.
 */

enum { TO_LUA_DEPTH = 64 };

enum to_lua_kind { TO_LUA_ARRAY, TO_LUA_SET, TO_LUA_MAP };

struct to_lua_level {
    enum to_lua_kind kind;
    int64_t left; /* elements that are to come; of a map keys and values */
    int64_t done;
};

static void to_lua_wrap(lua_State *lua, const char *name)
{
    lua_createtable(lua, 0, 1);
    lua_insert(lua, -2);
    lua_setfield(lua, -2, name);
}

static void to_lua_bytes(lua_State *lua, struct rg_bytes bytes, const char *name)
{
    lua_pushlstring(lua, bytes.data, bytes.len);
    if (name != NULL)
        to_lua_wrap(lua, name);
}

/* "=15\r\ntxt:Some string\r\n"; the frame's bytes are what stands behind the format. */
static void to_lua_verbatim(lua_State *lua, struct rg_bytes string)
{
    lua_createtable(lua, 0, 2);
    lua_pushlstring(lua, string.data, string.len);
    lua_setfield(lua, -2, "string");
    lua_pushlstring(lua, string.data - 4, 3);
    lua_setfield(lua, -2, "format");
    to_lua_wrap(lua, "verbatim_string");
}

static void to_lua_scalar(lua_State *lua, char mark, const struct rg_frame *frame, int proto)
{
    switch (frame->type) {
    case RG_FRAME_SIMPLE:
        to_lua_bytes(lua, frame->bytes, "ok");
        break;
    case RG_FRAME_ERROR:
        to_lua_bytes(lua, frame->bytes, "err");
        break;
    case RG_FRAME_INTEGER:
        lua_pushnumber(lua, (lua_Number)frame->integer);
        break;
    case RG_FRAME_BULK:
        if (mark == '=')
            to_lua_verbatim(lua, frame->bytes);
        else
            to_lua_bytes(lua, frame->bytes, mark == '(' ? "big_number" : NULL);
        break;
    case RG_FRAME_NULL:
        if (proto == 3 && mark == '_')
            lua_pushnil(lua);
        else
            lua_pushboolean(lua, 0);
        break;
    case RG_FRAME_BOOL:
        lua_pushboolean(lua, frame->integer != 0);
        break;
    case RG_FRAME_DOUBLE:
        lua_pushnumber(lua, frame->number);
        to_lua_wrap(lua, "double");
        break;
    default:
        RG_ASSERT(false);
    }
}

/* Puts the value on the top into the table below it; of a map, a key waits there for its value. */
static void to_lua_add(lua_State *lua, struct to_lua_level *level)
{
    level->left--;
    level->done++;
    if (level->kind == TO_LUA_ARRAY) {
        lua_rawseti(lua, -2, (int)level->done);
    } else if (level->kind == TO_LUA_SET) {
        lua_pushboolean(lua, 1);
        lua_rawset(lua, -3);
    } else if (level->done % 2 == 0) {
        lua_rawset(lua, -3);
    }
}

void script_push_reply(lua_State *lua, struct rg_bytes reply, int proto)
{
    struct to_lua_level levels[TO_LUA_DEPTH];
    size_t depth = 0;

    luaL_checkstack(lua, 2 * TO_LUA_DEPTH + 4, "a reply");
    do {
        struct rg_frame frame;
        size_t used;
        char mark = reply.data[0];
        int result = rg_frame_parse(reply, &used, &frame);
        RG_ASSERT(result == 0);
        reply = rg_bytes(reply.data + used, reply.len - used);
        if (frame.type == RG_FRAME_ARRAY || frame.type == RG_FRAME_MAP) {
            bool map = frame.type == RG_FRAME_MAP;
            RG_ASSERT(depth < TO_LUA_DEPTH);
            levels[depth++] = (struct to_lua_level){
                .kind = map ? TO_LUA_MAP : (mark == '~' ? TO_LUA_SET : TO_LUA_ARRAY),
                .left = map ? 2 * frame.len : frame.len};
            lua_createtable(lua, map || mark == '~' ? 0 : (int)frame.len,
                            map || mark == '~' ? (int)frame.len : 0);
        } else {
            to_lua_scalar(lua, mark, &frame, proto);
            if (depth > 0)
                to_lua_add(lua, &levels[depth - 1]);
        }
        while (depth > 0 && levels[depth - 1].left == 0) {
            enum to_lua_kind kind = levels[--depth].kind;
            if (kind != TO_LUA_ARRAY)
                to_lua_wrap(lua, kind == TO_LUA_MAP ? "map" : "set");
            if (depth > 0)
                to_lua_add(lua, &levels[depth - 1]);
        }
    } while (depth > 0);
}
