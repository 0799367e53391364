#include <lauxlib.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/number.h"
#include "script/engine.h"

/* The table `redis` of scripts. */

enum { API_WORDS = 32 };

/* Pushes {err=text}. */
static void api_push_error(lua_State *lua, const char *text)
{
    lua_createtable(lua, 0, 1);
    lua_pushstring(lua, text);
    lua_setfield(lua, -2, "err");
}

int script_raise(lua_State *lua, const char *text)
{
    api_push_error(lua, text);
    return lua_error(lua);
}

/* ---- redis.call and redis.pcall ---- */

/* Numbers go as Redis writes them: integers as such, others with 17 digits. */
static void api_number(lua_State *lua, int index)
{
    char text[64];
    double number = lua_tonumber(lua, index);

    if (number > -0x1p53 && number < 0x1p53 && number == (double)(int64_t)number)
        (void)snprintf(text, sizeof(text), "%lld", (long long)number);
    else
        (void)snprintf(text, sizeof(text), "%.17g", number);
    lua_pushstring(lua, text);
    lua_replace(lua, index);
}

/* The arguments as words, which live as long as they stand on the stack. */
static const char *api_words(lua_State *lua, struct rg_bytes *words, int count)
{
    if (count == 0)
        return "ERR Please specify at least one argument for this redis lib call";
    for (int i = 1; i <= count; i++) {
        int type = lua_type(lua, i);
        if (type != LUA_TSTRING && type != LUA_TNUMBER)
            return "ERR Lua redis lib command arguments must be strings or integers";
        if (type == LUA_TNUMBER)
            api_number(lua, i);
        size_t len;
        const char *data = lua_tolstring(lua, i, &len);
        words[i - 1] = rg_bytes(data, len);
    }
    return NULL;
}

static int api_run(lua_State *lua, const struct rg_bytes *words, int count, bool raise)
{
    struct rg_scripts *scripts = script_engine(lua);
    struct rg_reply reply = {.out = &scripts->scratch, .proto = scripts->proto};
    bool refused = false;

    rg_buf_reset(&scripts->scratch, 64 * 1024);
    scripts->host->call(scripts->host->arg, words, count, &reply, &refused);
    struct rg_bytes all = rg_buf_view(&scripts->scratch);
    bool error = all.data[0] == '-';
    script_push_reply(lua, all, scripts->proto);
    if (!error)
        return 1;
    if (!refused) {
        lua_pushboolean(lua, 1);
        lua_setfield(lua, -2, "ignore_error_stats_update");
    }
    return raise ? lua_error(lua) : 1;
}

static int api_command(lua_State *lua, bool raise)
{
    int count = lua_gettop(lua);
    /* Lua owns the room, for an error may leave this function behind. */
    struct rg_bytes some[API_WORDS];
    struct rg_bytes *words =
        count <= API_WORDS ? some : lua_newuserdata(lua, sizeof(*words) * (size_t)count);
    const char *error = api_words(lua, words, count);

    if (error == NULL)
        return api_run(lua, words, count, raise);
    if (raise)
        return script_raise(lua, error);
    api_push_error(lua, error);
    return 1;
}

static int api_call(lua_State *lua)
{
    return api_command(lua, true);
}

static int api_pcall(lua_State *lua)
{
    return api_command(lua, false);
}

/* ---- The rest ---- */

static int api_single_field(lua_State *lua, const char *name)
{
    if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING) {
        api_push_error(lua, "ERR wrong number or type of arguments");
        return 1;
    }
    lua_createtable(lua, 0, 1);
    lua_pushvalue(lua, 1);
    lua_setfield(lua, -2, name);
    return 1;
}

/* Of one word it is the message of an ERR; of several, the first one is the code. */
static int api_error_reply(lua_State *lua)
{
    if (lua_gettop(lua) == 1 && lua_type(lua, 1) == LUA_TSTRING) {
        const char *text = lua_tostring(lua, 1);
        text += *text == '-';
        lua_pushfstring(lua, "%s%s", strchr(text, ' ') == NULL ? "ERR " : "", text);
        lua_replace(lua, 1);
    }
    return api_single_field(lua, "err");
}

static int api_status_reply(lua_State *lua)
{
    return api_single_field(lua, "ok");
}

static int api_sha1hex(lua_State *lua)
{
    char sha[RG_SCRIPT_SHA_LEN + 1];
    size_t len;

    if (lua_gettop(lua) != 1)
        return script_raise(lua, "ERR wrong number of arguments");
    const char *data = lua_tolstring(lua, 1, &len);
    rg_script_sha(rg_bytes(data == NULL ? "" : data, data == NULL ? 0 : len), sha);
    lua_pushstring(lua, sha);
    return 1;
}

