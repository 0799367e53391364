#include "io/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "io/worker.h"

/*
 * Four lanes, so that a small file that others wait for (a vote) is not behind the pieces of a
 * large one, the log is behind neither, and what is read holds up nothing that is written. Each
 * operation belongs to the directory that was the working one when it was asked for, and a file
 * that is being written to the one it was created in.
 */
enum files_op {
    FILES_REPLACE,
    FILES_CREATE,
    FILES_APPEND,
    FILES_RENAME,
    FILES_REMOVE,
    FILES_ENTER,
    FILES_FOLDER,
    FILES_LOG_APPEND,
    FILES_LOG_SYNC,
    FILES_LOG_CUT,
    FILES_READ,
};
enum {
    FILES_LANE_SMALL = 1,
    FILES_LANE_PIECES,
    FILES_LANE_LOG,
    FILES_LANE_READS,
    FILES_LANES = FILES_LANE_READS,
};

/* So much of a file may lie in memory before the kernel is told to begin writing it out. */
enum { FILES_FLUSH_BYTES = 8 << 20 };

struct files_dir {
    int fd;
    atomic_uint refs;
};

/* A file that is appended to. Once something went wrong with it nothing more of it is believed:
 * what a failed write or sync lost is not written again by the next one. */
struct files_open {
    struct rg_list link;
    char *name; /* owned */
    int fd;
    struct files_dir *dir; /* a reference */
    int failed;            /* negative errno; 0 */
    bool sync_failed;
    off_t flushed;
    off_t written;
};

struct rg_files {
    struct rg_worker *worker;
    uint64_t pending;
    struct files_dir *dir;  /* a reference: the working one */
    struct rg_list open;    /* only the lane of pieces uses it */
    struct rg_list logs;    /* only the log's lane uses it: the newest file, or none */
    struct files_job *lent; /* its answer's bytes are; NULL */
};

struct files_job {
    struct rg_job job; /* first */
    struct rg_files *files;
    struct files_dir *dir; /* a reference */
    enum files_op op;
    char *name;     /* owned */
    char *new_name; /* owned; NULL where the operation has none */
    char *data;     /* owned */
    size_t len;
    uint64_t position;
    struct rg_files_answer answer;
};

static struct files_dir *files_dir_ref(struct files_dir *dir)
{
    (void)atomic_fetch_add(&dir->refs, 1);
    return dir;
}

static void files_dir_unref(struct files_dir *dir)
{
    if (dir == NULL || atomic_fetch_sub(&dir->refs, 1) > 1)
        return;
    (void)close(dir->fd);
    rg_free(dir);
}

static void files_job_free(struct rg_job *base)
{
    struct files_job *job = RG_CONTAINER_OF(base, struct files_job, job);

    files_dir_unref(job->dir);
    rg_free(job->name);
    rg_free(job->new_name);
    rg_free(job->data);
    rg_free(job);
}

/* ---- In the threads: 0 or a negative errno ---- */

static int files_check(int result)
{
    return result < 0 ? -errno : 0;
}

static int files_write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* A rename is durable only once the folder that holds the name is. */
static int files_sync_folder(int dir, const char *name)
{
    const char *slash = strrchr(name, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - name);
    char *folder = slash == NULL ? rg_alloc_copy(".", 1) : rg_alloc_copy(name, len > 0 ? len : 1);
    int fd = openat(dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    rg_free(folder);
    if (fd < 0)
        return -errno;
    int result = files_check(fsync(fd));
    (void)close(fd);
    /* Some file systems cannot sync a folder; there is nothing more to do there. */
    return result == -EINVAL ? 0 : result;
}

static int files_write_new(int dir, const char *name, const char *data, size_t len)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0)
        return -errno;
    int result = files_write_all(fd, data, len);
    if (result == 0)
        result = files_check(fsync(fd));
    if (close(fd) < 0 && result == 0)
        result = -errno;
    return result;
}

static int files_do_replace(const struct files_job *job)
{
    struct rg_buf beside = {0};
    int dir = job->dir->fd;

    rg_buf_printf(&beside, "%s.new", job->name);
    rg_buf_append_char(&beside, '\0');
    int result = files_write_new(dir, beside.data, job->data, job->len);
    if (result == 0)
        result = files_check(renameat(dir, beside.data, dir, job->name));
    if (result < 0)
        (void)unlinkat(dir, beside.data, 0);
    else
        result = files_sync_folder(dir, job->name);
    rg_buf_fini(&beside);
    return result;
}

/* ---- Files in pieces ---- */

