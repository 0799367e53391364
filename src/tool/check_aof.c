#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/number.h"
#include "log/aof.h"
#include "log/aof_manifest.h"
#include "log/rdb.h"
#include "tool/tool.h"

/*
 * regent check-aof: reads the log on disk with the readers that the server loads it with, says
 * whether it is whole or what is wrong at which offset, and cuts off, where that is asked for, what
 * the last file has behind the last whole command or transaction. What is printed and the exit
 * statuses are as those of Redis' tool.
 */
enum { CHECK_PIECE_BYTES = 1 << 20 };

struct check {
    bool fix;
    bool to_time; /* --truncate-to-timestamp */
    int64_t time_s;

    /* Of one file. */
    const char *name; /* borrowed */
    bool last;
    uint64_t size;
    uint64_t ok;      /* up to here everything is whole */
    bool open;        /* within a transaction */
    bool found_time;  /* a time behind the one asked for */
    uint64_t time_at; /* where it stands */
    char error[256];  /* "" */

    /* Of the log, over the files. */
    bool placed;
    uint64_t log_end;
};

static void check_say(struct check *check, const char *what)
{
    if (check->error[0] == '\0')
        (void)snprintf(check->error, sizeof(check->error), "%s", what);
}

/* ---- Commands ---- */

static void check_command(struct check *check, const struct rg_aof_item *item)
{
    bool multi = rg_bytes_is_nocase(item->request.argv[0], "multi");
    bool exec = rg_bytes_is_nocase(item->request.argv[0], "exec");

    if ((multi && check->open) || (exec && !check->open)) {
        check_say(check, multi ? "Unexpected MULTI" : "Unexpected EXEC");
        return;
    }
    check->log_end += item->size;
    check->open = multi || (check->open && !exec);
    if (!check->open)
        check->ok = item->position + item->size;
}

static void check_head(struct check *check, const struct rg_aof_item *item)
{
    if (item->position != 0)
        check_say(check, "A head of the log in the middle of the file");
    else if (check->placed && item->head->start != check->log_end)
        check_say(check, "It does not begin where the log of the files before ends");
    if (check->error[0] != '\0')
        return;
    check->placed = true;
    check->log_end = item->head->start;
    check->ok = item->position + item->size;
}

static void check_item(struct check *check, const struct rg_aof_item *item)
{
    if (item->type == RG_AOF_COMMAND) {
        check_command(check, item);
    } else if (item->type == RG_AOF_HEAD) {
        check_head(check, item);
    } else {
        if (item->type == RG_AOF_TIME && check->to_time && !check->found_time &&
            item->unix_s > check->time_s) {
            check->found_time = true;
            check->time_at = item->position;
        }
        if (!check->open)
            check->ok = item->position + item->size;
    }
}

static void check_items(struct check *check, struct rg_aof_reader *reader, struct rg_bytes piece)
{
    struct rg_aof_item item;
    int result = 0;

    rg_aof_reader_feed(reader, piece);
    while (check->error[0] == '\0' && (result = rg_aof_reader_next(reader, &item)) == 0)
        check_item(check, &item);
    if (result == RG_ECORRUPT)
        check_say(check, rg_aof_reader_error(reader));
}

/* ---- Files ---- */

/* One file's readers: an RDB may stand in front of commands. */
struct check_file {
    struct rg_rdb_reader *rdb;
    struct rg_aof_reader *aof;
};

static void check_rdb(struct check *check, struct check_file *file, struct rg_bytes piece)
{
    struct rg_rdb_event event = {.type = RG_RDB_AUX};
    int result = 0;

    rg_rdb_reader_feed(file->rdb, piece);
    while (result == 0 && event.type != RG_RDB_END)
        result = rg_rdb_reader_next(file->rdb, &event);
    if (result == RG_EAGAIN)
        return;
    if (result < 0) {
        check_say(check, rg_rdb_reader_error(file->rdb));
        return;
    }
    check->ok = rg_rdb_reader_offset(file->rdb);
    (void)printf("RDB preamble is OK, proceeding with AOF tail...\n");
    file->aof = rg_aof_reader_new(check->ok);
    check_items(check, file->aof, rg_rdb_reader_rest(file->rdb));
}

