#include "base/alloc.h"
#include "base/panic.h"
#include "node/aof.h"
#include "node/serve_count.h"

/*
 * Replies that wait for the replicas (docs/failover.md, invariant 2), or for the disk (aof.c). A
 * connection's output is what may go out, then gated runs in order; each names the offset of the
 * log that must be released before it may be said. A run that never may is replaced by errors, one
 * for each command in it.
 */

static const char gate_write_failed[] =
    "UNCERTAIN The replicas did not acknowledge this write in the replication mode in force; its "
    "outcome is unknown";

/* In async only the disk is waited for. */
static const char gate_write_lost[] =
    "UNCERTAIN The AOF file did not take this write; its outcome is unknown";
static const char gate_read_lost[] =
    "MISCONF Errors writing to the AOF file: what was to be read is not durable";

uint64_t gate_released(const struct rg_node *node, enum rg_mode mode)
{
    if (node->members.group != NULL)
        return rg_group_released(node->members.group, mode, node->now.mono_us);
    return serve_released(node, mode);
}

static bool gate_open(const struct rg_conn *conn)
{
    return conn->gate_head < conn->gate_count;
}

static struct rg_gate *gate_last(struct rg_conn *conn)
{
    return gate_open(conn) ? &conn->gates[conn->gate_count - 1] : NULL;
}

static void gate_add(struct rg_conn *conn, struct rg_gate gate)
{
    if (conn->gate_head > 0 && conn->gate_head == conn->gate_count)
        conn->gate_head = conn->gate_count = 0;
    if (conn->gate_count == conn->gate_cap) {
        if (conn->gate_head > 0) {
            RG_ASSERT(conn->gates != NULL);
            conn->gate_count -= conn->gate_head;
            memmove(conn->gates, conn->gates + conn->gate_head,
                    conn->gate_count * sizeof(struct rg_gate));
            conn->gate_head = 0;
        } else {
            conn->gate_cap = conn->gate_cap ? conn->gate_cap * 2 : 8;
            conn->gates = rg_realloc(conn->gates, conn->gate_cap * sizeof(struct rg_gate));
        }
    }
    RG_ASSERT(conn->gates != NULL);
    conn->gates[conn->gate_count++] = gate;
    conn->gated_bytes += gate.len;
}

void gate_pass(struct rg_conn *conn, size_t len)
{
    struct rg_gate *last = gate_last(conn);

    if (last == NULL || len == 0)
        return;
    if (last->kind == RG_GATE_PASS) {
        last->len += len;
        conn->gated_bytes += len;
        return;
    }
    /* The connection is in node->gated already: it has an open gate. */
    gate_add(conn, (struct rg_gate){.kind = RG_GATE_PASS, .len = len});
}

void gate_reply(struct rg_node *node, struct rg_conn *conn, size_t mark, bool wrote)
{
    enum rg_mode mode = conn->has_mode ? conn->mode : node_mode(node);
    enum rg_gate_kind kind = wrote ? RG_GATE_WRITE : RG_GATE_READ;
    uint64_t need = node_log_end(node);
    size_t len = rg_buf_len(&conn->out) - mark;
    struct rg_gate *last = gate_last(conn);

    if (len == 0)
        return;
    bool durable = aof_released(node) >= need;
    bool replicated = mode == RG_MODE_ASYNC || (last == NULL && gate_released(node, mode) >= need);
    if (durable && replicated) {
        gate_pass(conn, len);
        return;
    }
    /* The disk answers some time, if only with an error. */
    int64_t deadline = mode == RG_MODE_ASYNC
                           ? RG_NEVER
                           : node->now.mono_us + node->config->replication_timeout * RG_MS_US;
    if (last != NULL && last->kind == kind && last->mode == mode && last->deadline_us == deadline) {
        last->need = need > last->need ? need : last->need;
        last->len += len;
        last->commands++;
        conn->gated_bytes += len;
    } else {
        gate_add(conn, (struct rg_gate){kind, mode, need, len, 1, deadline});
        if (rg_list_empty(&conn->gated_link))
            rg_list_append(&node->gated, &conn->gated_link);
    }
    if (mode != RG_MODE_ASYNC)
        node->ask_acks = true;
}

