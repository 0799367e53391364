#ifndef RG_SERVER_SELF_H
#define RG_SERVER_SELF_H

#include "base/buf.h"
#include "base/error.h"
#include "node/config.h"

/*
 * Which of `group-members` this node is: the one that replica-announce-ip and -port name, or else
 * the one with this node's port whose host is one of its own (bound) addresses. *ret_self is
 * borrowed from config; NULL outside groups. Errors: RG_EINVAL with ret_error: none is, or several
 * are.
 */
RG_MUST_USE int rg_self_find(const struct rg_config *config, const char **ret_self,
                             struct rg_buf *ret_error);

#endif