static int api_log(lua_State *lua)
{
    struct rg_scripts *scripts = script_engine(lua);
    luaL_Buffer text;
    int count = lua_gettop(lua);
    size_t len;

    if (count < 2)
        return script_raise(lua, "ERR redis.log() requires two arguments or more.");
    if (lua_isnumber(lua, 1) == 0)
        return script_raise(lua, "ERR First argument must be a number (log level).");
    int level = (int)lua_tonumber(lua, 1);
    if (level < 0 || level > 3)
        return script_raise(lua, "ERR Invalid debug level.");
    luaL_buffinit(lua, &text);
    for (int i = 2; i <= count; i++) {
        const char *data = lua_tolstring(lua, i, &len);
        if (data == NULL)
            continue;
        if (i > 2)
            luaL_addchar(&text, ' ');
        luaL_addlstring(&text, data, len);
    }
    luaL_pushresult(&text);
    const char *data = lua_tolstring(lua, -1, &len);
    scripts->host->log(scripts->host->arg, level, rg_bytes(data, len));
    return 0;
}

static int api_setresp(lua_State *lua)
{
    if (lua_gettop(lua) != 1)
        return script_raise(lua, "ERR redis.setresp() requires one argument.");
    int proto = (int)lua_tonumber(lua, 1);
    if (proto != 2 && proto != 3)
        return script_raise(lua, "ERR RESP version must be 2 or 3.");
    script_engine(lua)->proto = proto;
    return 0;
}

static int api_set_repl(lua_State *lua)
{
    const struct rg_script_host *host = script_engine(lua)->host;

    if (lua_gettop(lua) != 1)
        return script_raise(lua, "ERR redis.set_repl() requires two arguments.");
    int flags = (int)lua_tonumber(lua, 1);
    if ((flags & ~RG_SCRIPT_REPL_ALL) != 0)
        return script_raise(lua, "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, "
                                 "REPL_ALL or REPL_NONE.");
    host->set_repl(host->arg, (unsigned)flags);
    return 0;
}

/* Effects are what is replicated, always. */
static int api_replicate_commands(lua_State *lua)
{
    lua_pushboolean(lua, 1);
    return 1;
}

/* No debugger is attached. */
static int api_breakpoint(lua_State *lua)
{
    lua_pushboolean(lua, 0);
    return 1;
}

static int api_debug(lua_State *lua)
{
    (void)lua;
    return 0;
}

static int api_acl_check_cmd(lua_State *lua)
{
    const struct rg_script_host *host = script_engine(lua)->host;
    struct rg_bytes some[API_WORDS];
    int count = lua_gettop(lua);

    if (count == 0)
        return script_raise(lua, "ERR Please specify at least one argument for this "
                                 "redis.acl_check_cmd() call");
    struct rg_bytes *words =
        count <= API_WORDS ? some : lua_newuserdata(lua, sizeof(*words) * (size_t)count);
    if (api_words(lua, words, count) != NULL)
        return script_raise(lua, "ERR redis.acl_check_cmd() require all arguments to be strings or "
                                 "integers");
    int may = host->may_call(host->arg, words, count);
    if (may < 0)
        return script_raise(lua, "ERR Invalid command passed to redis.acl_check_cmd()");
    lua_pushboolean(lua, may);
    return 1;
}

void script_open_redis(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        {"call", api_call},
        {"pcall", api_pcall},
        {"error_reply", api_error_reply},
        {"status_reply", api_status_reply},
        {"sha1hex", api_sha1hex},
        {"log", api_log},
        {"setresp", api_setresp},
        {"set_repl", api_set_repl},
        {"replicate_commands", api_replicate_commands},
        {"breakpoint", api_breakpoint},
        {"debug", api_debug},
        {"acl_check_cmd", api_acl_check_cmd},
        {NULL, NULL},
    };
    static const struct {
        const char *name;
        int value;
    } numbers[] = {
        {"LOG_DEBUG", 0},
        {"LOG_VERBOSE", 1},
        {"LOG_NOTICE", 2},
        {"LOG_WARNING", 3},
        {"REPL_NONE", 0},
        {"REPL_AOF", RG_SCRIPT_REPL_AOF},
        {"REPL_REPLICA", RG_SCRIPT_REPL_REPLICA},
        {"REPL_SLAVE", RG_SCRIPT_REPL_REPLICA},
        {"REPL_ALL", RG_SCRIPT_REPL_ALL},
        {"REDIS_VERSION_NUM", 0x0007000f},
    };

    lua_newtable(lua);
    luaL_register(lua, NULL, functions);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        lua_pushinteger(lua, numbers[i].value);
        lua_setfield(lua, -2, numbers[i].name);
    }
    lua_pushstring(lua, "7.0.15");
    lua_setfield(lua, -2, "REDIS_VERSION");
}
