#include "store/set.h"

#include "base/number.h"
#include "base/panic.h"
#include "store/db.h"
#include "store/doomed.h"
#include "store/set_ints.h"
#include "store/set_packed.h"
#include "store/set_table.h"

static struct rg_set_ints *ints_of(const struct rg_entry *entry)
{
    RG_ASSERT(entry->form == RG_FORM_SET_INTS);
    return rg_entry_value(entry)->pointer;
}

static struct rg_set_packed *packed_of(const struct rg_entry *entry)
{
    RG_ASSERT(entry->form == RG_FORM_SET_PACKED);
    return rg_entry_value(entry)->pointer;
}

static struct rg_set_table *table_of(const struct rg_entry *entry)
{
    RG_ASSERT(entry->form == RG_FORM_SET_TABLE);
    return rg_entry_value(entry)->pointer;
}

/* The integer that a member is, in the one form in which it is written. */
static bool is_integer(struct rg_bytes member, int64_t *ret_number)
{
    return member.len > 0 && member.len < RG_I64_CHARS && rg_parse_i64(member, ret_number) == 0;
}

/* ---- Whole sets ---- */

struct rg_entry *rg_set_draft(struct rg_db *db, struct rg_bytes key)
{
    struct rg_entry *entry = rg_entry_new(rg_db_pool(db), key, RG_FORM_SET_INTS, 0, false);
    rg_entry_value(entry)->pointer = rg_set_ints_new(rg_db_pool(db));
    entry->mark = db->store->mark & 1; /* no snapshot wants to see it */
    return entry;
}

void rg_set_draft_put(struct rg_db *db, struct rg_entry *draft)
{
    rg_db_put_entry(db, draft);
}

void rg_set_draft_free(struct rg_db *db, struct rg_entry *draft)
{
    if (draft != NULL)
        rg_doomed_entry(db->store, draft);
}

struct rg_entry *rg_db_put_set(struct rg_db *db, struct rg_bytes key)
{
    struct rg_entry *entry = rg_set_draft(db, key);
    rg_db_put_entry(db, entry);
    return entry;
}

void rg_set_exchange(struct rg_db *db, struct rg_entry **entry, struct rg_entry *draft)
{
    struct rg_entry *set = *entry;
    rg_db_before_change(db, set);
    RG_ASSERT(rg_entry_type(set) == RG_TYPE_SET && rg_entry_type(draft) == RG_TYPE_SET);
    union rg_value value = *rg_entry_value(set);
    unsigned form = set->form;
    *rg_entry_value(set) = *rg_entry_value(draft);
    set->form = draft->form;
    *rg_entry_value(draft) = value;
    draft->form = form & 0xf;
}

uint64_t rg_set_len(const struct rg_entry *entry)
{
    if (entry->form == RG_FORM_SET_INTS)
        return ints_of(entry)->count;
    if (entry->form == RG_FORM_SET_PACKED)
        return packed_of(entry)->count;
    return table_of(entry)->table.count;
}

/* ---- From one form to the next; never back, as in Redis ---- */

static void set_become(struct rg_entry *set, enum rg_form form, void *value)
{
    set->form = form & 0xf;
    rg_entry_value(set)->pointer = value;
}

static void packed_to_table(struct rg_db *db, struct rg_entry *set)
{
    struct rg_set_packed *packed = packed_of(set);
    struct rg_set_table *table = rg_set_table_new(rg_db_pool(db), db->store->seed);
    struct rg_bytes member;
    for (size_t at = 0; at < packed->len;) {
        at = rg_set_packed_read(packed, at, &member);
        rg_set_table_add(table, member);
    }
    set_become(set, RG_FORM_SET_TABLE, table);
    rg_set_packed_free(rg_db_pool(db), packed);
}

