#ifndef RG_TESTS_NODE_HAND_H
#define RG_TESTS_NODE_HAND_H

#include "node/node.h"

/*
 * One node driven by hand: the test is its host. Time stands still unless the test moves it, files
 * are done at once unless the test holds them, and what the node says is kept for comparison.
 */
struct hand_conn {
    struct rg_conn *conn;
    struct rg_buf sent; /* by the node, not yet taken by the test */
    bool closed;        /* the node asked for it, or the test ended it */
    bool dialled;
    char host[64];
    uint16_t port;
};

enum { HAND_MAX_CONNS = 32, HAND_MAX_HELD = 64, HAND_MAX_FILES = 64 };

/* A file operation that is not done yet. */
struct hand_op {
    uint64_t token;
    enum rg_effect_type type;
    char name[64];
    char new_name[64];
    struct rg_buf bytes;
    uint64_t position;
    size_t length;
};

/* What the disk holds. */
struct hand_file {
    char name[64]; /* "": free */
    struct rg_buf bytes;
};

struct hand {
    struct rg_node *node;
    struct rg_time now;
    struct hand_conn conns[HAND_MAX_CONNS];
    int conn_count;
    struct rg_buf log;   /* lines */
    struct rg_buf files; /* "REPLACE name\n" and so on */
    int file_result;     /* what file operations end with */
    bool hold_files;     /* they end when the test says hand_release */
    struct hand_op held[HAND_MAX_HELD];
    int held_count;
    struct hand_file disk[HAND_MAX_FILES]; /* as far as operations are done */
    bool exited;
    int64_t slept_us;
};

/* config: lines of redis.conf on top of "save ''". self: of group-members, or NULL. */
void hand_start(struct hand *hand, const char *config, const char *self);
/* The same node again, from what the disk of `before` held. */
void hand_start_again(struct hand *hand, const char *config, const char *self,
                      const struct hand *before);
void hand_end(struct hand *hand);
/* A file of the disk as a string, or "". */
const char *hand_file_text(const struct hand *hand, const char *name);
/* A client connects from loopback; its index. */
int hand_client(struct hand *hand);
/* The client sends text; the node runs. */
void hand_send(struct hand *hand, int client, const char *text);
/* Takes what the node sent to it since; valid until the next call for it. */
const char *hand_take(struct hand *hand, int client);
/* Both at once. */
const char *hand_ask(struct hand *hand, int client, const char *text);
void hand_run(struct hand *hand);
void hand_advance_ms(struct hand *hand, int64_t ms);
/* The first dialled connection that is neither connected nor closed; -1: none. */
int hand_dialled(const struct hand *hand);
void hand_connect(struct hand *hand, int conn);
void hand_close(struct hand *hand, int conn, enum rg_close_reason reason);
/* All held file operations end with file_result. */
void hand_release(struct hand *hand);
/* The oldest one does. */
void hand_release_one(struct hand *hand);
bool hand_logged(const struct hand *hand, const char *part);
/* The end of the node's log. */
uint64_t hand_log_end(const struct hand *hand);

#endif
