#ifndef RG_NODE_VERSION_H
#define RG_NODE_VERSION_H

/* The Redis whose behaviour this is, for clients that ask (INFO, HELLO, RDB files). */
#define RG_REDIS_VERSION "7.0.15"

#endif