/* What is added to a set that is packed, or a table. */
static bool members_add(struct rg_db *db, struct rg_entry *set, struct rg_bytes member)
{
    if (set->form == RG_FORM_SET_PACKED) {
        struct rg_set_packed *packed = packed_of(set);
        if (rg_set_packed_find(packed, member) != NULL)
            return false;
        if (rg_set_packed_may_hold(packed, member)) {
            packed = rg_set_packed_append(rg_db_pool(db), packed, member);
            rg_entry_value(set)->pointer = packed;
            return true;
        }
        packed_to_table(db, set);
    }
    return rg_set_table_add(table_of(set), member);
}

static void ints_to_members(struct rg_db *db, struct rg_entry *set)
{
    char digits[RG_I64_CHARS];
    struct rg_set_ints *ints = ints_of(set);
    if (ints->count <= RG_SET_PACKED_MEMBERS)
        set_become(set, RG_FORM_SET_PACKED, rg_set_packed_new(rg_db_pool(db)));
    else
        set_become(set, RG_FORM_SET_TABLE, rg_set_table_new(rg_db_pool(db), db->store->seed));
    for (uint32_t i = 0; i < ints->count; i++) {
        size_t len = rg_format_i64(digits, rg_set_ints_at(ints, i));
        members_add(db, set, rg_bytes(digits, len));
    }
    rg_set_ints_free(rg_db_pool(db), ints);
}

/* ---- Single members ---- */

static bool ints_add(struct rg_db *db, struct rg_entry *set, int64_t number)
{
    uint64_t limit = db->store->limits.set_max_intset_entries;
    struct rg_set_ints *ints = ints_of(set);
    uint32_t index = 0;
    if (rg_set_ints_find(ints, number, &index))
        return false;
    ints = rg_set_ints_insert(rg_db_pool(db), ints, index, number);
    rg_entry_value(set)->pointer = ints;
    if (ints->count > limit || ints->count >= RG_SET_INTS_MAX)
        ints_to_members(db, set);
    return true;
}

bool rg_set_add(struct rg_db *db, struct rg_entry **entry, struct rg_bytes member)
{
    struct rg_entry *set = *entry;
    int64_t number = 0;
    rg_db_before_change(db, set);
    if (set->form == RG_FORM_SET_INTS) {
        if (is_integer(member, &number))
            return ints_add(db, set, number);
        ints_to_members(db, set);
    }
    return members_add(db, set, member);
}

void rg_set_take_ints(struct rg_db *db, struct rg_entry **entry, struct rg_bytes numbers,
                      uint64_t count)
{
    struct rg_entry *set = *entry;
    uint32_t width = (uint32_t)(numbers.len / count);
    struct rg_set_ints *ints = ints_of(set);
    RG_ASSERT(ints->count == 0 && count <= RG_SET_INTS_MAX);
    rg_db_before_change(db, set);
    rg_set_ints_free(rg_db_pool(db), ints);
    ints = rg_set_ints_of(rg_db_pool(db), numbers.data, width, (uint32_t)count);
    rg_entry_value(set)->pointer = ints;
    if (count > db->store->limits.set_max_intset_entries || count >= RG_SET_INTS_MAX)
        ints_to_members(db, set);
}

bool rg_set_has(const struct rg_entry *entry, struct rg_bytes member)
{
    int64_t number = 0;
    uint32_t index = 0;
    if (entry->form == RG_FORM_SET_TABLE)
        return rg_set_table_has(table_of(entry), member);
    if (entry->form == RG_FORM_SET_PACKED)
        return rg_set_packed_find(packed_of(entry), member) != NULL;
    return is_integer(member, &number) && rg_set_ints_find(ints_of(entry), number, &index);
}

static bool ints_remove(struct rg_db *db, struct rg_entry *set, struct rg_bytes member)
{
    int64_t number = 0;
    uint32_t index = 0;
    struct rg_set_ints *ints = ints_of(set);
    if (!is_integer(member, &number) || !rg_set_ints_find(ints, number, &index))
        return false;
    rg_entry_value(set)->pointer = rg_set_ints_remove(rg_db_pool(db), ints, index);
    return true;
}

