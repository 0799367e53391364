#ifndef RG_TOOL_CLIENT_H
#define RG_TOOL_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/resp.h"
#include "tool/target.h"

/* A blocking RESP2 client for the tools: one request at a time, each with a deadline. */
struct rg_client {
    int fd; /* -1: closed */
    int64_t timeout_ms;
    struct rg_buf in;
    struct rg_buf out;
    struct rg_frame *frames; /* owned: the last reply, flat, in the order it was written */
    size_t frame_count;
    size_t frame_cap;
    char error[256]; /* why the last call failed, for a person */
};

/* Dials each address of the target's name in turn, and logs in. Errors: RG_EIO; client->error says
 * why. The client is to be closed in either case. */
RG_MUST_USE int rg_client_open(struct rg_client *client, const struct rg_target *target,
                               const struct rg_login *login, int64_t timeout_ms);
void rg_client_close(struct rg_client *client);

/*
 * Sends a request and waits for its whole reply, which lies in client->frames until the next call.
 * Errors: RG_EIO (broken or silent connection), RG_EPROTO (not RESP), RG_EINVAL (the server replied
 * an error, which is then client->error).
 */
RG_MUST_USE int rg_client_call(struct rg_client *client, const struct rg_bytes *argv, int argc);

/* The same for words. */
#define RG_CLIENT_CALL(client, ...)                                                                \
    rg_client_call(                                                                                \
        client, (const struct rg_bytes[]){__VA_ARGS__},                                            \
        (int)(sizeof((const struct rg_bytes[]){__VA_ARGS__}) / sizeof(struct rg_bytes)))

#endif
