#include "node/node.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/panic.h"
#include "cmd/index.h"
#include "node/aof.h"
#include "node/blocked.h"
#include "node/evict.h"
#include "node/failover.h"
#include "node/info_memory.h"
#include "node/latency.h"
#include "node/limits.h"
#include "node/migrate.h"
#include "node/notify.h"
#include "node/own_keys.h"
#include "node/pubsub.h"
#include "node/scripting.h"
#include "node/sentinel.h"
#include "node/serve_disk.h"
#include "node/spool.h"
#include "node/stop.h"
#include "node/tracking.h"
#include "node/transfer.h"

enum { NODE_CRON_US = 100000, NODE_EXPIRE_BATCH = 200 };

/* ---- What the other files ask ---- */

bool node_is_primary(const struct rg_node *node)
{
    if (node->members.group != NULL)
        return node->members.view.role == RG_ROLE_PRIMARY;
    return !node->follow.active;
}

bool node_feeds(const struct rg_node *node)
{
    return node_is_primary(node) && !node_holds_writes(node) && !node->stopping &&
           !node->loading.on;
}

bool node_holds_writes(const struct rg_node *node)
{
    return node->members.hold || node->failover != NULL || node->stop_state == RG_STOP_LAGGING ||
           node->stop_state == RG_STOP_LOG;
}

bool node_expires_keys(const struct rg_node *node)
{
    return node_feeds(node) && node->pause_until_us <= node->now.mono_us;
}

enum rg_mode node_mode(const struct rg_node *node)
{
    return (enum rg_mode)node->config->replication_mode;
}

uint64_t node_log_end(const struct rg_node *node)
{
    return rg_backlog_end(node->backlog);
}

int64_t node_measure_us(const struct rg_node *node)
{
    return node->clock_us != NULL ? node->clock_us(node->clock_arg) : 0;
}

uint64_t node_memory(const struct rg_node *node)
{
    return node->fixed_memory + node->clients_memory + node->rooms.bytes +
           rg_store_memory(node->store) + rg_backlog_memory(node->backlog) + snapshot_memory(node) +
           tracking_memory(node);
}

const struct rg_config *rg_node_config(const struct rg_node *node)
{
    return node->config;
}

/* ---- Making and unmaking ---- */

static void node_lists(struct rg_node *node)
{
    rg_list_init(&node->conns);
    rg_list_init(&node->spools);
    rg_list_init(&node->serving);
    rg_list_init(&node->monitors);
    rg_list_init(&node->with_input);
    rg_list_init(&node->with_output);
    rg_list_init(&node->lending);
    rg_list_init(&node->gated);
    rg_list_init(&node->blocked);
    rg_list_init(&node->waiting);
    rg_list_init(&node->ready_keys);
    rg_list_init(&node->effects);
    rg_list_init(&node->slowlog);
    rg_list_init(&node->sentinel_held);
}

struct rg_store_limits node_store_limits(const struct rg_node *node)
{
    const struct rg_config *config = node->config;

    return (struct rg_store_limits){
        .hash_max_listpack_entries = (uint64_t)config->hash_max_listpack_entries,
        .hash_max_listpack_value = (uint64_t)config->hash_max_listpack_value,
        .list_max_listpack_size = config->list_max_listpack_size,
        .set_max_intset_entries = (uint64_t)config->set_max_intset_entries,
        .zset_max_listpack_entries = (uint64_t)config->zset_max_listpack_entries,
        .zset_max_listpack_value = (uint64_t)config->zset_max_listpack_value,
    };
}

void node_set_access(struct rg_node *node)
{
    const struct rg_config *config = node->config;

    node->access = (struct rg_access){
        .lfu = config->maxmemory_policy == RG_POLICY_VOLATILE_LFU ||
               config->maxmemory_policy == RG_POLICY_ALLKEYS_LFU,
        .lfu_log_factor = config->lfu_log_factor,
        .lfu_decay_minutes = config->lfu_decay_time,
    };
}

struct rg_node *rg_node_new(const struct rg_node_init *init)
{
    struct rg_node *node = RG_NEW(struct rg_node);
    unsigned commands = 0;
    char replid[RG_REPLID_LEN + 1];

