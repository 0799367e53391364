#include "tests/core/group_world.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/panic.h"

enum event_type { EVENT_MESSAGE, EVENT_PERSISTED, EVENT_STREAM, EVENT_DIAL };

/* Streams poll: each STREAM event brings what the primary has and takes the acknowledgement back.
 */
struct event {
    struct rg_heap_item item;
    enum event_type type;
    unsigned node;
    uint64_t life;
    unsigned from;
    uint64_t from_life;
    struct rg_group_msg msg;
    uint64_t seq;
    struct rg_group_durable durable;
    uint64_t stream;
};

enum { STREAM_POLL_US = 5000, REDIAL_US = 20000 };

static const char *const world_names[WORLD_NODES] = {"A:1", "B:1", "C:1", "D:1", "E:1"};

static struct event *world_event(struct world *world, enum event_type type, unsigned node,
                                 int64_t after_us)
{
    struct event *event = RG_NEW(struct event);

    event->type = type;
    event->node = node;
    event->life = world->nodes[node].life;
    rg_heap_item_init(&event->item);
    rg_heap_set(&world->events, &event->item, world->now_us + after_us);
    return event;
}

static int64_t world_delay(struct world *world)
{
    return world->delay_us + (world->jitter_us > 0
                                  ? (int64_t)rg_rand_below(&world->rand, (uint64_t)world->jitter_us)
                                  : 0);
}

static bool world_connected(const struct world *world, unsigned a, unsigned b)
{
    return !world->cut[a][b] && !world->cut[b][a];
}

static struct rg_group_position world_position(const struct world_log *log)
{
    return (struct rg_group_position){log->len > 0 ? log->entries[log->len - 1].term : 0, log->len};
}

/* ---- Checks ---- */

static void world_break(struct world *world, const char *what)
{
    if (world->broken == NULL)
        world->broken = what;
}

/* Invariant 3 (and 4, 5 by it): a new primary holds all that clients were told, in its order. */
static void check_leader_log(struct world *world, unsigned node)
{
    const struct world_log *log = &world->nodes[node].log;

    if (world->lossy)
        return;
    for (unsigned i = 0; i < world->acked_len; i++) {
        if (world->acked[i].id == 0)
            continue;
        if (i >= log->len || log->entries[i].id != world->acked[i].id) {
            world_break(world, "invariant 3: a primary lacks an acknowledged write");
            return;
        }
    }
}

/* Invariant 2: whatever is released must be what was released before at that offset. */
static void check_release(struct world *world, unsigned node)
{
    struct world_node *n = &world->nodes[node];
    struct rg_group_view view;

    if (n->group == NULL || !n->leads || n->frozen)
        return;
    rg_group_view(n->group, world->now_us, &view);
    if (view.mode == RG_MODE_ASYNC || !rg_group_can_serve(n->group, world->now_us))
        return;
    uint64_t released = rg_group_released(n->group, view.mode, world->now_us);
    if (released > n->log.len)
        return world_break(world, "released more than the log holds");
    /* A primary that may reply shows its whole released log: all that others released is in it. */
    if (released > 0 && !world->lossy &&
        (n->log.len < world->acked_len ||
         (world->acked_len > 0 &&
          n->log.entries[world->acked_len - 1].id != world->acked[world->acked_len - 1].id)))
        return world_break(world, "invariant 2: a stale primary replies");
    for (uint64_t i = n->checked; i < released; i++) {
        if (i >= world->acked_len)
            world->acked[world->acked_len++] = n->log.entries[i];
        else if (world->acked[i].id != n->log.entries[i].id && !world->lossy)
            return world_break(world, "invariant 2: two histories were acknowledged");
    }
    if (released > n->checked)
        n->checked = released;
}

/* ---- Effects ---- */

static void world_say(struct world *world, unsigned node, const char *text)
{
    rg_buf_printf(&world->transcript, "%c: %s\n", (char)('A' + node), text);
    if (!world->quiet)
        printf("# %8.1f ms %c: %s\n", (double)world->now_us / 1000.0, (char)('A' + node), text);
}

