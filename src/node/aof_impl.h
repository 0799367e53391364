#ifndef RG_NODE_AOF_IMPL_H
#define RG_NODE_AOF_IMPL_H

#include "log/aof.h"
#include "log/aof_manifest.h"
#include "node/aof.h"

/*
 * The log on disk. Private to aof*.c.
 *
 * The chain is what the manifest names: a base and the increments behind it, the newest of which is
 * appended to. It is `whole` while all of the log since the base is in it, or on its way there. A
 * new increment begins in a turn of four steps, each of which waits for the one before:
 *
 *   NONE --rewrite, start--> DRAIN --all before is synced--> FOLDER --> FILE --> MANIFEST --> NONE
 *                                                                         (a whole chain only)
 *
 * A rewrite is a turn, and a snapshot of the offset at which the new increment begins; when both
 * are done, the manifest names only these two.
 */
enum aof_turn { AOF_TURN_NONE, AOF_TURN_DRAIN, AOF_TURN_FOLDER, AOF_TURN_FILE, AOF_TURN_MANIFEST };

enum aof_trouble {
    AOF_WELL,
    AOF_UNWRITTEN, /* bytes could not be appended: the file is cut and they are tried again */
    AOF_BROKEN,    /* a sync failed: nothing is appended any more, and a rewrite begins */
};

struct rg_aof {
    bool on;
    bool whole;
    bool promised; /* from the start on, so that replies wait for the first base, too */
    enum aof_trouble trouble;
    int error; /* what it ended with; 0: nothing failed yet */
    bool cutting;
    int64_t retry_us;
    struct rg_aof_manifest manifest;
    struct rg_aof_manifest next; /* being written */

    /* The newest increment. Offsets are of the log, sizes of the file. */
    char path[AOF_PATH_CHARS]; /* "": there is none to append to */
    uint64_t taken;            /* given to the disk */
    uint64_t written;
    uint64_t synced;
    uint64_t size; /* at `taken` */
    uint64_t written_size;
    uint64_t generation; /* of the answers that count */
    bool appending;
    bool syncing;
    uint64_t append_end;
    uint64_t sync_end;
    int64_t sync_us;                      /* when the last one was asked for */
    bool late_told;                       /* that one takes long was counted */
    char told[RG_REPLID_LEN + 1];         /* the last term that the file names */
    char written_told[RG_REPLID_LEN + 1]; /* … as far as it is written */
    int64_t told_s;                       /* the last time that it names */

    enum aof_turn turn;
    uint64_t turn_at;
    uint64_t turn_seq;
    uint64_t turn_generation;
    struct rg_buf turn_head;
    char turn_name[RG_AOF_MAX_NAME];

    bool rewriting;
    bool scheduled;
    bool base_written;
    bool finishing; /* the last manifest of a rewrite is being written */
    char base_name[RG_AOF_MAX_NAME];
    uint64_t base_seq;
    uint64_t base_bytes;    /* of the base and, at a start, what followed on it */
    uint64_t earlier_bytes; /* of the chain before the newest increment */
    int64_t rewrite_began_us;
    int64_t rewrite_took_s;
    bool rewrite_ok;
    uint64_t rewrites;
    unsigned failures;
    uint64_t delayed_syncs;

    struct aof_load *load; /* aof_load.c */
};

void aof_path(const struct rg_node *node, const char *name, char out[AOF_PATH_CHARS]);
/* The chain that was loaded goes on: what is on disk ends at the log's end. */
void aof_resume(struct rg_node *node, const char *name, uint64_t size, const char *told);

/* … once what its newest file has behind its whole units is cut off. */
void aof_resume_torn(struct rg_node *node);

/* ---- aof_turn.c ---- */
void aof_turn_begin(struct rg_node *node);
void aof_turn_run(struct rg_node *node);
void aof_turn_done(struct rg_node *node, uint64_t generation, int result);
void aof_turn_drop(struct rg_node *node);
void aof_write_manifest(struct rg_node *node, enum rg_file_purpose purpose,
                        const struct rg_aof_manifest *manifest, uint64_t arg);
/* Its file is given up, because what it would follow on is. */
void aof_rewrite_cancel(struct rg_node *node);
void aof_rewrite_cron(struct rg_node *node);
void aof_rewrite_run(struct rg_node *node);
void aof_manifest_done(struct rg_node *node, uint64_t generation, int result);
void aof_rewrite_failed(struct rg_node *node);
uint64_t aof_size(const struct rg_aof *aof);

/* ---- aof_segments.c ---- */
/* What is on disk is of another log, or not believed. */
void aof_segments_forget(struct rg_aof *aof);
/* Removes the history that is kept for nobody. */
void aof_segments_trim(struct rg_node *node);
/* The newest increment is so long that another one is to begin. */
bool aof_segment_full(const struct rg_node *node);

/* ---- aof.c, for the others ---- */
void aof_take(struct rg_node *node, uint64_t end);
void aof_sync(struct rg_node *node);

#endif
