#include "log/rdb.h"

#include <lzf.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/crc64.h"
#include "base/number.h"
#include "base/panic.h"
#include "log/rdb_format.h"
#include "log/rdb_packed.h"

/*
 * Every call parses one whole item (an opcode with its operands, a key with its value, a field)
 * from the bytes at hand, or none of it: with too few bytes it starts over once as many came as
 * were missing, so a large value costs no more than a few attempts, however small the pieces are.
 */
/* At its densest, LZF stands for 264 bytes with 3. */
enum { LZF_RATIO_MAX = 88, ERROR_CHARS = 256, MAGIC_LEN = 9, CRC_LEN = 8, VERSION_CRC = 5 };

struct rg_rdb_reader {
    struct rg_buf in; /* fed and not yet taken */
    size_t lent;      /* bytes at its front that the last event still shows */
    size_t pos;       /* within in: what the item being parsed has used */
    size_t need;      /* bytes in `in` without which that item cannot be whole */
    uint64_t offset;  /* of the front of in, in the file */
    uint64_t crc;
    int version; /* 0 before the head was read */
    int failed;
    bool ended;
    int64_t expire_ms;  /* for the key to come, or -1 */
    uint64_t left;      /* fields of the hash that are still to come */
    unsigned type;      /* of that hash */
    struct rg_buf blob; /* the packed hash */
    size_t blob_at;
    struct rdb_packed_item items[2];
    struct rg_buf text[2]; /* strings that do not lie in `in` as they are */
    char error[ERROR_CHARS];
};

struct rg_rdb_reader *rg_rdb_reader_new(void)
{
    struct rg_rdb_reader *r = RG_NEW(struct rg_rdb_reader);
    r->expire_ms = -1;
    return r;
}

void rg_rdb_reader_free(struct rg_rdb_reader *r)
{
    if (r == NULL)
        return;
    rg_buf_fini(&r->in);
    rg_buf_fini(&r->blob);
    rg_buf_fini(&r->text[0]);
    rg_buf_fini(&r->text[1]);
    rg_free(r);
}

/* Gives back what the last event lent. */
static void settle(struct rg_rdb_reader *r)
{
    if (r->lent > 0)
        rg_buf_consume(&r->in, r->lent);
    r->offset += r->lent;
    r->lent = 0;
}

__attribute__((format(printf, 3, 4))) static int fail(struct rg_rdb_reader *r, int error,
                                                      const char *format, ...)
{
    uint64_t at = r->offset + r->pos;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(r->error, sizeof(r->error), format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof(r->error))
        (void)snprintf(r->error + len, sizeof(r->error) - (size_t)len, " at offset %llu",
                       (unsigned long long)at);
    r->failed = error;
    return error;
}

void rg_rdb_reader_feed(struct rg_rdb_reader *r, struct rg_bytes piece)
{
    char *room;

    settle(r);
    if (piece.len == 0 || r->failed < 0)
        return;
    if (rg_buf_try_reserve(&r->in, piece.len, &room) < 0) {
        (void)fail(r, RG_ENOMEM, "No memory for the bytes that came");
        return;
    }
    memcpy(room, piece.data, piece.len);
    rg_buf_commit(&r->in, piece.len);
}

const char *rg_rdb_reader_error(const struct rg_rdb_reader *r)
{
    return r->error;
}

struct rg_bytes rg_rdb_reader_rest(const struct rg_rdb_reader *r)
{
    struct rg_bytes all = rg_buf_view(&r->in);

    /* An empty buffer has no memory, and adding even 0 to NULL is undefined. */
    return r->lent == 0 ? all : rg_bytes(all.data + r->lent, all.len - r->lent);
}

uint64_t rg_rdb_reader_offset(const struct rg_rdb_reader *r)
{
    return r->offset + r->lent;
}

static int take(struct rg_rdb_reader *r, uint64_t n, const unsigned char **ret)
{
    struct rg_bytes all = rg_buf_view(&r->in);
    if (n > all.len - r->pos) {
        r->need = n > SIZE_MAX - r->pos ? SIZE_MAX : r->pos + (size_t)n;
        return RG_EAGAIN;
    }
    *ret = (const unsigned char *)all.data + r->pos;
    r->pos += (size_t)n;
    return 0;
}