    node_lists(node);
    node->config = init->config;
    node->now = node->started = init->now;
    node->pid = init->pid;
    node->executable = init->executable;
    node->planted = init->planted;
    node->snapshot_whole_bytes = init->snapshot_whole_bytes;
    node->snapshot_step = init->snapshot_step;
    node->clock_us = init->clock_us;
    node->clock_arg = init->clock_arg;
    rg_rand_init(&node->rand, init->seed);
    rg_rand_hex(&node->rand, node->run_id, 40);
    rg_rand_hex(&node->rand, replid, RG_REPLID_LEN);
    struct rg_store_limits limits = node_store_limits(node);
    node->store =
        rg_store_new((unsigned)node->config->databases, rg_rand_u64(&node->rand), &limits);
    node->backlog = rg_backlog_new(0, (uint64_t)node->config->repl_backlog_size);
    node->feed_db = -1;
    node->last_primary = -1;
    node->follow.member = -1;
    node->follow.stream_db = -1;
    (void)rg_cmd_table(&commands);
    node->stats.per_command = RG_NEW_ARRAY(struct rg_command_stats, commands);
    node->commands =
        node->config->sentinel ? rg_cmd_index_new_of(sentinel_offers) : rg_cmd_index_new();
    node->batch = batch_new();
    node->evict = evict_new();
    node_set_access(node);
    rg_payload_codec_init(&node->payload_codec, &node->access, &node->now,
                          &node->config->rdbcompression);
    node->pubsub = pubsub_new();
    node->tracking = tracking_new();
    node->wanted = wanted_new(rg_hash64(rg_bytes_str(node->run_id), 0));
    notify_configure(node);
    node->latency = latency_new();
    node->save = save_new(node);
    node->aof = aof_new();
    if (init->self_member != NULL)
        node->members.self_name = rg_alloc_copy(init->self_member, strlen(init->self_member));
    rg_history_reset(&node->history);
    if (node->config->group_name[0] == '\0')
        rg_history_push(&node->history, 0, replid, 0);
    if (node->config->sentinel)
        sentinel_new(node);
    return node;
}

void rg_node_free(struct rg_node *node)
{
    if (node == NULL)
        return;
    snapshot_drop(node);
    save_free(node->save);
    node->save = NULL;
    scripts_free(node->scripts);
    aof_load_free(node);
    transfer_free(node, node->load);
    transfer_free(node, node->follow.transfer);
    node->follow.transfer = NULL;
    while (!rg_list_empty(&node->conns))
        conn_free(node, RG_CONTAINER_OF(node->conns.next, struct rg_conn, link));
    sentinel_fini(node);
    spool_free_all(node);
    rg_free(node->follow.host);
    member_fini(node);
    pubsub_free(node->pubsub);
    tracking_free(node->tracking);
    migrate_free(node->migrate);
    wanted_free(node->wanted);
    rg_heap_fini(&node->wait_timers);
    slowlog_fini(node);
    latency_free(node->latency);
    room_fini(node);
    node_effects_fini(node);
    rg_propagation_fini(&node->propagation);
    rg_notes_fini(&node->notes);
    batch_free(node->batch);
    rg_cmd_index_free(node->commands);
    evict_free(node->evict);
    aof_free(node->aof);
    failover_free(node->failover);
    rg_backlog_free(node->backlog);
    rg_store_free(node->store);
    rg_store_free(node->own_keys);
    rg_buf_fini(&node->muted);
    rg_free(node->stats.per_command);
    rg_config_free(node->config);
    rg_free(node);
}

/* ---- Inputs ---- */

static void node_address(char out[CONN_ADDRESS_CHARS], const char *host, uint16_t port)
{
    bool six = strchr(host, ':') != NULL;

    (void)snprintf(out, CONN_ADDRESS_CHARS, "%s%s%s:%u", six ? "[" : "", host, six ? "]" : "",
                   port);
}

static void node_describe_conn(struct rg_conn *conn, const struct rg_conn_info *info)
{
    char peer[CONN_ADDRESS_CHARS];
    char local[CONN_ADDRESS_CHARS];

    conn->origin = info->origin;
    conn->fd = info->fd;
    node_address(peer, info->peer_host, info->peer_port);
    node_address(local, info->local_host, info->local_port);
    conn_name(conn, peer, local, info->peer_host);
}

