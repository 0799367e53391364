#include "tool/target.h"

#include <string.h>

#include "tests/harness.h"

static void check(const char *text, const char *host, int port, const char *again)
{
    struct rg_target target;
    char out[RG_TARGET_CHARS];

    RG_CHECK_INT(rg_target_parse(text, &target), 0);
    RG_CHECK_STR(target.host, host);
    RG_CHECK_INT(target.port, port);
    rg_target_format(&target, out);
    RG_CHECK_STR(out, again);
}

RG_TEST(forms_people_write)
{
    check("node1:7001", "node1", 7001, "node1:7001");
    check("node1", "node1", 6379, "node1:6379");
    check("10.0.0.1:65535", "10.0.0.1", 65535, "10.0.0.1:65535");
    check("::1", "::1", 6379, "[::1]:6379");
    check("[::1]", "::1", 6379, "[::1]:6379");
    check("[fe80::2]:7002", "fe80::2", 7002, "[fe80::2]:7002");
}

RG_TEST(refused)
{
    static const char *const bad[] = {"",        ":",      ":7000", "a:",   "a:0",
                                      "a:65536", "a:x",    "a:+1",  "[::1", "[::1]x",
                                      "[]:1",    "[::1]:", "a:7 ",  "a:07", "a:-1"};
    char longest[RG_TARGET_HOST_CHARS + 1];
    struct rg_target target;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (rg_target_parse(bad[i], &target) != RG_EINVAL)
            rg_test_fail(__FILE__, __LINE__, "'%s' was taken", bad[i]);
    }
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    RG_CHECK_INT(rg_target_parse(longest, &target), RG_EINVAL);
    longest[sizeof(longest) - 2] = '\0';
    RG_CHECK_INT(rg_target_parse(longest, &target), 0);
}
