#include "sim/client.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/panic.h"
#include "proto/resp.h"
#include "sim/workload.h"

/* Pause before another node is tried. */
enum { CLIENT_RETRY_US = 30000 };

static void client_fire(struct sim_event *event);

/* ---- Connections ---- */

static void client_next_timer(struct sim_client *client, int64_t in_us)
{
    sim_event_at(client->load->loop, &client->timer, client->load->loop->now_us + in_us);
}

/* What has no answer by now gets none: a write may still take effect, a read is worth nothing. */
static void client_forget(struct sim_client *client)
{
    struct sim_history *history = &client->load->history;

    for (unsigned i = 0; i < client->waiting_count; i++) {
        const struct sim_op *op = &history->ops[client->waiting[i]];
        bool writes = op->kind == SIM_OP_WRITE || op->kind == SIM_OP_INCR;
        sim_history_end(history, client->waiting[i], writes ? SIM_UNKNOWN : SIM_REFUSED, op->value,
                        client->load->loop->now_us);
    }
    client->waiting_count = 0;
}

static void client_drop(struct sim_client *client)
{
    struct sim_end *end = client->end;

    client->end = NULL;
    client->state = SIM_CLIENT_IDLE;
    rg_buf_reset(&client->in, 4096);
    client_forget(client);
    if (end != NULL)
        sim_end_close(client->load->network, end);
}

static unsigned client_any_node(struct sim_client *client)
{
    return (unsigned)rg_rand_below(&client->load->loop->rand, client->load->nodes);
}

/* Leaves the connection and tries node after a pause. */
static void client_go(struct sim_client *client, unsigned node)
{
    client_drop(client);
    client->node = node;
    client->reconnects++;
    client_next_timer(client,
                      CLIENT_RETRY_US / 2 + sim_around(client->load->loop, CLIENT_RETRY_US));
}

static void client_dial(struct sim_client *client)
{
    client->state = SIM_CLIENT_DIALING;
    client->since_us = client->load->loop->now_us;
    client->end = sim_dial(client->load->network, client->host, client->node, client);
    client_next_timer(client, client->load->timeout_us);
}

static void client_send(struct sim_client *client, struct rg_buf *request)
{
    sim_end_send(client->load->network, client->end, rg_buf_view(request));
    rg_buf_fini(request);
}

static void client_connected(void *arg, struct sim_end *end)
{
    struct sim_client *client = arg;
    struct rg_buf request = {0};

    if (client->end != end)
        return;
    client->since_us = client->load->loop->now_us;
    if (client->kind == SIM_CLIENT_ADMIN) {
        rg_buf_printf(&request, "%s\r\n", client->command);
        client_send(client, &request);
        client->state = SIM_CLIENT_ASKING;
        return;
    }
    if (client->kind == SIM_CLIENT_READER) {
        client->state = SIM_CLIENT_READY;
        client_next_timer(client, 0);
        return;
    }
    rg_request_write_strs(&request, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "sim", NULL);
    client_send(client, &request);
    client->state = SIM_CLIENT_ASKING;
}

static void client_closed(void *arg, struct sim_end *end, enum rg_close_reason reason)
{
    struct sim_client *client = arg;

    (void)reason;
    if (client->end != end)
        return;
    if (client->kind == SIM_CLIENT_ADMIN)
        client_drop(client);
    else
        client_go(client, client_any_node(client));
}

/* ---- Answers ---- */

/* "*2 host port", "*-1", or an error. Errors: RG_EAGAIN, RG_EPROTO. */
static int client_primary_answer(struct sim_client *client, int *ret_node)
{
    struct rg_bytes input = rg_buf_view(&client->in);
    struct rg_frame frame;
    size_t used = 0;
    size_t total = 0;
    int64_t port = 0;

    int result = rg_frame_parse(input, &used, &frame);
    if (result < 0)
        return result;
    total = used;
    *ret_node = -1;
    if (frame.type == RG_FRAME_ARRAY && frame.len == 2) {
        for (int i = 0; i < 2; i++) {
            result = rg_frame_parse(rg_bytes(input.data + total, input.len - total), &used, &frame);
            if (result < 0)
                return result;
            total += used;
        }
        if (rg_parse_i64(frame.bytes, &port) < 0)
            return RG_EPROTO;
        *ret_node = (int)(port - client->load->base_port);
    }
    rg_buf_consume(&client->in, total);
    return 0;
}

