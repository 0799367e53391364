#include <lauxlib.h>
#include <lualib.h>

#include "script/engine.h"

/* Debian's lua-cjson-dev names it in a header that includes no other. */
extern int luaopen_cjson(lua_State *lua);

/*
 * What scripts find around them. The tables of the globals and of the libraries are stood in for by
 * empty ones that read through and refuse to be written (`protected` below); functions that would
 * write, list or unwrap them know that.
 */

static const char sandbox_key; /* in a protected table's metatable: the table that it stands for */
static const char sandbox_roots; /* in the registry: the globals as scripts see them */

static void sandbox_push_key(lua_State *lua, const char *key)
{
    lua_pushlightuserdata(lua, (void *)(uintptr_t)key);
}

/* Pushes the table that the one at index stands for: false, and nothing is pushed, for others. */
static bool sandbox_unwrap(lua_State *lua, int index)
{
    if (!lua_istable(lua, index) || lua_getmetatable(lua, index) == 0)
        return false;
    sandbox_push_key(lua, &sandbox_key);
    lua_rawget(lua, -2);
    lua_remove(lua, -2);
    if (!lua_isnil(lua, -1))
        return true;
    lua_pop(lua, 1);
    return false;
}

static int sandbox_refuse(lua_State *lua)
{
    return luaL_error(lua, "Attempt to modify a readonly table");
}

void script_protect(lua_State *lua, int index)
{
    lua_newtable(lua);
    lua_createtable(lua, 0, 4);
    lua_pushvalue(lua, index);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, sandbox_refuse);
    lua_setfield(lua, -2, "__newindex");
    sandbox_push_key(lua, &sandbox_key);
    lua_pushvalue(lua, index);
    lua_rawset(lua, -3);
    (void)lua_setmetatable(lua, -2);
    lua_replace(lua, index);
}

void script_push_globals(lua_State *lua)
{
    sandbox_push_key(lua, &sandbox_roots);
    lua_rawget(lua, LUA_REGISTRYINDEX);
    (void)sandbox_unwrap(lua, -1);
    lua_remove(lua, -2);
}

/* ---- Functions that stand before Lua's own, which is their upvalue ---- */

static int sandbox_go_on(lua_State *lua)
{
    int count = lua_gettop(lua);

    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, count, LUA_MULTRET);
    return lua_gettop(lua);
}

/* rawset, setmetatable, table.insert and their like. */
static int sandbox_writes(lua_State *lua)
{
    if (sandbox_unwrap(lua, 1))
        return script_raise(lua, "ERR Attempt to modify a readonly table");
    return sandbox_go_on(lua);
}

/* next, pairs, rawget and their like. */
static int sandbox_reads(lua_State *lua)
{
    if (sandbox_unwrap(lua, 1))
        lua_replace(lua, 1);
    return sandbox_go_on(lua);
}

/* Metatables of strings and of protected tables are nobody's business. */
static int sandbox_getmetatable(lua_State *lua)
{
    luaL_checkany(lua, 1);
    if (lua_istable(lua, 1) && !sandbox_unwrap(lua, 1))
        return sandbox_go_on(lua);
    lua_pushnil(lua);
    return 1;
}

static int sandbox_missing(lua_State *lua)
{
    return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'",
                      lua_tostring(lua, 2) == NULL ? "?" : lua_tostring(lua, 2));
}

/* The text only: bytecode is not checked by who runs it. */
static int sandbox_compile(lua_State *lua, struct rg_bytes text, const char *name)
{
    if (luaL_loadbufferx(lua, text.data, text.len, name, "t") == 0)
        return 1;
    lua_pushnil(lua);
    lua_insert(lua, -2);
    return 2;
}

static int sandbox_loadstring(lua_State *lua)
{
    size_t len;
    const char *data = luaL_checklstring(lua, 1, &len);

    return sandbox_compile(lua, rg_bytes(data, len), luaL_optstring(lua, 2, data));
}

/* From the pieces that a function returns, until it returns none. */
static int sandbox_load(lua_State *lua)
{
    luaL_Buffer text;
    size_t len;

    luaL_checktype(lua, 1, LUA_TFUNCTION);
    const char *name = luaL_optstring(lua, 2, "=(load)");
    luaL_buffinit(lua, &text);
    for (;;) {
        lua_pushvalue(lua, 1);
        lua_call(lua, 0, 1);
        if (!lua_isstring(lua, -1) || lua_objlen(lua, -1) == 0)
            break;
        luaL_addvalue(&text);
    }
    lua_pop(lua, 1);
    luaL_pushresult(&text);
    const char *data = lua_tolstring(lua, -1, &len);
    return sandbox_compile(lua, rg_bytes(data, len), name);
}

static int sandbox_random(lua_State *lua)
{
    struct rg_rand *rand = script_engine(lua)->host->rand;
    double unit = rg_rand_unit(rand);
    int count = lua_gettop(lua);

    if (count == 0) {
        lua_pushnumber(lua, unit);
        return 1;
    }
    double low = count == 1 ? 1 : luaL_checknumber(lua, 1);
    double high = luaL_checknumber(lua, count == 1 ? 1 : 2);
    luaL_argcheck(lua, low <= high, count == 1 ? 1 : 2, "interval is empty");
    /* Whole numbers, each as likely. */
    double drawn = (double)(int64_t)(unit * (high - low + 1));
    lua_pushnumber(lua, low + drawn);
    return 1;
}