static const char node_protected[] =
    "-DENIED Redis is running in protected mode because protected mode is enabled and no password "
    "is set for the default user. In this mode connections are only accepted from the loopback "
    "interface. To connect from elsewhere, set a password (requirepass), or set protected-mode "
    "to no, with CONFIG SET from the same host or in the configuration file.\r\n";

struct rg_conn *rg_node_accepted(struct rg_node *node, const struct rg_conn_info *info,
                                 struct rg_time now, const char **ret_refusal)
{
    node->now = now;
    if ((int64_t)node->clients >= node->config->maxclients) {
        node->stats.rejected_connections++;
        *ret_refusal = "-ERR max number of clients reached\r\n";
        return NULL;
    }
    if (node->config->protected_mode && node->config->requirepass[0] == '\0' &&
        info->origin == RG_CONN_TCP && !info->loopback) {
        node->stats.rejected_connections++;
        *ret_refusal = node_protected;
        return NULL;
    }
    struct rg_conn *conn = conn_new(node, RG_CONN_CLIENT);
    node_describe_conn(conn, info);
    conn->established = true;
    conn->authenticated = conn->parser.authenticated = node->config->requirepass[0] == '\0';
    node->clients++;
    node->stats.connections++;
    return conn;
}

void rg_node_connected(struct rg_node *node, struct rg_conn *conn, const struct rg_conn_info *info,
                       struct rg_time now)
{
    node->now = now;
    conn->established = true;
    conn->received_us = now.mono_us;
    conn->fd = info->fd;
    if (conn->closing)
        return;
    if (conn->kind == RG_CONN_STREAM && node->follow.conn == conn)
        follow_connected(node);
    else if (conn->kind == RG_CONN_PEER_OUT)
        member_connected(node, conn);
    else if (conn->kind == RG_CONN_MIGRATE)
        migrate_connected(node, conn);
    else if (conn->kind == RG_CONN_SENTINEL)
        sentinel_connected(node, conn, info);
}

void rg_node_received(struct rg_node *node, struct rg_conn *conn, struct rg_bytes bytes,
                      struct rg_time now)
{
    node->now = now;
    if (conn->closing)
        return;
    if (conn->kind == RG_CONN_STREAM)
        node->stats.repl_input_bytes += bytes.len;
    else
        node->stats.input_bytes += bytes.len;
    node->stats.reads++;
    conn->received_us = now.mono_us;
    if (conn->large.draft != NULL) {
        size_t n = large_receive(conn, bytes);
        bytes = rg_bytes(bytes.data + n, bytes.len - n);
    }
    /* Whole requests are taken from where they lie; only what is left over is copied. */
    bool client = conn->kind == RG_CONN_CLIENT || conn->kind == RG_CONN_REPLICA;
    if (client && conn_input(conn).len == 0) {
        conn->lent = bytes;
    } else if (conn_is_in_room(conn, bytes)) {
        rg_buf_commit(&conn->in, bytes.len);
    } else {
        conn_keep_input(node, conn);
        room_take(node, &conn->in);
        rg_buf_append_bytes(&conn->in, bytes);
    }
    conn_wants_input(node, conn);
}

size_t rg_node_room(struct rg_node *node, struct rg_conn *conn, char **ret_room)
{
    return conn->kind == RG_CONN_CLIENT && !conn->closing && node->load == NULL
               ? conn_input_room(conn, ret_room)
               : 0;
}

void rg_node_closed(struct rg_node *node, struct rg_conn *conn, enum rg_close_reason reason,
                    struct rg_time now)
{
    node->now = now;
    lend_end_all(node);
    if (conn->kind == RG_CONN_STREAM && node->follow.conn == conn)
        follow_closed(node, reason);
    else if (conn->kind == RG_CONN_REPLICA)
        serve_closed(node, conn);
    else if (conn->kind == RG_CONN_PEER_IN || conn->kind == RG_CONN_PEER_OUT)
        member_closed(node, conn, reason);
    else if (conn->kind == RG_CONN_MIGRATE)
        migrate_closed(node, conn);
    else if (conn->kind == RG_CONN_SENTINEL)
        sentinel_closed(node, conn, reason);
    conn_free(node, conn);
}

