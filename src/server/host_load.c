#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
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
    LOAD_PATH_CHARS = 1024,
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

/* The whole of a small file. Errors: RG_EIO, RG_ELIMIT. */
static int load_text(struct host *host, const char *name, int fd, struct rg_buf *text)
{
    for (;;) {
        char *room = rg_buf_reserve(text, LOAD_PIECE_BYTES);
        ssize_t n = load_read(host, name, fd, room, LOAD_PIECE_BYTES);
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
    int result = load_text(host, RG_NODE_STATE_FILE, fd, &text);
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

/* ---- The data, between the turns of the loop ---- */

struct host_load {
    int fd;
    char *name; /* owned */
    bool log;   /* files of the log on disk, of which this is number `file` */
    unsigned file;
    int64_t size; /* of all */
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
    struct rg_bytes piece = rg_bytes(load->room, (size_t)n);
    int result =
        load->log ? rg_node_load_log(host->node, piece) : rg_node_load_rdb(host->node, piece);
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

static void load_close(struct host_load *load)
{
    if (load->fd >= 0)
        (void)close(load->fd);
    rg_free(load->name);
    load->fd = -1;
    load->name = NULL;
}

static void load_take(struct host_load *load, const char *name, int fd)
{
    load_close(load);
    load->fd = fd;
    load->name = rg_alloc_copy(name, strlen(name));
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
}

/* Opens the log's next file. Returns 1 where there is none. A missing one is an error. */
static int load_next(struct host *host, struct host_load *load)
{
    char path[LOAD_PATH_CHARS];

    if (!load->log || !rg_node_load_log_file(host->node, load->file + 1, path, sizeof(path)))
        return 1;
    load->file++;
    int fd = load_open(host, path);
    if (fd == RG_ENOENT)
        rg_host_logf(&host->log, RG_LOG_WARNING,
                     "Fatal error: the AOF file %s is missing. Exiting.", path);
    if (fd < 0)
        return RG_EIO;
    load_take(load, path, fd);
    return 0;
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
    for (; result == 0 && now_us < until_us; now_us = rg_clock_mono_us()) {
        result = load_piece(host, load);
        if (result > 0)
            result = load_next(host, load);
    }
    load_tell(host, load, now_us);
    if (result <= 0)
        return result;
    rg_host_logf(&host->log, RG_LOG_NOTICE, "DB loaded from %s: %.3f seconds",
                 load->log ? "append only file" : "disk", (double)(now_us - load->began_us) / 1e6);
    rg_host_load_free(host);
    load_start_node(host);
    return 0;
}

void rg_host_load_free(struct host *host)
{
    if (host->load == NULL)
        return;
    load_close(host->load);
    rg_free(host->load);
    host->load = NULL;
}

static struct host_load *load_new(struct host *host, const char *name, int fd)
{
    struct host_load *load = RG_NEW(struct host_load);

    *load = (struct host_load){.fd = -1, .began_us = rg_clock_mono_us()};
    load->told_us = load->began_us;
    load_take(load, name, fd);
    host->load = load;
    return load;
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
    struct host_load *load = load_new(host, name, fd);
    load->size = lseek(fd, 0, SEEK_END);
    (void)lseek(fd, 0, SEEK_SET);
    rg_node_load_begin(host->node, load->size > 0 ? (uint64_t)load->size : 0, rg_clock_now());
    return 0;
}

/* ---- The log on disk ---- */

static int64_t load_log_size(const struct host *host)
{
    char path[LOAD_PATH_CHARS];
    int64_t size = 0;

    for (unsigned i = 0; rg_node_load_log_file(host->node, i, path, sizeof(path)); i++) {
        struct stat file;
        size += stat(path, &file) == 0 ? file.st_size : 0;
    }
    return size;
}

/* A node whose appendonly is on begins with what the manifest names. */
static int load_begin_log(struct host *host)
{
    char path[LOAD_PATH_CHARS];

    if (!rg_node_config(host->node)->appendonly ||
        !rg_node_load_log_file(host->node, 0, path, sizeof(path)))
        return load_begin(host);
    int fd = load_open(host, path);
    if (fd == RG_ENOENT)
        rg_host_logf(&host->log, RG_LOG_WARNING,
                     "Fatal error: the AOF file %s is missing. Exiting.", path);
    if (fd < 0)
        return RG_EIO;
    struct host_load *load = load_new(host, path, fd);
    load->log = true;
    load->size = load_log_size(host);
    rg_node_load_log_begin(host->node, (uint64_t)load->size, rg_clock_now());
    return 0;
}

/* The manifest, if there is one. Returns RG_ENOENT where there is none. */
static int load_manifest(struct host *host, const char *path)
{
    struct rg_buf text = {0};
    int fd = load_open(host, path);

    if (fd < 0)
        return fd;
    int result = load_text(host, path, fd, &text);
    (void)close(fd);
    if (result == 0)
        result = rg_node_load_manifest(host->node, rg_buf_view(&text));
    rg_buf_fini(&text);
    if (result == RG_ELIMIT || result == RG_ECORRUPT)
        rg_host_logf(&host->log, RG_LOG_WARNING, "Fatal error: %s: %s. Exiting.", path,
                     result == RG_ELIMIT ? "it is too long" : rg_node_load_error(host->node));
    return result;
}

/* Errors: a negative errno. */
static int load_write_file(const char *name, struct rg_bytes text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0)
        return -errno;
    ssize_t n = write(fd, text.data, text.len);
    int result = n < 0 || fsync(fd) < 0 ? -errno : 0;
    (void)close(fd);
    return result == 0 && (size_t)n != text.len ? -ENOSPC : result;
}

/*
 * Redis before 7.0 had one file, which becomes the base of the new folder. It stays under its old
 * name, too, until the manifest is there: a crash in between costs nothing.
 */
static int load_upgrade(struct host *host, const char *manifest)
{
    const struct rg_config *config = rg_node_config(host->node);
    char inside[LOAD_PATH_CHARS];
    char beside[LOAD_PATH_CHARS + 8];
    struct rg_buf text = {0};

    if (access(config->appendfilename, F_OK) < 0)
        return RG_ENOENT;
    (void)snprintf(inside, sizeof(inside), "%s/%s", config->appenddirname, config->appendfilename);
    (void)snprintf(beside, sizeof(beside), "%s.new", manifest);
    rg_buf_printf(&text, "file %s seq 1 type b\n", config->appendfilename);
    int result = 0;
    if ((mkdir(config->appenddirname, 0755) < 0 && errno != EEXIST) ||
        (link(config->appendfilename, inside) < 0 && errno != EEXIST))
        result = -errno;
    if (result == 0)
        result = load_write_file(beside, rg_buf_view(&text));
    if (result == 0 && (rename(beside, manifest) < 0 || unlink(config->appendfilename) < 0))
        result = -errno;
    rg_buf_fini(&text);
    if (result < 0)
        rg_host_logf(&host->log, RG_LOG_WARNING, "Upgrading the old-style AOF %s failed: %s",
                     config->appendfilename, strerrordesc_np(-result));
    else
        rg_host_logf(&host->log, RG_LOG_NOTICE,
                     "Successfully migrated an old-style AOF configuration (%s) into the AOF "
                     "directory (%s).",
                     config->appendfilename, config->appenddirname);
    return result < 0 ? RG_EIO : 0;
}

static int load_data(struct host *host)
{
    const struct rg_config *config = rg_node_config(host->node);
    char path[LOAD_PATH_CHARS];

    (void)snprintf(path, sizeof(path), "%s/%s.manifest", config->appenddirname,
                   config->appendfilename);
    int result = load_manifest(host, path);
    if (result == RG_ENOENT && config->appendonly) {
        result = load_upgrade(host, path);
        if (result == 0)
            result = load_manifest(host, path);
    }
    if (result == RG_ENOENT)
        return load_begin(host);
    return result < 0 ? result : load_begin_log(host);
}

int rg_host_load(struct host *host)
{
    load_remove_leftovers(host);
    if (rg_node_config(host->node)->sentinel) {
        load_start_node(host);
        return 0;
    }
    int result = load_state(host);
    return result < 0 ? result : load_data(host);
}
