#include "log/rdb.h"

#include "base/element.h"
#include "base/number.h"
#include "base/panic.h"
#include "log/rdb_format.h"
#include "log/rdb_listpack.h"
#include "log/rdb_put.h"

/*
 * Collections, in the forms in which redis-server 7.0 writes them: elements in a row, or a small
 * collection as one string that is loaded as it stands. Such a string, and a list's nodes, whose
 * number comes before them, are gathered first.
 */

enum {
    PACK_KEPT = 1 << 16,
    NODE_BYTES = 8192,        /* of a list: list-max-listpack-size -2, the default */
    NODE_PLAIN_MIN = 1 << 30, /* an element that no listpack should hold */
};

/* ---- What the calls for elements have in common ---- */

static void collection_begin(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                             unsigned type, uint64_t elements)
{
    size_t from = rdb_put_begin(writer);
    RG_ASSERT(writer->left == 0 && elements > 0);
    writer->form = type;
    writer->left = elements;
    writer->items = 0;
    rdb_put_key(writer, type, key, expire_ms);
    if (type == RDB_TYPE_SET || type == RDB_TYPE_ZSET_2 || type == RDB_TYPE_HASH) {
        rdb_put_length(writer, elements);
    } else {
        rg_buf_reset(&writer->pack, PACK_KEPT);
        if (type != RDB_TYPE_SET_INTSET)
            rdb_listpack_begin(&writer->pack);
    }
    rdb_put_finish(writer, from);
}

void rg_rdb_write_resume(struct rg_rdb_writer *writer, const struct rg_rdb_writer *aside)
{
    RG_ASSERT(writer->left == 0);
    RG_ASSERT(aside->form == RDB_TYPE_SET || aside->form == RDB_TYPE_ZSET_2 ||
              aside->form == RDB_TYPE_HASH || aside->form == RDB_TYPE_LIST_QUICKLIST_2);
    writer->form = aside->form;
    writer->left = aside->left;
}

static void pack_append(struct rg_rdb_writer *writer, struct rg_bytes element)
{
    rdb_listpack_append(&writer->pack, element);
    writer->items++;
}

/* An element is given. True: the last one of a listpack that is now to be written. */
static bool collection_count(struct rg_rdb_writer *writer)
{
    RG_ASSERT(writer->left > 0);
    return --writer->left == 0;
}

static void pack_put(struct rg_rdb_writer *writer)
{
    rdb_listpack_end(&writer->pack, writer->items);
    rdb_put_string(writer, rg_buf_view(&writer->pack));
}

/* ---- Lists ---- */

void rg_rdb_write_list(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms)
{
    size_t from = rdb_put_begin(writer);
    RG_ASSERT(writer->left == 0);
    writer->form = RDB_TYPE_LIST_QUICKLIST_2;
    writer->items = 0;
    writer->nodes = 0;
    rg_buf_reset(&writer->list, PACK_KEPT);
    rdb_put_key(writer, RDB_TYPE_LIST_QUICKLIST_2, key, expire_ms);
    rdb_put_finish(writer, from);
}

/* Writes a node behind the others, as if they were the output. */
static void node_put(struct rg_rdb_writer *writer, unsigned container, struct rg_bytes bytes)
{
    struct rg_buf *out = writer->out;
    writer->out = &writer->list;
    rdb_put_length(writer, container);
    rdb_put_string(writer, bytes);
    writer->out = out;
    writer->nodes++;
}

static void node_end(struct rg_rdb_writer *writer)
{
    if (writer->items == 0)
        return;
    rdb_listpack_end(&writer->pack, writer->items);
    node_put(writer, RDB_NODE_PACKED, rg_buf_view(&writer->pack));
    writer->items = 0;
}

void rg_rdb_write_list_element(struct rg_rdb_writer *writer, struct rg_bytes element)
{
    RG_ASSERT(writer->form == RDB_TYPE_LIST_QUICKLIST_2);
    if (writer->items > 0 &&
        rg_buf_len(&writer->pack) + 1 + rdb_listpack_size_max(element) > NODE_BYTES)
        node_end(writer);
    if (element.len >= NODE_PLAIN_MIN) {
        node_put(writer, RDB_NODE_PLAIN, element);
        return;
    }
    if (writer->items == 0) {
        rg_buf_reset(&writer->pack, PACK_KEPT);
        rdb_listpack_begin(&writer->pack);
    }
    pack_append(writer, element);
}

void rg_rdb_write_list_end(struct rg_rdb_writer *writer)
{
    size_t from = rdb_put_begin(writer);
    RG_ASSERT(writer->form == RDB_TYPE_LIST_QUICKLIST_2);
    node_end(writer);
    rdb_put_length(writer, writer->nodes);
    rg_buf_append_bytes(writer->out, rg_buf_view(&writer->list));
    writer->form = RDB_TYPE_STRING;
    rdb_put_finish(writer, from);
}

void rg_rdb_write_list_nodes(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                             uint64_t nodes)
{
    size_t from = rdb_put_begin(writer);
    RG_ASSERT(writer->left == 0 && nodes > 0);
    writer->form = RDB_TYPE_LIST_QUICKLIST_2;
    writer->left = nodes;
    rdb_put_key(writer, RDB_TYPE_LIST_QUICKLIST_2, key, expire_ms);
    rdb_put_length(writer, nodes);
    rdb_put_finish(writer, from);
}

