#ifndef RG_NODE_SNAPSHOT_H
#define RG_NODE_SNAPSHOT_H

#include "node/node_impl.h"

/* Bytes that are written at the end and let go at the front, in chunks (snapshot_window.c). */
struct snapshot_window {
    uint64_t start;        /* of the oldest byte that is held */
    struct rg_list chunks; /* whole ones */
    struct rg_buf newest;  /* what the writer adds to */
    uint64_t newest_start;
    bool reserves; /* room for a chunk is made at once */
};

/*
 * A snapshot under way and those who take it: replicas (serve.c) and the file (save.c). Its bytes
 * are addressed by their place in the RDB, and let go when all of these have taken them. Private to
 * snapshot*.c, serve.c and save.c.
 */
struct rg_snapshot {
    const struct rg_access *access; /* borrowed; NULL: how keys were used is left out */
    const struct rg_time *now;      /* borrowed */
    struct rg_store *store;         /* borrowed */
    unsigned refs;                  /* of replicas, the file, and the node while it is written */
    uint64_t offset;                /* end of the log it holds */
    char replid[RG_REPLID_LEN + 1];
    uint64_t changes; /* node->changes when it began */
    uint64_t keys;    /* written so far */
    uint64_t keys_total;
    bool done;
    struct rg_rdb_writer writer;
    int db; /* the one its keys are in; -1: none yet */
    bool compress;
    unsigned planted; /* as in rg_node_init */
    int64_t began_us;
    int64_t told_us; /* when its progress was last told in the log */
    struct snapshot_window window;
    struct rg_list files; /* struct snapshot_file: that it goes to */

    /* snapshot_parts.c */
    struct rg_snapshot_visitor visitor;
    struct rg_list parts; /* of what cannot go to the file yet, in the file's order */
    bool walked;          /* all of the store was seen */
};

void snapshot_window_init(struct snapshot_window *window, bool reserves);
void snapshot_window_fini(struct snapshot_window *window);
/* After writing: a full chunk is closed. */
void snapshot_window_close(struct snapshot_window *window);
uint64_t snapshot_window_end(const struct snapshot_window *window);
/* Where the chunk that is being written begins: all before does not move any more. */
uint64_t snapshot_window_closed(const struct snapshot_window *window);
/* A run of bytes at `at`, which is held; empty at the end. Lent until the next write. */
struct rg_bytes snapshot_window_read(const struct snapshot_window *window, uint64_t at);
/* Nobody needs what lies before `position`. */
void snapshot_window_trim(struct snapshot_window *window, uint64_t position);

/* A file that a snapshot goes to (snapshot_file.c). */
enum { SNAPSHOT_FILE_PIECES = 16 }; /* under way to the disk */
struct snapshot_file {
    struct rg_list link;          /* in snapshot->files */
    struct rg_snapshot *snapshot; /* a reference; NULL: none, or no more */
    enum rg_file_purpose purpose; /* of its effects; their arg is the attempt */
    uint64_t attempt;
    char name[64];
    bool created;                        /* the file is there */
    uint64_t taken;                      /* bytes that went to it */
    uint64_t written;                    /* … and are there */
    uint64_t ends[SNAPSHOT_FILE_PIECES]; /* where the pieces under way end; a ring */
    unsigned first;
    unsigned pieces;
};
/* The reference is given. The name is made of `kind` and the attempt. */
void snapshot_file_begin(struct rg_node *node, struct snapshot_file *file,
                         struct rg_snapshot *snapshot, enum rg_file_purpose purpose,
                         const char *kind);
/* Hands a piece to the disk, where there is one. True: all of it is written. */
bool snapshot_file_run(struct rg_node *node, struct snapshot_file *file);
/* One of its effects went well. */
void snapshot_file_done(struct snapshot_file *file);
/* It takes no more. Any number of times. */
void snapshot_file_end(struct snapshot_file *file);
/* The first byte that a file has not taken, or not written; UINT64_MAX. */
uint64_t snapshot_files_need(const struct rg_snapshot *snapshot, bool written);

/* Makes the visitor, whose arg is the snapshot: what it is shown goes to the file, or has to wait.
 * whole_bytes: as in rg_node_init. */
void snapshot_parts_init(struct rg_snapshot *snapshot, uint64_t whole_bytes);
void snapshot_parts_fini(struct rg_snapshot *snapshot);
/* Moves some of what waits to the file. False: there is nothing that can go now. */
bool snapshot_parts_move(struct rg_snapshot *snapshot);
/* Bytes that wait. */
uint64_t snapshot_parts_held(const struct rg_snapshot *snapshot);

#endif
