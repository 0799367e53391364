#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "log/rdb.h"
#include "tool/tool.h"

/*
 * regent check-rdb FILE: reads a snapshot with the reader that the server loads it with, and says
 * whether it is whole, or what is wrong at which offset. Lines are marked with offsets as those of
 * Redis' tool, whose exit statuses these are, too.
 */
enum { CHECK_PIECE_BYTES = 1 << 20, CHECK_AUX_SHOWN = 200 };

struct check {
    struct rg_rdb_reader *reader;
    unsigned long long keys;
    unsigned long long expires;
    unsigned long long expired;
    unsigned long long functions;
    int64_t now_ms;
    char last_key[128];
};

static bool check_is_key(enum rg_rdb_event_type type)
{
    return type == RG_RDB_STRING || type == RG_RDB_LIST || type == RG_RDB_SET ||
           type == RG_RDB_ZSET || type == RG_RDB_HASH;
}

static unsigned long long check_offset(const struct check *check)
{
    return (unsigned long long)rg_rdb_reader_offset(check->reader);
}

static void check_key(struct check *check, const struct rg_rdb_event *event)
{
    check->keys++;
    check->expires += event->expire_ms >= 0;
    check->expired += event->expire_ms >= 0 && event->expire_ms < check->now_ms;
    (void)snprintf(check->last_key, sizeof(check->last_key), "%.*s",
                   (int)(event->key.len < sizeof(check->last_key) ? event->key.len
                                                                  : sizeof(check->last_key) - 1),
                   event->key.data);
}

static void check_event(struct check *check, const struct rg_rdb_event *event)
{
    if (check_is_key(event->type))
        check_key(check, event);
    else if (event->type == RG_RDB_AUX)
        (void)printf("[offset %llu] AUX FIELD %.*s = '%.*s'\n", check_offset(check),
                     (int)event->key.len, event->key.data,
                     (int)(event->value.len < CHECK_AUX_SHOWN ? event->value.len : CHECK_AUX_SHOWN),
                     event->value.data);
    else if (event->type == RG_RDB_DB)
        (void)printf("[offset %llu] Selecting DB ID %u\n", check_offset(check), event->db);
    else if (event->type == RG_RDB_FUNCTION)
        check->functions++;
}

/* Errors: RG_EAGAIN and those of the reader; 0 at the end mark. */
static int check_read(struct check *check)
{
    struct rg_rdb_event event;

    for (;;) {
        int result = rg_rdb_reader_next(check->reader, &event);
        if (result < 0)
            return result;
        if (event.type == RG_RDB_END)
            return 0;
        check_event(check, &event);
    }
}

static void check_counts(const struct check *check)
{
    (void)printf("[info] %llu keys read\n[info] %llu expires\n[info] %llu already expired\n",
                 check->keys, check->expires, check->expired);
    if (check->functions > 0)
        (void)printf("[info] %llu function libraries, which this server passes over\n",
                     check->functions);
}

static int check_failed(const struct check *check, const char *why)
{
    (void)printf("--- RDB ERROR DETECTED ---\n[offset %llu] %s\n", check_offset(check), why);
    if (check->keys > 0)
        (void)printf("[info] The last key that could be read: '%s'\n", check->last_key);
    check_counts(check);
    return EXIT_FAILURE;
}

static int check_end(struct check *check, int result, bool behind)
{
    if (result == RG_EAGAIN)
        return check_failed(check, "The file ends before its end mark");
    if (result < 0)
        return check_failed(check, rg_rdb_reader_error(check->reader));
    if (behind)
        return check_failed(check, "There are bytes behind the end mark");
    (void)printf("[offset %llu] The snapshot is whole, and its checksum holds\n",
                 check_offset(check));
    check_counts(check);
    return EXIT_SUCCESS;
}

static int check_file(struct check *check, int fd, const char *name)
{
    char *room = rg_alloc(CHECK_PIECE_BYTES);
    int result = RG_EAGAIN;
    ssize_t n = 0;

    while (result == RG_EAGAIN && (n = read(fd, room, CHECK_PIECE_BYTES)) > 0) {
        rg_rdb_reader_feed(check->reader, rg_bytes(room, (size_t)n));
        result = check_read(check);
    }
    bool behind = result == 0 && rg_rdb_reader_rest(check->reader).len > 0;
    rg_free(room);
    if (n < 0) {
        (void)fprintf(stderr, "Cannot read %s: %s\n", name, strerrordesc_np(errno));
        return EXIT_FAILURE;
    }
    return check_end(check, result, behind);
}

int rg_tool_check_rdb(int argc, char **argv)
{
    struct timespec now;
    struct stat stat;

    if (argc != 2) {
        (void)fprintf(stderr, "Usage: %s <rdb-file-name>\n", argv[0]);
        return EXIT_FAILURE;
    }
    int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) < 0 || S_ISDIR(stat.st_mode)) {
        (void)fprintf(stderr, "Cannot open file: %s: %s\n", argv[1],
                      strerrordesc_np(fd < 0 ? errno : EISDIR));
        return EXIT_FAILURE;
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    struct check check = {.reader = rg_rdb_reader_new(),
                          .now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
    (void)printf("[offset 0] Checking RDB file %s\n", argv[1]);
    int status = check_file(&check, fd, argv[1]);
    rg_rdb_reader_free(check.reader);
    (void)close(fd);
    return status;
}