static void gate_pop(struct rg_conn *conn)
{
    RG_ASSERT(conn->gates[conn->gate_head].len <= conn->gated_bytes);
    conn->gated_bytes -= conn->gates[conn->gate_head++].len;
}

static const char *gate_error(const struct rg_gate *gate)
{
    if (gate->mode == RG_MODE_ASYNC)
        return gate->kind == RG_GATE_WRITE ? gate_write_lost : gate_read_lost;
    return gate->kind == RG_GATE_WRITE ? gate_write_failed : NODE_MASTERDOWN;
}

/* Replaces the first gated run by errors, and lets those go. */
static void gate_fail_first(struct rg_node *node, struct rg_conn *conn)
{
    struct rg_gate *gate = &conn->gates[conn->gate_head];
    size_t free_len = rg_buf_len(&conn->out) - conn->gated_bytes;
    struct rg_bytes all = rg_buf_view(&conn->out);
    struct rg_buf out = {0};
    struct rg_reply reply = {.out = &out, .proto = conn->proto};
    const char *error = gate_error(gate);

    rg_buf_append(&out, all.data, free_len);
    for (unsigned i = 0; i < gate->commands; i++)
        rg_reply_error(&reply, error);
    error_stats_note(&node->stats.errors, rg_bytes_str(error), gate->commands);
    rg_buf_append(&out, all.data + free_len + gate->len, conn->gated_bytes - gate->len);
    gate_pop(conn);
    rg_buf_fini(&conn->out);
    conn->out = out;
}

static void gate_conn_settle(struct rg_node *node, struct rg_conn *conn)
{
    if (!gate_open(conn)) {
        RG_ASSERT(conn->gated_bytes == 0);
        rg_list_remove(&conn->gated_link);
    }
    conn_wants_output(node, conn);
}

void gate_advance(struct rg_node *node)
{
    uint64_t released[RG_MODES];
    bool known[RG_MODES] = {false};
    uint64_t durable = aof_released(node);

    RG_LIST_EACH(link, &node->gated)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, gated_link);
        while (gate_open(conn)) {
            struct rg_gate *gate = &conn->gates[conn->gate_head];
            if (!known[gate->mode]) {
                released[gate->mode] =
                    gate->mode == RG_MODE_ASYNC ? UINT64_MAX : gate_released(node, gate->mode);
                if (durable < released[gate->mode])
                    released[gate->mode] = durable;
                known[gate->mode] = true;
            }
            if (gate->kind == RG_GATE_PASS || released[gate->mode] >= gate->need)
                gate_pop(conn);
            else if (gate->deadline_us <= node->now.mono_us)
                gate_fail_first(node, conn);
            else
                break;
        }
        gate_conn_settle(node, conn);
    }
}

void gate_fail_all(struct rg_node *node)
{
    RG_LIST_EACH(link, &node->gated)
    {
        struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, gated_link);
        while (gate_open(conn)) {
            if (conn->gates[conn->gate_head].kind == RG_GATE_PASS)
                gate_pop(conn);
            else
                gate_fail_first(node, conn);
        }
        gate_conn_settle(node, conn);
    }
}

int64_t gate_deadline(const struct rg_node *node)
{
    int64_t deadline = RG_NEVER;

    RG_LIST_EACH(link, &node->gated)
    {
        const struct rg_conn *conn = RG_CONTAINER_OF(link, struct rg_conn, gated_link);
        for (unsigned i = conn->gate_head; i < conn->gate_count; i++) {
            if (conn->gates[i].kind == RG_GATE_PASS)
                continue;
            if (conn->gates[i].deadline_us < deadline)
                deadline = conn->gates[i].deadline_us;
            break;
        }
    }
    return deadline;
}

void gate_drop(struct rg_conn *conn)
{
    conn->gate_head = conn->gate_count = 0;
    conn->gated_bytes = 0;
    rg_list_remove(&conn->gated_link);
}
