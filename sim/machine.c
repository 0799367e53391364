#include "sim/machine.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/panic.h"

/* What waits for the node's next turn. */
enum happening_type {
    HAPPENED_ACCEPT,
    HAPPENED_CONNECTED,
    HAPPENED_INPUT,
    HAPPENED_WRITABLE,
    HAPPENED_CLOSED,
    HAPPENED_FILE,
    HAPPENED_STOP,
};
struct sim_happening {
    enum happening_type type;
    struct sim_end *end;
    enum rg_close_reason reason;
    uint64_t token;
    int result;
    bool read; /* of a file; with what came of it */
    struct rg_buf bytes;
    uint64_t file_size;
};

enum { TRACE_TURN = 16, TRACE_START = 17, TRACE_DIE = 18, TRACE_LOG = 19, TRACE_FILE = 20 };

/* Bounds of how long a turn takes. */
enum { TURN_LEAST_US = 3, TURN_MOST_US = 30 };

struct rg_time sim_machine_time(const struct sim_machine *machine)
{
    return sim_clock_read(&machine->clock, machine->loop->now_us);
}

bool sim_machine_view(const struct sim_machine *machine, struct rg_node_view *ret_view,
                      struct rg_group_view *ret_group)
{
    struct rg_time now = sim_machine_time(machine);

    if (machine->node == NULL || machine->load.on)
        return false;
    rg_node_view(machine->node, now, ret_view);
    return rg_node_group_view(machine->node, now, ret_group);
}

/* ---- The queue ---- */

static void machine_wake(struct sim_machine *machine, int64_t at_us)
{
    if (machine->node == NULL || machine->paused)
        return;
    if (at_us < machine->busy_until_us)
        at_us = machine->busy_until_us;
    sim_event_by(machine->loop, &machine->turn, at_us);
}

static struct sim_happening *machine_happened(struct sim_machine *machine, enum happening_type type,
                                              struct sim_end *end)
{
    if (machine->queue_count == machine->queue_cap) {
        machine->queue_cap = machine->queue_cap ? machine->queue_cap * 2 : 32;
        machine->queue =
            rg_realloc(machine->queue, machine->queue_cap * sizeof(struct sim_happening));
    }
    struct sim_happening *happening = &machine->queue[machine->queue_count++];
    *happening = (struct sim_happening){.type = type, .end = end};
    machine_wake(machine, machine->loop->now_us);
    return happening;
}

static void machine_accepted(void *arg, struct sim_end *end)
{
    struct sim_machine *machine = arg;

    rg_list_append(&machine->ends, &end->in_host);
    (void)machine_happened(machine, HAPPENED_ACCEPT, end);
}

static void machine_connected(void *arg, struct sim_end *end)
{
    (void)machine_happened(arg, HAPPENED_CONNECTED, end);
}

static void machine_received(void *arg, struct sim_end *end)
{
    (void)machine_happened(arg, HAPPENED_INPUT, end);
}

static void machine_writable(void *arg, struct sim_end *end)
{
    (void)machine_happened(arg, HAPPENED_WRITABLE, end);
}

static void machine_closed(void *arg, struct sim_end *end, enum rg_close_reason reason)
{
    struct sim_happening *happening = machine_happened(arg, HAPPENED_CLOSED, end);

    rg_list_remove(&end->in_host);
    happening->reason = reason;
}

static const struct sim_host_ops machine_ops = {
    .accepted = machine_accepted,
    .connected = machine_connected,
    .received = machine_received,
    .writable = machine_writable,
    .closed = machine_closed,
};

static void machine_file_done(void *arg, struct sim_disk_op *op, int result)
{
    struct sim_machine *machine = arg;
    struct sim_happening *happening = machine_happened(machine, HAPPENED_FILE, NULL);

    sim_trace_mix(&machine->loop->trace, machine->loop->now_us, TRACE_FILE, machine->index,
                  (uint64_t)(int64_t)result);
    sim_trace_line(&machine->loop->trace, machine->loop->now_us, "n%u disk: %d of %s done: %d",
                   machine->index, (int)op->type, op->name, result);
    happening->token = op->token;
    happening->result = result;
    if (op->type == RG_EFFECT_FILE_READ) {
        happening->read = true;
        happening->bytes = op->bytes;
        happening->file_size = op->file_size;
        op->bytes = (struct rg_buf){0};
    }
    if (result == 0 && op->type == RG_EFFECT_FILE_RENAME)
        machine->reloads++;
}