static struct files_open *files_find(struct rg_list *list, const char *name)
{
    RG_LIST_EACH(link, list)
    {
        struct files_open *open = RG_CONTAINER_OF(link, struct files_open, link);
        if (strcmp(open->name, name) == 0)
            return open;
    }
    return NULL;
}

static void files_forget(struct files_open *open)
{
    if (open == NULL)
        return;
    rg_list_remove(&open->link);
    (void)close(open->fd);
    files_dir_unref(open->dir);
    rg_free(open->name);
    rg_free(open);
}

/* NULL: *ret_result says why not. */
static struct files_open *files_open(const struct files_job *job, struct rg_list *list, int flags,
                                     int *ret_result)
{
    int fd = openat(job->dir->fd, job->name, O_WRONLY | O_APPEND | O_CLOEXEC | flags, 0644);

    if (fd < 0) {
        *ret_result = -errno;
        return NULL;
    }
    struct files_open *open = RG_NEW(struct files_open);
    open->name = rg_alloc_copy(job->name, strlen(job->name));
    open->fd = fd;
    open->dir = files_dir_ref(job->dir);
    rg_list_append(list, &open->link);
    return open;
}

static int files_do_create(const struct files_job *job)
{
    int result = 0;

    files_forget(files_find(&job->files->open, job->name));
    (void)files_open(job, &job->files->open, O_CREAT | O_TRUNC, &result);
    return result;
}

/* Begins to write out what was appended, so that the sync at the end is no long one. Its errors are
 * the sync's to tell. */
static void files_flush(struct files_open *open)
{
    if (open->written - open->flushed < FILES_FLUSH_BYTES)
        return;
    (void)sync_file_range(open->fd, open->flushed, open->written - open->flushed,
                          SYNC_FILE_RANGE_WRITE);
    open->flushed = open->written;
}

static int files_do_append(const struct files_job *job)
{
    struct files_open *open = files_find(&job->files->open, job->name);

    int result = 0;

    if (open == NULL)
        open = files_open(job, &job->files->open, O_CREAT, &result);
    if (open == NULL)
        return result;
    if (open->failed == 0)
        open->failed = files_write_all(open->fd, job->data, job->len);
    if (open->failed < 0)
        return open->failed;
    open->written += (off_t)job->len;
    files_flush(open);
    return 0;
}

/* Another lane may be about to make the folder that the new name is in. */
static int files_make_folder_of(int dir, const char *name)
{
    const char *slash = strrchr(name, '/');
    char folder[PATH_MAX];

    if (slash == NULL || (size_t)(slash - name) >= sizeof(folder))
        return -ENOENT;
    memcpy(folder, name, (size_t)(slash - name));
    folder[slash - name] = '\0';
    int result = files_check(mkdirat(dir, folder, 0755));
    return result < 0 && result != -EEXIST ? result : files_sync_folder(dir, folder);
}

static int files_move(int dir, const char *name, const char *new_name)
{
    int result = files_check(renameat(dir, name, dir, new_name));

    if (result != -ENOENT)
        return result;
    result = files_make_folder_of(dir, new_name);
    return result < 0 ? result : files_check(renameat(dir, name, dir, new_name));
}

static int files_do_rename(const struct files_job *job)
{
    struct files_open *open = files_find(&job->files->open, job->name);
    int result = 0;

    if (open == NULL)
        open = files_open(job, &job->files->open, 0, &result);
    if (open == NULL)
        return result;
    result = open->failed < 0 ? open->failed : files_check(fsync(open->fd));
    if (result == 0)
        result = files_move(open->dir->fd, job->name, job->new_name);
    if (result == 0)
        result = files_sync_folder(open->dir->fd, job->new_name);
    files_forget(open);
    return result;
}

static int files_do_remove(const struct files_job *job)
{
    struct files_open *open = files_find(&job->files->open, job->name);
    int dir = open != NULL ? open->dir->fd : job->dir->fd;
    int result = files_check(unlinkat(dir, job->name, 0));

    files_forget(open);
    return result == -ENOENT ? 0 : result;
}

static int files_do_folder(const struct files_job *job)
{
    int result = files_check(mkdirat(job->dir->fd, job->name, 0755));

    if (result == -EEXIST)
        return 0;
    return result < 0 ? result : files_sync_folder(job->dir->fd, job->name);
}

/* ---- The log ---- */

/* The file of the job; the one before it is closed. NULL: *ret_result says why not. */
static struct files_open *files_log_open(const struct files_job *job, int *ret_result)
{
    struct files_open *open = files_find(&job->files->logs, job->name);

    if (open != NULL)
        return open;
    RG_LIST_EACH(link, &job->files->logs)
    {
        files_forget(RG_CONTAINER_OF(link, struct files_open, link));
    }
    return files_open(job, &job->files->logs, 0, ret_result);
}