static void check_piece(struct check *check, struct check_file *file, struct rg_bytes piece)
{
    if (file->rdb == NULL && file->aof == NULL) {
        if (rg_bytes_starts_with(piece, RG_BYTES("REDIS")))
            file->rdb = rg_rdb_reader_new();
        else
            file->aof = rg_aof_reader_new(0);
    }
    if (file->aof != NULL)
        check_items(check, file->aof, piece);
    else
        check_rdb(check, file, piece);
}

/* Errors: RG_EIO; it was told. */
static int check_read(struct check *check, int fd)
{
    char *room = rg_alloc(CHECK_PIECE_BYTES);
    struct check_file file = {0};
    ssize_t n = 0;

    check->size = check->ok = 0;
    check->open = false;
    check->error[0] = '\0';
    while ((n = read(fd, room, CHECK_PIECE_BYTES)) > 0) {
        check->size += (uint64_t)n;
        if (check->error[0] == '\0')
            check_piece(check, &file, rg_bytes(room, (size_t)n));
    }
    if (check->error[0] == '\0' && check->ok < check->size)
        check_say(check, check->open ? "Reached EOF before reading EXEC for MULTI"
                                     : "Unexpected end of file");
    rg_rdb_reader_free(file.rdb);
    rg_aof_reader_free(file.aof);
    rg_free(room);
    if (n == 0)
        return 0;
    (void)fprintf(stderr, "Cannot read %s: %s\n", check->name, strerrordesc_np(errno));
    return RG_EIO;
}

static bool check_agreed(const struct check *check, uint64_t position)
{
    char answer[8] = "";

    (void)printf("This will shrink the AOF %s from %llu bytes, with %llu bytes, to %llu bytes\n"
                 "Continue? [y/N]: ",
                 check->name, (unsigned long long)check->size,
                 (unsigned long long)(check->size - position), (unsigned long long)position);
    (void)fflush(stdout);
    if (fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
        return true;
    (void)printf("Aborting...\n");
    return false;
}

static int check_cut(const struct check *check, int fd, uint64_t position)
{
    if (ftruncate(fd, (off_t)position) == 0 && fsync(fd) == 0)
        return EXIT_SUCCESS;
    (void)printf("Failed to truncate AOF %s: %s\n", check->name, strerrordesc_np(errno));
    return EXIT_FAILURE;
}

static int check_mend(const struct check *check, int fd)
{
    if (!check->fix) {
        (void)printf("AOF %s is not valid. Use the --fix option to try fixing it.\n", check->name);
        return EXIT_FAILURE;
    }
    if (!check->last) {
        (void)printf("Failed to truncate AOF %s because it is not the last file\n", check->name);
        return EXIT_FAILURE;
    }
    if (!check_agreed(check, check->ok) || check_cut(check, fd, check->ok) != EXIT_SUCCESS)
        return EXIT_FAILURE;
    (void)printf("Successfully truncated AOF %s\n", check->name);
    return EXIT_SUCCESS;
}

static int check_cut_to_time(const struct check *check, int fd)
{
    long long time_s = (long long)check->time_s;

    if (!check->found_time) {
        (void)printf("Truncate nothing in AOF %s to timestamp %lld\n", check->name, time_s);
        return EXIT_SUCCESS;
    }
    if (!check->last) {
        (void)printf("Failed to truncate AOF %s to timestamp %lld to offset %llu because it is not "
                     "the last file.\n",
                     check->name, time_s, (unsigned long long)check->time_at);
        return EXIT_FAILURE;
    }
    if (check_cut(check, fd, check->time_at) != EXIT_SUCCESS)
        return EXIT_FAILURE;
    (void)printf("Successfully truncated AOF %s to timestamp %lld\n", check->name, time_s);
    return EXIT_SUCCESS;
}

static int check_opened(struct check *check, int fd, const char *kind)
{
    if (check_read(check, fd) < 0)
        return EXIT_FAILURE;
    if (check->error[0] != '\0')
        (void)printf("0x%16llx: %s\n", (unsigned long long)check->ok, check->error);
    (void)printf("AOF analyzed: filename=%s, size=%llu, ok_up_to=%llu, diff=%llu\n", check->name,
                 (unsigned long long)check->size, (unsigned long long)check->ok,
                 (unsigned long long)(check->size - check->ok));
    if (check->to_time && check->error[0] == '\0')
        return check_cut_to_time(check, fd);
    if (check->error[0] != '\0')
        return check_mend(check, fd);
    (void)printf("%sAOF %s is valid\n", kind, check->name);
    return EXIT_SUCCESS;
}

static int check_path(struct check *check, const char *path, const char *name, const char *kind)
{
    bool writes = check->fix || check->to_time;
    int fd = open(path, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);

    if (fd < 0) {
        (void)printf("Cannot open file %s: %s, aborting...\n", path, strerrordesc_np(errno));
        return EXIT_FAILURE;
    }
    check->name = name;
    int status = check_opened(check, fd, kind);
    (void)close(fd);
    return status;
}

/* ---- All files of a manifest ---- */

static int check_manifest(struct check *check, const char *path, struct rg_bytes text)
{
    struct rg_aof_manifest manifest = {0};
    struct rg_buf error = {0};
    const char *slash = strrchr(path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - path) + 1;
    int status = EXIT_SUCCESS;

    if (rg_aof_manifest_parse(text, &manifest, &error) < 0) {
        (void)printf("%s: %.*s\n", path, (int)rg_buf_len(&error), rg_buf_view(&error).data);
        rg_buf_fini(&error);
        return EXIT_FAILURE;
    }
    (void)printf("Start checking Multi Part AOF\n");
    rg_aof_manifest_forget(&manifest);
    for (unsigned i = 0; i < manifest.count && status == EXIT_SUCCESS; i++) {
        const struct rg_aof_file *file = &manifest.files[i];
        struct rg_buf whole = {0};
        rg_buf_printf(&whole, "%.*s%s", folder, path, file->name);
        rg_buf_append_char(&whole, '\0');
        check->last = i + 1 == manifest.count;
        status = check_path(check, rg_buf_view(&whole).data, file->name,
                            file->type == RG_AOF_BASE ? "BASE " : "INCR ");
        rg_buf_fini(&whole);
    }
    if (status == EXIT_SUCCESS)
        (void)printf("All AOF files and manifest are valid\n");
    rg_aof_manifest_fini(&manifest);
    return status;
}

/* The beginning of the file, or all of a manifest. Errors: a negative errno. */
static int check_text(const char *path, struct rg_buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, rg_buf_reserve(out, CHECK_PIECE_BYTES), CHECK_PIECE_BYTES);
    int error = errno;
    (void)close(fd);
    if (n < 0)
        return -error;
    rg_buf_commit(out, (size_t)n);
    return 0;
}

