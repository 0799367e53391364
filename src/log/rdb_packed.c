#include "log/rdb_packed.h"

#include "log/rdb_format.h"

enum { ZIPLIST_HEAD = 10, LISTPACK_HEAD = 6, ZIPMAP_HEAD = 1, PACKED_END = 0xff };

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

static int take_text(struct rg_bytes blob, size_t *at, uint64_t n, struct rdb_packed_item *item)
{
    const unsigned char *p = take(blob, at, n);
    if (p == NULL)
        return RG_ECORRUPT;
    item->text = rg_bytes(p, (size_t)n);
    return 0;
}

static int set_integer(int64_t value, struct rdb_packed_item *item)
{
    item->text = rg_bytes(item->scratch, rg_format_i64(item->scratch, value));
    return 0;
}

static int take_integer(struct rg_bytes blob, size_t *at, unsigned size,
                        struct rdb_packed_item *item)
{
    const unsigned char *p = take(blob, at, size);
    if (p == NULL)
        return RG_ECORRUPT;
    unsigned unused = 64 - 8 * size;
    return set_integer((int64_t)(read_little(p, size) << unused) >> unused, item);
}

static int listpack_body(struct rg_bytes blob, size_t *at, struct rdb_packed_item *item)
{
    static const unsigned char sizes[] = {2, 3, 4, 8};
    const unsigned char *p = take(blob, at, 1);
    if (p == NULL)
        return RG_ECORRUPT;
    unsigned b = *p;
    if (b < 0x80)
        return set_integer(b, item);
    if (b < 0xc0)
        return take_text(blob, at, b & 0x3f, item);
    if (b >= 0xf1 && b <= 0xf4)
        return take_integer(blob, at, sizes[b - 0xf1], item);
    if (b == 0xf0) {
        p = take(blob, at, 4);
        return p == NULL ? RG_ECORRUPT : take_text(blob, at, read_little(p, 4), item);
    }
    p = b < 0xf0 ? take(blob, at, 1) : NULL;
    if (p == NULL)
        return RG_ECORRUPT;
    if (b >= 0xe0)
        return take_text(blob, at, (b & 0x0f) << 8 | *p, item);
    int value = (int)((b & 0x1f) << 8 | *p);
    return set_integer(value < 4096 ? value : value - 8192, item);
}

/* Each element is followed by its own length in groups of 7 bits, readable backwards. */
static int listpack_next(struct rg_bytes blob, size_t *at, struct rdb_packed_item *item)
{
    size_t begin = *at;
    if (listpack_body(blob, at, item) < 0)
        return RG_ECORRUPT;
    uint64_t len = *at - begin;
    unsigned groups = len <= 127        ? 1
                      : len < 16383     ? 2
                      : len < 2097151   ? 3
                      : len < 268435455 ? 4
                                        : 5;
    const unsigned char *p = take(blob, at, groups);
    if (p == NULL)
        return RG_ECORRUPT;
    for (unsigned i = 0; i < groups; i++) {
        unsigned want = (len >> 7 * (groups - 1 - i) & 127) | (i > 0 ? 128u : 0u);
        if (p[i] != want)
            return RG_ECORRUPT;
    }
    return 0;
}

static int ziplist_next(struct rg_bytes blob, size_t *at, struct rdb_packed_item *item)
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

static int zipmap_next(struct rg_bytes blob, size_t *at, bool is_value,
                       struct rdb_packed_item *item)
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

int rdb_packed_next(unsigned type, struct rg_bytes blob, size_t *at, bool is_value,
                    struct rdb_packed_item *item)
{
    if (type == RDB_TYPE_HASH_LISTPACK)
        return listpack_next(blob, at, item);
    if (type == RDB_TYPE_HASH_ZIPLIST)
        return ziplist_next(blob, at, item);
    return zipmap_next(blob, at, is_value, item);
}

/* What the head of the blob claims: its size, its count (or that it does not know). */
static bool head_holds(unsigned type, struct rg_bytes blob, uint64_t items, size_t last)
{
    const unsigned char *p = (const unsigned char *)blob.data;
    if (type == RDB_TYPE_HASH_ZIPMAP)
        return p[0] >= 254 || p[0] == items / 2;
    bool listpack = type == RDB_TYPE_HASH_LISTPACK;
    uint64_t count = read_little(p + (listpack ? 4 : 8), 2);
    return read_little(p, 4) == blob.len && (count == 65535 || count == items) &&
           (listpack || read_little(p + 4, 4) == last);
}

static bool ziplist_links(struct rg_bytes blob, size_t at, size_t before)
{
    const unsigned char *p = (const unsigned char *)blob.data + at;
    return before == (*p < 254 ? *p : read_little(p + 1, 4));
}

int rdb_packed_check(unsigned type, struct rg_bytes blob, size_t *ret_first, uint64_t *ret_pairs)
{
    size_t head = type == RDB_TYPE_HASH_LISTPACK  ? LISTPACK_HEAD
                  : type == RDB_TYPE_HASH_ZIPLIST ? ZIPLIST_HEAD
                                                  : ZIPMAP_HEAD;
    if (blob.len < head + 1 || (unsigned char)blob.data[blob.len - 1] != PACKED_END)
        return RG_ECORRUPT;
    struct rg_bytes body = {blob.data, blob.len - 1};
    size_t at = head;
    size_t last = head;
    size_t before = 0; /* length of the element before */
    uint64_t items = 0;
    while (at < body.len) {
        struct rdb_packed_item item;
        last = at;
        if (rdb_packed_next(type, body, &at, items % 2 == 1, &item) < 0)
            return RG_ECORRUPT;
        if (type == RDB_TYPE_HASH_ZIPLIST && !ziplist_links(blob, last, before))
            return RG_ECORRUPT;
        before = at - last;
        items++;
    }
    if (items % 2 != 0 || !head_holds(type, blob, items, last))
        return RG_ECORRUPT;
    *ret_first = head;
    *ret_pairs = items / 2;
    return 0;
}