/* ---- A turn ---- */

static void machine_info(const struct sim_machine *machine, const struct sim_end *end, char *text,
                         size_t size, struct rg_conn_info *ret_info)
{
    (void)snprintf(text, size, "10.0.0.%u", sim_end_peer(end)->host + 1);
    *ret_info = (struct rg_conn_info){
        .origin = RG_CONN_TCP,
        .peer_host = text,
        .peer_port = (uint16_t)(20000 + sim_end_id(end) % 40000),
        .local_host = machine->config.address,
        .local_port = machine->config.port,
        .fd = -1,
    };
}

/* The node's connection is gone, for whatever reason. */
static void machine_tell_closed(struct sim_machine *machine, struct sim_end *end,
                                enum rg_close_reason reason)
{
    struct rg_conn *conn = end->owner;

    end->owner = NULL;
    if (conn != NULL)
        rg_node_closed(machine->node, conn, reason, sim_machine_time(machine));
    rg_buf_fini(&end->inbox);
}

static void machine_accept(struct sim_machine *machine, struct sim_end *end)
{
    struct rg_conn_info info;
    char text[32];
    const char *refusal = NULL;

    machine_info(machine, end, text, sizeof(text), &info);
    struct rg_conn *conn =
        rg_node_accepted(machine->node, &info, sim_machine_time(machine), &refusal);
    if (end->state == SIM_END_WAITING)
        sim_end_take(end, conn);
    end->owner = conn; /* a dead one is told so by what stands behind in the queue */
    if (conn != NULL) {
        rg_conn_set_host(conn, end);
        return;
    }
    if (end->state == SIM_END_OPEN) {
        sim_end_send(machine->network, end, rg_bytes_str(refusal));
        rg_list_remove(&end->in_host);
        sim_end_close(machine->network, end);
    }
}

static void machine_connect_done(struct sim_machine *machine, struct sim_end *end)
{
    struct rg_conn_info info;
    char text[32];

    if (end->owner == NULL)
        return;
    machine_info(machine, end, text, sizeof(text), &info);
    rg_node_connected(machine->node, end->owner, &info, sim_machine_time(machine));
}

static void machine_read(struct sim_machine *machine, struct sim_end *end)
{
    /* An end that died meanwhile has its last bytes still in the inbox. */
    if (end->owner == NULL || rg_buf_len(&end->inbox) == 0)
        return;
    if (machine->read_count == machine->read_cap) {
        machine->read_cap = machine->read_cap ? machine->read_cap * 2 : 16;
        machine->read = rg_realloc(machine->read, machine->read_cap * sizeof(struct sim_end *));
    }
    for (size_t i = 0; i < machine->read_count; i++) {
        if (machine->read[i] == end)
            return;
    }
    machine->read[machine->read_count++] = end;
    rg_node_received(machine->node, end->owner, rg_buf_view(&end->inbox),
                     sim_machine_time(machine));
}

static void machine_file(struct sim_machine *machine, struct sim_happening *happening,
                         struct rg_time now)
{
    if (!happening->read) {
        rg_node_file_done(machine->node, happening->token, happening->result, now);
        return;
    }
    rg_node_file_read(machine->node, happening->token, happening->result,
                      rg_buf_view(&happening->bytes), happening->file_size, now);
    rg_buf_fini(&happening->bytes);
}

static void machine_happening(struct sim_machine *machine, struct sim_happening *happening)
{
    struct rg_time now = sim_machine_time(machine);

    switch (happening->type) {
    case HAPPENED_ACCEPT:
        machine_accept(machine, happening->end);
        break;
    case HAPPENED_CONNECTED:
        machine_connect_done(machine, happening->end);
        break;
    case HAPPENED_INPUT:
        machine_read(machine, happening->end);
        break;
    case HAPPENED_WRITABLE:
        if (happening->end->owner != NULL && happening->end->state == SIM_END_OPEN)
            rg_node_writable(machine->node, happening->end->owner);
        break;
    case HAPPENED_CLOSED:
        machine_tell_closed(machine, happening->end, happening->reason);
        break;
    case HAPPENED_FILE:
        machine_file(machine, happening, now);
        break;
    case HAPPENED_STOP:
        /* As the host: it ends at once where there is nothing yet that could be saved. */
        machine->exited = machine->exited || machine->load.on;
        if (!machine->load.on)
            rg_node_stop(machine->node, false, now);
        break;
    }
}