static void world_append(struct world *world, unsigned node, bool record, enum rg_mode mode)
{
    struct world_node *n = &world->nodes[node];

    RG_ASSERT(n->log.len < WORLD_LOG_MAX);
    n->log.entries[n->log.len++] =
        (struct world_entry){n->lead_term, ++world->next_id, record, mode};
}

static void effect_lead(struct world *world, unsigned node, uint64_t term)
{
    struct world_node *n = &world->nodes[node];

    RG_ASSERT(world->elections < WORLD_TERMS_MAX);
    for (unsigned i = 0; i < world->elections; i++) {
        if (world->terms_led[i] == term)
            world_break(world, "invariant 1: a term has two primaries");
    }
    if (!n->has_file || n->disk.term != term || n->disk.voted_for != (int)node)
        world_break(world, "invariant 1: office was taken before the vote was durable");
    world->terms_led[world->elections++] = term;
    n->leads = true;
    n->held = false;
    n->lead_term = term;
    n->checked = 0;
    n->follows = -1;
    check_leader_log(world, node);
    world_append(world, node, true, n->mode);
    rg_group_led(n->group, n->log.len, world->now_us);
    rg_group_log_at(n->group, world_position(&n->log));
    rg_group_log_mode(n->group, n->mode, n->log.len);
}

static void effect_send(struct world *world, unsigned node, const struct rg_group_effect *effect)
{
    if (!world->linked[node][effect->peer])
        return;
    const struct world_node *n = &world->nodes[node];
    if (effect->msg.type == RG_MSG_VOTED && effect->msg.granted &&
        (!n->has_file || n->disk.term < effect->msg.term))
        world_break(world, "invariant 1: a promise was told before it was durable");
    struct event *event = world_event(world, EVENT_MESSAGE, effect->peer, world_delay(world));
    event->from = node;
    event->from_life = n->life;
    event->msg = effect->msg;
}

static void world_carry_out(struct world *world, unsigned node,
                            const struct rg_group_effect *effect)
{
    struct world_node *n = &world->nodes[node];
    struct event *event = NULL;

    switch (effect->type) {
    case RG_GROUP_SEND:
        effect_send(world, node, effect);
        break;
    case RG_GROUP_PERSIST:
        if (n->disk_us == RG_NEVER)
            break;
        event = world_event(world, EVENT_PERSISTED, node, n->disk_us);
        event->seq = effect->seq;
        event->durable = effect->durable;
        break;
    case RG_GROUP_LEAD:
        effect_lead(world, node, effect->term);
        break;
    case RG_GROUP_STEP_DOWN:
        n->leads = n->held = false;
        break;
    case RG_GROUP_FOLLOW:
        n->follows = (int)effect->peer;
        n->follow_term = effect->term;
        n->stream++;
        n->stream_up = false;
        world_event(world, EVENT_DIAL, node, world_delay(world))->stream = n->stream;
        break;
    case RG_GROUP_UNFOLLOW:
        n->follows = -1;
        n->stream++;
        n->stream_up = false;
        break;
    case RG_GROUP_HOLD:
        n->held = true;
        break;
    case RG_GROUP_RESUME:
        n->held = false;
        world->last_resume = effect->ok;
        break;
    case RG_GROUP_SWITCHED:
        break;
    case RG_GROUP_SAY:
        world_say(world, node, effect->text);
        break;
    }
}

static void world_drain(struct world *world, unsigned node)
{
    struct rg_group_effect effect;

    while (world->nodes[node].group != NULL &&
           rg_group_next_effect(world->nodes[node].group, &effect))
        world_carry_out(world, node, &effect);
    check_release(world, node);
}

/* ---- Replication ---- */

static void stream_event(struct world *world, unsigned node, enum rg_stream_event type)
{
    rg_group_stream(world->nodes[node].group, type, world->now_us);
    world_drain(world, node);
}

