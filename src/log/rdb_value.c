#include "log/rdb_value.h"

#include "base/panic.h"
#include "log/rdb_format.h"

enum { BLOB_KEPT = 1 << 16 };

/* How the elements of a type lie in the file. */
enum layout { LAYOUT_STRING, LAYOUT_ROW, LAYOUT_BLOB, LAYOUT_NODES, LAYOUT_NODES_2, LAYOUT_NONE };

struct rdb_kind {
    const char *name;
    enum layout layout;
    enum rg_rdb_event_type event; /* of the key */
    enum rdb_form form;           /* of its blobs */
    bool text_scores;
};

static const struct rdb_kind kinds[RDB_TYPES] = {
    [RDB_TYPE_STRING] = {"string", LAYOUT_STRING, RG_RDB_STRING, 0, false},
    [RDB_TYPE_LIST] = {"list", LAYOUT_ROW, RG_RDB_LIST, 0, false},
    [RDB_TYPE_SET] = {"set", LAYOUT_ROW, RG_RDB_SET, 0, false},
    [RDB_TYPE_ZSET] = {"zset", LAYOUT_ROW, RG_RDB_ZSET, 0, true},
    [RDB_TYPE_HASH] = {"hash", LAYOUT_ROW, RG_RDB_HASH, 0, false},
    [RDB_TYPE_ZSET_2] = {"zset", LAYOUT_ROW, RG_RDB_ZSET, 0, false},
    [RDB_TYPE_MODULE] = {"module", LAYOUT_NONE, 0, 0, false},
    [RDB_TYPE_MODULE_2] = {"module", LAYOUT_NONE, 0, 0, false},
    [RDB_TYPE_HASH_ZIPMAP] = {"hash", LAYOUT_BLOB, RG_RDB_HASH, RDB_FORM_ZIPMAP, false},
    [RDB_TYPE_LIST_ZIPLIST] = {"list", LAYOUT_BLOB, RG_RDB_LIST, RDB_FORM_ZIPLIST, false},
    [RDB_TYPE_SET_INTSET] = {"set", LAYOUT_BLOB, RG_RDB_SET, RDB_FORM_INTSET, false},
    [RDB_TYPE_ZSET_ZIPLIST] = {"zset", LAYOUT_BLOB, RG_RDB_ZSET, RDB_FORM_ZIPLIST, false},
    [RDB_TYPE_HASH_ZIPLIST] = {"hash", LAYOUT_BLOB, RG_RDB_HASH, RDB_FORM_ZIPLIST, false},
    [RDB_TYPE_LIST_QUICKLIST] = {"list", LAYOUT_NODES, RG_RDB_LIST, RDB_FORM_ZIPLIST, false},
    [RDB_TYPE_STREAM] = {"stream", LAYOUT_NONE, 0, 0, false},
    [RDB_TYPE_HASH_LISTPACK] = {"hash", LAYOUT_BLOB, RG_RDB_HASH, RDB_FORM_LISTPACK, false},
    [RDB_TYPE_ZSET_LISTPACK] = {"zset", LAYOUT_BLOB, RG_RDB_ZSET, RDB_FORM_LISTPACK, false},
    [RDB_TYPE_LIST_QUICKLIST_2] = {"list", LAYOUT_NODES_2, RG_RDB_LIST, RDB_FORM_LISTPACK, false},
    [RDB_TYPE_STREAM_2] = {"stream", LAYOUT_NONE, 0, 0, false},
    [RDB_TYPE_SET_LISTPACK] = {"set", LAYOUT_BLOB, RG_RDB_SET, RDB_FORM_LISTPACK, false},
    [RDB_TYPE_STREAM_3] = {"stream", LAYOUT_NONE, 0, 0, false},
};

void rdb_value_fini(struct rdb_value *v)
{
    rg_buf_fini(&v->blob);
    rg_buf_fini(&v->key);
    rg_buf_fini(&v->text[0]);
    rg_buf_fini(&v->text[1]);
}

const char *rdb_type_name(unsigned type)
{
    return type < RDB_TYPES ? kinds[type].name : NULL;
}

static bool is_of_pairs(const struct rdb_kind *kind)
{
    return kind->event == RG_RDB_HASH || kind->event == RG_RDB_ZSET;
}

/* ---- Blobs ---- */

/* Takes a blob and checks it; *ret_run as rdb_packed_check. */
static int take_checked(struct rdb_value *v, struct rdb_source *s, enum rdb_form form,
                        struct rg_bytes *ret_blob, uint64_t *ret_items, struct rg_bytes *ret_run)
{
    unsigned group = is_of_pairs(v->kind) ? 2 : 1;
    int rc = rdb_take_string(s, &v->text[1], ret_blob);
    if (rc < 0)
        return rc;
    if (rdb_packed_check(form, *ret_blob, group, &v->blob_at, ret_items, ret_run) < 0)
        return rdb_source_fail(s, RG_ECORRUPT, "Invalid packed %s", v->kind->name);
    return 0;
}

