#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/panic.h"
#include "tests/log/rdb_rewrite.h"

/*
 * Reads an RDB file from standard input and writes what it held to standard output, so that a real
 * server can be asked what it finds there. usage: rdb_copy [uncompressed] [unchecked]
 */

enum { PIECE = 4096, DATABASES = 16 };

struct count {
    uint64_t keys;
    uint64_t expiring;
};

/* Returns 0, or 1 after saying what is wrong with the file. */
static int each_event(struct rg_bytes file,
                      void (*take)(void *arg, const struct rg_rdb_event *event), void *arg)
{
    struct rg_rdb_reader *reader = rg_rdb_reader_new();
    struct rg_rdb_event event = {.type = RG_RDB_AUX};
    int rc = RG_EAGAIN;

    for (size_t at = 0; rc == RG_EAGAIN && at < file.len; at += PIECE) {
        size_t len = file.len - at < PIECE ? file.len - at : PIECE;
        rg_rdb_reader_feed(reader, rg_bytes(file.data + at, len));
        while ((rc = rg_rdb_reader_next(reader, &event)) == 0)
            take(arg, &event);
    }
    bool whole = rc == RG_EAGAIN && event.type == RG_RDB_END;
    if (!whole)
        (void)fprintf(stderr, "rdb_copy: %s\n",
                      rc == RG_EAGAIN ? "the file is cut" : rg_rdb_reader_error(reader));
    rg_rdb_reader_free(reader);
    return whole ? 0 : 1;
}

struct copier {
    struct count dbs[DATABASES];
    unsigned db;
    struct rg_rdb_writer writer;
    struct rdb_rewrite rewrite;
};

static void count_event(void *arg, const struct rg_rdb_event *event)
{
    struct copier *copier = arg;
    struct count *count = &copier->dbs[copier->db];

    rdb_rewrite_plan(&copier->rewrite, event);
    if (event->type == RG_RDB_DB) {
        RG_ASSERT(event->db < DATABASES);
        copier->db = event->db;
    } else if (rdb_event_is_key(event->type)) {
        count->keys++;
        count->expiring += event->expire_ms != -1;
    }
}

static void copy_event(void *arg, const struct rg_rdb_event *event)
{
    struct copier *copier = arg;
    const struct count *count = &copier->dbs[event->db % DATABASES];

    rdb_rewrite_event(&copier->rewrite, event);
    if (event->type == RG_RDB_DB)
        rg_rdb_write_db(&copier->writer, event->db, count->keys, count->expiring);
    else if (event->type == RG_RDB_END)
        rg_rdb_write_end(&copier->writer);
}

int main(int argc, char **argv)
{
    struct rg_buf in = {0};
    struct rg_buf out = {0};
    struct copier copier = {.db = 0};
    bool compress = true;
    bool checksum = true;
    char piece[PIECE];
    size_t n;

    for (int i = 1; i < argc; i++) {
        compress = compress && strcmp(argv[i], "uncompressed") != 0;
        checksum = checksum && strcmp(argv[i], "unchecked") != 0;
    }
    while ((n = fread(piece, 1, sizeof(piece), stdin)) > 0)
        rg_buf_append(&in, piece, n);
    int rc = each_event(rg_buf_view(&in), count_event, &copier);
    if (rc == 0) {
        copier.rewrite.writer = &copier.writer;
        rg_rdb_write_begin(&copier.writer, &out, compress, checksum);
        rc = each_event(rg_buf_view(&in), copy_event, &copier);
        struct rg_bytes all = rg_buf_view(&out);
        if (fwrite(all.data, 1, all.len, stdout) != all.len || fflush(stdout) != 0) {
            (void)fprintf(stderr, "rdb_copy: %s\n",
                          strerror(errno)); // NOLINT(concurrency-mt-unsafe)
            rc = 1;
        }
    }
    rdb_rewrite_fini(&copier.rewrite);
    rg_rdb_writer_fini(&copier.writer);
    rg_buf_fini(&in);
    rg_buf_fini(&out);
    return rc;
}
