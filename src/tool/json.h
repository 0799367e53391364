#ifndef RG_TOOL_JSON_H
#define RG_TOOL_JSON_H

#include "base/buf.h"

/* Writes text as a JSON string (RFC 8259), in its quotes. Bytes above 127 go as they are. */
void rg_json_string(struct rg_buf *out, const char *text);

#endif
