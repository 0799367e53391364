#include "sim/network.h"

#include "base/alloc.h"
#include "base/panic.h"

enum sim_chunk_kind { CHUNK_DATA, CHUNK_FIN, CHUNK_RESET };

struct sim_chunk {
    enum sim_chunk_kind kind;
    size_t len;
    int64_t at_us;
};

/* One direction. */
struct sim_pipe {
    struct sim_event event;
    struct sim_link *link;
    unsigned from; /* side */
    struct rg_buf bytes;
    struct sim_chunk *chunks; /* owned */
    size_t head;
    size_t count; /* [head, count) are under way */
    size_t cap;
    int64_t last_us;
    int64_t stall_until_us;
    bool held; /* its way is blocked */
};

struct sim_link {
    struct rg_list link;
    struct sim_network *network;
    uint64_t id;
    struct sim_end ends[2];
    struct sim_pipe pipes[2]; /* by the side that sends */
    struct sim_event dial;
    int64_t dial_deadline_us;
    bool answered; /* the dialled host accepted; the word is on its way back */
    bool broken;   /* what is sent now goes nowhere, and is answered by a reset */
};

enum { TRACE_DELIVER = 1, TRACE_DIAL = 2, TRACE_SEND = 3 };

static void pipe_fire(struct sim_event *event);
static void dial_fire(struct sim_event *event);

void sim_network_init(struct sim_network *network, struct sim_loop *loop)
{
    *network = (struct sim_network){.loop = loop};
    rg_list_init(&network->links);
    rg_list_init(&network->done);
}

/* What arrived stays for its reader; what was under way is gone. */
static void link_drop_memory(struct sim_link *link)
{
    for (int side = 0; side < 2; side++) {
        sim_event_cancel(link->network->loop, &link->pipes[side].event);
        rg_buf_fini(&link->pipes[side].bytes);
        rg_free(link->pipes[side].chunks);
        link->pipes[side].chunks = NULL;
        link->pipes[side].head = link->pipes[side].count = link->pipes[side].cap = 0;
    }
    sim_event_cancel(link->network->loop, &link->dial);
}

static void network_free_list(struct rg_list *list)
{
    while (!rg_list_empty(list)) {
        struct sim_link *link = RG_CONTAINER_OF(list->next, struct sim_link, link);
        rg_list_remove(&link->link);
        link_drop_memory(link);
        rg_buf_fini(&link->ends[0].inbox);
        rg_buf_fini(&link->ends[1].inbox);
        rg_buf_fini(&link->ends[0].tap_bytes);
        rg_buf_fini(&link->ends[1].tap_bytes);
        rg_free(link);
    }
}

void sim_network_fini(struct sim_network *network)
{
    if (network == NULL)
        return;
    network_free_list(&network->links);
    network_free_list(&network->done);
}

unsigned sim_network_add(struct sim_network *network, const struct sim_host_ops *ops, void *arg)
{
    RG_ASSERT(network->host_count < SIM_MAX_HOSTS);
    network->hosts[network->host_count] =
        (struct sim_host){.ops = ops, .arg = arg, .powered = true};
    return network->host_count++;
}

static int64_t network_delay(struct sim_network *network)
{
    const struct sim_network_profile *profile = &network->profile;
    int64_t delay_us = profile->delay_us + sim_around(network->loop, profile->jitter_us);

    if (sim_chance(network->loop, profile->spike))
        delay_us += sim_between(network->loop, 0, profile->spike_us);
    return delay_us;
}

static bool network_open(const struct sim_network *network, unsigned from, unsigned to)
{
    return !network->blocked[from][to] && network->hosts[from].powered &&
           network->hosts[to].powered;
}

/* ---- Pipes ---- */

static struct sim_end *pipe_target(struct sim_pipe *pipe)
{
    return &pipe->link->ends[1 - pipe->from];
}

static void pipe_schedule(struct sim_pipe *pipe)
{
    struct sim_loop *loop = pipe->link->network->loop;

    if (pipe->head == pipe->count || pipe->held)
        return;
    int64_t at_us = pipe->chunks[pipe->head].at_us;
    if (at_us < pipe->stall_until_us)
        at_us = pipe->stall_until_us;
    sim_event_at(loop, &pipe->event, at_us);
}