static bool node_take_wait(struct rg_node *node, uint64_t token, struct rg_file_wait *ret_wait)
{
    for (unsigned i = 0; i < node->file_wait_count; i++) {
        if (node->file_waits[i].token != token)
            continue;
        *ret_wait = node->file_waits[i];
        node->file_waits[i] = node->file_waits[--node->file_wait_count];
        return true;
    }
    return false;
}

void rg_node_file_done(struct rg_node *node, uint64_t token, int result, struct rg_time now)
{
    struct rg_file_wait wait;

    node->now = now;
    lend_end_all(node); /* what was loaded may take the place of the store */
    if (!node_take_wait(node, token, &wait))
        return;
    switch (wait.purpose) {
    case RG_FILE_IGNORED:
        break;
    case RG_FILE_STATE:
        member_persisted(node, wait.arg, result);
        break;
    case RG_FILE_TRANSFER:
    case RG_FILE_TRANSFER_END:
        transfer_file_done(node, wait.purpose, wait.arg, result);
        break;
    case RG_FILE_SAVE:
    case RG_FILE_SAVE_END:
        save_file_done(node, wait.purpose, wait.arg, result);
        break;
    case RG_FILE_STOP:
        stop_marked(node, result);
        break;
    case RG_FILE_SENTINEL:
        sentinel_file_done(node, wait.arg, result);
        break;
    case RG_FILE_REWRITE:
        config_rewritten(node, wait.arg, result);
        break;
    case RG_FILE_AOF_APPEND:
    case RG_FILE_AOF_SYNC:
    case RG_FILE_AOF_CUT:
    case RG_FILE_AOF_TURN:
    case RG_FILE_AOF_MANIFEST:
        aof_file_done(node, wait.purpose, wait.arg, result);
        break;
    case RG_FILE_SPOOL:
        spool_file_done(node, wait.arg, result);
        break;
    case RG_FILE_SPOOL_READ:
    case RG_FILE_SERVE: /* rg_node_file_read answers it */
        RG_UNREACHABLE();
    }
}

void rg_node_file_read(struct rg_node *node, uint64_t token, int result, struct rg_bytes bytes,
                       uint64_t size, struct rg_time now)
{
    struct rg_file_wait wait;

    node->now = now;
    if (!node_take_wait(node, token, &wait))
        return;
    if (wait.purpose == RG_FILE_SPOOL_READ) {
        spool_file_read(node, wait.arg, result, bytes);
        return;
    }
    RG_ASSERT(wait.purpose == RG_FILE_SERVE);
    serve_disk_read(node, wait.arg, result, bytes, size);
}

void rg_node_set_facts(struct rg_node *node, const struct rg_node_facts *facts)
{
    node->facts = *facts;
    memory_note(node);
}

/* ---- The run ---- */

struct rg_cmd_ctx node_upkeep_ctx(struct rg_node *node, unsigned db)
{
    rg_propagation_reset(&node->propagation);
    notify_begin(node, NULL);
    return (struct rg_cmd_ctx){
        .store = node->store,
        .db_index = db,
        .db = rg_store_db(node->store, db),
        .now = node->now,
        .rand = &node->rand,
        .access = &node->access,
        .codec = &node->payload_codec.cmd,
        .counters = &node->stats.cmd,
        .propagation = &node->propagation,
        .notes = &node->notes,
    };
}

void node_upkeep_done(struct rg_node *node)
{
    feed_propagation(node);
    notify_deliver(node, NULL);
    blocked_serve(node);
}