static int sandbox_randomseed(lua_State *lua)
{
    rg_rand_init(script_engine(lua)->host->rand, (uint64_t)(int64_t)luaL_checknumber(lua, 1));
    return 0;
}

/* ---- Setting up ---- */

/* Replaces a function of the table on the top by one that may go on with it. */
static void sandbox_stand_before(lua_State *lua, const char *name, lua_CFunction function)
{
    lua_getfield(lua, -1, name);
    if (lua_isnil(lua, -1)) {
        lua_pop(lua, 1);
        return;
    }
    lua_pushcclosure(lua, function, 1);
    lua_setfield(lua, -2, name);
}

/* Scripts that catch an error of redis.call get its text. In Lua, since a C function that calls one
 * of Lua could not be left and entered again. */
static void sandbox_pcall(lua_State *lua)
{
    static const char text[] =
        "local pcall, type = pcall, type\n"
        "local function told(ok, e, ...)\n"
        "    if not ok and type(e) == 'table' and type(e.err) == 'string' then\n"
        "        return false, e.err\n"
        "    end\n"
        "    return ok, e, ...\n"
        "end\n"
        "return function(...) return told(pcall(...)) end\n";

    if (luaL_loadbufferx(lua, text, sizeof(text) - 1, "=pcall", "t") != 0)
        (void)lua_error(lua);
    lua_call(lua, 0, 1);
    lua_setfield(lua, -2, "pcall");
}

static void sandbox_base(lua_State *lua)
{
    static const char *const kept[] = {
        "_VERSION",     "assert",   "collectgarbage", "error",  "gcinfo",
        "getmetatable", "ipairs",   "next",           "pairs",  "pcall",
        "rawequal",     "rawget",   "rawset",         "select", "setmetatable",
        "tonumber",     "tostring", "type",           "unpack", "xpcall",
    };

    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        lua_getglobal(lua, kept[i]);
        lua_setfield(lua, -2, kept[i]);
    }
    sandbox_stand_before(lua, "rawset", sandbox_writes);
    sandbox_stand_before(lua, "setmetatable", sandbox_writes);
    sandbox_stand_before(lua, "next", sandbox_reads);
    sandbox_stand_before(lua, "pairs", sandbox_reads);
    sandbox_stand_before(lua, "rawget", sandbox_reads);
    sandbox_stand_before(lua, "getmetatable", sandbox_getmetatable);
    sandbox_pcall(lua);
    lua_pushcfunction(lua, sandbox_loadstring);
    lua_setfield(lua, -2, "loadstring");
    lua_pushcfunction(lua, sandbox_load);
    lua_setfield(lua, -2, "load");
}

/* Puts the library that lies on the top into the globals below it. */
static void sandbox_library(lua_State *lua, const char *name)
{
    script_protect(lua, lua_gettop(lua));
    lua_setfield(lua, -2, name);
}

static void sandbox_libraries(lua_State *lua)
{
    lua_getglobal(lua, "table");
    sandbox_stand_before(lua, "insert", sandbox_writes);
    sandbox_stand_before(lua, "remove", sandbox_writes);
    sandbox_stand_before(lua, "sort", sandbox_writes);
    sandbox_library(lua, "table");
    lua_getglobal(lua, "string");
    sandbox_library(lua, "string");
    lua_getglobal(lua, "math");
    lua_pushcfunction(lua, sandbox_random);
    lua_setfield(lua, -2, "random");
    lua_pushcfunction(lua, sandbox_randomseed);
    lua_setfield(lua, -2, "randomseed");
    sandbox_library(lua, "math");
    lua_getglobal(lua, "coroutine");
    sandbox_library(lua, "coroutine");
    lua_getglobal(lua, "bit");
    sandbox_library(lua, "bit");
    lua_pushcfunction(lua, luaopen_cjson);
    lua_call(lua, 0, 1);
    sandbox_library(lua, "cjson");
    script_open_struct(lua);
    sandbox_library(lua, "struct");
    script_open_msgpack(lua);
    sandbox_library(lua, "cmsgpack");
    script_open_redis(lua);
    sandbox_library(lua, "redis");
}

void script_sandbox(struct rg_scripts *scripts)
{
    static const luaL_Reg libraries[] = {
        {"", luaopen_base},     {"table", luaopen_table}, {"string", luaopen_string},
        {"math", luaopen_math}, {"bit", luaopen_bit},     {NULL, NULL},
    };
    lua_State *lua = scripts->lua;

    for (const luaL_Reg *library = libraries; library->func != NULL; library++) {
        lua_pushcfunction(lua, library->func);
        lua_pushstring(lua, library->name);
        lua_call(lua, 1, 0);
    }
    lua_newtable(lua);
    int globals = lua_gettop(lua);
    sandbox_base(lua);
    sandbox_libraries(lua);
    lua_createtable(lua, 0, 1);
    lua_pushcfunction(lua, sandbox_missing);
    lua_setfield(lua, -2, "__index");
    (void)lua_setmetatable(lua, globals);
    lua_pushvalue(lua, globals);
    script_protect(lua, lua_gettop(lua));
    lua_pushvalue(lua, -1);
    lua_setfield(lua, globals, "_G");
    sandbox_push_key(lua, &sandbox_roots);
    lua_pushvalue(lua, -2);
    lua_rawset(lua, LUA_REGISTRYINDEX);
    /* From here on, all code is compiled against it. */
    lua_replace(lua, LUA_GLOBALSINDEX);
    lua_settop(lua, 0);
}
