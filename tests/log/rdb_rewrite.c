#include "tests/log/rdb_rewrite.h"

#include "base/alloc.h"
#include "base/number.h"

enum { INTEGERS_MAX = 512, ELEMENTS_MAX = 128, LENGTH_MAX = 64 };

void rdb_rewrite_fini(struct rdb_rewrite *rewrite)
{
    rg_free(rewrite->packed);
}

bool rdb_event_is_key(enum rg_rdb_event_type type)
{
    return type == RG_RDB_STRING || type == RG_RDB_LIST || type == RG_RDB_SET ||
           type == RG_RDB_ZSET || type == RG_RDB_HASH;
}

static void plan_collection(struct rdb_rewrite *rewrite, const struct rg_rdb_event *event)
{
    if (rewrite->planned == rewrite->cap) {
        rewrite->cap = rewrite->cap > 0 ? rewrite->cap * 2 : 16;
        rewrite->packed = rg_realloc(rewrite->packed, rewrite->cap * sizeof(*rewrite->packed));
    }
    rewrite->packed[rewrite->planned++] = false;
    rewrite->left = event->count;
    rewrite->fits = event->count <= (event->type == RG_RDB_SET ? INTEGERS_MAX : ELEMENTS_MAX);
    rewrite->before = INT64_MIN;
    rewrite->first = true;
}

/* INT64_MIN itself counts as out of order: one such set more is written as a row. */
static bool set_fits(struct rdb_rewrite *rewrite, struct rg_bytes member)
{
    int64_t value = 0;
    if (rg_parse_i64(member, &value) < 0 || value <= rewrite->before)
        return false;
    rewrite->before = value;
    return true;
}

/* A row of members may come in any order, a packed set not. */
static bool zset_fits(struct rdb_rewrite *rewrite, const struct rg_rdb_event *event)
{
    bool fits = rewrite->first || event->score > rewrite->before_score;
    rewrite->first = false;
    rewrite->before_score = event->score;
    return fits && event->key.len <= LENGTH_MAX;
}

static void plan_element(struct rdb_rewrite *rewrite, const struct rg_rdb_event *event)
{
    if (event->type == RG_RDB_SET_MEMBER)
        rewrite->fits = rewrite->fits && set_fits(rewrite, event->key);
    else if (event->type == RG_RDB_ZSET_MEMBER)
        rewrite->fits = rewrite->fits && zset_fits(rewrite, event);
    else if (event->key.len > LENGTH_MAX || event->value.len > LENGTH_MAX)
        rewrite->fits = false;
    if (--rewrite->left == 0)
        rewrite->packed[rewrite->planned - 1] = rewrite->fits;
}

void rdb_rewrite_plan(struct rdb_rewrite *rewrite, const struct rg_rdb_event *event)
{
    if (event->type == RG_RDB_SET || event->type == RG_RDB_ZSET || event->type == RG_RDB_HASH)
        plan_collection(rewrite, event);
    else if (event->type == RG_RDB_SET_MEMBER || event->type == RG_RDB_ZSET_MEMBER ||
             event->type == RG_RDB_HASH_FIELD)
        plan_element(rewrite, event);
}

static void write_list_end(struct rdb_rewrite *rewrite)
{
    if (rewrite->list)
        rg_rdb_write_list_end(rewrite->writer);
    rewrite->list = false;
}

static void write_key(struct rdb_rewrite *rewrite, const struct rg_rdb_event *e)
{
    struct rg_rdb_writer *w = rewrite->writer;

    write_list_end(rewrite);
    if (e->idle_s != -1)
        rg_rdb_write_idle(w, (uint64_t)e->idle_s);
    if (e->freq != -1)
        rg_rdb_write_freq(w, (uint8_t)e->freq);
    rewrite->left = e->count;
    if (e->type == RG_RDB_STRING) {
        rg_rdb_write_string(w, e->key, e->expire_ms, e->value);
    } else if (e->type == RG_RDB_LIST) {
        rg_rdb_write_list(w, e->key, e->expire_ms);
        rewrite->element = RG_RDB_LIST_ELEMENT;
        rewrite->list = true;
        rewrite->left = 1; /* there is one at least */
    } else {
        bool packed = rewrite->packed[rewrite->written++];
        if (e->type == RG_RDB_SET) {
            rewrite->element = RG_RDB_SET_MEMBER;
            rg_rdb_write_set(w, e->key, e->expire_ms, e->count, packed);
        } else if (e->type == RG_RDB_ZSET) {
            rewrite->element = RG_RDB_ZSET_MEMBER;
            rg_rdb_write_zset(w, e->key, e->expire_ms, e->count, packed);
        } else {
            rewrite->element = RG_RDB_HASH_FIELD;
            rg_rdb_write_hash(w, e->key, e->expire_ms, e->count, packed);
        }
    }
}

void rdb_rewrite_event(struct rdb_rewrite *rewrite, const struct rg_rdb_event *event)
{
    struct rg_rdb_writer *w = rewrite->writer;

    switch (event->type) {
    case RG_RDB_AUX:
        write_list_end(rewrite);
        rg_rdb_write_aux(w, event->key, event->value);
        break;
    case RG_RDB_STRING:
    case RG_RDB_LIST:
    case RG_RDB_SET:
    case RG_RDB_ZSET:
    case RG_RDB_HASH:
        write_key(rewrite, event);
        break;
    case RG_RDB_LIST_ELEMENT:
        rg_rdb_write_list_element(w, event->value);
        rewrite->left = 0;
        break;
    case RG_RDB_SET_MEMBER:
        rg_rdb_write_set_member(w, event->key);
        rewrite->left--;
        break;
    case RG_RDB_ZSET_MEMBER:
        rg_rdb_write_zset_member(w, event->key, event->score);
        rewrite->left--;
        break;
    case RG_RDB_HASH_FIELD:
        rg_rdb_write_hash_field(w, event->key, event->value);
        rewrite->left--;
        break;
    case RG_RDB_DB:
    case RG_RDB_SIZE:
    case RG_RDB_FUNCTION:
    case RG_RDB_LIST_RUN: /* not asked for */
    case RG_RDB_END:
        write_list_end(rewrite);
        break;
    }
}

void rdb_rewrite_rest(struct rdb_rewrite *rewrite,
                      void (*made_up)(void *arg, const struct rg_rdb_event *event), void *arg)
{
    struct rg_rdb_event event = {
        .type = rewrite->element, .expire_ms = -1, .idle_s = -1, .freq = -1};
    while (rewrite->left > 0) {
        rdb_rewrite_event(rewrite, &event);
        made_up(arg, &event);
    }
    write_list_end(rewrite);
}