static void node_expire(struct rg_node *node)
{
    int64_t began_us = node_measure_us(node);

    if (!node->config->active_expire || !node_expires_keys(node))
        return;
    for (unsigned i = 0; i < rg_store_databases(node->store); i++) {
        struct rg_db *db = rg_store_db(node->store, i);
        int64_t next = rg_db_next_expire_ms(db);
        if (next == RG_NO_EXPIRY || next > node->now.wall_us / RG_MS_US)
            continue;
        struct rg_cmd_ctx ctx = node_upkeep_ctx(node, i);
        (void)rg_cmd_expire_due(&ctx, NODE_EXPIRE_BATCH);
        node_upkeep_done(node);
    }
    int64_t took_us = node_measure_us(node) - began_us;
    node->stats.expire_us += took_us;
    latency_event(node, LATENCY_EXPIRE_CYCLE, took_us);
}

static int64_t node_expire_deadline(const struct rg_node *node)
{
    int64_t earliest = RG_NEVER;

    if (!node->config->active_expire || !node_feeds(node))
        return RG_NEVER;
    if (!node_expires_keys(node))
        return node->pause_until_us;
    for (unsigned i = 0; i < rg_store_databases(node->store); i++) {
        int64_t next = rg_db_next_expire_ms(rg_store_db(node->store, i));
        if (next == RG_NO_EXPIRY)
            continue;
        /* A time so far off that it cannot be told in microseconds needs no timer. */
        if (next >= RG_NEVER / RG_MS_US / 2)
            continue;
        int64_t wait_us = next * RG_MS_US - node->now.wall_us;
        int64_t at = node->now.mono_us + (wait_us > 0 ? wait_us : 0);
        earliest = at < earliest ? at : earliest;
    }
    return earliest;
}

static void node_sample(struct rg_node *node)
{
    struct rg_stats *stats = &node->stats;
    int64_t elapsed_us = node->now.mono_us - stats->sample_us;
    const uint64_t counters[RG_RATES] = {
        [RG_RATE_COMMANDS] = stats->commands,
        [RG_RATE_INPUT] = stats->input_bytes,
        [RG_RATE_OUTPUT] = stats->output_bytes,
        [RG_RATE_REPL_INPUT] = stats->repl_input_bytes,
        [RG_RATE_REPL_OUTPUT] = stats->repl_output_bytes,
    };

    if (elapsed_us < RG_S_US)
        return;
    for (int i = 0; i < RG_RATES; i++) {
        stats->per_second[i] =
            (double)(counters[i] - stats->samples[i]) * (double)RG_S_US / (double)elapsed_us;
        stats->samples[i] = counters[i];
    }
    stats->sample_us = node->now.mono_us;
}

static void node_cron(struct rg_node *node)
{
    if (node->next_cron_us > node->now.mono_us)
        return;
    node->next_cron_us = node->now.mono_us + NODE_CRON_US;
    node_sample(node);
    limits_cron(node);
    room_cron(node);
    serve_cron(node);
    follow_cron(node);
    member_cron(node);
    own_keys_cron(node);
    save_cron(node);
    aof_cron(node);
}

/* In the modes that wait, replicas that do not acknowledge by themselves are asked. */
static void node_ask_acks(struct rg_node *node)
{
    struct rg_bytes argv[] = {RG_BYTES("REPLCONF"), RG_BYTES("GETACK"), RG_BYTES("*")};

    if (!node->ask_acks)
        return;
    node->ask_acks = false;
    if (node_is_primary(node) && node->members.group == NULL && node->replicas > 0)
        feed_plain(node, argv, 3);
    if (node->members.group != NULL && !node_is_primary(node)) {
        rg_group_want_commit(node->members.group, node_log_end(node), node->now.mono_us);
        member_drain(node);
    }
}

/* A slice of what was deleted or flushed and takes long to free. */
static void node_free_dropped(struct rg_node *node)
{
    enum { NODE_FREE_ELEMENTS = 500 }; /* some fifty microseconds */

    if (rg_store_has_doomed(node->store))
        rg_store_free_step(node->store, NODE_FREE_ELEMENTS);
}

