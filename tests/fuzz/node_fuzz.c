#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/node.h"

/*
 * A node whose whole world is the input: its first byte chooses the configuration, then come
 * steps of an operation, a connection and a piece of bytes. Whatever clients, a primary and the
 * other members say, and however files and connections end, the node neither crashes nor asserts.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORLD_CONNS = 64, WORLD_FILES = 4096, WORLD_STEPS = 400, WORLD_TURNS = 3 };

struct world_conn {
    struct rg_conn *conn; /* NULL: gone */
    bool dialled;         /* and not connected yet */
    bool to_close;
};

struct world {
    struct rg_node *node;
    struct rg_time now;
    struct world_conn conns[WORLD_CONNS];
    unsigned count;
    uint64_t files[WORLD_FILES]; /* tokens, oldest first */
    unsigned file_count;
    bool files_held;
    bool exited;
    char digest[64]; /* of the members; as the node's own HELLO says */
};

static const char *const world_configs[] = {
    "",
    "replication-mode semi-sync\nreplication-timeout 50\nrepl-diskless-sync no",
    "replicaof primary.example 6379\nreplica-read-only no",
    "group-name g\ngroup-members a:1 b:2 c:3\nreplication-mode quorum\nreplication-timeout 80",
    "group-name g\ngroup-members b:2\nreplication-mode quorum",
    "group-name g\ngroup-members a:1 b:2 c:3\nmasterauth p\nrequirepass p\nsave 60 1",
};

static const struct rg_conn_info world_info = {.origin = RG_CONN_TCP,
                                               .peer_host = "127.0.0.1",
                                               .peer_port = 5000,
                                               .local_host = "127.0.0.1",
                                               .local_port = 2,
                                               .fd = -1,
                                               .loopback = true};

static void world_add(struct world *world, struct rg_conn *conn, bool dialled)
{
    /* Beyond its room the world plays no part: its network drops the connection at once. */
    if (world->count == WORLD_CONNS) {
        rg_conn_set_host(conn, NULL);
        rg_node_closed(world->node, conn, RG_CLOSE_UNREACHED, world->now);
        return;
    }
    struct world_conn *it = &world->conns[world->count++];
    *it = (struct world_conn){.conn = conn, .dialled = dialled};
    rg_conn_set_host(conn, it);
}

static void world_effect(struct world *world, const struct rg_effect *effect)
{
    struct world_conn *it = NULL;

    switch (effect->type) {
    case RG_EFFECT_CONNECT:
        world_add(world, effect->conn, true);
        break;
    case RG_EFFECT_CLOSE:
        it = rg_conn_host(effect->conn);
        it->to_close = true;
        break;
    case RG_EFFECT_FILE_REPLACE:
    case RG_EFFECT_FILE_CREATE:
    case RG_EFFECT_FILE_APPEND:
    case RG_EFFECT_FILE_RENAME:
    case RG_EFFECT_FILE_REMOVE:
    case RG_EFFECT_FILE_FOLDER:
    case RG_EFFECT_LOG_APPEND:
    case RG_EFFECT_LOG_SYNC:
    case RG_EFFECT_LOG_CUT:
        if (world->file_count == WORLD_FILES)
            abort();
        world->files[world->file_count++] = effect->token;
        break;
    case RG_EFFECT_FILE_READ:
        rg_node_file_read(world->node, effect->token, RG_EIO, rg_bytes("", 0), 0, world->now);
        break;
    case RG_EFFECT_EXIT:
        world->exited = true;
        break;
    default:
        break;
    }
}

static void world_effects(struct world *world)
{
    struct rg_effect effect;

    while (rg_node_next_effect(world->node, &effect))
        world_effect(world, &effect);
}

/* The third word behind "GROUP HELLO" is what every member must say. */
static void world_learn(struct world *world, struct rg_bytes sent)
{
    const char *hello = sent.len > 0 ? memmem(sent.data, sent.len, "GROUP HELLO 2 g ", 16) : NULL;

    if (hello == NULL || (size_t)(hello - sent.data) + 48 > sent.len)
        return;
    memcpy(world->digest, hello + 16, 32);
}

static void world_outputs(struct world *world)
{
    struct rg_bytes runs[4];

    for (struct rg_conn *conn = rg_node_next_output(world->node); conn != NULL;
         conn = rg_node_next_output(world->node)) {
        unsigned n = rg_node_output(world->node, conn, runs, 4);
        size_t taken = 0;
        for (unsigned i = 0; i < n; i++) {
            taken += runs[i].len;
            world_learn(world, runs[i]);
        }
        rg_node_sent(world->node, conn, taken, world->now);
    }
}

static void world_close(struct world *world, struct world_conn *it, enum rg_close_reason reason)
{
    struct rg_conn *conn = it->conn;

    it->conn = NULL;
    if (conn != NULL)
        rg_node_closed(world->node, conn, reason, world->now);
}

static void world_files(struct world *world, unsigned max, int result)
{
    unsigned n = world->file_count < max ? world->file_count : max;

    for (unsigned i = 0; i < n; i++)
        rg_node_file_done(world->node, world->files[i], result, world->now);
    memmove(world->files, world->files + n, (world->file_count - n) * sizeof(world->files[0]));
    world->file_count -= n;
}