static int files_do_log_append(const struct files_job *job)
{
    int result = 0;
    struct files_open *open = files_log_open(job, &result);

    if (open == NULL)
        return result;
    if (open->failed == 0)
        open->failed = files_write_all(open->fd, job->data, job->len);
    return open->failed;
}

static int files_do_log_sync(const struct files_job *job)
{
    int result = 0;
    struct files_open *open = files_log_open(job, &result);

    if (open == NULL || open->failed < 0)
        return open == NULL ? result : open->failed;
    open->failed = files_check(fdatasync(open->fd));
    open->sync_failed = open->failed < 0;
    return open->failed;
}

static int files_do_log_cut(const struct files_job *job)
{
    int result = 0;
    struct files_open *open = files_log_open(job, &result);

    if (open == NULL || open->sync_failed)
        return open == NULL ? result : open->failed;
    open->failed = files_check(ftruncate(open->fd, (off_t)job->position));
    if (open->failed == 0) {
        open->failed = files_check(fsync(open->fd));
        open->sync_failed = open->failed < 0;
    }
    return open->failed;
}

/* ---- Reading ---- */

static int files_do_read(struct files_job *job)
{
    int fd = openat(job->dir->fd, job->name, O_RDONLY | O_CLOEXEC);
    size_t got = 0;
    struct stat file;

    if (fd < 0)
        return -errno;
    int result = files_check(fstat(fd, &file));
    job->answer.size = result < 0 ? 0 : (uint64_t)file.st_size;
    job->data = rg_alloc(job->len);
    while (got < job->len && result == 0) {
        ssize_t n = pread(fd, job->data + got, job->len - got, (off_t)(job->position + got));
        if (n == 0)
            break;
        if (n > 0)
            got += (size_t)n;
        else if (errno != EINTR)
            result = -errno;
    }
    (void)close(fd);
    job->answer.bytes = rg_bytes(job->data, result < 0 ? 0 : got);
    return result;
}

static void files_job_run(struct rg_job *base)
{
    struct files_job *job = RG_CONTAINER_OF(base, struct files_job, job);
    int result = 0;

    switch (job->op) {
    case FILES_REPLACE:
        result = files_do_replace(job);
        break;
    case FILES_CREATE:
        result = files_do_create(job);
        break;
    case FILES_APPEND:
        result = files_do_append(job);
        break;
    case FILES_RENAME:
        result = files_do_rename(job);
        break;
    case FILES_REMOVE:
        result = files_do_remove(job);
        break;
    case FILES_ENTER:
        result = -job->answer.error;
        break;
    case FILES_FOLDER:
        result = files_do_folder(job);
        break;
    case FILES_LOG_APPEND:
        result = files_do_log_append(job);
        break;
    case FILES_LOG_SYNC:
        result = files_do_log_sync(job);
        break;
    case FILES_LOG_CUT:
        result = files_do_log_cut(job);
        break;
    case FILES_READ:
        result = files_do_read(job);
        break;
    }
    job->answer.error = -result;
    if (result == -ENOSPC || result == -EDQUOT || result == -EFBIG)
        job->answer.result = RG_ENOSPC;
    else
        job->answer.result = result < 0 ? RG_EIO : 0;
}

/* ---- In the loop's thread ---- */

static int files_enter(struct rg_files *files, const char *name)
{
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (fchdir(fd) < 0) {
        int result = -errno;
        (void)close(fd);
        return result;
    }
    files_dir_unref(files->dir);
    files->dir = RG_NEW(struct files_dir);
    files->dir->fd = fd;
    files->dir->refs = 1;
    return 0;
}

struct rg_files *rg_files_new(void)
{
    struct rg_worker *worker = rg_worker_new(FILES_LANES);

    if (worker == NULL)
        return NULL;
    struct rg_files *files = RG_NEW(struct rg_files);
    files->worker = worker;
    files->dir = RG_NEW(struct files_dir);
    files->dir->refs = 1;
    files->dir->fd = AT_FDCWD; /* closing it does nothing */
    rg_list_init(&files->open);
    rg_list_init(&files->logs);
    if (files_enter(files, ".") == 0)
        return files;
    rg_files_free(files);
    return NULL;
}

void rg_files_free(struct rg_files *files)
{
    if (files == NULL)
        return;
    rg_worker_free(files->worker, files_job_free);
    if (files->lent != NULL)
        files_job_free(&files->lent->job);
    RG_LIST_EACH(link, &files->open)
    {
        files_forget(RG_CONTAINER_OF(link, struct files_open, link));
    }
    RG_LIST_EACH(link, &files->logs)
    {
        files_forget(RG_CONTAINER_OF(link, struct files_open, link));
    }
    files_dir_unref(files->dir);
    rg_free(files);
}