static int take_little(struct rg_rdb_reader *r, unsigned size, uint64_t *ret_value)
{
    const unsigned char *p = NULL;
    int rc = take(r, size, &p);
    if (rc < 0)
        return rc;
    *ret_value = 0;
    for (unsigned i = 0; i < size; i++)
        *ret_value |= (uint64_t)p[i] << 8 * i;
    return 0;
}

/* *ret_encoding is 0 for a plain length, else the byte that names the encoding. */
static int take_encoded(struct rg_rdb_reader *r, uint64_t *ret_len, unsigned *ret_encoding)
{
    uint64_t b;
    uint64_t more = 0;
    int rc = take_little(r, 1, &b);
    if (rc < 0)
        return rc;
    *ret_encoding = 0;
    if (b < 0x40) {
        *ret_len = b;
    } else if (b < 0x80) {
        rc = take_little(r, 1, &more);
        *ret_len = (b & 0x3f) << 8 | more;
    } else if (b == RDB_LEN_32) {
        rc = take_little(r, 4, &more);
        *ret_len = __builtin_bswap32((uint32_t)more);
    } else if (b == RDB_LEN_64) {
        rc = take_little(r, 8, &more);
        *ret_len = __builtin_bswap64(more);
    } else if (b >= RDB_ENC_INT8 && b <= RDB_ENC_LZF) {
        *ret_encoding = (unsigned)b;
    } else {
        return fail(r, RG_ECORRUPT, "Unknown length encoding 0x%02x", (unsigned)b);
    }
    return rc;
}

static int take_length(struct rg_rdb_reader *r, uint64_t *ret_len)
{
    unsigned encoding;
    int rc = take_encoded(r, ret_len, &encoding);
    if (rc == 0 && encoding != 0)
        return fail(r, RG_ECORRUPT, "A string's encoding where a length belongs");
    return rc;
}

static int take_lzf(struct rg_rdb_reader *r, struct rg_buf *text, struct rg_bytes *ret_text)
{
    uint64_t packed_len;
    uint64_t len = 0;
    const unsigned char *p = NULL;
    char *room;
    int rc = take_length(r, &packed_len);
    if (rc == 0)
        rc = take_length(r, &len);
    if (rc < 0)
        return rc;
    if (len == 0 || packed_len > UINT32_MAX || len > UINT32_MAX || len > packed_len * LZF_RATIO_MAX)
        return fail(r, RG_ECORRUPT, "Impossible lengths of a compressed string");
    rc = take(r, packed_len, &p);
    if (rc < 0)
        return rc;
    /* Only now: the bytes that came bound what is allocated, not what a length claims. */
    rg_buf_reset(text, 1 << 16);
    if (rg_buf_try_reserve(text, (size_t)len, &room) < 0)
        return fail(r, RG_ENOMEM, "No memory for a compressed string");
    if (lzf_decompress(p, (unsigned)packed_len, room, (unsigned)len) != len)
        return fail(r, RG_ECORRUPT, "Invalid compressed string");
    rg_buf_commit(text, (size_t)len);
    *ret_text = rg_buf_view(text);
    return 0;
}

static int take_string(struct rg_rdb_reader *r, struct rg_buf *text, struct rg_bytes *ret_text)
{
    uint64_t len = 0;
    unsigned encoding;
    int rc = take_encoded(r, &len, &encoding);
    if (rc < 0)
        return rc;
    if (encoding == RDB_ENC_LZF)
        return take_lzf(r, text, ret_text);
    if (encoding != 0) {
        unsigned size = encoding == RDB_ENC_INT8 ? 1 : encoding == RDB_ENC_INT16 ? 2 : 4;
        uint64_t value = 0;
        char digits[RG_I64_CHARS];
        rc = take_little(r, size, &value);
        if (rc < 0)
            return rc;
        unsigned unused = 64 - 8 * size;
        rg_buf_reset(text, 1 << 16);
        rg_buf_append(text, digits, rg_format_i64(digits, (int64_t)(value << unused) >> unused));
        *ret_text = rg_buf_view(text);
        return 0;
    }
    const unsigned char *p = NULL;
    rc = take(r, len, &p);
    if (rc == 0)
        *ret_text = rg_bytes(p, (size_t)len);
    return rc;
}

