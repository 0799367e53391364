#include "node/config_table.h"

#include "base/alloc.h"
#include "proto/resp.h"

/*
 * Files that are being read lie on a stack, the innermost include on top, so that a loop of
 * includes ends at a fixed depth.
 */

enum { READ_MAX_DEPTH = 16 };

struct read_frame {
    struct rg_buf text; /* owned */
    char *file;         /* owned; "" where the text has no name */
    size_t at;
    int line;
};

struct reader {
    struct rg_config *config;
    int (*read_file)(void *arg, const char *path, struct rg_buf *out);
    void *arg;
    struct read_frame frames[READ_MAX_DEPTH];
    int depth;
    struct rg_buf error; /* what was expected on the current line */
};

static bool read_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct rg_bytes read_trim(struct rg_bytes line)
{
    while (line.len > 0 && read_is_blank(line.data[0]))
        line = rg_bytes(line.data + 1, line.len - 1);
    while (line.len > 0 && read_is_blank(line.data[line.len - 1]))
        line.len--;
    return line;
}

/* The next line of the innermost file; false at its end. */
static bool read_next_line(struct read_frame *frame, struct rg_bytes *ret_line)
{
    struct rg_bytes text = rg_buf_view(&frame->text);

    if (frame->at >= text.len)
        return false;
    const char *begin = text.data + frame->at;
    size_t left = text.len - frame->at;
    const char *end = memchr(begin, '\n', left);
    size_t len = end == NULL ? left : (size_t)(end - begin);
    frame->at += end == NULL ? len : len + 1;
    frame->line++;
    *ret_line = read_trim(rg_bytes(begin, len));
    return true;
}

static int read_fail(struct reader *reader, const char *text)
{
    rg_buf_append_str(&reader->error, text);
    return RG_EINVAL;
}

static void read_push(struct reader *reader, const char *file, struct rg_buf text)
{
    struct read_frame *frame = &reader->frames[reader->depth++];

    frame->text = text;
    frame->file = rg_alloc_copy(file, strlen(file));
    frame->at = 0;
    frame->line = 0;
}

static void read_pop(struct reader *reader)
{
    struct read_frame *frame = &reader->frames[--reader->depth];

    rg_buf_fini(&frame->text);
    rg_free(frame->file);
}

/* A pattern that matches nothing includes nothing, as in Redis; a plain name must be there. */
static int read_include(struct reader *reader, struct rg_bytes path)
{
    struct rg_buf text = {0};
    struct rg_buf name = {0};
    int rc = 0;

    rg_buf_append_bytes(&name, path);
    rg_buf_append_char(&name, '\0');
    const char *file = rg_buf_view(&name).data;
    if (reader->read_file == NULL) {
        rc = read_fail(reader, "include is not possible here");
    } else if (reader->depth == READ_MAX_DEPTH) {
        rc = read_fail(reader, "too many levels of include");
    } else if (reader->read_file(reader->arg, file, &text) < 0 && strpbrk(file, "*?[") == NULL) {
        rc = read_fail(reader, "can't open the included file");
    } else {
        read_push(reader, file, text);
        text = (struct rg_buf){0};
    }
    rg_buf_fini(&text);
    rg_buf_fini(&name);
    return rc;
}

/* The sentinel's own lines: who knows them reads them when all are there. */
static void read_sentinel(struct reader *reader, struct rg_bytes line)
{
    struct rg_config *config = reader->config;
    size_t word = sizeof("sentinel") - 1;
    size_t size = sizeof(struct rg_config_line) * (size_t)(config->sentinel_line_count + 1);
    const struct read_frame *frame = &reader->frames[reader->depth - 1];

    config->sentinel_lines = rg_realloc(config->sentinel_lines, size);
    config->sentinel_lines[config->sentinel_line_count++] = (struct rg_config_line){
        .text = rg_alloc_copy(line.data + word, line.len - word),
        .number = frame->file[0] != '\0' ? frame->line : 0,
    };
}

