#ifndef RG_NODE_LIMITS_H
#define RG_NODE_LIMITS_H

/* Clients that take too little of their output, or say nothing for too long. */
struct rg_node;

/* client-output-buffer-limit, before any of it is sent: what one run adds counts whole. */
void limits_run(struct rg_node *node);
/* The same of those that had no output in this run, and `timeout`. */
void limits_cron(struct rg_node *node);

#endif
