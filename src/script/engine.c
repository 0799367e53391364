#include "script/engine.h"

#include <lauxlib.h>
#include <luajit.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "script/untail.h"

static const char engine_key; /* its address is the engine's place in the registry */

struct rg_scripts *script_engine(lua_State *lua)
{
    lua_pushlightuserdata(lua, (void *)(uintptr_t)&engine_key);
    lua_rawget(lua, LUA_REGISTRYINDEX);
    struct rg_scripts *scripts = lua_touserdata(lua, -1);
    lua_pop(lua, 1);
    RG_ASSERT(scripts != NULL);
    return scripts;
}

static int engine_open(lua_State *lua)
{
    struct rg_scripts *scripts = lua_touserdata(lua, 1);

    lua_pushlightuserdata(lua, (void *)(uintptr_t)&engine_key);
    lua_pushlightuserdata(lua, scripts);
    lua_rawset(lua, LUA_REGISTRYINDEX);
    script_sandbox(scripts);
    return 0;
}

struct rg_scripts *rg_scripts_new(const struct rg_script_host *host)
{
    struct rg_scripts *scripts = RG_NEW(struct rg_scripts);

    scripts->host = host;
    scripts->lua = luaL_newstate();
    if (scripts->lua == NULL)
        rg_panic(__FILE__, __LINE__, "no memory for the interpreter of scripts");
    (void)luaJIT_setmode(scripts->lua, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    if (lua_cpcall(scripts->lua, engine_open, scripts) != 0)
        rg_panic(__FILE__, __LINE__, lua_tostring(scripts->lua, -1));
    return scripts;
}

void rg_scripts_flush(struct rg_scripts *scripts)
{
    while (scripts->cache != NULL) {
        struct rg_script *script = scripts->cache;
        scripts->cache = script->next;
        luaL_unref(scripts->lua, LUA_REGISTRYINDEX, script->function);
        rg_free(script);
    }
    scripts->count = 0;
    scripts->cache_bytes = 0;
    (void)lua_gc(scripts->lua, LUA_GCCOLLECT, 0);
}

void rg_scripts_free(struct rg_scripts *scripts)
{
    if (scripts == NULL)
        return;
    rg_scripts_flush(scripts);
    lua_close(scripts->lua);
    rg_buf_fini(&scripts->scratch);
    rg_free(scripts);
}

void rg_script_sha(struct rg_bytes body, char ret_sha[RG_SCRIPT_SHA_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[SHA_DIGEST_LENGTH];

    (void)SHA1((const unsigned char *)body.data, body.len, sum);
    for (size_t i = 0; i < sizeof(sum); i++) {
        ret_sha[2 * i] = digits[sum[i] >> 4];
        ret_sha[2 * i + 1] = digits[sum[i] & 15];
    }
    ret_sha[RG_SCRIPT_SHA_LEN] = '\0';
}

const struct rg_script *rg_scripts_find(const struct rg_scripts *scripts, struct rg_bytes sha)
{
    for (struct rg_script *script = scripts->cache; script != NULL; script = script->next) {
        if (rg_bytes_equal_nocase(rg_bytes(script->sha, RG_SCRIPT_SHA_LEN), sha))
            return script;
    }
    return NULL;
}

unsigned rg_scripts_count(const struct rg_scripts *scripts)
{
    return scripts->count;
}

uint64_t rg_scripts_vm_bytes(const struct rg_scripts *scripts)
{
    return (uint64_t)lua_gc(scripts->lua, LUA_GCCOUNT, 0) * 1024 +
           (uint64_t)lua_gc(scripts->lua, LUA_GCCOUNTB, 0);
}

uint64_t rg_scripts_cache_bytes(const struct rg_scripts *scripts)
{
    return scripts->cache_bytes;
}

unsigned rg_script_flags(const struct rg_script *script)
{
    return script->flags;
}

const char *rg_script_name(const struct rg_script *script)
{
    return script->sha;
}

/* ---- Loading ---- */

static int engine_flag(struct rg_bytes word, unsigned *flags)
{
    static const struct {
        const char *name;
        unsigned flag;
    } names[] = {
        {"no-writes", RG_SCRIPT_NO_WRITES},
        {"allow-oom", RG_SCRIPT_ALLOW_OOM},
        {"allow-stale", RG_SCRIPT_ALLOW_STALE},
        {"no-cluster", RG_SCRIPT_NO_CLUSTER},
        {"allow-cross-slot-keys", RG_SCRIPT_CROSS_SLOT},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (rg_bytes_is(word, names[i].name)) {
            *flags |= names[i].flag;
            return 0;
        }
    }
    return RG_EINVAL;
}

static int engine_flags(struct rg_bytes words, unsigned *flags, struct rg_buf *error)
{
    while (words.len > 0) {
        struct rg_bytes word = rg_bytes_cut(&words, ',');
        if (engine_flag(word, flags) < 0) {
            rg_buf_printf(error, "ERR Unexpected flag in script shebang: %.*s", (int)word.len,
                          word.data);
            return RG_EINVAL;
        }
    }
    return 0;
}

/* Reads "#!lua key=value …", and leaves body with what stands behind that line's words. */
static int engine_shebang(struct rg_bytes *body, unsigned *ret_flags, struct rg_buf *error)
{
    if (!rg_bytes_starts_with(*body, RG_BYTES("#!"))) {
        *ret_flags = RG_SCRIPT_PLAIN;
        return 0;
    }
    const char *end = memchr(body->data, '\n', body->len);
    if (end == NULL) {
        rg_buf_append_str(error, "ERR Invalid script shebang");
        return RG_EINVAL;
    }
    struct rg_bytes line = rg_bytes(body->data, (size_t)(end - body->data));
    /* The end of the line stays, so that the numbers of lines are those of the text. */
    *body = rg_bytes(end, body->len - line.len);
    struct rg_bytes engine = rg_bytes_cut(&line, ' ');
    if (!rg_bytes_is(engine, "#!lua")) {
        rg_buf_printf(error, "ERR Unexpected engine in script shebang: %.*s", (int)engine.len,
                      engine.data);
        return RG_EINVAL;
    }
    *ret_flags = 0;
    while (line.len > 0) {
        struct rg_bytes word = rg_bytes_cut(&line, ' ');
        if (word.len == 0)
            continue;
        if (!rg_bytes_starts_with(word, RG_BYTES("flags="))) {
            rg_buf_printf(error, "ERR Unknown lua shebang option: %.*s", (int)word.len, word.data);
            return RG_EINVAL;
        }
        if (engine_flags(rg_bytes(word.data + 6, word.len - 6), ret_flags, error) < 0)
            return RG_EINVAL;
    }
    return 0;
}

int rg_scripts_load(struct rg_scripts *scripts, struct rg_bytes body,
                    const struct rg_script **ret_script, struct rg_buf *error)
{
    char sha[RG_SCRIPT_SHA_LEN + 1];
    size_t body_len = body.len;
    unsigned flags;

    rg_script_sha(body, sha);
    *ret_script = rg_scripts_find(scripts, rg_bytes(sha, RG_SCRIPT_SHA_LEN));
    if (*ret_script != NULL)
        return 0;
    if (engine_shebang(&body, &flags, error) < 0)
        return RG_EINVAL;
    struct rg_buf text = {0};
    script_untail(body, &text);
    /* "t": bytecode is not checked by who runs it. */
    int result = luaL_loadbufferx(scripts->lua, rg_buf_view(&text).data, rg_buf_len(&text),
                                  "@user_script", "t");
    rg_buf_fini(&text);
    if (result != 0) {
        rg_buf_printf(error, "ERR Error compiling script (new function): %s",
                      lua_tostring(scripts->lua, -1));
        lua_pop(scripts->lua, 1);
        return RG_EINVAL;
    }
    struct rg_script *script = RG_NEW(struct rg_script);
    memcpy(script->sha, sha, sizeof(sha));
    script->flags = flags;
    script->body_len = body_len;
    script->function = luaL_ref(scripts->lua, LUA_REGISTRYINDEX);
    script->next = scripts->cache;
    scripts->cache = script;
    scripts->count++;
    scripts->cache_bytes += sizeof(*script) + body_len;
    *ret_script = script;
    return 0;
}

/* ---- Running ---- */

/*
 * What a script raised, as a table of the error's text, and the place where it was raised. Runs
 * where the stack is still that of the error.
 */
static int engine_handler(lua_State *lua)
{
    lua_Debug where;

    if (!lua_istable(lua, 1)) {
        const char *text = lua_tostring(lua, 1);
        lua_createtable(lua, 0, 3);
        lua_pushfstring(lua, "ERR %s", text == NULL ? "unknown error" : text);
        lua_setfield(lua, -2, "err");
    } else {
        lua_pushvalue(lua, 1);
    }
    for (int level = 1; lua_getstack(lua, level, &where) != 0; level++) {
        (void)lua_getinfo(lua, "Sl", &where);
        if (where.what[0] == 'C')
            continue;
        lua_pushstring(lua, where.source);
        lua_setfield(lua, -2, "source");
        lua_pushinteger(lua, where.currentline);
        lua_setfield(lua, -2, "line");
        break;
    }
    return 1;
}

static void engine_push_words(lua_State *lua, const struct rg_bytes *words, int count)
{
    lua_createtable(lua, count, 0);
    for (int i = 0; i < count; i++) {
        lua_pushlstring(lua, words[i].data, words[i].len);
        lua_rawseti(lua, -2, i + 1);
    }
}

/* A field of the table on the top, as text; "" where it is none. Valid while the table is. */
static const char *engine_field(lua_State *lua, const char *name)
{
    lua_pushstring(lua, name);
    lua_rawget(lua, -2);
    const char *text = lua_tostring(lua, -1);
    lua_pop(lua, 1);
    return text == NULL ? "" : text;
}

/* Replies the error on the top of the stack, and takes it off. */
static void engine_reply_error(struct rg_scripts *scripts, const char *name, struct rg_reply *reply)
{
    lua_State *lua = scripts->lua;
    const char *text;

    if (!lua_istable(lua, -1)) {
        text = lua_tostring(lua, -1);
        rg_reply_errorf(reply, "ERR %s script: %s", text == NULL ? "unknown error" : text, name);
    } else {
        text = engine_field(lua, "err");
        const char *source = engine_field(lua, "source");
        if (*text == '\0')
            text = "ERR unknown error";
        if (*source != '\0')
            rg_reply_errorf(reply, "%s script: %s, on %s:%s.", text, name, source,
                            engine_field(lua, "line"));
        else
            rg_reply_errorf(reply, "%s script: %s", text, name);
    }
    lua_pop(lua, 1);
}

void rg_script_run(struct rg_scripts *scripts, const struct rg_script *script,
                   const struct rg_bytes *keys, int key_count, const struct rg_bytes *args,
                   int arg_count, struct rg_reply *reply)
{
    lua_State *lua = scripts->lua;

    scripts->proto = 2;
    lua_pushcfunction(lua, engine_handler);
    int handler = lua_gettop(lua);
    script_push_globals(lua);
    engine_push_words(lua, keys, key_count);
    lua_setfield(lua, -2, "KEYS");
    engine_push_words(lua, args, arg_count);
    lua_setfield(lua, -2, "ARGV");
    lua_pop(lua, 1);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, script->function);
    if (lua_pcall(lua, 0, 1, handler) != 0)
        engine_reply_error(scripts, script->sha, reply);
    else
        script_write_reply(scripts, reply);
    lua_settop(lua, handler - 1);
    /* What a script leaves is collected in small steps, as it comes. */
    (void)lua_gc(lua, LUA_GCSTEP, 50);
}
