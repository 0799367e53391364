#ifndef RG_SERVER_SERVE_H
#define RG_SERVER_SERVE_H

#include <stdbool.h>

/* `regent server`: runs a node until it ends; returns the process' exit status. argv is without the
 * program's and subcommand's names; executable is the path it was called by;
 * sentinel: in that mode, as with --sentinel. */
int rg_serve(int argc, char **argv, const char *executable, bool sentinel);

#endif