/* The item is whole: counts its bytes, which stay until the next call. */
static void accept(struct rg_rdb_reader *r)
{
    struct rg_bytes all = rg_buf_view(&r->in);
    if (r->version >= VERSION_CRC)
        r->crc = rg_crc64(r->crc, all.data, r->pos);
    r->lent = r->pos;
    r->pos = 0;
}

static int read_head(struct rg_rdb_reader *r)
{
    const unsigned char *p = NULL;
    int version = 0;
    int rc = take(r, MAGIC_LEN, &p);
    if (rc < 0)
        return rc;
    if (memcmp(p, "REDIS", 5) != 0)
        return fail(r, RG_ECORRUPT, "Wrong signature trying to load DB from file");
    for (int i = 5; i < MAGIC_LEN; i++) {
        if (p[i] < '0' || p[i] > '9')
            return fail(r, RG_ECORRUPT, "The version is not a number");
        version = version * 10 + (p[i] - '0');
    }
    if (version < 1 || version > RG_RDB_VERSION)
        return fail(r, RG_ECORRUPT, "Can't handle RDB format version %d", version);
    r->version = version;
    accept(r);
    return 0;
}

static int read_end(struct rg_rdb_reader *r, struct rg_rdb_event *event)
{
    uint64_t want = 0;
    size_t marked = r->pos;
    if (r->version >= VERSION_CRC) {
        int rc = take_little(r, CRC_LEN, &want);
        if (rc < 0)
            return rc;
        uint64_t crc = rg_crc64(r->crc, rg_buf_view(&r->in).data, marked);
        if (want != 0 && want != crc)
            return fail(r, RG_ECORRUPT, "Wrong RDB checksum expected: (%llx) but got (%llx)",
                        (unsigned long long)want, (unsigned long long)crc);
    }
    event->type = RG_RDB_END;
    r->ended = true;
    return 1;
}

static int read_packed(struct rg_rdb_reader *r, struct rg_rdb_event *event)
{
    struct rg_bytes blob = {0};
    char *room;
    int rc = take_string(r, &r->text[1], &blob);
    if (rc < 0)
        return rc;
    if (rdb_packed_check(r->type, blob, &r->blob_at, &event->count) < 0)
        return fail(r, RG_ECORRUPT, "Invalid packed hash of type %u", r->type);
    rg_buf_reset(&r->blob, 1 << 16);
    if (rg_buf_try_reserve(&r->blob, blob.len, &room) < 0)
        return fail(r, RG_ENOMEM, "No memory for a packed hash");
    rg_buf_append(&r->blob, blob.data, blob.len - 1); /* without its end mark */
    return 0;
}

static int read_key(struct rg_rdb_reader *r, unsigned type, struct rg_rdb_event *event)
{
    static const char *const names[] = {"string", "list",   "set",  "zset",   "hash", "zset",
                                        "module", "module", "",     "hash",   "list", "set",
                                        "zset",   "hash",   "list", "stream", "hash", "zset",
                                        "list",   "stream", "set",  "stream"};
    if (type > RDB_TYPE_LAST || type == 8)
        return fail(r, RG_ECORRUPT, "Unknown type or opcode %u", type);
    int rc = take_string(r, &r->text[0], &event->key);
    if (rc < 0)
        return rc;
    event->expire_ms = r->expire_ms;
    if (type == RDB_TYPE_STRING) {
        event->type = RG_RDB_STRING;
        rc = take_string(r, &r->text[1], &event->value);
        rc = rc < 0 ? rc : 1;
    } else if (strcmp(names[type], "hash") == 0) {
        event->type = RG_RDB_HASH;
        r->type = type;
        if (type != RDB_TYPE_HASH) {
            rc = read_packed(r, event);
        } else {
            rc = take_length(r, &event->count);
        }
        if (rc < 0)
            return rc;
        /* Old servers could leave a hash without fields behind; it is as good as no key. */
        r->left = event->count;
        rc = event->count > 0 ? 1 : 0;
    } else {
        return fail(r, RG_ETYPE, "Key \"%.*s\" holds a %s (type %u), which is not supported,",
                    (int)(event->key.len < 64 ? event->key.len : 64), event->key.data, names[type],
                    type);
    }
    if (rc >= 0)
        r->expire_ms = -1;
    return rc;
}

