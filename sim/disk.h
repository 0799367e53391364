#ifndef RG_SIM_DISK_H
#define RG_SIM_DISK_H

#include "base/buf.h"
#include "node/node.h"
#include "sim/loop.h"

/*
 * One machine's files, and the operations on them that a node asks for (node.h, file effects). They
 * are carried out one after the other, each taking its time. What was not synced when the power
 * goes is torn; what a process wrote before it alone was killed is there.
 */
enum { SIM_MAX_FILES = 160 };

struct sim_file {
    char name[128]; /* "": free */
    struct rg_buf data;
    size_t synced;
    int failed;  /* an append failed: nothing more is taken until it is cut */
    bool broken; /* a sync of it failed: nothing of it is believed any more */
};

struct sim_disk_op {
    enum rg_effect_type type;
    uint64_t token;
    char name[128];
    char new_name[128];
    struct rg_buf bytes; /* owned */
    uint64_t position;
    size_t length;
    uint64_t file_size; /* of what was read */
};

struct sim_disk {
    struct sim_loop *loop;
    struct sim_event event;
    struct sim_file files[SIM_MAX_FILES];
    struct sim_disk_op *queue; /* owned */
    size_t head;
    size_t count; /* [head, count) wait; the first is under way */
    size_t cap;
    int64_t latency_us; /* mean */
    bool full;
    double error; /* probability that an operation fails */
    /* bytes of op: what was read, where it was a read; they may be taken. */
    void (*done)(void *arg, struct sim_disk_op *op, int result);
    void *arg;
};

void sim_disk_init(struct sim_disk *disk, struct sim_loop *loop);
void sim_disk_fini(struct sim_disk *disk);
/* A file effect of a node; copies what it needs. */
void sim_disk_submit(struct sim_disk *disk, const struct rg_effect *effect);
/* NULL where there is none. Borrowed until the next operation. */
const struct sim_file *sim_disk_find(const struct sim_disk *disk, const char *name);
/* The process died. power: the machine did, so that unsynced bytes are lost or torn. */
void sim_disk_crash(struct sim_disk *disk, bool power);
void sim_disk_wipe(struct sim_disk *disk);
/* Removes a file while nobody works on it. */
void sim_disk_forget(struct sim_disk *disk, const char *name);

#endif