static void pipe_push(struct sim_pipe *pipe, enum sim_chunk_kind kind, struct rg_bytes bytes)
{
    struct sim_network *network = pipe->link->network;
    int64_t at_us = network->loop->now_us + network_delay(network);

    if (pipe->head > 0 && pipe->head == pipe->count)
        pipe->head = pipe->count = 0;
    if (pipe->count == pipe->cap) {
        pipe->cap = pipe->cap ? pipe->cap * 2 : 4;
        pipe->chunks = rg_realloc(pipe->chunks, pipe->cap * sizeof(struct sim_chunk));
    }
    if (at_us < pipe->last_us)
        at_us = pipe->last_us;
    pipe->last_us = at_us;
    pipe->chunks[pipe->count++] = (struct sim_chunk){kind, bytes.len, at_us};
    rg_buf_append_bytes(&pipe->bytes, bytes);
    network->bytes += bytes.len;
    if (pipe->count - pipe->head == 1)
        pipe_schedule(pipe);
}

static void link_settle(struct sim_link *link)
{
    if (link->ends[0].state != SIM_END_DEAD || link->ends[1].state != SIM_END_DEAD)
        return;
    link_drop_memory(link);
    rg_list_remove(&link->link);
    rg_list_append(&link->network->done, &link->link);
}

static void end_die(struct sim_end *end, enum rg_close_reason reason)
{
    struct sim_network *network = end->link->network;
    struct sim_host *host = &network->hosts[end->host];

    if (end->state == SIM_END_DEAD)
        return;
    end->state = SIM_END_DEAD;
    host->ops->closed(host->arg, end, reason);
    link_settle(end->link);
}

static void pipe_deliver(struct sim_pipe *pipe, const struct sim_chunk *chunk)
{
    struct sim_network *network = pipe->link->network;
    struct sim_end *end = pipe_target(pipe);
    struct sim_host *host = &network->hosts[end->host];
    struct rg_bytes bytes = rg_bytes(rg_buf_view(&pipe->bytes).data, chunk->len);

    sim_trace_mix(&network->loop->trace, network->loop->now_us, TRACE_DELIVER,
                  pipe->link->id * 2 + pipe->from, chunk->len * 4 + chunk->kind);
    if (end->state == SIM_END_DEAD) {
        /* Nobody knows this connection there any more. */
        rg_buf_consume(&pipe->bytes, chunk->len);
        if (chunk->kind == CHUNK_DATA && pipe->link->ends[pipe->from].state != SIM_END_DEAD)
            pipe_push(&pipe->link->pipes[1 - pipe->from], CHUNK_RESET, rg_bytes("", 0));
        return;
    }
    if (chunk->kind != CHUNK_DATA) {
        end_die(end, RG_CLOSE_EOF);
        return;
    }
    rg_buf_append_bytes(&end->inbox, bytes);
    rg_buf_consume(&pipe->bytes, chunk->len);
    host->ops->received(host->arg, end);
}

static void pipe_fire(struct sim_event *event)
{
    struct sim_pipe *pipe = RG_CONTAINER_OF(event, struct sim_pipe, event);
    struct sim_network *network = pipe->link->network;

    if (!network_open(network, pipe->link->ends[pipe->from].host, pipe_target(pipe)->host)) {
        pipe->held = true;
        return;
    }
    if (pipe->stall_until_us > network->loop->now_us) {
        pipe_schedule(pipe);
        return;
    }
    struct sim_chunk chunk = pipe->chunks[pipe->head++];
    pipe_deliver(pipe, &chunk);
    pipe_schedule(pipe);
}

/* ---- Dialling ---- */

static struct sim_link *link_new(struct sim_network *network, unsigned from, unsigned to)
{
    struct sim_link *link = RG_NEW(struct sim_link);

    link->network = network;
    link->id = ++network->link_count;
    for (unsigned side = 0; side < 2; side++) {
        link->ends[side].link = link;
        link->ends[side].side = side;
        link->ends[side].host = side == 0 ? from : to;
        rg_list_init(&link->ends[side].in_host);
        link->pipes[side].link = link;
        link->pipes[side].from = side;
        sim_event_init(&link->pipes[side].event, pipe_fire);
    }
    sim_event_init(&link->dial, dial_fire);
    rg_list_append(&network->links, &link->link);
    return link;
}

struct sim_end *sim_dial(struct sim_network *network, unsigned from, unsigned to, void *owner)
{
    struct sim_link *link = link_new(network, from, to);
    int64_t now_us = network->loop->now_us;

