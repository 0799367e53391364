#include "io/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "io/worker.h"

enum files_op {
    FILES_REPLACE,
    FILES_CREATE,
    FILES_APPEND,
    FILES_RENAME,
    FILES_REMOVE,
    FILES_ENTER
};

struct rg_files {
    struct rg_worker *worker;
    uint64_t pending;
    /* The file appended to last, so that a long transfer opens it once. Only the thread uses it. */
    char *open_name; /* owned; NULL: none */
    int open_fd;
};

struct files_job {
    struct rg_job job; /* first */
    struct rg_files *files;
    enum files_op op;
    char *name;     /* owned */
    char *new_name; /* owned; NULL where the operation has none */
    char *data;     /* owned */
    size_t len;
    struct rg_files_answer answer;
};

static void files_job_free(struct rg_job *base)
{
    struct files_job *job = RG_CONTAINER_OF(base, struct files_job, job);

    rg_free(job->name);
    rg_free(job->new_name);
    rg_free(job->data);
    rg_free(job);
}

/* ---- In the thread: 0 or a negative errno ---- */

static int files_check(int result)
{
    return result < 0 ? -errno : 0;
}

static void files_close_open(struct rg_files *files)
{
    if (files->open_name == NULL)
        return;
    (void)close(files->open_fd);
    rg_free(files->open_name);
    files->open_name = NULL;
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
static int files_sync_folder(const char *name)
{
    const char *slash = strrchr(name, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - name);
    char *folder = slash == NULL ? rg_alloc_copy(".", 1) : rg_alloc_copy(name, len > 0 ? len : 1);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    rg_free(folder);
    if (fd < 0)
        return -errno;
    int result = files_check(fsync(fd));
    (void)close(fd);
    /* Some file systems cannot sync a folder; there is nothing more to do there. */
    return result == -EINVAL ? 0 : result;
}

static int files_write_new(const char *name, const char *data, size_t len)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

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

    rg_buf_printf(&beside, "%s.new", job->name);
    rg_buf_append_char(&beside, '\0');
    int result = files_write_new(beside.data, job->data, job->len);
    if (result == 0)
        result = files_check(rename(beside.data, job->name));
    if (result < 0)
        (void)unlink(beside.data);
    else
        result = files_sync_folder(job->name);
    rg_buf_fini(&beside);
    return result;
}

static int files_open(struct rg_files *files, const char *name, int flags)
{
    files_close_open(files);
    int fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | flags, 0644);
    if (fd < 0)
        return -errno;
    files->open_fd = fd;
    files->open_name = rg_alloc_copy(name, strlen(name));
    return 0;
}

static int files_do_append(const struct files_job *job)
{
    struct rg_files *files = job->files;
    int result = 0;

    if (files->open_name == NULL || strcmp(files->open_name, job->name) != 0)
        result = files_open(files, job->name, 0);
    return result < 0 ? result : files_write_all(files->open_fd, job->data, job->len);
}

static int files_do_rename(const struct files_job *job)
{
    files_close_open(job->files);
    int fd = open(job->name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = files_check(fsync(fd));
    (void)close(fd);
    if (result == 0)
        result = files_check(rename(job->name, job->new_name));
    return result < 0 ? result : files_sync_folder(job->new_name);
}

static int files_do_remove(const struct files_job *job)
{
    files_close_open(job->files);
    int result = files_check(unlink(job->name));
    return result == -ENOENT ? 0 : result;
}

static int files_do_enter(const struct files_job *job)
{
    files_close_open(job->files);
    return files_check(chdir(job->name));
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
        result = files_open(job->files, job->name, O_TRUNC);
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
        result = files_do_enter(job);
        break;
    }
    job->answer.error = -result;
    if (result == -ENOSPC || result == -EDQUOT || result == -EFBIG)
        job->answer.result = RG_ENOSPC;
    else
        job->answer.result = result < 0 ? RG_EIO : 0;
}

/* ---- In the loop's thread ---- */

struct rg_files *rg_files_new(void)
{
    struct rg_worker *worker = rg_worker_new(1);

    if (worker == NULL)
        return NULL;
    struct rg_files *files = RG_NEW(struct rg_files);
    files->worker = worker;
    return files;
}

void rg_files_free(struct rg_files *files)
{
    if (files == NULL)
        return;
    rg_worker_free(files->worker, files_job_free);
    files_close_open(files);
    rg_free(files);
}

static struct files_job *files_job_new(struct rg_files *files, enum files_op op, const char *name,
                                       uint64_t token)
{
    struct files_job *job = RG_NEW(struct files_job);

    job->job.run = files_job_run;
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

void rg_files_enter(struct rg_files *files, const char *name, uint64_t token)
{
    files_give(files, files_job_new(files, FILES_ENTER, name, token));
}

bool rg_files_next(struct rg_files *files, struct rg_files_answer *ret_answer)
{
    struct rg_job *base = rg_worker_take(files->worker);

    if (base == NULL)
        return false;
    *ret_answer = RG_CONTAINER_OF(base, struct files_job, job)->answer;
    files_job_free(base);
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