static void machine_dial(struct sim_machine *machine, const struct rg_effect *effect)
{
    int host = machine->resolve(machine->resolve_arg, effect->host, effect->port);

    RG_ASSERT(host >= 0); /* the world's configurations name only what exists */
    struct sim_end *end = sim_dial(machine->network, machine->host, (unsigned)host, effect->conn);
    rg_conn_set_host(effect->conn, end);
    rg_list_append(&machine->ends, &end->in_host);
}

static void machine_close(struct sim_machine *machine, struct sim_end *end)
{
    if (end->state == SIM_END_DEAD)
        return; /* CLOSED is in the queue */
    sim_end_close(machine->network, end);
    rg_list_remove(&end->in_host);
    machine_happened(machine, HAPPENED_CLOSED, end)->reason = RG_CLOSE_ASKED;
}

static void machine_say(struct sim_machine *machine, const struct rg_effect *effect)
{
    struct sim_loop *loop = machine->loop;

    sim_trace_bytes(&loop->trace, loop->now_us, TRACE_LOG, effect->bytes);
    sim_trace_line(&loop->trace, loop->now_us, "n%u: %.*s", machine->index, (int)effect->bytes.len,
                   effect->bytes.data);
}

static void machine_effect(struct sim_machine *machine, const struct rg_effect *effect)
{
    struct sim_end *end = NULL;

    switch (effect->type) {
    case RG_EFFECT_CONNECT:
        machine_dial(machine, effect);
        break;
    case RG_EFFECT_CLOSE:
        end = rg_conn_host(effect->conn);
        if (effect->drain && end->state == SIM_END_OPEN)
            end->draining = true;
        else
            machine_close(machine, end);
        break;
    case RG_EFFECT_FILE_REPLACE:
    case RG_EFFECT_FILE_CREATE:
    case RG_EFFECT_FILE_APPEND:
    case RG_EFFECT_FILE_RENAME:
    case RG_EFFECT_FILE_REMOVE:
    case RG_EFFECT_FILE_FOLDER:
    case RG_EFFECT_FILE_READ:
    case RG_EFFECT_LOG_APPEND:
    case RG_EFFECT_LOG_SYNC:
    case RG_EFFECT_LOG_CUT:
        sim_disk_submit(&machine->disk, effect);
        break;
    case RG_EFFECT_LOG:
        machine_say(machine, effect);
        break;
    case RG_EFFECT_SLEEP:
        machine->busy_until_us = machine->loop->now_us + effect->sleep_us;
        break;
    case RG_EFFECT_PURGE:
    case RG_EFFECT_CONFIG:
    case RG_EFFECT_SCRIPT: /* the world's configurations name none */
    case RG_EFFECT_SCRIPT_KILL:
        break;
    case RG_EFFECT_EXIT:
        machine->exited = true;
        machine->exit_status = effect->status;
        break;
    }
}

/* Sends what fits of one connection. */
static void machine_output(struct sim_machine *machine, struct rg_conn *conn)
{
    enum { RUNS = 8 };
    struct sim_end *end = rg_conn_host(conn);
    struct rg_bytes runs[RUNS];
    size_t sent = 0;

    if (end == NULL || end->state != SIM_END_OPEN)
        return;
    unsigned n = rg_node_output(machine->node, conn, runs, RUNS);
    size_t room = n > 0 ? sim_end_room(machine->network, end) : 0;
    for (unsigned i = 0; i < n && room > 0; i++) {
        size_t len = runs[i].len < room ? runs[i].len : room;
        sim_end_send(machine->network, end, rg_bytes(runs[i].data, len));
        sent += len;
        room -= len;
    }
    if (n > 0)
        rg_node_sent(machine->node, conn, sent, sim_machine_time(machine));
}

static void machine_outputs(struct sim_machine *machine)
{
    struct rg_conn *conn = NULL;
    struct rg_bytes run;

    while ((conn = rg_node_next_output(machine->node)) != NULL)
        machine_output(machine, conn);
    RG_LIST_EACH(item, &machine->ends)
    {
        struct sim_end *end = RG_CONTAINER_OF(item, struct sim_end, in_host);
        if (end->draining && end->owner != NULL &&
            rg_node_output(machine->node, end->owner, &run, 1) == 0)
            machine_close(machine, end);
    }
}