static void world_run(struct world *world)
{
    for (int turn = 0; turn < WORLD_TURNS; turn++) {
        rg_node_run(world->node, world->now);
        world_effects(world);
        world_outputs(world);
        for (unsigned i = 0; i < world->count; i++) {
            if (world->conns[i].to_close)
                world_close(world, &world->conns[i], RG_CLOSE_ASKED);
        }
        if (!world->files_held)
            world_files(world, WORLD_FILES, 0);
        world_effects(world);
    }
}

static struct world_conn *world_pick(struct world *world, unsigned index, bool dialled)
{
    for (unsigned i = 0; i < world->count; i++) {
        struct world_conn *it = &world->conns[(index + i) % world->count];
        if (it->conn != NULL && it->dialled == dialled)
            return it;
    }
    return NULL;
}

static struct world_conn *world_client(struct world *world)
{
    const char *refusal = NULL;

    if (world->count == WORLD_CONNS)
        return NULL;
    struct rg_conn *conn = rg_node_accepted(world->node, &world_info, world->now, &refusal);
    if (conn == NULL)
        return NULL;
    world_add(world, conn, false);
    return &world->conns[world->count - 1];
}

static void world_receive(struct world *world, struct world_conn *it, struct rg_bytes bytes)
{
    if (it != NULL && it->conn != NULL)
        rg_node_received(world->node, it->conn, bytes, world->now);
    world_run(world);
}

/* A member that introduces itself, so that the input may speak as one at once. */
static void world_member(struct world *world, unsigned from)
{
    char hello[128];
    struct world_conn *it = world_client(world);

    int len = snprintf(hello, sizeof(hello), "AUTH p\r\nGROUP HELLO 2 g %s %u 1\r\n", world->digest,
                       from % 3);
    world_receive(world, it, rg_bytes(hello, (size_t)len));
}

static void world_advance(struct world *world, unsigned arg)
{
    int64_t by_us = arg < 200 ? (int64_t)arg * 1000 : (int64_t)(arg - 199) * 1000000;

    world->now.mono_us += by_us;
    world->now.wall_us += by_us;
    world_run(world);
}

static void world_step(struct world *world, unsigned op, unsigned arg, struct rg_bytes bytes)
{
    struct world_conn *it = NULL;

    switch (op % 10) {
    case 0:
        (void)world_client(world);
        break;
    case 1:
    case 2:
    case 3:
        world_receive(world, world_pick(world, arg, false), bytes);
        break;
    case 4:
        world_advance(world, arg);
        break;
    case 5:
        it = world_pick(world, arg, true);
        if (it != NULL) {
            it->dialled = false;
            rg_node_connected(world->node, it->conn, &world_info, world->now);
        }
        world_run(world);
        break;
    case 6:
        it = world_pick(world, arg / 4, arg % 2 == 0);
        if (it != NULL)
            world_close(world, it, it->dialled ? RG_CLOSE_REFUSED : RG_CLOSE_EOF);
        world_run(world);
        break;
    case 7:
        world->files_held = arg % 4 != 0;
        world_files(world, arg / 4, arg % 4 == 1 ? RG_ENOSPC : 0);
        world_run(world);
        break;
    case 8:
        world_member(world, arg);
        break;
    default:
        if (arg == 77)
            rg_node_stop(world->node, false, world->now);
        world_run(world);
        break;
    }
}

static struct rg_config *world_config(unsigned choice, const char **ret_self)
{
    struct rg_config *config = rg_config_new();
    struct rg_buf error = {0};
    unsigned n = sizeof(world_configs) / sizeof(world_configs[0]);
    const char *text = world_configs[choice % n];

    if (rg_config_read(config, "fuzz", rg_bytes_str(text), NULL, NULL, &error) < 0)
        abort();
    rg_buf_fini(&error);
    *ret_self = choice % n >= 3 ? "b:2" : NULL;
    return config;
}

static void world_play(struct world *world, const uint8_t *data, size_t size)
{
    for (unsigned step = 0; step < WORLD_STEPS && size >= 4 && !world->exited; step++) {
        size_t len = (size_t)data[2] << 8 | data[3];
        if (len > size - 4)
            len = size - 4;
        bool talks = data[0] % 10 >= 1 && data[0] % 10 <= 3;
        if (!talks)
            len = 0;
        world_step(world, data[0], data[1], rg_bytes((const char *)data + 4, len));
        size_t used = talks ? 4 + len : 2;
        data += used;
        size -= used;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = {
        .now = {.mono_us = 1000 * RG_S_US, .wall_us = 1700000000 * RG_S_US},
    };
    const char *self = NULL;

    if (size == 0)
        return 0;
    struct rg_config *config = world_config(data[0], &self);
    struct rg_node_init init = {
        .config = config, .seed = 7, .now = world.now, .pid = 1, .self_member = self};
    world.node = rg_node_new(&init);
    rg_node_start(world.node, world.now);
    world_run(&world);
    world_play(&world, data + 1, size - 1);
    rg_node_free(world.node);
    return 0;
}