static unsigned files_lane(enum files_op op)
{
    switch (op) {
    case FILES_REPLACE:
    case FILES_ENTER:
    case FILES_FOLDER:
        return FILES_LANE_SMALL;
    case FILES_LOG_APPEND:
    case FILES_LOG_SYNC:
    case FILES_LOG_CUT:
        return FILES_LANE_LOG;
    case FILES_READ:
        return FILES_LANE_READS;
    default:
        return FILES_LANE_PIECES;
    }
}

static struct files_job *files_job_new(struct rg_files *files, enum files_op op, const char *name,
                                       uint64_t token)
{
    struct files_job *job = RG_NEW(struct files_job);

    job->job.run = files_job_run;
    job->job.lane = files_lane(op);
    job->dir = files_dir_ref(files->dir);
    job->files = files;
    job->op = op;
    job->name = rg_alloc_copy(name, strlen(name));
    job->answer.token = token;
    return job;
}

static void files_give(struct rg_files *files, struct files_job *job)
{
    files->pending++;
    rg_worker_give(files->worker, &job->job);
}

void rg_files_replace(struct rg_files *files, const char *name, struct rg_bytes bytes,
                      uint64_t token)
{
    struct files_job *job = files_job_new(files, FILES_REPLACE, name, token);

    job->data = rg_alloc_copy(bytes.data, bytes.len);
    job->len = bytes.len;
    files_give(files, job);
}

void rg_files_create(struct rg_files *files, const char *name, uint64_t token)
{
    files_give(files, files_job_new(files, FILES_CREATE, name, token));
}

void rg_files_append(struct rg_files *files, const char *name, struct rg_bytes bytes,
                     uint64_t token)
{
    struct files_job *job = files_job_new(files, FILES_APPEND, name, token);

    job->data = rg_alloc_copy(bytes.data, bytes.len);
    job->len = bytes.len;
    files_give(files, job);
}

void rg_files_rename(struct rg_files *files, const char *name, const char *new_name, uint64_t token)
{
    struct files_job *job = files_job_new(files, FILES_RENAME, name, token);

    job->new_name = rg_alloc_copy(new_name, strlen(new_name));
    files_give(files, job);
}

void rg_files_remove(struct rg_files *files, const char *name, uint64_t token)
{
    files_give(files, files_job_new(files, FILES_REMOVE, name, token));
}

void rg_files_folder(struct rg_files *files, const char *name, uint64_t token)
{
    files_give(files, files_job_new(files, FILES_FOLDER, name, token));
}

void rg_files_log_append(struct rg_files *files, const char *name, struct rg_bytes bytes,
                         uint64_t token)
{
    struct files_job *job = files_job_new(files, FILES_LOG_APPEND, name, token);

    job->data = rg_alloc_copy(bytes.data, bytes.len);
    job->len = bytes.len;
    files_give(files, job);
}

void rg_files_log_sync(struct rg_files *files, const char *name, uint64_t token)
{
    files_give(files, files_job_new(files, FILES_LOG_SYNC, name, token));
}

void rg_files_log_cut(struct rg_files *files, const char *name, uint64_t position, uint64_t token)
{
    struct files_job *job = files_job_new(files, FILES_LOG_CUT, name, token);

    job->position = position;
    files_give(files, job);
}

void rg_files_read(struct rg_files *files, const char *name, uint64_t position, size_t len,
                   uint64_t token)
{
    struct files_job *job = files_job_new(files, FILES_READ, name, token);

    job->position = position;
    job->len = len;
    job->answer.is_read = true;
    files_give(files, job);
}

void rg_files_enter(struct rg_files *files, const char *name, uint64_t token)
{
    struct files_job *job = files_job_new(files, FILES_ENTER, name, token);

    job->answer.error = -files_enter(files, name);
    files_give(files, job);
}

bool rg_files_next(struct rg_files *files, struct rg_files_answer *ret_answer)
{
    struct rg_job *base = rg_worker_take(files->worker);

    if (files->lent != NULL)
        files_job_free(&files->lent->job);
    files->lent = NULL;
    if (base == NULL)
        return false;
    files->lent = RG_CONTAINER_OF(base, struct files_job, job);
    *ret_answer = files->lent->answer;
    files->pending--;
    return true;
}

int rg_files_fd(const struct rg_files *files)
{
    return rg_worker_fd(files->worker);
}

uint64_t rg_files_pending(const struct rg_files *files)
{
    return files->pending;
}
