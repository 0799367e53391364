#include "log/rdb_packed.h"

#include "base/element.h"
#include "base/panic.h"

enum {
    ZIPLIST_HEAD = 10,
    LISTPACK_HEAD = 6,
    ZIPMAP_HEAD = 1,
    INTSET_HEAD = 8,
    PACKED_END = 0xff,
};

static uint64_t read_little(const unsigned char *p, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)p[i] << 8 * i;
    return value;
}

/* Takes n bytes at *at; NULL where the blob ends before. */
static const unsigned char *take(struct rg_bytes blob, size_t *at, uint64_t n)
{
    if (n > blob.len - *at)
        return NULL;
    const unsigned char *p = (const unsigned char *)blob.data + *at;
    *at += (size_t)n;
    return p;
}

static int take_text(struct rg_bytes blob, size_t *at, uint64_t n, struct rdb_item *item)
{
    const unsigned char *p = take(blob, at, n);
    if (p == NULL)
        return RG_ECORRUPT;
    item->is_integer = false;
    item->text = rg_bytes(p, (size_t)n);
    return 0;
}

static int set_integer(int64_t value, struct rdb_item *item)
{
    item->is_integer = true;
    item->integer = value;
    return 0;
}

static int take_integer(struct rg_bytes blob, size_t *at, unsigned size, struct rdb_item *item)
{
    const unsigned char *p = take(blob, at, size);
    if (p == NULL)
        return RG_ECORRUPT;
    unsigned unused = 64 - 8 * size;
    return set_integer((int64_t)(read_little(p, size) << unused) >> unused, item);
}

/* Each element is followed by its own length, readable backwards. */
static int listpack_next(struct rg_bytes blob, size_t *at, struct rdb_item *item, bool *exact)
{
    const char *start = blob.data + *at;
    const char *end = rg_element_check_both(start, blob.data + blob.len, exact);
    if (end == NULL)
        return RG_ECORRUPT;
    *at = (size_t)(end - blob.data);
    item->is_integer = !rg_element_is_text(start);
    if (item->is_integer)
        rg_element_integer(start, &item->integer);
    else
        rg_element_text(start, &item->text);
    return 0;
}

static int ziplist_next(struct rg_bytes blob, size_t *at, struct rdb_item *item)
{
    const unsigned char *p = take(blob, at, 1);
    if (p == NULL || *p == PACKED_END || (*p == 254 && take(blob, at, 4) == NULL))
        return RG_ECORRUPT;
    p = take(blob, at, 1);
    if (p == NULL)
        return RG_ECORRUPT;
    unsigned b = *p;
    if (b < 0x40)
        return take_text(blob, at, b, item);
    if (b < 0x80) {
        p = take(blob, at, 1);
        return p == NULL ? RG_ECORRUPT : take_text(blob, at, (b & 0x3f) << 8 | *p, item);
    }
    switch (b) {
    case 0x80:
        p = take(blob, at, 4);
        return p == NULL
                   ? RG_ECORRUPT
                   : take_text(blob, at, __builtin_bswap32((uint32_t)read_little(p, 4)), item);
    case 0xc0:
        return take_integer(blob, at, 2, item);
    case 0xd0:
        return take_integer(blob, at, 4, item);
    case 0xe0:
        return take_integer(blob, at, 8, item);
    case 0xf0:
        return take_integer(blob, at, 3, item);
    case 0xfe:
        return take_integer(blob, at, 1, item);
    default:
        return b >= 0xf1 && b <= 0xfd ? set_integer((int)(b & 15) - 1, item) : RG_ECORRUPT;
    }
}

static int zipmap_next(struct rg_bytes blob, size_t *at, bool is_value, struct rdb_item *item)
{
    const unsigned char *p = take(blob, at, 1);
    if (p == NULL || *p == PACKED_END)
        return RG_ECORRUPT;
    uint64_t len = *p;
    if (len == 254) {
        p = take(blob, at, 4);
        if (p == NULL)
            return RG_ECORRUPT;
        len = read_little(p, 4);
    }
    unsigned unused = 0; /* a value may have been shortened in place */
    if (is_value) {
        p = take(blob, at, 1);
        if (p == NULL)
            return RG_ECORRUPT;
        unused = *p;
    }
    if (take_text(blob, at, len, item) < 0 || take(blob, at, unused) == NULL)
        return RG_ECORRUPT;
    return 0;
}

/* The width of its integers; 0 where it is none. */
static unsigned intset_width(struct rg_bytes blob)
{
    uint64_t width = read_little((const unsigned char *)blob.data, 4);
    return width == 2 || width == 4 || width == 8 ? (unsigned)width : 0;
}

int rdb_packed_next(enum rdb_form form, struct rg_bytes blob, size_t *at, bool is_value,
                    struct rdb_item *item)
{
    bool exact = true;
    switch (form) {
    case RDB_FORM_LISTPACK:
        return listpack_next(blob, at, item, &exact);
    case RDB_FORM_ZIPLIST:
        return ziplist_next(blob, at, item);
    case RDB_FORM_ZIPMAP:
        return zipmap_next(blob, at, is_value, item);
    case RDB_FORM_INTSET:
        return take_integer(blob, at, intset_width(blob), item);
    case RDB_FORM_PLAIN:
        item->is_integer = false;
        item->text = blob;
        *at = blob.len;
        return 0;
    }
    RG_UNREACHABLE();
}

