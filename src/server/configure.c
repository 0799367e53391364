#include "server/configure.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"

enum { CONFIGURE_PIECE_BYTES = 64 << 10, CONFIGURE_MAX_BYTES = 64 << 20 };

void rg_configure_fail(struct rg_bytes why)
{
    (void)fprintf(stderr, "\n*** FATAL CONFIG FILE ERROR (Regent " RG_VERSION ") ***\n%.*s\n",
                  (int)why.len, why.data);
}

/* Errors: RG_EIO with errno; RG_ELIMIT: larger than any configuration is. */
static int configure_read_fd(int fd, struct rg_buf *out)
{
    for (;;) {
        char *room = rg_buf_reserve(out, CONFIGURE_PIECE_BYTES);
        ssize_t n = read(fd, room, CONFIGURE_PIECE_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return RG_EIO;
        if (n == 0)
            return 0;
        rg_buf_commit(out, (size_t)n);
        if (rg_buf_len(out) > CONFIGURE_MAX_BYTES)
            return RG_ELIMIT;
    }
}

static int configure_read_path(const char *path, struct rg_buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return RG_EIO;
    int result = configure_read_fd(fd, out);
    (void)close(fd);
    return result;
}

/* `include`: every file that the pattern names, one after the other. */
static int configure_include(void *arg, const char *path, struct rg_buf *out)
{
    glob_t found = {0};
    int result = 0;

    (void)arg;
    if (glob(path, 0, NULL, &found) != 0) {
        globfree(&found);
        return RG_ENOENT;
    }
    for (size_t i = 0; i < found.gl_pathc && result == 0; i++) {
        result = configure_read_path(found.gl_pathv[i], out);
        rg_buf_append_char(out, '\n');
    }
    globfree(&found);
    return result;
}

/* The file and standard input, which count as one text. */
static int configure_gather(const struct rg_options *options, struct rg_buf *text)
{
    if (options->file != NULL && configure_read_path(options->file, text) < 0) {
        (void)fprintf(stderr, "Fatal error, can't open config file '%s': %s\n", options->file,
                      strerrordesc_np(errno));
        return RG_EIO;
    }
    if (options->from_stdin) {
        rg_buf_append_char(text, '\n');
        if (configure_read_fd(STDIN_FILENO, text) < 0) {
            (void)fprintf(stderr, "Fatal error, can't read the config from standard input: %s\n",
                          strerrordesc_np(errno));
            return RG_EIO;
        }
    }
    return 0;
}

static int configure_parse(struct rg_config *config, const struct rg_options *options,
                           struct rg_bytes text)
{
    struct rg_buf error = {0};
    char *path = options->file == NULL ? NULL : realpath(options->file, NULL);
    int result =
        rg_config_read(config, path == NULL ? "" : path, text, configure_include, NULL, &error);

    if (result == 0)
        result = rg_config_check(config, &error);
    if (result < 0)
        rg_configure_fail(rg_buf_view(&error));
    rg_buf_fini(&error);
    rg_free(path);
    return result;
}

struct rg_config *rg_configure(const struct rg_options *options)
{
    struct rg_config *config = rg_config_new();
    struct rg_buf text = {0};
    int result = configure_gather(options, &text);

    if (result == 0) {
        /* Later lines win, so the command line comes last. */
        rg_buf_append_char(&text, '\n');
        rg_buf_append_bytes(&text, rg_buf_view(&options->text));
        result = configure_parse(config, options, rg_buf_view(&text));
    }
    rg_buf_fini(&text);
    if (result == 0)
        return config;
    rg_config_free(config);
    return NULL;
}