    link->ends[0].state = SIM_END_DIALING;
    link->ends[0].owner = owner;
    link->ends[1].state = SIM_END_DEAD; /* until somebody accepts */
    link->dial_deadline_us = now_us + network->profile.dial_timeout_us;
    sim_event_at(network->loop, &link->dial, now_us + network_delay(network));
    return &link->ends[0];
}

/* The dialled host answered; the dialler learns it after the way back. */
static void dial_done(struct sim_link *link)
{
    struct sim_end *end = &link->ends[0];
    struct sim_network *network = link->network;
    struct sim_host *host = &network->hosts[end->host];

    if (end->state != SIM_END_DIALING)
        return;
    end->state = SIM_END_OPEN;
    host->ops->connected(host->arg, end);
}

static void dial_fire(struct sim_event *event)
{
    struct sim_link *link = RG_CONTAINER_OF(event, struct sim_link, dial);
    struct sim_network *network = link->network;
    struct sim_loop *loop = network->loop;
    struct sim_end *near = &link->ends[0];
    struct sim_end *far = &link->ends[1];
    struct sim_host *host = &network->hosts[far->host];

    sim_trace_mix(&loop->trace, loop->now_us, TRACE_DIAL, link->id, link->answered);
    if (near->state != SIM_END_DIALING)
        return;
    if (!network_open(network, near->host, far->host) ||
        !network_open(network, far->host, near->host)) {
        if (loop->now_us >= link->dial_deadline_us)
            end_die(near, RG_CLOSE_UNREACHED);
        else
            sim_event_at(loop, &link->dial, loop->now_us + sim_between(loop, 50000, 500000));
        return;
    }
    if (link->answered) {
        dial_done(link);
        return;
    }
    if (!host->listening) {
        end_die(near, RG_CLOSE_REFUSED);
        return;
    }
    link->answered = true;
    far->state = SIM_END_WAITING;
    host->ops->accepted(host->arg, far);
    sim_event_at(loop, &link->dial, loop->now_us + network_delay(network));
}

void sim_end_take(struct sim_end *end, void *owner)
{
    RG_ASSERT(end->state == SIM_END_WAITING);
    end->state = SIM_END_OPEN;
    end->owner = owner;
}

/* ---- Owners ---- */

struct sim_end *sim_end_peer(const struct sim_end *end)
{
    return &end->link->ends[1 - end->side];
}

uint64_t sim_end_id(const struct sim_end *end)
{
    return end->link->id;
}

size_t sim_end_room(struct sim_network *network, struct sim_end *end)
{
    size_t used =
        rg_buf_len(&end->link->pipes[end->side].bytes) + rg_buf_len(&sim_end_peer(end)->inbox);

    RG_ASSERT(end->state == SIM_END_OPEN);
    if (used >= network->profile.window_bytes) {
        end->wants_writable = true;
        return 0;
    }
    return network->profile.window_bytes - used;
}

void sim_end_send(struct sim_network *network, struct sim_end *end, struct rg_bytes bytes)
{
    struct sim_pipe *pipe = &end->link->pipes[end->side];

    RG_ASSERT(end->state == SIM_END_OPEN);
    if (bytes.len == 0)
        return;
    sim_trace_bytes(&network->loop->trace, network->loop->now_us, TRACE_SEND, bytes);
    if (network->tap != NULL)
        network->tap(network->tap_arg, end, bytes);
    if (end->link->broken) {
        pipe_push(&end->link->pipes[1 - end->side], CHUNK_RESET, rg_bytes("", 0));
        return;
    }
    if (bytes.len > 1 && sim_chance(network->loop, network->profile.split)) {
        size_t first = (size_t)sim_between(network->loop, 1, (int64_t)bytes.len - 1);
        pipe_push(pipe, CHUNK_DATA, rg_bytes(bytes.data, first));
        bytes = rg_bytes(bytes.data + first, bytes.len - first);
    }
    pipe_push(pipe, CHUNK_DATA, bytes);
}

void sim_end_drained(struct sim_network *network, struct sim_end *end)
{
    struct sim_end *peer = sim_end_peer(end);
    struct sim_host *host = &network->hosts[peer->host];

    rg_buf_reset(&end->inbox, 4096);
    if (peer->state == SIM_END_OPEN && peer->wants_writable) {
        peer->wants_writable = false;
        host->ops->writable(host->arg, peer);
    }
}

