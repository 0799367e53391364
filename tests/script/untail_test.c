#include "script/untail.h"

#include "tests/harness.h"

static void check_untailed(const char *text, const char *expected)
{
    struct rg_buf out = {0};

    script_untail(rg_bytes_str(text), &out);
    RG_CHECK_BYTES(rg_buf_view(&out), expected);
    rg_buf_fini(&out);
}

RG_TEST(calls_behind_return)
{
    check_untailed("return redis.call('get', KEYS[1])", "return (redis.call('get', KEYS[1]))");
    check_untailed("return\n  redis.pcall ('a', f(1)) end",
                   "return\n  (redis.pcall ('a', f(1))) end");
    check_untailed("return struct.size('c')", "return (struct.size('c'))");
    check_untailed("return redis.call('a')[1] + 1", "return (redis.call('a'))[1] + 1");
    check_untailed("if x then return error('a)') end return cjson.decode(')')",
                   "if x then return (error('a)')) end return (cjson.decode(')'))");
    check_untailed("return redis.call([==[)]]==], \"\\\")\")",
                   "return (redis.call([==[)]]==], \"\\\")\"))");
}

RG_TEST(what_stays_as_it_is)
{
    static const char *const texts[] = {
        "",
        "return",
        "return 1",
        "return unpack(redis.call('a'))",
        "return redis",
        "return struct.unpack('bb', 'xx')",
        "return redis.REPL_ALL",
        "return redis.call",
        "local t = 'return redis.call(1)'",
        "-- return redis.call(1)\nreturn {redis.call(1)}",
        "--[[ return redis.call(1) ]] x = [[return redis.call(1)]]",
        "myreturn redis.call(1)",
        "returned redis.call(1)",
        "return redis.call('a'",
        "return redis.call('a",
        "return redis.call(--[[",
        "return \"\\",
        "return errors('x')",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_untailed(texts[i], texts[i]);
}
