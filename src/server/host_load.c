#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/clock.h"
#include "server/host.h"

enum { LOAD_PIECE_BYTES = 1 << 20, LOAD_STATE_MAX_BYTES = 64 << 20, LOAD_TELL_US = 2000 * 1000 };

/* Opens name. Returns the descriptor; RG_ENOENT where there is no such file. */
static int load_open(struct host *host, const char *name)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    if (fd >= 0)
        return fd;
    if (errno == ENOENT)
        return RG_ENOENT;
    rg_host_logf(&host->log, RG_LOG_WARNING, "Can't open %s for reading: %s", name,
                 strerrordesc_np(errno));
    return RG_EIO;
}

static ssize_t load_read(struct host *host, const char *name, int fd, char *room, size_t len)
{
    ssize_t n = read(fd, room, len);

    if (n < 0)
        rg_host_logf(&host->log, RG_LOG_WARNING, "Reading %s failed: %s", name,
                     strerrordesc_np(errno));
    return n;
}

static int load_state_text(struct host *host, int fd, struct rg_buf *text)
{
    for (;;) {
        char *room = rg_buf_reserve(text, LOAD_PIECE_BYTES);
        ssize_t n = load_read(host, RG_NODE_STATE_FILE, fd, room, LOAD_PIECE_BYTES);
        if (n < 0)
            return RG_EIO;
        if (n == 0)
            return 0;
        rg_buf_commit(text, (size_t)n);
        if (rg_buf_len(text) > LOAD_STATE_MAX_BYTES)
            return RG_ELIMIT;
    }
}

static int load_state(struct host *host)
{
    struct rg_buf text = {0};
    int fd = load_open(host, RG_NODE_STATE_FILE);

    if (fd == RG_ENOENT)
        return 0;
    if (fd < 0)
        return fd;
    int result = load_state_text(host, fd, &text);
    (void)close(fd);
    if (result == 0)
        result = rg_node_load_state(host->node, rg_buf_view(&text));
    rg_buf_fini(&text);
    if (result == RG_ELIMIT)
        rg_host_logf(&host->log, RG_LOG_WARNING, "Fatal error: %s is no state file. Exiting.",
                     RG_NODE_STATE_FILE);
    else if (result < 0 && result != RG_EIO)
        rg_host_logf(&host->log, RG_LOG_WARNING, "Fatal error: %s. Exiting.",
                     rg_node_load_error(host->node));
    return result;
}

/* One piece. Returns 1 for the end of the file, 0 for more to come. */
static int load_rdb_piece(struct host *host, const char *name, int fd, char *room)
{
    ssize_t n = load_read(host, name, fd, room, LOAD_PIECE_BYTES);

    if (n < 0)
        return RG_EIO;
    int result = rg_node_load_rdb(host->node, rg_bytes(room, (size_t)n));
    if (result < 0) {
        rg_host_logf(&host->log, RG_LOG_WARNING, "Fatal error loading the DB: %s: %s. Exiting.",
                     name, rg_node_load_error(host->node));
        return result;
    }
    if (rg_host_signals_pending(host)) {
        rg_host_logf(&host->log, RG_LOG_WARNING,
                     "Received shutdown signal during loading, exiting now.");
        return RG_EAGAIN;
    }
    return n == 0;
}

static int load_rdb_all(struct host *host, const char *name, int fd)
{
    char *room = rg_alloc(LOAD_PIECE_BYTES);
    int64_t told_us = rg_clock_mono_us();
    off_t size = lseek(fd, 0, SEEK_END);
    int64_t done = 0;
    int result = 0;

    (void)lseek(fd, 0, SEEK_SET);
    for (; result == 0; done += LOAD_PIECE_BYTES) {
        result = load_rdb_piece(host, name, fd, room);
        if (rg_clock_mono_us() - told_us > LOAD_TELL_US) {
            told_us = rg_clock_mono_us();
            rg_host_logf(&host->log, RG_LOG_NOTICE, "Loading %s: %lld of %lld MB", name,
                         (long long)(done >> 20), (long long)(size >> 20));
        }
    }
    rg_free(room);
    return result < 0 ? result : 0;
}

static int load_rdb(struct host *host)
{
    const char *name = rg_node_config(host->node)->dbfilename;
    int64_t start_us = rg_clock_mono_us();
    int fd = load_open(host, name);

    if (fd == RG_ENOENT)
        return 0;
    if (fd < 0)
        return fd;
    int result = load_rdb_all(host, name, fd);
    (void)close(fd);
    if (result == 0)
        rg_host_logf(&host->log, RG_LOG_NOTICE, "DB loaded from disk: %.3f seconds",
                     (double)(rg_clock_mono_us() - start_us) / 1e6);
    return result;
}

int rg_host_load(struct host *host)
{
    int result = load_state(host);

    return result < 0 ? result : load_rdb(host);
}
