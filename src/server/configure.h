#ifndef RG_SERVER_CONFIGURE_H
#define RG_SERVER_CONFIGURE_H

#include "node/config.h"
#include "server/options.h"

/*
 * The configuration from the file, standard input and the command line. On failure what
 * redis-server would say was written to standard error, and NULL comes back; else the caller owns
 * the configuration.
 */
struct rg_config *rg_configure(const struct rg_options *options);
/* Says on standard error why the configuration ends the start. */
void rg_configure_fail(struct rg_bytes why);

#endif
