#ifndef RG_TESTS_CORE_GROUP_WORLD_H
#define RG_TESTS_CORE_GROUP_WORLD_H

#include "base/heap.h"
#include "base/list.h"
#include "core/group.h"

/*
 * A small world for rg_group alone: machines, a network with delay and cuts, disks, and a model of
 * the log that remembers for each write in which term it was made. Everything comes from one seed.
 * The world itself checks invariants 1, 2, 3 and 5 after each step.
 */
enum { WORLD_NODES = 5, WORLD_LOG_MAX = 16384, WORLD_TERMS_MAX = 2048 };

struct world_entry {
    uint64_t term;
    uint64_t id; /* no two writes have the same */
    bool record;
    enum rg_mode mode;
};

/* An entry is one byte of the log: its offset is its index. */
struct world_log {
    struct world_entry entries[WORLD_LOG_MAX];
    unsigned len;
};

struct world_node {
    struct rg_group *group; /* NULL while it is down */
    struct world_log log;
    bool has_file;
    struct rg_group_durable disk;
    uint64_t disk_seq; /* newest PERSIST of this life on the disk */
    uint64_t life;     /* counts starts: what was under way for an earlier life is lost */
    uint32_t priority;
    enum rg_mode mode;
    bool frozen;
    int64_t disk_us; /* time that a write takes; RG_NEVER: never done */
    bool keeps_log;  /* the log is on disk too: a restart is as after a clean stop */
    bool log_lost;   /* … but for this: the disk was lost, and no log loaded since */
    /* Replication. */
    int follows;
    uint64_t follow_term;
    uint64_t stream; /* counts FOLLOWs */
    bool stream_up;
    /* As primary. */
    bool leads;
    bool held;
    uint64_t lead_term;
    uint64_t checked; /* of what was released in this term: compared already */
};

struct world {
    unsigned n;
    struct world_node nodes[WORLD_NODES];
    bool cut[WORLD_NODES][WORLD_NODES];
    bool linked[WORLD_NODES][WORLD_NODES];
    struct rg_heap events;
    int64_t now_us;
    int64_t delay_us;
    int64_t jitter_us;
    struct rg_rand rand;
    uint64_t next_id;
    unsigned planted;
    struct rg_buf transcript; /* SAY lines with time and node */
    bool quiet;
    /* What clients were told. */
    struct world_entry acked[WORLD_LOG_MAX];
    unsigned acked_len;
    uint64_t terms_led[WORLD_TERMS_MAX];
    unsigned elections; /* so many of them */
    const char *broken; /* the invariant that does not hold; NULL */
    int last_resume;    /* -1: none; else ok of the last RESUME */
    bool lossy;         /* amnesia of many: acknowledged writes may be gone */
};

struct world *world_new(unsigned n, enum rg_mode mode, uint64_t seed);
void world_free(struct world *world);
void world_start(struct world *world, unsigned node);
void world_start_all(struct world *world);
void world_kill(struct world *world, unsigned node); /* kill -9: its memory is gone */
void world_lose_disk(struct world *world, unsigned node);
void world_freeze(struct world *world, unsigned node, bool frozen);
void world_cut(struct world *world, unsigned a, unsigned b, bool cut); /* both ways */
void world_isolate(struct world *world, unsigned node, bool cut);
/* Runs until the time has passed or an invariant is broken. */
void world_run(struct world *world, int64_t for_us);
/* A client's write on a node that leads; false where none may be made. */
bool world_write(struct world *world, unsigned node);
int world_primary(const struct world *world); /* the one of the newest term; -1 */
void world_set_mode(struct world *world, unsigned node, enum rg_mode mode);
/* Lines since the last call, each "node: text". Borrowed until the next call. */
const char *world_said(struct world *world);

#endif
