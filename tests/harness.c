#include "tests/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct rg_test_case *harness_first;
static struct rg_test_case **harness_end = &harness_first;
static jmp_buf harness_jump;

void rg_test_register(struct rg_test_case *test)
{
    *harness_end = test;
    harness_end = &test->next;
}

_Noreturn void rg_test_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    printf("# %s:%d: ", file, line);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    printf("\n");
    longjmp(harness_jump, 1);
}

void rg_test_note(const char *format, ...)
{
    va_list args;

    printf("# ");
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    printf("\n");
    (void)fflush(stdout);
}

static bool harness_run(struct rg_test_case *test)
{
    if (setjmp(harness_jump) != 0)
        return false;
    test->run();
    return true;
}

int main(int argc, char **argv)
{
    const char *filter = argc > 1 ? argv[1] : "";
    int count = 0;
    int failed = 0;

    for (struct rg_test_case *test = harness_first; test != NULL; test = test->next) {
        if (strstr(test->name, filter) == NULL)
            continue;
        bool passed = harness_run(test);
        count++;
        failed += !passed;
        printf("%sok %d - %s\n", passed ? "" : "not ", count, test->name);
        (void)fflush(stdout);
    }
    printf("1..%d\n", count);
    return failed > 0 || count == 0;
}
