#include "sim/loop.h"

#include <math.h>
#include <stdarg.h>

#include "base/buf.h"
#include "base/panic.h"

void sim_loop_init(struct sim_loop *loop, uint64_t seed)
{
    *loop = (struct sim_loop){0};
    rg_rand_init(&loop->rand, seed);
    loop->trace.hash = seed;
}

void sim_loop_fini(struct sim_loop *loop)
{
    if (loop != NULL)
        rg_heap_fini(&loop->events);
}

void sim_event_init(struct sim_event *event, void (*fire)(struct sim_event *event))
{
    rg_heap_item_init(&event->item);
    event->fire = fire;
}

void sim_event_at(struct sim_loop *loop, struct sim_event *event, int64_t at_us)
{
    rg_heap_set(&loop->events, &event->item, at_us > loop->now_us ? at_us : loop->now_us);
}

void sim_event_by(struct sim_loop *loop, struct sim_event *event, int64_t at_us)
{
    if (!rg_heap_item_in(&event->item) || event->item.key > at_us)
        sim_event_at(loop, event, at_us);
}

void sim_event_cancel(struct sim_loop *loop, struct sim_event *event)
{
    rg_heap_remove(&loop->events, &event->item);
}

bool sim_loop_run(struct sim_loop *loop, int64_t until_us)
{
    while (!loop->failed) {
        struct rg_heap_item *item = rg_heap_min(&loop->events);
        if (item == NULL || item->key > until_us) {
            loop->now_us = until_us;
            return true;
        }
        RG_ASSERT(item->key >= loop->now_us);
        loop->now_us = item->key;
        rg_heap_remove(&loop->events, item);
        struct sim_event *event = RG_CONTAINER_OF(item, struct sim_event, item);
        event->fire(event);
    }
    return false;
}

void sim_fail(struct sim_loop *loop, const char *format, ...)
{
    struct rg_buf text = {0};
    va_list args;

    if (loop->failed)
        return;
    loop->failed = true;
    va_start(args, format);
    rg_buf_vprintf(&text, format, args);
    va_end(args);
    (void)snprintf(loop->failure, sizeof(loop->failure), "%.*s", (int)rg_buf_len(&text), text.data);
    rg_buf_fini(&text);
    sim_trace_line(&loop->trace, loop->now_us, "FAILED: %s", loop->failure);
}

int64_t sim_between(struct sim_loop *loop, int64_t low, int64_t high)
{
    RG_ASSERT(low <= high);
    return low + (int64_t)rg_rand_below(&loop->rand, (uint64_t)(high - low) + 1);
}

bool sim_chance(struct sim_loop *loop, double probability)
{
    return probability > 0 && rg_rand_unit(&loop->rand) < probability;
}

int64_t sim_around(struct sim_loop *loop, int64_t mean_us)
{
    double unit = rg_rand_unit(&loop->rand);

    return (int64_t)(-log(1.0 - unit) * (double)mean_us);
}