void rg_rdb_write_list_node(struct rg_rdb_writer *writer, struct rg_bytes run, uint64_t elements)
{
    size_t from = rdb_put_begin(writer);
    RG_ASSERT(writer->form == RDB_TYPE_LIST_QUICKLIST_2);
    (void)collection_count(writer);
    if (run.len >= NODE_PLAIN_MIN && elements == 1) {
        struct rg_bytes element;
        rg_element_text(run.data, &element);
        rdb_put_length(writer, RDB_NODE_PLAIN);
        rdb_put_string(writer, element);
    } else {
        rg_buf_reset(&writer->pack, PACK_KEPT);
        rdb_listpack_begin(&writer->pack);
        rg_buf_append_bytes(&writer->pack, run);
        rdb_listpack_end(&writer->pack, elements);
        rdb_put_length(writer, RDB_NODE_PACKED);
        rdb_put_string(writer, rg_buf_view(&writer->pack));
    }
    rdb_put_finish(writer, from);
}

/* ---- Sets ---- */

void rg_rdb_write_set(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                      uint64_t members, bool packed)
{
    collection_begin(writer, key, expire_ms, packed ? RDB_TYPE_SET_INTSET : RDB_TYPE_SET, members);
}

static unsigned intset_width(const int64_t *members, size_t count)
{
    /* They ascend: the widest is the first or the last. */
    int64_t low = members[0];
    int64_t high = members[count - 1];
    if (low >= INT16_MIN && high <= INT16_MAX)
        return 2;
    return low >= INT32_MIN && high <= INT32_MAX ? 4 : 8;
}

/* The members lie in pack as int64_t. */
static void intset_put(struct rg_rdb_writer *writer)
{
    struct rg_buf *out = writer->out;
    const int64_t *members = (const int64_t *)(const void *)rg_buf_view(&writer->pack).data;
    size_t count = writer->items;
    unsigned width = intset_width(members, count);
    rg_buf_reset(&writer->list, PACK_KEPT);
    writer->out = &writer->list;
    rdb_put_little(writer, width, 4);
    rdb_put_little(writer, count, 4);
    for (size_t i = 0; i < count; i++) {
        RG_ASSERT(i == 0 || members[i - 1] < members[i]);
        rdb_put_little(writer, (uint64_t)members[i], width);
    }
    writer->out = out;
    rdb_put_string(writer, rg_buf_view(&writer->list));
}

void rg_rdb_write_set_member(struct rg_rdb_writer *writer, struct rg_bytes member)
{
    size_t from = rdb_put_begin(writer);
    bool last = collection_count(writer);
    if (writer->form == RDB_TYPE_SET_INTSET) {
        int64_t value = 0;
        int rc = rg_parse_i64(member, &value);
        RG_ASSERT(rc == 0);
        rg_buf_append(&writer->pack, &value, sizeof(value));
        writer->items++;
        if (last)
            intset_put(writer);
    } else {
        RG_ASSERT(writer->form == RDB_TYPE_SET);
        rdb_put_string(writer, member);
    }
    rdb_put_finish(writer, from);
}

/* ---- Sorted sets and hashes ---- */

void rg_rdb_write_zset(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                       uint64_t members, bool packed)
{
    collection_begin(writer, key, expire_ms, packed ? RDB_TYPE_ZSET_LISTPACK : RDB_TYPE_ZSET_2,
                     members);
}

void rg_rdb_write_zset_member(struct rg_rdb_writer *writer, struct rg_bytes member, double score)
{
    size_t from = rdb_put_begin(writer);
    bool last = collection_count(writer);
    if (writer->form == RDB_TYPE_ZSET_LISTPACK) {
        char text[RG_DOUBLE_CHARS];
        pack_append(writer, member);
        pack_append(writer, rg_bytes(text, rg_format_double(text, score)));
        if (last)
            pack_put(writer);
    } else {
        RG_ASSERT(writer->form == RDB_TYPE_ZSET_2);
        rdb_put_string(writer, member);
        rdb_put_double(writer, score);
    }
    rdb_put_finish(writer, from);
}

void rg_rdb_write_hash(struct rg_rdb_writer *writer, struct rg_bytes key, int64_t expire_ms,
                       uint64_t fields, bool packed)
{
    collection_begin(writer, key, expire_ms, packed ? RDB_TYPE_HASH_LISTPACK : RDB_TYPE_HASH,
                     fields);
}

void rg_rdb_write_hash_field(struct rg_rdb_writer *writer, struct rg_bytes field,
                             struct rg_bytes value)
{
    size_t from = rdb_put_begin(writer);
    bool last = collection_count(writer);
    if (writer->form == RDB_TYPE_HASH_LISTPACK) {
        pack_append(writer, field);
        pack_append(writer, value);
        if (last)
            pack_put(writer);
    } else {
        RG_ASSERT(writer->form == RDB_TYPE_HASH);
        rdb_put_string(writer, field);
        rdb_put_string(writer, value);
    }
    rdb_put_finish(writer, from);
}