static bool check_is_manifest(struct rg_bytes text)
{
    while (rg_bytes_starts_with(text, RG_BYTES("#"))) /* a file of the log begins so, too */
        (void)rg_bytes_cut(&text, '\n');
    return rg_bytes_starts_with(text, RG_BYTES("file "));
}

static int check_usage(const char *name)
{
    (void)printf("Usage: %s [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n",
                 name);
    return EXIT_FAILURE;
}

int rg_tool_check_aof(int argc, char **argv)
{
    struct check check = {.last = true};
    struct rg_buf text = {0};

    check.fix = argc == 3 && strcmp(argv[1], "--fix") == 0;
    check.to_time = argc == 4 && strcmp(argv[1], "--truncate-to-timestamp") == 0;
    if (argc != 2 && !check.fix && !check.to_time)
        return check_usage(argv[0]);
    if (check.to_time && rg_parse_i64(rg_bytes_str(argv[2]), &check.time_s) < 0) {
        (void)printf("Invalid timestamp, aborting...\n");
        return EXIT_FAILURE;
    }
    const char *path = argv[argc - 1];
    int result = check_text(path, &text);
    int status = EXIT_FAILURE;
    if (result < 0)
        (void)printf("Cannot open file %s: %s, aborting...\n", path, strerrordesc_np(-result));
    else if (check_is_manifest(rg_buf_view(&text)))
        status = check_manifest(&check, path, rg_buf_view(&text));
    else
        status = check_path(&check, path, path, "");
    rg_buf_fini(&text);
    return status;
}