/* Keeps a blob whose elements are shown next; what it held before has been shown. */
static int keep_blob(struct rdb_value *v, struct rdb_source *s, enum rdb_form form,
                     struct rg_bytes blob, uint64_t items)
{
    char *room;
    rg_buf_reset(&v->blob, BLOB_KEPT);
    if (blob.data == rg_buf_view(&v->text[1]).data) {
        /* It was compressed: the bytes are ours already. */
        struct rg_buf swap = v->blob;
        v->blob = v->text[1];
        v->text[1] = swap;
    } else {
        if (rg_buf_try_reserve(&v->blob, blob.len, &room) < 0)
            return rdb_source_fail(s, RG_ENOMEM, "No memory for a packed %s", v->kind->name);
        rg_buf_append_bytes(&v->blob, blob);
    }
    v->blob_form = form;
    v->blob_items = items;
    v->run_len = 0;
    return 0;
}

static int take_blob(struct rdb_value *v, struct rdb_source *s, enum rdb_form form)
{
    struct rg_bytes blob = {0};
    struct rg_bytes run = {0};
    uint64_t items = 0;
    int rc = take_checked(v, s, form, &blob, &items, &run);
    if (rc == 0)
        rc = keep_blob(v, s, form, blob, items);
    if (rc == 0 && v->in_runs)
        v->run_len = run.len;
    return rc;
}

static int take_node(struct rdb_value *v, struct rdb_source *s)
{
    enum rdb_form form = v->kind->form;
    uint64_t container = RDB_NODE_PACKED;
    if (v->kind->layout == LAYOUT_NODES_2) {
        int rc = rdb_take_length(s, &container);
        if (rc < 0)
            return rc;
        if (container != RDB_NODE_PACKED && container != RDB_NODE_PLAIN)
            return rdb_source_fail(s, RG_ECORRUPT, "Unknown node of a list");
    }
    int rc = take_blob(v, s, container == RDB_NODE_PLAIN ? RDB_FORM_PLAIN : form);
    if (rc == 0)
        v->left--;
    return rc;
}

static void blob_item(struct rdb_value *v, unsigned i)
{
    /* The blob was checked as a whole before its first element. */
    int rc =
        rdb_packed_next(v->blob_form, rg_buf_view(&v->blob), &v->blob_at, i == 1, &v->items[i]);
    RG_ASSERT(rc == 0 && v->blob_items > 0);
    v->blob_items--;
}

/* ---- Elements ---- */

static int item_score(struct rdb_source *s, const struct rdb_item *item, double *ret_score)
{
    if (item->is_integer)
        *ret_score = (double)item->integer;
    else if (rg_parse_double(item->text, ret_score) < 0)
        return rdb_source_fail(s, RG_ECORRUPT, "A score that is not a number");
    return 0;
}

/* All elements of a node. */
static void blob_run(struct rdb_value *v, struct rg_rdb_event *event)
{
    event->type = RG_RDB_LIST_RUN;
    event->count = v->blob_items;
    event->value = rg_bytes(rg_buf_view(&v->blob).data + v->blob_at, v->run_len);
    v->blob_items = 0;
    v->run_len = 0;
}

static int blob_element(struct rdb_value *v, struct rdb_source *s, struct rg_rdb_event *event)
{
    blob_item(v, 0);
    struct rg_bytes first = rdb_item_text(&v->items[0]);
    if (v->kind->event == RG_RDB_LIST) {
        event->value = first;
        return 0;
    }
    event->key = first;
    if (!is_of_pairs(v->kind))
        return 0;
    blob_item(v, 1);
    if (v->kind->event == RG_RDB_ZSET)
        return item_score(s, &v->items[1], &event->score);
    event->value = rdb_item_text(&v->items[1]);
    return 0;
}

static int row_element(struct rdb_value *v, struct rdb_source *s, struct rg_rdb_event *event)
{
    bool list = v->kind->event == RG_RDB_LIST;
    int rc = rdb_take_string(s, &v->text[0], list ? &event->value : &event->key);
    if (rc < 0)
        return rc;
    if (v->kind->event == RG_RDB_HASH)
        rc = rdb_take_string(s, &v->text[1], &event->value);
    else if (v->kind->event == RG_RDB_ZSET)
        rc = v->kind->text_scores ? rdb_take_text_double(s, &event->score)
                                  : rdb_take_double(s, &event->score);
    if (rc == 0)
        v->left--;
    return rc;
}