static void client_asked(struct sim_client *client)
{
    int node = -1;
    int result = client_primary_answer(client, &node);

    if (result == RG_EAGAIN)
        return;
    if (result < 0 || node >= (int)client->load->nodes) {
        sim_fail(client->load->loop, "client %u asked n%u for the primary and got nonsense",
                 client->index, client->node);
        return;
    }
    if (node == (int)client->node) {
        client->state = SIM_CLIENT_READY;
        client->since_us = client->load->loop->now_us;
        client_next_timer(client, 0);
        return;
    }
    client_go(client, node < 0 ? client_any_node(client) : (unsigned)node);
}

/* False: the connection is of no more use. */
static bool client_answer(struct sim_client *client, const struct sim_answer *answer)
{
    const struct rg_frame *frame = &answer->head;
    struct sim_history *history = &client->load->history;
    size_t number = client->waiting[0];
    struct sim_op *op = &history->ops[number];
    int64_t now_us = client->load->loop->now_us;
    int64_t value = SIM_NO_VALUE;

    if (op->before > 0) {
        op->before--; /* of MULTI or of what it queued; EXEC's tells what became of it */
        client->since_us = now_us;
        return true;
    }
    client->waiting_count--;
    memmove(client->waiting, client->waiting + 1, client->waiting_count * sizeof(size_t));
    client->since_us = now_us;
    if (frame->type == RG_FRAME_ERROR) {
        bool uncertain = rg_bytes_starts_with(frame->bytes, RG_BYTES("UNCERTAIN"));
        bool writes = op->kind == SIM_OP_WRITE || op->kind == SIM_OP_INCR;
        sim_history_end(history, number, uncertain && writes ? SIM_UNKNOWN : SIM_REFUSED, op->value,
                        now_us);
        return op->kind == SIM_OP_OTHER && !sim_workload_is_refusal(frame->bytes);
    }
    if (sim_workload_torn(op, answer)) {
        sim_fail(
            client->load->loop,
            "transactions: client %u saw the middle of one on n%u: register %u is %.*s and its "
            "twin %.*s",
            client->index, client->node, op->target, (int)answer->items[0].bytes.len,
            answer->items[0].bytes.data, (int)answer->items[1].bytes.len,
            answer->items[1].bytes.data);
        return false;
    }
    if (!sim_workload_value(op, answer, &value)) {
        sim_fail(client->load->loop, "client %u got an answer of the wrong kind from n%u: %.*s",
                 client->index, client->node, (int)frame->bytes.len, frame->bytes.data);
        return false;
    }
    sim_history_end(history, number, SIM_OK, value, now_us);
    if (op->kind == SIM_OP_WRITE || op->kind == SIM_OP_READ || op->kind == SIM_OP_REPLICA_READ)
        sim_check_shown(client->load->tree, client->load->nodes, client->load->mode, client->index,
                        op->value, op->kind == SIM_OP_WRITE);
    if (client->load->phase == SIM_PHASE_AUDIT && op->kind == SIM_OP_READ &&
        op->target == client->audited)
        client->audited++;
    return true;
}

static void client_answers(struct sim_client *client)
{
    struct sim_answer answer;
    size_t used = 0;

    while (client->end != NULL && rg_buf_len(&client->in) > 0) {
        int result = sim_workload_answer(rg_buf_view(&client->in), &used, &answer);
        if (result == RG_EAGAIN)
            return;
        if (client->kind == SIM_CLIENT_ADMIN) {
            client_drop(client);
            return;
        }
        if (result < 0 || client->waiting_count == 0) {
            sim_fail(client->load->loop, "client %u got an answer that nobody asked for",
                     client->index);
            return;
        }
        bool go_on = client_answer(client, &answer);
        if (!go_on) {
            client_go(client, client_any_node(client));
            return;
        }
        rg_buf_consume(&client->in, used);
    }
}

static void client_received(void *arg, struct sim_end *end)
{
    struct sim_client *client = arg;

    if (client->end == end) {
        rg_buf_append_bytes(&client->in, rg_buf_view(&end->inbox));
        sim_end_drained(client->load->network, end);
        if (client->state == SIM_CLIENT_ASKING && client->kind != SIM_CLIENT_ADMIN)
            client_asked(client);
        else
            client_answers(client);
    } else {
        sim_end_drained(client->load->network, end);
    }
}

static void client_ignore(void *arg, struct sim_end *end)
{
    (void)arg;
    (void)end;
}

static const struct sim_host_ops client_ops = {
    .accepted = client_ignore,
    .connected = client_connected,
    .received = client_received,
    .writable = client_ignore,
    .closed = client_closed,
};

