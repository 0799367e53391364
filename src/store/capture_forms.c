#include "base/panic.h"
#include "store/capture.h"
#include "store/fields.h"
#include "store/set_table.h"
#include "store/zset_tree.h"

/* How the forms of many elements are captured, each by the watch that its container has. */

static struct rg_capture *of_table(const struct rg_table_watch *watch)
{
    return watch != NULL ? watch->arg : NULL;
}

/* ---- Hashes ---- */

static struct rg_table *fields_table(const struct rg_capture *capture)
{
    return &((struct rg_fields *)capture->value)->table;
}

static void fields_show(void *arg, const void *item)
{
    struct rg_pair pair;
    rg_pair_read(item, &pair);
    struct rg_snapshot_piece piece = {.element = pair.field, .value = pair.value};
    rg_capture_show(arg, &piece);
}

static uint64_t fields_begin(struct rg_capture *capture)
{
    struct rg_table *table = fields_table(capture);
    rg_table_watch_begin(table, &capture->watch.table, fields_show, capture);
    return table->count;
}

static bool fields_step(struct rg_capture *capture, uint64_t *budget)
{
    return rg_table_watch_step(fields_table(capture), budget);
}

static void fields_end(struct rg_capture *capture)
{
    rg_table_watch_end(fields_table(capture));
}

static struct rg_capture *fields_capture(const void *value)
{
    return of_table(((const struct rg_fields *)value)->table.watch);
}

const struct rg_capture_ops rg_capture_fields = {
    .begin = fields_begin, .step = fields_step, .end = fields_end, .of = fields_capture};

/* ---- Sets ---- */

static struct rg_table *set_table(const struct rg_capture *capture)
{
    return &((struct rg_set_table *)capture->value)->table;
}

static void set_show(void *arg, const void *item)
{
    struct rg_snapshot_piece piece = {.element = rg_set_table_member(item)};
    rg_capture_show(arg, &piece);
}

static uint64_t set_begin(struct rg_capture *capture)
{
    struct rg_table *table = set_table(capture);
    rg_table_watch_begin(table, &capture->watch.table, set_show, capture);
    return table->count;
}

static bool set_step(struct rg_capture *capture, uint64_t *budget)
{
    return rg_table_watch_step(set_table(capture), budget);
}

static void set_end(struct rg_capture *capture)
{
    rg_table_watch_end(set_table(capture));
}

static struct rg_capture *set_capture(const void *value)
{
    return of_table(((const struct rg_set_table *)value)->table.watch);
}

const struct rg_capture_ops rg_capture_set = {
    .begin = set_begin, .step = set_step, .end = set_end, .of = set_capture};

/* ---- Sorted sets ---- */

static struct rg_rank_tree *zset_order(const struct rg_capture *capture)
{
    return &((struct rg_zset_tree *)capture->value)->order;
}

static void zset_show(void *arg, const struct rg_zset_item *item)
{
    struct rg_snapshot_piece piece = {.element = rg_zset_item_member(item),
                                      .score = rg_zset_item_score(item)};
    rg_capture_show(arg, &piece);
}

static uint64_t zset_begin(struct rg_capture *capture)
{
    struct rg_rank_tree *order = zset_order(capture);
    rg_rank_watch_begin(order, &capture->watch.order, zset_show, capture);
    return order->count;
}

static bool zset_step(struct rg_capture *capture, uint64_t *budget)
{
    return rg_rank_watch_step(zset_order(capture), budget);
}

static void zset_end(struct rg_capture *capture)
{
    rg_rank_watch_end(zset_order(capture));
}

static struct rg_capture *zset_capture(const void *value)
{
    const struct rg_rank_watch *watch = ((const struct rg_zset_tree *)value)->order.watch;
    return watch != NULL ? watch->arg : NULL;
}

const struct rg_capture_ops rg_capture_zset = {
    .begin = zset_begin, .step = zset_step, .end = zset_end, .of = zset_capture};

/* ---- Lists ---- */

static void list_show(void *arg, struct rg_bytes run, uint32_t count)
{
    struct rg_snapshot_piece piece = {.element = run, .count = count};
    rg_capture_show(arg, &piece);
}

static uint64_t list_begin(struct rg_capture *capture)
{
    struct rg_list_dir *dir = capture->value;
    rg_list_watch_begin(capture->store->pool, dir, &capture->watch.list, list_show, capture);
    return dir->count;
}

static bool list_step(struct rg_capture *capture, uint64_t *budget)
{
    return rg_list_watch_step(&capture->watch.list, budget);
}

static void list_end(struct rg_capture *capture)
{
    rg_list_watch_end(&capture->watch.list);
}

static struct rg_capture *list_capture(const void *value)
{
    const struct rg_list_watch *watch = ((const struct rg_list_dir *)value)->watch;
    return watch != NULL ? watch->arg : NULL;
}

static uint64_t list_held(const struct rg_capture *capture)
{
    return capture->watch.list.held_bytes;
}

const struct rg_capture_ops rg_capture_list = {
    .begin = list_begin, .step = list_step, .end = list_end, .of = list_capture, .held = list_held};