static enum rg_rdb_event_type element_of(const struct rdb_kind *kind)
{
    switch (kind->event) {
    case RG_RDB_LIST:
        return RG_RDB_LIST_ELEMENT;
    case RG_RDB_SET:
        return RG_RDB_SET_MEMBER;
    case RG_RDB_ZSET:
        return RG_RDB_ZSET_MEMBER;
    default:
        return RG_RDB_HASH_FIELD;
    }
}

/* The head of a list of nodes, which goes out once a node has elements. */
static int list_shown(struct rdb_value *v, struct rg_rdb_event *event)
{
    if (v->shown || v->blob_items == 0)
        return 0;
    v->shown = true;
    *event = v->head;
    event->key = rg_buf_view(&v->key);
    return 1;
}

int rdb_value_next(struct rdb_value *v, struct rdb_source *s, struct rg_rdb_event *ret_event)
{
    int rc = 0;
    RG_ASSERT(rdb_value_is_open(v));
    if (v->blob_items == 0 && v->kind->layout != LAYOUT_ROW) {
        rc = take_node(v, s);
        return rc < 0 ? rc : list_shown(v, ret_event);
    }
    if (v->run_len > 0) {
        blob_run(v, ret_event);
        return 1;
    }
    ret_event->type = element_of(v->kind);
    rc = v->blob_items > 0 ? blob_element(v, s, ret_event) : row_element(v, s, ret_event);
    return rc < 0 ? rc : 1;
}

/* ---- The beginning ---- */

/* Sets that are listpacks (Redis 7.2's) come one by one. */
static bool may_be_run(const struct rdb_kind *kind)
{
    return kind->event == RG_RDB_HASH || kind->event == RG_RDB_ZSET ||
           kind->form == RDB_FORM_INTSET;
}

static int begin_blob(struct rdb_value *v, struct rdb_source *s, struct rg_rdb_event *event)
{
    struct rg_bytes blob = {0};
    struct rg_bytes run = {0};
    uint64_t items = 0;
    int rc = take_checked(v, s, v->kind->form, &blob, &items, &run);
    if (rc < 0)
        return rc;
    event->count = is_of_pairs(v->kind) ? items / 2 : items;
    if (v->in_runs && run.len > 0 && may_be_run(v->kind)) {
        event->value = run;
        return 1;
    }
    rc = keep_blob(v, s, v->kind->form, blob, items);
    if (rc < 0)
        return rc;
    return items > 0 ? 1 : 0;
}

static int begin_row(struct rdb_value *v, struct rdb_source *s, struct rg_rdb_event *event)
{
    int rc = rdb_take_length(s, &event->count);
    if (rc < 0)
        return rc;
    v->left = event->count;
    return v->left > 0 ? 1 : 0;
}

static int begin_nodes(struct rdb_value *v, struct rdb_source *s, const struct rg_rdb_event *event)
{
    uint64_t nodes = 0;
    char *room;
    int rc = rdb_take_length(s, &nodes);
    if (rc < 0)
        return rc;
    rg_buf_reset(&v->key, BLOB_KEPT);
    if (rg_buf_try_reserve(&v->key, event->key.len, &room) < 0)
        return rdb_source_fail(s, RG_ENOMEM, "No memory for a key");
    rg_buf_append_bytes(&v->key, event->key);
    v->head = *event;
    v->shown = false;
    v->left = nodes;
    return 0;
}

int rdb_value_begin(struct rdb_value *v, struct rdb_source *s, unsigned type,
                    const struct rg_rdb_event *head, struct rg_rdb_event *ret_event)
{
    int rc = 0;
    RG_ASSERT(type < RDB_TYPES && !rdb_value_is_open(v));
    v->kind = &kinds[type];
    *ret_event = *head;
    ret_event->type = v->kind->event;
    switch (v->kind->layout) {
    case LAYOUT_STRING:
        rc = rdb_take_string(s, &v->text[1], &ret_event->value);
        return rc < 0 ? rc : 1;
    case LAYOUT_ROW:
        rc = begin_row(v, s, ret_event);
        break;
    case LAYOUT_BLOB:
        rc = begin_blob(v, s, ret_event);
        break;
    case LAYOUT_NODES:
    case LAYOUT_NODES_2:
        return begin_nodes(v, s, ret_event);
    case LAYOUT_NONE:
        return rdb_source_fail(
            s, RG_ETYPE, "Key \"%.*s\" holds a %s (type %u), which is not supported,",
            (int)(head->key.len < 64 ? head->key.len : 64), head->key.data, v->kind->name, type);
    }
    if (v->kind->event == RG_RDB_LIST)
        ret_event->count = 0; /* a list never says it, for most do not know it */
    return rc;
}
