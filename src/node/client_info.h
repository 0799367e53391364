#ifndef RG_NODE_CLIENT_INFO_H
#define RG_NODE_CLIENT_INFO_H

#include "node/node_impl.h"

/* What CLIENT LIST and CLIENT KILL say and ask of a connection. */

enum client_type { CLIENT_NORMAL, CLIENT_MASTER, CLIENT_REPLICA, CLIENT_PUBSUB };

enum client_type client_type(const struct rg_conn *conn);
/* False: no such type. */
bool client_type_of_name(struct rg_bytes name, enum client_type *ret_type);
/* A client, a replica or the primary's stream; members' message links are not shown. */
bool client_listed(const struct rg_conn *conn);
/* What a connection takes with its buffers. */
size_t client_memory(const struct rg_conn *conn);

#endif
