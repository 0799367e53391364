#include "log/rdb.h"

#include "base/alloc.h"
#include "base/crc64.h"
#include "base/panic.h"
#include "log/rdb_ahead.h"
#include "log/rdb_format.h"
#include "log/rdb_source.h"
#include "log/rdb_value.h"

/*
 * A file as a row of items: the head, opcodes with their operands, keys with their values. Every
 * call parses one whole item (a key with a value of elements and each of these are items of their
 * own) from the bytes at hand, or none of it.
 */
enum { MAGIC_LEN = 9, CRC_LEN = 8, VERSION_LEN = 2, VERSION_CRC = 5 };

struct rg_rdb_reader {
    struct rdb_source source;
    struct rdb_value value;
    struct rdb_ahead ahead;
    int version; /* 0 before the head was read */
    bool ended;
    bool payload;
    bool begun;               /* of a payload: its value */
    struct rg_rdb_event head; /* what was said of the key to come */
};

static const struct rg_rdb_event no_event = {.expire_ms = -1, .idle_s = -1, .freq = -1};

struct rg_rdb_reader *rg_rdb_reader_new(void)
{
    struct rg_rdb_reader *r = RG_NEW(struct rg_rdb_reader);
    r->head = no_event;
    return r;
}

int rg_rdb_reader_new_payload(struct rg_bytes payload, struct rg_rdb_reader **ret_reader)
{
    if (payload.len < VERSION_LEN + CRC_LEN)
        return RG_ECORRUPT;
    size_t len = payload.len - VERSION_LEN - CRC_LEN;
    const unsigned char *foot = (const unsigned char *)payload.data + len;
    uint64_t crc = 0;
    int version = foot[0] | foot[1] << 8;
    for (unsigned i = 0; i < CRC_LEN; i++)
        crc |= (uint64_t)foot[VERSION_LEN + i] << 8 * i;
    if (version > RG_RDB_VERSION_READ_MAX ||
        crc != rg_crc64(0, payload.data, payload.len - CRC_LEN))
        return RG_ECORRUPT;
    struct rg_rdb_reader *r = rg_rdb_reader_new();
    r->payload = true;
    r->version = version > 0 ? version : 1;
    rdb_source_feed(&r->source, rg_bytes(payload.data, len));
    if (r->source.failed < 0) {
        rg_rdb_reader_free(r);
        return RG_ENOMEM;
    }
    *ret_reader = r;
    return 0;
}

void rg_rdb_reader_free(struct rg_rdb_reader *r)
{
    if (r == NULL)
        return;
    rdb_source_fini(&r->source);
    rdb_value_fini(&r->value);
    rg_free(r);
}

void rg_rdb_reader_take_runs(struct rg_rdb_reader *r)
{
    r->value.in_runs = true;
}

void rg_rdb_reader_feed(struct rg_rdb_reader *r, struct rg_bytes piece)
{
    rdb_source_feed(&r->source, piece);
    rdb_ahead_reset(&r->ahead);
}

bool rg_rdb_reader_ahead(struct rg_rdb_reader *r, struct rg_bytes *ret_key)
{
    return rdb_ahead_next(&r->ahead, &r->source, ret_key);
}

const char *rg_rdb_reader_error(const struct rg_rdb_reader *r)
{
    return r->source.error;
}

struct rg_bytes rg_rdb_reader_rest(const struct rg_rdb_reader *r)
{
    struct rg_bytes all = rg_buf_view(&r->source.in);
    size_t taken = r->source.taken;

    /* An empty buffer has no memory, and adding even 0 to NULL is undefined. */
    return taken == 0 ? all : rg_bytes(all.data + taken, all.len - taken);
}

uint64_t rg_rdb_reader_offset(const struct rg_rdb_reader *r)
{
    return r->source.offset + r->source.taken;
}

static int read_head(struct rg_rdb_reader *r)
{
    const unsigned char *p = NULL;
    int version = 0;
    int rc = rdb_take(&r->source, MAGIC_LEN, &p);
    if (rc < 0)
        return rc;
    if (memcmp(p, "REDIS", 5) != 0)
        return rdb_source_fail(&r->source, RG_ECORRUPT,
                               "Wrong signature trying to load DB from file");
    for (int i = 5; i < MAGIC_LEN; i++) {
        if (p[i] < '0' || p[i] > '9')
            return rdb_source_fail(&r->source, RG_ECORRUPT, "The version is not a number");
        version = version * 10 + (p[i] - '0');
    }
    if (version < 1 || version > RG_RDB_VERSION_READ_MAX)
        return rdb_source_fail(&r->source, RG_ECORRUPT, "Can't handle RDB format version %d",
                               version);
    r->version = version;
    r->source.summed = version >= VERSION_CRC;
    return 0;
}

static int read_end(struct rg_rdb_reader *r, struct rg_rdb_event *event)
{
    uint64_t want = 0;
    if (r->version >= VERSION_CRC) {
        uint64_t crc = 0;
        size_t marked = r->source.pos;
        int rc = rdb_take_little(&r->source, CRC_LEN, &want);
        if (rc < 0)
            return rc;
        r->source.pos = marked;
        crc = rdb_source_crc(&r->source);
        r->source.pos = marked + CRC_LEN;
        if (want != 0 && want != crc)
            return rdb_source_fail(&r->source, RG_ECORRUPT,
                                   "Wrong RDB checksum expected: (%llx) but got (%llx)",
                                   (unsigned long long)want, (unsigned long long)crc);
    }
    event->type = RG_RDB_END;
    r->ended = true;
    return 1;
}

