#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/clock.h"
#include "server/host.h"

enum {
    LOAD_PIECE_BYTES = 64 * 1024,
    LOAD_SLICE_US = 2000, /* between two turns of the loop */
    LOAD_STATE_MAX_BYTES = 64 << 20,
    LOAD_TELL_US = 2000 * 1000,
};

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

/* ---- What a crash left ---- */

/* Another server that lives may be writing its own in the same directory. */
static int load_is_leftover(const struct dirent *item)
{
    int64_t pid = 0;

    if (!rg_node_is_temporary(item->d_name, &pid))
        return 0;
    return pid == getpid() || (kill((pid_t)pid, 0) < 0 && errno == ESRCH);
}

static void load_remove_leftovers(struct host *host)
{
    struct dirent **items = NULL;
    int count = scandir(".", &items, load_is_leftover, NULL);

    for (int i = 0; i < count; i++) {
        if (unlink(items[i]->d_name) == 0)
            rg_host_logf(&host->log, RG_LOG_NOTICE, "Removed %s, which was never finished",
                         items[i]->d_name);
        free(items[i]);
    }
    free(items);
}

/* ---- The RDB, between the turns of the loop ---- */

struct host_load {
    int fd;
    char *name; /* owned */
    int64_t size;
    int64_t done;
    int64_t began_us;
    int64_t told_us;
    char room[LOAD_PIECE_BYTES];
};

/* Returns 1 at the end of the file, 0 for more to come. */
static int load_piece(struct host *host, struct host_load *load)
{
    ssize_t n = load_read(host, load->name, load->fd, load->room, LOAD_PIECE_BYTES);

    if (n < 0)
        return RG_EIO;
    int result = rg_node_load_rdb(host->node, rg_bytes(load->room, (size_t)n));
    if (result < 0) {
        rg_host_logf(&host->log, RG_LOG_WARNING, "Fatal error loading the DB: %s: %s. Exiting.",
                     load->name, rg_node_load_error(host->node));
        return result;
    }
    load->done += n;
    return n == 0;
}

static void load_tell(struct host *host, struct host_load *load, int64_t now_us)
{
    if (now_us - load->told_us <= LOAD_TELL_US)
        return;
    load->told_us = now_us;
    rg_host_logf(&host->log, RG_LOG_NOTICE, "Loading %s: %lld of %lld MB", load->name,
                 (long long)(load->done >> 20), (long long)(load->size >> 20));
}

static void load_start_node(struct host *host)
{
    host->now = rg_clock_now();
    rg_node_start(host->node, host->now);
    rg_host_logf(&host->log, RG_LOG_NOTICE, "Ready to accept connections");
}

int rg_host_load_step(struct host *host)
{
    struct host_load *load = host->load;
    int64_t now_us = rg_clock_mono_us();
    int64_t until_us = now_us + LOAD_SLICE_US;
    int result = 0;

    if (host->stops > 0) {
        rg_host_logf(&host->log, RG_LOG_WARNING,
                     "Received shutdown signal during loading, exiting now.");
        return RG_EAGAIN;
    }
    for (; result == 0 && now_us < until_us; now_us = rg_clock_mono_us())
        result = load_piece(host, load);
    load_tell(host, load, now_us);
    if (result <= 0)
        return result;
    rg_host_logf(&host->log, RG_LOG_NOTICE, "DB loaded from disk: %.3f seconds",
                 (double)(now_us - load->began_us) / 1e6);
    rg_host_load_free(host);
    load_start_node(host);
    return 0;
}

void rg_host_load_free(struct host *host)
{
    if (host->load == NULL)
        return;
    (void)close(host->load->fd);
    rg_free(host->load->name);
    rg_free(host->load);
    host->load = NULL;
}

static int load_begin(struct host *host)
{
    const char *name = rg_node_config(host->node)->dbfilename;
    int fd = load_open(host, name);

    if (fd == RG_ENOENT) {
        load_start_node(host);
        return 0;
    }
    if (fd < 0)
        return fd;
    struct host_load *load = RG_NEW(struct host_load);
    *load = (struct host_load){
        .fd = fd, .name = rg_alloc_copy(name, strlen(name)), .began_us = rg_clock_mono_us()};
    load->told_us = load->began_us;
    load->size = lseek(fd, 0, SEEK_END);
    (void)lseek(fd, 0, SEEK_SET);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    host->load = load;
    rg_node_load_begin(host->node, load->size > 0 ? (uint64_t)load->size : 0, rg_clock_now());
    return 0;
}

int rg_host_load(struct host *host)
{
    load_remove_leftovers(host);
    int result = load_state(host);
    return result < 0 ? result : load_begin(host);
}