static int read_directive(struct reader *reader, const struct rg_bytes *argv, int argc)
{
    const struct config_directive *directive = config_find(argv[0]);

    if (directive == NULL && argc > 1 && rg_bytes_is_nocase(argv[0], "sentinel"))
        return read_fail(reader, "sentinel directive while not in sentinel mode");
    if (directive == NULL)
        return read_fail(reader, "Bad directive or wrong number of arguments");
    bool *given = &reader->config->extra->given[directive - config_directives];
    struct rg_buf text = {0};
    int rc =
        config_parse(reader->config, directive, argv + 1, argc - 1, *given, &text, &reader->error);
    if (rc == 0) {
        config_store(reader->config, directive, rg_buf_view(&text));
        *given = true;
    }
    rg_buf_fini(&text);
    return rc;
}

static int read_line(struct reader *reader, struct rg_bytes line)
{
    size_t lens[CONFIG_MAX_ARGS + 1];
    struct rg_bytes argv[CONFIG_MAX_ARGS + 1];
    struct rg_buf words = {0};

    if (line.len == 0 || line.data[0] == '#' || line.data[0] == '\0')
        return 0;
    int argc = rg_split_args(line, &words, lens, CONFIG_MAX_ARGS + 1);
    const char *next = rg_buf_view(&words).data;
    for (int i = 0; i < argc; i++) {
        argv[i] = rg_bytes(lens[i] == 0 ? "" : next, lens[i]);
        next = lens[i] == 0 ? next : next + lens[i];
    }
    int rc = 0;
    if (argc == RG_ELIMIT)
        rc = read_fail(reader, "Bad directive or wrong number of arguments");
    else if (argc < 0)
        rc = read_fail(reader, "Unbalanced quotes in configuration line");
    else if (argc == 2 && rg_bytes_is_nocase(argv[0], "include"))
        rc = read_include(reader, argv[1]);
    else if (argc > 1 && reader->config->sentinel && rg_bytes_is_nocase(argv[0], "sentinel"))
        read_sentinel(reader, line);
    else if (argc > 0)
        rc = read_directive(reader, argv, argc);
    rg_buf_fini(&words);
    return rc;
}

static void read_report(const struct reader *reader, struct rg_bytes line, struct rg_buf *ret_error)
{
    const struct read_frame *frame = &reader->frames[reader->depth - 1];

    rg_buf_append_str(ret_error, "Reading the configuration file");
    if (frame->file[0] != '\0')
        rg_buf_printf(ret_error, " '%s'", frame->file);
    rg_buf_printf(ret_error, ", at line %d\n>>> '", frame->line);
    rg_buf_append_bytes(ret_error, line);
    rg_buf_append_str(ret_error, "'\n");
    rg_buf_append_bytes(ret_error, rg_buf_view(&reader->error));
    rg_buf_append_char(ret_error, '\n');
}

int rg_config_read(struct rg_config *config, const char *file, struct rg_bytes text,
                   int (*read_file)(void *arg, const char *path, struct rg_buf *out), void *arg,
                   struct rg_buf *ret_error)
{
    struct reader reader = {.config = config, .read_file = read_file, .arg = arg};
    struct rg_config_extra *extra = config->extra;
    struct rg_buf copy = {0};
    struct rg_bytes line;
    int rc = 0;

    if (file == NULL)
        file = "";
    if (file[0] != '\0' && extra->file[0] == '\0') {
        /* CONFIG REWRITE starts from the first file, the one that was named to the program. */
        rg_free(extra->file);
        extra->file = rg_alloc_copy(file, strlen(file));
        rg_buf_append_bytes(&extra->text, text);
    }
    rg_buf_append_bytes(&copy, text);
    read_push(&reader, file, copy);
    while (rc == 0 && reader.depth > 0) {
        if (!read_next_line(&reader.frames[reader.depth - 1], &line))
            read_pop(&reader);
        else
            rc = read_line(&reader, line);
    }
    if (rc < 0)
        read_report(&reader, line, ret_error);
    while (reader.depth > 0)
        read_pop(&reader);
    rg_buf_fini(&reader.error);
    return rc;
}

const char *rg_config_file(const struct rg_config *config)
{
    return config->extra->file;
}

const char *rg_config_inert(const struct rg_config *config, unsigned index)
{
    for (unsigned i = 0; i < config_directive_count; i++) {
        const struct config_directive *directive = &config_directives[i];
        if (directive->offset == CONFIG_NO_FIELD && !config_is_default(config, directive) &&
            index-- == 0)
            return directive->name;
    }
    return NULL;
}