void sim_end_close(struct sim_network *network, struct sim_end *end)
{
    (void)network;
    if (end->state == SIM_END_DEAD)
        return;
    end->state = SIM_END_DEAD;
    if (sim_end_peer(end)->state != SIM_END_DEAD)
        pipe_push(&end->link->pipes[end->side], CHUNK_FIN, rg_bytes("", 0));
    link_settle(end->link);
}

void sim_end_vanish(struct sim_network *network, struct sim_end *end)
{
    (void)network;
    if (end->state == SIM_END_DEAD)
        return;
    end->state = SIM_END_DEAD;
    link_settle(end->link);
}

/* ---- Faults ---- */

static void network_release_held(struct sim_network *network)
{
    RG_LIST_EACH(item, &network->links)
    {
        struct sim_link *link = RG_CONTAINER_OF(item, struct sim_link, link);
        for (int side = 0; side < 2; side++) {
            struct sim_pipe *pipe = &link->pipes[side];
            if (!pipe->held || pipe->head == pipe->count ||
                !network_open(network, link->ends[pipe->from].host, pipe_target(pipe)->host))
                continue;
            pipe->held = false;
            /* Retransmission: not at once, but soon. */
            pipe->chunks[pipe->head].at_us =
                network->loop->now_us + sim_between(network->loop, 200, 200000);
            if (pipe->last_us < pipe->chunks[pipe->head].at_us)
                pipe->last_us = pipe->chunks[pipe->head].at_us;
            pipe_schedule(pipe);
        }
    }
}

void sim_network_block(struct sim_network *network, unsigned from, unsigned to, bool blocked)
{
    network->blocked[from][to] = blocked;
    if (!blocked)
        network_release_held(network);
}

void sim_network_heal(struct sim_network *network)
{
    memset(network->blocked, 0, sizeof(network->blocked));
    network_release_held(network);
}

void sim_network_power(struct sim_network *network, unsigned host, bool powered)
{
    network->hosts[host].powered = powered;
    if (powered)
        network_release_held(network);
}

struct sim_link *sim_network_pick(struct sim_network *network)
{
    struct sim_link *picked = NULL;
    unsigned seen = 0;

    RG_LIST_EACH(item, &network->links)
    {
        struct sim_link *link = RG_CONTAINER_OF(item, struct sim_link, link);
        if (link->ends[0].state != SIM_END_OPEN || link->ends[1].state != SIM_END_OPEN)
            continue;
        if (rg_rand_below(&network->loop->rand, ++seen) == 0)
            picked = link;
    }
    return picked;
}

/* Of what is under way only the first part still arrives. */
static void pipe_truncate(struct sim_pipe *pipe)
{
    struct sim_loop *loop = pipe->link->network->loop;

    if (pipe->head == pipe->count)
        return;
    size_t keep = (size_t)sim_between(loop, 0, (int64_t)rg_buf_len(&pipe->bytes));
    size_t chunk = pipe->head;
    rg_buf_truncate(&pipe->bytes, keep);
    while (chunk < pipe->count && pipe->chunks[chunk].len <= keep)
        keep -= pipe->chunks[chunk++].len;
    if (chunk < pipe->count && keep > 0)
        pipe->chunks[chunk++].len = keep;
    pipe->count = chunk;
    if (pipe->head == pipe->count)
        sim_event_cancel(loop, &pipe->event);
}

void sim_link_cut(struct sim_network *network, struct sim_link *link, bool half)
{
    unsigned first = (unsigned)rg_rand_below(&network->loop->rand, 2);

    link->broken = true;
    for (unsigned i = 0; i < 2; i++) {
        unsigned side = first ^ i;
        struct sim_pipe *pipe = &link->pipes[side];
        pipe_truncate(pipe);
        if (pipe->head == pipe->count)
            pipe->held = false;
    }
    /* The end that learns of it dies behind what still arrives; the other one, where half, only
     * when it sends and is answered by a reset. */
    pipe_push(&link->pipes[1 - first], CHUNK_RESET, rg_bytes("", 0));
    if (!half)
        pipe_push(&link->pipes[first], CHUNK_RESET, rg_bytes("", 0));
}

void sim_link_stall(struct sim_network *network, struct sim_link *link, int64_t us)
{
    struct sim_pipe *pipe = &link->pipes[rg_rand_below(&network->loop->rand, 2)];

    pipe->stall_until_us = network->loop->now_us + us;
    if (rg_heap_item_in(&pipe->event.item))
        pipe_schedule(pipe);
}
