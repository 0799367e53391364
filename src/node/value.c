#include "node/value.h"

#include "base/panic.h"
#include "store/list.h"
#include "store/set.h"
#include "store/zset.h"

/* ---- Out ---- */

static bool is_packed(const struct rg_entry *entry)
{
    const char *encoding = rg_entry_encoding(entry);

    return strcmp(encoding, "listpack") == 0 || strcmp(encoding, "intset") == 0;
}

static void save_list(struct rg_rdb_writer *writer, const struct rg_entry *entry)
{
    struct rg_list_iter iter;
    struct rg_bytes element;

    rg_rdb_write_list(writer, rg_entry_key(entry), rg_entry_expire_ms(entry));
    rg_list_iter_init(&iter, entry, 0, false);
    while (rg_list_iter_next(&iter, &element))
        rg_rdb_write_list_element(writer, element);
    rg_rdb_write_list_end(writer);
}

static void save_set(struct rg_rdb_writer *writer, const struct rg_entry *entry)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_set_iter iter;
    struct rg_bytes member;

    rg_rdb_write_set(writer, rg_entry_key(entry), rg_entry_expire_ms(entry), rg_set_len(entry),
                     is_packed(entry));
    rg_set_iter_init(&iter, entry);
    while (rg_set_iter_next(&iter, scratch, &member))
        rg_rdb_write_set_member(writer, member);
}

static void save_zset(struct rg_rdb_writer *writer, const struct rg_entry *entry)
{
    bool packed = is_packed(entry);
    uint64_t len = rg_zset_len(entry);
    struct rg_zset_iter iter;
    struct rg_bytes member;
    double score = 0;

    rg_rdb_write_zset(writer, rg_entry_key(entry), rg_entry_expire_ms(entry), len, packed);
    /* A large one from its greatest member down, for redis-server inserts at the head fastest. */
    rg_zset_iter_init(&iter, entry, packed ? 0 : len - 1, !packed);
    while (rg_zset_iter_next(&iter, &member, &score))
        rg_rdb_write_zset_member(writer, member, score);
}

static void save_hash(struct rg_rdb_writer *writer, const struct rg_entry *entry)
{
    struct rg_hash_iter iter;
    struct rg_bytes field;
    struct rg_bytes value;

    rg_rdb_write_hash(writer, rg_entry_key(entry), rg_entry_expire_ms(entry), rg_hash_len(entry),
                      is_packed(entry));
    rg_hash_iter_init(&iter, entry);
    while (rg_hash_iter_next(&iter, &field, &value))
        rg_rdb_write_hash_field(writer, field, value);
}

void value_save(struct rg_rdb_writer *writer, const struct rg_entry *entry)
{
    char scratch[RG_STRING_SCRATCH];

    switch (rg_entry_type(entry)) {
    case RG_TYPE_STRING:
        rg_rdb_write_string(writer, rg_entry_key(entry), rg_entry_expire_ms(entry),
                            rg_string_get(entry, scratch));
        return;
    case RG_TYPE_LIST:
        save_list(writer, entry);
        return;
    case RG_TYPE_SET:
        save_set(writer, entry);
        return;
    case RG_TYPE_ZSET:
        save_zset(writer, entry);
        return;
    case RG_TYPE_HASH:
        save_hash(writer, entry);
        return;
    case RG_TYPES:
        break;
    }
    RG_UNREACHABLE();
}

void value_save_begin(struct rg_rdb_writer *writer, const struct rg_entry *entry, uint64_t pieces)
{
    struct rg_bytes key = rg_entry_key(entry);
    int64_t expire_ms = rg_entry_expire_ms(entry);

    switch (rg_entry_type(entry)) {
    case RG_TYPE_LIST:
        rg_rdb_write_list_nodes(writer, key, expire_ms, pieces);
        return;
    case RG_TYPE_SET:
        rg_rdb_write_set(writer, key, expire_ms, pieces, false);
        return;
    case RG_TYPE_ZSET:
        rg_rdb_write_zset(writer, key, expire_ms, pieces, false);
        return;
    case RG_TYPE_HASH:
        rg_rdb_write_hash(writer, key, expire_ms, pieces, false);
        return;
    case RG_TYPE_STRING:
    case RG_TYPES:
        break;
    }
    RG_UNREACHABLE();
}