static int read_key(struct rg_rdb_reader *r, unsigned type, struct rg_rdb_event *event)
{
    struct rg_rdb_event head = r->head;
    if (rdb_type_name(type) == NULL)
        return rdb_source_fail(&r->source, RG_ECORRUPT, "Unknown type or opcode %u", type);
    int rc = r->payload ? 0 : rdb_take_string(&r->source, &r->value.text[0], &head.key);
    if (rc == 0)
        rc = rdb_value_begin(&r->value, &r->source, type, &head, event);
    if (rc < 0)
        return rc;
    r->head = no_event;
    rdb_ahead_passed(&r->ahead);
    return rc;
}

/* The opcodes that say something of the key to come. */
static int read_about_key(struct rg_rdb_reader *r, unsigned op)
{
    uint64_t n = 0;
    int rc = 0;
    switch (op) {
    case RDB_OP_EXPIRETIME:
        rc = rdb_take_little(&r->source, 4, &n);
        if (rc == 0)
            r->head.expire_ms = (int64_t)(int32_t)n * 1000;
        return rc;
    case RDB_OP_EXPIRETIME_MS:
        rc = rdb_take_little(&r->source, 8, &n);
        if (rc == 0)
            r->head.expire_ms = (int64_t)n;
        return rc;
    case RDB_OP_IDLE:
        rc = rdb_take_length(&r->source, &n);
        if (rc == 0)
            r->head.idle_s = n <= INT64_MAX ? (int64_t)n : INT64_MAX;
        return rc;
    default:
        RG_ASSERT(op == RDB_OP_FREQ);
        rc = rdb_take_little(&r->source, 1, &n);
        if (rc == 0)
            r->head.freq = (int)n;
        return rc;
    }
}

static int read_db(struct rg_rdb_reader *r, struct rg_rdb_event *event)
{
    uint64_t n = 0;
    int rc = rdb_take_length(&r->source, &n);
    if (rc < 0)
        return rc;
    if (n > INT32_MAX)
        return rdb_source_fail(&r->source, RG_ECORRUPT, "Impossible database number");
    event->type = RG_RDB_DB;
    event->db = (unsigned)n;
    return 1;
}

static int read_aux(struct rg_rdb_reader *r, struct rg_rdb_event *event)
{
    event->type = RG_RDB_AUX;
    int rc = rdb_take_string(&r->source, &r->value.text[0], &event->key);
    if (rc == 0)
        rc = rdb_take_string(&r->source, &r->value.text[1], &event->value);
    return rc < 0 ? rc : 1;
}

/* Returns 1 with an event, 0 where the item was one that only changes the reader. */
static int read_item(struct rg_rdb_reader *r, struct rg_rdb_event *event)
{
    unsigned op = 0;
    uint64_t n = 0;
    int rc = rdb_take_byte(&r->source, &op);
    if (rc < 0)
        return rc;
    switch (op) {
    case RDB_OP_AUX:
        return read_aux(r, event);
    case RDB_OP_SELECTDB:
        return read_db(r, event);
    case RDB_OP_RESIZEDB:
        event->type = RG_RDB_SIZE;
        rc = rdb_take_length(&r->source, &event->count);
        if (rc == 0)
            rc = rdb_take_length(&r->source, &n);
        return rc < 0 ? rc : 1;
    case RDB_OP_EXPIRETIME:
    case RDB_OP_EXPIRETIME_MS:
    case RDB_OP_IDLE:
    case RDB_OP_FREQ:
        return read_about_key(r, op);
    case RDB_OP_FUNCTION2:
        event->type = RG_RDB_FUNCTION;
        rc = rdb_take_string(&r->source, &r->value.text[1], &event->value);
        return rc < 0 ? rc : 1;
    case RDB_OP_FUNCTION_PRE_GA: /* No release of Redis loads this form either. */
        return rdb_source_fail(&r->source, RG_ETYPE,
                               "A function library of a pre-release, which is not supported,");
    case RDB_OP_MODULE_AUX:
        return rdb_source_fail(&r->source, RG_ETYPE, "Data of a module, which is not supported,");
    case RDB_OP_EOF:
        return read_end(r, event);
    default:
        return read_key(r, op, event);
    }
}

/* A payload is a type and a value, and nothing that it is said of. */
static int read_payload(struct rg_rdb_reader *r, struct rg_rdb_event *event)
{
    unsigned type = 0;
    if (r->begun) {
        /* As redis-server, which does not look at bytes behind the value either. */
        event->type = RG_RDB_END;
        r->ended = true;
        return 1;
    }
    int rc = rdb_take_byte(&r->source, &type);
    if (rc == 0)
        rc = read_key(r, type, event);
    if (rc >= 0)
        r->begun = true;
    return rc;
}

static int read_next(struct rg_rdb_reader *r, struct rg_rdb_event *event)
{
    if (rdb_value_is_open(&r->value))
        return rdb_value_next(&r->value, &r->source, event);
    if (r->payload)
        return read_payload(r, event);
    return r->version == 0 ? read_head(r) : read_item(r, event);
}

int rg_rdb_reader_next(struct rg_rdb_reader *r, struct rg_rdb_event *ret_event)
{
    if (r->source.failed < 0)
        return r->source.failed;
    while (!r->ended) {
        struct rg_rdb_event event = no_event;
        int rc = rdb_source_retry(&r->source) ? read_next(r, &event) : RG_EAGAIN;
        if (rc == RG_EAGAIN && r->payload)
            return rdb_source_fail(&r->source, RG_ECORRUPT, "A payload that is cut");
        if (rc < 0)
            return rc;
        rdb_source_accept(&r->source);
        if (rc == 1) {
            *ret_event = event;
            return 0;
        }
    }
    return RG_EAGAIN;
}
