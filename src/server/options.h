#ifndef RG_SERVER_OPTIONS_H
#define RG_SERVER_OPTIONS_H

#include "base/buf.h"

/* The command line of the server, as redis-server takes it: [CONF] [--directive value …] [-]. */

enum rg_options_action {
    RG_OPTIONS_RUN,
    RG_OPTIONS_VERSION,
    RG_OPTIONS_HELP,
    RG_OPTIONS_TEST_MEMORY,  /* refused */
    RG_OPTIONS_CHECK_SYSTEM, /* refused */
};

struct rg_options {
    enum rg_options_action action;
    const char *file;   /* borrowed from argv; NULL: none */
    bool sentinel;      /* run as a sentinel */
    bool from_stdin;    /* more configuration follows on standard input */
    struct rg_buf text; /* the directives as configuration text, one a line */
};

/* argv without the program's (and subcommand's) name. */
void rg_options_read(struct rg_options *options, int argc, char **argv);
void rg_options_fini(struct rg_options *options);

#endif