/* ---- The structure as a whole ---- */

static int intset_check(struct rg_bytes blob, uint64_t *ret_items, struct rg_bytes *ret_run)
{
    if (blob.len < INTSET_HEAD || intset_width(blob) == 0)
        return RG_ECORRUPT;
    uint64_t items = read_little((const unsigned char *)blob.data + 4, 4);
    struct rdb_item item;
    int64_t before = INT64_MIN;
    size_t at = INTSET_HEAD;
    if (blob.len - INTSET_HEAD != items * intset_width(blob))
        return RG_ECORRUPT;
    while (at < blob.len) {
        size_t first = at;
        if (take_integer(blob, &at, intset_width(blob), &item) < 0 ||
            (first > INTSET_HEAD && item.integer <= before))
            return RG_ECORRUPT;
        before = item.integer;
    }
    *ret_items = items;
    *ret_run = rg_bytes(blob.data + INTSET_HEAD, blob.len - INTSET_HEAD);
    return 0;
}

/* What the head of the blob claims: its size, its count (or that it does not know). */
static bool head_holds(enum rdb_form form, struct rg_bytes blob, uint64_t items, size_t last)
{
    const unsigned char *p = (const unsigned char *)blob.data;
    if (form == RDB_FORM_ZIPMAP)
        return p[0] >= 254 || p[0] == items / 2;
    bool listpack = form == RDB_FORM_LISTPACK;
    uint64_t count = read_little(p + (listpack ? 4 : 8), 2);
    return read_little(p, 4) == blob.len && (count == 65535 || count == items) &&
           (listpack || read_little(p + 4, 4) == last);
}

static bool ziplist_links(struct rg_bytes blob, size_t at, size_t before)
{
    const unsigned char *p = (const unsigned char *)blob.data + at;
    return before == (*p < 254 ? *p : read_little(p + 1, 4));
}

static int row_check(enum rdb_form form, struct rg_bytes blob, size_t head, uint64_t *ret_items)
{
    if (blob.len < head + 1 || (unsigned char)blob.data[blob.len - 1] != PACKED_END)
        return RG_ECORRUPT;
    struct rg_bytes body = {blob.data, blob.len - 1};
    size_t at = head;
    size_t last = head;
    size_t before = 0; /* length of the element before */
    uint64_t items = 0;
    while (at < body.len) {
        struct rdb_item item;
        last = at;
        if (rdb_packed_next(form, body, &at, items % 2 == 1, &item) < 0)
            return RG_ECORRUPT;
        if (form == RDB_FORM_ZIPLIST && !ziplist_links(blob, last, before))
            return RG_ECORRUPT;
        before = at - last;
        items++;
    }
    *ret_items = items;
    return head_holds(form, blob, items, last) ? 0 : RG_ECORRUPT;
}

/* All at once, for most values are this: whether the elements are a run as they are, too. */
static int listpack_check(struct rg_bytes blob, uint64_t *ret_items, struct rg_bytes *ret_run)
{
    if (blob.len < LISTPACK_HEAD + 1 || (unsigned char)blob.data[blob.len - 1] != PACKED_END)
        return RG_ECORRUPT;
    struct rg_bytes run = {blob.data + LISTPACK_HEAD, blob.len - LISTPACK_HEAD - 1};
    uint64_t items = 0;
    bool exact = true;
    if (!rg_element_check_run(run, &items, &exact))
        return RG_ECORRUPT;
    if (exact)
        *ret_run = run;
    *ret_items = items;
    return head_holds(RDB_FORM_LISTPACK, blob, items, 0) ? 0 : RG_ECORRUPT;
}

int rdb_packed_check(enum rdb_form form, struct rg_bytes blob, unsigned group, size_t *ret_first,
                     uint64_t *ret_items, struct rg_bytes *ret_run)
{
    static const unsigned char heads[] = {
        [RDB_FORM_LISTPACK] = LISTPACK_HEAD,
        [RDB_FORM_ZIPLIST] = ZIPLIST_HEAD,
        [RDB_FORM_ZIPMAP] = ZIPMAP_HEAD,
        [RDB_FORM_INTSET] = INTSET_HEAD,
        [RDB_FORM_PLAIN] = 0,
    };
    struct rg_bytes run = {0};
    uint64_t items = 1;
    int rc = 0;
    if (form == RDB_FORM_INTSET)
        rc = intset_check(blob, &items, &run);
    else if (form == RDB_FORM_LISTPACK)
        rc = listpack_check(blob, &items, &run);
    else if (form != RDB_FORM_PLAIN)
        rc = row_check(form, blob, heads[form], &items);
    else if (blob.len == 0) /* redis-server does not take it either */
        rc = RG_ECORRUPT;
    if (rc < 0 || items % group != 0)
        return RG_ECORRUPT;
    *ret_first = heads[form];
    *ret_items = items;
    *ret_run = run;
    return 0;
}
