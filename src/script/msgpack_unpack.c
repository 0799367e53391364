#include <lauxlib.h>

#include "script/engine.h"

/* MessagePack as Lua values: maps and arrays are tables, binary strings are strings. */

enum { MSGPACK_DEPTH = 200 };

struct msgpack_reader {
    lua_State *lua;
    const unsigned char *data;
    size_t left;
    const char *error;
};

struct msgpack_level {
    bool map;
    uint64_t left; /* values that are to come; of a map keys and values */
    uint64_t done;
};

/* So many bytes as one number, the highest first; 0, with the error noted, where they are missing.
 */
static uint64_t msgpack_take(struct msgpack_reader *reader, unsigned bytes)
{
    uint64_t value = 0;

    if (reader->left < bytes) {
        reader->error = "Missing bytes in input.";
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | reader->data[i];
    reader->data += bytes;
    reader->left -= bytes;
    return value;
}

static void msgpack_push_string(struct msgpack_reader *reader, uint64_t len)
{
    if (reader->error == NULL && len > reader->left)
        reader->error = "Missing bytes in input.";
    if (reader->error != NULL)
        return;
    lua_pushlstring(reader->lua, (const char *)reader->data, (size_t)len);
    reader->data += len;
    reader->left -= (size_t)len;
}

static void msgpack_push_float(struct msgpack_reader *reader, unsigned bytes)
{
    uint64_t bits = msgpack_take(reader, bytes);
    uint32_t short_bits = (uint32_t)bits;
    float narrow;
    double wide;

    if (reader->error != NULL)
        return;
    memcpy(&narrow, &short_bits, sizeof(narrow));
    memcpy(&wide, &bits, sizeof(wide));
    lua_pushnumber(reader->lua, bytes == 4 ? (double)narrow : wide);
}

static double msgpack_signed(uint64_t bits, unsigned bytes)
{
    switch (bytes) {
    case 1:
        return (int8_t)bits;
    case 2:
        return (int16_t)bits;
    case 4:
        return (int32_t)bits;
    default:
        return (double)(int64_t)bits;
    }
}

static void msgpack_push_integer(struct msgpack_reader *reader, unsigned bytes, bool negative)
{
    uint64_t bits = msgpack_take(reader, bytes);

    if (reader->error == NULL)
        lua_pushnumber(reader->lua, negative ? msgpack_signed(bits, bytes) : (double)bits);
}

/* Begins a table, whose values are to come; each takes one byte at least. */
static bool msgpack_begin(struct msgpack_reader *reader, bool map, uint64_t count,
                          struct msgpack_level *level)
{
    if (reader->error == NULL && count > reader->left)
        reader->error = "Missing bytes in input.";
    if (reader->error != NULL)
        return false;
    *level = (struct msgpack_level){.map = map, .left = map ? 2 * count : count};
    lua_newtable(reader->lua);
    return true;
}

/* Reads one value. True: it is a table that begins. */
static bool msgpack_next(struct msgpack_reader *reader, struct msgpack_level *level)
{
    unsigned mark = (unsigned)msgpack_take(reader, 1);

    if (reader->error != NULL)
        return false;
    if (mark <= 0x7f || mark >= 0xe0)
        lua_pushnumber(reader->lua, (double)(int8_t)mark);
    else if (mark <= 0x8f)
        return msgpack_begin(reader, true, mark & 15, level);
    else if (mark <= 0x9f)
        return msgpack_begin(reader, false, mark & 15, level);
    else if (mark <= 0xbf)
        msgpack_push_string(reader, mark & 31);
    else if (mark == 0xc0)
        lua_pushnil(reader->lua);
    else if (mark == 0xc2 || mark == 0xc3)
        lua_pushboolean(reader->lua, mark == 0xc3);
    else if (mark >= 0xc4 && mark <= 0xc6)
        msgpack_push_string(reader, msgpack_take(reader, 1U << (mark - 0xc4)));
    else if (mark == 0xca || mark == 0xcb)
        msgpack_push_float(reader, mark == 0xca ? 4 : 8);
    else if (mark >= 0xcc && mark <= 0xd3)
        msgpack_push_integer(reader, 1U << ((mark - 0xcc) & 3), mark >= 0xd0);
    else if (mark >= 0xd9 && mark <= 0xdb)
        msgpack_push_string(reader, msgpack_take(reader, 1U << (mark - 0xd9)));
    else if (mark == 0xdc || mark == 0xdd)
        return msgpack_begin(reader, false, msgpack_take(reader, mark == 0xdc ? 2 : 4), level);
    else if (mark == 0xde || mark == 0xdf)
        return msgpack_begin(reader, true, msgpack_take(reader, mark == 0xde ? 2 : 4), level);
    else
        reader->error = "Bad data format in input.";
    return false;
}

/* Puts the value on the top into the table below; of a map, a key waits there for its value. */
static void msgpack_add(struct msgpack_reader *reader, struct msgpack_level *level)
{
    lua_State *lua = reader->lua;

    level->left--;
    level->done++;
    if (!level->map) {
        lua_rawseti(lua, -2, (int)level->done);
    } else if (level->done % 2 == 0) {
        /* No table can have such a key. */
        bool no_key = lua_isnil(lua, -2) || (lua_isnumber(lua, -2) != 0 &&
                                             lua_tonumber(lua, -2) != lua_tonumber(lua, -2));
        if (no_key)
            reader->error = "Bad data format in input.";
        else
            lua_rawset(lua, -3);
    }
}

/* Reads one whole value, which is left on the top. */
static void msgpack_value(struct msgpack_reader *reader)
{
    struct msgpack_level levels[MSGPACK_DEPTH];
    size_t depth = 0;

    do {
        if (msgpack_next(reader, &levels[depth]))
            depth++;
        else if (depth > 0 && reader->error == NULL)
            msgpack_add(reader, &levels[depth - 1]);
        if (depth == MSGPACK_DEPTH)
            reader->error = "Bad data format in input.";
        while (depth > 0 && reader->error == NULL && levels[depth - 1].left == 0) {
            depth--;
            if (depth > 0)
                msgpack_add(reader, &levels[depth - 1]);
        }
    } while (depth > 0 && reader->error == NULL);
}

/* Pushes up to `limit` values (0: all) from the offset on; with the offset behind them in front, or
 * -1 at the end, where it is asked for. */
static int msgpack_values(lua_State *lua, long long limit, long long offset, bool told)
{
    struct msgpack_reader reader = {.lua = lua};
    int count = 0;
    size_t len;
    const char *data = luaL_checklstring(lua, 1, &len);

    if (offset < 0 || limit < 0)
        /* The library of Redis names the length of the input here. */
        return luaL_error(lua, "Invalid request to unpack with offset of %d and limit of %d.",
                          (int)offset, (int)len);
    if ((size_t)offset > len)
        return luaL_error(lua, "Start offset %d greater than input length %d.", (int)offset,
                          (int)len);
    reader.data = (const unsigned char *)data + offset;
    reader.left = len - (size_t)offset;
    for (; reader.left > 0 && (limit == 0 || count < limit); count++) {
        luaL_checkstack(lua, 2 * MSGPACK_DEPTH + 4, "in function cmsgpack.unpack");
        msgpack_value(&reader);
        if (reader.error != NULL)
            return luaL_error(lua, "%s", reader.error);
    }
    if (!told)
        return count;
    lua_pushnumber(lua, reader.left == 0 ? -1 : (double)(len - reader.left));
    lua_insert(lua, -(count + 1));
    return count + 1;
}

static int msgpack_unpack(lua_State *lua)
{
    return msgpack_values(lua, 0, 0, false);
}

static int msgpack_unpack_one(lua_State *lua)
{
    return msgpack_values(lua, 1, (long long)luaL_optinteger(lua, 2, 0), true);
}

static int msgpack_unpack_limit(lua_State *lua)
{
    return msgpack_values(lua, (long long)luaL_checkinteger(lua, 2),
                          (long long)luaL_optinteger(lua, 3, 0), true);
}

void script_open_msgpack(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        {"pack", script_msgpack_pack},
        {"unpack", msgpack_unpack},
        {"unpack_one", msgpack_unpack_one},
        {"unpack_limit", msgpack_unpack_limit},
        {NULL, NULL},
    };
    static const char *const texts[][2] = {
        {"_NAME", "cmsgpack"},
        {"_VERSION", "lua-cmsgpack 0.4.0"},
        {"_COPYRIGHT", "Copyright (C) 2026, the authors of Regent"},
        {"_DESCRIPTION", "MessagePack for scripts"},
    };

    lua_newtable(lua);
    luaL_register(lua, NULL, functions);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        lua_pushstring(lua, texts[i][1]);
        lua_setfield(lua, -2, texts[i][0]);
    }
}
