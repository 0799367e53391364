#include "tests/log/rdb_narrate.h"

#include "base/alloc.h"
#include "log/rdb.h"
#include "tests/harness.h"

enum { RUN_TOLD = 9 };

/* What a hash's fields repeat. */
struct narrator {
    struct rg_buf *out;
    unsigned db;
    struct rg_buf hash;
    uint64_t left;
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
    rg_buf_append_char(n->out, '\n');
}

static void narrate_event(struct narrator *n, const struct rg_rdb_event *e)
{
    RG_CHECK((n->left > 0) == (e->type == RG_RDB_HASH_FIELD));
    switch (e->type) {
    case RG_RDB_AUX:
        rg_buf_append_str(n->out, "aux ");
        narrate_pair(n, e, "=");
        break;
    case RG_RDB_DB:
        n->db = e->db;
        return;
    case RG_RDB_STRING:
        rg_buf_printf(n->out, "%u ", n->db);
        narrate_pair(n, e, "=");
        break;
    case RG_RDB_HASH:
        RG_CHECK(e->count > 0);
        n->left = e->count;
        rg_buf_reset(&n->hash, SIZE_MAX);
        rdb_narrate_bytes(e->key, &n->hash);
        rg_buf_printf(n->out, "%u ", n->db);
        rg_buf_append_bytes(n->out, rg_buf_view(&n->hash));
        rg_buf_printf(n->out, ": %llu", (unsigned long long)e->count);
        break;
    case RG_RDB_HASH_FIELD:
        n->left--;
        rg_buf_printf(n->out, "%u ", n->db);
        rg_buf_append_bytes(n->out, rg_buf_view(&n->hash));
        rg_buf_append_char(n->out, '.');
        narrate_pair(n, e, "=");
        break;
    case RG_RDB_FUNCTION:
        rg_buf_append_str(n->out, "function ");
        narrate_pair(n, e, "");
        break;
    case RG_RDB_END:
        rg_buf_append_str(n->out, "end");
        break;
    }
    narrate_expiry(n, e);
}

int rdb_narrate(struct rg_bytes file, size_t piece, struct rg_buf *out)
{
    struct narrator n = {.out = out};
    struct rg_rdb_reader *r = rg_rdb_reader_new();
    struct rg_rdb_event e;
    int rc = RG_EAGAIN;
    for (size_t at = 0; rc == RG_EAGAIN && at < file.len; at += piece) {
        size_t size = file.len - at < piece ? file.len - at : piece;
        /* A copy of its own, so that a sanitizer sees a view that outlives the piece. */
        char *copy = rg_alloc_copy(file.data + at, size);
        rg_rdb_reader_feed(r, rg_bytes(copy, size));
        rg_free(copy);
        while ((rc = rg_rdb_reader_next(r, &e)) == 0)
            narrate_event(&n, &e);
    }
    rg_buf_append_str(out, rg_rdb_reader_error(r));
    rg_buf_fini(&n.hash);
    rg_rdb_reader_free(r);
    return rc;
}