bool rg_set_remove(struct rg_db *db, struct rg_entry **entry, struct rg_bytes member)
{
    struct rg_entry *set = *entry;
    rg_db_before_change(db, set);
    if (set->form == RG_FORM_SET_TABLE)
        return rg_set_table_remove(table_of(set), member);
    if (set->form == RG_FORM_SET_INTS)
        return ints_remove(db, set, member);
    struct rg_set_packed *packed = packed_of(set);
    const char *at = rg_set_packed_find(packed, member);
    if (at == NULL)
        return false;
    rg_entry_value(set)->pointer = rg_set_packed_remove(rg_db_pool(db), packed, at);
    return true;
}

/* ---- Many members ---- */

static struct rg_bytes ints_member(const struct rg_entry *entry, uint64_t index,
                                   char scratch[RG_STRING_SCRATCH])
{
    return rg_bytes(scratch,
                    rg_format_i64(scratch, rg_set_ints_at(ints_of(entry), (uint32_t)index)));
}

void rg_set_iter_init(struct rg_set_iter *iter, const struct rg_entry *entry)
{
    *iter = (struct rg_set_iter){.entry = entry};
}

bool rg_set_iter_next(struct rg_set_iter *iter, char scratch[RG_STRING_SCRATCH],
                      struct rg_bytes *ret_member)
{
    const struct rg_entry *entry = iter->entry;
    if (entry->form == RG_FORM_SET_TABLE) {
        const void *item = rg_table_next(&table_of(entry)->table, iter->position);
        if (item != NULL)
            *ret_member = rg_set_table_member(item);
        return item != NULL;
    }
    if (entry->form == RG_FORM_SET_INTS) {
        if (iter->position[0] == ints_of(entry)->count)
            return false;
        *ret_member = ints_member(entry, iter->position[0]++, scratch);
        return true;
    }
    if (iter->position[0] == packed_of(entry)->len)
        return false;
    iter->position[0] = rg_set_packed_read(packed_of(entry), iter->position[0], ret_member);
    return true;
}

struct rg_bytes rg_set_random(const struct rg_entry *entry, struct rg_rand *rand,
                              char scratch[RG_STRING_SCRATCH])
{
    RG_ASSERT(rg_set_len(entry) > 0);
    if (entry->form == RG_FORM_SET_TABLE)
        return rg_set_table_member(rg_table_random(&table_of(entry)->table, rand));
    uint64_t left = rg_rand_below(rand, rg_set_len(entry));
    if (entry->form == RG_FORM_SET_INTS)
        return ints_member(entry, left, scratch);
    struct rg_bytes member = {0};
    size_t at = rg_set_packed_read(packed_of(entry), 0, &member);
    for (; left > 0; left--)
        at = rg_set_packed_read(packed_of(entry), at, &member);
    return member;
}

struct scan {
    void (*visit)(void *arg, struct rg_bytes member);
    void *arg;
};

static void scan_visit(void *arg, void *item)
{
    const struct scan *scan = arg;
    scan->visit(scan->arg, rg_set_table_member(item));
}

uint64_t rg_set_scan(const struct rg_entry *entry, uint64_t cursor, uint64_t count,
                     void (*visit)(void *arg, struct rg_bytes member), void *arg)
{
    if (entry->form == RG_FORM_SET_TABLE) {
        struct scan scan = {.visit = visit, .arg = arg};
        return rg_table_scan(&table_of(entry)->table, cursor, count, scan_visit, &scan);
    }
    char scratch[RG_STRING_SCRATCH];
    struct rg_set_iter iter;
    struct rg_bytes member;
    rg_set_iter_init(&iter, entry);
    while (rg_set_iter_next(&iter, scratch, &member))
        visit(arg, member);
    return 0;
}