/* Partial where the own log is a prefix of the primary's; else the whole log is loaded anew. */
static void stream_sync(struct world *world, unsigned node, const struct world_node *primary)
{
    struct world_node *n = &world->nodes[node];
    bool agrees = n->log.len > 0 && n->log.len <= primary->log.len &&
                  n->log.entries[n->log.len - 1].id == primary->log.entries[n->log.len - 1].id;

    n->log_lost = false;
    if (agrees)
        return;
    n->log = primary->log;
    rg_group_log_at(n->group, (struct rg_group_position){0, 0});
    for (unsigned i = n->log.len; i > 0; i--) {
        if (n->log.entries[i - 1].record) {
            rg_group_log_mode(n->group, n->log.entries[i - 1].mode, i);
            break;
        }
    }
    rg_group_log_at(n->group, world_position(&n->log));
}

static void stream_dial(struct world *world, unsigned node, uint64_t stream)
{
    struct world_node *n = &world->nodes[node];

    if (n->follows < 0 || n->stream != stream || n->stream_up)
        return;
    const struct world_node *primary = &world->nodes[n->follows];
    if (!world_connected(world, node, (unsigned)n->follows) || primary->frozen) {
        world_event(world, EVENT_DIAL, node, REDIAL_US)->stream = stream;
        return;
    }
    if (primary->group == NULL || !primary->leads || primary->lead_term != n->follow_term) {
        world_event(world, EVENT_DIAL, node, REDIAL_US)->stream = stream;
        stream_event(world, node, primary->group == NULL ? RG_STREAM_REFUSED : RG_STREAM_REJECTED);
        return;
    }
    n->stream_up = true;
    world_event(world, EVENT_STREAM, node, world_delay(world))->stream = stream;
    stream_sync(world, node, primary);
    stream_event(world, node, RG_STREAM_UP);
    if (n->stream == stream)
        stream_event(world, node, RG_STREAM_SYNCED);
}

static void stream_poll(struct world *world, unsigned node, uint64_t stream)
{
    struct world_node *n = &world->nodes[node];

    if (n->follows < 0 || n->stream != stream || !n->stream_up)
        return;
    unsigned peer = (unsigned)n->follows;
    struct world_node *primary = &world->nodes[peer];
    if (primary->group == NULL || !primary->leads || primary->lead_term != n->follow_term) {
        n->stream_up = false;
        world_event(world, EVENT_DIAL, node, world_delay(world))->stream = stream;
        stream_event(world, node, RG_STREAM_LOST);
        return;
    }
    world_event(world, EVENT_STREAM, node, STREAM_POLL_US)->stream = stream;
    if (!world_connected(world, node, peer) || primary->frozen)
        return;
    bool moved = n->log.len < primary->log.len;
    while (n->log.len < primary->log.len) {
        struct world_entry entry = primary->log.entries[n->log.len];
        n->log.entries[n->log.len++] = entry;
        if (entry.record)
            rg_group_log_mode(n->group, entry.mode, n->log.len);
    }
    rg_group_log_at(n->group, world_position(&n->log));
    if (moved)
        stream_event(world, node, RG_STREAM_ALIVE);
    if (n->stream == stream && rg_group_may_ack(n->group, n->follow_term)) {
        if (!n->has_file || n->disk.term < n->follow_term)
            world_break(world, "invariant 1: an acknowledgement in a term that is not durable");
        rg_group_acked(primary->group, node, n->log.len, world->now_us);
        world_drain(world, peer);
    }
}

/* ---- The machine room ---- */