void rg_node_run(struct rg_node *node, struct rg_time now)
{
    RG_ASSERT(node->running || node->loading.on);
    node->now = now;
    lend_end_all(node);
    if (node->stopping) {
        /* What the final files lack must not happen, unless they fail and the node goes on. */
        batch_hold(node);
        snapshot_run(node);
        save_run(node);
        return;
    }
    if (node->loading.on) {
        /* There is no data yet that anything could be done with. */
        batch_run(node);
        limits_cron(node);
        limits_run(node);
        stop_run(node);
        return;
    }
    uint64_t log_before = node_log_end(node);
    member_run(node);
    follow_run(node);
    node_expire(node);
    evict_run(node);
    batch_run(node);
    node_cron(node);
    node_ask_acks(node);
    if (node->members.group != NULL)
        member_run(node); /* it learns where the log ends now */
    gate_advance(node);
    failover_run(node);
    migrate_run(node);
    session_blocked(node);
    blocked_time(node);
    /* Commands that a hand-over or a pause had held back. */
    batch_run(node);
    sentinel_run(node);
    follow_ack(node);
    snapshot_run(node);
    save_run(node);
    spool_run(node);
    aof_run(node);
    serve_begin_waiting(node);
    serve_disk_run(node);
    if (node_log_end(node) != log_before || node->replicas > 0 || aof_on(node)) {
        serve_wake(node);
        feed_trim(node);
    }
    prefix_tell(node);
    limits_run(node);
    node_free_dropped(node);
    stop_run(node);
}

int64_t rg_node_deadline(const struct rg_node *node)
{
    if (node->stopping)
        return snapshot_deadline(node); /* beside its files */
    if (node->loading.on)
        return node->now.mono_us;
    int64_t deadlines[] = {
        member_deadline(node),      follow_deadline(node),     gate_deadline(node),
        session_deadline(node),     node->next_cron_us,        node_expire_deadline(node),
        evict_deadline(node),       snapshot_deadline(node),   stop_deadline(node),
        spool_deadline(node),       serve_disk_deadline(node), failover_deadline(node),
        migrate_deadline(node),     member_deadline(node),     follow_deadline(node),
        gate_deadline(node),        session_deadline(node),    node->next_cron_us,
        node_expire_deadline(node), evict_deadline(node),      snapshot_deadline(node),
        stop_deadline(node),        spool_deadline(node),      serve_disk_deadline(node),
        failover_deadline(node),    sentinel_deadline(node),
    };
    int64_t deadline = RG_NEVER;

    if (rg_store_has_doomed(node->store))
        return node->now.mono_us; /* the next slice */
    for (size_t i = 0; i < sizeof(deadlines) / sizeof(deadlines[0]); i++)
        deadline = deadlines[i] < deadline ? deadlines[i] : deadline;
    return deadline;
}

/* ---- Output ---- */

struct rg_conn *rg_node_next_output(struct rg_node *node)
{
    if (rg_list_empty(&node->with_output))
        return NULL;
    struct rg_conn *conn = RG_CONTAINER_OF(node->with_output.next, struct rg_conn, output_link);
    rg_list_remove(&conn->output_link);
    return conn;
}

unsigned rg_node_output(struct rg_node *node, struct rg_conn *conn, struct rg_bytes *ret_runs,
                        unsigned max)
{
    size_t ready = rg_buf_len(&conn->out) - conn->gated_bytes;
    unsigned n = 0;

    if (!conn->established || conn->discarded)
        return 0;
    if (ready > 0 && max > 0)
        n = lend_output(conn, ready, ret_runs, max);
    if (conn->kind == RG_CONN_REPLICA && !conn->closing && conn->gated_bytes == 0)
        n += serve_output(node, conn, ret_runs + n, max - n);
    return n;
}

void rg_node_sent(struct rg_node *node, struct rg_conn *conn, size_t n, struct rg_time now)
{
    bool any = n > 0;

    node->now = now;
    node->stats.output_bytes += n;
    node->stats.writes++;
    if (conn->lents.count > 0)
        n = lend_sent(conn, n);
    size_t ready = rg_buf_len(&conn->out) - conn->gated_bytes;
    size_t own = n < ready ? n : ready;
    rg_buf_consume(&conn->out, own);
    lend_end(conn);
    if (rg_buf_len(&conn->out) == 0)
        room_give(node, &conn->out);
    if (n > own)
        serve_sent(node, conn, n - own);
    if (any)
        conn_wants_output(node, conn);
}

void rg_node_writable(struct rg_node *node, struct rg_conn *conn)
{
    conn_wants_output(node, conn);
}
