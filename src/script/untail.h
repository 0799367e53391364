#ifndef RG_SCRIPT_UNTAIL_H
#define RG_SCRIPT_UNTAIL_H

#include "base/buf.h"

/*
 * Copies a script's text to out so that `return redis.call(…)` calls from where it stands: as
 * `return (redis.call(…))`. LuaJIT forgets the calling function in a tail call, and with it the
 * line that an error is told with. Only functions of one result are treated so, and lines stay
 * lines.
 */
void script_untail(struct rg_bytes text, struct rg_buf *out);

#endif