/* ---- Operations ---- */

static void client_issue(struct sim_client *client)
{
    struct sim_workload *load = client->load;
    struct rg_buf request = {0};
    struct sim_op op = {.client = client->index};

    if (load->phase == SIM_PHASE_AUDIT)
        sim_workload_read(load, client->audited, &op, &request);
    else if (client->kind == SIM_CLIENT_READER)
        sim_workload_replica_read(load, &op, &request);
    else if (client->kind == SIM_CLIENT_LOYAL)
        sim_workload_primary_read(load, &op, &request);
    else
        sim_workload_draw(load, &op, &request);
    if (client->waiting_count == 0)
        client->since_us = load->loop->now_us;
    client->waiting[client->waiting_count++] =
        sim_history_begin(&load->history, &op, load->loop->now_us);
    client_send(client, &request);
}

static bool client_has_more(const struct sim_client *client)
{
    switch (client->load->phase) {
    case SIM_PHASE_LOAD:
        return client->waiting_count < client->pipeline;
    case SIM_PHASE_QUIET:
        return false;
    case SIM_PHASE_AUDIT:
        return client->kind == SIM_CLIENT_WRITER && client->waiting_count == 0 &&
               client->audited < client->load->registers;
    }
    RG_UNREACHABLE();
}

static void client_act(struct sim_client *client)
{
    struct sim_workload *load = client->load;
    int64_t deadline_us = client->since_us + load->timeout_us;

    if (client->waiting_count > 0 && load->loop->now_us >= deadline_us) {
        client_go(client, client_any_node(client));
        return;
    }
    if (load->phase == SIM_PHASE_LOAD && client->kind == SIM_CLIENT_READER &&
        sim_chance(load->loop, 0.01)) {
        client_go(client, client_any_node(client));
        return;
    }
    bool many = load->phase == SIM_PHASE_LOAD && sim_chance(load->loop, 0.1);
    do {
        if (client_has_more(client))
            client_issue(client);
    } while (many && client->waiting_count < client->pipeline);
    int64_t pause_us = load->phase == SIM_PHASE_LOAD ? sim_around(load->loop, load->think_us)
                                                     : load->think_us / 10 + 1000;
    if (client->waiting_count > 0 && load->loop->now_us + pause_us > deadline_us)
        pause_us = deadline_us - load->loop->now_us;
    if (client->waiting_count > 0 || client_has_more(client))
        client_next_timer(client, pause_us);
}

static void client_fire(struct sim_event *event)
{
    struct sim_client *client = RG_CONTAINER_OF(event, struct sim_client, timer);

    switch (client->state) {
    case SIM_CLIENT_IDLE:
        if (client->kind != SIM_CLIENT_ADMIN)
            client_dial(client);
        break;
    case SIM_CLIENT_DIALING:
    case SIM_CLIENT_ASKING:
        /* No answer in time. */
        if (client->kind == SIM_CLIENT_ADMIN)
            client_drop(client);
        else
            client_go(client, client_any_node(client));
        break;
    case SIM_CLIENT_READY:
        client_act(client);
        break;
    }
}

/* ---- Life ---- */

void sim_client_init(struct sim_client *client, struct sim_workload *load,
                     enum sim_client_kind kind, unsigned index)
{
    *client = (struct sim_client){.load = load, .kind = kind, .index = index, .pipeline = 1};
    client->host = sim_network_add(load->network, &client_ops, client);
    sim_event_init(&client->timer, client_fire);
    client->node = client_any_node(client);
    if (kind != SIM_CLIENT_ADMIN)
        client_next_timer(client, sim_around(load->loop, 200000));
}

void sim_client_fini(struct sim_client *client)
{
    if (client == NULL || client->load == NULL)
        return;
    sim_event_cancel(client->load->loop, &client->timer);
    rg_buf_fini(&client->in);
}

void sim_client_say(struct sim_client *client, unsigned node, const char *command)
{
    if (client->state != SIM_CLIENT_IDLE)
        return;
    client->node = node;
    (void)snprintf(client->command, sizeof(client->command), "%s", command);
    client_dial(client);
}

void sim_client_wake(struct sim_client *client)
{
    if (client->kind != SIM_CLIENT_ADMIN && client->state == SIM_CLIENT_READY)
        client_next_timer(client, 0);
}

bool sim_client_idle(const struct sim_client *client)
{
    return client->waiting_count == 0;
}