void value_save_piece(struct rg_rdb_writer *writer, enum rg_type type,
                      const struct rg_snapshot_piece *piece)
{
    switch (type) {
    case RG_TYPE_LIST:
        rg_rdb_write_list_node(writer, piece->element, piece->count);
        return;
    case RG_TYPE_SET:
        rg_rdb_write_set_member(writer, piece->element);
        return;
    case RG_TYPE_ZSET:
        rg_rdb_write_zset_member(writer, piece->element, piece->score);
        return;
    case RG_TYPE_HASH:
        rg_rdb_write_hash_field(writer, piece->element, piece->value);
        return;
    case RG_TYPE_STRING:
    case RG_TYPES:
        break;
    }
    RG_UNREACHABLE();
}

void value_save_access(struct rg_rdb_writer *writer, const struct rg_access *access,
                       int64_t mono_us, const struct rg_entry *entry)
{
    uint32_t word = rg_entry_access(entry);

    if (access->lfu)
        rg_rdb_write_freq(writer, (uint8_t)rg_access_frequency(access, word, mono_us));
    else
        rg_rdb_write_idle(writer, (uint64_t)rg_access_idle_s(word, mono_us));
}

/* ---- In ---- */

bool value_is_key(enum rg_rdb_event_type type)
{
    return type == RG_RDB_STRING || type == RG_RDB_LIST || type == RG_RDB_SET ||
           type == RG_RDB_ZSET || type == RG_RDB_HASH;
}

bool value_is_element(enum rg_rdb_event_type type)
{
    return type == RG_RDB_LIST_ELEMENT || type == RG_RDB_LIST_RUN || type == RG_RDB_SET_MEMBER ||
           type == RG_RDB_ZSET_MEMBER || type == RG_RDB_HASH_FIELD;
}

/* An entry for the key, with the elements that came with it. Errors: RG_ECORRUPT. */
static int load_put(struct rg_db *db, struct rg_bytes key, const struct rg_rdb_event *event,
                    struct rg_entry **ret_entry)
{
    bool whole = event->value.len > 0;
    int result = 0;

    switch (event->type) {
    case RG_RDB_STRING:
        *ret_entry = rg_db_put_string(db, key, event->value);
        return 0;
    case RG_RDB_LIST:
        *ret_entry = rg_db_put_list(db, key);
        return 0;
    case RG_RDB_SET:
        *ret_entry = rg_db_put_set(db, key);
        if (whole)
            rg_set_take_ints(db, ret_entry, event->value, event->count);
        return 0;
    case RG_RDB_ZSET:
        if (whole)
            result = rg_db_put_zset_run(db, key, event->value, event->count, ret_entry);
        else
            *ret_entry = rg_db_put_zset(db, key);
        return result < 0 ? RG_ECORRUPT : 0;
    default:
        RG_ASSERT(event->type == RG_RDB_HASH);
        if (whole)
            result = rg_db_put_hash_run(db, key, event->value, event->count, ret_entry);
        else
            *ret_entry = rg_db_put_hash(db, key);
        return result < 0 ? RG_ECORRUPT : 0;
    }
}

/* What is not said counts as used just now, or as often as a new key. */
static uint32_t load_access(const struct value_load *load, const struct rg_rdb_event *event)
{
    enum { FREQ_OF_NEW = 5 };
    int64_t now_us = load->now->mono_us;

    if (load->access->lfu)
        return rg_access_of_frequency(event->freq >= 0 ? (unsigned)event->freq : FREQ_OF_NEW,
                                      now_us);
    return rg_access_of_idle(event->idle_s, now_us);
}