static void world_handle(struct world *world, struct event *event)
{
    struct world_node *n = &world->nodes[event->node];

    if (n->group == NULL || n->life != event->life)
        return;
    switch (event->type) {
    case EVENT_MESSAGE:
        if (world->nodes[event->from].life != event->from_life ||
            world->cut[event->from][event->node])
            return;
        rg_group_receive(n->group, event->from, &event->msg, world->now_us);
        break;
    case EVENT_PERSISTED:
        if (event->seq < n->disk_seq)
            return; /* the file was replaced by a newer one already */
        n->disk_seq = event->seq;
        n->disk = event->durable;
        n->has_file = true;
        rg_group_persisted(n->group, event->seq, world->now_us);
        break;
    case EVENT_STREAM:
        stream_poll(world, event->node, event->stream);
        return;
    case EVENT_DIAL:
        stream_dial(world, event->node, event->stream);
        return;
    }
    world_drain(world, event->node);
}

static void world_link(struct world *world, unsigned a, unsigned b, bool up)
{
    world->linked[a][b] = up;
    if (world->nodes[a].group == NULL || a == b)
        return;
    rg_group_link(world->nodes[a].group, b, up, world->now_us);
    world_drain(world, a);
}

static void world_links(struct world *world)
{
    for (unsigned a = 0; a < world->n; a++) {
        for (unsigned b = 0; b < world->n; b++) {
            bool up = a != b && world->nodes[a].group != NULL && world->nodes[b].group != NULL &&
                      world_connected(world, a, b);
            if (up != world->linked[a][b])
                world_link(world, a, b, up);
        }
    }
}

static int64_t world_next_tick(const struct world *world, unsigned *ret_node)
{
    int64_t least = RG_NEVER;

    for (unsigned i = 0; i < world->n; i++) {
        const struct world_node *n = &world->nodes[i];
        if (n->group == NULL || n->frozen)
            continue;
        int64_t deadline = rg_group_deadline(n->group);
        if (deadline < least) {
            least = deadline;
            *ret_node = i;
        }
    }
    return least;
}

void world_run(struct world *world, int64_t for_us)
{
    int64_t end_us = world->now_us + for_us;
    uint64_t steps = 0;

    while (world->broken == NULL) {
        struct rg_heap_item *item = rg_heap_min(&world->events);
        unsigned node = 0;
        int64_t tick_us = world_next_tick(world, &node);
        int64_t next_us = item != NULL && item->key <= tick_us ? item->key : tick_us;
        if (next_us > end_us)
            break;
        if (++steps > 4000000) {
            world_break(world, "the machines spin without time passing");
            break;
        }
        if (next_us > world->now_us)
            world->now_us = next_us;
        if (item == NULL || item->key > tick_us) {
            rg_group_tick(world->nodes[node].group, world->now_us);
            world_drain(world, node);
            continue;
        }
        struct event *event = RG_CONTAINER_OF(item, struct event, item);
        rg_heap_remove(&world->events, item);
        if (world->nodes[event->node].frozen) { /* its socket buffers keep it */
            rg_heap_set(&world->events, item, world->now_us + 10000);
            continue;
        }
        world_handle(world, event);
        rg_free(event);
    }
    world->now_us = world->broken == NULL ? end_us : world->now_us;
}

struct world *world_new(unsigned n, enum rg_mode mode, uint64_t seed)
{
    struct world *world = RG_NEW(struct world);

    world->n = n;
    world->now_us = RG_S_US;
    world->delay_us = 500;
    world->last_resume = -1;
    rg_rand_init(&world->rand, seed);
    for (unsigned i = 0; i < n; i++) {
        world->nodes[i].priority = 100;
        world->nodes[i].mode = mode;
        world->nodes[i].follows = -1;
        world->nodes[i].disk_us = 1000;
    }
    return world;
}

void world_free(struct world *world)
{
    struct rg_heap_item *item = NULL;

    for (unsigned i = 0; i < world->n; i++)
        rg_group_free(world->nodes[i].group);
    while ((item = rg_heap_min(&world->events)) != NULL) {
        rg_heap_remove(&world->events, item);
        rg_free(RG_CONTAINER_OF(item, struct event, item));
    }
    rg_heap_fini(&world->events);
    rg_buf_fini(&world->transcript);
    rg_free(world);
}

