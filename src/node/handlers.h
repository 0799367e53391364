#ifndef RG_NODE_HANDLERS_H
#define RG_NODE_HANDLERS_H

#include "node/node_impl.h"

/* The node's own commands, a file per family (cmd_*.c); handlers.c binds them to the table. */

/* cmd_connection.c */
void cmd_ping(struct rg_call *call);
void cmd_echo(struct rg_call *call);
void cmd_auth(struct rg_call *call);
void cmd_hello(struct rg_call *call);
void cmd_select(struct rg_call *call);
void cmd_quit(struct rg_call *call);
void cmd_reset(struct rg_call *call);
void cmd_time(struct rg_call *call);
/* Names the connection, or replies why not. */
bool connection_set_name(struct rg_call *call, struct rg_bytes name);
/* script.c */
void cmd_eval(struct rg_call *call); /* EVALSHA and the read-only two, too */
void cmd_script_debug(struct rg_call *call);
void cmd_script_exists(struct rg_call *call);
void cmd_script_flush(struct rg_call *call);
void cmd_script_kill(struct rg_call *call);
void cmd_script_load(struct rg_call *call);
/* multi.c */
void cmd_multi(struct rg_call *call);
void cmd_exec(struct rg_call *call);
void cmd_discard(struct rg_call *call);
void cmd_watch(struct rg_call *call);
void cmd_unwatch(struct rg_call *call);
/* cmd_pubsub.c */
void cmd_publish(struct rg_call *call);
void cmd_subscribe(struct rg_call *call);
void cmd_unsubscribe(struct rg_call *call);
void cmd_psubscribe(struct rg_call *call);
void cmd_punsubscribe(struct rg_call *call);
void cmd_ssubscribe(struct rg_call *call);
void cmd_sunsubscribe(struct rg_call *call);
void cmd_spublish(struct rg_call *call);
void cmd_pubsub_channels(struct rg_call *call);
void cmd_pubsub_numsub(struct rg_call *call);
void cmd_pubsub_numpat(struct rg_call *call);
void cmd_pubsub_shardchannels(struct rg_call *call);
void cmd_pubsub_shardnumsub(struct rg_call *call);
/* cmd_replication.c */
void cmd_replicaof(struct rg_call *call);
void cmd_role(struct rg_call *call);
/* cmd_wait.c */
void cmd_wait(struct rg_call *call);
void cmd_waitaof(struct rg_call *call);
/* The wait of a client in RG_BLOCK_WAIT is over; *ret_error is NULL, or why there is no answer. */
bool wait_is_over(const struct rg_node *node, const struct rg_conn *conn, const char **ret_error);
/* Who holds what it waits for. */
void wait_reply(const struct rg_node *node, const struct rg_conn *conn, struct rg_reply *reply);
/* failover.c */
void cmd_failover(struct rg_call *call);
/* cmd_group.c */
void cmd_group_status(struct rg_call *call);
void cmd_group_failover(struct rg_call *call);
void cmd_group_recover(struct rg_call *call);
/* cmd_sentinel.c */
void cmd_sentinel(struct rg_call *call);
/* cmd_config.c */
void cmd_config_get(struct rg_call *call);
void cmd_config_set(struct rg_call *call);
void cmd_config_rewrite(struct rg_call *call);
void cmd_config_resetstat(struct rg_call *call);
/* cmd_persistence.c */
void cmd_save(struct rg_call *call);
void cmd_bgrewriteaof(struct rg_call *call);
void cmd_bgsave(struct rg_call *call);
void cmd_shutdown(struct rg_call *call);
void cmd_lastsave(struct rg_call *call);
/* cmd_client.c, cmd_client_kill.c */
void cmd_client_id(struct rg_call *call);
void cmd_client_getname(struct rg_call *call);
void cmd_client_setname(struct rg_call *call);
void cmd_client_list(struct rg_call *call);
void cmd_client_info(struct rg_call *call);
void cmd_client_kill(struct rg_call *call);
void cmd_client_no_evict(struct rg_call *call);
void cmd_client_pause(struct rg_call *call);
void cmd_client_unblock(struct rg_call *call);
void cmd_client_unpause(struct rg_call *call);
void cmd_client_reply(struct rg_call *call);
void cmd_client_replication_mode(struct rg_call *call);
/* migrate.c */
void cmd_migrate(struct rg_call *call);
/* cmd_tracking.c */
void cmd_client_caching(struct rg_call *call);
void cmd_client_getredir(struct rg_call *call);
void cmd_client_tracking(struct rg_call *call);
void cmd_client_trackinginfo(struct rg_call *call);
/* cmd_lolwut.c, monitor.c */
void cmd_lolwut(struct rg_call *call);
void cmd_monitor(struct rg_call *call);
/* cmd_info.c */
void cmd_info(struct rg_call *call);
/* cmd_command.c */
void cmd_command(struct rg_call *call);
void cmd_command_count(struct rg_call *call);
void cmd_command_info(struct rg_call *call);
void cmd_command_docs(struct rg_call *call);
void cmd_command_getkeys(struct rg_call *call);
void cmd_command_getkeysandflags(struct rg_call *call);
void cmd_command_list(struct rg_call *call);
/* cmd_debug.c */
void cmd_debug(struct rg_call *call);
/* cmd_latency.c */
void cmd_latency_doctor(struct rg_call *call);
void cmd_latency_graph(struct rg_call *call);
void cmd_latency_histogram(struct rg_call *call);
void cmd_latency_history(struct rg_call *call);
void cmd_latency_latest(struct rg_call *call);
void cmd_latency_reset(struct rg_call *call);
/* cmd_memory.c */
void cmd_memory_usage(struct rg_call *call);
void cmd_memory_stats(struct rg_call *call);
void cmd_memory_doctor(struct rg_call *call);
void cmd_memory_malloc_stats(struct rg_call *call);
void cmd_memory_purge(struct rg_call *call);
/* cmd_slowlog.c */
void cmd_slowlog_get(struct rg_call *call);
void cmd_slowlog_len(struct rg_call *call);
void cmd_slowlog_reset(struct rg_call *call);

/* The text that <container> HELP replies: its subcommands with syntax and summary. */
void cmd_help(struct rg_call *call);
/* Integer argument, or an error reply and false. */
bool cmd_arg_i64(struct rg_call *call, int index, int64_t *ret_value);
/* At most max words, or an error reply and false: for subcommands with optional arguments. */
bool cmd_arg_max(struct rg_call *call, int max);

#endif
