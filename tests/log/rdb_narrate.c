#include "tests/log/rdb_narrate.h"

#include "base/alloc.h"
#include "base/number.h"
#include "log/rdb.h"
#include "tests/harness.h"

enum { RUN_TOLD = 9 };

/* What a collection's elements repeat. */
struct narrator {
    struct rg_buf *out;
    unsigned db;
    struct rg_buf name;
    uint64_t left;
    bool list; /* elements may come */
    uint64_t index;
};

void rdb_narrate_bytes(struct rg_bytes bytes, struct rg_buf *out)
{
    size_t run;
    for (size_t i = 0; i < bytes.len; i += run) {
        unsigned char c = (unsigned char)bytes.data[i];
        run = 1;
        while (i + run < bytes.len && bytes.data[i + run] == bytes.data[i])
            run++;
        if (run >= RUN_TOLD)
            rg_buf_printf(out, "{%zu*%c}", run, c > ' ' && c < 0x7f ? c : '?');
        for (size_t k = 0; run < RUN_TOLD && k < run; k++)
            rg_buf_printf(out, c >= ' ' && c < 0x7f ? "%c" : "\\x%02x", c);
    }
}

static void narrate_pair(struct narrator *n, const struct rg_rdb_event *e, const char *between)
{
    rdb_narrate_bytes(e->key, n->out);
    rg_buf_append_str(n->out, between);
    rdb_narrate_bytes(e->value, n->out);
}

static void narrate_expiry(struct narrator *n, const struct rg_rdb_event *e)
{
    if (e->expire_ms != -1)
        rg_buf_printf(n->out, " @%lld", (long long)e->expire_ms);
    if (e->idle_s > 0) /* 0 depends on how fast the file was made */
        rg_buf_printf(n->out, " idle %lld", (long long)e->idle_s);
    if (e->freq != -1)
        rg_buf_printf(n->out, " freq %d", e->freq);
    rg_buf_append_char(n->out, '\n');
}

static void narrate_collection(struct narrator *n, const struct rg_rdb_event *e)
{
    n->left = e->count;
    n->index = 0;
    n->list = e->type == RG_RDB_LIST;
    RG_CHECK(n->list == (e->count == 0));
    rg_buf_reset(&n->name, SIZE_MAX);
    rdb_narrate_bytes(e->key, &n->name);
    rg_buf_printf(n->out, "%u ", n->db);
    rg_buf_append_bytes(n->out, rg_buf_view(&n->name));
    if (n->list)
        rg_buf_append_str(n->out, ": list");
    else
        rg_buf_printf(n->out, ": %llu", (unsigned long long)e->count);
}

static void narrate_element(struct narrator *n, const struct rg_rdb_event *e)
{
    char score[RG_DOUBLE_CHARS];
    if (e->type == RG_RDB_LIST_ELEMENT)
        RG_CHECK(n->list);
    else
        n->left--;
    rg_buf_printf(n->out, "%u ", n->db);
    rg_buf_append_bytes(n->out, rg_buf_view(&n->name));
    if (e->type == RG_RDB_LIST_ELEMENT)
        rg_buf_printf(n->out, "[%llu]", (unsigned long long)n->index++);
    else
        rg_buf_append_char(n->out, e->type == RG_RDB_HASH_FIELD ? '.' : ' ');
    narrate_pair(n, e, e->type == RG_RDB_SET_MEMBER ? "" : "=");
    if (e->type == RG_RDB_ZSET_MEMBER)
        rg_buf_append(n->out, score, rg_format_double(score, e->score));
}

static bool is_element(enum rg_rdb_event_type type)
{
    return type == RG_RDB_LIST_ELEMENT || type == RG_RDB_SET_MEMBER || type == RG_RDB_ZSET_MEMBER ||
           type == RG_RDB_HASH_FIELD;
}

static void narrate_event(struct narrator *n, const struct rg_rdb_event *e)
{
    if (e->type != RG_RDB_LIST_ELEMENT)
        RG_CHECK((n->left > 0) == is_element(e->type));
    if (!is_element(e->type)) {
        RG_CHECK(!n->list || n->index > 0);
        n->list = false;
    }
    switch (e->type) {
    case RG_RDB_AUX:
        rg_buf_append_str(n->out, "aux ");
        narrate_pair(n, e, "=");
        break;
    case RG_RDB_DB:
        n->db = e->db;
        return;
    case RG_RDB_SIZE: /* a hint, which depends on how the file was written */
        return;
    case RG_RDB_STRING:
        rg_buf_printf(n->out, "%u ", n->db);
        narrate_pair(n, e, "=");
        break;
    case RG_RDB_LIST:
    case RG_RDB_SET:
    case RG_RDB_ZSET:
    case RG_RDB_HASH:
        narrate_collection(n, e);
        break;
    case RG_RDB_LIST_ELEMENT:
    case RG_RDB_SET_MEMBER:
    case RG_RDB_ZSET_MEMBER:
    case RG_RDB_HASH_FIELD:
        narrate_element(n, e);
        break;
    case RG_RDB_FUNCTION:
        rg_buf_append_str(n->out, "function ");
        narrate_pair(n, e, "");
        break;
    case RG_RDB_LIST_RUN: /* not asked for */
    case RG_RDB_END:
        rg_buf_append_str(n->out, "end");
        break;
    }
    narrate_expiry(n, e);
}

static int narrate_all(struct narrator *n, struct rg_rdb_reader *r)
{
    struct rg_rdb_event e;
    int rc = 0;
    while ((rc = rg_rdb_reader_next(r, &e)) == 0)
        narrate_event(n, &e);
    return rc;
}

int rdb_narrate(struct rg_bytes file, size_t piece, struct rg_buf *out)
{
    struct narrator n = {.out = out};
    struct rg_rdb_reader *r = rg_rdb_reader_new();
    int rc = RG_EAGAIN;
    for (size_t at = 0; rc == RG_EAGAIN && at < file.len; at += piece) {
        size_t size = file.len - at < piece ? file.len - at : piece;
        /* A copy of its own, so that a sanitizer sees a view that outlives the piece. */
        char *copy = rg_alloc_copy(file.data + at, size);
        rg_rdb_reader_feed(r, rg_bytes(copy, size));
        rg_free(copy);
        rc = narrate_all(&n, r);
    }
    rg_buf_append_str(out, rg_rdb_reader_error(r));
    rg_buf_fini(&n.name);
    rg_rdb_reader_free(r);
    return rc;
}

int rdb_narrate_payload(struct rg_bytes payload, struct rg_buf *out)
{
    struct narrator n = {.out = out};
    struct rg_rdb_reader *r = NULL;
    int rc = rg_rdb_reader_new_payload(payload, &r);
    if (rc < 0)
        return rc;
    rc = narrate_all(&n, r);
    rg_buf_append_str(out, rg_rdb_reader_error(r));
    rg_buf_fini(&n.name);
    rg_rdb_reader_free(r);
    return rc;
}