void world_start(struct world *world, unsigned node)
{
    struct world_node *n = &world->nodes[node];
    struct rg_group_config config = {
        .members = world->n,
        .self = node,
        .node_timeout_us = 1000 * RG_MS_US,
        .heartbeat_us = 50 * RG_MS_US,
        .lease_us = 250 * RG_MS_US,
        .mode = n->mode,
        .priority = n->priority,
        .seed = rg_rand_u64(&world->rand),
        .planted = world->planted,
    };

    RG_ASSERT(n->group == NULL);
    for (unsigned i = 0; i < world->n; i++)
        config.names[i] = world_names[i];
    if (!n->keeps_log)
        n->log.len = 0;
    n->life++;
    n->disk_seq = 0;
    n->group = rg_group_new(&config, n->has_file ? &n->disk : NULL, n->keeps_log && !n->log_lost,
                            world_position(&n->log), world->now_us);
    for (unsigned i = 0; i < n->log.len; i++) {
        if (n->log.entries[i].record)
            rg_group_log_mode(n->group, n->log.entries[i].mode, i + 1);
    }
    world_drain(world, node);
    world_links(world);
}

void world_start_all(struct world *world)
{
    for (unsigned i = 0; i < world->n; i++)
        world_start(world, i);
}

void world_kill(struct world *world, unsigned node)
{
    struct world_node *n = &world->nodes[node];

    if (n->group == NULL)
        return;
    rg_group_free(n->group);
    n->group = NULL;
    n->life++;
    n->follows = -1;
    n->stream++;
    n->stream_up = n->leads = n->held = n->frozen = false;
    world_links(world);
}

void world_lose_disk(struct world *world, unsigned node)
{
    RG_ASSERT(world->nodes[node].group == NULL);
    world->nodes[node].has_file = false;
    world->nodes[node].log.len = 0;
    world->nodes[node].log_lost = true;
}

void world_freeze(struct world *world, unsigned node, bool frozen)
{
    world->nodes[node].frozen = frozen;
}

void world_cut(struct world *world, unsigned a, unsigned b, bool cut)
{
    world->cut[a][b] = world->cut[b][a] = cut;
    world_links(world);
}

void world_isolate(struct world *world, unsigned node, bool cut)
{
    for (unsigned i = 0; i < world->n; i++) {
        if (i != node)
            world_cut(world, node, i, cut);
    }
}

bool world_write(struct world *world, unsigned node)
{
    struct world_node *n = &world->nodes[node];

    if (n->group == NULL || n->frozen || !n->leads || n->held ||
        !rg_group_can_serve(n->group, world->now_us) || n->log.len + 64 > WORLD_LOG_MAX)
        return false;
    world_append(world, node, false, n->mode);
    rg_group_log_at(n->group, world_position(&n->log));
    rg_group_tick(n->group, world->now_us);
    world_drain(world, node);
    return true;
}

void world_set_mode(struct world *world, unsigned node, enum rg_mode mode)
{
    struct world_node *n = &world->nodes[node];

    n->mode = mode;
    if (!n->leads)
        return;
    world_append(world, node, true, mode);
    rg_group_log_at(n->group, world_position(&n->log));
    rg_group_log_mode(n->group, mode, n->log.len);
}

int world_primary(const struct world *world)
{
    int best = -1;

    for (unsigned i = 0; i < world->n; i++) {
        if (world->nodes[i].group != NULL && world->nodes[i].leads &&
            (best < 0 || world->nodes[i].lead_term > world->nodes[best].lead_term))
            best = (int)i;
    }
    return best;
}

const char *world_said(struct world *world)
{
    /* The text is ended in place and thrown away by the next line said. */
    rg_buf_append_char(&world->transcript, '\0');
    const char *text = rg_buf_view(&world->transcript).data;
    rg_buf_truncate(&world->transcript, 0);
    return text;
}
