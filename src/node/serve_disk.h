#ifndef RG_NODE_SERVE_DISK_H
#define RG_NODE_SERVE_DISK_H

#include "node/node_impl.h"

/* A replica that lacks more than memory holds, fed from the log on disk. */

/* From serve->sent on. */
void serve_disk_begin(struct rg_node *node, struct rg_conn *conn);
/* All is in memory from here on, or the connection goes away. */
void serve_disk_end(struct rg_node *node, struct rg_conn *conn);
/* Asks for the next pieces. */
void serve_disk_run(struct rg_node *node);
int64_t serve_disk_deadline(const struct rg_node *node);
/* A piece came, for the connection of this id; size: of the whole file. */
void serve_disk_read(struct rg_node *node, uint64_t client, int result, struct rg_bytes piece,
                     uint64_t size);
struct rg_bytes serve_disk_output(const struct rg_serve_disk *disk);
void serve_disk_sent(struct rg_serve_disk *disk, size_t n);
/* The first byte of the log that it needs on disk, of all that read; UINT64_MAX. */
uint64_t serve_disk_oldest(const struct rg_node *node);
/* … and in memory. */
uint64_t serve_disk_keeps(const struct rg_serve_disk *disk);
uint64_t serve_disk_memory(const struct rg_serve_disk *disk);

#endif
