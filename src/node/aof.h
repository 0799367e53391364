#ifndef RG_NODE_AOF_H
#define RG_NODE_AOF_H

#include "node/node_impl.h"

enum { AOF_PATH_CHARS = 2 * 256 };

/* The log on disk (aof.c, aof_turn.c, aof_load.c, aof_info.c), for the other files of the node. */
struct rg_aof *aof_new(void);
void aof_free(struct rg_aof *aof);
void aof_start(struct rg_node *node);
/* CONFIG SET appendonly. */
void aof_configure(struct rg_node *node);
/* Hands what the log gained to the disk. */
void aof_run(struct rg_node *node);
void aof_cron(struct rg_node *node);
void aof_file_done(struct rg_node *node, enum rg_file_purpose purpose, uint64_t arg, int result);
/* The first byte of the log that is not safely in a file yet, so that it has to stay in memory. */
uint64_t aof_needs(const struct rg_node *node);
/* The offset up to which replies may go out. */
uint64_t aof_released(const struct rg_node *node);
/* All before offset is synced, and the disk takes what comes next. */
bool aof_durable(const struct rg_node *node, uint64_t offset);
/* The end of the log that is synced; 0 where the files do not hold all of it. */
uint64_t aof_synced(const struct rg_node *node);
/* The files hold all of the log up to there. */
bool aof_whole(const struct rg_node *node);
/* The end of the log that this node holds in the sense of replication-durability. */
uint64_t aof_held(const struct rg_node *node);
bool aof_on(const struct rg_node *node);
/* Why changes are refused; NULL. */
const char *aof_refuses_writes(const struct rg_node *node);
/* The log was replaced by another one. */
void aof_log_replaced(struct rg_node *node);
/* ---- aof_segments.c: the part of the log on disk, for replicas ---- */
/* The oldest byte from which on disk and memory hold the log without a gap. */
uint64_t aof_log_start(const struct rg_node *node);
struct aof_segment {
    char path[AOF_PATH_CHARS];
    uint64_t start;
    uint64_t end;  /* what can be read ends here */
    uint64_t size; /* of the file, where it is appended to: what can be read; 0: all of it */
    uint64_t head; /* bytes in front of the log's; for the reader */
};
/* The file that holds the byte at offset. False: none does. */
bool aof_segment_at(const struct rg_node *node, uint64_t offset, struct aof_segment *ret_segment);
/* The file that begins at start cannot be read. */
void aof_segment_lost(struct rg_node *node, uint64_t start);
/* Before a stop is said to be clean: the manifest says that the newest file holds all up to end. */
void aof_seal(struct rg_node *node, uint64_t end);
void aof_segments_info(const struct rg_node *node, struct rg_buf *out);

/* For the end: nothing is left to write or sync; or what is is asked for. */
bool aof_settled(const struct rg_node *node);
void aof_settle(struct rg_node *node);
/* A rewrite begins, or is scheduled. False: one is under way. */
bool aof_rewrite_ask(struct rg_node *node, bool *ret_begun);
/* A name for the base that is about to be saved. */
const char *aof_base_path(struct rg_node *node, char out[512]);
void aof_base_saved(struct rg_node *node, int result, uint64_t bytes);
void aof_info(const struct rg_node *node, struct rg_buf *out);
uint64_t aof_buffer_bytes(const struct rg_node *node);
/* The log's place in history was read from the files. */
bool aof_load_placed(const struct rg_node *node);
/* … and the modes of a group: the present one, for the configuration; all, for the group. */
void aof_load_tell_mode(struct rg_node *node);
void aof_load_tell_modes(struct rg_node *node);
void aof_load_free(struct rg_node *node);

#endif
