#ifndef RG_SIM_FORMS_H
#define RG_SIM_FORMS_H

#include "base/buf.h"
#include "sim/loop.h"

/*
 * Commands that stir the keyspace: all types, what draws at random on the primary, what expires,
 * what waits. What they answer is not looked at; what they leave behind has to be the same on every
 * node, whose digests are compared.
 */
/* Appends one command as an inline request. */
void sim_form_draw(struct sim_loop *loop, struct rg_buf *request);

#endif