static int read_field(struct rg_rdb_reader *r, struct rg_rdb_event *event)
{
    event->type = RG_RDB_HASH_FIELD;
    if (r->type == RDB_TYPE_HASH) {
        int rc = take_string(r, &r->text[0], &event->key);
        if (rc == 0)
            rc = take_string(r, &r->text[1], &event->value);
        if (rc < 0)
            return rc;
    } else {
        struct rg_bytes blob = rg_buf_view(&r->blob);
        /* The blob was checked as a whole before its first field. */
        for (int i = 0; i < 2; i++)
            RG_ASSERT(rdb_packed_next(r->type, blob, &r->blob_at, i == 1, &r->items[i]) == 0);
        event->key = r->items[0].text;
        event->value = r->items[1].text;
    }
    r->left--;
    return 1;
}

/* Returns 1 with an event, 0 where the item was one that only changes the reader. */
static int read_item(struct rg_rdb_reader *r, struct rg_rdb_event *event)
{
    uint64_t op = 0;
    uint64_t n = 0;
    int rc = take_little(r, 1, &op);
    if (rc < 0)
        return rc;
    switch (op) {
    case RDB_OP_AUX:
        event->type = RG_RDB_AUX;
        rc = take_string(r, &r->text[0], &event->key);
        if (rc == 0)
            rc = take_string(r, &r->text[1], &event->value);
        return rc < 0 ? rc : 1;
    case RDB_OP_SELECTDB:
        event->type = RG_RDB_DB;
        rc = take_length(r, &n);
        if (rc == 0 && n > INT32_MAX)
            return fail(r, RG_ECORRUPT, "Impossible database number");
        if (rc == 0)
            event->db = (unsigned)n;
        return rc < 0 ? rc : 1;
    case RDB_OP_RESIZEDB:
        rc = take_length(r, &n);
        return rc < 0 ? rc : take_length(r, &n);
    case RDB_OP_EXPIRETIME:
        rc = take_little(r, 4, &n);
        if (rc == 0)
            r->expire_ms = (int64_t)(int32_t)n * 1000;
        return rc;
    case RDB_OP_EXPIRETIME_MS:
        rc = take_little(r, 8, &n);
        if (rc == 0)
            r->expire_ms = (int64_t)n;
        return rc;
    case RDB_OP_IDLE:
        return take_length(r, &n);
    case RDB_OP_FREQ:
        return take_little(r, 1, &n);
    case RDB_OP_FUNCTION2:
        event->type = RG_RDB_FUNCTION;
        rc = take_string(r, &r->text[1], &event->value);
        return rc < 0 ? rc : 1;
    case RDB_OP_FUNCTION_PRE_GA: /* No release of Redis loads this form either. */
        return fail(r, RG_ETYPE, "A function library of a pre-release, which is not supported,");
    case RDB_OP_MODULE_AUX:
        return fail(r, RG_ETYPE, "Data of a module, which is not supported,");
    case RDB_OP_EOF:
        return read_end(r, event);
    default:
        return read_key(r, (unsigned)op, event);
    }
}

int rg_rdb_reader_next(struct rg_rdb_reader *r, struct rg_rdb_event *ret_event)
{
    if (r->failed < 0)
        return r->failed;
    while (!r->ended) {
        struct rg_rdb_event event = {.expire_ms = -1};
        settle(r);
        if (rg_buf_len(&r->in) < r->need)
            return RG_EAGAIN;
        r->pos = 0;
        r->need = 0;
        int rc = r->version == 0 ? read_head(r)
                 : r->left > 0   ? read_field(r, &event)
                                 : read_item(r, &event);
        if (rc < 0)
            return rc;
        if (r->pos > 0)
            accept(r);
        if (rc == 1) {
            *ret_event = event;
            return 0;
        }
    }
    return RG_EAGAIN;
}