void value_load_db(struct value_load *load, unsigned index)
{
    load->db = rg_store_db(load->store, index);
    load->promised = load->room = 0;
}

void value_load_size(struct value_load *load, uint64_t keys)
{
    load->promised = keys;
    load->room = 0;
}

/*
 * Room is made in large steps as keys come, so that hardly any of them has to be moved later, and a
 * promise that is not kept costs no more than what came.
 */
static void load_make_room(struct value_load *load)
{
    enum { FIRST = 4096, STEP = 8 };

    if (load->room >= load->promised || rg_db_count(load->db) < load->room)
        return;
    uint64_t room = load->room == 0 ? FIRST : load->room * STEP;
    load->room = room < load->promised ? room : load->promised;
    rg_db_expect(load->db, load->room);
}

void value_load_ahead(struct value_load *load, struct rg_rdb_reader *reader)
{
    struct value_ahead *ahead = &load->ahead;
    struct rg_bytes key;

    while (rg_rdb_reader_ahead(reader, &key)) {
        if (key.len == 0 || ahead->count == VALUE_AHEAD_MAX)
            continue;
        uint64_t hash = rg_store_hash(load->store, key);
        unsigned at = (ahead->first + ahead->count++) % VALUE_AHEAD_MAX;
        ahead->keys[at].key = key.data;
        ahead->keys[at].hash = hash;
        rg_db_prefetch_bucket(load->db, hash);
    }
}

/* Where the key was seen ahead, the store need not hash it again. */
static void load_expect_key(struct value_load *load, struct rg_bytes key)
{
    struct value_ahead *ahead = &load->ahead;

    while (ahead->count > 0) {
        unsigned at = ahead->first;
        bool same = ahead->keys[at].key == key.data;
        ahead->first = (at + 1) % VALUE_AHEAD_MAX;
        ahead->count--;
        if (same) {
            rg_store_expect_key(load->store, key, ahead->keys[at].hash);
            return;
        }
    }
}

static int load_key(struct value_load *load, struct rg_bytes key, const struct rg_rdb_event *event)
{
    struct rg_entry *entry = NULL;

    load->entry = NULL;
    if (rg_db_find(load->db, key) != NULL)
        return RG_EEXIST;
    int result = load_put(load->db, key, event, &entry);
    if (result < 0)
        return result;
    if (event->expire_ms >= 0)
        rg_entry_set_expire_ms(load->db, &entry, event->expire_ms);
    rg_entry_set_access(entry, load_access(load, event));
    load->entry = event->type == RG_RDB_STRING ? NULL : entry;
    return 0;
}

int value_load_key(struct value_load *load, struct rg_bytes key, const struct rg_rdb_event *event)
{
    load_make_room(load);
    load_expect_key(load, key);
    int result = load_key(load, key, event);
    rg_store_forget_key(load->store);
    return result;
}

int value_load_element(struct value_load *load, const struct rg_rdb_event *event)
{
    bool is_new = true;

    if (load->entry == NULL)
        return 0;
    switch (event->type) {
    case RG_RDB_LIST_ELEMENT:
        if (event->value.len > RG_LIST_ELEMENT_MAX)
            return RG_ECORRUPT;
        rg_list_push(load->db, &load->entry, RG_LIST_TAIL, event->value);
        break;
    case RG_RDB_LIST_RUN:
        rg_list_append_run(load->db, &load->entry, event->value, (uint32_t)event->count);
        break;
    case RG_RDB_SET_MEMBER:
        is_new = rg_set_add(load->db, &load->entry, event->key);
        break;
    case RG_RDB_ZSET_MEMBER:
        is_new = rg_zset_set(load->db, &load->entry, event->key, event->score);
        break;
    default:
        RG_ASSERT(event->type == RG_RDB_HASH_FIELD);
        is_new = rg_hash_set(load->db, &load->entry, event->key, event->value);
        break;
    }
    return is_new ? 0 : RG_ECORRUPT;
}
