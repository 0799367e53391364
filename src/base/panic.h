#ifndef RG_BASE_PANIC_H
#define RG_BASE_PANIC_H

/*
 * Assertions stay on in release builds: a store that goes on after its own rules broke loses data
 * quietly. They are for what this program must hold by itself. Bytes from outside (a socket, a
 * file, a peer) are never asserted on; they get an error.
 */

/* Ends the process with one line on standard error that names the place. Never returns. */
_Noreturn void rg_panic(const char *file, int line, const char *what);

#define RG_ASSERT(cond)                                                                            \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            rg_panic(__FILE__, __LINE__, #cond);                                                   \
    } while (0)

#define RG_UNREACHABLE() rg_panic(__FILE__, __LINE__, "unreachable")

#endif