static void machine_forget_queue(struct sim_machine *machine)
{
    for (size_t i = 0; i < machine->queue_count; i++)
        rg_buf_fini(&machine->queue[i].bytes);
    machine->queue_count = 0;
}

static void machine_gone(struct sim_machine *machine)
{
    machine->state = SIM_DOWN;
    machine->network->hosts[machine->host].listening = false;
    sim_event_cancel(machine->loop, &machine->turn);
    machine_forget_queue(machine);
    machine->read_count = 0;
    machine->paused = false;
    rg_node_free(machine->node);
    machine->node = NULL;
    machine->load.on = false;
}

static void machine_load_failed(struct sim_machine *machine)
{
    sim_fail(machine->loop, "n%u cannot load what it wrote: %s", machine->index,
             rg_node_load_error(machine->node));
    machine_gone(machine);
}

/* The next piece of what is being loaded. False: the process is gone. */
static bool machine_load(struct sim_machine *machine)
{
    if (sim_load_step(&machine->load, machine) < 0) {
        machine_load_failed(machine);
        return false;
    }
    if (!machine->load.on)
        rg_node_start(machine->node, sim_machine_time(machine));
    return true;
}

static void machine_fire(struct sim_event *event)
{
    struct sim_machine *machine = RG_CONTAINER_OF(event, struct sim_machine, turn);
    struct sim_loop *loop = machine->loop;
    struct rg_effect effect;

    if (machine->load.on && !machine_load(machine))
        return;
    machine->turns++;
    sim_trace_mix(&loop->trace, loop->now_us, TRACE_TURN, machine->index, machine->queue_count);
    machine->read_count = 0;
    size_t count = machine->queue_count;
    for (size_t i = 0; i < count; i++) {
        struct sim_happening happening = machine->queue[i];
        machine_happening(machine, &happening);
    }
    if (count > 0)
        memmove(machine->queue, machine->queue + count,
                (machine->queue_count - count) * sizeof(struct sim_happening));
    machine->queue_count -= count;
    rg_node_run(machine->node, sim_machine_time(machine));
    for (size_t i = 0; i < machine->read_count; i++)
        sim_end_drained(machine->network, machine->read[i]);
    machine->read_count = 0;
    machine->busy_until_us = loop->now_us + sim_between(loop, TURN_LEAST_US, TURN_MOST_US);
    while (rg_node_next_effect(machine->node, &effect))
        machine_effect(machine, &effect);
    machine_outputs(machine);
    /* Output can ask for more, a close for instance. */
    while (rg_node_next_effect(machine->node, &effect))
        machine_effect(machine, &effect);
    if (machine->after_turn != NULL && !machine->load.on)
        machine->after_turn(machine->after_turn_arg, machine);
    if (machine->exited) {
        sim_machine_die(machine, SIM_KILLED);
        return;
    }
    machine_wake(machine, machine->queue_count > 0
                              ? loop->now_us
                              : sim_clock_when(&machine->clock, rg_node_deadline(machine->node)));
}

/* ---- Life and death ---- */

void sim_machine_init(struct sim_machine *machine, struct sim_loop *loop,
                      struct sim_network *network, unsigned index,
                      const struct sim_machine_config *config)
{
    *machine =
        (struct sim_machine){.loop = loop, .network = network, .config = *config, .index = index};
    machine->host = sim_network_add(network, &machine_ops, machine);
    sim_event_init(&machine->turn, machine_fire);
    rg_list_init(&machine->ends);
    sim_disk_init(&machine->disk, loop);
    machine->disk.done = machine_file_done;
    machine->disk.arg = machine;
}

void sim_machine_fini(struct sim_machine *machine)
{
    if (machine == NULL || machine->loop == NULL)
        return;
    sim_event_cancel(machine->loop, &machine->turn);
    rg_node_free(machine->node);
    sim_disk_fini(&machine->disk);
    machine_forget_queue(machine);
    rg_free(machine->queue);
    rg_free(machine->read);
}

/* As the host does: files that a crash left half-written. */
static void machine_tidy(struct sim_machine *machine)
{
    int64_t pid = 0;

    for (int i = 0; i < SIM_MAX_FILES; i++) {
        if (rg_node_is_temporary(machine->disk.files[i].name, &pid))
            sim_disk_forget(&machine->disk, machine->disk.files[i].name);
    }
}

