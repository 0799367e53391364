#include <lauxlib.h>

#include "script/engine.h"

/*
 * Lua values as MessagePack (msgpack.org, "MessagePack specification"), as the library cmsgpack has
 * it: whole numbers are integers, others floats, or doubles where a float loses something. A table
 * of 1 to n is an array, another one a map. What lies deeper than MSGPACK_DEPTH, and what is no
 * value of the format, is nil.
 */

enum { MSGPACK_DEPTH = 16 };

/* One mark, and a number of so many bytes behind it, the highest first. */
static void msgpack_mark(struct rg_buf *out, unsigned mark, uint64_t value, unsigned bytes)
{
    rg_buf_append_char(out, (char)mark);
    while (bytes-- > 0)
        rg_buf_append_char(out, (char)(value >> (8 * bytes)));
}

static void msgpack_integer(struct rg_buf *out, int64_t value)
{
    uint64_t bits = (uint64_t)value;

    if (value >= -32 && value <= 127)
        msgpack_mark(out, (unsigned)bits & 0xff, 0, 0);
    else if (value >= 0)
        msgpack_mark(out,
                     bits <= 0xff         ? 0xcc
                     : bits <= 0xffff     ? 0xcd
                     : bits <= 0xffffffff ? 0xce
                                          : 0xcf,
                     bits,
                     bits <= 0xff         ? 1
                     : bits <= 0xffff     ? 2
                     : bits <= 0xffffffff ? 4
                                          : 8);
    else if (value >= INT8_MIN)
        msgpack_mark(out, 0xd0, bits, 1);
    else if (value >= INT16_MIN)
        msgpack_mark(out, 0xd1, bits, 2);
    else if (value >= INT32_MIN)
        msgpack_mark(out, 0xd2, bits, 4);
    else
        msgpack_mark(out, 0xd3, bits, 8);
}

static void msgpack_number(struct rg_buf *out, double number)
{
    uint64_t bits;
    uint32_t short_bits;
    float narrow = (float)number;

    if (number >= -0x1p63 && number < 0x1p63 && (double)(int64_t)number == number) {
        msgpack_integer(out, (int64_t)number);
    } else if ((double)narrow == number) {
        memcpy(&short_bits, &narrow, sizeof(short_bits));
        msgpack_mark(out, 0xca, short_bits, 4);
    } else {
        memcpy(&bits, &number, sizeof(bits));
        msgpack_mark(out, 0xcb, bits, 8);
    }
}

static void msgpack_string(lua_State *lua, struct rg_buf *out)
{
    size_t len;
    const char *data = lua_tolstring(lua, -1, &len);

    if (len < 32)
        msgpack_mark(out, 0xa0 | (unsigned)len, 0, 0);
    else
        msgpack_mark(out,
                     len <= 0xff     ? 0xd9
                     : len <= 0xffff ? 0xda
                                     : 0xdb,
                     len,
                     len <= 0xff     ? 1
                     : len <= 0xffff ? 2
                                     : 4);
    rg_buf_append(out, data, len);
}

/* fix: the mark where the count fits into four bits; wide: of 16 bits, and the next one of 32. */
static void msgpack_count(struct rg_buf *out, size_t count, unsigned fix, unsigned wide)
{
    if (count < 16)
        msgpack_mark(out, fix | (unsigned)count, 0, 0);
    else if (count <= 0xffff)
        msgpack_mark(out, wide, count, 2);
    else
        msgpack_mark(out, wide + 1, count, 4);
}

static void msgpack_scalar(lua_State *lua, struct rg_buf *out)
{
    switch (lua_type(lua, -1)) {
    case LUA_TSTRING:
        msgpack_string(lua, out);
        break;
    case LUA_TNUMBER:
        msgpack_number(out, lua_tonumber(lua, -1));
        break;
    case LUA_TBOOLEAN:
        msgpack_mark(out, lua_toboolean(lua, -1) ? 0xc3 : 0xc2, 0, 0);
        break;
    default:
        msgpack_mark(out, 0xc0, 0, 0);
    }
}

/* Whether the table on the top has the keys 1 to n and no others. */
static bool msgpack_is_array(lua_State *lua, int *ret_count)
{
    double most = 0;
    int count = 0;

    lua_pushnil(lua);
    while (lua_next(lua, -2) != 0) {
        double key = lua_type(lua, -2) == LUA_TNUMBER ? lua_tonumber(lua, -2) : 0;
        lua_pop(lua, 1);
        if (key < 1 || key > INT32_MAX || key != (double)(int)key) {
            lua_pop(lua, 1);
            return false;
        }
        most = key > most ? key : most;
        count++;
    }
    *ret_count = count;
    return most == count;
}

struct msgpack_level {
    int count;
    int done;
};

/* Begins with the table on the top, which becomes the list of what is to be written. */
static struct msgpack_level msgpack_begin(lua_State *lua, struct rg_buf *out)
{
    int count = 0;

    if (msgpack_is_array(lua, &count)) {
        msgpack_count(out, (size_t)count, 0x90, 0xdc);
    } else {
        count = script_flatten(lua, true);
        msgpack_count(out, (size_t)count / 2, 0x80, 0xde);
    }
    return (struct msgpack_level){.count = count};
}

/* Writes the value on the top, and takes it off. */
static void msgpack_value(lua_State *lua, struct rg_buf *out)
{
    struct msgpack_level levels[MSGPACK_DEPTH];
    int depth = 0;

    for (;;) {
        if (lua_istable(lua, -1) && depth < MSGPACK_DEPTH) {
            levels[depth++] = msgpack_begin(lua, out);
        } else {
            /* A table that lies too deep is nil, as what is no value is. */
            msgpack_scalar(lua, out);
            lua_pop(lua, 1);
        }
        while (depth > 0 && levels[depth - 1].done == levels[depth - 1].count) {
            depth--;
            lua_pop(lua, 1);
        }
        if (depth == 0)
            return;
        lua_rawgeti(lua, -1, ++levels[depth - 1].done);
    }
}

int script_msgpack_pack(lua_State *lua)
{
    struct rg_buf *out = &script_engine(lua)->scratch;
    int count = lua_gettop(lua);

    luaL_argcheck(lua, count > 0, 0, "MessagePack pack needs input.");
    luaL_checkstack(lua, MSGPACK_DEPTH + 8, "in function cmsgpack.pack");
    rg_buf_reset(out, 64 * 1024);
    for (int i = 1; i <= count; i++) {
        lua_pushvalue(lua, i);
        msgpack_value(lua, out);
    }
    lua_pushlstring(lua, rg_buf_view(out).data, rg_buf_len(out));
    return 1;
}
