#include "base/panic.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void rg_panic(const char *file, int line, const char *what)
{
    /* The last words of the process: the one place below the host that writes anywhere. */
    (void)fprintf(stderr, "regent: assertion failed at %s:%d: %s\n", file, line, what);
    abort();
}
