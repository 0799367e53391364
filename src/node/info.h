#ifndef RG_NODE_INFO_H
#define RG_NODE_INFO_H

#include "node/node_impl.h"

/* The sections of INFO: each appends its lines, without the title. */
void info_server(const struct rg_node *node, struct rg_buf *out);
void info_clients(const struct rg_node *node, struct rg_buf *out);
void info_memory(const struct rg_node *node, struct rg_buf *out);
void info_persistence(const struct rg_node *node, struct rg_buf *out);
void info_stats(const struct rg_node *node, struct rg_buf *out);
void info_replication(const struct rg_node *node, struct rg_buf *out);
void info_group(const struct rg_node *node, struct rg_buf *out);
void info_cpu(const struct rg_node *node, struct rg_buf *out);
void info_modules(const struct rg_node *node, struct rg_buf *out);
void info_commandstats(const struct rg_node *node, struct rg_buf *out);
void info_latencystats(const struct rg_node *node, struct rg_buf *out);
void info_errorstats(const struct rg_node *node, struct rg_buf *out);
void info_cluster(const struct rg_node *node, struct rg_buf *out);
void info_keyspace(const struct rg_node *node, struct rg_buf *out);

#endif
