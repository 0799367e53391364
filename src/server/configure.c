#include "server/configure.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/node.h"

enum { CONFIGURE_PIECE_BYTES = 64 << 10, CONFIGURE_MAX_BYTES = 64 << 20 };

void rg_configure_fail(struct rg_bytes why)
{
    while (why.len > 0 && why.data[why.len - 1] == '\n')
        why.len--;
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
    /* Only the start reads files; there is one thread yet. */
    if (glob(path, 0, NULL, &found) != 0) { // NOLINT(concurrency-mt-unsafe)
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

/* One text. path: the file's absolute name, "" for what has none. */
static int configure_parse(struct rg_config *config, const char *path, const struct rg_buf *text)
{
    struct rg_buf error = {0};
    int result = rg_config_read(config, path, rg_buf_view(text), configure_include, NULL, &error);

    if (result < 0)
        rg_configure_fail(rg_buf_view(&error));
    rg_buf_fini(&error);
    return result;
}

static int configure_from_file(struct rg_config *config, const char *file)
{
    struct rg_buf text = {0};
    int result = configure_read_path(file, &text);

    if (result < 0) {
        (void)fprintf(stderr, "Fatal error, can't open config file '%s': %s\n", file,
                      strerrordesc_np(errno));
    } else {
        char *path = realpath(file, NULL);
        result = configure_parse(config, path == NULL ? file : path, &text);
        free(path); /* realpath's own */
    }
    rg_buf_fini(&text);
    return result;
}

/* Standard input and the command line: what CONFIG REWRITE does not know as the file's. */
static int configure_from_rest(struct rg_config *config, const struct rg_options *options)
{
    struct rg_buf text = {0};
    int result = 0;

    if (options->from_stdin) {
        result = configure_read_fd(STDIN_FILENO, &text);
        rg_buf_append_char(&text, '\n');
    }
    if (result < 0)
        (void)fprintf(stderr, "Fatal error, can't read the configuration from standard input: %s\n",
                      strerrordesc_np(errno));
    rg_buf_append_bytes(&text, rg_buf_view(&options->text));
    if (result == 0)
        result = configure_parse(config, "", &text);
    rg_buf_fini(&text);
    return result;
}

static int configure_check(const struct rg_config *config)
{
    struct rg_buf error = {0};
    int result = rg_config_check(config, &error);

    if (result == 0 && config->sentinel)
        result = rg_node_check_sentinel(config, &error);
    if (result < 0)
        rg_configure_fail(rg_buf_view(&error));
    rg_buf_fini(&error);
    return result;
}

struct rg_config *rg_configure(const struct rg_options *options)
{
    struct rg_config *config = rg_config_new();
    int result = 0;

    if (options->sentinel)
        rg_config_be_sentinel(config);
    if (options->file != NULL)
        result = configure_from_file(config, options->file);
    /* Later lines win, so the command line comes last. */
    if (result == 0)
        result = configure_from_rest(config, options);
    if (result == 0)
        result = configure_check(config);
    if (result == 0)
        return config;
    rg_config_free(config);
    return NULL;
}