/* What a node wrote of its configuration, or what it was given at first. */
static struct rg_bytes machine_config_text(const struct sim_machine *machine)
{
    const struct sim_file *file = sim_disk_find(&machine->disk, "sim.conf");

    return file != NULL ? rg_buf_view(&file->data) : rg_bytes_str(machine->config.text);
}

static struct rg_config *machine_config(struct sim_machine *machine)
{
    struct rg_config *config = rg_config_new();
    struct rg_buf error = {0};

    if (machine->config.sentinel)
        rg_config_be_sentinel(config);
    if (rg_config_read(config, "sim.conf", machine_config_text(machine), NULL, NULL, &error) < 0 ||
        rg_config_check(config, &error) < 0 || rg_node_check_sentinel(config, &error) < 0)
        sim_fail(machine->loop, "the simulation's configuration is refused: %.*s",
                 (int)rg_buf_len(&error), rg_buf_view(&error).data);
    rg_buf_fini(&error);
    return config;
}

void sim_machine_start(struct sim_machine *machine)
{
    struct sim_loop *loop = machine->loop;

    RG_ASSERT(machine->state == SIM_DOWN);
    sim_trace_mix(&loop->trace, loop->now_us, TRACE_START, machine->index, machine->starts);
    sim_trace_line(&loop->trace, loop->now_us, "n%u starts", machine->index);
    struct rg_node_init init = {
        .config = machine_config(machine),
        .seed = rg_rand_u64(&loop->rand),
        .now = sim_machine_time(machine),
        .pid = (int64_t)(1000 + machine->index * 1000 + machine->starts),
        .executable = "regent-sim",
        .self_member = machine->config.member,
        .planted = machine->config.planted,
        /* Every value that can be is taken in pieces, and none within one turn. */
        .snapshot_whole_bytes = 1,
        .snapshot_step = 1 + (machine->index * 3 + machine->starts) % 8,
    };
    machine->node = rg_node_new(&init);
    machine->starts++;
    machine->reloads = 0;
    machine->exited = false;
    machine->busy_until_us = loop->now_us;
    machine_tidy(machine);
    if (sim_load_begin(&machine->load, machine) < 0) {
        machine_load_failed(machine);
        return;
    }
    machine->state = SIM_UP;
    machine->network->hosts[machine->host].listening = true;
    sim_network_power(machine->network, machine->host, true);
    if (!machine->load.on)
        rg_node_start(machine->node, sim_machine_time(machine));
    machine_wake(machine, loop->now_us);
}

void sim_machine_die(struct sim_machine *machine, enum sim_death how)
{
    struct sim_loop *loop = machine->loop;

    if (machine->state == SIM_DOWN)
        return;
    sim_trace_mix(&loop->trace, loop->now_us, TRACE_DIE, machine->index, how);
    sim_trace_line(&loop->trace, loop->now_us, "n%u %s", machine->index,
                   machine->exited ? "exits" : (how == SIM_KILLED ? "is killed" : "loses power"));
    sim_disk_crash(&machine->disk, how == SIM_POWER_OFF);
    RG_LIST_EACH(item, &machine->ends)
    {
        struct sim_end *end = RG_CONTAINER_OF(item, struct sim_end, in_host);
        rg_list_remove(item);
        end->owner = NULL;
        if (how == SIM_KILLED)
            sim_end_close(machine->network, end);
        else
            sim_end_vanish(machine->network, end);
    }
    machine_gone(machine);
    if (how == SIM_POWER_OFF)
        sim_network_power(machine->network, machine->host, false);
}

void sim_machine_stop(struct sim_machine *machine)
{
    if (machine->state == SIM_UP)
        (void)machine_happened(machine, HAPPENED_STOP, NULL);
}

void sim_machine_pause(struct sim_machine *machine, bool paused)
{
    if (machine->state == SIM_DOWN || machine->paused == paused)
        return;
    sim_trace_line(&machine->loop->trace, machine->loop->now_us, "n%u %s", machine->index,
                   paused ? "is paused" : "goes on");
    machine->paused = paused;
    if (paused)
        sim_event_cancel(machine->loop, &machine->turn);
    else
        machine_wake(machine, machine->loop->now_us);
}
