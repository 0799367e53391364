#ifndef RG_NODE_TRANSFER_H
#define RG_NODE_TRANSFER_H

#include "node/node_impl.h"

/* An RDB into a store of its own. */

struct rg_transfer *transfer_new(struct rg_node *node, bool to_file);
void transfer_free(struct rg_node *node, struct rg_transfer *transfer);
/* payload: "$<len>" or "$EOF:<mark>" without the CRLF. Errors: RG_EPROTO. */
RG_MUST_USE int transfer_begin(struct rg_transfer *transfer, struct rg_bytes header);
/*
 * Takes bytes; *ret_used says how many belonged to it. Errors: RG_EAGAIN (not whole yet),
 * RG_ECORRUPT, RG_ETYPE and RG_ENOMEM (transfer_error says why). 0: whole; the file, if any, is
 * being synced.
 */
RG_MUST_USE int transfer_feed(struct rg_node *node, struct rg_transfer *transfer,
                              struct rg_bytes bytes, size_t *ret_used);
/* The same without a header, for a file. */
RG_MUST_USE int transfer_load(struct rg_transfer *transfer, struct rg_bytes piece);
const char *transfer_error(const struct rg_transfer *transfer);
/* The end mark came; what was fed behind it. */
bool transfer_ended(const struct rg_transfer *transfer);
struct rg_bytes transfer_rest(const struct rg_transfer *transfer);
/* Entries due before this are not loaded. */
void transfer_drop_expired(struct rg_transfer *transfer, int64_t now_ms);
uint64_t transfer_expired_keys(const struct rg_transfer *transfer);
/* What the writer said that it used; 0. */
uint64_t transfer_used_memory(const struct rg_transfer *transfer);
bool transfer_to_file(const struct rg_transfer *transfer);
void transfer_file_done(struct rg_node *node, enum rg_file_purpose purpose, uint64_t attempt,
                        int result);
/* Puts what was loaded in place of the node's store. history_set: the file named the log. */
void transfer_adopt(struct rg_node *node, struct rg_transfer *transfer);
struct rg_transfer_log { /* what the file said of the log it was taken from */
    bool has_history;
    struct rg_history history;
    bool has_replid;
    char replid[RG_REPLID_LEN + 1];
    uint64_t offset;
    int stream_db;
    int mode;         /* enum rg_mode; -1 */
    char modes[1024]; /* rg_group_modes_format; "" */
};
const struct rg_transfer_log *transfer_log(const struct rg_transfer *transfer);
void transfer_progress(const struct rg_transfer *transfer, uint64_t *ret_total, uint64_t *ret_read);

#endif
