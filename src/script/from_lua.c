#include <lauxlib.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "script/engine.h"

/*
 * A Lua value as a reply, by the rules of EVAL. Tables may hold themselves: the depth is bounded,
 * and what lies deeper is an error in its place.
 */

enum { FROM_LUA_DEPTH = 1000, FROM_LUA_STACK = 8 };

struct from_lua_level {
    int64_t count;
    int64_t done;
};

/* A field of the table on the top; false, with nothing pushed, where it is not of the type. */
static bool from_lua_field(lua_State *lua, const char *name, int type)
{
    lua_pushstring(lua, name);
    lua_rawget(lua, -2);
    if (lua_type(lua, -1) == type)
        return true;
    lua_pop(lua, 1);
    return false;
}

static struct rg_bytes from_lua_bytes(lua_State *lua)
{
    size_t len;
    const char *data = lua_tolstring(lua, -1, &len);

    return rg_bytes(data, len);
}

/* An error's or a status' text ends at a zero byte. */
static void from_lua_text(lua_State *lua, struct rg_reply *reply, bool error)
{
    const char *text = lua_tostring(lua, -1);

    if (error)
        rg_reply_error(reply, *text == '-' ? text + 1 : text);
    else
        rg_reply_simple(reply, text);
}

static void from_lua_verbatim(lua_State *lua, struct rg_reply *reply)
{
    char format[4] = "";

    if (from_lua_field(lua, "format", LUA_TSTRING)) {
        struct rg_bytes text = from_lua_bytes(lua);
        memcpy(format, text.data, text.len < 3 ? text.len : 3);
        lua_pop(lua, 1);
    }
    if (!from_lua_field(lua, "string", LUA_TSTRING)) {
        rg_reply_null(reply);
        return;
    }
    rg_reply_verbatim(reply, format, from_lua_bytes(lua));
    lua_pop(lua, 1);
}

static void from_lua_big_number(struct rg_reply *reply, struct rg_bytes digits)
{
    if (reply->proto == 2) {
        rg_reply_bulk(reply, digits);
        return;
    }
    rg_buf_append_char(reply->out, '(');
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.data[i];
        rg_buf_append_char(reply->out, (char)(c == '\r' || c == '\n' ? ' ' : c));
    }
    rg_buf_append_str(reply->out, "\r\n");
}

/* A table that stands for something else than an array. The field is written, and taken off. */
static bool from_lua_special(lua_State *lua, struct rg_reply *reply)
{
    if (from_lua_field(lua, "err", LUA_TSTRING)) {
        from_lua_text(lua, reply, true);
    } else if (from_lua_field(lua, "ok", LUA_TSTRING)) {
        from_lua_text(lua, reply, false);
    } else if (from_lua_field(lua, "double", LUA_TNUMBER)) {
        rg_reply_double(reply, lua_tonumber(lua, -1));
    } else if (from_lua_field(lua, "big_number", LUA_TSTRING)) {
        from_lua_big_number(reply, from_lua_bytes(lua));
    } else if (from_lua_field(lua, "verbatim_string", LUA_TTABLE)) {
        from_lua_verbatim(lua, reply);
    } else {
        return false;
    }
    lua_pop(lua, 1);
    return true;
}

/* Elements up to the first nil. */
static int64_t from_lua_count(lua_State *lua)
{
    for (int64_t count = 0;; count++) {
        lua_rawgeti(lua, -1, (int)count + 1);
        bool end = lua_isnil(lua, -1);
        lua_pop(lua, 1);
        if (end)
            return count;
    }
}

int script_flatten(lua_State *lua, bool values)
{
    int count = 0;

    lua_newtable(lua);
    lua_pushnil(lua);
    while (lua_next(lua, -3) != 0) {
        lua_pushvalue(lua, -2);
        lua_rawseti(lua, -4, ++count);
        if (values)
            lua_rawseti(lua, -3, ++count);
        else
            lua_pop(lua, 1);
    }
    lua_replace(lua, -2);
    return count;
}

/* Begins with the table on the top; what is left there is the list of what is to be written. */
static struct from_lua_level from_lua_begin(lua_State *lua, struct rg_reply *reply)
{
    bool map = from_lua_field(lua, "map", LUA_TTABLE);
    bool set = !map && from_lua_field(lua, "set", LUA_TTABLE);
    int64_t count;

    if (map || set) {
        lua_replace(lua, -2);
        count = script_flatten(lua, map);
    } else {
        count = from_lua_count(lua);
    }
    if (map)
        rg_reply_map(reply, count / 2);
    else if (set)
        rg_reply_set(reply, count);
    else
        rg_reply_array(reply, count);
    return (struct from_lua_level){.count = count};
}

/* proto: of the replies that the script asked for; only then are booleans such. */
static void from_lua_scalar(lua_State *lua, struct rg_reply *reply, int proto)
{
    int type = lua_type(lua, -1);

    if (type == LUA_TSTRING) {
        rg_reply_bulk(reply, from_lua_bytes(lua));
    } else if (type == LUA_TNUMBER) {
        double number = lua_tonumber(lua, -1);
        /* What no integer holds becomes the lowest one, as the processors of Redis have it. */
        bool fits = number >= -0x1p63 && number < 0x1p63;
        rg_reply_i64(reply, fits ? (int64_t)number : INT64_MIN);
    } else if (type == LUA_TBOOLEAN && (proto == 3 || lua_toboolean(lua, -1))) {
        if (proto == 3)
            rg_reply_bool(reply, lua_toboolean(lua, -1) != 0);
        else
            rg_reply_i64(reply, 1);
    } else {
        rg_reply_null(reply);
    }
}

/* Writes the value on the top. True: it is a table, of which the elements are to come. */
static bool from_lua_value(lua_State *lua, struct rg_reply *reply, int proto)
{
    if (lua_istable(lua, -1) && !from_lua_special(lua, reply))
        return true;
    if (!lua_istable(lua, -1))
        from_lua_scalar(lua, reply, proto);
    return false;
}

void script_write_reply(struct rg_scripts *scripts, struct rg_reply *reply)
{
    lua_State *lua = scripts->lua;
    struct from_lua_level *levels = rg_alloc(FROM_LUA_DEPTH * sizeof(*levels));
    int bottom = lua_gettop(lua);
    size_t depth = 0;

    /* On the stack lie the tables of the levels, and above them the value that is written. */
    for (;;) {
        bool table = from_lua_value(lua, reply, scripts->proto);
        if (table && (depth == FROM_LUA_DEPTH || lua_checkstack(lua, FROM_LUA_STACK + 1) == 0)) {
            rg_reply_error(reply, "ERR reached lua stack limit");
            table = false;
        }
        if (table)
            levels[depth++] = from_lua_begin(lua, reply);
        else
            lua_pop(lua, 1);
        while (depth > 0 && levels[depth - 1].done == levels[depth - 1].count) {
            depth--;
            lua_pop(lua, 1);
        }
        if (depth == 0)
            break;
        lua_rawgeti(lua, -1, (int)++levels[depth - 1].done);
    }
    RG_ASSERT(lua_gettop(lua) == bottom - 1);
    rg_free(levels);
}
