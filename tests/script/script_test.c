#include "script/script.h"

#include "tests/harness.h"

/* A host whose commands say what they were called with, but for those named below. */
static void fake_call(void *arg, const struct rg_bytes *argv, int argc, struct rg_reply *reply,
                      bool *ret_refused)
{
    (void)arg;
    if (rg_bytes_is(argv[0], "fail")) {
        rg_reply_error(reply, "WRONGTYPE no");
        return;
    }
    if (rg_bytes_is(argv[0], "refuse")) {
        rg_reply_error(reply, "ERR may not");
        *ret_refused = true;
        return;
    }
    if (rg_bytes_is(argv[0], "map")) {
        rg_reply_map(reply, 1);
        rg_reply_bulk_str(reply, "k");
        rg_reply_null(reply);
        return;
    }
    rg_reply_array(reply, argc);
    for (int i = 0; i < argc; i++)
        rg_reply_bulk(reply, argv[i]);
}

static void fake_log(void *arg, int level, struct rg_bytes text)
{
    rg_buf_printf(arg, "%d:%.*s\n", level, (int)text.len, text.data);
}

static int fake_may_call(void *arg, const struct rg_bytes *argv, int argc)
{
    (void)arg;
    (void)argc;
    return rg_bytes_is(argv[0], "get") ? 1 : -1;
}

static void fake_set_repl(void *arg, unsigned repl)
{
    rg_buf_printf(arg, "repl %u\n", repl);
}

struct fixture {
    struct rg_rand rand;
    struct rg_buf said;
    struct rg_script_host host;
    struct rg_scripts *scripts;
    struct rg_buf out;
};

static void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){0};
    rg_rand_init(&fixture->rand, 1);
    fixture->host = (struct rg_script_host){fake_call,     fake_log,       fake_may_call,
                                            fake_set_repl, &fixture->said, &fixture->rand};
    fixture->scripts = rg_scripts_new(&fixture->host);
}

static void fixture_fini(struct fixture *fixture)
{
    rg_scripts_free(fixture->scripts);
    rg_buf_fini(&fixture->said);
    rg_buf_fini(&fixture->out);
}

static struct rg_bytes evaluated(struct fixture *fixture, int proto, const char *body)
{
    const struct rg_script *script;
    const struct rg_bytes keys[] = {RG_BYTES("k1"), RG_BYTES("k2")};
    const struct rg_bytes args[] = {RG_BYTES("a1")};
    struct rg_reply reply = {.out = &fixture->out, .proto = proto};

    rg_buf_reset(&fixture->out, 0);
    if (rg_scripts_load(fixture->scripts, rg_bytes_str(body), &script, &fixture->out) == 0)
        rg_script_run(fixture->scripts, script, keys, 2, args, 1, &reply);
    return rg_buf_view(&fixture->out);
}

RG_TEST(values_become_replies)
{
    struct fixture f;

    fixture_init(&f);
    RG_CHECK_BYTES(evaluated(&f, 2, "return 3.99"), ":3\r\n");
    RG_CHECK_BYTES(evaluated(&f, 2, "return 'a'"), "$1\r\na\r\n");
    RG_CHECK_BYTES(evaluated(&f, 2, "return {true, false, {KEYS[2], ARGV[1]}, nil, 4}"),
                   "*3\r\n:1\r\n$-1\r\n*2\r\n$2\r\nk2\r\n$2\r\na1\r\n");
    RG_CHECK_BYTES(evaluated(&f, 3, "redis.setresp(3) return {true, false, nil}"),
                   "*2\r\n#t\r\n#f\r\n");
    RG_CHECK_BYTES(evaluated(&f, 2, "return {err='E x'}"), "-E x\r\n");
    RG_CHECK_BYTES(evaluated(&f, 2, "return {ok='fine'}"), "+fine\r\n");
    RG_CHECK_BYTES(evaluated(&f, 3, "return {map={a={double=1.5}}}"), "%1\r\n$1\r\na\r\n,1.5\r\n");
    RG_CHECK_BYTES(evaluated(&f, 3, "return {set={a=true}}"), "~1\r\n$1\r\na\r\n");
    RG_CHECK_BYTES(evaluated(&f, 2, ""), "$-1\r\n");
    fixture_fini(&f);
}

RG_TEST(a_table_in_itself_ends)
{
    struct fixture f;

    fixture_init(&f);
    struct rg_bytes reply = evaluated(&f, 2, "local t = {} t[1] = t return t");
    RG_CHECK(reply.len > 32);
    RG_CHECK_BYTES(rg_bytes(reply.data + reply.len - 31, 31), "\n-ERR reached lua stack limit\r\n");
    RG_CHECK_BYTES(evaluated(&f, 2, "return 1"), ":1\r\n");
    fixture_fini(&f);
}

RG_TEST(replies_become_values)
{
    struct fixture f;

    fixture_init(&f);
    RG_CHECK_BYTES(evaluated(&f, 2, "return redis.call('x', 1, 2.5)"),
                   "*3\r\n$1\r\nx\r\n$1\r\n1\r\n$3\r\n2.5\r\n");
    RG_CHECK_BYTES(evaluated(&f, 2, "return type(redis.call('map')[2])"), "$7\r\nboolean\r\n");
    RG_CHECK_BYTES(evaluated(&f, 2, "redis.setresp(3) return type(redis.call('map').map)"),
                   "$5\r\ntable\r\n");
    RG_CHECK_BYTES(evaluated(&f, 2, "return redis.pcall('fail').err"), "$12\r\nWRONGTYPE no\r\n");
    fixture_fini(&f);
}

RG_TEST(errors_say_where)
{
    struct fixture f;

    fixture_init(&f);
    RG_CHECK_BYTES(evaluated(&f, 2, "\nreturn redis.call('fail')"),
                   "-WRONGTYPE no script: b74db6bae8886cd296d60297bfe8b1f7dc8c0d76, on "
                   "@user_script:2.\r\n");
    fixture_fini(&f);
}

RG_TEST(the_sandbox_holds)
{
    static const char *const refused[] = {
        "foo = 1",
        "return foo",
        "redis.x = 1",
        "rawset(_G, 'x', 1)",
        "rawset(string, 'x', 1)",
        "setmetatable(_G, {})",
        "setmetatable(redis, nil)",
        "table.insert(redis, 1)",
        "getmetatable('').__index = 1",
        "getmetatable(_G).__index = 1",
        "return io",
        "return os",
        "return require",
        "return ffi",
        "return jit",
        "return debug.getinfo",
        "return package",
        "return dofile",
        "return getfenv",
        "return newproxy",
        "return string.dump(loadstring)",
        "return loadstring('return io')()",
        "return assert(loadstring(string.dump(function() return 1 end)))()",
        "return assert(load(function() return nil end)) .. 1",
    };
    struct fixture f;

    fixture_init(&f);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct rg_bytes reply = evaluated(&f, 2, refused[i]);
        if (reply.data[0] != '-')
            RG_CHECK_BYTES(reply, refused[i]);
    }
    RG_CHECK_BYTES(
        evaluated(&f, 2, "local n = 0 for k in pairs(redis) do n = n + 1 end return n > 9"),
        ":1\r\n");
    fixture_fini(&f);
}

RG_TEST(the_cache)
{
    struct fixture f;
    const struct rg_script *script;
    const struct rg_bytes sha = RG_BYTES("E0E1F9FABFC9D4800C877A703B823AC0578FF8DB");

    fixture_init(&f);
    RG_CHECK(rg_scripts_find(f.scripts, sha) == NULL);
    RG_CHECK_INT(rg_scripts_load(f.scripts, RG_BYTES("return 1"), &script, &f.out), 0);
    RG_CHECK(rg_scripts_find(f.scripts, sha) == script);
    RG_CHECK_INT(rg_scripts_count(f.scripts), 1);
    RG_CHECK_INT(rg_scripts_load(f.scripts, RG_BYTES("x x"), &script, &f.out), RG_EINVAL);
    RG_CHECK_BYTES(rg_buf_view(&f.out), "ERR Error compiling script (new function): user_script:1: "
                                        "'=' expected near 'x'");
    rg_scripts_flush(f.scripts);
    RG_CHECK_INT(rg_scripts_count(f.scripts), 0);
    fixture_fini(&f);
}

RG_TEST(first_lines)
{
    struct fixture f;
    const struct rg_script *script;

    fixture_init(&f);
    RG_CHECK_INT(rg_scripts_load(f.scripts, RG_BYTES("return 1"), &script, &f.out), 0);
    RG_CHECK_INT(rg_script_flags(script), RG_SCRIPT_PLAIN);
    RG_CHECK_INT(rg_scripts_load(f.scripts, RG_BYTES("#!lua flags=no-writes,allow-stale\nreturn 1"),
                                 &script, &f.out),
                 0);
    RG_CHECK_INT(rg_script_flags(script), RG_SCRIPT_NO_WRITES | RG_SCRIPT_ALLOW_STALE);
    RG_CHECK_BYTES(evaluated(&f, 2, "#!lua flags=x\n"), "ERR Unexpected flag in script shebang: x");
    RG_CHECK_BYTES(evaluated(&f, 2, "#!lua"), "ERR Invalid script shebang");
    fixture_fini(&f);
}

RG_TEST(what_the_host_is_told)
{
    struct fixture f;

    fixture_init(&f);
    (void)evaluated(&f, 2, "redis.log(redis.LOG_WARNING, 'a', 1) redis.set_repl(redis.REPL_NONE)");
    RG_CHECK_BYTES(rg_buf_view(&f.said), "3:a 1\nrepl 0\n");
    RG_CHECK_BYTES(evaluated(&f, 2, "return redis.acl_check_cmd('get')"), ":1\r\n");
    fixture_fini(&f);
}
